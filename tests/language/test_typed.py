"""Texts put together have the tree, and each node the place, that reading them anew would give."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgd import Objective
from symgd import language as fm
from symgd.fitting.rows import minus, name_of, over, squared, total
from symgd.language import Typed, parse, walk
from symgd.language.tree import moved

TEXTS = [
    "a", "α", "1", "-1", "a - b", "a*exp(-b*x) # comes to 0", "x[1:, None, ..., ::2]", "sum(w, axis=(0, 1)).T @ b",
    "where(~(x > 0) & (y <= 1), a if True else b, 2.5e3)" .replace("a if True else b", "maximum(a, b)"),
    " a  +\n b ", "einsum('ij,j->i', A, b)", "sum(x, keepdims=True)", "not x > 0", "2**-x**2", "(a)",
]  # fmt: skip


def typed(text):
    return Typed(text, parse(text))


def said(tree):
    """Trees compare without their places: here with them."""
    return [(repr(node), node.start, node.end) for node in walk(tree)]


@given(a=st.sampled_from(TEXTS), b=st.sampled_from(TEXTS), c=st.sampled_from(TEXTS))
def test_what_is_put_together_is_what_would_be_read(a, b, c):
    residual = minus(typed(a), typed(b))
    for made in (residual, over(residual, name_of("unit")), total(squared(over(residual, typed(c).enclosed())))):
        assert said(made.tree) == said(parse(str(made)))


@given(text=st.sampled_from(TEXTS), by=st.integers(0, 9))
def test_moved_trees_are_those_of_a_text_with_more_before_it(text, by):
    assert said(moved(parse(text), by)) == said(parse(" " * by + text))


def test_the_deepest_nesting_can_be_moved():
    deepest = 1
    while deepest < 10_000:
        text = "sin(" * (deepest + 1) + "x" + ")" * (deepest + 1)
        try:
            tree = parse(text)
        except fm.FormulaError:
            break
        deepest += 1
        assert moved(tree, 1).start == 1
    assert deepest > 50


def test_an_objective_of_a_text_that_was_read_is_that_of_the_text():
    made = total(squared(minus(typed("y"), typed("a*x"))))
    f = Objective(made, {"x": [1.0, 2.0], "y": [2.0, 5.0]})
    assert type(f.text) is str
    assert f.text == "sum((y - (a*x))**2)"
    assert f.value(a=2.0) == pytest.approx(1.0)
    assert pickle.loads(pickle.dumps(f)).value(a=2.0) == f.value(a=2.0)
