"""Names in backquotes."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import symgd as sg
from symgd import language as fm

LABELS = st.text(st.characters(exclude_characters="`", exclude_categories=("C",)), min_size=1, max_size=60)


@given(LABELS)
def test_what_stands_for_a_name_is_one_and_tells_it(label):
    name = fm.quoted(label)
    assert fm.check_name(name) == name
    if len(label) <= 5:
        assert fm.unquoted(name) == label
        assert fm.written(name) == f"`{label}`"


@given(LABELS, LABELS)
def test_different_names_have_different_ones(one, other):
    assert (fm.quoted(one) == fm.quoted(other)) == (one == other)


@given(LABELS)
def test_a_name_in_backquotes_is_read_as_one_name(label):
    assume(not label.strip().startswith("__"))  # refused, quoted or not
    try:
        expected = fm.check_name(label)
    except ValueError:
        expected = fm.quoted(label)
    assert list(fm.names(fm.parse(f"2*`{label}`**2 + 1", declared={expected}))) == [expected]


def test_what_needs_no_backquotes_may_have_them():
    assert list(fm.names(fm.parse("`x`*λ + `λ`"))) == ["x", "lambda_"]


def test_backquotes_that_are_never_closed_are_told():
    with pytest.raises(sg.FormulaError, match="backquotes stand around the name of a column"):
        fm.parse("2*`frequency (Hz) + 1")
