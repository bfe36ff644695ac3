"""The laws: they hold for symgd's own rules and methods, their bounds are reached, and bugs break them."""

import re

import numpy as np
import pytest
from runners import Engine, Steps, gd

from symgd.descent.methods import METHODS
from symgd.errors import UnknownNameError, UsageError
from symgd.rules import RULES
from symgd.testing.classes import Lessard, quadratic
from symgd.testing.laws import LAWS, Answer, Case, Reason, check, find_law, laws_of
from symgd.testing.laws.gradient_descent import Noisy
from symgd.testing.laws.theory import rule_of

COMPILING = ("tiers", "threads")
OWN = [*RULES, *METHODS, "exact"]


# ---- symgd's own -------------------------------------------------------------------------------------------------


def pairs(compiling):
    return [(m, law.name) for m in OWN for law in laws_of(m) if (law.name in COMPILING) == compiling]


def holds(method, name, examples):
    verdict = check(find_law(name), Engine(method), examples=examples)
    assert verdict.answer is not Answer.FAILS, verdict
    if verdict.answer is Answer.UNDECIDED:
        assert (method, name) in UNDECIDED or (name in ("theory-rate", "theory-limit") and verdict.detail), verdict


# What cannot be told: the engine runs formulas, and none has a gradient that is off.
UNDECIDED = {("gd", "gd-noisy")}


@pytest.mark.parametrize(("method", "name"), [(m, n) for m, n in pairs(compiling=False) if LAWS[n].methods])
def test_published_laws_hold_for_the_rules_and_methods_of_symgd(method, name):
    holds(method, name, examples=5)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "name"), pairs(compiling=False))
def test_all_laws_hold_for_the_rules_and_methods_of_symgd(method, name):
    holds(method, name, examples=200)


@pytest.mark.parametrize("method", ["gd", "adam", "bfgs"])
def test_what_any_optimizer_must_do_is_done_by_those_of_symgd(method):
    for law in laws_of(method):
        if not law.methods and law.name not in COMPILING:
            holds(method, law.name, examples=5)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize(("method", "name"), pairs(compiling=True))
def test_tiers_and_threads_take_the_same_path(method, name):
    holds(method, name, examples=6)


def test_gradients_that_are_off_by_less_than_is_allowed_do_as_published():
    verdict = check(find_law("gd-noisy"), Steps(gd), examples=20)
    assert verdict.answer is Answer.HOLDS
    f = Noisy(quadratic([4.0, 1.0]), 0.3, 5)
    x = np.array([1.0, 2.0])
    off = f.jac(x) - f.problem.jac(x)
    assert np.linalg.norm(off) == pytest.approx(0.3 * np.linalg.norm(f.problem.jac(x)), rel=1e-12)
    assert f.jac(x) == pytest.approx(f.jac(x), rel=0)  # the same at the same point


# ---- the laws are not vacuous ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.tight])
def test_bounds_that_are_attained_are_reached(name):
    law = LAWS[name]
    (method,) = law.methods
    runs = Steps(gd) if name == "gd-noisy" else Engine(method)
    for case in law.extremal():
        verdict = law(runs, case)
        assert verdict.answer is Answer.HOLDS, verdict
        assert verdict.reached >= 0.99, case


def test_the_heavy_ball_of_polyak_fails_where_it_is_known_to():
    law = LAWS["momentum-polyak-everywhere"]
    assert law.false
    assert law not in laws_of("momentum")
    (case,) = law.extremal()
    verdict = law(Engine("momentum"), case)
    assert (verdict.answer, verdict.reason) == (Answer.FAILS, Reason.ABOVE)
    # Lessard, Recht and Packard 2016, section 4.6: the cycle it ends in.
    trace = Engine("momentum").run(case.problem, case.start, 300, case.settings)
    cycle = [-1.802449, 2.115918, 0.646531]
    at = int(np.argmin(np.abs(trace.points[-3:, 0] - cycle[0])))
    assert np.roll(trace.points[-3:, 0], -at) == pytest.approx(cycle, abs=1e-6)
    assert check(law, Engine("momentum"), examples=30).answer is Answer.FAILS
    assert LAWS["gd-distance"](Engine("gd"), Lessard()).answer is Answer.HOLDS


# Planted bugs: the recurrence, its settings, the method that it claims to be, and a law that must break.


def long_step(x, problem, t, memory, lr):
    return x - 2 * lr * problem.jac(x)


def uphill(x, problem, t, memory, lr):
    return x + lr * problem.jac(x)


def stale(x, problem, t, memory, lr):
    g, memory["g"] = memory.get("g", problem.jac(x)), problem.jac(x)
    return x - lr * g


def single(x, problem, t, memory, lr):
    return (x - lr * problem.jac(x)).astype(np.float32).astype(float)


def decayed(x, problem, t, memory, lr):
    return (1 - 0.01 * lr) * x - lr * problem.jac(x)


def wrong_momentum(x, problem, t, memory, lr, beta=0.9):
    memory["v"] = -beta * memory.get("v", 0) - lr * problem.jac(x)
    return x + memory["v"]


def momentum_without_past(x, problem, t, memory, lr, beta=0.9):
    v = beta * memory.get("v", 0) + problem.jac(x)
    memory["v"] = problem.jac(x)
    return x - lr * v


def lr_twice(x, problem, t, memory, lr, beta=0.9):
    memory["v"] = beta * memory.get("v", 0) - lr * problem.jac(x)
    return x + lr * memory["v"]


def sums_axes(x, problem, t, memory, lr):
    return x - lr * problem.jac(x).sum()


def in_place(x, problem, t, memory, lr):
    memory.setdefault("best", x)
    x -= lr * problem.jac(x)
    return x if t % 3 else memory["best"] * 1.5


BUGS = [
    (long_step, ("lr",), "gd-best-distance"),
    (uphill, ("lr",), "gd-gap"),
    (stale, ("lr",), "gd-distance"),
    (single, ("lr",), "gd-best-gap"),
    (decayed, ("lr",), "shift"),
    (wrong_momentum, ("lr", "beta"), "theory-rate"),
    (momentum_without_past, ("lr", "beta"), "theory-rate"),
    (lr_twice, ("lr", "beta"), "theory-rate"),
    (sums_axes, ("lr",), "descent-lemma"),
    (in_place, ("lr",), "gd-nearer"),
]


def readable(case):
    """At most two parameters, and whole numbers of at most two digits in formula and start."""
    numbers = [float(v) for v in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?", repr(case.problem))]
    return case.problem.n <= 2 and all(v == int(v) and abs(v) < 100 for v in [*numbers, *case.start])


def test_planted_bugs_break_laws_and_shrink_to_what_a_person_can_read():
    found = {}
    for bug, settable, name in BUGS:
        runs = Steps(bug, settable, method="momentum" if "beta" in settable else None)
        verdict = check(find_law(name), runs, examples=300)
        assert verdict.answer is Answer.FAILS, (bug.__name__, name)
        again = find_law(name)(runs, verdict.case)
        assert again.answer is Answer.FAILS, bug.__name__  # what is reported can be run again
        found[bug.__name__] = verdict.case
    clear = [name for name, case in found.items() if readable(case)]
    assert len(clear) >= 0.8 * len(found), found


def test_correct_recurrences_are_not_accused():
    def heavy(x, problem, t, memory, lr=0.1, beta=0.9):
        memory["v"] = beta * memory.get("v", 0) - lr * problem.jac(x)
        return x + memory["v"]

    for runs in (Steps(gd, method="gd"), Steps(heavy, ("lr", "beta"), method="momentum")):
        for law in laws_of(runs.method):
            verdict = check(law, runs, examples=10)
            assert verdict.answer is not Answer.FAILS, verdict


def test_a_law_of_single_precision_is_that_of_its_rounding():
    assert check(LAWS["gd-best-gap"], Steps(single), examples=200).answer is Answer.FAILS
    assert check(LAWS["gd-best-gap"], Steps(single, rounding=2.0**-24), examples=200).answer is not Answer.FAILS


def test_a_gradient_that_is_off_is_found_out():
    runs = Steps(gd)
    assert check(LAWS["gradient"], runs, examples=5).detail == "it has no gradient of its own"
    runs.gradient = lambda problem, x: problem.jac(x) * (1 + 1e-4)
    assert check(LAWS["gradient"], runs, examples=10).answer is Answer.FAILS
    runs.gradient = lambda problem, x: problem.jac(x)
    assert check(LAWS["gradient"], runs, examples=10).answer is Answer.HOLDS
    assert check(LAWS["gradient"], Engine("gd"), examples=10).answer is Answer.HOLDS


# ---- verdicts -----------------------------------------------------------------------------------------------------


def test_verdicts_say_why_nothing_can_be_said():
    law = LAWS["momentum-strong"]
    verdict = law(Steps(gd), quadratic([2, 1]))
    assert (verdict.answer, verdict.reason, verdict.detail) == ("undecided", "unable", "it has no setting beta")
    verdict = LAWS["gd-silver"](Steps(gd), quadratic([2, 1]))
    assert (verdict.reason, verdict.detail) == ("unable", "its settings cannot follow formulas of t")
    assert LAWS["gd-quadratic"](Steps(gd), Lessard()).reason == "not_assumed"
    far = Case(quadratic([2, 1], [1e12, 0]), np.array([1e12 + 1e-3, 0.0]), 5, {"lr": 0.5})
    assert LAWS["gd-distance"](Steps(gd), far).reason == "rounding"


def test_numbers_that_are_lost_are_a_failure():
    def lost(x, problem, t, memory, lr):
        return x if t < 3 else x * np.nan

    verdict = LAWS["gd-convex"](Steps(lost), quadratic([2, 1]))
    assert (verdict.answer, verdict.reason, verdict.step) == ("fails", "not_finite", 3)


def test_a_case_is_code_to_paste():
    case = LAWS["gd-convex"].case(quadratic([2, 1]), [1, 3], 5, 0.5)
    assert repr(case) == "Case(Objective('x1**2 + x2**2/2'), start=[1, 3], steps=5, lr=0.25)"
    assert case.spelt()["start"] == "[1, 3]"
    assert case.radius2 == pytest.approx(10, rel=1e-15)


def test_a_search_is_the_same_for_the_same_seed():
    def slow(x, problem, t, memory, lr):
        return x - 0.9 * lr * problem.jac(x)

    one, two = (check(LAWS["gd-best-gap"], Steps(slow), examples=100, seed=3) for _ in range(2))
    assert repr(one.case) == repr(two.case)
    assert (one.answer, one.found) == (two.answer, two.found)


def test_laws_have_names_sources_and_assumptions():
    for name, law in LAWS.items():
        assert name == law.name
        assert law.claim
        assert law.assumes
        assert law.source
        assert law.methods <= {*OWN}
    with pytest.raises(UnknownNameError, match="the table of laws has no 'gd-convx'; did you mean 'gd-convex'"):
        find_law("gd-convx")
    with pytest.raises(UsageError, match="case=3 must be a Case"):
        LAWS["gd-convex"](Steps(gd), 3)
    with pytest.raises(UsageError, match="examples=0 must be a whole number"):
        check(LAWS["gd-convex"], Steps(gd), examples=0)


def test_the_rule_of_an_optimizer_is_what_it_says_it_is():
    runs = Steps(gd, method="momentum")
    runs.known = {"beta": 0.5, "eps": 1e-8}
    assert rule_of(runs).hyper["beta"] == 0.5
    assert rule_of(Steps(gd)) is None
    assert rule_of(Steps(gd, method="bfgs")) is None


def test_a_method_that_is_not_what_its_theory_says_is_found_out():
    def slow(x, problem, t, memory, lr):
        return x - 0.8 * lr * problem.jac(x)

    for name in ("theory-rate", "theory-limit"):
        assert check(LAWS[name], Steps(slow, method="gd"), examples=20).answer is Answer.FAILS
        assert check(LAWS[name], Steps(gd, method="gd"), examples=20).answer is Answer.HOLDS
