"""What a pass over the rows adds up, block after block: compensated sums, and triangles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from symgd.graph import Node
from symgd.graph.apart import Offset, Reference, Sum, Triangle, own
from symgd.kernel.machine import reflections
from symgd.kernel.references import RANK, Array, Found, add, norm, refer, sizes
from symgd.records import dataclass

Made = dict[str, float | Array]  # moments by name

NARROW = 24  # columns up to which compiled code is faster than LAPACK
INDEPENDENT = 0.02  # the smallest singular value of columns that may be multiplied out


class Refused(Exception):  # noqa: N818 - the rows are used instead
    """Moments would not be as good as the rows."""


@dataclass(frozen=True)
class Setting:
    """Where the features of a pass are found.

    Parameters
    ----------
    places : mapping of Node to int
        Of each node among the arrays of a block.
    lengths : mapping of str to int
        Of the labels but the rows'.
    data : mapping of str to ndarray, Stored or float
        The data, and the moments so far.
    native : bool
        Whether triangles of few columns are made by compiled code.
    """

    places: Mapping[Node, int]
    lengths: Mapping[str, int]
    data: Mapping[str, Any]
    native: bool = False

    def shape(self, *nodes: Node) -> list[int]:
        """Give the shape of what has the labels of nodes, the rows left aside."""
        return [self.lengths[label] for node in nodes for label in own(node)]

    def columns(self, nodes: Sequence[Node], values: Sequence[Array], rows: int) -> list[Array]:
        """Give features of a block as matrices, whose rows are the features' columns; one number as a column of it."""
        found = [np.asarray(values[self.places[node]]) for node in nodes]
        return [v.reshape(-1, rows) if v.ndim else np.full((1, rows), float(v)) for v in found]

    def named(self, request: Reference, found: Found) -> Made:
        """Give a reference as the arrays that its readers expect."""
        made: Made = {f"{request.name}.near": float(found.near), f"{request.name}.cut": float(found.cut)}
        start = 0
        for place, node in enumerate(request.features):
            width = math.prod(self.shape(node))
            made[f"{request.name}.{place}"] = plain(
                found.factors[start : start + width], self.shape(node, request.offset)
            )
            start += width
        return made

    def at(self, offset: Offset, features: Sequence[Node]) -> Array:
        """Give a reference as a matrix, a row for each column of the features that it counts."""
        width = math.prod(self.shape(offset.node))
        parts = [
            np.reshape(self.data[f"{offset.reference}.{place}"], (math.prod(self.shape(features[feature])), width))
            for place, feature in enumerate(offset.counted)
        ]
        return np.concatenate([*parts, np.empty((0, width))])


class Part(Protocol):
    """What one share of the rows comes to."""

    def add(self, values: Sequence[Array], rows: int) -> None:
        """Add a block."""

    def join(self, other: Any) -> None:
        """Join what the next share has come to."""

    def given(self) -> Made:
        """Give the moments."""


class Total:
    """A compensated sum of a feature.

    Parameters
    ----------
    request : Sum
        Which.
    setting : Setting
        Where it is found.
    """

    def __init__(self, request: Sum, setting: Setting) -> None:
        self.request, self.place = request, setting.places[request.node]
        self.parts: list[tuple[Array, Array]] = []  # sums of the rows at the same place of all blocks, and their errors

    def add(self, values: Sequence[Array], rows: int) -> None:
        """Add a block."""
        block = np.asarray(values[self.place])
        if not self.parts:
            self.parts.append((np.array(block), np.zeros_like(block)))
            return
        high, low = (part[..., :rows] for part in self.parts[0])
        high[:], error = add(high, block)
        low += error

    def join(self, other: Total) -> None:
        """Join what the next share has come to."""
        self.parts += other.parts

    def given(self) -> Made:
        """Give the sum, rounded once."""
        both = np.concatenate([half for part in self.parts for half in part], axis=-1)
        if not np.isfinite(both).all():
            raise Refused
        sums = np.array([math.fsum(column) for column in both.reshape(-1, both.shape[-1]).tolist()])
        return {f"{self.request.name}.0": plain(sums, both.shape[:-1])}


class Rotated:
    """The triangle of columns.

    Parameters
    ----------
    request : Triangle
        Which columns.
    setting : Setting
        Where they are found.
    """

    def __init__(self, request: Triangle, setting: Setting) -> None:
        self.request, self.setting = request, setting
        self.starts = np.cumsum([0, *(math.prod(setting.shape(node)) for node in request.columns)]).tolist()
        self.triangle = np.empty((0, self.starts[-1]))
        self.native = reflections.rotation() if setting.native and self.starts[-1] <= NARROW else None
        self.scale = np.ones(self.starts[-1])  # powers of two that compiled code has the columns in: it sums squares
        self.room: Array | None = None
        self.at = [setting.at(offset, request.features) for offset in request.offsets]

    def add(self, values: Sequence[Array], rows: int) -> None:
        """Rotate a block, below the triangle of those before."""
        columns = self.setting.columns(self.request.columns, values, rows)
        before = 0 if self.native else len(self.triangle)
        if self.native is None:
            self.room = np.empty((self.starts[-1], before + rows))  # by columns, as LAPACK takes them
            self.room[:, :before] = self.triangle.T
        elif self.room is None:
            self.room, self.triangle = np.empty((self.starts[-1], rows)), np.zeros((self.starts[-1],) * 2)
            largest = np.concatenate([np.abs(column).max(axis=1) for column in columns])
            self.scale = np.ldexp(1.0, -np.frexp(np.where(np.isfinite(largest), largest, 0.0))[1])
        block = self.room[:, before : before + rows]
        for column, low, high in zip(columns, self.starts[:-1], self.starts[1:], strict=True):
            np.multiply(column, self.scale[low:high, None], out=block[low:high])
        self._refer(columns, block)
        if self.native is None:
            self.triangle = _rotated(self.room.T)
        else:
            self.native(self.room.reshape(-1), self.triangle.reshape(-1), rows, self.room.shape[1], self.starts[-1])

    def _refer(self, columns: Sequence[Array], block: Array) -> None:
        """Take the offsets of a block to their references."""
        request, setting, starts = self.request, self.setting, self.starts
        first = len(request.features)
        for place, (offset, at) in enumerate(zip(request.offsets, self.at, strict=True), first):
            if not offset.counted:
                continue
            own = slice(starts[place], starts[place + 1])
            if setting.data[f"{offset.reference}.near"]:
                features = np.concatenate([columns[i] for i in offset.counted])
                np.multiply(refer(columns[place], at, features), self.scale[own, None], out=block[own])
                continue
            every = [row for i in offset.counted for row in range(starts[i], starts[i + 1])]
            rows = slice(every[0], every[-1] + 1) if every == list(range(every[0], every[-1] + 1)) else every
            block[own] += (at * (self.scale[own] / self.scale[rows, None])).T @ block[rows]

    def join(self, other: Rotated) -> None:
        """Rotate two triangles into one."""
        self.triangle, self.scale = _rotated(np.concatenate([self.unscaled(), other.unscaled()])), np.ones(1)

    def unscaled(self) -> Array:
        """Give the triangle in the columns' own units."""
        return self.triangle / self.scale

    def given(self) -> Made:
        """Give the columns of the triangle, or its numbers."""
        request, whole, name = self.request, self.unscaled(), self.request.name
        if request.unread:
            sizes = np.linalg.norm(whole, axis=0)
            if np.linalg.svd(whole[:, sizes > 0] / sizes[sizes > 0], compute_uv=False)[-1] < INDEPENDENT:
                raise Refused
            return {}
        if request.single:
            rows, columns = np.triu_indices(len(whole))
            return {f"{name}.{i}.{j}": float(whole[i, j]) for i, j in zip(rows, columns, strict=True)}
        shapes = [self.setting.shape(node) for node in request.columns]
        return {
            f"{name}.{place}": plain(whole[:, low:high], [len(whole), *shape])
            for place, (shape, low, high) in enumerate(zip(shapes, self.starts[:-1], self.starts[1:], strict=True))
        }


class Least(Rotated):
    """A reference of least squares over all rows, and the sizes of the features.

    Parameters
    ----------
    request : Reference
        Which.
    setting : Setting
        Where its columns are found.
    """

    def __init__(self, request: Reference, setting: Setting) -> None:
        super().__init__(request.triangle, setting)
        self.reference = request

    def given(self) -> Made:
        """Give reference and sizes."""
        request, setting, whole = self.reference, self.setting, self.unscaled()
        width = self.starts[-2]
        scale = sizes(whole[:, :width])
        moved = np.linalg.lstsq(whole[:, :width] / scale, -whole[:, width:], rcond=RANK)[0] / scale[:, None]
        made = setting.named(request, Found(self.at[0] + moved, near=True, cut=False))
        for place, node in enumerate(request.features):
            low, high = self.starts[place], self.starts[place + 1]
            lengths = np.array([norm(column) for column in whole[:, low:high].T])
            made[f"{request.name}.size{place}"] = plain(lengths, setting.shape(node))
        return made


def plain(values: Array, shape: Sequence[int]) -> float | Array:
    """Give values in a shape: a float, where it has no axes."""
    return values.reshape(shape).copy() if len(shape) else float(values.reshape(()))


def _rotated(rows: Array) -> Array:
    """Give the triangle of a matrix, square also where there are fewer rows than columns."""
    if not np.isfinite(rows).all():
        raise Refused
    reflected = np.linalg.qr(rows, mode="raw")[0]  # as LAPACK leaves it: the triangle, transposed, is its upper part
    width = len(reflected)
    found = np.zeros((width, width))
    found[: len(rows)] = reflected[:, :width].T
    return np.triu(found)
