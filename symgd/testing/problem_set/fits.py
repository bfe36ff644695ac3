"""Least squares with measured data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symgd.testing.problem_set.record import Problem, Value

NIST = "NIST Statistical Reference Datasets, nonlinear regression"
BATES = "Bates and Watts 1988, Nonlinear regression analysis and its applications, appendix 1"
MEASURED: Mapping[str, Any] = json.loads(Path(__file__).with_name("measured.json").read_text(encoding="utf-8"))


def fit(name: str, model: str, start: dict[str, Value], source: str, *tags: str, data: str = "") -> Problem:
    """Give the sum of squares of a model's residuals, on data of the same name unless another one is said."""
    return Problem(name, f"sum((y - ({model}))**2)", start, source, ("squares", "data", *tags), MEASURED[data or name])


def nist(name: str, model: str, *tags: str, data: str = "", **start: float) -> Problem:
    """Give a problem of NIST, with the second of its two starts, which is the nearer one."""
    return fit(name.lower(), model, dict(start), f"{NIST}: {name}", *tags, data=data)


PROBLEMS = (
    nist("Misra1a", "b1*(1 - exp(-b2*x))", "scaled", data="misra1", b1=250.0, b2=0.0005),
    nist("Misra1b", "b1*(1 - (1 + b2*x/2)**(-2))", "scaled", data="misra1", b1=300.0, b2=0.0002),
    nist("Misra1c", "b1*(1 - (1 + 2*b2*x)**(-0.5))", "scaled", "domain", data="misra1", b1=600.0, b2=0.0002),
    nist("Misra1d", "b1*b2*x/(1 + b2*x)", "scaled", "domain", data="misra1", b1=450.0, b2=0.0003),
    nist("BoxBOD", "b1*(1 - exp(-b2*x))", "tail", b1=100.0, b2=0.75),
    nist("DanWood", "b1*x**b2", b1=0.7, b2=4.0),
    nist("Rat42", "b1/(1 + exp(b2 - b3*x))", "tail", b1=75.0, b2=2.5, b3=0.07),
    nist("Rat43", "b1/(1 + exp(b2 - b3*x))**(1/b4)", "tail", b1=700.0, b2=5.0, b3=0.75, b4=1.3),
    nist("Eckerle4", "b1/b2*exp(-((x - b3)/b2)**2/2)", "tail", "scaled", b1=1.5, b2=5.0, b3=450.0),
    nist(
        "Roszman1", "b1 - b2*x - arctan(b3/(x - b4))/pi", "scaled", "domain", "several",
        b1=0.2, b2=-5e-6, b3=1200.0, b4=-150.0,
    ),
    nist(
        "Thurber", "(b1 + b2*x + b3*x**2 + b4*x**3)/(1 + b5*x + b6*x**2 + b7*x**3)", "scaled", "domain", "several",
        b1=1300.0, b2=1500.0, b3=500.0, b4=75.0, b5=1.0, b6=0.4, b7=0.05,
    ),
    nist(
        "Lanczos3", "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)", "scaled", "several",
        b1=0.5, b2=0.7, b3=3.6, b4=4.2, b5=4.0, b6=6.3,
    ),
    nist("Chwirut2", "exp(-b1*x)/(b2 + b3*x)", "scaled", "domain", "several", b1=0.15, b2=0.008, b3=0.01),
    fit("puromycin", "v*x/(k + x)", {"v": 205.0, "k": 0.08}, f"{BATES}: Puromycin, treated", "scaled", "domain"),
    fit("bod", "a*(1 - exp(-k*x))", {"a": 20.0, "k": 0.24}, f"{BATES}: biochemical oxygen demand", "tail"),
)  # fmt: skip
