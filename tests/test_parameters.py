"""Where the numbers of parameters lie in the flat vector, and what they are called."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgd.parameters import Shapes, flat_of

SHAPES = st.lists(st.lists(st.integers(1, 4), max_size=3).map(tuple), max_size=5)


@given(SHAPES)
def test_splitting_and_joining_are_inverse(sizes):
    shapes = Shapes([f"p{i}" for i in range(len(sizes))], sizes)
    x = np.arange(float(shapes.size))
    parts = shapes.values_of(x)
    assert [np.shape(v) for v in parts.values()] == sizes
    np.testing.assert_array_equal(shapes.join(dict(reversed(parts.items()))), x)
    np.testing.assert_array_equal(flat_of(parts.values()), x)
    assert all(part.base is None for part in parts.values() if isinstance(part, np.ndarray))
    rows = np.stack([x, 2 * x + 1])
    for name, part in shapes.split(rows).items():
        np.testing.assert_array_equal(part[0], parts[name])
        np.testing.assert_array_equal(part[1], 2 * np.asarray(parts[name]) + 1)


@given(SHAPES)
def test_each_number_has_the_name_that_finds_it(sizes):
    shapes = Shapes([f"p{i}" for i in range(len(sizes))], sizes)
    parts = shapes.values_of(np.arange(float(shapes.size)))
    assert len(shapes.names) == shapes.size
    assert [eval(name, {}, parts) for name in shapes.names] == list(range(shapes.size))
    assert [shapes.starts[name] for name in shapes] == [min(np.ravel(part), default=0) for part in parts.values()]


def test_shapes_are_a_mapping_that_travels():
    shapes = Shapes(["w", "b"], [(2, 3), ()])
    assert shapes == {"w": (2, 3), "b": ()} == pickle.loads(pickle.dumps(shapes))
    assert Shapes.of(shapes) is shapes
    assert Shapes(["a", "b"]) == {"a": (), "b": ()}
    assert Shapes([]).size == 0
    assert Shapes([]).join({}).shape == (0,)
    with pytest.raises(ValueError, match="zip"):
        Shapes(["a"], [(), ()])
