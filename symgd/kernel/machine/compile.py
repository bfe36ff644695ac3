"""The Numba tier: generated functions compiled to machine code, kept on disk, called without Numba.

Numba compiles a function once for the signature that its arguments have; the object code goes to the disk cache. From
then on LLVM's linker loads it in a few milliseconds, and Numba need not be imported. The compiled functions take plain
numbers and arrays, whose descriptors are passed the way Numba lays them out (`numba.core.datamodel`, ArrayModel: parent
objects, size, item size, data, shape, strides).
"""

from __future__ import annotations

import ctypes
import math
import re
import sys
import types
from collections.abc import Callable, Sequence
from functools import cache as once
from functools import lru_cache
from typing import Any

import numpy as np

from symgd.kernel import matrices
from symgd.kernel.code import Layout
from symgd.kernel.machine import cache, vector
from symgd.kernel.machine import gemm as blas
from symgd.language import scalar

# Not nnan nor ninf: a nan is news. Only sums over rows are reordered: ``(a + b) - a`` must stay nan for infinite a.
CONTRACT = {"contract"}
REORDER = {"contract", "reassoc"}

# The letters of vectors, by the type of what they hold.
VECTORS = {"float64": "v", "int64": "t", "float32": "s", "int32": "j", "int16": "h", "int8": "b", "uint8": "B",
           "uint16": "H", "uint32": "J", "bool": "?"}  # fmt: skip

_INT, _FLOAT, _POINTER = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p
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
    kinds : str
        One letter an argument: ``i`` a whole number, ``f`` a float, ``m`` a matrix of floats, and for vectors a letter
        of `VECTORS` that says what they hold.
    result : str
        One letter for each number that it returns.
    """

    def __init__(self, address: int, kinds: str, result: str) -> None:
        layouts: dict[str, list[Any]] = {"i": [_INT], "f": [_FLOAT], "m": _descriptor(2)}
        arguments = [c for kind in kinds for c in layouts.get(kind) or _descriptor(1)]
        self.kinds = kinds
        fields = [(f"r{i}", _INT if kind == "i" else _FLOAT) for i, kind in enumerate(result)]
        self._result: Any = type("Result", (ctypes.Structure,), {"_fields_": fields})
        self._fields = [name for name, _ in fields]
        self._call = ctypes.CFUNCTYPE(ctypes.c_int32, _POINTER, _POINTER, *arguments)(address)

    def __call__(self, *args: Any) -> Any:
        """Call it; arrays must be contiguous, and of the type that their kind says."""
        flat: list[Any] = []
        for kind, arg in zip(self.kinds, args, strict=True):
            if kind in "if":
                flat.append(arg)
            else:
                flat += [None, None, arg.size, arg.itemsize, arg.ctypes.data, *arg.shape, *arg.strides]
        result, failure = self._result(), _POINTER()
        code = self._call(ctypes.addressof(result), ctypes.addressof(failure), *flat)
        if code:
            message = f"a compiled function failed with code {code}"
            raise RuntimeError(message)
        values = tuple(getattr(result, name) for name in self._fields)
        return values if len(values) > 1 else values[0]


def _descriptor(axes: int) -> list[Any]:
    return [_POINTER, _POINTER, _INT, _INT, _POINTER, *[_INT] * (2 * axes)]


def compile_function(source: str, name: str, kinds: str, result: str, *, strict: bool, more: str = "") -> Entry:
    """Compile one function of a module, or take it from the disk cache.

    Parameters
    ----------
    source : str
        The module's text.
    name : str
        The function.
    kinds : str
        What it takes, as for `Entry`.
    result : str
        What it gives.
    strict : bool
        Whether arithmetic must not be reordered.
    more : str
        Text that is put behind the module's, and holds the function. What the module has compiled is used again.

    Returns
    -------
    Entry
    """
    import llvmlite.binding as llvm

    parts = (
        cache.generator(),
        source,
        more,
        name,
        kinds,
        str(strict),
        _versions(),
        llvm.get_host_cpu_name(),
        _features(),
    )
    entry = cache.key("native", *parts)
    stored = cache.load(entry)
    if stored is None:
        symbol, needs, code = _compile(source, more, name, kinds, strict=strict)
        stored = " ".join([symbol, *needs]).encode() + b"\n" + code
        # What needs a helper of Numba's own cannot be linked without Numba, and is compiled anew.
        if not any(need.startswith("numba_") and not _UNUSED.match(need) for need in needs):
            cache.save(entry, stored)
    head, code = stored.split(b"\n", 1)
    symbol, *needs = head.decode().split()
    return Entry(_link(code, symbol, needs), kinds, result)


@once
def _versions() -> str:
    from importlib.metadata import version

    return " ".join([sys.version, *(f"{name} {version(name)}" for name in ("numba", "llvmlite"))])


@once
def _features() -> str:
    import llvmlite.binding as llvm

    features: str = llvm.get_host_cpu_features().flatten()
    return features


_engines: list[Any] = []  # keep loaded code alive: a pointer into it may be anywhere


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
    if symbol == blas.SYMBOL:
        llvm.add_symbol(symbol, _link(blas.code(), symbol, blas.NEEDS))
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


def _compile(source: str, more: str, name: str, kinds: str, *, strict: bool) -> tuple[str, list[str], bytes]:
    """Compile with Numba; give the function's symbol, those that it needs, and the object code."""
    import numba

    space = _jitted(source, strict=strict)
    if more:
        space = _namespace(more, lambda function: _jit(function, set(), strict=strict)) | space
        _define(more, space, strict=strict)
    floats = numba.types.float64
    known = {"i": numba.types.int64, "f": floats, "m": numba.types.Array(floats, 2, "C")}
    for dtype, letter in VECTORS.items():
        element = numba.types.boolean if dtype == "bool" else getattr(numba.types, dtype)
        known[letter] = numba.types.Array(element, 1, "C")
    signature = tuple(known[kind] for kind in kinds)
    space[name].compile(signature)
    result = space[name].overloads[signature]
    library = result.library
    # Numba has no public way to either.
    needs = [f.name for f in library._final_module.functions if f.is_declaration]  # noqa: SLF001
    needs = sorted({_INTRINSICS.get(n, n) for n in needs if not n.startswith("llvm.") or n in _INTRINSICS})
    return result.fndesc.llvm_func_name, needs, library._get_compiled_object()  # noqa: SLF001


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
def _jitted(source: str, *, strict: bool) -> dict[str, Any]:
    """Give a module's functions, to be compiled when they are called for; each of them once."""
    space = _namespace(source, lambda function: _jit(function, set(), strict=strict))
    if strict and "gemm" in space:  # in its plain form, where every sum runs from the first term to the last
        space["gemm"] = _jit(blas.gemm, set(), strict=True)
    _define(source, space, strict=strict)
    return space


def _define(source: str, space: dict[str, Any], *, strict: bool) -> None:
    """Run a text that defines functions, and hand these to Numba."""
    exec(compile(source, "<symgd>", "exec"), space)
    for function in re.findall(r"^def (\w+)\(", source, re.MULTILINE):
        place = "_each" in function
        block = "_block" in function and not place
        if place or block:
            space[function] = _over_rows(space[function], space)
        flags = REORDER if block and "_lane" not in function else CONTRACT  # lanes sum nothing up
        space[function] = _jit(space[function], flags, strict=strict, inline=place, apart=block)


def _jit(
    function: Callable[..., Any], flags: set[str], *, strict: bool, inline: bool = False, apart: bool = False
) -> Any:
    import numba

    options: dict[str, Any] = {"pipeline_class": _apart()} if apart else {"forceinline": inline}
    # Nothing calls it from Python.
    bare = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
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


def _namespace(source: str, jit: Callable[..., Any]) -> dict[str, Any]:
    """Give what the source may call: Numba's own functions, and the shared ones compiled."""
    modules = {"math": math, "np": np}
    space: dict[str, Any] = {"math": math, "inf": math.inf, "nan": math.nan, "LOG2": scalar.LOG2}
    for name, path in _MATH.items():
        module, attribute = path.split(".")
        space[name] = getattr(modules[module], attribute)
    import numba

    if "gemm(" in source:
        _provide(blas.SYMBOL)
        space["gemm"] = blas.compiled()
    if "matrix_" in source:
        for name in matrices.NAMES:
            space[name] = jit(types.FunctionType(getattr(matrices, name).__code__, space, name))
    if "_hide(" in source:
        space["_hide"] = _hidden()
    space["_u"] = np.uint64  # subscripts: unsigned, so that no negative ones need be thought of
    floats = numba.types.float64
    space["gamma"] = numba.types.ExternalFunction("tgamma", floats(floats))
    # C's own pow and not LLVM's, which would be computed ahead of the test that is to spare it.
    space["fading"] = numba.types.ExternalFunction("pow", floats(floats, floats))
    wanted = set(re.findall(r"\b([a-z_0-9]+)\(", source))
    for name in _needed(wanted):
        function = getattr(scalar, name)
        space[name] = jit(types.FunctionType(function.__code__, space, name))
    return space | {name: form for name, form in vector.compiled().items() if name not in vector.LATE}


def _over_rows(function: Callable[..., Any], space: dict[str, Any]) -> Callable[..., Any]:
    """Give a function whose rows do not wait for each other: what counts is how many there are in a second."""
    return types.FunctionType(function.__code__, space | vector.compiled(), function.__name__)


def _needed(wanted: set[str]) -> list[str]:
    """Give the shared functions that are called, and those that these call, callees first."""
    found = [n for n in scalar.SHARED if n in wanted]
    inner = {n for name in found for n in getattr(scalar, name).__code__.co_names if n in scalar.SHARED}
    if inner <= set(found):
        return found
    return _needed(wanted | inner)


def kinds_of(arguments: Sequence[str], layout: Layout) -> str:
    """Give the letters of a function's arguments, by their names.

    Parameters
    ----------
    arguments : sequence of str
        The names.
    layout : Layout
        The objective's inputs: tables hold names, which are given as whole numbers, or numbers.

    Returns
    -------
    str
    """
    letters = []
    for name in arguments:
        if re.fullmatch(r"_k\d+", name):
            letters.append("t" if isinstance(layout.tables[int(name[2:])][0], str) else "v")
        elif re.fullmatch(r"_m?d\d+", name):
            letters.append(VECTORS[layout.columns[int(name.lstrip("_md"))].dtype])
        elif re.fullmatch(r"_[xvc]\d+|_f|_gtol|_ftol|_xtol", name):
            letters.append("f")
        elif name in ("_n", "_t", "_stop", "_z0", "_rec", "_stride", "_m", "_lo", "_hi", "_size", "_t0"):
            letters.append("i")
        elif name in ("_id", "_mid", "_perm", "_cuts"):
            letters.append("t")
        else:
            letters.append("m" if name in ("_hist", "_z") else "v")
    return "".join(letters)
