"""Generated code as data: what the printers make of it."""

import ctypes
import math
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.graph import Leaf, calculus, reachable
from symgd.kernel.code import Argument, Text, closure, source
from symgd.kernel.code.c import C, MissingError
from symgd.kernel.code.forms import (
    Assign,
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
from symgd.kernel.code.functions import Function as Planned
from symgd.kernel.code.functions import Output
from symgd.kernel.code.layout import layout
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.python import Python
from symgd.kernel.code.writer import Writer
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


# ---- C -------------------------------------------------------------------------------------------------------------


def slope_of(text):
    """Give the records of a formula's value and gradient."""
    objective = sg.Objective(text, tier="python")
    graph, root = objective.model.grouped
    slope = calculus.gradient(graph, root)
    leaves = [n for n in reachable([root, *(e.node for e in slope.entries)]) if isinstance(n, Leaf)]
    output = Output((root,), slope.entries, vector=True)
    writer = Writer()
    Planned("slope", layout(objective.params, leaves), output, graph.store.lengths).write(writer)
    (function,) = writer.functions
    return objective, function


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("c")

    def run(function, name, point):
        path = folder / f"{name}.c"
        path.write_text(C.source(function))
        library = path.with_suffix(".so")
        command = ["gcc", "-O1", "-ffp-contract=off", "-Wall", "-Wno-parentheses", "-Werror", "-shared", "-fPIC"]
        subprocess.run([*command, str(path), "-o", str(library), "-lm"], check=True, capture_output=True)
        call = ctypes.CDLL(str(library)).slope
        call.argtypes = [ctypes.c_double] * len(point) + [ctypes.POINTER(ctypes.c_double)]
        call.restype = None
        found = (ctypes.c_double * len(function.result))()
        call(*point, found)
        return list(found)

    return run


FORMULAS = [
    "0.2*x1**2 + x2**2 - 3*x1*x2",
    "exp(-a**2)*sin(b) + log(1 + a**2)/sqrt(2 + cos(b))",
    "relu(a)**2 + abs(b) + maximum(a, b)*minimum(a, 1) + where(a > b, a**3, -b)",
    "(a**2 + 1)**1.5 + (b**2 + 1)**(a/2) + 1/(2 + b)**3 + hypot(a, b)",
    "tanh(a)*erf(b) + arctan2(a, 2) + softplus(a - b) + sigmoid(a)",
]


@needs_compiler
@pytest.mark.parametrize("text", FORMULAS)
def test_c_computes_what_python_does(text, compiled):
    objective, function = slope_of(text)
    for seed in range(3):
        point = np.random.default_rng(seed).uniform(-1.9, 1.9, len(objective.params))
        f, g = objective.kernel().slope(point)
        # The same operations in the same order; C's sigmoid and softplus take others, within an ulp or two of them.
        assert compiled(function, f"f{abs(hash(text))}_{seed}", point) == pytest.approx([f, *g], rel=1e-14, abs=1e-15)


OPERATIONS = ["({a} + {b})", "({a} - {b})", "{a}*{b}", "{a}/(3 + {b}**2)", "sin({a})", "exp(-{a}**2)",
              "sqrt(1 + {a}**2)", "tanh({a})", "abs({a})", "maximum({a}, {b})", "where({a} > {b}, {a}, {b})", "-{a}",
              "({a})**3"]  # fmt: skip


@needs_compiler
@settings(max_examples=12)
@given(st.data())
def test_c_agrees_on_random_formulas(compiled, data):
    text = "a"
    for _ in range(data.draw(st.integers(1, 7))):
        other = data.draw(st.sampled_from(["a", "b", "0.5", "(a - b)"]))
        text = data.draw(st.sampled_from(OPERATIONS)).format(a=text, b=other)
    objective, function = slope_of(f"{text} + 0*b + a*b")
    point = data.draw(st.lists(st.floats(-2, 2), min_size=2, max_size=2))
    f, g = objective.kernel().slope(np.array(point))
    expected = np.array([f, *g])
    scale = 1e-12 * (1 + np.abs(expected[np.isfinite(expected)]).max(initial=0))  # the slope is a sum of larger terms
    try:
        found = compiled(function, f"r{abs(hash(text))}", point)
    except MissingError:
        reject()  # a derivative took a function that C does not have
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=scale)


def test_what_c_cannot_say_yet_is_told():
    with pytest.raises(MissingError, match="the function 'digamma'"):
        C.source(slope_of("a*digamma(a)")[1])
    function = Function("f", (Argument("w", "float64"),), ("number",), "main", (Return((At("w", 0),)),))
    with pytest.raises(MissingError, match="an argument that is an array"):
        C.source(function)


def test_c_has_no_loops_yet():
    body = (Assign((Name("a"), Name("b")), (Number(1.0), Number(2.0))), Return((Name("a"),)))
    with pytest.raises(MissingError, match="a statement of the kind 'Assign'"):
        C.source(Function("f", (), ("number",), "main", body))
