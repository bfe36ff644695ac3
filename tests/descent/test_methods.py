"""Every method: where it goes, what it counts, how it is taken up again, and how it is asked for."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.descent.methods import METHODS, At, Function
from symgd.descent.methods.lines import armijo, wolfe
from symgd.descent.methods.trust import within

TIERS = pytest.mark.parametrize("tier", ["python", "numba"])
EVERY = pytest.mark.parametrize("method", list(METHODS))
QUICK = [m for m in METHODS if m not in ("armijo", "polyak", "wolfe", "bb", "sampling")]  # the last is for kinks

# Moré, Garbow and Hillstrom 1981, Testing unconstrained optimization software, and their minima.
ROSENBROCK = "100*(y - x**2)**2 + (1 - x)**2"
PROBLEMS = {
    "rosenbrock": (ROSENBROCK, {"x": -1.2, "y": 1.0}, 0.0),
    "freudenstein_roth": (
        "(-13 + x + ((5 - y)*y - 2)*y)**2 + (-29 + x + ((y + 1)*y - 14)*y)**2", {"x": 0.5, "y": -2.0}, 48.98425368,
    ),
    "beale": ("(1.5 - x*(1 - y))**2 + (2.25 - x*(1 - y**2))**2 + (2.625 - x*(1 - y**3))**2", {"x": 1.0, "y": 1.0}, 0.0),
    "brown_badly_scaled": ("(x - 1e6)**2 + (y - 2e-6)**2 + (x*y - 2)**2", {"x": 1.0, "y": 1.0}, 0.0),
    "jennrich_sampson": (
        " + ".join(f"({2 + 2 * i} - (exp({i}*x) + exp({i}*y)))**2" for i in range(1, 11)), {"x": 0.3, "y": 0.4},
        124.36218236,
    ),
    "wood": (
        "100*(x**2 - y)**2 + (x - 1)**2 + 90*(z**2 - w)**2 + (1 - z)**2 + 10*(y + w - 2)**2 + (y - w)**2/10",
        {"x": -3.0, "y": -1.0, "z": -3.0, "w": -1.0}, 0.0,
    ),
    "brown_dennis": (
        " + ".join(f"((x + {i}/5*y - exp({i}/5))**2 + (z + w*sin({i}/5) - cos({i}/5))**2)**2" for i in range(1, 21)),
        {"x": 25.0, "y": 5.0, "z": -5.0, "w": -1.0}, 85822.20163,
    ),
}  # fmt: skip


@pytest.mark.parametrize("problem", list(PROBLEMS))
@pytest.mark.parametrize("method", ["auto", *QUICK])
def test_hard_problems_are_solved(problem, method):
    text, start, lowest = PROBLEMS[problem]
    f = sg.Objective(text, tier="python")
    if method == "lm" and f.kernel().squares() is None:
        pytest.skip("no sum of squares")
    run = f.minimize(start, method=method, steps=5000)
    assert run.ok, run
    assert run.value == pytest.approx(lowest, rel=1e-8, abs=1e-12)


@TIERS
@EVERY
def test_a_convex_valley(method, tier):
    f = sg.Objective("(x - 1)**2 + 4*(x + y)**2 + (x - 1)**4", tier=tier)
    run = f.minimize({"x": 3.0, "y": 2.0}, method=method)
    assert run.ok, run
    assert run.method == method
    assert run.point == pytest.approx({"x": 1.0, "y": -1.0}, abs=1e-6)


@TIERS
@EVERY
def test_parameters_that_are_arrays(method, tier):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((40, 3)), np.array([1.0, -2.0, 0.5])
    f = sg.Objective("mean((y - X @ w)**2)", data={"X": x, "y": x @ w}, tier=tier)
    run = f.minimize({"w": np.zeros(3)}, method=method)
    assert run.ok
    assert run.point["w"] == pytest.approx(w, abs=1e-6)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("polyak", "lm")])
def test_maximizing(method):
    run = sg.Objective("3 - (x - 2)**2 - (y + 1)**4 - y", tier="python").maximize({"x": 0.0, "y": 1.0}, method=method)
    assert run.ok
    assert run.point["x"] == pytest.approx(2.0, abs=1e-6)


def test_polyak_needs_to_know_the_smallest_value():
    f = sg.Objective("x**2 + 2*y**2 + 3", tier="python")
    assert f.minimize({"x": 1, "y": 1}, method="polyak", minimum=3).ok
    assert sg.Objective("3 - x**2", tier="python").maximize({"x": 1}, method="polyak", minimum=3).ok


@EVERY
def test_a_run_that_is_taken_up_again_is_the_same_bit_for_bit(method, tmp_path):
    f = sg.Objective("mean((y - b1*(1 - exp(-b2*x)))**2)", data={"x": [1.0, 2, 3, 5], "y": [0.3, 0.5, 0.6, 0.9]})
    start = {"b1": 2.0, "b2": 1.0}
    whole = f.minimize(start, method=method, steps=9, gtol=1e-300)
    first = f.minimize(start, method=method, steps=4, gtol=1e-300)
    again = f.resume(first.save(tmp_path / "run.npz"), steps=9)
    assert again.steps == whole.steps
    assert again.point == whole.point
    assert again.evaluations == whole.evaluations
    assert np.array_equal(again.history.value, whole.history.value)


@EVERY
def test_evaluations_are_counted_where_they_happen(method, monkeypatch):
    f = sg.Objective(ROSENBROCK, tier="python")
    kernel = f.kernel()
    count = 0
    slope = kernel.slope

    def counted(*args):
        nonlocal count
        count += 1
        return slope(*args)

    monkeypatch.setattr(kernel, "slope", counted)
    run = f.minimize({"x": -1.2, "y": 1.0}, method=method, steps=3, gtol=0)
    # Levenberg and Marquardt's method also evaluates residuals alone.
    assert run.evaluations >= count if method == "lm" else run.evaluations == count


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("polyak", "bb")])
def test_values_never_rise(method):
    run = sg.Objective(ROSENBROCK, tier="python").minimize({"x": -1.2, "y": 1.0}, method=method, steps=60)
    assert (np.diff(run.history.value) <= 0).all()


# ---- saddles -------------------------------------------------------------------------------------------------------


def saddle_of_20_parameters():
    rng = np.random.default_rng(7)
    q, _ = np.linalg.qr(rng.standard_normal((20, 20)))
    values = np.where(np.arange(20) < 3, -1.0, 1.0) * rng.uniform(0.5, 5.0, 20)
    return (q * values) @ q.T


SADDLES = {
    "plain": ("x**2 - y**2 + y**4", {"x": 0.0, "y": 0.0}, {}),
    "monkey": ("x**3 - 3*x*y**2 + (x**2 + y**2)**2", {"x": 0.0, "y": 0.0}, {}),
    "20": ("x @ A @ x/2 + sum(x**4)", {"x": np.zeros(20)}, {"A": saddle_of_20_parameters()}),
}


@pytest.mark.parametrize("name", list(SADDLES))
@pytest.mark.parametrize("method", ["newton", "newton_cg", "auto"])
def test_methods_that_see_curvature_leave_saddles(name, method):
    text, start, data = SADDLES[name]
    f = sg.Objective(text, data=data or None, tier="python")
    at = f.value(start)
    run = f.minimize(start, method=method)
    assert run.ok, run
    assert run.value < at - 1e-3


@pytest.mark.parametrize("name", list(SADDLES))
def test_gradient_descent_stays_there_and_says_so(name):
    text, start, data = SADDLES[name]
    run = sg.Objective(text, data=data or None, tier="python").minimize(start, lr=0.01)
    assert not run.ok
    assert run.kind == ("degenerate" if name == "monkey" else "saddle")
    assert [finding.code for finding in run.diagnosis] == ["saddle"]
    assert run.diagnosis[0].evidence["direction"]


# ---- the parts -----------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(1, 8), seed=st.integers(0, 2**32 - 1), radius=st.floats(1e-3, 1e3), hard=st.booleans(),
    shift=st.floats(-3, 1),
)  # fmt: skip
def test_the_trust_region_is_solved_to_optimality(n, seed, radius, hard, shift):
    rng = np.random.default_rng(seed)
    values = np.sort(rng.standard_normal(n) + shift)
    slope = rng.standard_normal(n)
    if hard:  # no slope along the lowest curvature
        slope[0] = 0.0
    step = within(values, slope, radius)
    length = np.linalg.norm(step)
    assert length <= radius * (1 + 1e-9)
    # Moré and Sorensen 1983, lemma 2.1: (H + shift) s = -g with shift >= 0, H + shift positive, shift*(r - |s|) = 0.

    def residual(mu):
        return np.linalg.norm((values + mu) * step + slope)

    size = 1 + np.linalg.norm(slope)
    if length < radius * (1 - 1e-6):
        assert values[0] >= -1e-9
        assert residual(0.0) <= 1e-8 * size
    else:
        mu = -float(step @ (values * step + slope)) / float(step @ step)
        assert mu >= -1e-7
        assert values[0] + mu >= -1e-7 * size
        assert residual(mu) <= 1e-6 * size


@settings(max_examples=80, deadline=None)
@given(
    a=st.floats(-2, 2), b=st.floats(-2, 2), x=st.floats(-2, 2), y=st.floats(-2, 2), first=st.floats(1e-6, 1e4),
    c2=st.sampled_from([0.1, 0.9]),
)  # fmt: skip
def test_the_strong_wolfe_conditions_hold(a, b, x, y, first, c2):
    f = sg.Objective("log(cosh(x - 1)) + (y - x**2)**2 + x**4/10", tier="python")
    function = Function(f.kernel())
    at = function.at(np.array([x, y]))
    d = -at.g + 0.3 * np.array([a, b]) * np.linalg.norm(at.g)
    slope = float(at.g @ d)
    assume(slope < -1e-6 * np.linalg.norm(at.g) * np.linalg.norm(d))
    assume(abs(slope) > 1e-6)
    found = wolfe(function, at, d, first, 1e-4, c2)
    assert found is not None
    assert found.at.f <= at.f + 1e-4 * found.length * slope
    assert abs(float(found.at.g @ d)) <= c2 * abs(slope)


def test_backtracking_ends_at_the_first_length_that_lowers_the_value_enough():
    f = sg.Objective("x**4", tier="python")
    function = Function(f.kernel())
    at = function.at(np.array([1.0]))
    found = armijo(function, at, -at.g, 1.0, c1=0.1)
    length = 1.0
    while (1 - 4 * length) ** 4 > 1 - 0.1 * length * 16:
        length /= 2
    assert found.length == length
    assert armijo(function, at, at.g, 1.0) is None  # uphill


@settings(max_examples=40, deadline=None)
@given(mu=st.floats(0.01, 1.0), ratio=st.floats(1.0, 1000.0))
def test_exact_steps_meet_their_worst_case_rate(mu, ratio):
    # de Klerk, Glineur and Taylor 2017, theorem 1.2: attained from (1/mu, 1/L).
    L = mu * ratio
    f = sg.Objective("(m*x**2 + L*y**2)/2", data={"m": mu, "L": L}, tier="python")
    run = f.minimize({"x": 1 / mu, "y": 1 / L}, method="exact", steps=8, gtol=1e-300)
    values = run.history.value
    bound = ((L - mu) / (L + mu)) ** 2
    usable = values[:-1] > 1e-20 * values[0]
    assert values[1:][usable] / values[:-1][usable] == pytest.approx(bound, rel=1e-6, abs=1e-12)


def test_newtons_steps_end_quadratically():
    run = sg.Objective("exp(x) - 2*x + y**2", tier="python").minimize({"x": 1.5, "y": 1}, method="newton")
    error = np.abs(run.history["x"] - np.log(2))
    late = (error > 1e-7) & (error < 0.3)
    after = error[1:][late[:-1]]
    assert (after <= 2 * error[:-1][late[:-1]] ** 2).all()


def test_memory_of_lbfgs():
    f = sg.Objective("sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)", params={"x": 50}, tier="python")
    start = {"x": np.tile([-1.2, 1.0], 25)}
    few, many = (f.minimize(start, method="lbfgs", memory=m) for m in (2, 30))
    assert few.ok
    assert many.ok
    assert many.state["state0"].shape == (30, 50)


# ---- how they are asked for ----------------------------------------------------------------------------------------


def test_the_best_method_is_chosen():
    x = np.linspace(0, 1, 9)
    cases = [
        ("exp(x) - x", None, {"x": 1.0}, "newton"), ("mean((y - exp(w*x))**2)", {"x": x, "y": x}, {"w": 0.0}, "lm"),
        ("abs(x) + x**2", None, {"x": 1.0}, "bfgs"), ("sum(x**4)", None, {"x": np.ones(300)}, "lbfgs"),
    ]  # fmt: skip
    for text, data, start, wanted in cases:
        assert sg.Objective(text, data=data, tier="python").minimize(start).method == wanted
    f = sg.Objective("exp(x) - x", tier="python")
    assert f.minimize({"x": 1.0}, lr=0.1).method == "gd"
    assert f.minimize({"x": 1.0}, method="gd").method == "gd, exact steps"


def test_mistakes_are_told():
    f = sg.Objective("x**2 + 1/(1 + x**2)", tier="python")
    with pytest.raises(sg.UsageError, match=r"did you mean 'newton'"):
        f.minimize({"x": 1}, method="newtn")
    with pytest.raises(sg.UsageError, match=r"lr=0.1 is for update rules; newton finds its own step lengths"):
        f.minimize({"x": 1}, method="newton", lr=0.1)
    with pytest.raises(sg.UsageError, match=r"batch=2 is for update rules; lbfgs looks at all rows"):
        f.minimize({"x": 1}, method="lbfgs", batch=2)
    with pytest.raises(sg.UsageError, match=r"memory=0 must be a finite number from 1 to 1000"):
        f.minimize({"x": 1}, method="lbfgs", memory=0)
    with pytest.raises(sg.UsageError, match=r"there is no option 'memry'; did you mean 'memory'"):
        f.minimize({"x": 1}, method="lbfgs", memry=5)
    with pytest.raises(sg.UsageError, match="this formula is none: take method='newton'"):
        f.minimize({"x": 1}, method="lm")
    with pytest.raises(sg.UsageError, match=r"lr=1 is for method='gd'"):
        f.minimize({"x": 1}, method="exact", lr=1)


def test_every_method_says_what_it_is():
    for name, method in METHODS.items():
        assert method.name == name
        assert "(" in method.summary
        assert "References" in method.__doc__
        assert set(method.bounds) <= set(method.hyper)


def test_an_infinite_value_on_the_way_shortens_the_step():
    for method in METHODS:
        if method in ("polyak", "lm"):
            continue
        run = sg.Objective("x - log(x)", tier="python").minimize({"x": 0.01}, method=method)
        assert run.ok, run
        assert run.point["x"] == pytest.approx(1.0, abs=1e-6)


def test_kinks():
    run = sg.Objective("abs(x - 1) + 3*abs(y + x)", tier="python").minimize({"x": 4.0, "y": 3.0}, method="bfgs")
    assert run.value == pytest.approx(0.0, abs=1e-6)


def test_at():
    assert not At(np.zeros(1), np.nan, np.zeros(1)).finite
    assert not At(np.zeros(1), 0.0, np.array([np.inf])).finite


def test_the_time_limit_is_looked_at_between_slow_steps():
    f = sg.Objective("sum(log(cosh(x - 1))) + sum((x[1:] - x[:-1])**4)", params={"x": 200}, tier="python")
    run = f.minimize({"x": np.linspace(-30, 50, 200)}, method="newton", seconds=0.0)
    assert run.outcome == "time_limit"
    assert run.steps == 1  # what was done is kept


@pytest.mark.parametrize("z", [-5.0, -30.0, -80.0, -300.0])
def test_a_parameter_that_the_residuals_hardly_feel_holds_no_other_back(z):
    run = sg.Objective("(x - 1)**2 + (exp(z) - 1)**2", tier="python").minimize({"x": 5.0, "z": z}, method="lm")
    assert run.point["x"] == pytest.approx(1.0, abs=1e-6)
    assert run.evaluations < 60


def test_residuals_with_a_product_over_all_parameters():
    f = sg.Objective("sum((x[:-1] + sum(x) - 11)**2) + (prod(x) - 1)**2", params={"x": 10}, tier="python")
    x = np.linspace(0.4, 1.3, 10)
    r, jacobian = f.kernel().squares().jacobian(x)
    assert 2 * jacobian.T @ r == pytest.approx(f.kernel().slope(x)[1], rel=1e-12)
    run = f.minimize({"x": np.full(10, 0.5)}, method="lm")
    assert run.ok
    assert run.value == pytest.approx(0.0, abs=1e-20)
