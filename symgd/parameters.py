"""The numbers that parameters are made of: where each lies in the flat vector, and its name."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Shape: TypeAlias = tuple[int, ...]
Numbers = TypeVar("Numbers", bound=np.generic)


class Shapes(Mapping[str, Shape]):
    """The parameters, in order, with their shapes: arrays lie row after row in one flat vector.

    Parameters
    ----------
    params : iterable of str
        The parameters.
    shapes : iterable of tuple of int, optional
        Theirs; ``()`` for a number, as are all by default.

    Examples
    --------
    >>> shapes = Shapes(["w", "b"], [(2,), ()])
    >>> shapes.names, shapes.size
    (('w[0]', 'w[1]', 'b'), 3)
    >>> shapes.values_of(np.array([1.0, 2.0, 3.0]))
    {'w': array([1., 2.]), 'b': 3.0}
    """

    def __init__(self, params: Iterable[str], shapes: Iterable[Shape] | None = None) -> None:
        listed = tuple(params)
        sizes = ((),) * len(listed) if shapes is None else shapes
        self._shapes: dict[str, Shape] = dict(zip(listed, sizes, strict=True))

    def __getitem__(self, name: str) -> Shape:
        return self._shapes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def __repr__(self) -> str:
        return repr(self._shapes)

    @staticmethod
    def of(shapes: Mapping[str, Shape]) -> Shapes:
        """Give the shapes of a mapping."""
        return shapes if isinstance(shapes, Shapes) else Shapes(shapes, shapes.values())

    @cached_property
    def starts(self) -> dict[str, int]:
        """Where each parameter starts in the flat vector."""
        return dict(zip(self, itertools.accumulate(map(math.prod, self.values()), initial=0), strict=False))

    @cached_property
    def size(self) -> int:
        """The length of the flat vector."""
        return sum(map(math.prod, self.values()))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name for each number: ``w[0]``, ``w[1]``, ``b``."""
        found: list[str] = []
        for name, shape in self.items():
            places = itertools.product(*map(range, shape))
            found += [f"{name}[{','.join(map(str, place))}]" for place in places] if shape else [name]
        return tuple(found)

    def name(self, place: int) -> str:
        """Give the name of one number: of a million, all would take 100 MB."""
        which = bisect.bisect_right([*self.starts.values()], place) - 1
        name, shape = list(self.items())[which]
        inside = np.unravel_index(place - self.starts[name], shape) if shape else ()
        return name + (f"[{','.join(str(int(n)) for n in inside)}]" if shape else "")

    def part(self, flat: NDArray[Numbers], name: str) -> NDArray[Numbers]:
        """Give one parameter's part of flat vectors: of the last axis of an array.

        Parameters
        ----------
        flat : ndarray, shape (..., n)
            The vectors.
        name : str
            The parameter.

        Returns
        -------
        ndarray, shape (..., and that of the parameter)
            A view; of a number in a single vector, the number.
        """
        start, shape = self.starts[name], self[name]
        if not shape:
            found: NDArray[Numbers] = flat[..., start]
            return found
        return flat[..., start : start + math.prod(shape)].reshape(*flat.shape[:-1], *shape)

    def split(self, flat: NDArray[Numbers]) -> dict[str, NDArray[Numbers]]:
        """Give the `part` of each parameter, by name."""
        return {name: self.part(flat, name) for name in self}

    def values_of(self, x: NDArray[np.float64]) -> dict[str, float | NDArray[np.float64]]:
        """Take a flat vector apart: a float, or an array of its own, for each parameter."""
        parts = ((name, self.part(x, name)) for name in self)
        return {name: np.array(part, dtype=np.float64) if self[name] else float(part) for name, part in parts}

    def join(self, values: Mapping[str, object]) -> NDArray[np.float64]:
        """Put values by name into one flat vector."""
        return flat_of(values[name] for name in self)


def flat_of(values: Iterable[object]) -> NDArray[np.float64]:
    """Put numbers and arrays into one flat vector, row after row."""
    parts = [np.ravel(value) for value in values]  # type: ignore[call-overload]
    return np.concatenate(parts).astype(np.float64, copy=False) if parts else np.zeros(0)
