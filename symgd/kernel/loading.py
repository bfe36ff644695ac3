"""Texts of generated functions, run by the interpreter: on lists, or as statements of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from symgd.kernel import blas
from symgd.kernel.code import PREFIX, Text, closure, source
from symgd.language import scalar

Numbers = tuple[float, ...]
Generated = Callable[..., float | Numbers]


def load_python(functions: Sequence[Text], name: str, given: Mapping[str, object] | None = None) -> Generated:
    """Run the text of a function in plain Python, with nothing but the table's functions in reach.

    Parameters
    ----------
    functions : sequence of Text
        What symgd generated.
    name : str
        The function.
    given : mapping, optional
        What it may call besides, by name.

    Returns
    -------
    callable
    """
    wanted = closure(functions, name)
    calls = {call for text in wanted for call in text.calls}
    known: dict[str, object] = {}
    if "gemm" in calls:
        from symgd.kernel.machine import gemm

        known["gemm"] = gemm.gemm
    if any(call.startswith(("matrix_", "eliminated")) for call in calls):
        from symgd.kernel.machine import matrices

        known |= {call: getattr(matrices, call) for call in matrices.NAMES}
    return _loaded(wanted, name, {**known, **(given or {})})


def load_arrays(functions: Sequence[Text], name: str, given: Mapping[str, object] | None = None) -> Generated:
    """Run the text of a function on NumPy's arrays, with nothing but NumPy and the table's functions in reach.

    Parameters
    ----------
    functions : sequence of Text
        What symgd generated.
    name : str
        The function.
    given : mapping, optional
        What it may call besides, by name.

    Returns
    -------
    callable
    """
    from symgd.kernel import blocks
    from symgd.language import vectors

    wanted = closure(functions, name)
    calls = {call for text in wanted for call in text.calls if call.startswith(PREFIX)}
    known = {call: vectors.vector(call.removeprefix(PREFIX)) for call in calls}
    known |= {call: getattr(blocks, call) for call in blocks.NAMES}
    return _loaded(wanted, name, {"np": np, **known, **(given or {})})


def _loaded(functions: Sequence[Text], name: str, given: Mapping[str, object]) -> Generated:
    """Run texts, with nothing in reach but the table's functions and what is given."""
    space: dict[str, object] = {known: getattr(scalar, known) for known in (*scalar.GUARDED, *scalar.SHARED)}
    space |= {"fading": scalar.pow, **given}
    space["__builtins__"] = {"range": range, "min": min, "abs": abs, "float": float, "int": int, "len": len}
    exec(compile(source(functions), "<symgd>", "exec"), space)
    return space[name]  # type: ignore[return-value]


def quietly(function: Generated) -> Generated:
    """Give a function that NumPy does not warn in, as what is not finite is an outcome, nor starts threads in."""

    def call(*args: object) -> float | Numbers:
        with np.errstate(all="ignore"), blas.one_thread():
            return function(*args)

    return call
