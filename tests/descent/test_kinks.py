"""Minima at which kinks cross: linear programs say how low the value gets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import symgd as sg

SIZES = st.tuples(st.integers(1, 5), st.integers(3, 12), st.integers(0, 10**6))


def draw(sizes):
    n, rows, seed = sizes
    draws = np.random.default_rng(seed)
    return draws.normal(size=(rows, n)), draws.normal(size=rows)


def least_absolute(A, b):
    """Minimize sum(abs(A @ w - b)): t >= +-(A w - b)."""
    rows, n = A.shape
    sides = np.block([[A, -np.eye(rows)], [-A, -np.eye(rows)]])
    cost = np.r_[np.zeros(n), np.ones(rows)]
    return linprog(cost, sides, np.r_[b, -b], bounds=[(None, None)] * n + [(0, None)] * rows).fun


def smallest_maximum(A, b):
    """Minimize max(abs(A @ w - b)): one t above all."""
    rows, n = A.shape
    ones = np.ones((rows, 1))
    sides = np.block([[A, -ones], [-A, -ones]])
    return linprog(np.r_[np.zeros(n), 1.0], sides, np.r_[b, -b], bounds=[(None, None)] * (n + 1)).fun


@pytest.mark.parametrize(
    ("text", "oracle"),
    [("sum(abs(A @ w - b))", least_absolute), ("max(abs(A @ w - b))", smallest_maximum)],
    ids=["least-absolute", "minimax"],
)
@given(sizes=SIZES)
@settings(max_examples=25)
def test_the_default_ends_where_a_linear_program_does(text, oracle, sizes):
    A, b = draw(sizes)
    run = sg.Objective(text, {"A": A, "b": b}).minimize({"w": np.zeros(A.shape[1])})
    lowest = oracle(A, b)
    assert run.value <= lowest + 1e-6 * (1 + lowest), run
    assert run.ok, run


@pytest.mark.parametrize("tier", ["python", "numba"])
@pytest.mark.parametrize("start", [(1, 1), (-2, 3), (4, 0)])
def test_a_kink_that_stops_quasi_newton(start, tier):
    run = sg.Objective("maximum(x, -2*x) + y**2", tier=tier).minimize(dict(zip("xy", map(float, start), strict=True)))
    assert run.ok, run
    assert run.kind == "kink_minimum"
    assert run.value == pytest.approx(0, abs=1e-9)


def test_a_run_that_is_taken_up_again_draws_the_same_slopes(tmp_path):
    A, b = draw((4, 9, 3))
    f = sg.Objective("sum(abs(A @ w - b))", {"A": A, "b": b})
    start = {"w": np.zeros(4)}
    whole = f.minimize(start, method="sampling")
    part = f.minimize(start, method="sampling", steps=whole.steps // 2)
    part.save(tmp_path / "run.npz")
    rest = f.resume(tmp_path / "run.npz", steps=10_000)
    assert np.array_equal(rest.point["w"], whole.point["w"])
    assert rest.steps == whole.steps
