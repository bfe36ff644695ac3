"""Optimizers in all the styles in which people write them go where they would go in their author's own loop."""

import functools
import importlib.util
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symgd as sg
from symgd.errors import UsageError
from symgd.testing.adapters import adapt
from symgd.testing.adapters.names import numbers, translated

F = sg.Objective("x1**2 + 3*x2**2")
START = np.array([3.0, -1.0])


def by_hand(steps=5, lr=0.1, beta=0.9):
    x, v, points = START.copy(), np.zeros(2), [START.copy()]
    for _ in range(steps):
        v = beta * v - lr * F.jac(x)
        x = x + v
        points.append(x.copy())
    return np.array(points)


def needs(name):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: its optimizers are not looked at")
    return importlib.import_module(name)


# ---- steps in all styles -------------------------------------------------------------------------------------------


def plain(x, g, state, lr=0.1, beta=0.9):
    v = beta * state.get("v", 0.0) - lr * g
    return x + v, {"v": v}


def none_first(w, grad, state=None, learning_rate=0.1):
    state = state or {"v": np.zeros_like(w)}
    state["v"] = 0.9 * state["v"] - learning_rate * grad
    return w + state["v"], state


def array_state(theta, dtheta, v):
    v = 0.9 * v - 0.1 * dtheta
    return theta + v, v


def tuple_state(x, g, state):
    v, t = state
    v = 0.9 * v - 0.1 * g
    return x + v, (v, t + 1)


def in_place(params, grads, state):
    state.setdefault("v", np.zeros_like(params))
    state["v"] *= 0.9
    state["v"] -= 0.1 * grads
    params += state["v"]


def swapped(grad, x, memory):
    memory["v"] = 0.9 * memory.get("v", 0.0) - 0.1 * grad
    return x + memory["v"]


def closure(lr=0.1, momentum=0.9):
    v = 0.0

    def step(x, g):
        nonlocal v
        v = momentum * v - lr * g
        return x + v

    return step


def asks(x, grad, state):
    state["v"] = 0.9 * state.get("v", 0.0) - 0.1 * grad(x)
    return x + state["v"], state


class WithStep:
    def __init__(self, lr=0.1, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, 0.0

    def step(self, x, g):
        self.v = self.momentum * self.v - self.lr * g
        return x + self.v


class InPlace(WithStep):
    def step(self, x, g):
        self.v = self.momentum * self.v - self.lr * g
        x += self.v


class Called(WithStep):
    def __call__(self, x, g):
        return WithStep.step(self, x, g)

    step = None


class Pair:
    """As a transformation of Optax, in NumPy."""

    def init(self, params):
        return np.zeros_like(params)

    def update(self, grads, state, params=None):
        state = 0.9 * state - 0.1 * grads
        return state, state


def minimizer(fun, x0, jac, maxiter=5, lr=0.1):
    x, v = np.array(x0), 0.0
    for _ in range(maxiter):
        v = 0.9 * v - lr * jac(x)
        x = x + v
    return {"x": x, "fun": fun(x)}


STYLES = (plain, none_first, array_state, tuple_state, in_place, swapped, closure, closure(), asks, WithStep,
          WithStep(), InPlace, InPlace(), Called(), Pair(), minimizer, functools.partial(plain, lr=0.1), sg.Rule(
              "v = beta*v - lr*g; x = x + v", default_lr=0.1, beta=0.9))  # fmt: skip


@pytest.mark.parametrize("optimizer", STYLES, ids=lambda o: getattr(o, "__name__", type(o).__name__))
def test_it_goes_where_its_author_s_loop_goes(optimizer):
    adapted = adapt(optimizer)
    settings = {"lr": 0.1} if "lr" in adapted.settable else {}
    for _ in range(2):  # a second run starts anew
        trace = adapted.run(F, START, 5, settings)
        assert not trace.unable
        np.testing.assert_allclose(trace.points, by_hand(), rtol=1e-12)


@pytest.mark.parametrize("optimizer", [plain, none_first, closure, WithStep, InPlace], ids=lambda o: o.__name__)
@given(lr=st.floats(1e-3, 0.2))
def test_learning_rates_are_set(optimizer, lr):
    adapted = adapt(optimizer)
    if "lr" not in adapted.settable:
        adapted = adapt(optimizer, {"lr": lr})
        np.testing.assert_allclose(adapted.run(F, START, 5, {}).points, by_hand(lr=lr), rtol=1e-9)
    else:
        np.testing.assert_allclose(adapted.run(F, START, 5, {"lr": lr}).points, by_hand(lr=lr), rtol=1e-9)


def test_the_start_is_left_alone():
    start = START.copy()
    adapt(in_place).run(F, start, 3, {})
    np.testing.assert_array_equal(start, START)


def test_what_a_step_raises_ends_the_run():
    def step(x, g, state):
        if state.setdefault("n", 0) == 3:
            raise RuntimeError("worn out")
        state["n"] += 1
        return x - 0.1 * g

    trace = adapt(step).run(F, START, 9, {})
    assert trace.steps == 3
    assert "worn out" in trace.ended


def test_a_schedule_is_followed():
    trace = adapt(plain).run(F, START, 4, {"lr": "0.1/t", "beta": 0.0})
    x = START.copy()
    for t in range(1, 5):
        x = x - 0.1 / t * F.jac(x)
    np.testing.assert_allclose(trace.points[-1], x)


def test_names_of_others():
    assert numbers({"lr": 0.1, "betas": (0.9, 0.99), "nesterov": True}) == {"lr": 0.1, "beta1": 0.9, "beta2": 0.99}
    assert translated("momentum", ["beta"], {"momentum": 0.5}) == {"beta": 0.5}
    assert translated("rmsprop", ["beta", "momentum"], {"alpha": 0.9, "momentum": 0.0}) == {
        "beta": 0.9,
        "momentum": 0.0,
    }


def test_a_step_without_a_state_says_what_to_give():
    def step(x, g, state):
        return x - state.velocity["a"]["b"], state

    with pytest.raises(UsageError, match="give check_optimizer"):
        adapt(step)


# ---- libraries -----------------------------------------------------------------------------------------------------


def test_torch():
    torch = needs("torch")
    object_ = torch.optim.SGD([torch.zeros(3, requires_grad=True)], lr=0.1, momentum=0.9)
    for optimizer in (
        functools.partial(torch.optim.SGD, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), object_,
    ):  # fmt: skip
        adapted = adapt(optimizer)
        assert adapted.style == "torch"
        np.testing.assert_allclose(adapted.run(F, START, 5, {"lr": 0.1}).points, by_hand(), rtol=1e-12)


def test_torch_with_closures():
    torch = needs("torch")
    trace = adapt(torch.optim.LBFGS).run(F, START, 5, {"lr": 0.5})
    assert F.fun(trace.points[-1]) < 1e-3 * F.fun(START)


def test_optax():
    optax = needs("optax")
    for optimizer in (optax.sgd(0.1, momentum=0.9), lambda learning_rate: optax.sgd(learning_rate, momentum=0.9)):
        adapted = adapt(optimizer)
        settings = {"lr": 0.1} if "lr" in adapted.settable else {}
        np.testing.assert_allclose(adapted.run(F, START, 5, settings).points, by_hand(), rtol=1e-12)


@pytest.mark.slow
def test_keras():
    os.environ.setdefault("KERAS_BACKEND", "torch" if importlib.util.find_spec("torch") else "jax")
    keras = needs("keras")
    for optimizer in (keras.optimizers.SGD(0.1, momentum=0.9), keras.optimizers.SGD(momentum=0.9)):
        adapted = adapt(optimizer)
        np.testing.assert_allclose(adapted.run(F, START, 5, {"lr": 0.1}).points, by_hand(), rtol=1e-6)
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Lion"):
        report = sg.testing.check_optimizer(getattr(keras.optimizers, name), examples=3)
        assert report.ok, report


@pytest.mark.parametrize("method", ["BFGS", "CG", "L-BFGS-B", "Newton-CG", "SLSQP", "trust-exact"])
def test_scipy(method):
    done = adapt(method).solve(F, START, {})
    assert np.abs(done.x).max() < 1e-4
    assert done.values >= 1
