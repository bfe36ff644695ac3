"""Poles: denominators are found, and ways across a pole told from ways across a removable zero."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.graph import poles


def sides(text, **options):
    model = sg.Objective(text, **options).model
    return model.poles


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x + y", 0), ("1/(1 + x**2)", 0), ("1/(1 + exp(-x))", 0), ("x/2", 0), ("1/exp(x)", 0), ("1/x + y", 1),
        ("y/(x**2*(y - 1))", 2),
        ("x**-3", 1), ("tan(x)", 1), ("1/abs(x - y)", 1),
    ],
)  # fmt: skip
def test_denominators_that_may_be_nothing(text, count):
    found = sides(text)
    assert len(found.nodes) + len(found.waves) == count
    assert bool(found) == (count > 0)


def test_rows_of_data_are_left_alone():
    assert not sides("mean((y - a/(b + x))**2)", data={"x": np.ones(4), "y": np.ones(4)})


@settings(max_examples=60, deadline=None)
@given(
    pole=st.floats(-5, 5), order=st.integers(1, 3), size=st.floats(1e-6, 1e6), low=st.floats(0.01, 100),
    high=st.floats(0.01, 100),
)  # fmt: skip
def test_a_pole_between_two_points_is_seen(pole, order, size, low, high):
    f = sg.Objective(f"s/(x - p)**{order} + x", data={"s": size, "p": pole}, tier="python")
    kernel = f.kernel()
    a, b = np.array([pole - low]), np.array([pole + high])
    assert poles.between(kernel.value, kernel.sides, a, b)
    assert not poles.between(kernel.value, kernel.sides, a, np.array([pole - 2 * low]))


@settings(max_examples=40, deadline=None)
@given(zero=st.floats(-5, 5), low=st.floats(0.01, 3), high=st.floats(0.01, 3))
def test_a_numerator_that_is_nothing_too_makes_no_pole(zero, low, high):
    f = sg.Objective("(exp(x - z) - 1)*exp(-x**2/1e4)/sin(x - z) + x", data={"z": zero}, tier="python")
    kernel = f.kernel()
    assert not poles.between(kernel.value, kernel.sides, np.array([zero - low]), np.array([zero + high]))


def test_tangents():
    kernel = sg.Objective("tan(x) + y", tier="python").kernel()
    assert poles.between(kernel.value, kernel.sides, np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    assert not poles.between(kernel.value, kernel.sides, np.array([-1.0, 0.0]), np.array([1.0, 0.0]))
