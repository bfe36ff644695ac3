"""The table of functions: every row against NumPy and SciPy, against SymPy, and against jets, in both tiers."""

import math
import re
from itertools import product

import mpmath as mp
import numpy as np
import oracles
import pytest
import sympy
from inside import INSIDE, INSIDE_TWO

from symgd import Objective
from symgd.graph import Graph, instantiate
from symgd.language import parse, scalar
from symgd.language.functions import FUNCTIONS, find, names
from symgd.views import to_sympy

ROWS = [row for row in FUNCTIONS.values() if row.kind in ("map", "alias")]
REDUCTIONS = [row for row in FUNCTIONS.values() if row.kind == "reduction"]  # those of arrays: see test_arrays
ARGUMENTS = "abc"

# Where functions change their mind: ends of domains, zeros, kinks, overflow, and what is no number.
SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    1e-9,
    -1e-9,
    20.0,
    -20.0,
    0.3,
    3.7,
    100.5,
    -100.5,
    750.0,
    -750.0,
    1e300,
    -1e300,
    1e-300,
    math.inf,
    -math.inf,
    math.nan,
]
# These are derivatives of others: their own first derivative enters third derivatives only, which nothing asks for.
THIRD = (
    "millsrest", "sincslope", "exprelbend", "expm1invbend", "log1prelbend", "sinhslope", "tanhslope", "sinrestslope",
    "boxcoxbend",
)  # fmt: skip
DEFAULT = [-2.7, -0.3, 1e-3, 0.7, 3.3]


def call(row, arguments=ARGUMENTS):
    return f"{row.name}({', '.join(arguments[: row.least])})"


def values(row):
    singles = SPECIAL if row.least < 3 else [0.0, 1.0, -1.0, 2.5, math.inf, -math.inf, math.nan]
    if row.name == "polygamma":
        return product([0.0, 1.0, 2.0, 7.0], SPECIAL)
    if row.name in ("boxcoxslope", "boxcoxbend"):  # derivatives, which are asked for inside of the domain
        return product([0.0, 0.3, 1.0, 2.0, 30.0], [0.0, 1e-9, 0.5, -0.5, 2.0, -3.0])
    return product(singles, repeat=row.least)


def inside(row):
    if row.least == 1:
        return [(x,) for x in INSIDE.get(row.name, DEFAULT)]
    if row.least == 2:
        return INSIDE_TWO.get(row.name, [(0.3, 2.0), (-3.0, 1.7), (2.0, -0.4)])
    return [(0.3, -0.5, 2.0), (5.0, -0.5, 2.0), (-5.0, -0.5, 2.0)]


def same(a, b, digits=1e-14):
    """Equal to 1e-14, the few units in the last place by which libraries of mathematical functions differ."""
    if digits == math.inf:
        return True
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= digits * max(abs(a), abs(b)) or max(abs(a), abs(b)) < 1e-300


def numpy_of(row, point):
    space = {"np": np, "special": oracles.special, **dict(zip(ARGUMENTS, map(np.float64, point), strict=False))}
    with np.errstate(all="ignore"):
        return float(eval(row.numpy, space))


def test_every_name_leads_to_its_row():
    for name in names():
        row = find(name)
        assert name == row.name or name in row.aliases
        assert FUNCTIONS[row.name] is row


def test_names_are_given_once():
    given = [n for row in FUNCTIONS.values() for n in (row.name, *row.aliases)]
    assert len(given) == len(set(given))


@pytest.mark.parametrize("row", FUNCTIONS.values(), ids=lambda row: row.name)
def test_every_row_is_reached_from_a_formula(row):
    for name in (row.name, *row.aliases):
        assert parse(f"{name}({', '.join(ARGUMENTS[: row.least])})").function == row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_value_is_numpys(row):
    f = Objective(call(row), params=tuple(ARGUMENTS[: row.least]), tier="python")
    wrong = {}
    for point in values(row):
        if row.name in ("xlogy", "xlog1py") and point[0] == 0 and math.isnan(point[1]):
            continue  # 0 here, nan in SciPy
        found, wanted = f.fun(point), numpy_of(row, point)
        if not same(found, wanted, accuracy(row, point)):
            wrong[point] = found, wanted
    assert not wrong


def accuracy(row, point):
    if row.name == "millsrest":
        return math.inf if point[0] > 1e9 else 1e-14 * (2 + point[0] * point[0])  # what its NumPy form loses
    if row.name in THIRD or row.name in ("exprelslope", "expm1invslope", "log1prelslope", "sinrest", "boxcoxslope"):
        return 1e-12  # the plain formulas lose digits near 0, and mpmath looks closer below
    if row.name in ("gamma", "factorial", "polygamma") and max(map(abs, point)) > 20:
        return 1e-12  # SciPy's own error: its gamma(100.5) is off by 100 units in the last place
    if row.name in ("digamma", "lgamma", "gelu", "logaddexp2", "sinc", "power"):
        return 1e-13  # likewise, of the order of 10 units
    return 1e-14


def oracle_text(row):
    return row.definition if row.kind == "alias" else call(row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_derivatives_are_those_of_the_jet(row):
    """Value, gradient and Hessian against 60 digits, relative: what a row loses, nothing above it can restore."""
    params = tuple(ARGUMENTS[: row.least])
    text = {"add": "a + b", "multiply": "a*b", "divide": "a/b", "power": "a**b"}.get(row.name)
    if row.boolean:
        text = f"where({call(row)}, 1, 0)"
    f = Objective(text or call(row), params=params, tier="python")
    for point in inside(row):
        if row.name == "logical_not" or row.name.startswith("logical_"):
            continue
        wanted = jet_of(row, params, point)
        found = f.gradient_at(point)
        hessian = f.hessian_at(point)
        assert oracles.error(f.fun(point), wanted.v) < 2e-14, point
        for i, a in enumerate(params):
            if row.name in THIRD:
                continue
            if row.name == "polygamma" and a == "a":
                continue
            # Ten more units: a derivative is a product of several functions.
            assert oracles.error(found[a], wanted.g.get(a, 0)) < 1e-13, (a, point)
            for j, b in enumerate(params[: i + 1]):
                if row.name != "polygamma" or b != "a":
                    check_second(row, hessian[i, j], wanted, (b, a), point)


def check_second(row, found, wanted, pair, point):
    exact, bound = wanted.h.get(pair, mp.mpf(0)), wanted.eh.get(pair, 0)
    # A second derivative may pass through 0 by cancellation (that of erf at 0): then the terms' size counts.
    close = abs(found - exact) <= 20 * oracles.EPS * bound
    assert oracles.error(found, exact) < 1e-12 or close, (pair, point, found, exact)


def jet_of(row, params, point):
    text = {"add": "a + b", "multiply": "a*b", "divide": "a/b", "power": "a**b"}.get(row.name)
    comparisons = {
        "greater": ">",
        "greater_equal": ">=",
        "less": "<",
        "less_equal": "<=",
        "equal": "==",
        "not_equal": "!=",
    }
    if row.name in comparisons:
        text = f"where(a {comparisons[row.name]} b, 1, 0)"
    text = text or (row.definition if row.kind == "alias" else call(row))
    if row.name == "where":
        text = "where(a != 0, b, c)"
    digits = 400 if max(map(abs, point)) > 100 or row.name in ("erfc", "sigmoid", "tanh") else 60
    if row.name in ("hypot", "arctan2"):
        digits = 60
    if row.name == "polygamma":
        return oracles.exact(f"polygamma({point[0]}, b)", {"b": point[1]}, digits=digits, largest=math.inf)
    point = dict(zip(params, point, strict=True))
    return oracles.exact(text, point, digits=digits, largest=math.inf)


@pytest.mark.parametrize("row", [r for r in ROWS if r.partials and r.sympy], ids=lambda row: row.name)
def test_partials_are_those_of_sympy(row):
    """Where the table spells derivatives out, they are the derivatives: both to 50 digits at points of the domain."""
    if row.boolean or row.name in (
        "sign",
        "floor",
        "ceil",
        "mod",
        "floor_divide",
        "where",
        "relu",
        "maximum",
        "minimum",
        "abs",
    ):
        pytest.skip("not differentiable in SymPy, which gives DiracDelta and the like; jets test these")
    symbols = sympy.symbols(f"a:{'bc'[:1]}", real=True) if False else sympy.symbols("a b c", real=True)[: row.least]
    graph = Graph().tidy
    leaves = {s.name: graph.leaf("parameter", s.name) for s in symbols}
    leaves["y"] = graph.map(row.name, *leaves.values())
    for index, (text, symbol) in enumerate(zip(row.partials, symbols, strict=True)):
        if row.name == "polygamma" and index == 0:
            continue
        ours = to_sympy(instantiate(graph, text, leaves))
        theirs = sympy.diff(row.sympy(sympy, *symbols), symbol)
        for point in inside(row):
            exact = [sympy.Rational(x) for x in point]
            a, b = (evaluate(e, symbols, exact) for e in (ours, theirs))
            assert abs(a - b) <= mp.mpf("1e-14") * abs(b), (text, point)


def evaluate(expression, symbols, point):
    with mp.workdps(400):  # SymPy's form may need hundreds of digits more than ours
        return mp.mpf(
            sympy.lambdify(symbols, expression, [{"DiracDelta": lambda *a: 0}, "mpmath"])(
                *(mp.mpf(x.p) / x.q for x in point)
            )
        )


# ---- compiled --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both():
    """All rows in one objective, each times a parameter of its own: the derivative by it is the row's value."""
    terms, params = [], []
    for number, row in enumerate(ROWS):
        own = [f"x{number}_{k}" for k in range(row.least)]
        terms.append(f"c{number}*{call(row, own)}")
        params += [f"c{number}", *own]
    text = " + ".join(terms)
    return [Objective(text, params=params, tier=tier) for tier in ("python", "numba")], params


def stacked(params, choose):
    point = []
    for row in ROWS:
        point += [1.0, *choose(row)]
    assert len(point) == len(params)
    return np.array(point)


@pytest.mark.parametrize("turn", range(5))
def test_compiled_values_and_derivatives_are_those_of_plain_python(both, turn):
    (plain, compiled), params = both
    x = stacked(params, lambda row: inside(row)[turn % len(inside(row))])
    # Slopes of what is itself a second derivative cancel near 0, and are not asked for: they enter third derivatives.
    near = {row.name for row in ROWS if any(re.search(rf"\b{name}\(", text) for text in row.partials for name in THIRD)}
    check_alike(params, plain.jac(x), compiled.jac(x), {key for key in params if key[0] == "x" and of(key) in THIRD})
    # polygamma by its order, and kinks, aside, the Hessian times ones holds every second derivative.
    ones, apart = np.ones(len(x)), {key for key in params if of(key) in THIRD or (key[0] == "x" and of(key) in near)}
    check_alike(params, plain.hessp(x, ones), compiled.hessp(x, ones), apart, 1e-12)  # sums of two terms may cancel


def of(key):
    return ROWS[int(key[1:].split("_")[0])].name


@pytest.mark.parametrize("turn", range(len(SPECIAL)))
def test_compiled_special_values_are_those_of_plain_python(both, turn):
    (plain, compiled), params = both

    def choose(row):
        picked = [SPECIAL[(turn + 5 * k) % len(SPECIAL)] for k in range(row.least)]
        return [2.0, *picked[1:]] if row.name == "polygamma" else picked

    x = stacked(params, choose)
    values = [i for i, name in enumerate(params) if name.startswith("c")]
    a, b = plain.jac(x), compiled.jac(x)
    wrong = {
        call(row): (a[i], b[i], x[i + 1 : i + 4])
        for i, row in zip(values, ROWS, strict=True)
        if not same(a[i], b[i], 1e-13)
    }
    assert not wrong


def check_alike(params, a, b, apart, digits=1e-13):
    """Numba's functions come from LLVM and libm, Python's from libm: a few units in the last place."""
    pairs = zip(params, a.tolist(), b.tolist(), strict=True)
    assert not {(key, of(key)): (p, q) for key, p, q in pairs if key not in apart and not same(p, q, digits)}


# ---- reductions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", REDUCTIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("column", [[3.0, -1.0, 2.5], [7.0], [0.0, 0.0], [1e3, -2e3, 999.0, 1e3]])
def test_reductions_are_numpys(row, column):
    column = np.array(column)
    inner = ("a + 0*p", "b")[: row.least]
    f = Objective(f"{row.name}({', '.join(inner)}) + 0*sum(a)", data={"a": column, "b": column[::-1]}, tier="python")
    space = {"np": np, "special": oracles.special, "a": column, "b": column[::-1]}
    assert f.value(p=0) == pytest.approx(float(eval(row.numpy, space)), rel=1e-15)


def test_scalar_functions_are_all_named():
    for name in (*scalar.SHARED, *scalar.GUARDED):
        assert callable(getattr(scalar, name))
