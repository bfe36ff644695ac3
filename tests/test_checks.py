"""Options and values that are numbers: what is taken, and what is refused by name."""

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symgd as sg
from symgd import checks

F = sg.Objective("(x - 3)**2", tier="python")
HUGE = 10**30
WHOLE = (np.int8, np.int64, np.uint16, np.float32, np.float64, np.array, int, float)
NO_WHOLE = (math.nan, math.inf, -1, -HUGE, HUGE, 1e30, 2.5, True, np.bool_(True), "5", b"5", 5j, [5], (), object(),
            np.array([5]), np.timedelta64(5, "s"), dt.timedelta(5), np.datetime64("2020-01-01"),
            np.ma.masked)  # fmt: skip


@given(st.integers(1, 127), st.sampled_from(WHOLE))
def test_whole_numbers_of_any_kind(number, kind):
    found = checks.whole("steps", kind(number), 1)
    assert (found, type(found)) == (number, int)


@given(st.floats(0, 1e6, width=32), st.sampled_from((np.float32, np.float64, np.array, float)))
def test_numbers_of_any_kind(number, kind):
    found = checks.number("gtol", kind(number), "at least 0", low=0)
    assert (found, type(found)) == (number, float)


@pytest.mark.parametrize("value", NO_WHOLE)
@pytest.mark.parametrize("name", ["steps", "seed", "every", "batch", "epochs"])
def test_options_that_are_no_whole_numbers(name, value):
    with pytest.raises(sg.UsageError, match=rf"^{name}=.* must be a whole number of at least [01]$"):
        F.minimize(1, lr=0.1, **{name: value})


@pytest.mark.parametrize("value", NO_WHOLE)
def test_workers_and_the_steps_of_a_resumed_run(value):
    with pytest.raises(sg.UsageError, match=r"^workers=.* must be a whole number of 1 to 1,024$"):
        sg.Objective("x", workers=value)
    with pytest.raises(sg.UsageError, match=r"^steps=.* must be a whole number of at least 1$"):
        F.resume(F.minimize(1, lr=0.1, steps=2), steps=value)


@pytest.mark.parametrize("value", [math.nan, -1, -math.inf, HUGE, True, "a", 1j, [1], np.timedelta64(1, "s")])
def test_seconds(value):
    run = F.minimize(1, lr=0.1, steps=2)
    for call in (lambda: F.minimize(1, lr=0.1, seconds=value), lambda: F.resume(run, steps=5, seconds=value)):
        with pytest.raises(sg.UsageError, match=r"^seconds=.* must be a number of seconds, at least 0$"):
            call()
    assert F.minimize(1, lr=0.1, steps=2, seconds=math.inf).steps == 2
    assert F.resume(run, steps=np.int64(5), seconds=np.float32(60)).steps == 5


@pytest.mark.parametrize("name", ["lr", "gtol", "ftol", "xtol", "beta"])
@pytest.mark.parametrize("value", [math.nan, math.inf, True, 1j, [1], np.array([0.1]), {}, np.timedelta64(1)])
def test_other_options_that_are_no_numbers(name, value):
    with pytest.raises(sg.UsageError, match=rf"^{name}=.* must be "):
        F.minimize(1, **{"lr": 0.1, "method": "momentum", "steps": 3, name: value})


def test_numpy_numbers_are_taken_wherever_pythons_are():
    options = {"lr": 0.25, "method": "momentum", "beta": 0.5, "steps": 6, "seed": 3, "gtol": 0.0, "every": 2}
    wanted = F.minimize(1, **options, seconds=60)
    for kind in (np.array, lambda v: np.float32(v) if isinstance(v, float) else np.int32(v)):
        given_ = {name: v if isinstance(v, str) else kind(v) for name, v in options.items()}
        run = F.minimize(kind(1), **given_, seconds=kind(60))
        assert run.x.tobytes() == wanted.x.tobytes()
        assert run.to_dict()["lr"] == 0.25
    rule = sg.Rule("v = beta*v - lr*g; x = x + v", beta=np.float32(0.5), default_lr=np.array(0.25))
    assert (rule.hyper, rule.lr) == ({"beta": 0.5}, 0.25)
    assert sg.schedule("inverse", np.float64(0.5), decay=np.int64(1)) == "0.5/(1 + 1*(t - 1))"
    many = F.minimize_many(box={"x": (np.float32(0), np.int64(5))}, n=np.int64(8), seed=np.int8(1))
    assert len(many) == 8


# ---- points --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [5, 5.0, np.float32(5), np.int64(5), np.array(5), [5], (5,), {"x": 5}, Fraction(5),
                                   Decimal(5)])  # fmt: skip
def test_one_parameter_takes_a_bare_number(start):
    if isinstance(start, Decimal):
        start = [start]
    assert F.value(start) == 4.0
    assert F.minimize(start, lr=0.1, steps=1).x == pytest.approx([4.6])


def test_a_bare_number_is_no_point_of_two_parameters():
    with pytest.raises(sg.UsageError, match="a point must be a mapping or a sequence; got 5"):
        sg.Objective("x + y").value(5)
    for value, told in (({5}, "a set, which has no order"), (b"5", "got b"), (True, "got True"), (math.nan, "got nan")):
        with pytest.raises(sg.UsageError, match=f"a point must be a mapping or a sequence.*{told}"):
            F.value(value)


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_what_is_not_finite_goes_through_the_flat_functions(tier):
    f = sg.Objective("x**2 + exp(y)", tier=tier)
    assert math.isnan(f.fun([math.nan, 1]))
    assert np.isnan(f.jac([math.nan, 1])).tolist() == [True, False]
    assert f.fun(np.float32([2, 0])) == 5.0
    assert f.fun([math.inf, 1]) == math.inf
    for bad in (
        ["a", 1],
        [1j, 1],
        [None, {}],
        [np.datetime64("2020"), 1],
        np.ma.array([1.0, 2.0], mask=[0, 1]),
        {1, 2},
    ):
        with pytest.raises(sg.UsageError, match="a vector must hold real numbers"):
            f.fun(bad)


# ---- data ----------------------------------------------------------------------------------------------------------


DATES = pd.Series(pd.to_datetime(["2020", "2021"]))
REFUSED = [
    ({1, 2}, "a set, which has no order"), (frozenset([1]), "a set"), (b"ab", "bytes"), (bytearray(b"ab"), "bytes"),
    (memoryview(b"ab"), "bytes"), ([b"a", 1], "bytes"), (np.array([b"a"]), "bytes"), (["a"], "text"), ([["a"]], "text"),
    (dt.date(2020, 1, 1), "a date"), ([dt.date(2020, 1, 1)], "a date"), (np.array(["2020"], "M8[D]"), "a date"),
    ([np.datetime64("2020"), 1], "a date"), (DATES, "a date"), (DATES.dt.tz_localize("UTC"), "a date"),
    (pd.Timestamp("2020"), "a date"), ([pd.NaT, 1], "a date"), (pd.Series([dt.date(2020, 1, 1)]), "a date"),
    (np.timedelta64(1, "s"), "a span of time"), ([dt.timedelta(1)], "a span of time"),
    (np.ma.masked, "a masked value"), ([1, np.ma.masked], "a masked value"), ([[1.0, np.ma.masked]], "a masked value"),
    (np.ma.array([1, 2], mask=[False, True]), "a masked value"), ([np.ma.array([1, 2], mask=[0, 1])], "a masked value"),
    (1j, "a complex value"), (pd.period_range("2020", periods=2), "Period"),
    (pd.Series(["a"], dtype="category"), "text"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "reason"), REFUSED)
def test_what_is_no_number_is_refused_by_name(values, reason):
    with pytest.raises(sg.DataError, match=f"^'x' must hold numbers.*{reason}"):
        sg.Objective("sum(x)*w", {"x": values})
    with pytest.raises(sg.SymgdError, match="must be"):
        sg.Objective("sum(x)").value({"x": values})


def test_what_is_missing_is_nan_and_objects_are_numbers():
    marked = [1, pd.NA], np.array([1, pd.NA], object), pd.array([1, None], dtype="Int64")
    for values in ([1, None], pd.Series([1, None], dtype="Int64"), pd.Series([True, None], dtype="boolean"), *marked):
        assert math.isnan(sg.Objective("sum(x)*w", {"x": values}).value(w=1))
    for values in (np.array([1, 2.5], object), [Fraction(1), Decimal("2.5")], pd.Series([1, 2.5], dtype="category")):
        assert sg.Objective("sum(x)*w", {"x": values}).value(w=1) == 3.5


# ---- names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["alpa", "", 5, None, [1], ("alpha", "zz"), np.zeros(2), np.timedelta64(0, "s")])
def test_what_there_is_is_told(key):
    f = sg.Objective("alpha**2 + b")
    history = F.minimize(1, lr=0.1, steps=2).history
    for what, table, names in (("gradient", f.gradient, "alpha, b"), ("Hessian", f.hessian, "alpha, b"),
                               ("history", history, "step, value, gradient_norm, x")):  # fmt: skip
        with pytest.raises(KeyError, match=f"the {what}.* has no .*: {names}") as problem:
            table[key]
        assert isinstance(problem.value, sg.SymgdError)
    with pytest.raises(KeyError, match=r"did you mean 'alpha'\?"):
        f.gradient["alpa"]
