"""Machine code: generated functions compiled by LLVM, kept on disk, and called through their addresses.

Object code goes to the disk cache; from then on LLVM's linker loads it in a few milliseconds. The functions take plain
numbers and arrays, of which an address and lengths are passed.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from functools import cache as once
from typing import Any

from symgd.kernel.code import Text, closure
from symgd.kernel.machine import assembly, cache, gemm, shared, target, tiles

# Whether compiled code looks at every subscript, and fails with code 1 where one is out of bounds: for tests.
CHECKED = os.environ.get("SYMGD_BOUNDS_CHECK", "") not in ("", "0")

_INT, _POINTER = ctypes.c_int64, ctypes.c_void_p
_NUMBERS: dict[str, type] = {"whole": _INT, "number": ctypes.c_double}
_SYMBOL = "symgd.entry"
# LLVM's own names of functions that it may leave to C's library.
_LEFT = ("exp", "exp2", "log", "log2", "log10", "sin", "cos", "tan", "pow", "fma", "floor", "ceil", "trunc", "rint")
_INTRINSICS = {f"llvm.{name}.f64": name for name in _LEFT} | {"llvm.powi.f64.i32": "pow"}


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
        self.single = [kind in _NUMBERS for kind in kinds]
        arguments: list[Any] = []
        for kind in kinds:
            sizes = [_INT] * (2 if kind == "matrix" else 1)
            arguments += [_NUMBERS[kind]] if kind in _NUMBERS else [_POINTER, *sizes]
        fields = [(f"r{i}", _NUMBERS[kind]) for i, kind in enumerate(function.result)]
        self._result: Any = type("Result", (ctypes.Structure,), {"_fields_": fields})
        self._fields = [name for name, _ in fields]
        self._call = ctypes.CFUNCTYPE(ctypes.c_int32, _POINTER, *arguments)(address)

    def __call__(self, *args: Any) -> Any:
        """Call it; arrays must be contiguous, and of the type that their kind says."""
        flat: list[Any] = []
        for single, arg in zip(self.single, args, strict=True):
            if single:
                flat.append(arg)
            else:
                flat += [arg.ctypes.data, *arg.shape]
        result = self._result()
        code = self._call(ctypes.addressof(result), *flat)
        if code:
            message = f"a compiled function failed with code {code}"
            raise RuntimeError(message)
        values = tuple(getattr(result, name) for name in self._fields)
        return values if len(values) > 1 else values[0]


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
    function = next(f for f in needed if f.name == name)
    entry = cache.key("native", cache.generator(), repr(needed), name, str(strict), str(CHECKED), _machine())
    stored = cache.load(entry)
    if stored is None:
        needs, code = _compile(needed, function, strict=strict)
        stored = " ".join(needs).encode() + b"\n" + code
        cache.save(entry, stored)
    head, code = stored.split(b"\n", 1)
    return Entry(_link(code, _SYMBOL, head.decode().split()), function)


def _machine() -> str:
    """Give what else decides about machine code: the processor, and what the environment tells Numba."""
    settings = sorted(pair for pair in os.environ.items() if pair[0].startswith("NUMBA_"))
    return f"{target.processor()} {settings}"


_engines: list[object] = []  # keep loaded code alive: a pointer into it may be anywhere


@once
def _linker() -> Any:
    return target.started().Target.from_default_triple().create_target_machine()


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

    linker = _linker()
    for name in needs:
        if not _provide(name):
            message = f"the compiled code needs '{name}', which is nowhere to be found"
            raise RuntimeError(message)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), linker)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    address: int = engine.get_function_address(symbol)
    return address


def _compile(functions: Sequence[Text], entry: Text, *, strict: bool) -> tuple[list[str], bytes]:
    """Compile a function and all that it calls; give the symbols that it needs, and the object code."""
    module = _optimised(functions, entry, strict=strict)
    declared = [f.name for f in module.functions if f.is_declaration]
    needs = {_INTRINSICS.get(n, n) for n in declared if not n.startswith("llvm.") or n in _INTRINSICS}
    return sorted(needs), target.machine().emit_object(module)


def _optimised(functions: Sequence[Text], entry: Text, *, strict: bool) -> Any:
    """Give the module of a function and all that it calls, after LLVM's passes."""
    llvm = target.started()
    made = assembly.assemble(functions, entry, _SYMBOL, strict=strict, checked=CHECKED)
    module = llvm.parse_assembly(made.text)
    module.triple, module.data_layout = llvm.get_default_triple(), str(target.machine().target_data)
    for name in made.shared:
        module.link_in(llvm.parse_assembly(shared.text(name, checked=CHECKED)))
    for found in (*module.functions, *module.global_variables):
        if not found.is_declaration and found.name != _SYMBOL:
            found.linkage = "internal"
    target.optimise(module, speed_level=3, slp_vectorization=False)
    return module
