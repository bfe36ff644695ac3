"""The pass that makes the moments of the data: once over the rows, in blocks, joined in a fixed order.

Sums are compensated, so that they are those of the features to the last bit or nearly. Triangles are made block by
block by Householder's reflections, each block joined to the triangle of those before, which is as exact as the rows
are: the triangle is that of columns that differ by a few roundings. The rows are cut into shares by their number alone,
and shares are joined one after the other, so that the bits do not depend on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.data import Stored
from symgd.graph import ROWS
from symgd.graph.apart import ROW_COUNT, Reference, Request, Sum, Triangle, own
from symgd.graph.moments import Moments, wanted
from symgd.kernel import blas, streams, threads
from symgd.kernel.code import Program
from symgd.kernel.code.features import features
from symgd.kernel.kernel import MOMENTS
from symgd.kernel.loading import load_arrays, quietly
from symgd.kernel.references import Array, bounded
from symgd.kernel.triangles import Least, Made, Part, Refused, Rotated, Setting, Total

__all__ = ["Alike", "Made", "Refused", "counted", "make", "pays", "types"]

# Numbers of the features of a block: so few that no array of them is fetched from the system each time, and given back.
BLOCK = 1 << 14
MORE = 8  # times as many, where compiled code takes them in blocks of its own
WIDE_ENOUGH = (
    8  # columns from which on there is so much to do between two calls that threads do not wait for each other
)
NATIVE = 1e8  # operations from which on compiled code, once it is there, makes up for being loaded
LEAST = 512  # rows of a block, at least
SAMPLE = 4096  # rows that references are found on
FEW = 8  # rows for each column of a triangle, below which nothing is gained
WIDE = 10  # operations of a pass for each feature of a row
WORTH = 2  # times its cost, that a pass must spare


class Alike(Exception):  # noqa: N818 - another form of the moments is used instead
    """Features are so much alike that factors need two references."""


def make(found: Moments, data: Mapping[str, Any], rows: int, workers: int, *, native: bool = False) -> Made:
    """Make the moments of data.

    Parameters
    ----------
    found : Moments
        What is wanted.
    data : mapping of str to ndarray, Stored or float
        The data.
    rows : int
        How many rows they have.
    workers : int
        Threads.
    native : bool
        Whether compiled code may be used, where rows are many enough.

    Returns
    -------
    dict of str to float or ndarray

    Raises
    ------
    Refused
        If a feature is not finite in some row, or moments would lose digits.
    Alike
        If the moments must be those for two references.
    """
    made: Made = {ROW_COUNT: float(rows)}
    lengths = {name: n for name, n in found.graph.store.lengths.items() if name != ROWS}
    with np.errstate(all="ignore"), blas.one_thread():
        for level in found.levels:
            made |= _Level(level, lengths, {**data, **made}, rows, native=native).made(workers)
            if not found.paired and any(_is_cut(request, made) for request in level):
                raise Alike
    for values in made.values():
        if not np.isfinite(values).all():
            raise Refused
    return made


def types(data: Mapping[str, Any]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Give type and shape of each array, as code is generated for them."""
    # True and False are 1 and 0, and Numba makes no float of a truth value.
    return {name: (str(values.dtype).replace("bool", "uint8"), (0, *values.shape[1:])) for name, values in data.items()
            if not isinstance(values, float)}  # fmt: skip


def counted(found: Moments) -> int:
    """Count the moments: sums, and the inner products that triangles stand for."""
    lengths = found.graph.store.lengths
    total = 0
    for request in (request for level in found.levels for request in level):
        widths = [math.prod(lengths[label] for label in own(node)) for node in wanted(request)]
        if isinstance(request, Sum):
            total += sum(widths)
        elif isinstance(request, Triangle) and not request.unread:
            total += sum(widths) * (sum(widths) + 1) // 2
    return total


def pays(found: Moments, program: Program, rows: int, evaluations: int) -> bool:
    """Tell whether moments spare more than their pass costs.

    Parameters
    ----------
    found : Moments
        What is wanted.
    program : Program
        The functions that go over the rows.
    rows : int
        How many there are.
    evaluations : int
        About how many of value and gradient a run needs.

    Returns
    -------
    bool
    """
    lengths = found.graph.store.lengths
    each = widest = 0
    for request in (request for level in found.levels for request in level):
        width = sum(math.prod(lengths[label] for label in own(node)) for node in wanted(request))
        if not isinstance(request, Reference):
            each += WIDE * width + (width * width if isinstance(request, Triangle) else 0)
            widest = max(widest, width)
    return rows >= FEW * widest and evaluations * program.work[1] * rows >= MOMENTS + WORTH * each * rows


class _Level:
    """Requests that one pass answers.

    Parameters
    ----------
    requests : sequence of Request
        What is wanted.
    lengths : mapping of str to int
        Of the labels but the rows'.
    data : mapping of str to ndarray, Stored or float
        The data, and the moments so far.
    rows : int
        How many rows there are.
    native : bool
        Whether compiled code may be used.
    """

    def __init__(
        self, requests: Sequence[Request], lengths: Mapping[str, int], data: Mapping[str, Any], rows: int, *,
        native: bool,
    ) -> None:  # fmt: skip
        self.nodes = [node for request in requests for node in wanted(request)]

        self.layout, text = features(self.nodes, lengths, types(data))
        self.function = quietly(load_arrays([text], text.name))
        self.requests, self.rows = requests, rows
        places = {node: place for place, node in enumerate(self.nodes)}
        self.width = sum(math.prod(lengths[label] for label in own(node)) for node in self.nodes)
        self.setting = Setting(places, lengths, data, native=native and rows * self.width**2 >= NATIVE)
        self.columns = [streams.open_column(data[c.name], c, rows) for c in self.layout.columns]

    def made(self, workers: int) -> Made:
        """Answer the requests."""
        made: Made = {}
        running: list[Callable[[], Part]] = []
        for request in self.requests:
            if isinstance(request, Sum):
                running.append(partial(Total, request, self.setting))
            elif isinstance(request, Triangle):
                running.append(partial(Rotated, request, self.setting))
            elif request.after:
                running.append(partial(Least, request, self.setting))
        sampled = [request for request in self.requests if isinstance(request, Reference) and not request.after]
        if sampled:
            sample = self.sample()
            for request in sampled:
                made |= self.found(request, sample)
        for total in self.over_rows(running, workers) if running else []:
            made |= total.given()
        return made

    def found(self, request: Reference, sample: Sequence[Array]) -> Made:
        """Find a reference on a sample."""
        rows = min(SAMPLE, self.rows)
        offset, *others = self.setting.columns(wanted(request), sample, rows)
        matrix = np.concatenate([*others, np.empty((0, rows))])
        if not (np.isfinite(matrix).all() and np.isfinite(offset).all()):
            raise Refused
        return self.setting.named(request, bounded(offset.T, matrix.T))

    # ---- rows ------------------------------------------------------------------------------------------------------

    def values(self, columns: Sequence[NDArray[np.generic]], first: int, rows: int) -> list[Array]:
        """Compute the features of rows, given the columns of them."""
        layout = self.layout
        counted = [rows] if layout.counted else []
        numbers = [float(self.setting.data[name]) for name in layout.scalars]
        places = [np.arange(first, first + rows)] if layout.numbered else []
        tables = [np.array(table, dtype=np.float64) for table in layout.tables]
        memory = [np.empty(0) for _ in layout.memory()]
        return list(self.function(*counted, *numbers, *columns, *places, *tables, *memory))  # type: ignore[arg-type]

    def sample(self) -> list[Array]:
        """Compute the features of rows that are spread evenly."""
        rows = min(SAMPLE, self.rows)
        chosen = np.arange(rows) * (self.rows - 1) // max(rows - 1, 1)
        columns = []
        for column, told in zip(self.columns, self.layout.columns, strict=True):
            if isinstance(column, Stored):
                columns.append(column.sample(rows).reshape(-1))
            else:
                columns.append(column.reshape(self.rows, -1)[chosen].reshape(-1) if told.rows else column)
        return self.values(columns, 0, rows)

    def over_rows(self, running: Sequence[Callable[[], Part]], workers: int) -> list[Part]:
        """Go over the rows, share after share, block after block; give what all of them come to."""
        block = max(LEAST, 1 << max(0, (BLOCK // self.width).bit_length() - 1)) * (MORE if self.setting.native else 1)
        blocks = -(-self.rows // block)
        shares = max(1, min(threads.SHARES, blocks // 4))
        cuts = np.minimum(np.linspace(0, blocks, shares + 1).astype(np.int64) * block, self.rows).tolist()
        work = partial(self.share, running, block)
        alone = self.width < WIDE_ENOUGH and not any(isinstance(column, Stored) for column in self.columns)
        if workers == 1 or shares == 1 or alone:
            parts = [work(low, high) for low, high in pairwise(cuts)]
        else:
            parts = list(threads.pool(workers).map(work, cuts[:-1], cuts[1:]))
        first, *others = parts
        for other in others:
            for total, more in zip(first, other, strict=True):
                total.join(more)
        return first

    def share(self, running: Sequence[Callable[[], Part]], block: int, low: int, high: int) -> list[Part]:
        """Go over the rows of one share."""
        totals = [start() for start in running]
        stored = [column for column in self.columns if isinstance(column, Stored)]
        step = streams.height(stored, block) if stored else high - low  # of rows that are read at a time
        for top in range(low, high, step):
            end = min(top + step, high)
            held = self.cut(self.columns, top, end, self.rows)
            for first in range(0, end - top, block):
                last = min(first + block, end - top)
                values = self.values(self.cut(held, first, last, end - top), top + first, last - first)
                with np.errstate(all="ignore"):  # each thread has its own
                    for total in totals:
                        total.add(values, last - first)
        return totals

    def cut(self, columns: Sequence[Any], low: int, high: int, rows: int) -> list[NDArray[np.generic]]:
        """Give the columns of some rows."""
        return [
            streams.read(column, low, high, rows) if told.rows else column
            for column, told in zip(columns, self.layout.columns, strict=True)
        ]


def _is_cut(request: Request, made: Made) -> bool:
    """Tell whether a triangle that is read has an offset whose reference is not that of least squares."""
    offsets = request.offsets if isinstance(request, Triangle) and not request.unread else ()
    return any(made[f"{offset.reference}.cut"] for offset in offsets)
