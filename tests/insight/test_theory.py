"""The theory of update rules: against runs, against closed forms from papers, and against eigenvalues on fine grids."""

import json
import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.cli import main
from symgd.errors import UsageError
from symgd.insight.search import best_lr, best_values
from symgd.insight.stability import _first_edge as first_edge
from symgd.insight.stability import is_stable
from symgd.insight.theory import linear_map, obstacle
from symgd.rules import RULES, Rule, find_rule

NESTEROV = "v = beta*v + g; x = x - lr*(g + beta*v)"
CASCADE = "v = beta*v + g; w = gamma*w + v; x = x - lr*w"
LINEAR = ("gd", "momentum", "nesterov")
SEEDS = st.integers(0, 10**6)


def random_rule(seed):
    """A rule of one to three states, which settles at the minimum: nothing but x itself is added to x when g is 0."""
    rng = np.random.default_rng(seed)
    names = ["v", "w", "u"][: rng.integers(0, 4)]
    lines = []
    for i, name in enumerate(names):
        fade = rng.choice([-1, 1, 1]) * rng.uniform(0, 0.9 if i else 0.95)
        others = "".join(f" + {rng.uniform(-0.3, 0.5):.3f}*{o}" for o in names[:i] if rng.random() < 0.7)
        lines.append(f"{name} = {fade:.3f}*{name} + {rng.uniform(0.1, 1):.3f}*g{others}")
    terms = "".join(f" + {rng.uniform(-0.2, 1):.3f}*{name}" for name in names)
    lines.append(f"x = x - lr*(c*g{terms})")
    rng.shuffle(lines)
    if rng.random() < 0.3:  # an extrapolation, whose state remembers where x was
        lines += [f"q = x; x = q + {rng.uniform(0, 0.6):.3f}*(q - p); p = q"]
        return Rule("; ".join(lines), {"p": "x"}, c=rng.uniform(0.2, 1.5))
    return Rule("; ".join(lines), c=rng.uniform(0.2, 1.5))


def stable_rule(seed):
    rule = random_rule(seed)
    limit = linear_map(rule).stable_lr(1.0)
    assume(1e-3 < limit < 1e3)
    return rule, limit


def bowl(eigenvalues, seed=0):
    """A quadratic whose minimizer is 0, turned at random, and a start with a part along every eigenvector."""
    rng = np.random.default_rng(seed)
    n = len(eigenvalues)
    turn = np.linalg.qr(rng.normal(size=(n, n)))[0]
    f = sg.Objective("sum((A @ x)**2)/2", data={"A": np.sqrt(eigenvalues)[:, None] * turn.T}, tier="python")
    return f, turn @ rng.choice([-1.0, 1.0], n)


def distances(rule, lr, eigenvalues, steps, seed=0):
    f, start = bowl(eigenvalues, seed)
    return np.linalg.norm(f.minimize({"x": start}, method=rule, lr=lr, steps=steps).history.point, axis=1)


# ---- the matrix ------------------------------------------------------------------------------------------------------


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_powers_of_the_matrix_are_the_run(seed):
    rng = np.random.default_rng(seed)
    rule, limit = stable_rule(seed)
    eigenvalue, lr = rng.uniform(-0.5, 1), rng.uniform(0.1, 1) * limit
    found = linear_map(rule)
    f = sg.Objective("h*x**2/2", data={"h": eigenvalue}, tier="python")
    run = f.minimize([2.0], method=rule, lr=lr, steps=25)
    state = np.array([2.0 if name in ("x", "p") else 0.0 for name in found.names])
    path = [state]
    for _ in range(25):
        path.append(found.matrix(eigenvalue, lr) @ path[-1])
    # 25 steps of a few roundings each, on numbers of the size of the largest that occurred.
    assert run.history.point[:, 0] == pytest.approx(np.array(path)[:, 0], rel=1e-11, abs=1e-12 * np.abs(path).max())


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_polynomials_are_those_of_the_matrix(seed):
    rule, limit = stable_rule(seed)
    found, eigenvalue, lr = linear_map(rule), 0.7, 0.6 * limit
    p, q = found.polynomials(lr)
    mixed = [float(a + 0.7 * float(b)) for a, b in zip(p, q, strict=True)]
    # np.poly forms the polynomial from eigenvalues, which have half of the digits where two of them meet
    assert mixed == pytest.approx(np.poly(found.matrix(eigenvalue, lr)).real, rel=1e-6, abs=1e-6)
    radius = np.abs(np.linalg.eigvals(found.matrix([0.1, 0.7], lr))).max(axis=-1)
    assert found.radius([0.1, 0.7], lr) == pytest.approx(radius, rel=1e-6)


def test_states_that_never_reach_x_are_left_out():
    rule = Rule("s = s + g**2; a = 0.9*a + 0.1*x; v = beta*v + g; x = x - lr*v", beta=0.5)
    assert linear_map(rule).names == ("x", "v")


def test_the_numeric_side_needs_no_sympy():
    code = (
        "import sys; from symgd.rules import find_rule; from symgd.insight.theory import linear_map;"
        "m = linear_map(find_rule('momentum')); m.stable_lr(3.0); m.radius([1.0, -1.0], 0.1);"
        "find_rule('momentum').theory(1, 3, 0.1).rate; assert 'sympy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_negative_eigenvalues_are_left_and_flat_ones_never():
    for name in LINEAR:
        found = linear_map(find_rule(name))
        assert found.radius(-1.0, 0.1) > 1
        assert found.stable_lr(-1.0) == 0
        assert found.radius(0.0, 0.1) == pytest.approx(1, abs=1e-15)
        assert found.stable_lr(0.0) == math.inf
        assert math.isnan(found.stable_lr(math.nan))
    assert linear_map(Rule("x = x + lr*g")).stable_lr(-4.0) == 0.5


# ---- rules without a theory ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hyper", "reason"),
    [
        ("x = x - lr*sign(g)", {}, "sign(g) is not linear in x, g and the states"),
        ("x = x - lr*where(g > 0, g, 2*g)", {}, "g > 0 is not linear"),
        ("x = x - lr*g*f", {}, "it reads f"),
        ("x = x - lr*g/sqrt(sum(g**2))", {}, "g**2 is not linear"),
        ("x = x - lr*(g - mean(g))", {}, "sum(g) looks at all parameters together"),
        ("x = x - lr*g/len(g)", {}, "it counts the parameters"),
        ("x = x - lr*g*normal()", {}, "random draws enter by more than a sum"),
        ("x = x - lr*g/v; v = v + 1", {}, "lr*g/v is not linear"),
        ("x = x - lr*g/t", {}, "its coefficients change with t"),
        ("v = b*v + g; x = x - lr*v", {"b": "1 - 1/t"}, "its coefficients change with t"),
    ],
)
def test_a_rule_without_a_theory_says_why(text, hyper, reason):
    theory = Rule(text, **hyper).theory(1, 10, 0.1)
    assert not theory.linear
    assert theory.reason.startswith(reason)
    assert reason in repr(theory)
    assert reason in theory.summary()
    assert "none" in theory._repr_html_()
    assert theory.latex() == ""
    told = json.loads(json.dumps(theory.to_dict(), allow_nan=False))
    numbers = ("rate", "stable", "stable_lr", "best", "best_rate", "best_lr", "best_lr_rate", "matrix",
               "characteristic", "limit", "rate_formula", "best_formula", "best_rate_formula")  # fmt: skip
    assert [told[name] for name in numbers] == [None] * len(numbers)
    with pytest.raises(UsageError, match="there is no rate to count steps by"):
        theory.steps(0.1)


def test_of_the_rules_with_names_those_of_a_fixed_linear_recurrence_have_a_theory():
    assert [name for name in RULES if not obstacle(find_rule(name))] == [*LINEAR, "triple", "noisy"]
    assert obstacle(find_rule("adam")) == "g**2 is not linear in x, g and the states"


@pytest.mark.parametrize("condition", [1.5, 4, 100, 1e4])
def test_the_triple_momentum_method_has_the_rate_of_its_paper(condition):
    # Van Scoy, Freeman and Lynch 2018, theorem 1; eigenvalues that meet are off by the root of the rounding.
    theory = find_rule("triple").with_hyper({"q": 1 / condition}).theory(1, condition, 1 / condition)
    assert theory.rate == pytest.approx(1 - 1 / math.sqrt(condition), abs=1e-7)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("x = x - lr*g + 0.1*normal()/t", "random draws are added"),
        ("x = x - lr*g + 1", "a constant is added"),
        ("x = x - lr*(g + 0.01*x)", "the rule pulls x towards 0"),
    ],
)
def test_what_the_matrix_does_not_say_is_noted(text, note):
    theory = Rule(text).theory(1, 10, 0.1)
    assert theory.linear
    assert [n.startswith(note) for n in theory.notes] == [True]
    assert note in theory.summary()


def test_a_rule_with_decay_settles_beside_the_minimum_at_the_rate_of_the_theory():
    rule = Rule("x = x - lr*(g + decay*x)", decay=0.5)
    run = sg.Objective("(x - 3)**2", tier="python").minimize([0.0], method=rule, lr=0.1, steps=40)
    settled = 2 * 3 / 2.5  # where 2*(x - 3) + 0.5*x = 0
    error = np.abs(run.history.point[:, 0] - settled)
    rate = rule.theory(2, 2, 0.1).rate
    assert error[20] / error[10] == pytest.approx(rate**10, rel=1e-9)  # errors of 1e-3 lose three digits in x
    assert rule.theory(2, 4).best["decay"] == 0.5


# ---- stability -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [-0.25, 0.0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("largest", [1e-3, 1.0, 7e4])
def test_limits_of_the_named_rules_are_the_known_ones(beta, largest):
    known = {"gd": 2.0, "momentum": 2 * (1 + beta), "nesterov": 2 * (1 + beta) / (1 + 2 * beta)}
    for name, limit in known.items():
        theory = find_rule(name).theory(largest=largest, **({} if name == "gd" else {"beta": beta}))
        assert theory.stable_lr == pytest.approx(limit / largest, rel=4e-16)  # two divisions


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_below_the_limit_all_is_stable_and_right_above_it_something_is_not(seed):
    rule, limit = stable_rule(seed)
    found = linear_map(rule)
    grid = np.linspace(0, limit, 4002)[1:-1]
    # a root that is double has half of the digits
    assert (found.radius(grid, 1.0) < 1 + 1e-7).all()
    assert np.max(found.radius(limit * (1 + np.geomspace(1e-9, 1e-2, 200)), 1.0)) > 1 - 1e-12
    p, q = found.polynomials(1)
    for side, stable in ((1 - 1e-14, True), (1 + 1e-14, False)):
        h = Fraction(limit * side)
        assert is_stable([a + h * b for a, b in zip(p, q, strict=True)]) is stable


def test_a_window_of_instability_is_found_however_narrow_it_is():
    # (z**2 - 2*c*z + 1)*(z - r) has a pair on the unit circle. Along a tangent of all such polynomials the pair is
    # inside on both sides; raising the coefficient of z by delta puts it outside within sqrt(delta/2) of the tangent.
    c, r, middle = Fraction(3, 10), Fraction(1, 2), Fraction(1, 10)
    touching = [Fraction(1), -(r + 2 * c), 1 + 2 * c * r, -r]
    tangent = [Fraction(0), Fraction(-3), 2 * r + 2 * c, Fraction(-1)]
    for delta in (Fraction(1, 10**6), Fraction(1, 10**10), Fraction(1, 10**14)):
        p = [a - middle * b for a, b in zip(touching, tangent, strict=True)]
        p[2] += delta
        half = math.sqrt(delta / 2)
        edge = first_edge(p, tangent)
        assert edge == pytest.approx(0.1 - half, abs=0.1 * half)  # the surface is curved
        for s, stable in ((0.1 - 2 * half, True), (0.1, False), (0.1 + 2 * half, True)):
            assert is_stable([a + Fraction(s) * b for a, b in zip(p, tangent, strict=True)]) is stable


def test_a_rule_that_is_stable_only_away_from_zero_has_the_limit_0():
    theory = Rule("x = 1.5*x - lr*g").theory(1, 2)
    assert theory.stable_lr == 0
    assert theory.limit is None
    assert theory.rate is None
    assert linear_map(theory.rule).radius(1.0, 1.0) == 0.5


@pytest.mark.parametrize(
    ("text", "hyper", "limit"),
    [
        ("x = x", {}, 0),
        ("x = x + lr*g", {}, 0),
        ("x = 0.9*x", {}, math.inf),
        ("v = v - lr*g; x = x + v", {}, 0),  # an oscillator without damping
        ("x = x - lr*(g + c*x)", {"c": 0.5}, 2 / 10.5),
        ("x = x - lr*g/(1 + lr)", {}, 2 / 8),
        ("x = x - sqrt(lr)*g", {}, 4 / 100),
        ("v = (1 - lr)*v + lr*g; x = x - v", {}, 1 / 3),
        ("x = x - lr*w; w = g", {}, 1 / 10),
        ("x = x - lr*w; w = v; v = g", {}, (math.sqrt(5) - 1) / 20),  # 2*sin(pi/10)
        (NESTEROV, {"beta": -0.5}, 3 / 10),  # where the product of the roots, beta*(1 - lr*L), is 1
        ("x = x - lr*g/c", {"c": 0.0}, math.nan),
    ],
)
def test_limits_of_other_rules(text, hyper, limit):
    found = Rule(text, **hyper).theory(largest=10).stable_lr
    assert found == pytest.approx(limit, rel=1e-14, nan_ok=True)


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("gd", "2/L"),
        ("momentum", "2*(beta + 1)/L"),
        ("nesterov", "2*(beta + 1)/(L*(2*beta + 1))"),
        (Rule("v = 0.9*v + g; x = x - lr*v"), "19/(5*L)"),
        (Rule("x = x - lr*(g + c*x)", c=0.1), "2/(L + c)"),
        (Rule("y = x - lr*g; x = y + b*(y - p); p = y", b=0.5), "2*(b + 1)/(L*(2*b + 1))"),
        (Rule("x = x - sqrt(lr)*g"), "None"),
    ],
)
def test_limits_in_symbols(rule, limit):
    assert str(find_rule(rule).theory().limit) == limit


def test_the_limit_of_three_states_in_symbols_is_the_number():
    theory = Rule(CASCADE, beta=0.5, gamma=0.6).theory(largest=10)
    values = {"L": 10, "beta": 0.5, "gamma": 0.6}
    number = theory.limit.subs({s: values[s.name] for s in theory.limit.free_symbols})
    assert float(number) == pytest.approx(theory.stable_lr, rel=1e-12)


# ---- against runs ----------------------------------------------------------------------------------------------------


def check_edge(rule, limit, seed=0):
    """0.99 of the limit converges and 1.01 of it diverges, on a bowl of condition 10."""
    eigenvalues = np.geomspace(0.1, 1, 5)
    found = linear_map(rule)
    for factor, sign in ((0.99, -1), (1.01, 1)):
        rate = found.radius(eigenvalues, factor * limit).max()
        assert (rate - 1) * sign > 0
        steps = math.ceil(math.log(1e6) / abs(math.log(rate)))  # what the run must gain or lose: six digits
        assert steps < 20_000
        path = distances(rule, factor * limit, eigenvalues, steps, seed)
        # 100 of the 10**6 for the constant in front of the power
        assert path[-1] < 1e-4 * path[0] if sign < 0 else path[-1] > 1e4 * path[0]


@pytest.mark.parametrize("name", LINEAR)
def test_the_limit_parts_runs_of_the_named_rules_that_converge_from_those_that_diverge(name):
    rule = find_rule(name)
    check_edge(rule, rule.theory(largest=1).stable_lr)


FIVE = (3, 8, 11, 19, 24)  # seeds of rules with different numbers of states


@pytest.mark.parametrize("seed", FIVE)
def test_the_limit_parts_runs_of_random_rules_that_converge_from_those_that_diverge(seed):
    rule = random_rule(seed)
    limit = linear_map(rule).stable_lr(1.0)
    assert 0 < limit < 1e3
    check_edge(rule, limit, seed)


def check_rate(rule, limit, seed, most, steps):
    """The measured rate is the predicted one: logarithms to 1%, which for rates near 1 asks for more than rates do."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, most + 1))
    condition = 10 ** rng.uniform(0, 6) if n > 1 else 1.0
    # All but the smallest close to the largest: what fades more slowly than the worst would only lengthen the run.
    inner = condition ** -rng.uniform(0, min(1, 1 / max(math.log10(condition), 1e-9)), max(n - 2, 0))
    eigenvalues = np.array([1.0, 1 / condition, *inner][:n] if n > 1 else [1.0])
    lr = rng.uniform(0.3, 0.95) * limit
    theory = rule.theory(eigenvalues.min(), eigenvalues.max(), lr)
    *others, rate = np.sort(linear_map(rule).radius(eigenvalues, lr))
    # Double roots on the eigenvalue cost half of the digits of numerical eigenvalues.
    assert theory.rate >= rate - 1e-7
    if rate < 1e-3:
        return
    # Down to 1e-130, whose square is still a number; all of that is exact to a few digits, since the minimizer is 0.
    steps = min(steps, math.floor(-300 / math.log(rate)) if rate < 1 else steps)
    middle = steps // 2
    fall = (middle - steps) * math.log(rate)
    # A fall of a few percent can be measured once what fades faster has gone; one of exp(100) drowns all else.
    assume(fall > 100 or not others or (others[-1] / rate) ** middle < 1e-3 * min(fall, 1))
    path = distances(rule, lr, eigenvalues, steps, seed)
    slope = measured(path, middle)
    assert slope == pytest.approx(math.log(rate), rel=0.01, abs=1e-9)


def measured(path, middle):
    """The mean fall of log(error) per step over the second half; of errors that swing, from crest to crest."""
    tail = np.log(np.maximum(path[middle:], 1e-300))
    places = np.arange(len(tail))
    width = max(len(tail) // 5, 1)
    slope = (tail[-1] - tail[0]) / (len(tail) - 1)
    for _ in range(5):  # a crest is one once the fall is taken off
        level = tail - slope * places
        first, last = int(np.argmax(level[:width])), len(tail) - width + int(np.argmax(level[-width:]))
        slope = (tail[last] - tail[first]) / (last - first)
    return slope


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_measured_rate_is_the_predicted_one(seed):
    rng = np.random.default_rng(seed)
    named = rng.choice([*LINEAR, "", "", ""])
    if named:
        beta = {} if named == "gd" else {"beta": round(rng.uniform(0, 0.95), 3)}
        rule = find_rule(named).with_hyper(beta)
        limit = linear_map(rule).stable_lr(1.0)
    else:
        rule, limit = stable_rule(seed)
    check_rate(rule, limit, seed, most=5, steps=3000)


@pytest.mark.slow
@given(SEEDS)
@settings(max_examples=150, deadline=None)
def test_the_measured_rate_is_the_predicted_one_up_to_thirty_dimensions(seed):
    rule, limit = stable_rule(seed)
    check_rate(rule, limit, seed, most=30, steps=6000)


# ---- the best --------------------------------------------------------------------------------------------------------

CONDITIONS = (1.0, 1.1, 1.5, 10.0, 1e3, 1e6)


def known_best(name, low, top):
    if name == "gd":
        return {"lr": 2 / (low + top)}, (top - low) / (top + low)
    a, b = math.sqrt(top), math.sqrt(low)
    if name == "momentum":
        return {"lr": 4 / (a + b) ** 2, "beta": ((a - b) / (a + b)) ** 2}, (a - b) / (a + b)
    root = math.sqrt(3 * top / low + 1)
    return {"lr": 4 / (3 * top + low), "beta": (root - 2) / (root + 2)}, 1 - 2 / root


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("name", LINEAR)
def test_the_best_of_the_named_rules_is_that_of_the_papers(name, condition):
    theory = find_rule(name).theory(0.3, 0.3 * condition)
    values, rate = known_best(name, 0.3, 0.3 * condition)
    assert theory.best == pytest.approx(values, rel=1e-12, abs=1e-12)  # closed forms both, written differently
    assert theory.best_rate == pytest.approx(rate, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("condition", CONDITIONS[1:])
@pytest.mark.parametrize("name", LINEAR)
def test_the_search_finds_what_the_closed_forms_say(name, condition):
    values, rate = known_best(name, 0.3, 0.3 * condition)
    found, found_rate = best_values(linear_map(find_rule(name)), 0.3, 0.3 * condition, tuple(RULES[name].hyper))
    assert found == pytest.approx(values, rel=1e-6)
    assert 1 - found_rate == pytest.approx(1 - rate, rel=1e-6)


def test_rules_with_the_polynomial_of_another_share_its_closed_forms():
    same = {
        "v = b*v + g; x = x - lr*v": "momentum",
        "v = b*v - g; x = x + lr*v": "momentum",
        "q = x; x = x - lr*g + b*(x - p); p = q": "momentum",
        "y = x - lr*g; x = y + b*(y - p); p = y": "nesterov",
    }
    for text, name in same.items():
        theory = Rule(text, b=0.5).theory(1, 100)
        values, rate = known_best(name, 1, 100)
        assert list(theory.best.values()) == pytest.approx(list(values.values()), rel=1e-12)
        assert theory.best_rate == pytest.approx(rate, rel=1e-12)
    average = Rule("v = b*v + (1 - b)*g; x = x - lr*v", b=0.5).theory(1, 9)
    assert average.best == pytest.approx({"lr": 0.25 / 0.75, "b": 0.25}, rel=1e-12)


@given(SEEDS, st.floats(0.1, 4))
@settings(max_examples=8, deadline=None)
def test_no_learning_rate_is_better_than_the_best(seed, decades):
    rule, limit = stable_rule(seed)
    found = linear_map(rule)
    low = 10.0**-decades
    lr, rate = best_lr(found, low, 1.0)
    eigenvalues = np.geomspace(low, 1, 200)
    others = min(found.radius(eigenvalues, other).max() for other in np.geomspace(limit * low / 10, limit, 300))
    assert rate <= others + 1e-7  # of double roots
    assert rate == pytest.approx(rule.theory(low, 1, lr).rate, rel=1e-12)


def test_where_many_learning_rates_are_equally_good_the_best_is_in_their_middle():
    theory = find_rule("momentum").theory(1, 10)  # complex roots, of the size sqrt(beta), between the two
    edges = (1 - math.sqrt(0.9)) ** 2, (1 + math.sqrt(0.9)) ** 2 / 10
    assert theory.best_lr == pytest.approx(math.sqrt(edges[0] * edges[1]), rel=0.05)  # the grid's spacing
    assert theory.best_lr_rate == pytest.approx(math.sqrt(0.9), rel=1e-12)


def test_the_worst_eigenvalue_may_be_inside():
    rule = Rule("x = x - lr*(0.32*g - 0.163*v + 0.349*w); w = 0.263*w + 0.548*g; v = 0.337*g - 0.01*v")
    found = linear_map(rule)
    lr = 0.9 * found.stable_lr(1.0)
    rates = found.radius(np.geomspace(0.1, 1, 20_001), lr)
    rate = rule.theory(0.1, 1, lr).rate
    assert rate > max(rates[0], rates[-1]) + 0.1
    assert rate == pytest.approx(rates.max(), rel=1e-8)  # flat at a smooth top, between two of 20,001 places


def test_formulas_of_the_rate_are_the_rate():
    for name in LINEAR:
        for lr in (0.01, 0.15):
            theory = find_rule(name).theory(1, 10, lr)
            values = {"L": 10, "mu": 1, "lr": lr, "beta": 0.9}
            formula = theory.rate_formula
            number = formula.subs({s: values[s.name] for s in formula.free_symbols})
            assert float(number) == pytest.approx(theory.rate, rel=1e-12)


def test_several_hyperparameters_are_searched_together():
    theory = Rule("v = beta*v + g; x = x - lr*(g + gamma*v)", beta=0.9, gamma=0.5).theory(1, 10)
    assert theory.best_formula is None
    assert theory.best_rate < 0.62  # Nesterov's, with gamma = beta, has 0.6408, and the heavy ball's 0.5195 bounds it
    assert theory.best_rate > 0.5194
    again = theory.rule.with_hyper({k: v for k, v in theory.best.items() if k != "lr"})
    assert again.theory(1, 10, theory.best["lr"]).rate == pytest.approx(theory.best_rate, rel=1e-12)


# ---- how it is asked and told ----------------------------------------------------------------------------------------


def test_steps_are_predicted():
    theory = find_rule("gd").theory(1, 10, 0.1)
    assert theory.rate == pytest.approx(0.9, rel=1e-15)
    assert theory.steps(1e-6) == math.ceil(math.log(1e-6) / math.log(0.9))
    assert find_rule("gd").theory(1, 10, 0.3).steps(0.1) == math.inf
    assert find_rule("gd").theory(2, 2, 0.5).steps(1e-9) == 1
    for wrong in (0, 1, -1, math.nan, "x", None):
        with pytest.raises(UsageError, match=r"tolerance=.* must be a number between 0 and 1"):
            theory.steps(wrong)
    with pytest.raises(UsageError, match="it needs smallest, largest and lr"):
        find_rule("gd").theory(1, 10).steps(0.1)


def test_schedules_have_no_rate():
    theory = find_rule("gd").theory(1, 10, "0.1/t")
    assert theory.rate is None
    assert theory.stable is None
    assert theory.stable_lr == 0.2
    assert theory.notes == ("lr follows a formula of t, so that there is no one rate",)
    with pytest.raises(UsageError, match="lr follows a formula of t"):
        theory.steps(0.1)
    assert "chosen by the run" in find_rule("gd").theory(1, 10, "auto").notes[0]
    assert find_rule("gd").theory(1, 10, "0.05 + 0.05").rate == pytest.approx(0.9, rel=1e-15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"smallest": 0, "largest": 1}, "smallest=0 must be a positive number"),
        ({"smallest": -1}, "smallest=-1 must be a positive number"),
        ({"largest": math.inf}, "largest=inf must be a positive number"),
        ({"largest": math.nan}, "largest=nan must be a positive number"),
        ({"largest": "10"}, "largest='10' must be a positive number"),
        ({"smallest": True}, "smallest=True must be a positive number"),
        ({"smallest": 2, "largest": 1}, "smallest=2 must not be above largest=1"),
        ({"lr": 0}, "lr=0 must be a positive number"),
        ({"lr": math.nan}, "lr=nan must be a positive number"),
        ({"bta": 0.5}, "momentum has no hyperparameter 'bta'.*did you mean 'beta'"),
        ({"beta": math.inf}, "beta=inf must be a finite number"),
    ],
)
def test_misuse(options, message):
    with pytest.raises(UsageError, match=message):
        find_rule("momentum").theory(**options)


def test_how_it_is_told():
    theory = Rule(NESTEROV, beta=0.5).theory(1, 10, 0.05, beta=0.9)
    assert isinstance(theory, sg.Theory)
    assert repr(theory) == f"Theory('{NESTEROV}', rate=0.924662, stable_lr=0.135714, best_lr=0.130326)"
    assert "stable up to  2*(beta + 1)/(L*(2*beta + 1)) = 0.1357142857" in theory.summary()
    assert repr(find_rule("gd").theory()) == "Theory('gd', limit=2/L)"
    assert "0.1357142857" in theory._repr_html_()
    assert r"\lambda" in theory.latex()
    told = json.loads(json.dumps(theory.to_dict(), allow_nan=False))
    assert told["hyper"] == {"beta": 0.9}
    assert told["matrix_of"] == ["x", "v"]
    assert told["stable"] is True
    assert told["limit"] == "2*(beta + 1)/(L*(2*beta + 1))"
    assert find_rule("gd").theory(1, 10, 0.3).stable is False
    assert find_rule("gd").theory(largest=10, lr=0.1).stable is True
    assert find_rule("gd").theory(largest=10, lr=0.2).stable is False
    assert Rule("x = 0.9*x").theory(1, 10).to_dict()["stable_lr"] is None  # infinite


def test_the_matrix_in_symbols_is_the_matrix_in_numbers():
    theory = find_rule("nesterov").theory()
    values = {"lambda": 3.0, "lr": 0.1, "beta": 0.9}
    matrix = theory.matrix.subs({s: values[s.name] for s in theory.matrix.free_symbols})
    assert np.array(matrix, dtype=float) == pytest.approx(theory.map.matrix(3.0, 0.1), rel=1e-14)
    assert str(find_rule("momentum").theory().characteristic) == "beta + z**2 + z*(-beta + lambda*lr - 1)"


# ---- the command line ------------------------------------------------------------------------------------------------


def call(*arguments):
    return CliRunner().invoke(main, ["theory", *arguments], prog_name="symgd")


def test_the_command_prints_the_account():
    done = call("momentum", "--smallest", "1", "--largest", "10", "--lr", "0.05", "--hyper", "beta=0.8")
    assert done.exit_code == 0
    assert "stable up to  2*(beta + 1)/L = 0.36\n" in done.stdout
    assert "best of all   lr = 0.230886157, beta = 0.2698738636, with the rate 0.5194938533\n" in done.stdout
    assert call("momentum", "--lr", "0.4", "--largest", "10", "--set", "beta=0.8").exit_code == 1
    latex = (
        r"M(\lambda) = \left[\begin{matrix}- \lambda \mathrm{lr} + 1\end{matrix}\right], \qquad \text{lr} < \frac{2}{L}"
    )
    assert call("gd", "--latex").stdout == latex + "\n"


def test_the_command_takes_a_text_and_prints_json():
    done = call("v = beta*v - lr*g; x = x + v", "--set", "beta=0.9", "--largest", "10", "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["stable_lr"] == 0.38
    assert told["limit"] == "2*(beta + 1)/L"
    done = call("adam", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["linear"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["momentu"], "did you mean 'momentum'"),
        (["x = x - a*g"], "give it a value: --hyper a=0.9"),
        (["gd", "--largest", "-1"], "largest=-1.0 must be a positive number"),
        (["gd", "--hyper", "beta=1"], "gd has no hyperparameter 'beta'"),
        (["gd", "--hyper", "beta"], "must be name=value"),
    ],
)
def test_a_faulty_call_says_so(arguments, message):
    done = call(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert message in done.stderr
