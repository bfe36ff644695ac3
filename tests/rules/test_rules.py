"""Update rules and schedules: every row against a loop written by hand, in both tiers."""

import math

import numpy as np
import pytest

import symgd as sg
from symgd.errors import FormulaError, UsageError
from symgd.rules import RULES, find_rule
from symgd.rules.schedules import SCHEDULES

TIERS = pytest.mark.parametrize("tier", ["python", "numba"])
START = np.array([1.5, -0.7])
LR = 0.05


def gradient(x):
    return np.array([3 * x[0] + x[1], x[0] + 2 * x[1]])


TEXT = "(3*a**2 + 2*a*b + 2*b**2)/2"


def moments(m, v, g, b1=0.9, b2=0.999):
    return b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2


def by_hand(name, steps):
    """The recurrences, from the papers, on NumPy vectors."""
    if name in ACCELERATED:
        return accelerated(name, steps)
    x, m, v, u = START.copy(), np.zeros(2), np.zeros(2), np.zeros(2)
    s, p = np.full(2, LR), np.zeros(2)
    path = [x.copy()]
    for t in range(1, steps + 1):
        g = gradient(x)
        if name == "gd":
            x = x - LR * g
        elif name == "momentum":
            v = 0.9 * v - LR * g
            x = x + v
        elif name == "nesterov":
            v = 0.9 * v + g
            x = x - LR * (g + 0.9 * v)
        elif name == "adagrad":
            v = v + g**2
            x = x - LR * g / (np.sqrt(v) + 1e-10)
        elif name == "rmsprop":
            v = 0.99 * v + 0.01 * g**2
            x = x - LR * g / (np.sqrt(v) + 1e-8)
        elif name == "adadelta":
            v = 0.9 * v + 0.1 * g**2
            d = g * np.sqrt(u + 1e-6) / np.sqrt(v + 1e-6)
            u = 0.9 * u + 0.1 * d**2
            x = x - LR * d
        elif name in ("adam", "adamw", "amsgrad", "nadam"):
            m, v = moments(m, v, g)
            u = np.maximum(u, v)
            top = m / (1 - 0.9**t)
            if name == "nadam":
                top = 0.9 * m / (1 - 0.9 ** (t + 1)) + 0.1 * g / (1 - 0.9**t)
            step = top / (np.sqrt((u if name == "amsgrad" else v) / (1 - 0.999**t)) + 1e-8)
            x = x - LR * (step + 0.01 * x) if name == "adamw" else x - LR * step
        elif name == "lion":
            x = x - LR * np.sign(0.9 * m + 0.1 * g)
            m = 0.99 * m + 0.01 * g
        elif name == "rprop":
            s = np.where(g * p > 0, np.minimum(s * 1.2, 50), np.where(g * p < 0, np.maximum(s * 0.5, 1e-6), s))
            p = np.where(g * p < 0, 0, g)
            x = x - s * np.sign(p)
        elif name == "signgd":
            x = x - LR * np.sign(g)
        path.append(x.copy())
    return np.array(path)


ACCELERATED = ("nesterov_convex", "fista", "ogm", "triple", "item")


def accelerated(name, steps):
    x, y, xi, before, theta, area = START, START, START, START, 1.0, 0.0
    path = [x]
    for t in range(1, steps + 1):
        g = gradient(x)
        if name in ("nesterov_convex", "fista", "ogm"):
            z = x - LR * g
            if name == "nesterov_convex":
                x = z + (t - 1) / (t + 2) * (z - y)
            else:
                following = (1 + np.sqrt(4 * theta**2 + 1)) / 2
                x = z + (theta - 1) / following * (z - y) + (theta / following * (z - x) if name == "ogm" else 0)
                theta = following
            y = z
        elif name == "triple":
            rho = 1 - np.sqrt(0.01)
            alpha, beta, gamma = (1 + rho) * LR, rho**2 / (2 - rho), rho**2 / ((1 + rho) * (2 - rho))
            xi, before = (1 + beta) * xi - beta * before - alpha * g, xi
            x = (1 + gamma) * xi - gamma * before
        elif name == "item":
            q, a = 0.01, area
            area = ((1 + q) * a + 2 * (1 + np.sqrt((1 + a) * (1 + q * a)))) / (1 - q) ** 2
            delta = ((1 - q) ** 2 * area - (1 + q) * a) / (2 * (1 + q + q * a))
            xi = (1 - q * delta) * xi + q * delta * x - LR * delta * g
            following = ((1 + q) * area + 2 * (1 + np.sqrt((1 + area) * (1 + q * area)))) / (1 - q) ** 2
            weight = area / ((1 - q) * following)
            x = (1 - weight) * xi + weight * (x - LR * g)
        path.append(x)
    return np.array(path)


@TIERS
@pytest.mark.parametrize("name", [name for name in RULES if name != "noisy"])
def test_every_rule_is_the_recurrence_of_its_paper(name, tier):
    run = sg.Objective(TEXT, tier=tier).minimize(start=START, method=name, lr=LR, steps=60)
    # 1e-12: the order of operations differs, and quotients near 0/0 at convergence magnify nothing in 60 steps.
    assert run.history.point == pytest.approx(by_hand(name, 60), rel=1e-12, abs=1e-12)
    assert run.method == name


@pytest.mark.parametrize("name", RULES)
def test_every_rule_descends_a_bowl_with_what_it_takes_by_default(name):
    run = sg.Objective(TEXT, tier="python").minimize(start=START, method=name, steps=2000)
    assert run.value < 0.5 * run.history.value[0]
    assert RULES[name].summary


def test_noise_depends_on_the_seed_and_the_step_alone():
    python, numba = (sg.Objective(TEXT, tier=t) for t in ("python", "numba"))
    runs = [f.minimize(start=START, method="noisy", lr=0.01, steps=50, seed=3) for f in (python, numba)]
    assert runs[0].history.point == pytest.approx(runs[1].history.point, rel=1e-12)
    other = python.minimize(start=START, method="noisy", lr=0.01, steps=50, seed=4)
    assert not np.allclose(other.history.point[1:], runs[0].history.point[1:])
    draws = []
    for tier in (python, numba):
        flat = sg.Objective("0*a + 0*b", tier=tier.tier)
        run = flat.minimize(start=[0, 0], method=sg.Rule("x = x + normal()"), lr=1.0, steps=4000)
        draws.append(np.diff(run.history.point, axis=0).ravel())
    assert draws[0] == pytest.approx(draws[1], abs=1e-9)
    # Standard normal: mean within 5 standard errors, and the same of the variance.
    assert abs(draws[0].mean()) < 5 / math.sqrt(8000)
    assert abs(draws[0].var() - 1) < 5 * math.sqrt(2 / 8000)


def test_several_draws_a_step_are_different_numbers():
    flat = sg.Objective("0*a + 0*b")
    run = flat.minimize(start=[0, 0], method=sg.Rule("x = x + normal() - normal()"), lr=1.0, steps=100)
    assert np.abs(np.diff(run.history.point, axis=0)).min() > 0


# ---- one's own -------------------------------------------------------------------------------------------------------


@TIERS
def test_a_rule_of_ones_own(tier):
    rule = sg.Rule("v = beta*v + g; x -= lr*(g + beta*v)", beta=0.9)
    assert rule.states == ("v",)
    run = sg.Objective(TEXT, tier=tier).minimize(start=START, method=rule, lr=LR, steps=30)
    assert run.history.point == pytest.approx(by_hand("nesterov", 30), rel=1e-12)
    other = sg.Objective(TEXT, tier=tier).minimize(start=START, method=rule, lr=LR, steps=30, beta=0.5)
    assert not np.allclose(other.history.point[5], run.history.point[5])


@TIERS
def test_rules_may_reduce_over_the_parameters(tier):
    clipped = sg.Rule("x = x - lr*g*minimum(1, 1/norm(g))")
    run = sg.Objective(TEXT, tier=tier).minimize(start=[30, 10], method=clipped, lr=0.5, steps=5)
    lengths = np.linalg.norm(np.diff(run.history.point, axis=0), axis=1)
    assert lengths == pytest.approx(np.full(5, 0.5), rel=1e-12)
    polyak = sg.Rule("x = x - f*g/sum(g*g)")
    x = np.array([30.0, 10.0])
    run = sg.Objective(TEXT, tier=tier).minimize(start=x, method=polyak, lr=1.0, steps=3)
    for _ in range(3):
        f = (3 * x[0] ** 2 + 2 * x[0] * x[1] + 2 * x[1] ** 2) / 2
        x = x - f * gradient(x) / (gradient(x) @ gradient(x))
    assert run.x == pytest.approx(x, rel=1e-12)


@TIERS
def test_states_may_swap_and_start_elsewhere(tier):
    rule = sg.Rule("c = a; a = b; b = c; x = x + a", init={"a": "x", "b": "2*x + lr"})
    assert set(rule.states) == {"a", "b"}
    run = sg.Objective("0*p", tier=tier).minimize(start=[1.0], method=rule, lr=0.5, steps=4)
    # a, b = 1, 2.5: swapped before each addition.
    assert run.history["p"].tolist() == [1.0, 3.5, 4.5, 7.0, 8.0]


def test_hyperparameters_may_be_schedules():
    rule = sg.Rule("v = beta*v - lr*g; x = x + v", beta="(t - 1)/(t + 2)")
    run = sg.Objective("a**2/2").minimize(start=[1.0], method=rule, lr=0.1, steps=3)
    x, v, path = 1.0, 0.0, [1.0]
    for t in (1, 2, 3):
        v = (t - 1) / (t + 2) * v - 0.1 * x
        x += v
        path.append(x)
    assert run.history["a"] == pytest.approx(path, rel=1e-14)


@TIERS
def test_many_parameters_take_the_array_form_of_the_loop(tier):
    names = [f"p{i}" for i in range(20)]
    text = " + ".join(f"{i + 1}*{n}**2/2" for i, n in enumerate(names))
    start = np.linspace(-1, 1, 20)
    for method in ("gd", "adam", "rprop", "lion"):
        many = sg.Objective(text, tier=tier).minimize(start=start, method=method, lr=0.01, steps=25)
        assert not sg.Objective(text).program.layout.unrolled
        for i in (0, 7, 19):
            one = sg.Objective(f"{i + 1}*p**2/2", tier="python")
            alone = one.minimize(start=[start[i]], method=method, lr=0.01, steps=25)
            assert many.history[f"p{i}"] == pytest.approx(alone.history["p"], rel=1e-12, abs=1e-14)


def test_powers_of_t_end_at_zero_and_not_in_subnormals():
    rule = sg.Rule("x = x + beta**t", beta=0.5)
    for tier in ("python", "numba"):
        run = sg.Objective("0*a", tier=tier).minimize(start=[0.0], method=rule, lr=1.0, steps=3000)
        assert run.point["a"] == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "hyper", "message"),
    [
        ("x = x - lr*gg", {}, "unknown name 'gg' at column 12"),
        ("v = beta*v; x = x - v", {}, r"unknown name 'beta'.*\n.*\n.*\n.*Rule\(\.\.\., beta=0.9\)"),
        ("y = g", {}, "the rule never assigns x"),
        ("g = 2*g; x = x - g", {}, "'g' is given at each step and cannot be assigned"),
        ("beta = 2; x = x - beta*g", {"beta": 1.0}, "'beta' is a hyperparameter and cannot be assigned"),
        ("x = x - lr*sinn(g)", {}, "did you mean 'sin'"),
        ("x - lr*g", {}, "column"),
        ("x = x - lr*g[0]", {}, "indexing"),
        ("import os; x = g", {}, "column 1"),
    ],
)
def test_a_wrong_rule_is_refused_like_any_formula(text, hyper, message):
    with pytest.raises(FormulaError, match=message):
        sg.Rule(text, **hyper)


def test_misuse_of_rules():
    with pytest.raises(UsageError, match="init names 'w', which is no state"):
        sg.Rule("x = x - lr*g", init={"w": "x"})
    with pytest.raises(UsageError, match=r"beta=.* must be a finite number or a formula of t"):
        sg.Rule("x = x - lr*beta*g", beta=[1])
    with pytest.raises(UsageError, match="g=1 is no hyperparameter: every rule reads 'g'"):
        sg.Rule("x = x - lr*g", g=1)
    for bad in (float("nan"), float("inf"), 10**400, 1j, None):
        with pytest.raises(UsageError, match="must be a finite number"):
            sg.Rule("x = x - lr*beta*g", beta=bad)
        with pytest.raises(UsageError, match=r"lr=.* must be a positive number"):
            sg.Objective("x**2").minimize(start=[1], lr=bad if bad is not None else [])
    run = sg.Objective("x**2").minimize(start=[1], lr=np.float32(0.5), steps=1)
    assert run.point["x"] == 0
    with pytest.raises(FormulaError, match="unknown name 'u'"):
        sg.Rule("x = x - lr*beta*g", beta="0.9*u")
    with pytest.raises(UsageError, match="has no hyperparameter 'betta'; it has: beta; did you mean 'beta'"):
        find_rule("momentum").with_hyper({"betta": 1})
    assert "beta=0.9" in repr(sg.Rule("x = x - lr*beta*g", beta=0.9))


# ---- schedules -------------------------------------------------------------------------------------------------------


EXPECTED = {
    "constant": lambda t: 0.3,
    "step": lambda t: 0.3 * 0.5 ** ((t - 1) // 4),
    "exponential": lambda t: 0.3 * math.exp(-0.1 * (t - 1)),
    "inverse": lambda t: 0.3 / (1 + 0.1 * (t - 1)),
    "cosine": lambda t: 0.01 + 0.29 * (1 + math.cos(math.pi * min(t - 1, 10) / 10)) / 2,
    "restarts": lambda t: 0.01 + 0.29 * (1 + math.cos(math.pi * ((t - 1) % 4) / 4)) / 2,
    "cyclic": lambda t: 0.01 + 0.29 * (1 - abs((t - 1) % 4 / 4 * 2 - 1)),
    "warmup": lambda t: 0.3 * min(t / 5, 1) / (1 + 0.1 * max(t - 5, 0)),
    "silver": lambda t: 0.3 * (1 + (1 + math.sqrt(2)) ** ((t & -t).bit_length() - 2)),
}
NUMBERS = {
    "step": {"every": 4}, "exponential": {"decay": 0.1}, "inverse": {"decay": 0.1},
    "cosine": {"steps": 10, "smallest": 0.01}, "restarts": {"every": 4, "smallest": 0.01},
    "cyclic": {"every": 4, "smallest": 0.01}, "warmup": {"warm": 5, "decay": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_a_formula_of_t(name):
    text = sg.schedule(name, 0.3, **NUMBERS.get(name, {}))
    # A rule that adds lr itself shows the schedule.
    run = sg.Objective("0*a").minimize(start=[0.0], method=sg.Rule("x = x + lr"), lr=text, steps=12)
    taken = np.diff(run.history["a"])
    assert taken == pytest.approx([EXPECTED[name](t) for t in range(1, 13)], rel=1e-12, abs=1e-15)


def test_silver_steps_are_long_wherever_a_power_of_two_divides_t():
    run = sg.Objective("0*a", tier="python").minimize(
        start=[0.0], method=sg.Rule("x = x + lr"), lr=sg.schedule("silver", 1), steps=1025
    )
    taken = np.diff(run.history["a"])
    assert taken == pytest.approx([EXPECTED["silver"](t) / 0.3 for t in range(1, 1026)], rel=1e-12)


def test_unknown_schedules_and_numbers_are_refused():
    with pytest.raises(UsageError, match="schedule='cosin' is not known; did you mean 'cosine'"):
        sg.schedule("cosin", 0.1)
    with pytest.raises(UsageError, match="the schedule 'cosine' has no number 'every'; it has: steps, smallest"):
        sg.schedule("cosine", 0.1, every=3)


def test_auto_is_stable_for_momentum():
    for method in ("momentum", "nesterov"):
        run = sg.Objective("(100*a**2 + b**2)/2").minimize(start=[1, 1], method=method)
        assert run.ok
