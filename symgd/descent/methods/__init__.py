"""Methods that are more than a recurrence, one file each: line searches, quasi-Newton, Newton, least squares.

Each is a class with ``begin``, which makes its memory, and ``step``, which goes from one point to the next; the loop
around them is the one that runs the update rules. A new method is a file with such a class, and a line below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from symgd.descent.methods.base import LARGEST, NOISE, At, Function, Memory, Method, norm
from symgd.descent.methods.relay import Relay

# Each method, and where it is: imported at its first use.
_HOMES = {
    "armijo": "armijo.Armijo",
    "wolfe": "wolfe.Wolfe",
    "bb": "barzilai_borwein.BarzilaiBorwein",
    "polyak": "polyak.Polyak",
    "cg": "conjugate.ConjugateGradient",
    "lbfgs": "lbfgs.Lbfgs",
    "bfgs": "bfgs.Bfgs",
    "newton": "newton.Newton",
    "newton_cg": "truncated.TruncatedNewton",
    "lm": "levenberg_marquardt.LevenbergMarquardt",
    "sampling": "sampling.Sampling",
}


class _Methods(Mapping[str, type[Method]]):
    """The methods by name."""

    def __getitem__(self, name: str) -> type[Method]:
        module, kind = _HOMES[name].split(".")
        found: Any = getattr(import_module(f"symgd.descent.methods.{module}"), kind)
        return found  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


METHODS: Mapping[str, type[Method]] = _Methods()

__all__ = ["LARGEST", "METHODS", "NOISE", "At", "Function", "Memory", "Method", "Relay", "norm"]
