"""Formulas evaluated as they stand, be their values one number or many; and one program for both directions."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd import language as fm
from symgd.kernel.code import module
from symgd.kernel.machine import compile as machine
from symgd.objective.formula import Formula

ROWS = np.random.default_rng(3)
DATA = {"X": ROWS.normal(size=(5, 3)), "x": ROWS.normal(size=5), "A": ROWS.normal(size=(5, 3, 4)), "s": 2.5}
POINT = {"w": np.array([0.3, -1.2, 0.7]), "b": 0.4}
TEXTS = [
    "X*w + b", "X @ w", "x**2 - b", "A*b + s", "X[:, 1] + X[2]@w", "mean(X, axis=0)*w", "A[:, 1, :].T + b", "b", "s",
    "x*0 + w[1]", "(x < b) + where(X[:, 0] > 0, x, b)", "X[:, :1] + b", "softmax(w)[1:]", "maximum(x[:, None], w)",
]  # fmt: skip


def formula(text, data=None):
    shapes = {name: np.shape(value) for name, value in POINT.items()}
    return Formula(text, fm.parse(text, declared={*DATA, *POINT}), shapes, data or DATA)


def expected(text, function):
    names = {
        "softmax": lambda v: np.exp(v) / np.exp(v).sum(),
        **{n: getattr(np, n) for n in ("mean", "where", "maximum")},
    }
    return np.asarray(eval(text, names, {**DATA, **function}), dtype=float)


def in_order(found, text, values):
    """Values with the rows' axis first and none of length 1, as a formula gives them."""
    axes = [i for i, axis in enumerate(found.axes) if axis]
    order = sorted(axes, key=lambda i: found.axes[i] != "rows")
    return values.transpose(*order, *(i for i in range(values.ndim) if i not in order)).reshape(found.shape)


@pytest.mark.parametrize("text", TEXTS)
def test_values_are_those_of_numpy(text):
    found = formula(text)
    wanted = in_order(found, text, expected(text, POINT))
    np.testing.assert_allclose(found.values(POINT), wanted, rtol=1e-14)  # sums of three products in another order
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.values(POINT), found.values(POINT))


@pytest.mark.parametrize("text", TEXTS)
def test_the_jacobian_is_that_of_the_values(text):
    found = formula(text)
    x = np.array([*POINT["w"], POINT["b"]])
    values, J = found.residuals.jacobian(x)
    np.testing.assert_array_equal(values, found.values(POINT).ravel())
    for k, step in enumerate(1e-6 * np.eye(len(x))):
        high, low = (found.residuals.residuals(x + s * step) for s in (1, -1))
        # Central differences of step 1e-6 have errors of about 1e-10 in numbers of the order of 1.
        np.testing.assert_allclose(J[:, k], (high - low) / 2e-6, atol=1e-8)


def test_an_objective_does_not_change_by_being_asked():
    asked, fresh = (sg.Objective("mean(log(1 + exp(x*w))) + b**2", {"x": DATA["x"]}, tier="python") for _ in range(2))
    asked.gradient, asked.hessian, asked.numpy(), asked.model.locate({"w": 1.0, "b": 1.0}), asked.model.squares
    assert asked.model.grouped[0].store.signature() == fresh.model.grouped[0].store.signature()
    assert asked.program == fresh.program


def test_two_directions_are_one_program(monkeypatch):
    made = []
    generate, compiled = module.generate, machine._compile
    monkeypatch.setattr("symgd.kernel.code.module.generate", lambda *a: made.append("program") or generate(*a))
    monkeypatch.setattr(
        "symgd.kernel.machine.compile._compile", lambda *a, **k: made.append("code") or compiled(*a, **k)
    )
    f = sg.Objective("cos(3*x) - (y - 0.25)**2 + 0.125*x*y")
    f.minimize({"x": 1.0, "y": 0.5}, lr=0.01, steps=5)
    made.clear()
    assert f.maximize({"x": 0.1, "y": 0.5}).ok
    f.maximize({"x": 0.1, "y": 0.5}, lr=0.01, steps=5)
    assert made == []
    assert f.kernel(-1.0).tiers is f.kernel().tiers


BACK = ["gd", "momentum", "adam", "newton", "bfgs", "lbfgs", "exact"]


@settings(max_examples=30)
@given(method=st.sampled_from(BACK), x=st.floats(-1, 1), y=st.floats(-1, 1))
def test_ascending_is_descending_the_negated_formula(method, x, y):
    # Of these formulas plain Python computes the negated one with the same roundings.
    text = "cos(3*x) - (y - 0.25)**2 + 0.125*x*y"
    more = {"lr": 0.01} if method in ("gd", "momentum", "adam") else {}
    up = sg.Objective(text, tier="python").maximize({"x": x, "y": y}, method=method, steps=20, **more)
    down = sg.Objective(f"-({text})", tier="python").minimize({"x": x, "y": y}, method=method, steps=20, **more)
    np.testing.assert_array_equal(up.x, down.x)
    np.testing.assert_array_equal(up.history.value, -down.history.value)
    assert (up.steps, up.outcome, up.gradient_norm) == (down.steps, down.outcome, down.gradient_norm)
    turned = down.verdict.turned()
    assert (up.kind, up.verdict.reason, up.verdict.message) == (turned.kind, turned.reason, turned.message)


@pytest.mark.compiled
@pytest.mark.parametrize("method", ["gd", "adam", "newton", "exact"])
@pytest.mark.parametrize("text", ["cos(3*x) - (y - 0.25)**2", "-sum((w - 1)**4 + w**2) - x**2 - y**2"])
def test_both_tiers_ascend(method, text):
    start = {"x": 0.1, "y": 0.5} | ({"w": np.linspace(-1, 2, 20)} if "w" in text else {})
    start = {name: start[name] for name in sg.Objective(text).params}
    more = {"lr": 0.01} if method in ("gd", "momentum", "adam") else {}
    plain, native = (
        sg.Objective(text, tier=tier).maximize(start, method=method, steps=10, **more) for tier in ("python", "numba")
    )
    # Ten steps of roundings of numbers of the order of 1.
    np.testing.assert_allclose(plain.x, native.x, rtol=1e-9, atol=1e-12)
    assert plain.value > plain.history.value[0]
    np.testing.assert_allclose(native.history.value, plain.history.value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.01, "batch": 2, "epochs": 4},
        {"method": "adam", "lr": 0.01, "steps": 12},
        {"method": "newton", "gtol": 1e-300},
    ],
)
def test_an_ascent_is_taken_up_again_bit_for_bit(options, tmp_path):
    f = sg.Objective("-mean((x - w)**2 + exp(w*x/9))", {"x": DATA["x"]}, tier="python")
    whole = f.maximize({"w": 3.0}, **options)
    part = f.maximize({"w": 3.0}, **options, callback=lambda step, point, value: step >= 3)
    part.save(tmp_path / "run.npz")
    on = f.resume(tmp_path / "run.npz")
    assert (on.value, on.steps, str(on.outcome)) == (whole.value, whole.steps, str(whole.outcome))
    np.testing.assert_array_equal(on.history.value, whole.history.value)
