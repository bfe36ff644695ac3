"""Methods that are more than a recurrence, one file each: line searches, quasi-Newton, Newton, least squares.

Each is a class with ``begin``, which makes its memory, and ``step``, which goes from one point to the next; the loop
around them is the one that runs the update rules. A new method is a file with such a class, and a name below.
"""

from __future__ import annotations

from symgd.descent.methods.armijo import Armijo
from symgd.descent.methods.barzilai_borwein import BarzilaiBorwein
from symgd.descent.methods.base import LARGEST, NOISE, At, Function, Memory, Method, norm
from symgd.descent.methods.bfgs import Bfgs
from symgd.descent.methods.conjugate import ConjugateGradient
from symgd.descent.methods.lbfgs import Lbfgs
from symgd.descent.methods.levenberg_marquardt import LevenbergMarquardt
from symgd.descent.methods.newton import Newton
from symgd.descent.methods.polyak import Polyak
from symgd.descent.methods.relay import Relay
from symgd.descent.methods.sampling import Sampling
from symgd.descent.methods.truncated import TruncatedNewton
from symgd.descent.methods.wolfe import Wolfe

METHODS: dict[str, type[Method]] = {
    m.name: m
    for m in (
        Armijo, Wolfe, BarzilaiBorwein, Polyak, ConjugateGradient, Lbfgs, Bfgs, Newton, TruncatedNewton,
        LevenbergMarquardt, Sampling,
    )
}  # fmt: skip

__all__ = ["LARGEST", "METHODS", "NOISE", "At", "Function", "Memory", "Method", "Relay", "norm"]
