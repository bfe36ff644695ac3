"""What both tiers run from one Python source, compiled by Numba: once for all formulas, kept in LLVM's language.

Digammas, eliminations and their kin have branches and loops that are nobody's formula. Numba compiles each of them when
the first formula calls it; the disk cache keeps what LLVM made of it, with a door that takes plain numbers, and from
then on it is linked into whatever calls it, without Numba.
"""

from __future__ import annotations

import math
import os
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from symgd.errors import SymgdError
from symgd.kernel.code import Argument
from symgd.kernel.machine import assembly, cache, gemm, matrices, target
from symgd.language import scalar

OLDEST, NEWEST = (0, 61), (0, 68)  # versions of Numba: tried, since parts are used that it does not promise
_MATH = {
    "exp": "math.exp", "expm1": "math.expm1", "sinh": "math.sinh", "cosh": "math.cosh", "log": "math.log",
    "log2": "np.log2", "log10": "math.log10", "log1p": "math.log1p", "sqrt": "math.sqrt", "sin": "math.sin",
    "cos": "math.cos", "tan": "math.tan", "arcsin": "math.asin", "arccos": "math.acos", "arctan": "math.atan",
    "arctan2": "math.atan2", "tanh": "math.tanh", "arcsinh": "math.asinh", "arccosh": "math.acosh",
    "arctanh": "math.atanh", "hypot": "math.hypot", "erf": "math.erf", "erfc": "math.erfc",
    "lgamma": "math.lgamma", "floor": "np.floor", "ceil": "np.ceil", "trunc": "np.trunc", "rint": "np.rint",
    "pow": "math.pow",
}  # fmt: skip

# What Numba calls when nobody holds an array any more: those that come through the door are nobody's.
_NOBODY = "define linkonce_odr void @NRT_MemInfo_call_dtor(i8* %info) {\n  ret void\n}\n"


def text(name: str) -> str:
    """Give a function in LLVM's language, from the disk cache or compiled now.

    Parameters
    ----------
    name : str
        One of `scalar.SHARED` or of `matrices.NAMES`, or ``"gemm"`` in its plain form.

    Returns
    -------
    str
        A module that defines ``s.`` and the name, which takes and gives plain numbers.

    Raises
    ------
    SymgdError
        If Numba is one that is not known.
    """
    settings = sorted(pair for pair in os.environ.items() if pair[0].startswith("NUMBA_"))
    entry = cache.key("shared", cache.generator(), name, target.processor(), repr(settings))
    stored = cache.load(entry)
    if stored is None:
        stored = _compile(name).encode()
        cache.save(entry, stored)
    return stored.decode()


def _compile(name: str) -> str:
    numba = _numba()
    function = _jitted(name)
    floats = numba.types.float64
    vector = numba.types.Array(floats, 1, "C")
    if name in scalar.SHARED:
        arguments = tuple(Argument(f"a{i}", "number") for i in range(assembly.scalar_arity(name)))
    else:
        arguments = assembly.signature(name)
    kinds = {"whole": numba.types.int64, "number": floats, "float64": vector}
    signature = tuple(kinds[a.kind] for a in arguments)
    try:  # Numba has no public way to it
        function.compile(signature)
        result = function.overloads[signature]
        module = result.library._get_module_for_linking().clone()  # noqa: SLF001
        for part in (_door(name, arguments, signature, result), _NOBODY):
            module.link_in(target.started().parse_assembly(part))
        return str(module)
    except AttributeError as problem:
        raise SymgdError(_unknown(numba.__version__)) from problem


def _door(name: str, arguments: tuple[Argument, ...], signature: Any, result: Any) -> str:
    """Give a function of plain numbers that calls one of Numba's."""
    from llvmlite import ir

    context = result.target_context
    number, whole = ir.DoubleType(), ir.IntType(64)
    taken: list[Any] = []
    for a in arguments:
        taken += {"number": [number], "whole": [whole], "float64": [number.as_pointer(), whole]}[a.kind]
    module = ir.Module()
    scalar_like = name in scalar.SHARED
    door = ir.Function(module, ir.FunctionType(number if scalar_like else ir.VoidType(), taken), f"s.{name}")
    builder = ir.IRBuilder(door.append_basic_block())
    words, values = list(door.args), []
    for a, kind in zip(arguments, signature, strict=True):
        if a.kind != "float64":
            values.append(words.pop(0))
            continue
        array = context.make_array(kind)(context, builder)
        array.data, size = words.pop(0), words.pop(0)
        array.nitems, array.itemsize = size, context.get_constant_generic(builder, _intp(), 8)
        array.shape = ir.Constant(ir.ArrayType(whole, 1), [0])
        array.shape = builder.insert_value(array.shape, size, 0)
        array.strides = ir.Constant(ir.ArrayType(whole, 1), [8])
        values.append(array._getvalue())  # noqa: SLF001
    inner = context.declare_function(module, result.fndesc)
    _, value = context.call_conv.call_function(builder, inner, result.signature.return_type, signature, values)
    if scalar_like:
        builder.ret(value)
    else:
        builder.ret_void()
    return str(module)


def _intp() -> Any:
    from numba import types as numba_types

    return numba_types.intp


def _jitted(name: str) -> Any:
    """Give a function as Numba's, to be compiled for a signature."""
    space: dict[str, Any] = {"math": math, "inf": math.inf, "nan": math.nan, "LOG2": scalar.LOG2}
    modules = {"math": math, "np": np}
    for known, path in _MATH.items():
        module, attribute = path.split(".")
        space[known] = getattr(modules[module], attribute)
    import numba

    floats = numba.types.float64
    space["gamma"] = numba.types.ExternalFunction("tgamma", floats(floats))
    if name in scalar.SHARED:
        for called in _needed([name]):
            space[called] = _jit(getattr(scalar, called), space)
    elif name in matrices.NAMES:
        for called in matrices.NAMES:
            space[called] = _jit(getattr(matrices, called), space)
    else:
        space[name] = _jit(gemm.gemm, space)
    return space[name]


def _jit(function: Callable[..., object], space: dict[str, Any]) -> Any:
    import numba

    code = types.FunctionType(function.__code__, space, function.__name__)
    bare = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # nothing calls it from Python
    return numba.njit(code, error_model="numpy", boundscheck=False, **bare)


def _needed(wanted: list[str]) -> list[str]:
    """Give the shared functions that are called, and those that these call, callees first."""
    found = [n for n in scalar.SHARED if n in wanted]
    inner = {n for name in found for n in getattr(scalar, name).__code__.co_names if n in scalar.SHARED}
    if inner <= set(found):
        return found
    return _needed([*wanted, *inner])


def _numba() -> Any:
    """Import Numba, if it is one that is known: older ones are untried."""
    import numba

    if tuple(map(int, numba.__version__.split(".")[:2])) < OLDEST:
        raise SymgdError(_unknown(numba.__version__))
    return numba


def _unknown(version: str) -> str:
    oldest, newest = (".".join(map(str, numbers)) for numbers in (OLDEST, NEWEST))
    return (
        f"symgd cannot compile with Numba {version}; it knows {oldest} to {newest}. "
        "Install one of them, or say tier='python'"
    )
