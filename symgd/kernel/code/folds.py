"""How sums, products, minima, maxima and logsumexp are accumulated: start, one more place, and two parts joined.

A logsumexp holds the largest body so far, and the sum in units of its exponential; so does ``logexcess``, which is what
logsumexp is beyond the largest body, and keeps its digits where that is 1e10.
"""

from __future__ import annotations

import math

from symgd.graph import Fold
from symgd.kernel.code.forms import Call, Choice, Code, of
from symgd.kernel.code.writer import Writer

STARTS = {
    "sum": 0.0, "prod": 1.0, "min": math.inf, "max": -math.inf, "logsumexp": -math.inf, "logexcess": -math.inf,
}  # fmt: skip
DOUBLE = ("logsumexp", "logexcess")  # folds that are made of two numbers


def start(w: Writer, fold: Fold, total: Code, second: Code = "") -> None:
    """Write the start; a double one holds the largest body so far, and the sum in units of its exponential."""
    w.assign(total, STARTS[fold.function])
    if fold.function in DOUBLE:
        w.assign(second, 0.0)


def grow(w: Writer, fold: Fold, total: Code, value: Code, second: Code = "") -> None:
    """Write one more place into a fold. A nan stays, whatever follows."""
    if fold.function == "sum":
        w.add(total, value)
    elif fold.function == "prod":
        w.assign(total, of(total) * value)
    elif fold.function in DOUBLE:
        w.assign("_value", value)
        _rescale(w, total, second, "_value", 1.0)
    else:
        found, best = of("_value"), of(total)
        w.assign(found, value)
        better = found < best if fold.function == "min" else found > best
        w.assign(total, Choice(better | found.is_not(found), found, best))


def join(w: Writer, fold: Fold, total: Code, part: Code, second: Code = "", weight: Code = "") -> None:
    """Write the result of a block into the total."""
    if fold.function in DOUBLE:
        _rescale(w, total, second, part, weight)
    else:
        grow(w, fold, total, part)


def finish(w: Writer, fold: Fold, total: Code, second: Code = "") -> None:
    """Write the end of a fold."""
    if fold.function == "logsumexp":
        w.assign(total, of(total) + Call("log", second))
    elif fold.function == "logexcess":
        w.assign(total, Call("log", second))


def _rescale(w: Writer, largest: Code, total: Code, other: Code, weight: Code) -> None:
    """Write ``total*exp(largest) + weight*exp(other)`` in units of the larger exponential."""
    high, value = of(largest), of(other)
    with w.when(value.is_(high)):  # infinities too, whose difference is none
        w.add(total, weight)
    with w.otherwise():
        with w.when(value <= high):
            w.add(total, of(weight) * Call("exp", value - high))
        with w.otherwise():
            w.assign(total, of(total) * Call("exp", high - value) + weight)
            w.assign(largest, other)
