"""Machine code: generated functions compiled by LLVM, kept on disk, and called through their addresses.

Object code goes to the disk cache; from then on LLVM's linker loads it in a few milliseconds. The functions take plain
numbers and arrays, of which an address and lengths are passed.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache as once
from typing import Any, NamedTuple

import numpy as np

from symgd.kernel.code import Argument, Program, Text, closure
from symgd.kernel.code.llvm import CHECKED
from symgd.kernel.code.pieces import Piece
from symgd.kernel.machine import assembly, cache, gemm, shared, target, tiles

_INT, _POINTER = ctypes.c_int64, ctypes.c_void_p
_NUMBERS: dict[str, type] = {"whole": _INT, "number": ctypes.c_double}
_SYMBOL = "symgd.entry"
# LLVM's own names of functions that it may leave to C's library.
_LEFT = ("exp", "exp2", "log", "log2", "log10", "sin", "cos", "tan", "pow", "fma", "floor", "ceil", "trunc", "rint")
_INTRINSICS = {f"llvm.{name}.f64": name for name in _LEFT} | {"llvm.powi.f64.i32": "pow"}


class Plan(NamedTuple):
    """How a program's compiled functions are called: in which pieces, by threads, and with how much working memory."""

    pieces: dict[str, list[Piece]]
    memory: tuple[int, ...]


class Entry:
    """A compiled function.

    Parameters
    ----------
    address : int
        Where its machine code is.
    taken : sequence of Argument
        What it takes.
    given : sequence of str
        The kinds of the numbers that it gives.
    """

    def __init__(self, address: int, taken: Sequence[Argument], given: Sequence[str]) -> None:
        self.arguments = [(argument.name, _passed(argument.kind)) for argument in taken]
        arguments: list[Any] = []
        for kind in (argument.kind for argument in taken):
            sizes = [_INT] * (2 if kind == "matrix" else 1)
            arguments += [_NUMBERS[kind]] if kind in _NUMBERS else [_POINTER, *sizes]
        fields = [(f"r{i}", _NUMBERS[kind]) for i, kind in enumerate(given)]
        self._result: Any = type("Result", (ctypes.Structure,), {"_fields_": fields})
        self._fields = [name for name, _ in fields]
        self._call = ctypes.CFUNCTYPE(ctypes.c_int32, _POINTER, *arguments)(address)

    def __call__(self, *args: Any) -> Any:
        """Call it. This is the border to machine code: an array that is not as the code reads it does not pass."""
        flat: list[Any] = []
        for (name, kind), arg in zip(self.arguments, args, strict=True):
            if kind is None:
                flat.append(arg)
            elif (arg.dtype, arg.ndim) == kind and arg.flags.c_contiguous and arg.flags.aligned:
                flat += [arg.ctypes.data, *arg.shape]
            else:
                message = f"'{name}' of a compiled function is {arg.dtype}, {arg.shape}, {arg.strides}; it takes {kind}"
                raise RuntimeError(message)
        result = self._result()
        code = self._call(ctypes.addressof(result), *flat)
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


def compile_function(functions: Sequence[Text], name: str, *, strict: bool) -> Entry:
    """Compile one function, or take it from the disk cache.

    Parameters
    ----------
    functions : sequence of Text
        It, and all that it calls.
    name : str
        The function.
    strict : bool
        Whether arithmetic must not be reordered.

    Returns
    -------
    Entry
    """
    needed = closure(functions, name)
    return compile_written(repr(needed), lambda: needed, name, strict=strict)


def compile_written(key: str, write: Callable[[], Sequence[Text]], name: str, *, strict: bool) -> Entry:
    """Compile one function that is known by a key, or take it from the disk cache, where no text is needed.

    Parameters
    ----------
    key : str
        Names all that the text is made from.
    write : callable
        Gives the function, and all that it calls.
    name : str
        The function.
    strict : bool
        Whether arithmetic must not be reordered.

    Returns
    -------
    Entry
    """
    entry = cache.key("native", cache.generator(), key, name, str(strict), str(CHECKED), _machine())
    stored = cache.load(entry)
    if stored is None:
        functions = closure(write(), name)
        function = next(f for f in functions if f.name == name)
        needs, code = _compile(functions, function, strict=strict)
        head = json.dumps([needs, function.arguments, function.result])
        cache.save(entry, head.encode() + b"\n" + code)
        return Entry(_link(code, _SYMBOL, needs), function.arguments, function.result)
    first, code = stored.split(b"\n", 1)
    needs, arguments, result = json.loads(first)
    return Entry(_link(code, _SYMBOL, needs), [Argument(*a) for a in arguments], result)


def plan(program: Program) -> Plan:
    """Give the pieces of a program's functions, and how much memory they work in, from the disk cache or written now.

    Parameters
    ----------
    program : Program
        The program.

    Returns
    -------
    Plan
    """
    entry = cache.key("plan", cache.generator(), program.key)
    stored = cache.load(entry) if program.key else None
    if stored is not None:
        pieces, memory = json.loads(stored)
        return Plan(pieces, tuple(memory))
    written = program.written
    if program.key:
        cache.save(entry, json.dumps([written.pieces, written.memory]).encode())
    return Plan(written.pieces, written.memory)


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
        module.link_in(llvm.parse_assembly(shared.text(name)))
    for found in (*module.functions, *module.global_variables):
        if not found.is_declaration and found.name != _SYMBOL:
            found.linkage = "internal"
    target.optimise(module, slp_vectorization=False)
    return module
