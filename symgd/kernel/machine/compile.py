"""The Numba tier: generated functions compiled to machine code, kept on disk, called without Numba.

Numba compiles a function once for the signature that its arguments have; the object code goes to the disk cache. From
then on LLVM's linker loads it in a few milliseconds, and Numba need not be imported. The compiled functions take plain
numbers and arrays, whose descriptors are passed the way Numba lays them out (`numba.core.datamodel`, ArrayModel: parent
objects, size, item size, data, shape, strides).
"""

from __future__ import annotations

import ctypes
import math
import os
import re
import sys
import types
from collections.abc import Callable, Sequence
from functools import cache as once
from functools import lru_cache
from typing import Any

import numpy as np

from symgd.errors import SymgdError
from symgd.kernel.code import BLOCK, LANES, MAIN, NEAR, PLACE, Text, closure, source
from symgd.kernel.machine import cache, gemm, matrices, tiles, vector
from symgd.language import scalar

OLDEST, NEWEST = (0, 61), (0, 68)  # versions of Numba: tried, since parts are used that it does not promise
# Not nnan nor ninf: a nan is news. Only sums over rows are reordered: ``(a + b) - a`` must stay nan for infinite a.
CONTRACT = {"contract"}
REORDER = {"contract", "reassoc"}

# Whether compiled code looks at every subscript, and fails with code 1 where one is out of bounds: for tests.
CHECKED = os.environ.get("SYMGD_BOUNDS_CHECK", "") not in ("", "0")

_INT, _POINTER = ctypes.c_int64, ctypes.c_void_p
_NUMBERS: dict[str, list[type]] = {"whole": [_INT], "number": [ctypes.c_double]}
# What Numba's own wrapper of a compiled function, which is never called, refers to.
_UNUSED = re.compile(
    r"Py|_Py|NRT_|numba_(gil_ensure|gil_release|unpickle|do_raise|runtime_build_excinfo_struct)$|\.numba\.|.*NumbaEnv"
)
# LLVM's own names of functions that it may leave to C's library.
_LEFT = ("exp", "exp2", "log", "log2", "log10", "sin", "cos", "tan", "pow", "fma", "floor", "ceil", "trunc", "rint")
_INTRINSICS = {f"llvm.{name}.f64": name for name in _LEFT} | {"llvm.powi.f64.i32": "pow"}
_MATH = {
    "exp": "math.exp", "expm1": "math.expm1", "sinh": "math.sinh", "cosh": "math.cosh", "log": "math.log",
    "log2": "np.log2", "log10": "math.log10", "log1p": "math.log1p", "sqrt": "math.sqrt", "sin": "math.sin",
    "cos": "math.cos", "tan": "math.tan", "arcsin": "math.asin", "arccos": "math.acos", "arctan": "math.atan",
    "arctan2": "math.atan2", "tanh": "math.tanh", "arcsinh": "math.asinh", "arccosh": "math.acosh",
    "arctanh": "math.atanh", "hypot": "math.hypot", "erf": "math.erf", "erfc": "math.erfc",
    "lgamma": "math.lgamma", "floor": "np.floor", "ceil": "np.ceil", "trunc": "np.trunc", "rint": "np.rint",
    "pow": "math.pow",
}  # fmt: skip


class Entry:
    """A compiled function.

    Parameters
    ----------
    address : int
        Where its machine code is.
    function : Text
        Its heading, which says what it takes and gives.
    """

    def __init__(self, address: int, function: Text) -> None:
        kinds = [argument.kind for argument in function.arguments]
        layouts = {**_NUMBERS, "matrix": _descriptor(2)}
        arguments = [c for kind in kinds for c in layouts.get(kind) or _descriptor(1)]
        self.arguments = [(a.name, _passed(a.kind)) for a in function.arguments]
        fields = [(f"r{i}", _NUMBERS[kind][0]) for i, kind in enumerate(function.result)]
        self._result: Any = type("Result", (ctypes.Structure,), {"_fields_": fields})
        self._fields = [name for name, _ in fields]
        self._call = ctypes.CFUNCTYPE(ctypes.c_int32, _POINTER, _POINTER, *arguments)(address)

    def __call__(self, *args: Any) -> Any:
        """Call it. This is the border to machine code: an array that is not as the code reads it does not pass."""
        flat: list[Any] = []
        for (name, kind), arg in zip(self.arguments, args, strict=True):
            if kind is None:
                flat.append(arg)
            elif (arg.dtype, arg.ndim) == kind and arg.flags.c_contiguous and arg.flags.aligned:
                flat += [None, None, arg.size, arg.itemsize, arg.ctypes.data, *arg.shape, *arg.strides]
            else:
                message = f"'{name}' of a compiled function is {arg.dtype}, {arg.shape}, {arg.strides}; it takes {kind}"
                raise RuntimeError(message)
        result, failure = self._result(), _POINTER()
        code = self._call(ctypes.addressof(result), ctypes.addressof(failure), *flat)
        if code:
            message = f"a compiled function failed with code {code}"
            raise RuntimeError(message)
        values = tuple(getattr(result, name) for name in self._fields)
        return values if len(values) > 1 else values[0]


def _passed(kind: str) -> tuple[np.dtype[Any], int] | None:
    """Give type and number of axes of what a kind of argument stands for; ``None`` for single numbers."""
    if kind in _NUMBERS:
        return None
    return (np.dtype(np.float64), 2) if kind == "matrix" else (np.dtype(kind), 1)


def _descriptor(axes: int) -> list[Any]:
    return [_POINTER, _POINTER, _INT, _INT, _POINTER, *[_INT] * (2 * axes)]


def compile_function(functions: Sequence[Text], name: str, *, strict: bool, more: Sequence[Text] = ()) -> Entry:
    """Compile one function, or take it from the disk cache.

    Parameters
    ----------
    functions : sequence of Text
        Those of a program. What was compiled for one of them is used again for another.
    name : str
        The function.
    strict : bool
        Whether arithmetic must not be reordered.
    more : sequence of Text
        Functions that call the program's, such as a loop.

    Returns
    -------
    Entry
    """
    needed = closure((*functions, *more), name)
    entry = cache.key("native", cache.generator(), repr(needed), name, str(strict), str(CHECKED), _machine())
    stored = cache.load(entry)
    if stored is None:
        symbol, needs, code = _compile(tuple(functions), tuple(more), name, strict=strict)
        stored = " ".join([symbol, *needs]).encode() + b"\n" + code
        # What needs a helper of Numba's own cannot be linked without Numba, and is compiled anew.
        if not any(need.startswith("numba_") and not _UNUSED.match(need) for need in needs):
            cache.save(entry, stored)
    head, code = stored.split(b"\n", 1)
    symbol, *needs = head.decode().split()
    return Entry(_link(code, symbol, needs), next(function for function in needed if function.name == name))


def _machine() -> str:
    """Give what else decides about machine code: the processor, and what the environment tells Numba."""
    settings = sorted(pair for pair in os.environ.items() if pair[0].startswith("NUMBA_"))
    return f"{gemm.processor()} {settings}"


_engines: list[object] = []  # keep loaded code alive: a pointer into it may be anywhere


@once
def _linker() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine()


@once
def _libraries() -> list[ctypes.CDLL]:
    """Give the libraries that hold C's mathematics: what the process has loaded, and libm where it is a file apart."""
    from ctypes.util import find_library

    names = [None if sys.platform != "win32" else "ucrtbase", find_library("m")]
    return [ctypes.CDLL(name) for name in names if name is not None or sys.platform != "win32"]


def _provide(symbol: str) -> bool:
    """Tell LLVM where a function is that compiled code calls. An unknown one would be called at address 0."""
    import llvmlite.binding as llvm

    if llvm.address_of_symbol(symbol) is not None:
        return True
    if symbol == tiles.SYMBOL:
        llvm.add_symbol(symbol, _link(gemm.code(), symbol, gemm.NEEDS))
        return True
    for library in _libraries():
        function = getattr(library, symbol, None)
        if function is not None:
            address = ctypes.cast(function, _POINTER).value
            llvm.add_symbol(symbol, address)
            return True
    return False


def _link(code: bytes, symbol: str, needs: Sequence[str]) -> int:
    import llvmlite.binding as llvm

    for name in needs:
        if _UNUSED.match(name):
            if llvm.address_of_symbol(name) is None:
                llvm.add_symbol(name, 1)
        elif not _provide(name):
            message = f"the compiled code needs '{name}', which is nowhere to be found"
            raise RuntimeError(message)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _linker())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    address: int = engine.get_function_address(symbol)
    return address


def _compile(
    functions: tuple[Text, ...], more: tuple[Text, ...], name: str, *, strict: bool
) -> tuple[str, list[str], bytes]:
    """Compile with Numba; give the function's symbol, those that it needs, and the object code."""
    numba = _numba()
    space = _jitted(functions, strict=strict)
    if more:
        space = _namespace(more, strict=strict) | space
        _define(more, space, strict=strict)
    floats = numba.types.float64
    known = {"whole": numba.types.int64, "number": floats, "matrix": numba.types.Array(floats, 2, "C")}
    function = next(f for f in (*more, *functions) if f.name == name)
    signature = tuple(known.get(a.kind) or _vector(a.kind) for a in function.arguments)
    space[name].compile(signature)
    result = space[name].overloads[signature]
    try:  # Numba has no public way to either
        declared = [f.name for f in result.library._final_module.functions if f.is_declaration]  # noqa: SLF001
        symbol, code = result.fndesc.llvm_func_name, result.library._get_compiled_object()  # noqa: SLF001
    except AttributeError as problem:
        raise SymgdError(_unknown(numba.__version__)) from problem
    needs = sorted({_INTRINSICS.get(n, n) for n in declared if not n.startswith("llvm.") or n in _INTRINSICS})
    return symbol, needs, code


def _numba() -> Any:
    """Import Numba, if it is one that arrays can be handed to: older ones crash."""
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


def _vector(kind: str) -> Any:
    from numba import types

    return types.Array(types.boolean if kind == "bool" else getattr(types, kind), 1, "C")


@once
def _hidden() -> Any:
    """Give a function that hands a whole number on, such that the compiler does not know which it is.

    A short loop with a known count is written out, and then no longer seen as one that vector registers could run.
    """
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    def hide(typingctx: Any, number: Any) -> Any:  # noqa: ARG001 - Numba looks at the name of the first
        def write(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            whole = ir.IntType(64)
            return builder.asm(ir.FunctionType(whole, [whole]), "", "=r,0", [values[0]], side_effect=False)

        return types.int64(types.int64), write

    return intrinsic(hide)


@lru_cache(maxsize=8)
def _jitted(functions: tuple[Text, ...], *, strict: bool) -> dict[str, Any]:
    """Give a program's functions, to be compiled when they are called for; each of them once."""
    space = _namespace(functions, strict=strict)
    if strict and "gemm" in space:  # in its plain form, where every sum runs from the first term to the last
        space["gemm"] = _jit(gemm.gemm, set(), strict=True)
    _define(functions, space, strict=strict)
    return space


def _define(functions: Sequence[Text], space: dict[str, Any], *, strict: bool) -> None:
    """Run the texts of functions, and hand these to Numba."""
    exec(compile(source(functions), "<symgd>", "exec"), space)
    for function in functions:
        made, role = space[function.name], function.role
        if role != MAIN:  # rows do not wait for each other: what counts is how many there are in a second
            made = types.FunctionType(made.__code__, space | _in_registers(role), function.name)
        flags = REORDER if role == BLOCK else CONTRACT
        space[function.name] = _jit(
            made, flags, strict=strict, inline=role in (PLACE, NEAR), apart=role in (BLOCK, LANES)
        )


def _in_registers(role: str) -> dict[str, object]:
    """Give the functions of the table that vector registers compute."""
    forms = vector.compiled()
    return forms | {"sin": forms["sinnear"], "cos": forms["cosnear"]} if role == NEAR else forms


def _jit(
    function: Callable[..., object], flags: set[str], *, strict: bool, inline: bool = False, apart: bool = False
) -> Any:
    import numba

    options: dict[str, Any] = {"pipeline_class": _apart()} if apart else {"forceinline": inline}
    # Nothing calls it from Python.
    bare = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    options |= {"boundscheck": True} if CHECKED else {}
    return numba.njit(function, error_model="numpy", fastmath=False if strict else flags, **bare, **options)


@once
def _apart() -> Any:
    """Give Numba's compiler for functions whose arrays do not overlap: their loops need no checks for that."""
    from numba.core.compiler import Compiler

    class Apart(Compiler):
        def __init__(self, *args: Any) -> None:
            args[5].noalias = True  # the flags
            super().__init__(*args)

    return Apart


def _namespace(functions: Sequence[Text], *, strict: bool) -> dict[str, Any]:
    """Give what functions may call: Numba's own, and the shared ones compiled."""
    import numba

    modules = {"math": math, "np": np}
    space: dict[str, Any] = {"math": math, "inf": math.inf, "nan": math.nan, "LOG2": scalar.LOG2}
    for name, path in _MATH.items():
        module, attribute = path.split(".")
        space[name] = getattr(modules[module], attribute)
    wanted = {call for function in functions for call in function.calls}
    if "gemm" in wanted:
        _provide(tiles.SYMBOL)
        space["gemm"] = gemm.compiled()
    if wanted & {*matrices.NAMES}:
        for name in matrices.NAMES:
            function = getattr(matrices, name)
            space[name] = _jit(types.FunctionType(function.__code__, space, name), set(), strict=strict)
    if "_hide" in wanted:
        space["_hide"] = _hidden()
    space["_u"] = np.uint64  # subscripts: unsigned, so that no negative ones need be thought of
    floats = numba.types.float64
    space["gamma"] = numba.types.ExternalFunction("tgamma", floats(floats))
    # C's own pow and not LLVM's, which would be computed ahead of the test that is to spare it.
    space["fading"] = numba.types.ExternalFunction("pow", floats(floats, floats))
    for name in _needed(wanted):
        function = getattr(scalar, name)
        space[name] = _jit(types.FunctionType(function.__code__, space, name), set(), strict=strict)
    return space | {name: form for name, form in vector.compiled().items() if name not in vector.LATE}


def _needed(wanted: set[str]) -> list[str]:
    """Give the shared functions that are called, and those that these call, callees first."""
    found = [n for n in scalar.SHARED if n in wanted]
    inner = {n for name in found for n in getattr(scalar, name).__code__.co_names if n in scalar.SHARED}
    if inner <= set(found):
        return found
    return _needed(wanted | inner)
