"""Remedies, done: unhealthy runs, every remedy of which is taken literally, and healthy runs of which nothing is said.

``python benchmarks/remedies.py [--few]`` prints how many unhealthy runs have no finding, how many remedies were done,
and how many of these did not end better than the run that they were given for; then how many healthy runs have one.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import symgd as sg


@dataclass(frozen=True)
class Case:
    """A descent."""

    text: str
    start: dict[str, Any]
    options: dict[str, Any]
    data: dict[str, Any] = field(default_factory=dict)

    def run(self, **change: Any) -> sg.Run:
        """Descend, with something changed."""
        options = {**self.options, **change}
        if "method" in change:
            options = {k: v for k, v in options.items() if k in ("method", "steps", "seed", "start")}
        start = options.pop("start", self.start)
        return sg.Objective(self.text, data=self.data).minimize(start, **options)

    def __str__(self) -> str:
        start = {k: v if np.ndim(v) == 0 else np.shape(v) for k, v in self.start.items()}
        return f"{self.text[:60]} from {start} with {self.options}"


# ---- problems ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """An objective, a start, and the largest curvature there is on the way."""

    text: str
    start: dict[str, Any]
    top: float
    data: dict[str, Any] = field(default_factory=dict)
    curved: bool = True  # the minimum has curvature in every direction

    def case(self, **options: Any) -> Case:
        """Give a descent of it."""
        return Case(self.text, self.start, options, self.data)


def top_curvature(text: str, start: dict[str, Any], data: dict[str, Any]) -> float:
    """Give the largest curvature at the start."""
    f = sg.Objective(text, data=data)
    return float(np.linalg.eigvalsh(f.hessian_at(start))[-1])


def problem(text: str, start: dict[str, Any], data: dict[str, Any] | None = None, *, curved: bool = True) -> Problem:
    """Give a problem with its curvature worked out."""
    data = data or {}
    return Problem(text, start, top_curvature(text, start, data), data, curved)


def homework() -> Iterator[Problem]:
    """Functions of one and two numbers, as first exercises have them."""
    yield problem("x**2 - 4*x + 5", {"x": -1.0})
    yield problem("(x - 3)**2 + 10*(y + 1)**2", {"x": 0.0, "y": 0.0})
    yield problem("0.2*x1**2 + x2**2", {"x1": 9.0, "x2": -3.0})
    yield problem("(x - 1)**4", {"x": 3.0}, curved=False)
    yield problem("x**4 - 3*x**2 + x", {"x": 2.0})
    yield problem("exp(x) - 2*x", {"x": 3.0})
    yield problem("log(1 + exp(x)) - x/3", {"x": 2.0})
    yield problem("100*(y - x**2)**2 + (1 - x)**2", {"x": -1.2, "y": 1.0})
    yield problem("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", {"x": 4.0, "y": 4.0})
    yield problem("(x + 2*y - 7)**2 + (2*x + y - 5)**2", {"x": -3.0, "y": 2.0})


def fits() -> Iterator[Problem]:
    """Regressions and classifications on data made with a seed."""
    g = np.random.default_rng(5)
    x = np.linspace(0.0, 5.0, 30)
    yield problem("mean((y - (a*x + b))**2)", {"a": 0.0, "b": 0.0}, {"x": x, "y": 2 * x + 1 + g.normal(0, 0.3, 30)})
    wide = g.normal(size=(60, 4)) * [1.0, 3.0, 0.5, 2.0]
    target = wide @ [1.0, -2.0, 0.5, 0.3] + g.normal(0, 0.5, 60)
    yield problem("mean((y - X @ w)**2)", {"w": np.zeros(4)}, {"X": wide, "y": target})
    scaled = np.column_stack([np.ones(40), g.uniform(500, 3000, 40)])
    price = scaled @ [50.0, 0.2] + g.normal(0, 10, 40)
    yield problem("mean((y - X @ w)**2)/2", {"w": np.zeros(2)}, {"X": scaled, "y": price})
    classes = (target + g.normal(0, 1.5, 60) > 0) * 1.0
    yield problem("mean(softplus(X @ w) - l*(X @ w)) + 0.01*sum(w**2)", {"w": np.zeros(4)}, {"X": wide, "l": classes})
    yield problem("mean((y - a*exp(-k*x))**2)", {"a": 1.0, "k": 1.0}, {"x": x, "y": 3 * np.exp(-0.7 * x)})
    yield problem("mean(exp(X @ w) - c*(X @ w))", {"w": np.zeros(2)},
                  {"X": g.normal(size=(50, 2)), "c": g.poisson(2.0, 50) * 1.0})  # fmt: skip


def networks() -> Iterator[Problem]:
    """Small networks."""
    g = np.random.default_rng(11)
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    xor = {"X": corners, "t": np.array([0, 1, 1, 0.0])}
    first = {"W": g.normal(size=(2, 4)), "b": g.normal(size=4), "v": g.normal(size=4), "c": 0.0}
    logits = "(tanh(X @ W + b) @ v + c)"
    yield problem(f"mean(softplus({logits}) - t*{logits})", first, xor, curved=False)
    x = g.uniform(-2, 2, size=(40, 1))
    second = {"W": g.normal(size=(1, 4)), "b": first["b"], "v": first["v"]}
    wave = {"X": x, "y": np.sin(2 * x[:, 0])}
    yield problem("mean((y - tanh(X @ W + b) @ v)**2)", second, wave, curved=False)


# ---- unhealthy runs ------------------------------------------------------------------------------------------------


def rates(p: Problem, steps: int) -> Iterator[Case]:
    """Learning rates that are too large or too small, for rules of all kinds."""
    for times in (1.05, 3.0, 100.0):
        yield p.case(lr=2.0 * times / p.top, steps=steps)
    for share in (1e-2, 1e-4):
        yield p.case(lr=share / p.top, steps=steps)
    yield p.case(method="momentum", lr=20.0 / p.top, steps=steps)
    yield p.case(method="nesterov", lr=1e-3 / p.top, steps=steps)
    yield p.case(lr=sg.schedule("cosine", 0.02 / p.top, steps=steps), steps=2 * steps)
    yield p.case(lr=f"{50.0 / p.top}/(1 + t/1000)", steps=steps)
    yield p.case(method="adam", lr=1e-5, steps=steps)
    yield p.case(method="rmsprop", lr=0.5, steps=steps)


def rules() -> Iterator[Case]:
    """Rules that are at fault themselves."""
    for text, start in (("x**2", {"x": 1.0}), ("(x - 2)**2 + 3*y**2", {"x": 0.0, "y": 1.0})):
        yield Case(text, start, {"method": sg.Rule("x = x + lr*g"), "lr": 0.1, "steps": 60})
        broken = sg.Rule("m = b*m + (1 - b)*g; x = x - lr*m/(1 - b**(t - 1))", b=0.9)
        yield Case(text, start, {"method": broken, "lr": 0.1, "steps": 60})
        yield Case(text, start, {"method": sg.Rule("v = b*v + g; x = x + lr*v", b=0.5), "lr": 0.05, "steps": 60})
        yield Case(text, start, {"method": sg.Rule("s = s + g; x = x - lr*g/sqrt(s - g)"), "lr": 0.1, "steps": 60})


def places() -> Iterator[Case]:
    """Starts at which there is no gradient worth the name, or the wrong one."""
    for w in (15.0, 20.0, 25.0):
        yield Case("sigmoid(w + b)**2/2", {"w": w, "b": w}, {"lr": 0.15, "steps": 300})
    for x in (8.0, 25.0):
        yield Case("tanh(x - 1)**2", {"x": x}, {"lr": 0.1, "steps": 300})
        yield Case("1 - exp(-(x - 1)**2)", {"x": x}, {"lr": 0.5, "steps": 300})
    yield Case("x**2 - y**2 + y**4", {"x": 1.0, "y": 0.0}, {"lr": 0.1, "steps": 300})
    yield Case("x**4/4 - x**2/2 + y**2", {"x": 0.0, "y": 1.0}, {"lr": 0.1, "steps": 300})
    yield Case("cos(x)", {"x": 0.0}, {"lr": 0.1, "steps": 300})
    xor = {"X": np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), "t": np.array([0, 1, 1, 0.0])}
    logits = "(tanh(X @ W) @ v + c)"
    for width in (2, 3, 5):
        start = {"W": np.zeros((2, width)), "v": np.zeros(width), "c": 0.0}
        yield Case(f"mean(softplus({logits}) - t*{logits})", start, {"lr": 0.1, "steps": 1000}, xor)
        alike = {"W": np.full((2, width), 0.5), "v": np.full(width, 0.5), "c": 0.0}
        yield Case(f"mean(softplus({logits}) - t*{logits})", alike, {"lr": 0.1, "steps": 1000}, xor)
    for bias in (-5.0, -9.0):
        start = {"a": 1.0, "b": bias, "c": 0.0}
        data = {"x": np.linspace(-1, 1, 20), "y": np.linspace(-1, 1, 20) ** 2}
        yield Case("mean((y - relu(a*x + b) - c)**2)", start, {"lr": 0.1, "steps": 200}, data)
    for slope in (1.0, 3.0):
        z = np.linspace(-slope, slope, 20)
        data = {"z": z, "l": (z > 0) * 1.0}
        yield Case("mean(softplus(w*z + b) - l*(w*z + b))", {"w": 0.0, "b": 0.0}, {"lr": 0.1, "steps": 100}, data)
    yield Case("exp(-x)", {"x": 0.0}, {"lr": 0.1, "steps": 300})
    yield Case("x", {"x": 0.0}, {"lr": 0.1, "steps": 100})
    yield Case("-x**2", {"x": 1.0}, {"lr": 0.1, "steps": 100})
    yield Case("x**3", {"x": 1.0}, {"lr": 0.1, "steps": 200})
    yield Case("abs(x - 3)", {"x": 0.0}, {"lr": "0.3/t", "steps": 300})
    yield Case("abs(x) + 5*abs(y - 1)", {"x": 3.0, "y": 0.0}, {"lr": 0.4, "steps": 100})
    yield Case("log(x) + 1/x", {"x": 3.0}, {"lr": 20.0, "steps": 50})
    yield Case("x - log(x)", {"x": 0.01}, {"lr": 1.0, "steps": 50})
    yield Case("sqrt(x) + 1/x", {"x": 0.1}, {"lr": 0.5, "steps": 50})


def batches() -> Iterator[Case]:
    """Runs in batches."""
    g = np.random.default_rng(3)
    x = g.normal(size=(200, 3))
    y = x @ [1.0, 2.0, 3.0] + g.normal(size=200)
    for text, scale in (("mean((y - X @ w)**2)", 1.0), ("sum((y - X @ w)**2)", 0.1)):
        for lr in (0.1, 5.0, 1e-5):
            options = {"lr": lr * scale, "batch": 10, "epochs": 30, "seed": 1}
            yield Case(text, {"w": np.zeros(3)}, options, {"X": x, "y": y})


def adaptive() -> Iterator[Case]:
    """Rules that lose what they had, or hover about it."""
    g = np.random.default_rng(0)
    data = {"X": g.normal(size=(20, 40)), "y": g.normal(size=20)}
    start = {"w": g.normal(size=40) / 6}
    for lr in (1e-3, 1e-2):
        yield Case("sum((X @ w - y)**2)", start, {"method": "adam", "lr": lr, "steps": 4000}, data)
    for method, lr in (("rmsprop", 0.05), ("signgd", 0.05), ("lion", 0.05), ("adadelta", 1.0), ("adagrad", 1e-3)):
        yield Case("(x - 3)**2 + 10*(y + 1)**2", {"x": 0.0, "y": 0.0}, {"method": method, "lr": lr, "steps": 400})
        yield Case("100*(y - x**2)**2 + (1 - x)**2", {"x": -1.2, "y": 1.0}, {"method": method, "lr": lr, "steps": 400})


def unhealthy() -> Iterator[Case]:
    """All of them, from homework to networks."""
    for p in homework():
        yield from rates(p, 60)
    for p in fits():
        yield from rates(p, 80)
    for p in networks():
        yield from rates(p, 150)
    yield from rules()
    yield from places()
    yield from batches()
    yield from adaptive()


# ---- healthy runs --------------------------------------------------------------------------------------------------


def healthy() -> Iterator[Case]:
    """Five hundred runs with which nothing is wrong."""
    g = np.random.default_rng(9)
    known = [*homework(), *fits()]
    while True:
        n = int(g.integers(1, 6))
        values = np.sort(g.uniform(1.0, 10.0 ** g.uniform(0, 2), n)) * 10.0 ** g.uniform(-3, 3)
        q, _ = np.linalg.qr(g.standard_normal((n, n)))
        a = (q * values) @ q.T
        data = {"A": (a + a.T) / 2, "b": values.max() * g.standard_normal(n)}
        start = {"x": g.standard_normal(n) * 3}
        text = "x @ A @ x/2 - b @ x"
        top = float(values[-1])
        for method, lr in (("gd", 1.0 / top), ("nesterov", 1.0 / top), ("momentum", 0.5 / top)):
            yield Case(text, start, {"method": method, "lr": lr}, data)
        for method in ("auto", "lbfgs", "cg", "exact", "bfgs"):
            yield Case(text, start, {"method": method}, data)
        p = known[int(g.integers(len(known)))]
        shaken = {k: np.asarray(v) * (1 + 0.05 * g.standard_normal(np.shape(v))) for k, v in p.start.items()}
        if p.curved and "x**4" not in p.text and "11)**2" not in p.text:
            for method in ("auto", "bfgs"):
                yield Case(p.text, shaken, {"method": method}, p.data)


# ---- what is counted -----------------------------------------------------------------------------------------------


def ends_better(case: Case, run: sg.Run, change: dict[str, Any]) -> bool:
    """Tell whether a remedy, done literally, ends lower than the run, and lower than its start."""
    other = case.run(**change)
    own = min(v for v in (run.value, float(run.history.value[0]), np.inf) if not np.isnan(v))
    return bool(np.isfinite(other.value) and other.value < own)


def is_near_best(case: Case, run: sg.Run) -> bool:
    """Tell whether a run ended within a thousandth of what there was to gain."""
    best = sg.Objective(case.text, data=case.data).minimize(case.start).value
    whole = float(run.history.value[0]) - best
    return run.ok or bool(run.value - best <= 1e-3 * whole)


def look(cases: list[Case], told: Any = print) -> dict[str, Any]:
    """Run unhealthy cases, and do every remedy."""
    codes: Counter[str] = Counter()
    silent, done, worse = [], 0, []
    looked = 0
    for case in cases:
        run = case.run()
        if not run.diagnosis and is_near_best(case, run):  # it did well after all
            continue
        looked += 1
        if not run.diagnosis:
            silent.append(case)
            told(f"no finding: {case}: {run}")
        for finding in run.diagnosis:
            codes[finding.code] += 1
            if finding.change:
                done += 1
                if not ends_better(case, run, dict(finding.change)):
                    worse.append((case, finding))
                    told(f"no better: {case}: {finding}")
    return {"runs": looked, "silent": len(silent), "remedies": done, "worse": len(worse), "codes": codes}


def false_alarms(cases: list[Case], told: Any = print) -> int:
    """Run healthy cases, and count those of which something is said."""
    found = 0
    for case in cases:
        run = case.run()
        if run.diagnosis or not run.ok:
            found += 1
            told(f"false alarm: {case}: {run.message}; {[str(f) for f in run.diagnosis]}")
    return found


def main() -> None:
    """Print the counts."""
    warnings.simplefilter("ignore")
    few = "--few" in sys.argv
    cases = list(unhealthy())
    found = look(cases[:: 7 if few else 1])
    print({k: v for k, v in found.items() if k != "codes"})
    print(dict(found["codes"]))
    wanted = 50 if few else 500
    well = [case for _, case in zip(range(wanted), healthy(), strict=False)]
    print(f"{false_alarms(well)} of {wanted} healthy runs have a finding")


if __name__ == "__main__":
    main()
