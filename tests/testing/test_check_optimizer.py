"""Mistakes are found, their causes named, and right optimizers left in peace."""

import importlib.util
import json
import re

import numpy as np
import planted
import pytest

import symgd as sg
from symgd.errors import UsageError
from symgd.testing.laws.case import Answer

CAUSES = {  # what is said of a mistake, where it can be named
    "momentum sign": "momentum has the wrong sign",
    "momentum lr twice": "lr is applied twice",
    "momentum single": "single precision",
    "adam no bias": "bias correction is missing",
    "adam no second bias": r"bias correction is missing, the division by 1 - beta2\*\*t",
    "adam t from 2": "t is off by one",
    "adam hidden": "t is off by one",
    "adam eps inside": "eps is inside of the root",
    "adam betas swapped": "beta1 and beta2 are swapped",
    "adam eps forgotten": "eps is missing",
    "adam no root": "sqrt",
    "adamw coupled": "weight decay is in the gradient",
    "schedule shifted": "the schedule is off by one",
    "rule rprop flipped": "up and down are swapped",
}
QUICK = ("momentum sign", "momentum lr twice", "adam no bias", "adam betas swapped", "adamw coupled",
         "schedule shifted", "momentum aliased", "minimize stale value", "minimize changes start")  # fmt: skip
MISSED = 2  # at most, of forty


def library(name, make):
    """Mistakes or right optimizers of a library; where it is absent, that is said."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: its optimizers are not looked at")
    return make()


def report_of(entry, **more):
    optimizer, options = entry
    return sg.testing.check_optimizer(optimizer, progress=False, **options, **more)


def reproduces(finding, optimizer):
    """Whether the program of a counterexample fails, as it must."""
    try:
        exec(finding.example.code(), {"optimizer": optimizer})
    except AssertionError:
        return True
    return False


def small(example):
    numbers = [float(n) for n in re.findall(r"(?<![\w.])\d+\.?\d*", re.sub(r"x\d+|\*\*\d", "", example.formula))]
    whole = all(float(v).is_integer() and abs(v) < 100 for v in (*numbers, *example.start))
    return len(example.start) <= 2 and whole


# ---- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUICK)
def test_a_mistake_is_found(name):
    entry = planted.bugs()[name]
    report = report_of(entry, examples=5)
    assert not report.ok, report
    assert re.search(CAUSES.get(name, ""), "; ".join(c.said for c in report.causes)), report
    pasted = [f for f in report.failed if f.example is not None and f.example.claim]
    assert all(reproduces(f, entry[0]) for f in pasted)


@pytest.mark.slow
def test_of_many_mistakes_hardly_one_is_missed():
    bugs = planted.bugs()
    reports = {name: report_of(entry) for name, entry in bugs.items()}
    missed = [name for name, report in reports.items() if report.ok]
    assert len(bugs) >= 40
    assert len(missed) <= MISSED * len(bugs) / 40, missed
    named = {n: "; ".join(c.said for c in reports[n].causes) for n in CAUSES}
    assert all(re.search(CAUSES[n], said) for n, said in named.items()), named
    examples = {n: next((f for f in r.failed if f.example and f.example.claim), None) for n, r in reports.items()}
    examples = {n: f for n, f in examples.items() if f is not None}
    assert all(reproduces(f, bugs[n][0]) for n, f in examples.items())
    assert sum(small(f.example) for f in examples.values()) >= 0.8 * len(examples)


@pytest.mark.slow
@pytest.mark.parametrize(("library_", "make"), [("torch", planted.torch_bugs), ("optax", planted.optax_bugs)])
def test_mistakes_in_optimizers_of_libraries(library_, make):
    bugs = library(library_, make)
    reports = {name: report_of(entry) for name, entry in bugs.items()}
    missed = [name for name, report in reports.items() if report.ok]
    assert len(missed) <= 1, missed
    for name, report in reports.items():
        pasted = [f for f in report.failed if f.example is not None and f.example.claim]
        assert all(reproduces(f, bugs[name][0]) for f in pasted), name


# ---- right ones ----------------------------------------------------------------------------------------------------

QUIET = ("adam claimed", "amsgrad class", "momentum in place", "rule text", "symgd adam", "scipy BFGS", "scipy CG",
         "minimize bfgs", "symgd noisy", "symgd newton")  # fmt: skip


@pytest.mark.parametrize("name", QUIET)
def test_a_right_optimizer_is_not_accused(name):
    report = report_of(planted.RIGHT[name], examples=5)
    assert report.ok, report


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in planted.RIGHT if n not in QUIET])
def test_nor_is_any_other(name):
    report = report_of(planted.RIGHT[name])
    assert report.ok, report


@pytest.mark.slow
@pytest.mark.parametrize(("library_", "make"), [("torch", planted.torch_right), ("optax", planted.optax_right)])
def test_nor_are_those_of_libraries(library_, make):
    accused = {n: r for n, e in library(library_, make).items() if not (r := report_of(e)).ok}
    assert not accused, accused


# ---- reports -------------------------------------------------------------------------------------------------------


def test_a_report_is_text_html_and_json():
    report = report_of(planted.PLAIN["momentum sign"])
    assert "FAILS" in repr(report)
    assert "<table>" in report._repr_html_()
    read = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert read["ok"] is False
    assert read["findings"][0]["cause"]["kind"] == "sign"
    assert report["update"].answer is Answer.FAILS


def test_an_assertion_fails_with_the_report():
    sg.testing.assert_optimizer(lambda x, g: x - 0.1 * g, like="gd")
    with pytest.raises(AssertionError, match="momentum has the wrong sign"):
        sg.testing.assert_optimizer(planted.momentum_sign)


def test_only_the_properties_that_are_asked_for():
    report = sg.testing.check_optimizer("gd", laws=["rests", "gd-distance"], examples=3)
    assert {f.law for f in report.findings} == {"rests", "gd-distance"}


def test_what_is_claimed_must_hold():
    def only_the_first(x, g):
        return x - np.arange(1, len(x) + 1) * 0.01 * g

    assert sg.testing.check_optimizer(only_the_first, laws=["permutation"]).ok
    assert not sg.testing.check_optimizer(only_the_first, laws=["permutation"], claims=["permutation"]).ok


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: sg.testing.check_optimizer("adamm"), "did you mean 'adam'"),
        (lambda: sg.testing.check_optimizer("adam", like="adamm"), "did you mean 'adam'"),
        (lambda: sg.testing.check_optimizer("adam", laws=["restss"]), "did you mean 'rests'"),
        (lambda: sg.testing.check_optimizer(3), "must be a function step"),
        (lambda: sg.testing.check_optimizer(lambda x: x), "a point and a gradient|no torch.optim"),
        (lambda: sg.testing.check_optimizer(lambda x, g, state, power: x), "'power' has no value"),
        (lambda: sg.testing.iterates("gd", "x**2", [1], beta=0.5), "it has no beta"),
    ],
)
def test_wrong_calls_are_told(call, match):
    with pytest.raises(UsageError, match=match):
        call()
