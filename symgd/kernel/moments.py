"""The pass that makes the moments of the data: once over the rows, in blocks, joined in a fixed order.

Sums are compensated, so that they are those of the features to the last bit or nearly. Triangles are made block by
block by Householder's reflections, each block joined to the triangle of those before, which is as exact as the rows
are: the triangle is that of columns that differ by a few roundings. The rows are cut into shares by their number alone,
and shares are joined one after the other, so that the bits do not depend on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.data import Stored
from symgd.graph import ROWS
from symgd.graph.apart import ROW_COUNT, Offset, Reference, Request, Sum, Triangle, own
from symgd.graph.moments import Moments, wanted
from symgd.kernel import blas, streams, threads
from symgd.kernel.code import Program
from symgd.kernel.code.features import features
from symgd.kernel.tiers import load_arrays, quietly

Array = NDArray[np.float64]
Made = dict[str, float | Array]  # moments by name

BLOCK = 1 << 15  # numbers of the features of a block
LEAST = 512  # rows of a block, at least
SAMPLE = 4096  # rows that references are found on
TOWARDS = 8.0  # times the offset's size, that the features at a reference have at most
NEAR = 0.1  # of the offset, that is left at its reference, from which on it is worked out in more digits
RANK = 1e-12  # of the largest singular value, below which a direction counts for nothing
INDEPENDENT = 0.02  # the smallest singular value of features that may be multiplied out
FEW = 8  # rows for each column of a triangle, below which nothing is gained
# Operations: of a pass, for each feature of a row; and of what comes before it, reading, deriving and writing code.
WIDE, ONCE = 10, 50_000_000
WORTH = 2  # times its cost, that a pass must spare
SPLIT = 134217729.0  # 2**27 + 1


class Refused(Exception):  # noqa: N818 - the rows are used instead
    """Moments would not be as good as the rows."""


class Alike(Exception):  # noqa: N818 - another form of the moments is used instead
    """Features are so much alike that factors need two references."""


def make(found: Moments, data: Mapping[str, Any], rows: int, workers: int) -> Made:
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
            made |= _Level(level, lengths, {**data, **made}, rows).made(workers)
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
    return rows >= FEW * widest and evaluations * program.work[1] * rows >= ONCE + WORTH * each * rows


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
    """

    def __init__(
        self, requests: Sequence[Request], lengths: Mapping[str, int], data: Mapping[str, Any], rows: int
    ) -> None:
        nodes = [node for request in requests for node in wanted(request)]
        written = features(nodes, lengths, types(data))
        if written is None:
            raise Refused
        self.layout, text = written
        self.function = quietly(load_arrays([text], text.name))
        self.places = {node: place for place, node in enumerate(nodes)}
        self.requests, self.data, self.rows, self.lengths = requests, data, rows, lengths
        self.columns = [streams.open_flat(data[c.name], c.dtype, rows=c.rows) for c in self.layout.columns]
        self.widths = [math.prod(lengths[label] for label in node.labels if label != ROWS) for node in nodes]

    def made(self, workers: int) -> Made:
        """Answer the requests."""
        made: Made = {}
        references = [r for r in self.requests if isinstance(r, Reference) and not r.after]
        if references:
            sample = self.sample()
            for request in references:
                made |= self.answered(request, sample)
        running: list[Callable[[], _Total | _Rotated]] = []
        for request in self.requests:
            if isinstance(request, Sum):
                running.append(lambda request=request: _Total(request, self))
            elif isinstance(request, Triangle):
                running.append(lambda request=request: _Rotated(request, self))
            elif request.after:
                running.append(lambda request=request: _Found(request, self))
        if running:
            for total in self.over_rows(running, workers):
                made |= total.given()
        return made

    def answered(self, request: Reference, sample: Sequence[Array]) -> Made:
        """Find a reference on a sample."""
        found, told = _reference(self.matrices(request, sample))
        return self.named(request, found, **told)

    def named(self, request: Reference, found: Array, *, near: bool, cut: bool) -> Made:
        """Give factors, a row for each column of the features, as the arrays of a reference."""
        made: Made = {f"{request.name}.near": float(near), f"{request.name}.cut": float(cut)}
        start = 0
        for place, node in enumerate(request.features):
            shape = [self.lengths[label] for label in (*own(node), *own(request.offset))]
            width = self.widths[self.places[node]]
            part = found[start : start + width].reshape(shape)
            made[f"{request.name}.{place}"] = part if part.ndim else float(part)
            start += width
        return made

    # ---- rows ------------------------------------------------------------------------------------------------------

    def values(self, columns: Sequence[Any], first: int, count: int) -> list[Array]:
        """Compute the features of rows, given the columns of them."""
        layout, rest = self.layout, []
        if layout.numbered:
            rest.append(np.arange(first, first + count))
        rest += [np.array(table, dtype=np.float64) for table in layout.tables]
        memory = [np.empty(0) for _ in layout.memory()]
        numbers = [float(self.data[name]) for name in layout.scalars]
        counted = [count] if layout.counted else []
        return list(self.function(*counted, *numbers, *columns, *rest, *memory))  # type: ignore[arg-type]

    def sample(self) -> list[Array]:
        """Compute the features of rows that are spread evenly."""
        count = min(SAMPLE, self.rows)
        chosen = np.arange(count) * (self.rows - 1) // max(count - 1, 1)
        columns: list[Any] = []
        for column, told in zip(self.columns, self.layout.columns, strict=True):
            if isinstance(column, Stored):
                columns.append(column.sample(count).reshape(-1))
            elif told.rows:
                columns.append(column.reshape(self.rows, -1)[chosen].reshape(-1))
            else:
                columns.append(column)
        return self.values(columns, 0, count)

    def matrices(self, request: Reference | Triangle, values: Sequence[Array]) -> list[Array]:
        """Give features as matrices, a row for each row."""
        found = [values[self.places[node]] for node in wanted(request)]
        count = max((len(v) for v in found if np.ndim(v)), default=1)
        return [np.broadcast_to(v, (count,)).reshape(count, -1) if np.ndim(v) == 0 else v.reshape(count, -1)
                for v in map(np.asarray, found)]  # fmt: skip

    def over_rows(self, running: Sequence[Callable[[], Any]], workers: int) -> list[Any]:
        """Go over the rows, share after share, block after block; give what all of them come to."""
        width = max(1, sum(self.widths))
        block = max(LEAST, 1 << max(0, (BLOCK // width).bit_length() - 1))
        blocks = -(-self.rows // block)
        shares = max(1, min(threads.SHARES, blocks // 4))
        cuts = np.minimum(np.linspace(0, blocks, shares + 1).astype(np.int64) * block, self.rows).tolist()
        stored = [column for column in self.columns if isinstance(column, Stored)]
        step = streams.height(stored, block) if stored else block

        def share(low: int, high: int) -> list[Any]:
            totals = [start() for start in running]
            for top in range(low, high, step):
                end = min(top + step, high)
                held = [streams.read(c, top, end, self.rows) if told.rows else c
                        for c, told in zip(self.columns, self.layout.columns, strict=True)]  # fmt: skip
                for first in range(0, end - top, block):
                    last = min(first + block, end - top)
                    columns = [streams.read(c, first, last, end - top) if told.rows else c
                               for c, told in zip(held, self.layout.columns, strict=True)]  # fmt: skip
                    values = self.values(columns, top + first, last - first)
                    for total in totals:
                        total.add(values, last - first)
            return totals

        if workers == 1 or shares == 1:
            parts = [share(low, high) for low, high in zip(cuts[:-1], cuts[1:], strict=True)]
        else:
            parts = list(threads.pool(workers).map(share, cuts[:-1], cuts[1:]))
        first, *others = parts
        for other in others:
            for total, more in zip(first, other, strict=True):
                total.join(more)
        return first


# ---- what is added up ----------------------------------------------------------------------------------------------


class _Total:
    """A compensated sum of a feature."""

    def __init__(self, request: Sum, level: _Level) -> None:
        self.request, self.place = request, level.places[request.node]
        self.parts: list[tuple[Array, Array]] = []  # sums of the rows at the same place of all blocks, and their errors

    def add(self, values: Sequence[Array], count: int) -> None:
        """Add a block."""
        block = np.asarray(values[self.place])
        if not self.parts:
            self.parts.append((np.array(block), np.zeros_like(block)))
            return
        high, low = (part[:count] for part in self.parts[0])
        high[:], error = _sum(high, block)
        low += error

    def join(self, other: _Total) -> None:
        """Join what another share has."""
        self.parts += other.parts

    def given(self) -> Made:
        """Give the sum, rounded once."""
        both = np.concatenate([half for part in self.parts for half in part])
        if not np.isfinite(both).all():
            raise Refused
        columns = both.reshape(len(both), -1).T
        sums = np.array([math.fsum(column.tolist()) for column in columns]).reshape(both.shape[1:])
        return {f"{self.request.name}.0": sums if sums.ndim else float(sums)}


class _Rotated:
    """The triangle of columns."""

    def __init__(self, request: Triangle, level: _Level) -> None:
        self.request, self.level = request, level
        self.triangle: Array | None = None
        self.widths = [level.widths[level.places[node]] for node in request.columns]
        self.shapes = [[level.lengths[label] for label in own(node)] for node in request.columns]

    def add(self, values: Sequence[Array], count: int) -> None:
        """Rotate a block, below the triangle of those before."""
        request, level = self.request, self.level
        columns = level.matrices(request, values)
        features = columns[: len(request.features)]
        total = sum(self.widths)
        room = np.zeros((total, total + count))
        if self.triangle is not None:
            room[:, :total] = self.triangle.T
        start = 0
        for place, (column, width) in enumerate(zip(columns, self.widths, strict=True)):
            part = room[start : start + width, total:]
            part[:] = column.T
            if place >= len(features):
                _refer(part, request.offsets[place - len(features)], features, level.data)
            start += width
        self.triangle = _rotated(room.T)

    def join(self, other: _Rotated) -> None:
        """Rotate two triangles into one."""
        assert self.triangle is not None
        assert other.triangle is not None
        self.triangle = _rotated(np.concatenate([self.triangle, other.triangle]))

    def given(self) -> Made:
        """Give the columns of the triangle, or its numbers."""
        triangle, name = self.triangle, self.request.name
        assert triangle is not None
        if self.request.unread:
            sizes = np.linalg.norm(triangle, axis=0)
            if np.linalg.svd(triangle[:, sizes > 0] / sizes[sizes > 0], compute_uv=False)[-1] < INDEPENDENT:
                raise Refused
            return {}
        if self.request.single:
            return {f"{name}.{i}.{j}": float(triangle[i, j]) for i in range(len(triangle)) for j in range(i, len(triangle))}
        cuts = np.cumsum([0, *self.widths])
        return {f"{name}.{i}": triangle[:, cuts[i] : cuts[i + 1]].reshape(len(triangle), *shape).copy()
                for i, shape in enumerate(self.shapes)}  # fmt: skip


class _Found(_Rotated):
    """A reference that is found on all rows."""

    def __init__(self, request: Reference, level: _Level) -> None:
        super().__init__(request.triangle, level)
        self.reference = request

    def given(self) -> Made:
        """Give the reference, and the sizes of the features."""
        triangle, request, level = self.triangle, self.reference, self.level
        assert triangle is not None
        width = sum(self.widths[:-1])
        features, sizes = triangle[:, :width], np.array([_norm(column) for column in triangle[:, :width].T])
        scale = np.where(sizes > 0, sizes, 1.0)
        before = [np.reshape(level.data[f"{request.after}.{i}"], (w, -1)) for i, w in enumerate(self.widths[:-1])]
        moved = np.linalg.lstsq(features / scale, -triangle[:, width:], rcond=RANK)[0] / scale[:, None]
        made = level.named(request, np.concatenate(before) + moved, near=True, cut=False)
        starts = np.cumsum([0, *self.widths])
        for place, node in enumerate(request.features):
            shape = [level.lengths[label] for label in own(node)]
            size = sizes[starts[place] : starts[place + 1]].reshape(shape)
            made[f"{request.name}.size{place}"] = size if size.ndim else float(size)
        return made


def _is_cut(request: Request, made: Made) -> bool:
    """Tell whether a triangle that is read has an offset whose reference is not that of least squares."""
    offsets = request.offsets if isinstance(request, Triangle) and not request.unread else ()
    return any(made[f"{offset.reference}.cut"] for offset in offsets)


def _rotated(rows: Array) -> Array:
    """Give the triangle of a matrix, square also where there are fewer rows than columns."""
    if not np.isfinite(rows).all():
        raise Refused
    found = np.linalg.qr(rows, mode="r")
    if len(found) < rows.shape[1]:
        found = np.concatenate([found, np.zeros((rows.shape[1] - len(found), rows.shape[1]))])
    return np.asarray(found)


# ---- references ----------------------------------------------------------------------------------------------------


def _reference(columns: Sequence[Array]) -> tuple[Array, dict[str, bool]]:
    """Give the factors at which an offset and its features come to little, on a sample of the rows.

    They are those of least squares, as far as the features at them stay about as large as the offset: beyond, they
    would lose more digits where factors are small than they keep where factors are close to them.
    """
    offset, *features = columns
    matrix = np.concatenate([*features, np.empty((len(offset), 0))], axis=1)
    if not (np.isfinite(matrix).all() and np.isfinite(offset).all()):
        raise Refused
    found = np.zeros((matrix.shape[1], offset.shape[1]))
    scale = np.array([_norm(column) for column in matrix.T])
    scale[scale == 0] = 1.0
    near = cut = False
    if matrix.size:
        u, s, vt = np.linalg.svd(matrix / scale, full_matrices=False)
        for place, column in enumerate(offset.T):
            size = _norm(column)
            if size > 0:
                at, whole = _solution(u, s, vt, column / size)
                near = near or _norm(column / size + (matrix / scale) @ at) < NEAR
                cut = cut or not whole
                found[:, place] = at * (size / scale)
    if not np.isfinite(found).all():
        raise Refused
    return found, {"near": near, "cut": cut}


def _solution(u: Array, s: Array, vt: Array, column: Array) -> tuple[Array, bool]:
    """Give factors of least squares, of as many directions as keep them within bounds; and whether these are all."""
    most = int((s > RANK * s[0]).sum())
    for rank in range(most, 0, -1):
        at = -vt[:rank].T @ ((u[:, :rank].T @ column) / s[:rank])
        if np.abs(at).sum() <= TOWARDS:
            return np.asarray(at), rank == most
    return np.zeros(vt.shape[1]), False


def _refer(part: Array, offset: Offset, features: Sequence[Array], data: Mapping[str, Any]) -> None:
    """Take columns of an offset to what is left of them at their reference."""
    plain, high, low = part.copy(), part.copy(), np.zeros_like(part)
    near = data[f"{offset.reference}.near"]
    for place, feature in enumerate(offset.counted):
        at = np.reshape(data[f"{offset.reference}.{place}"], (features[feature].shape[1], len(part)))
        if not near:
            part += at.T @ features[feature].T
            continue
        for factors, column in zip(at, features[feature].T, strict=True):
            product, more = _product(factors[:, None], column[None, :])
            plain += product
            high, error = _sum(high, product)
            low += error + more
    if near:
        exact = high + low
        part[:] = np.where(np.isfinite(exact), exact, plain)


def _sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Give a sum and its error (Knuth 1997, The Art of Computer Programming 2, section 4.2.2)."""
    total = a + b
    there = total - a
    return total, (a - (total - there)) + (b - there)


def _product(a: Array, b: Array) -> tuple[Array, Array]:
    """Give a product and its error (Dekker 1971, A floating-point technique for extending the available precision)."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: Array) -> tuple[Array, Array]:
    """Give the first half of the digits of numbers, and the rest."""
    raised = SPLIT * a
    high = raised - (raised - a)
    return high, a - high


def _norm(column: Array) -> float:
    """Give the length of a vector, whatever its scale."""
    largest = float(np.abs(column).max(initial=0.0))
    return largest * float(np.linalg.norm(column / largest)) if 0 < largest < math.inf else largest
