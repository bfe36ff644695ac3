import copy
import pickle
import subprocess
import sys
import unicodedata

import pytest
from effort import calls
from hypothesis import given
from hypothesis import strategies as st

from symgd.errors import DataError, FormulaError, SymgdError, UsageError, safe, suggest
from symgd.excerpts import WINDOW


def test_a_formula_error_shows_the_place():
    error = FormulaError("unknown function 'sinn'", "x + sinn(y)", 4, 8, "did you mean 'sin'?")
    assert str(error) == "unknown function 'sinn' at column 5\n  x + sinn(y)\n      ^^^^\ndid you mean 'sin'?"
    assert (error.problem, error.text, error.start, error.end) == ("unknown function 'sinn'", "x + sinn(y)", 4, 8)
    assert (error.line, error.column, error.hint) == (1, 5, "did you mean 'sin'?")


def test_the_hint_may_be_missing_and_the_place_at_the_end():
    assert str(FormulaError("too short", "x +", 3, 3)) == "too short at column 4\n  x +\n     ^"


def test_of_several_lines_the_one_of_the_place_is_shown():
    error = FormulaError("odd", "a +\r\n  b +\r\n  c", 8, 9)
    assert (error.line, error.column) == (2, 4)
    assert str(error) == "odd at line 2, column 4\n    b +\n     ^"
    wide = FormulaError("odd", "a(\nb", 1, 4)
    assert str(wide) == "odd at line 1, column 2\n  a(\n   ^"


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_an_empty_line_is_not_shown(text):
    error = FormulaError("the formula is empty", text, 0, 0, "write one")
    assert str(error).split("\n")[1:] == ["write one"]


def window(text, start, end):
    """Give the shown line and the part of it above the carets."""
    _, line, carets = str(FormulaError("odd", text, start, end)).split("\n")
    assert line[:2] == carets[:2] == "  "
    return line[2:], line[carets.index("^") : len(carets)]


@pytest.mark.parametrize("place", [0, 1, 40, 500, 960, 998, 999])
def test_a_long_line_is_shown_around_the_place(place):
    text = "".join(chr(ord("a") + index % 26) for index in range(1000))
    line, marked = window(text, place, place + 1)
    assert marked == text[place]
    assert line.removeprefix("...").removesuffix("...") in text
    assert WINDOW <= len(line) <= WINDOW + 6
    assert line.startswith("...") == (place > WINDOW // 2)
    assert line.endswith("...") == (place < 1000 - WINDOW // 2)


def test_carets_end_with_the_window():
    line, marked = window("x" * 1000, 100, 900)
    assert len(line) == WINDOW + 6
    assert set(marked) == {"x"}


def width(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@pytest.mark.parametrize(
    ("text", "before", "marked"),
    [
        ("日本 + !", "日本 + ", "^"),
        ("\u202e + !", r"\u202e + ", "^"),
        ("\x1b[2J!", r"\x1b[2J", "^"),
        ("a\u0302\u200b!", r"a\u0302\u200b", "^"),
        ("\ud800!", r"\ud800", "^"),
        ("\t!", " ", "^"),
        ("\U0001f984!", "\U0001f984", "^"),
        ("אב!", r"\u05d0\u05d1", "^"),
        ("\u3164!", r"\u3164", "^"),
        ("\U000e0001!", r"\U000e0001", "^"),
    ],
)
def test_the_caret_stays_under_its_character(text, before, marked):
    _, line, carets = str(FormulaError("odd", text, len(text) - 1, len(text))).split("\n")
    assert line == f"  {before}!"
    assert carets == " " * (2 + width(before)) + marked


def test_a_wide_or_escaped_character_gets_a_caret_a_column():
    assert str(FormulaError("odd", "日", 0, 1)).endswith("  日\n  ^^")
    assert str(FormulaError("odd", "\u202e", 0, 1)).endswith("  \\u202e\n  ^^^^^^")


def test_nothing_is_taken_for_a_format():
    assert str(FormulaError("%s {0}", "%d {x} %(y)s", 3, 6, "{hint} %s")) == (
        "%s {0} at column 4\n  %d {x} %(y)s\n     ^^^\n{hint} %s"
    )


@given(st.text(), st.text(), st.text(st.characters(categories=["Cc", "Cf", "Cs", "Lo", "Mn", "So", "Zs"])), st.data())
def test_no_text_is_echoed_raw(problem, hint, text, data):
    start = data.draw(st.integers(0, len(text)))
    error = FormulaError(problem, text, start, data.draw(st.integers(start, len(text))), hint)
    for character in str(error):
        assert character == "\n" or character.isprintable()
        assert unicodedata.category(character) not in ("Mn", "Me")
        assert unicodedata.bidirectional(character) not in ("R", "AL", "AN")
    # Whatever lines were in the text, the message has its own only.
    assert str(error).count("\n") <= 3


@pytest.mark.parametrize("remake", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_survive_copies_and_processes(remake):
    error = FormulaError("odd", "x\n\ud800", 2, 3, "none")
    again = remake(error)
    assert type(again) is FormulaError
    assert (again.problem, again.text, again.start, again.end, again.hint) == ("odd", "x\n\ud800", 2, 3, "none")
    assert (str(again), again.column) == (str(error), 1)
    assert str(remake(UsageError("lr must be positive; got -1"))) == "lr must be positive; got -1"


@pytest.mark.parametrize("kind", [UsageError, DataError, FormulaError])
def test_every_error_is_ours_and_a_value_error(kind):
    assert issubclass(kind, SymgdError)
    assert issubclass(kind, ValueError)


def test_the_place_of_a_huge_text_is_found_at_once():
    error = FormulaError("odd", "x\n" * 5_000_000, 200_001, 200_002)
    assert "line 100001, column 2" in str(error)
    assert calls(lambda: str(error)) < 2000


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("sinn", ["cos", "sin", "sinh"], "sin"),
        ("SIN", ["cos", "sin"], "sin"),
        ("learning_rte", ["lr", "learning_rate"], "learning_rate"),
        ("Beta1", ["beta1", "beta2"], "beta1"),
        ("x1", ["X1", "x2"], "X1"),
        ("zzz", ["sin", "cos"], None),
        ("", ["sin"], None),
        ("x", [], None),
        ("a" * 10_000, ["a" * 10_000], None),
    ],
)
def test_suggestions(name, known, found):
    assert suggest(name, known) == found
    assert suggest(name, iter(known)) == found


@pytest.mark.parametrize("name", ["a" * 32, "ab" * 16, "x" * 32 + "y", "aaaa"])
def test_a_suggestion_takes_bounded_time(name):
    known = [name[: 20 + index % 12] + str(index) for index in range(100_000)]
    assert calls(lambda: suggest(name, known)) < 300_000


def test_the_name_meant_is_found_among_many():
    assert suggest("temprature", [f"column{index}" for index in range(5_000)] + ["temperature"]) == "temperature"


class Rude:
    def __repr__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x + y", "x + y"),
        ("a\nb\t\x1b[0m", r"a\nb\t\x1b[0m"),
        ("\u202e\ud800", r"\u202e\ud800"),
        ("%s{}", "%s{}"),
        (3.5, "3.5"),
        (None, "None"),
        (Rude(), "<Rude instance at"),
        ([0] * 10**6, "[0, 0, 0, 0, 0, 0, ...]"),
        ("λ日", "λ日"),
    ],
    ids=range(9),
)
def test_safe_shows_anything(value, shown):
    assert safe(value).startswith(shown)
    assert len(safe(value)) <= 60


def test_safe_cuts_long_texts():
    assert safe("x" * 61) == "x" * 57 + "..."
    assert safe("x" * 60) == "x" * 60
    assert safe("\u202e" * 10**6, limit=10) == r"\u202e\..."
    assert safe(10**5000) == "<int>"


def test_a_notebook_shows_the_lines_of_a_formula_error_and_no_frames():
    error = FormulaError("unknown function 'sinn'", "x + sinn(y)", 4, 8, "did you mean 'sin'?")
    shown = "\n".join(error._render_traceback_())
    assert shown == f"FormulaError: {error}"
    assert shown.count("\n") == 3


def test_packages_are_there_when_first_asked_for():
    code = (
        "import sys, symgd as sg; assert 'matplotlib' not in sys.modules; assert sg.plotting.__name__ == "
        "'symgd.plotting'; assert sg.curvature.__name__ == 'symgd.curvature'; assert 'plotting' in dir(sg)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
