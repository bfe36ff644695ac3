"""Stable forms around random patterns: never wrong, never fewer digits than the text, and none that nothing reaches."""

from fractions import Fraction

import numpy as np
import patterns
import pytest

from symgd import Objective
from symgd.graph import stable
from symgd.graph.stable import sums

NAMES = list(dict.fromkeys([*patterns.PATTERNS, *patterns.OVER_ROWS]))


def told(tally):
    return "\n".join(map(str, tally.wrong[:3]))


@pytest.mark.parametrize("name", NAMES)
def test_forms_around_a_pattern(name):
    tally = patterns.Tally()
    patterns.search(name, 100, 7, tally)
    assert not tally.wrong, told(tally)
    # So the search does meet the rewrite that it is for.
    assert tally.fired.get(name, 0) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_thousands_of_forms_around_a_pattern(name):
    tally = patterns.Tally()
    patterns.search(name, 3000, 11, tally, each=60)
    assert not tally.wrong, told(tally)


def test_every_rewrite_has_a_pattern():
    tables = {"logarithms", "pairs"}  # these hand on to tables of their own
    whole = {"log of det", "log of abs(det)"}  # of matrices, with whose tests they are
    assert set(stable.names()) - tables - whole == set(NAMES)


def test_the_search_finds_a_wrong_rewrite(monkeypatch):
    """A root less a number that is taken for the root's own square: right for no operand but 0 and 1."""

    def careless(graph, f, weight, other):
        if f.function != "sqrt" or weight != -1:
            return None
        return graph.divide(graph.subtract(f.args[0], other), graph.add(f, other))

    monkeypatch.setattr(sums, "PAIRS", (("sqrt(p) - v", careless),))
    tally = patterns.Tally()
    patterns.search("sqrt(p) - v", 300, 7, tally)
    assert {word for word, *_ in tally.wrong} >= {"fewer digits"}
    assert any("sqrt" in text for _, text, *_ in tally.wrong)


def test_the_search_finds_lost_digits(monkeypatch):
    """log(k/u) as a difference is right, and loses digits where k is 1e300."""
    from symgd.graph.stable import logarithms

    monkeypatch.setattr(logarithms, "_PLAIN", Fraction(10) ** 301)
    tally = patterns.Tally()
    for seed in range(5):
        patterns.search("log of k*f(u)", 300, seed, tally)
    assert any(word == "fewer digits" for word, *_ in tally.wrong)


# ---- what people wrote ---------------------------------------------------------------------------------------------

TIERS = pytest.mark.parametrize("tier", ["python", "numba"])


@TIERS
@pytest.mark.parametrize(
    ("text", "point", "value", "slopes"),
    [
        ("sqrt(x**2 + y) - y", {"x": 1, "y": 2}, 3**0.5 - 2, {"x": 1 / 3**0.5, "y": 0.5 / 3**0.5 - 1}),
        ("sqrt(x + c) - c", {"x": 4, "c": 3}, 7**0.5 - 3, {"x": 0.5 / 7**0.5, "c": 0.5 / 7**0.5 - 1}),
        ("hypot(x, y) - x**2", {"x": 3, "y": 4}, -4.0, {"x": 0.6 - 6, "y": 0.8}),
        ("sqrt(exp(x) + y) - exp(x)", {"x": 0, "y": 3}, 1.0, {"x": -0.75, "y": 0.25}),
        ("sqrt(x) - x", {"x": 4}, -2.0, {"x": -0.75}),
        ("hypot(x, y) - hypot(y, x)", {"x": 3, "y": 4}, 0.0, {"x": 0.0, "y": 0.0}),
        # By the quotient a root less a positive number keeps its digits; less a negative one, as it stands.
        ("sqrt(b**2 - 4*c) - b", {"b": 1e8, "c": 1}, -2.0000000000000002e-8, {"c": -2.0000000000000004e-8}),
        ("sqrt(b**2 - 4*c) - b", {"b": -1e8, "c": 1}, 199999999.99999998, {"c": -2.0000000000000004e-8}),
        ("sqrt(x + y) - sqrt(x)", {"x": 1e12, "y": 1}, 4.9999999999987503e-7, {"y": 4.9999999999975e-7}),
        ("sqrt(x + 4) - 2", {"x": 1e-12}, 2.4999999999998438e-13, {"x": 0.24999999999996875}),
        ("2**n - 1", {"n": 10}, 1023.0, {}),
        ("log(1 - x + y)", {"x": 1, "y": 1e-20}, np.log(1e-20), {"y": 1e20, "x": -1e20}),
        ("1/(a + exp(-x))", {"a": 2, "x": -800}, 0.0, {"x": 0.0, "a": 0.0}),
        ("exp(z)/(a + b*exp(z))", {"a": 1, "b": 2, "z": 800}, 0.5, {"z": 0.0, "a": 0.0, "b": -0.25}),
        ("exp(z)/(a + b*exp(z))", {"a": 1, "b": 2, "z": -800}, 0.0, {"z": 0.0, "a": 0.0, "b": 0.0}),
        ("exp(z)/(a + b*exp(z))", {"a": 3, "b": 2, "z": 40}, 0.5, {"z": 3 / 4 * np.exp(-40.0)}),
        ("K/(1 + A*exp(-r*t))", {"K": 2, "A": 3, "r": 1, "t": -900}, 0.0, {"K": 0.0, "A": 0.0, "r": 0.0, "t": 0.0}),
        ("K/(1 + A*exp(-r*t))", {"K": 2, "A": 3, "r": 1, "t": 900}, 2.0, {"K": 1.0, "A": 0.0, "r": 0.0, "t": 0.0}),
        ("log(a + b*exp(z))", {"a": 3, "b": 1e-300, "z": 700}, np.log(3.0 + 1e-300 * np.exp(700.0)), {}),
    ],
)
def test_what_people_write(text, point, value, slopes, tier):
    f = Objective(text, params=tuple(point), tier=tier)
    point = {name: float(x) for name, x in point.items()}
    assert f.value(point) == pytest.approx(value, rel=4e-15, abs=1e-300)
    found = f.gradient_at(point)
    for name, slope in slopes.items():
        assert found[name] == pytest.approx(slope, rel=4e-15, abs=1e-300), name
    assert not np.isnan(f.hessian_at(point)).any()


@TIERS
@pytest.mark.parametrize(
    "text",
    ["log(sum(k*exp(z)))", "log(k @ exp(z))", "log(sum(where(k > 0, k*exp(z), 0)))", "log(2*mean(k*exp(z))*3/2)"],
)
def test_weights_that_are_0(text, tier):
    f = Objective(text, data={"k": [0.0, 1, 1]}, tier=tier)
    point = {"z": [700.0, -50, -49]}
    assert f.value(point) == pytest.approx(np.logaddexp(-50, -49), rel=1e-15)
    share = 1 / (1 + np.exp(1))
    assert f.gradient_at(point)["z"] == pytest.approx([0, share, 1 - share], rel=1e-14)
    wanted = share * (1 - share) * np.array([[0, 0, 0], [0, 1, -1], [0, -1, 1.0]])
    assert f.hessian_at(point) == pytest.approx(wanted, rel=1e-13, abs=1e-16)


@TIERS
@pytest.mark.parametrize(
    "text",
    ["-sum(d*(X @ w - log(R @ exp(X @ w))))", "-sum(d*(X @ w - log(sum(where(R > 0, exp(X @ w), 0), axis=1))))"],
)
def test_partial_likelihood_of_cox_with_one_that_towers_over_its_risk_sets(text, tier):
    """Of (800, 1, 0.5) the largest dies first, and is in no other risk set."""
    risk = np.triu(np.ones((3, 3)))
    data = {"X": np.array([[800.0], [1.0], [0.5]]), "R": risk, "d": np.array([1.0, 1.0, 1.0])}
    f = Objective(text, data=data, tier=tier)
    assert f.value(w=[1.0]) == pytest.approx(np.log1p(np.exp(-0.5)), rel=1e-14)
    assert f.gradient_at(w=[1.0])["w"] == pytest.approx([-0.5 / (1 + np.exp(0.5))], rel=1e-13)


@TIERS
@pytest.mark.parametrize("size", [1e10, 1e15, -1e15, 3e300])
def test_softmax_and_its_kin_of_large_numbers(size, tier):
    pair = [size, size]
    assert Objective("softmax(x)[0]", tier=tier).value(x=pair) == 0.5
    assert Objective("logsoftmax(x)[0]", tier=tier).value(x=pair) == -np.log(2)
    assert Objective("exp(x)[0]/sum(exp(x))", tier=tier).value(x=pair) == pytest.approx(0.5, rel=1e-15)
    for text in ("logsumexp(x)", "log(sum(exp(x)))"):
        f = Objective(text, tier=tier)
        assert f.value(x=pair) == size + np.log(2)
        assert f.gradient_at(x=pair)["x"].tolist() == pytest.approx([0.5, 0.5], rel=1e-15)
    hessian = Objective("logsumexp(x)", tier=tier).hessian_at(x=pair)
    assert hessian == pytest.approx(np.array([[0.25, -0.25], [-0.25, 0.25]]), rel=1e-15)


@TIERS
def test_logsumexp_over_two_axes_of_large_numbers(tier):
    X = np.array([[1e10, 1e10 - 1], [1e10 - 2, -1e10]])
    f = Objective("logsumexp(w*X)", data={"X": X}, tier=tier)
    weights = np.exp(X - X.max())
    assert f.value(w=1.0) == 1e10 + np.log(weights.sum())
    assert f.gradient_at(w=1.0)["w"] == pytest.approx((X * weights).sum() / weights.sum(), rel=1e-15)


@TIERS
def test_infinities_in_logsumexp(tier):
    several = Objective("logsumexp(1/(w*u))", data={"u": np.array([0.0, 0.0, 1.0])}, tier=tier)
    assert several.value(w=1.0) == np.inf
    none = Objective("logsumexp(-1/(w*u))", data={"u": np.zeros(3)}, tier=tier)
    assert none.value(w=1.0) == -np.inf
    assert Objective("logaddexp(1/x, 1/x)", tier=tier).value(x=0.0) == np.inf
    assert Objective("logaddexp(-1/x**2, -1/x**2)", tier=tier).value(x=0.0) == -np.inf
    inner = Objective("sum(logsumexp(1/(w*U), axis=1))", data={"U": np.array([[0.0, 0.0], [1.0, 1.0]])}, tier=tier)
    assert inner.value(w=1.0) == np.inf


@TIERS
def test_a_weight_that_is_0_and_a_parameter(tier):
    f = Objective("log(a + b*exp(z))", tier=tier)
    point = {"a": 3.0, "b": 0.0, "z": 1000.0}
    assert f.value(point) == np.log(3.0)
    assert f.gradient_at(point) == {"a": 1 / 3, "b": np.inf, "z": 0.0}


@TIERS
def test_a_sum_over_rows_in_a_ratio_keeps_its_own_rows(tier):
    x = np.array([1.0, 2.0, 3.0])
    f = Objective("mean(sum(x*exp(w*x))/exp(w*x))", data={"x": x}, tier=tier)
    assert f.value(w=0.3) == pytest.approx(np.mean(np.sum(x * np.exp(0.3 * x)) / np.exp(0.3 * x)), rel=1e-14)


@TIERS
def test_a_run_starts_where_a_growth_curve_is_flat(tier):
    data = {"t": np.array([0.0, 300, 600, 900]), "y": np.array([0.0, 0, 0, 2])}
    f = Objective("mean((y - K/(1 + A*exp(-r*(t - 800))))**2)", data=data, tier=tier)
    run = f.minimize({"K": 1.0, "A": 1.0, "r": 1.0})
    assert run.outcome != "left_domain"
    assert run.value < 1e-20


def test_views_show_what_was_written_and_no_shift():
    f = Objective("K/(1 + A*exp(-r*t))")
    assert str(f.sympy) == "K/(A*exp(-r*t) + 1)"
    assert str(f.gradient["A"]) == "-K*exp(-r*t)/(A*exp(-r*t) + 1)**2"
    assert "softmax(z)" in f"{Objective('logsumexp(z)', params={'z': (3,)}).gradient}"
    text = Objective("log(sum(k*exp(z)))", data={"k": [0.0, 1, 1]}, params={"z": (3,)}).gradient.text()["z"]
    assert "held" not in text
    assert "below" not in text
