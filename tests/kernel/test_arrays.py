"""Statements of NumPy: blocks of any size give what one block gives, and what NumPy gives."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest

import symgd as sg
from symgd.kernel import blas, blocks
from symgd.kernel.code import arrays

RNG = np.random.default_rng(7)
N = 11
DATA = {
    "X": RNG.normal(size=(N, 3)), "Y": RNG.normal(size=(N, 4)), "y": RNG.normal(size=N), "z": RNG.normal(size=N),
    "u": RNG.integers(0, 5, N), "v": RNG.integers(0, 4, N), "k": RNG.integers(0, 2, N).astype(bool),
    "S": RNG.normal(size=(N, 3, 2)),
}  # fmt: skip
POINT = {
    "a": 0.7, "b": -0.3, "w": RNG.normal(size=3), "q": RNG.normal(size=N), "W": RNG.normal(size=(3, 4)),
    "U": RNG.normal(size=(5, 2)), "V": RNG.normal(size=(4, 2)), "A": RNG.normal(size=(3, 3)), "r": RNG.normal(size=7),
}  # fmt: skip
# Each with the names that it reads: NumPy's meaning is that of the text itself.
FORMULAS = [
    "mean((y - (a*z + b))**2)",
    "mean((y - X @ w)**2) + a*sum(w**2)",
    "mean(log(1 + exp(X @ w + b)) - z*(X @ w + b))",
    "mean(log(sum(exp(X @ W), axis=1)) - sum(Y*(X @ W), axis=1))",
    "sum((Y - tanh(X @ W + b))**2)",
    "sum((tanh(X @ W) @ r[:4] - y)**2)",
    "sum((y - sum(U[u]*V[v], axis=1))**2) + a*sum(U**2)",
    "sum(w[u % 3]*y)",
    "log(sum(exp(y*a + z*b)))",
    "mean((y - mean(a*y))**2)/(1 + mean(z*b)**2)",
    "max(a*y) + min(b*z) + sum(maximum(y, a))",
    "prod(1 + a*y*0.1)",
    "sum(where(k, a*y, b*z))",
    "sum((y > 0)*(z > a)) + a*sum(k) + b*sum(y > z)",
    "sum(r[1:]*r[:-1]) + sum(r[::2]**3) + sum(r[::-1]*r)",
    "sum(q*y) + sum((q[1:] - q[:-1])**2)",
    "sum(outer(w, r)**2) + sum(w[:, None]*r[None, :]*a)",
    "sum(inv(A @ A.T + 3*eye(3)) @ w) + log(abs(det(A + 4*eye(3))))",
    "trace(A @ A) + w @ A @ w",
    "sum(A.T @ X.T @ X @ A)",
    "sum(cumsum(y*a)**2)",
    "sum(sum(S*w[None, :, None], axis=1)**2)",
    "mean(abs(y - a)**1.5)",
    "sum(exp(-(r[:, None] - r[None, :])**2))",
    "sum(sum(X*w, axis=1)**3)*a - b",
    "sum(A[0]*w) + A[1, 2]**2 + U[2, 1]*a",
    "std(a*y + b*z)",
    "log(sum(exp(concatenate([tanh(w)[v % 3], y])[1:]*a)))",
]


def names(formula):
    words = set(re.findall(r"[A-Za-z]\w*", formula))
    return {n: DATA[n] for n in DATA if n in words}, {n: POINT[n] for n in POINT if n in words}


def numbers(formula, monkeypatch, **sizes):
    """Give value, gradient, Hessian and a product, as blocks of some size compute them."""
    monkeypatch.setenv("SYMGD_CACHE", "off")
    for name, size in sizes.items():
        monkeypatch.setattr(arrays, name, size)
    data, point = names(formula)
    f = sg.Objective(formula, data=data, tier="python")
    x = f.vector(point)
    v = np.cos(np.arange(len(x)))
    hessian = f.hess(x)
    return f.value(point), f.jac(x), hessian, f.hessp(x, v), hessian @ v


@pytest.mark.parametrize("formula", FORMULAS)
def test_blocks_of_any_size_agree(formula, monkeypatch):
    whole = numbers(formula, monkeypatch)
    for size, least in ((1, 1), (4, 3)):
        cut = numbers(formula, monkeypatch, BLOCK=size, LEAST_ROWS=least)
        for a, b in zip(whole, cut, strict=True):
            # Sums are formed in another order: some roundings of the largest term.
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11 * max(1.0, np.max(np.abs(a))))
    np.testing.assert_allclose(whole[3], whole[4], rtol=1e-10, atol=1e-10 * max(1.0, np.max(np.abs(whole[2]))))


@pytest.mark.parametrize("formula", FORMULAS)
def test_values_are_numpys_and_slopes_their_differences(formula, monkeypatch):
    value, gradient, *_ = numbers(formula, monkeypatch)
    data, point = names(formula)
    order = sg.Objective(formula, data=data).params
    space = {n: getattr(np, n) for n in dir(np) if not n.startswith("_")} | {
        "inv": np.linalg.inv, "det": np.linalg.det, "abs": np.abs, "sum": lambda a, axis=None: np.sum(1.0 * a, axis)
    }  # fmt: skip

    def at(moved):
        return float(eval(formula, space | data | moved))

    assert value == pytest.approx(at(point), rel=1e-12)
    flat, place = gradient, 0
    for name, start in ((n, point[n]) for n in order):
        array = np.asarray(start, dtype=float)
        for index in np.ndindex(array.shape):
            h = 1e-6
            moved = []
            for sign in (1, -1):
                new = array.copy()
                new[index] += sign * h
                moved.append(at(point | {name: new if array.shape else float(new)}))
            # A central difference: its error is of order h**2 and eps/h.
            assert flat[place] == pytest.approx((moved[0] - moved[1]) / (2 * h), rel=2e-5, abs=2e-5)
            place += 1
    assert place == len(flat)


def test_places_are_added_to_as_often_as_they_are_named():
    out = np.zeros(50)
    blocks.scatter(out, np.array([3, 3, 49]), np.array([1.0, 2.0, 4.0]))  # few places of many
    assert out[[3, 49]].tolist() == [3.0, 4.0]
    rows = np.zeros((2, 3))
    blocks.scatter_rows(rows, np.array([1, 0, 1]), np.arange(9.0).reshape(3, 3))
    assert rows.tolist() == [[3, 4, 5], [6, 8, 10]]


def test_a_joined_logsumexp_keeps_infinities_and_nan():
    with np.errstate(invalid="ignore"):
        assert blocks.join(-np.inf, 0.0, np.array([-np.inf, -np.inf])) == (-np.inf, 2.0)
        assert blocks.join(0.0, 1.0, np.array([np.inf]))[0] == np.inf
        assert np.isnan(blocks.join(0.0, 1.0, np.array([np.nan]))[0])


@pytest.fixture
def library():
    found = blas._library()
    if found is None or found[0]() < 2:
        pytest.skip("NumPy's library is not OpenBLAS, or has one thread anyway")
    return found[0]


def test_products_run_in_one_thread_and_the_number_is_put_back(library):
    before = library()
    with blas.one_thread():
        with blas.one_thread():
            assert library() == 1
        assert library() == 1
    assert library() == before
    with pytest.raises(ZeroDivisionError), blas.one_thread():
        1 / 0
    assert library() == before


def test_the_last_thread_to_leave_puts_the_number_back(library):
    before, entered, first = library(), threading.Event(), threading.Event()

    def second():
        with blas.one_thread():
            entered.set()
            first.wait(10)

    other = threading.Thread(target=second)
    with blas.one_thread():
        other.start()
        assert entered.wait(10)
    assert library() == 1  # the other is still inside
    first.set()
    other.join(10)
    assert library() == before


def test_statements_of_numpy_ask_for_one_thread(library, monkeypatch):
    seen = []
    monkeypatch.setattr(blocks, "join", lambda *_: seen.append(library()) or (0.0, 1.0))
    f = sg.Objective("log(sum(exp(a*y)))", data={"y": DATA["y"]}, tier="python")
    f.value(a=0.3)
    assert seen == [1]


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int32", "int64"])
def test_places_of_any_whole_type(kind):
    u = np.arange(120).astype(kind)[::-1].copy()
    y = np.linspace(-1, 1, 120)
    f = sg.Objective("sum((y - sum(U[u]*U[u], axis=1))**2) + sum(C[u, 1, 2]*y)", data={"u": u, "y": y}, tier="python")
    point = {"U": RNG.normal(size=(120, 2)), "C": RNG.normal(size=(120, 2, 3))}
    U, where = point["U"], u.astype(int)
    inner = y - np.sum(U[where] ** 2, axis=1)
    slopes = f.gradient_at(point)
    expected = np.zeros((120, 2))
    expected[where] = (-4 * inner)[:, None] * U[where]
    np.testing.assert_allclose(slopes["U"], expected, rtol=1e-12)
    only = np.zeros((120, 2, 3))
    only[where, 1, 2] = y
    np.testing.assert_allclose(slopes["C"], only, rtol=1e-12)
