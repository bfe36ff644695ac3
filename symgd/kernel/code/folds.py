"""How sums, products, minima, maxima and logsumexp are accumulated: start, one more place, and two parts joined."""

from __future__ import annotations

from symgd.graph import Fold
from symgd.kernel.code.writer import Writer

STARTS = {"sum": "0.0", "prod": "1.0", "min": "1e999", "max": "-1e999", "logsumexp": "-1e999"}


def start(w: Writer, fold: Fold, total: str, second: str = "") -> None:
    """Write the start; logsumexp holds the largest body so far, and the sum in units of its exponential."""
    w.line(f"{total} = {STARTS[fold.function]}")
    if fold.function == "logsumexp":
        w.line(f"{second} = 0.0")


def grow(w: Writer, fold: Fold, total: str, value: str, second: str = "") -> None:
    """Write one more place into a fold. A nan stays, whatever follows."""
    if fold.function == "sum":
        w.line(f"{total} += {value}")
    elif fold.function == "prod":
        w.line(f"{total} *= {value}")
    elif fold.function == "logsumexp":
        w.line(f"_value = {value}")
        _rescale(w, total, second, "_value", "1.0")
    else:
        sign = "<" if fold.function == "min" else ">"
        w.line(f"_value = {value}")
        w.line(f"{total} = _value if (_value {sign} {total} or _value != _value) else {total}")


def join(w: Writer, fold: Fold, total: str, part: str, second: str = "", weight: str = "") -> None:
    """Write the result of a block into the total."""
    if fold.function == "logsumexp":
        _rescale(w, total, second, part, weight)
    else:
        grow(w, fold, total, part)


def finish(w: Writer, fold: Fold, total: str, second: str = "") -> None:
    """Write the end of a fold."""
    if fold.function == "logsumexp":
        w.line(f"{total} = {total} + log({second})")


def _rescale(w: Writer, largest: str, total: str, other: str, weight: str) -> None:
    """Write ``total*exp(largest) + weight*exp(other)`` in units of the larger exponential."""
    w.open(f"if {other} <= {largest}:")
    w.open(f"if {largest} > -1e999:")
    w.line(f"{total} += {weight}*exp({other} - {largest})")
    w.close(2)
    w.open("else:")
    w.line(f"{total} = {total}*exp({largest} - {other}) + {weight}")
    w.line(f"{largest} = {other}")
    w.close()
