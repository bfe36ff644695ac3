"""Generated code as data: what the printers make of it."""

import math
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgd.kernel.code import Argument, Text, closure, source
from symgd.kernel.code.forms import (
    At,
    Call,
    Choice,
    Function,
    Name,
    Negated,
    Not,
    Number,
    Operation,
    Return,
    Sum,
    of,
)
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.python import Python
from symgd.kernel.machine import compile as native

needs_compiler = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def shown(expression, printer=Python):
    return printer(Function("f", (), ("number",), "main", ())).show(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (of("a") - (of("b") - "c"), "a - (b - c)"),
        (of("a") - "b" - "c", "a - b - c"),
        ((of("a") + "b") * "c", "(a + b)*c"),
        (of("a") / (of("b") * "c"), "a / (b*c)"),
        (Negated(of("a") * "b"), "-(a*b)"),
        (Sum([(of("a"), True), (of("b") + "c", False), (Number(2.0), True)]), "-a + (b + c) - 2.0"),
        (Not((of("a") < "b") | (of("c") < 1.0)), "not (a < b or c < 1.0)"),
        ((of("a") < "b") & (of("c").is_("d") | (of("e") > 0)), "a < b and (c == d or e > 0)"),
        (Choice(of("a") < 0.0, Choice("b", 1.0, 2.0), Choice("c", 3.0, 4.0)),
         "(1.0 if b else 2.0) if a < 0.0 else 3.0 if c else 4.0"),
        (At("x", of("i") + 1, "j"), "x[i + 1, j]"),
        (Call("divide", "a", of("b") + 1.0), "div(a, b + 1.0)"),
        (Number(math.inf) * Number(-1.0), "1e999*-1.0"),
    ],
)  # fmt: skip
def test_brackets_stand_where_they_are_needed(expression, expected):
    assert shown(expression) == expected


NAMES = st.sampled_from("abc").map(Name)
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from([-2.0, 0.0, 0.5, 3.0]).map(Number),
    lambda inner: st.one_of(
        st.builds(Operation, st.sampled_from("+-*"), inner, inner),
        st.builds(Negated, inner),
        st.builds(Sum, st.lists(st.tuples(inner, st.booleans()), min_size=1, max_size=4)),
        st.builds(lambda s, a, b, c, d: Choice(Operation(s, a, b), c, d), st.sampled_from(["<", "<=", "==", "!="]),
                  *[inner] * 4),
    ),
    max_leaves=25,
)  # fmt: skip


def value_of(e, space):
    if isinstance(e, Number):
        return e.value
    if isinstance(e, Name):
        return space[e.name]
    if isinstance(e, Negated):
        return -value_of(e.a, space)
    if isinstance(e, Sum):
        total = None
        for term, minus in e.terms:
            x = value_of(term, space)
            total = (-x if minus else x) if total is None else total - x if minus else total + x
        return total
    if isinstance(e, Choice):
        return value_of(e.yes if value_of(e.test, space) else e.no, space)
    a, b = value_of(e.a, space), value_of(e.b, space)
    return {"+": a + b, "-": a - b, "*": a * b, "<": a < b, "<=": a <= b, "==": a == b, "!=": a != b}[e.sign]


def machine_code(*statements, arguments, result=("number",)):
    """Compile statements, strictly: a product and a sum would be rounded together."""
    text = LLVM.text(Function("f", tuple(arguments), tuple(result), "main", statements))
    return native.compile_function([text], "f", strict=True)


@given(EXPRESSIONS, st.tuples(*[st.floats(-4, 4)] * 3))
def test_what_is_printed_means_what_the_tree_means(expression, point):
    space = dict(zip("abc", point, strict=True))
    expected = value_of(expression, space)
    assert eval(shown(expression), {}, space) == expected  # a text that the test made
    assert (
        machine_code(Return((expression,)), arguments=[Argument(name, "number") for name in "abc"])(*point) == expected
    )


def test_only_what_is_called_is_loaded():
    texts = [Text(n, (), ("number",), "main", c, "") for n, c in [("a", ("b", "exp")), ("b", ()), ("c", ("a",))]]
    assert [f.name for f in closure(texts, "a")] == ["a", "b"]
    assert [f.name for f in closure(texts, "c")] == ["a", "b", "c"]


def test_a_function_is_its_heading_and_its_body():
    function = Function("f", (Argument("a", "number"),), ("number",), "main", (Return((Call("exp", "a"),)),))
    text = Python.text(function)
    assert source([text]) == "def f(a):\n    return exp(a)\n"
    assert text.calls == ("exp",)
