"""Values and gradients at many points, against those at single points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import symgd as sg

X = np.linspace(-2, 2, 7)
LINE = sg.Objective("mean((y - (w*x + b))**2)", {"x": X, "y": 2 * X + 1}, {"w": (), "b": ()})
FORMULAS = [
    sg.Objective("sin(x)*sin(y) + x"),
    sg.Objective("softplus(x) + relu(y)**2 + lgamma(1 + x**2)"),
    sg.Objective("0*x + 3 + 0*y", params=["x", "y"]),
    LINE,
    sg.Objective("log(sum(exp(u*v*x + v)))", {"x": X}, {"u": (), "v": ()}),
]
NUMBERS = st.floats(-3, 3, allow_subnormal=False)


@given(st.sampled_from(FORMULAS), st.data())
@settings(deadline=None, max_examples=60)
def test_a_grid_is_what_its_points_are(f, data):
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=4, min_side=1))
    arrays = [data.draw(hnp.arrays(float, shape or (1,), elements=NUMBERS)) for shape in shapes.input_shapes]
    columns = np.broadcast_arrays(*arrays)
    points = list(zip(*(c.ravel() for c in columns), strict=True))
    found, slope = f.value(dict(zip(f.params, arrays, strict=True))), f.gradient_at(arrays)
    assert found.shape == columns[0].shape
    np.testing.assert_allclose(found.ravel(), [f.value(list(p)) for p in points], rtol=1e-12, atol=1e-12)
    for name in f.params:
        each = [f.gradient_at(list(p))[name] for p in points]
        np.testing.assert_allclose(slope[name].ravel(), each, rtol=1e-11, atol=1e-12)


def test_lambdify_takes_what_numpy_broadcasts():
    f = sg.Objective("x**2 + y")
    value, both = f.lambdify(), f.lambdify("slope")
    assert value(2, 1) == 5.0
    np.testing.assert_array_equal(value(np.array([[1.0], [2.0]]), [0, 1]), [[1, 2], [4, 5]])
    found, by_x, by_y = both(np.array([1.0, 3.0]), 0.0)
    np.testing.assert_array_equal([found, by_x, by_y], [[1, 9], [2, 6], [1, 1]])


def test_axes_before_those_of_a_parameter_are_a_grid():
    f = sg.Objective("sum((A @ w - 1)**2)", {"A": np.eye(3)}, {"w": 3})
    many = np.arange(24.0).reshape(2, 4, 3)
    np.testing.assert_allclose(f.value(w=many), ((many - 1) ** 2).sum(-1))
    np.testing.assert_allclose(f.gradient_at(w=many)["w"], 2 * (many - 1))
    assert isinstance(f.value(w=many[0, 0]), float)


def test_a_point_that_could_be_an_array_stays_one():
    f = sg.Objective("mean((y - w)**2)", {"y": X})
    assert f.value(w=np.zeros(7)) == pytest.approx(np.mean(X**2))
    assert f.with_shapes({"w": ()}).value(w=np.zeros(7)).shape == (7,)


def test_meshes_are_grids_whatever_the_number_of_rows():
    f = sg.Objective("mean((y - (w*x + b))**2)", {"x": X, "y": X}, params=["w", "b"])
    w, b = np.meshgrid(np.linspace(-1, 1, 7), np.linspace(0, 1, 5))
    np.testing.assert_allclose(f.value(w=w, b=b), ((X - w[..., None] * X - b[..., None]) ** 2).mean(-1), atol=1e-14)


def test_many_rows_and_points_fit_into_memory():
    x = np.linspace(-1, 1, 50_000)
    f = sg.Objective("mean((y - w*x)**2)", {"x": x, "y": x}, {"w": ()})
    np.testing.assert_allclose(f.value(w=[0.0, 1.0, 3.0]), np.mean(x**2) * np.array([1.0, 0.0, 4.0]), atol=1e-13)


def test_shapes_that_do_not_fit_are_told():
    with pytest.raises(sg.FormulaError, match=r"'x' has the shape \(2,\), 'y' has the shape \(3,\)"):
        sg.Objective("x + y").value(x=[1, 2], y=[1, 2, 3])
