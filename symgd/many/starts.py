"""Where many starts lie: in a box, spread by a strategy, or as they are given."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import checks
from symgd.data.points import by_label, entries
from symgd.errors import UsageError, shown, suggest
from symgd.parameters import Shape, Shapes
from symgd.records import dataclass

Matrix = NDArray[np.float64]

STRATEGIES = {
    "uniform": "independent points, each place as likely as the other",
    "latin": "a Latin hypercube: of each parameter, one point in each of n slices (McKay et al. 1979)",
    "sobol": "a scrambled Sobol sequence, which leaves no gaps (Sobol 1967; Owen 1998)",
}
MOST = 10_000_000_000  # numbers that all starts together may hold
LONGEST = 21_201  # parameters for which SciPy has Sobol sequences


@dataclass(frozen=True, eq=False)
class Box:
    """Bounds of the starts, for each number of the parameters.

    Parameters
    ----------
    low, high : ndarray, shape (n,)
        The bounds.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def holds(self, x: NDArray[np.float64]) -> bool:
        """Tell whether a point is inside, up to rounding."""
        room = 1e-9 * (self.high - self.low)
        return bool(((x >= self.low - room) & (x <= self.high + room)).all())


def points(
    params: tuple[str, ...], shapes: Mapping[str, Shape], starts: Any, box: object, n: object, strategy: object,
    seed: object,
) -> tuple[dict[str, NDArray[np.float64]], Box | None]:  # fmt: skip
    """Give the starts by parameter, the first axis being that of the starts; everything is checked.

    Parameters
    ----------
    params : tuple of str
        The parameters, in order.
    shapes : mapping of str to tuple of int
        Those that are known.
    starts : object
        What was given as starts: a mapping of arrays, a matrix, or a sequence of points; or ``None``.
    box : object
        What was given as a box: a mapping of name to low and high; or ``None``.
    n : int or None
        How many starts to spread in the box.
    strategy : str
        One of `STRATEGIES`.
    seed : int
        Of the strategy.

    Returns
    -------
    points : dict of str to ndarray
        The starts.
    box : Box or None
        The bounds, where there are any.

    Raises
    ------
    UsageError
        For what is no box, no starts, both or neither.
    """
    seed = checks.whole("seed", seed)
    if (starts is None) == (box is None):
        given = "both starts and a box" if starts is not None else "neither starts nor a box"
        example = "{" + ", ".join(f"'{p}': (-5, 5)" for p in params[:2]) + "}"
        raise UsageError(f"got {given}; give one of them, such as box={example}, n=1000")
    if starts is not None:
        if n is not None:
            raise UsageError(f"n={shown(n)} is for a box; the starts that are given say how many they are")
        return _given(params, shapes, starts), None
    count = 1000 if n is None else checks.whole("n", n, 1)
    if not isinstance(strategy, str) or strategy not in STRATEGIES:
        near = suggest(strategy, list(STRATEGIES)) if isinstance(strategy, str) else None
        hint = f"did you mean '{near}'?" if near else f"take one of {', '.join(STRATEGIES)}"
        raise UsageError(f"strategy={shown(strategy)} is not known; {hint}")
    bounds, sizes = _bounds(params, shapes, box)
    width = len(bounds.low)
    if count * max(1, width) > MOST:
        raise UsageError(f"n={count:,} starts of {width:,} parameters are more than memory holds")
    flat = bounds.low + _spread(strategy, int(count), width, int(seed)) * (bounds.high - bounds.low)
    return Shapes.of(sizes).split(flat), bounds


def _spread(strategy: str, count: int, width: int, seed: int) -> Matrix:
    """Spread points in the unit cube."""
    if strategy == "uniform":
        return np.random.default_rng(seed).random((count, width))
    from scipy.stats import qmc

    if strategy == "latin":
        return np.asarray(qmc.LatinHypercube(width, seed=seed).random(count), dtype=np.float64)
    if width > LONGEST:
        raise UsageError(f"a Sobol sequence has at most {LONGEST:,} parameters; take strategy='latin' or 'uniform'")
    # As many as a power of 2, which is what the sequence is balanced for; then those that were asked for.
    whole = qmc.Sobol(width, seed=seed).random_base2(max(1, math.ceil(math.log2(count))))
    return np.ascontiguousarray(whole[:count], dtype=np.float64)


# ---- a box ---------------------------------------------------------------------------------------------------------


def _bounds(params: tuple[str, ...], shapes: Mapping[str, Shape], box: object) -> tuple[Box, dict[str, Shape]]:
    if not isinstance(box, Mapping):
        raise UsageError(f"box={shown(box)} must be a mapping of names to (low, high)")
    _check_names(params, box, "bounds")
    sizes, lows, highs = {}, [], []
    for name in params:
        pair = box[name]
        if isinstance(pair, str | Mapping) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise UsageError(f"box['{name}']={shown(pair)} must be (low, high)")
        low, high = (np.asarray(entries((name,), (end,), {})[name]) for end in pair)
        try:
            shape = np.broadcast_shapes(low.shape, high.shape, shapes.get(name, ()))
        except ValueError:
            raise UsageError(
                f"box['{name}'] has bounds of the shapes {low.shape} and {high.shape}; '{name}' has the shape "
                f"{shapes.get(name, ())}"
            ) from None
        low, high = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
        if not (low < high).all():
            raise UsageError(f"box['{name}']={shown(pair)} must have low below high")
        if not np.isfinite(high - low).all():
            raise UsageError(f"box['{name}']={shown(pair)} is wider than float64 holds")
        sizes[name] = shape
        lows.append(low.ravel())
        highs.append(high.ravel())
    return Box(np.concatenate(lows), np.concatenate(highs)), sizes


def _check_names(params: tuple[str, ...], given: Mapping[object, object], what: str) -> None:
    for name in given:
        if name not in params:
            near = suggest(str(name), list(params))
            hint = f"did you mean '{near}'?" if near else f"the parameters are {', '.join(params)}"
            raise UsageError(f"{shown(name)} is no parameter of the formula; {hint}")
    missing = [name for name in params if name not in given]
    if missing:
        raise UsageError(f"no {what} for {', '.join(missing[:5])}; every parameter needs them")


# ---- starts that are given -----------------------------------------------------------------------------------------


def _given(params: tuple[str, ...], shapes: Mapping[str, Shape], starts: Any) -> dict[str, NDArray[np.float64]]:
    starts = by_label(starts)
    if isinstance(starts, Mapping):
        _check_names(params, starts, "starts")
        found = {name: _numbers(name, starts[name]) for name in params}
        lengths = {name: len(values) for name, values in found.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{count} of '{name}'" for name, count in list(lengths.items())[:5])
            raise UsageError(f"starts must be as many for each parameter; got {told}")
        return found
    listed = starts if isinstance(starts, np.ndarray) else None
    if listed is None and isinstance(starts, Sequence) and not isinstance(starts, str) and len(starts):
        if isinstance(by_label(starts[0]), Mapping):
            rows = [entries(params, point, {}) for point in starts]
            return _given(params, shapes, {name: [row[name] for row in rows] for name in params})
        listed = np.asarray(_numbers("starts", starts))
    if listed is None or listed.ndim != 2:
        raise UsageError(
            f"starts={shown(starts)} must be a mapping of names to arrays, a matrix with a start in each row, or a "
            "list of points"
        )
    sizes = Shapes(params, [shapes.get(name, ()) for name in params])
    if listed.shape[1] != sizes.size:
        raise UsageError(f"starts has {listed.shape[1]} columns for {sizes.size} numbers: {', '.join(params[:20])}")
    return sizes.split(_numbers("starts", listed))


def _numbers(name: str, values: object) -> NDArray[np.float64]:
    try:
        array = checks.numbers(values).astype(np.float64)
    except (ValueError, OverflowError):
        raise UsageError(f"{name}={shown(values)} must be real numbers, as many for each start") from None
    if not array.ndim or not array.size:
        raise UsageError(f"{name}={shown(values)} must be an array of real numbers, one or more for each start")
    if not np.isfinite(array).all():
        raise UsageError(f"{name} must be finite; {int((~np.isfinite(array)).sum())} of its entries are not")
    return array
