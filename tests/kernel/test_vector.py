"""The functions that loops over rows compute several at a time: to two units in the last place, and really packed."""

import math
import platform
import re
from functools import cache

import mpmath as mp
import numpy as np
import pytest

import symgd as sg
from symgd.kernel.code import BLOCK, NEAR, PLACE, Argument
from symgd.kernel.code.forms import At, Call
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.code.writer import Writer
from symgd.kernel.machine import compile as native
from symgd.kernel.machine import target, vector

PRECISION = 160  # bits: the points reach down to 1e-20, where exp(x) - 1 or log(1 + x) cancel
EXACT = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "tanh": mp.tanh,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "sech": mp.sech,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "logcosh": lambda x: mp.log1p(2 * mp.sinh(x / 2) ** 2),
    "log1mexp": lambda x: mp.log(-mp.expm1(x)) if x > -1 else mp.log1p(-mp.exp(x)),
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "erf": mp.erf,
    "sinnear": mp.sin,
    "cosnear": mp.cos,
}
# A quotient of two rounded numbers, one of them an exponential, may lose a little more than the rest; log1mexp is a
# logarithm of one.
UNITS = dict.fromkeys(EXACT, 2.0) | {"sigmoid": 2.5, "sech": 2.5, "log1mexp": 2.5}
# Where a function changes from one form to another, and where its values cease to be numbers, or normal ones.
SWITCHES = [
    *(k * math.log(2) for k in (0.5, 1, 1.5, 2.5, 20.5, 52.5, -0.5, -1, -1.5, -2.5, -52.5, -53.5, -54.5)),
    *(s * x for x in (0.55, 1.0, 6.0, 20.0, 37.0, 40.0, 708.4, 709.78, 710.2, 710.47, 745.1) for s in (1, -1)),
]
POSITIVE = [
    1.0,
    math.sqrt(0.5),
    math.sqrt(2.0),
    2.0**-1022,
    2.0**-1074,
    2.0**1023,
    1e18,
    *(2.0**k for k in range(-9, 9)),
]


@cache
def points(name):
    rng = np.random.default_rng(3)
    signs = rng.choice([-1.0, 1.0], 800)
    x = np.concatenate([
        signs * 10 ** rng.uniform(-20, 2.87, 800),
        rng.uniform(-2, 2, 800),
        rng.uniform(-45, 45, 400),
        rng.uniform(-746, 711, 400),
        *[np.nextafter(c, [-np.inf, np.inf]) for c in SWITCHES],
        SWITCHES,
    ])  # fmt: skip
    if name in ("log", "log1p", "cbrt"):
        wide = 10 ** rng.uniform(-323, 308, 600)
        near = np.concatenate([np.nextafter(c, [0, np.inf]) for c in POSITIVE])
        x = np.concatenate([abs(x), wide, near, POSITIVE, rng.uniform(0.6, 1.6, 800)])
        if name == "log1p":
            x = np.concatenate([x, -(10 ** rng.uniform(-16, 0, 400)), -rng.uniform(0, 1, 400)])
    elif name == "log1mexp":
        x = -abs(x)
    elif name in ("sinnear", "cosnear"):  # multiples of an eighth of a turn, where one of them vanishes, or they meet
        turns = rng.integers(-1_300_000, 1_300_000, 800) * (math.pi / 4)
        x = np.concatenate([x, turns, np.nextafter(turns, np.inf), rng.uniform(-(2.0**20), 2.0**20, 800)])
        x = x[abs(x) < 2.0**20]
    return x[x != 0]


def texts(name):
    """The function over an array, with the flags of the sums, which reorder whatever they may."""
    arguments = [Argument(letter, "float64") for letter in ("x", "y", "out")]
    called = name.removesuffix("near")
    two = [Argument("a", "number"), Argument("b", "number")][: vector.FUNCTIONS[name]]
    writer = Writer(apart=True)
    with writer.function("each", two, ["number"], NEAR if name.endswith("near") else PLACE):
        writer.give(Call(called, *two))
    with writer.function("f", [Argument("n", "whole"), *arguments], role=BLOCK):
        with writer.loop("i", 0, "n"):
            given = [At(letter, "i", unsigned=True) for letter in "xy"[: len(two)]]
            writer.assign(At("out", "i", unsigned=True), Call("each", *given))
        writer.give()
    return [*map(LLVM.text, writer.functions)]


@cache
def loop(name):
    return native.compile_function(texts(name), "f", strict=False)


def run(name, x, y=None):
    x = np.asarray(x, dtype=float)
    out = np.empty_like(x)
    loop(name)(len(x), x, x if y is None else np.asarray(y, dtype=float), out)
    return out


def units(found, wanted):
    """The error in units in the last place of the exact value; below the normal numbers they stay what they are."""
    exponent = max(mp.frexp(wanted)[1], -1021) if wanted else -1021
    return abs(mp.mpf(found) - wanted) / mp.ldexp(1, exponent - 53)


def worst(name, x, found):
    largest = mp.ldexp(1, 1024) * (1 - mp.ldexp(1, -54))
    errors = [(0.0, 0.0)]
    with mp.workprec(PRECISION):
        for a, b in zip(x.tolist(), found, strict=True):
            wanted = EXACT[name](mp.mpf(a))
            if abs(wanted) >= largest:
                assert b == math.copysign(math.inf, wanted), a
            else:
                errors.append((float(units(b, wanted)), a))
    return max(errors)


ONE = [name for name, count in vector.FUNCTIONS.items() if count == 1]


def test_every_function_is_tested():
    assert set(EXACT) == set(vector.FUNCTIONS)


@pytest.mark.parametrize("name", ONE)
def test_compiled_to_two_units_in_the_last_place(name):
    x = points(name)
    error, where = worst(name, x, run(name, x).tolist())
    assert error <= UNITS[name], where


@pytest.mark.parametrize("name", ONE)
def test_on_floats_without_fused_operations(name):
    x = points(name)[::4]
    error, where = worst(name, x, [getattr(vector, name)(a) for a in x.tolist()])
    assert error <= UNITS[name], where


def test_logaddexp_to_two_units_of_its_largest_term():
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-800, 800, 2000), rng.normal(scale=5, size=2000)
    y = np.where(rng.uniform(size=2000) < 0.7, x + y, y)
    with mp.workprec(PRECISION):
        for a, b, found in zip(x.tolist(), y.tolist(), run("logaddexp", x, y).tolist(), strict=True):
            wanted = EXACT["logaddexp"](mp.mpf(a), mp.mpf(b))
            # Where the terms cancel, it is the larger of them that is rounded.
            unit = math.ulp(max(abs(float(wanted)), abs(max(a, b)), 0.5))
            assert abs(mp.mpf(found) - wanted) <= 2 * unit, (a, b)


INF, NAN = math.inf, math.nan
ENDS = {
    "exp": {INF: INF, -INF: 0.0, 710.0: INF, -746.0: 0.0, 1e308: INF, -1e308: 0.0, 5e-324: 1.0},
    "expm1": {INF: INF, -INF: -1.0, 710.0: INF, -1e308: -1.0, 5e-324: 5e-324, -5e-324: -5e-324},
    "log": {INF: INF, -INF: NAN, -1.0: NAN, -5e-324: NAN, 1.0: 0.0},
    "log1p": {INF: INF, -INF: NAN, -1.0: -INF, -1.5: NAN, 5e-324: 5e-324, -5e-324: -5e-324},
    "tanh": {INF: 1.0, -INF: -1.0, 1e300: 1.0, 25.0: 1.0, 5e-324: 5e-324, -5e-324: -5e-324},
    "sinh": {INF: INF, -INF: -INF, 1e300: INF, -711.0: -INF, -5e-324: -5e-324},
    "cosh": {INF: INF, -INF: INF, -711.0: INF, 5e-324: 1.0},
    "sech": {INF: 0.0, -INF: 0.0, 1e300: 0.0},
    "sigmoid": {INF: 1.0, -INF: 0.0, 40.0: 1.0, -1e300: 0.0},
    "softplus": {INF: INF, -INF: 0.0, 1e300: 1e300, -1e300: 0.0},
    "logcosh": {INF: INF, -INF: INF, 1e300: 1e300, 5e-324: 0.0},
    "log1mexp": {INF: NAN, -INF: -0.0, 1.0: NAN},
    "cbrt": {INF: INF, -INF: -INF, 27.0: 3.0, -8.0: -2.0},
    "erf": {INF: 1.0, -INF: -1.0, 1e300: 1.0, -7.0: -1.0},
    "sinnear": {INF: NAN, -INF: NAN, 2.0**20: NAN, -1e300: NAN, 5e-324: 5e-324, -5e-324: -5e-324},
    "cosnear": {INF: NAN, -INF: NAN, 2.0**20: NAN, -1e300: NAN, 5e-324: 1.0},
}
EVEN = {
    "exp": 1.0,
    "log": -INF,
    "cosh": 1.0,
    "sech": 1.0,
    "sigmoid": 0.5,
    "logcosh": 0.0,
    "log1mexp": -INF,
    "cosnear": 1.0,
}


@pytest.mark.parametrize("name", ONE)
def test_ends_zeros_and_nan(name):
    zeros = [] if name == "softplus" else [(z, EVEN.get(name, z)) for z in (0.0, -0.0)]
    x, wanted = zip(*ENDS[name].items(), (NAN, NAN), *zeros, strict=True)
    for found in (run(name, x).tolist(), [getattr(vector, name)(a) for a in x]):
        np.testing.assert_array_equal(found, wanted)
        for a, b in zip(found, wanted, strict=True):
            assert math.isnan(a) or math.copysign(1, a) == math.copysign(1, b)


def test_ends_of_logaddexp():
    cases = [
        (INF, INF, INF), (-INF, -INF, -INF), (INF, -INF, INF), (-INF, INF, INF), (-INF, 3.0, 3.0), (3.0, -INF, 3.0),
        (INF, 3.0, INF), (NAN, 1.0, NAN), (1.0, NAN, NAN), (NAN, INF, NAN), (-INF, NAN, NAN), (1e308, -1e308, 1e308),
        (-1e308, -1e308, -1e308),
    ]  # fmt: skip
    x, y, wanted = zip(*cases, strict=True)
    np.testing.assert_array_equal(run("logaddexp", x, y), wanted)
    assert np.array_equal([vector.logaddexp(a, b) for a, b in zip(x, y, strict=True)], wanted, equal_nan=True)


X86 = pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="looks for x86's instructions")
PACKED = r"\bv?(?:mul|add|sub|div|fn?m(?:add|sub)\d+)pd\b"


@X86
@pytest.mark.parametrize("name", vector.FUNCTIONS)
def test_loops_are_packed_and_call_nothing(name):
    functions = texts(name)
    code = target.machine().emit_assembly(native._optimised(functions, functions[-1], strict=False))
    assert len(re.findall(PACKED, code)) >= 15  # exp alone has as many
    assert not re.search(r"\$(exp|log|expm1|log1p|tanh|sinh|cosh|erf|pow)\b", code)


@X86
@pytest.mark.parametrize(
    "text", ["sum(log1p(exp(w*x + b)) - y*x)", "sum((y - tanh(w*x + b))**2)", "mean(sigmoid(w*x))"]
)
def test_sums_over_rows_need_none_of_the_functions(text, monkeypatch):
    from symgd.kernel.machine import compile as native

    needed = []
    original = native._compile

    def spy(*args, **kwargs):
        needs, code = original(*args, **kwargs)
        needed.append(needs)
        return needs, code

    monkeypatch.setattr(native, "_compile", spy)
    monkeypatch.setenv("SYMGD_CACHE", "off")
    rng = np.random.default_rng(5)
    data = {"x": rng.normal(size=1000), "y": rng.normal(size=1000)}
    objectives = [sg.Objective(text, data=data, params=("w", "b"), tier=tier) for tier in ("python", "numba")]
    values = [f.kernel().slope(np.array([0.3, -0.2])) for f in objectives]
    assert needed
    assert not set().union(*needed) & {"exp", "log", "log1p", "tanh", "expm1"}
    assert values[1][0] == pytest.approx(values[0][0], rel=1e-12)
    assert values[1][1] == pytest.approx(values[0][1], rel=1e-12)
