"""Worst rates over a range of eigenvalues, and the learning rates and hyperparameters that make them best.

The worst rate is continuous but has kinks, exactly at the optimum: so grids find the valleys, and bracketing searches
without derivatives go down in them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.insight.linear import LinearMap, Matrix
from symgd.insight.stability import is_product

Values = dict[str, float]

_DENSE = 513  # eigenvalues at which the rate is looked at
_SPARSE = 65  # likewise, inside of a search
_PER_DECADE, _SPARSELY = 60, 20  # learning rates, where they enter by a product with the eigenvalue, and elsewhere
_NARROW = 1e-4  # how finely hyperparameters are looked at around 0 and 1
_OFF = 6  # places on either side of a low one that are looked at again
_FLAT = 1e-12  # relative: rates that differ by less are equal but for rounding
_WIDE = 12.0  # asinh of the largest hyperparameters that are tried, in these units
_STARTS = 200  # combinations of hyperparameters that are tried
_SIMPLICES = (0.3, 0.1, 0.1, 0.03, 0.01, 1e-3, 1e-4)  # sizes: one that a kink has flattened is put up again
_HOPELESS = 1e9  # what rates without bound count as


def worst_rate(
    found: LinearMap, smallest: float, largest: float, lr: float, hyper: Mapping[str, float] | None = None
) -> float:
    """Give the largest spectral radius over a range of eigenvalues.

    Parameters
    ----------
    found : LinearMap
        The rule.
    smallest : float
        The smallest eigenvalue, positive.
    largest : float
        The largest one.
    lr : float
        The learning rate.
    hyper : mapping of str to float, optional
        Hyperparameters other than the rule's own.

    Returns
    -------
    float
        The factor per step in the long run; nan where a coefficient is not finite.
    """
    places = _places(smallest, largest, _DENSE)
    rates = found.radius(np.exp(places), lr, hyper)
    ends = found.radius([smallest, largest], lr, hyper)
    top = float(np.max([*rates, *ends]))  # a nan stays one
    inner = np.flatnonzero((rates[1:-1] >= rates[:-2]) & (rates[1:-1] >= rates[2:])) + 1
    for i in inner[np.argsort(rates[inner])[-3:]]:
        if rates[i] > ends.max():
            value = _down(lambda s: -float(found.radius(math.exp(s), lr, hyper)), places[i - 1], places[i + 1], 1)[1]
            top = max(top, -value)
    return top


def best_lr(
    found: LinearMap, smallest: float, largest: float, hyper: Mapping[str, float] | None = None
) -> tuple[float, float]:
    """Give the learning rate whose worst rate is best.

    Parameters
    ----------
    found : LinearMap
        The rule.
    smallest : float
        The smallest eigenvalue, positive.
    largest : float
        The largest one.
    hyper : mapping of str to float, optional
        Hyperparameters other than the rule's own.

    Returns
    -------
    lr : float
        The learning rate.
    rate : float
        The worst rate with it; at least 1 where no learning rate is stable.
    """
    values = {**found.hyper, **(hyper or {})}
    valleys = _Valleys(found, smallest, largest)
    lr = valleys.deepest(values)[0]
    return lr, worst_rate(found, smallest, largest, lr, values)


def best_values(found: LinearMap, smallest: float, largest: float, free: tuple[str, ...]) -> tuple[Values, float]:
    """Give the learning rate and hyperparameters whose worst rate is best.

    Parameters
    ----------
    found : LinearMap
        The rule.
    smallest : float
        The smallest eigenvalue, positive.
    largest : float
        The largest one.
    free : tuple of str
        The hyperparameters that may change.

    Returns
    -------
    values : dict of str to float
        ``lr`` and the hyperparameters.
    rate : float
        The worst rate with them; at least 1 where none are stable. With several free hyperparameters the search is
        from several starts, and there may be better ones.
    """
    valleys = _Valleys(found, smallest, largest)
    if not free:
        values = dict(found.hyper)
    elif len(free) == 1:
        values = _along(valleys, free[0])
    else:
        return _jointly(valleys, free)
    lr = valleys.deepest(values)[0]
    return {"lr": lr, **values}, worst_rate(found, smallest, largest, lr, values)


class _Valleys:
    """The worst rate as a function of the learning rate, between two eigenvalues."""

    def __init__(self, found: LinearMap, smallest: float, largest: float) -> None:
        self.found, self.smallest, self.largest = found, smallest, largest
        self.ends = math.log(smallest), math.log(largest)
        self.eigenvalues = np.exp(_places(smallest, largest, _SPARSE))
        # Not for hyperparameters alone that happen to be 0.
        others = {name: value * (1 - _NARROW) or _NARROW for name, value in found.hyper.items()}
        self.scaled = is_product(found, others)

    def rate(self, place: float, hyper: Mapping[str, float]) -> float:
        """Give the worst rate at the logarithm of a learning rate."""
        rates = self.found.radius(self.eigenvalues, math.exp(min(place, 700.0)), hyper)
        return float(rates.max()) if np.isfinite(rates).all() else math.inf

    def coarse(self, hyper: Mapping[str, float]) -> tuple[Matrix, Matrix]:
        """Give logarithms of learning rates, and the worst rate of each on a grid."""
        low, high = self.ends
        if not self.scaled:
            places: Matrix = np.arange(min(0, -high) - 9.2, max(0, -high) + 9.2, math.log(10) / _SPARSELY)
            return places, np.array([self.rate(place, hyper) for place in places])
        # Rates depend on lr*lambda alone: one table of them, and over it a window as wide as the range.
        width = math.ceil((high - low) / math.log(10) * _PER_DECADE)
        step = (high - low) / width if width else math.log(10) / _PER_DECADE
        table = np.arange(math.floor((low - high - 9) / step), math.ceil(7 / step), dtype=np.float64) * step
        with np.errstate(all="ignore"):
            rates = np.nan_to_num(self.found.radius(np.exp(table), 1.0, hyper), nan=math.inf)
        windows = np.lib.stride_tricks.sliding_window_view(rates, width + 1).max(axis=-1)
        return table[: len(windows)] - low, windows

    def deepest(self, hyper: Mapping[str, float], passes: int = 3) -> tuple[float, float]:
        """Give the best learning rate and its rate; without a pass as the grid has it."""
        places, rates = self.coarse(hyper)
        found = [(float(rates[i]), float(places[i])) for i in _lowest(rates)[:2]]
        if passes:
            step = places[1] - places[0]
            found += [_down(lambda s: self.rate(s, hyper), p - step, p + step, passes)[::-1] for _, p in found]
        rate, place = min(found)
        level = np.flatnonzero(rates <= rate * (1 + _FLAT))
        if len(level) > 2 and level[-1] - level[0] < len(level):
            # Many in a row are equally good: the one in the middle is farthest from those that are worse.
            middle = level[len(level) // 2]
            rate, place = float(rates[middle]), float(places[middle])
        return math.exp(min(place, 700.0)), rate


def _along(valleys: _Valleys, name: str) -> Values:
    """Find the best value of one hyperparameter, each with the learning rate that is best for it."""
    values = dict(valleys.found.hyper)
    around = _NARROW * np.sinh(np.linspace(-_WIDE, _WIDE, 73))
    places: Matrix = np.unique([*around, *(1 - around), values[name]])
    rates = np.array([valleys.deepest({**values, name: float(p)}, 0)[1] for p in places])
    found = [(float(rates.min()), float(places[rates.argmin()]))]
    for i in _lowest(rates)[:2]:
        # On a grid of learning rates the lowest place may be a few off.
        near = places[max(i - _OFF, 0) : i + _OFF + 1]
        finer = np.array([valleys.deepest({**values, name: float(p)}, 1)[1] for p in near])
        j = int(finer.argmin())
        low, high = float(near[max(j - 1, 0)]), float(near[min(j + 1, len(near) - 1)])
        found.append(_down(lambda p: valleys.deepest({**values, name: p}, 1)[1], low, high, 2)[::-1])
    return {**values, name: min(found)[1]}


def _jointly(valleys: _Valleys, free: tuple[str, ...]) -> tuple[Values, float]:
    """Find the best values of several hyperparameters: evolution finds the valley, simplices go down in it."""
    from scipy.optimize import differential_evolution, minimize

    found = valleys.found

    def hyper_at(place: Any) -> Values:
        return {**found.hyper, **{k: 1 - _NARROW * math.sinh(u) for k, u in zip(free, place, strict=True)}}

    def rate(place: Any) -> float:
        return valleys.rate(float(place[0]), hyper_at(place[1:])) if np.abs(place[1:]).max() < 20 else math.inf

    def coarse(place: Any) -> float:
        return min(valleys.deepest(hyper_at(place), 0)[1], _HOPELESS)

    low, high = (math.exp(end / 2) for end in valleys.ends)
    tried = {0.0, 0.5, 1.0, ((high - low) / (high + low)) ** 2, (high - low) / (high + low)}
    values = [*product(sorted(tried), repeat=len(free)), [found.hyper[k] for k in free]][-_STARTS:]
    starts = [np.arcsinh((1 - np.array(v)) / _NARROW).clip(-_WIDE, _WIDE) for v in values]
    starts.append(differential_evolution(coarse, [(-_WIDE, _WIDE)] * len(free), x0=starts[-1], popsize=12, maxiter=50,
                                         polish=False, rng=np.random.default_rng(0)).x)  # fmt: skip
    ends = []
    for start in sorted(starts, key=coarse)[:3]:
        place = np.array([math.log(valleys.deepest(hyper_at(start))[0]), *start])
        for scale in _SIMPLICES:
            simplex = np.vstack([place, place + scale * np.eye(len(place))])
            options = {"initial_simplex": simplex, "xatol": 1e-12, "fatol": 1e-15, "maxfev": 400 * len(place)}
            place = minimize(rate, place, method="Nelder-Mead", options=options).x
        ends.append(place)
    place = min(ends, key=rate)
    lr, hyper = math.exp(place[0]), hyper_at(place[1:])
    return {"lr": lr, **hyper}, worst_rate(found, valleys.smallest, valleys.largest, lr, hyper)


def _places(smallest: float, largest: float, count: int) -> Matrix:
    """Give logarithms of eigenvalues."""
    return np.linspace(math.log(smallest), math.log(largest), count)


def _lowest(rates: Matrix) -> NDArray[np.intp]:
    """Give the places of local minima, the lowest first."""
    padded = np.concatenate([[math.inf], rates, [math.inf]])
    places = np.flatnonzero((rates <= padded[:-2]) & (rates <= padded[2:]))
    if not len(places):
        places = np.array([0])
    return places[np.argsort(rates[places], kind="stable")]


def _down(function: Callable[[float], float], low: float, high: float, passes: int = 3) -> tuple[float, float]:
    """Go down inside of a bracket: where, and the value there."""
    from scipy.optimize import minimize_scalar

    center, half = (low + high) / 2, (high - low) / 2
    value = math.inf
    for _ in range(passes):  # SciPy's tolerance is relative to the variable, hence counted from the last answer
        done = minimize_scalar(lambda s: function(center + s), bounds=(-half, half), method="bounded",  # noqa: B023
                               options={"xatol": 1e-9 * half})  # fmt: skip
        if done.fun <= value:
            center, value = center + float(done.x), float(done.fun)
        half *= 1e-5
    return center, value
