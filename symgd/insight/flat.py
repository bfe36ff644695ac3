"""Directions along which the objective hardly changes, and what is determined beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.curvature.directions import in_names, leading, term
from symgd.curvature.problem import Problem
from symgd.curvature.spectrum import EPS, Spectrum, unit_diagonal
from symgd.display import finite
from symgd.records import dataclass

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.intp]

FLAT = 1e-8  # of the largest curvature: below it a direction is flat
SAME = 1e-7  # up to which coefficients are told from 0, and from simple fractions
WAYS = (-1.0, -0.1, 0.1, 1.0)  # how far a line without curvature is looked along, relative to the point's size
LISTED = 3  # combinations that a message names
SHOWN = 8  # terms of a sum, and names, that a message has at most


@dataclass(frozen=True, eq=False)
class Flat:
    """A direction along which the curvature is next to nothing.

    Parameters
    ----------
    text : str
        The direction, such as ``"b1 - 4200*b2"``.
    direction : dict of str to float
        The same as coefficients; those of other parameters are 0.
    curvature : float
        Along the direction, for a step of length 1.
    relative : float
        The same beside the largest curvature.
    scaled : float
        The same where each parameter is measured by its own curvature, so that units do not count; nan of more
        parameters than a Hessian is formed for.
    exact : bool
        Whether the objective does not change at all, as far as float64 can tell.
    message : str
        What this means, in a sentence.
    """

    text: str
    direction: dict[str, float]
    curvature: float
    relative: float
    scaled: float
    exact: bool
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "text": self.text,
            "direction": {name: finite(v) for name, v in self.direction.items()},
            "curvature": finite(self.curvature),
            "relative": finite(self.relative),
            "scaled": finite(self.scaled),
            "exact": self.exact,
            "message": self.message,
        }

    def __str__(self) -> str:
        return self.message


def flat_directions(
    kernel: Problem, x: Vector, f: float, h: Matrix, names: Sequence[str], found: Spectrum
) -> tuple[Flat, ...]:
    """Find the flat directions of a Hessian that is known in full.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        The point.
    f : float
        The value there.
    h : ndarray, shape (n, n)
        The Hessian there.
    names : sequence of str
        A name for each parameter.
    found : Spectrum
        Its eigenvalues.

    Returns
    -------
    tuple of Flat
        Those that are flat whatever the units: first those of curvature 0, in groups of parameters that have to do with
        each other, then others. At last those that are flat because of units alone.
    """
    if not (len(h) and np.isfinite(h).all() and np.isfinite(f)):
        return ()
    scaled, size = unit_diagonal(h)
    if not h.any():
        scaled = np.zeros_like(h)
    values, vectors = np.linalg.eigh(scaled)
    top = float(np.abs(values).max())
    none = np.abs(values) <= 64 * len(h) * EPS * max(1.0, top)
    search = _Redundancies(kernel, x, f, h, names, size)
    flats = [flat for group in _groups(vectors[:, none]) for flat in search.of(*group)]
    for place in np.flatnonzero(~none & (np.abs(values) <= FLAT * top)):
        d = vectors[:, place] / size
        value, share = float(values[place] / (d @ d)), float(values[place]) / top
        d /= d[leading(d, size)]
        who = _listed([names[i] for i in _largest(vectors[:, place])])
        text = in_names(names, d, sizes=size)
        message = (
            f"{who} are barely told apart: along {text} the curvature is {share:.2g} of the largest, each parameter "
            "measured by its own"
        )
        flats.append(search.flat(d, message, value, text=text, share=share))
    return (*flats, *_by_units(search, found, scaled, top))


def flat_pairs(kernel: Problem, x: Vector, f: float, found: Spectrum, names: Sequence[str]) -> tuple[Flat, ...]:
    """Find flat directions among a few eigenvectors.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x : ndarray, shape (n,)
        The point.
    f : float
        The value there.
    found : Spectrum
        Extreme eigenvalues of the Hessian there.
    names : sequence of str
        A name for each parameter.

    Returns
    -------
    tuple of Flat
    """
    if not found.finite:
        return ()
    top = float(np.abs(found.values).max())
    flats: list[Flat] = []
    if not top:
        return ()
    for value, error, d in zip(found.values, found.errors, found.vectors.T, strict=True):
        share = float(value) / top
        if abs(value) <= FLAT * top and error <= FLAT * top:
            reach = 1.0 / float((np.abs(d) / (1.0 + np.abs(x))).max())
            exact = _unchanged(kernel, f, 0.5 * top, partial(_ahead, x, d), reach)
            text = in_names(names, d)
            what = "the value does not change" if exact else f"the curvature is {share:.2g} of the largest"
            big = {names[i]: float(d[i]) for i in _largest(d)}
            flats.append(Flat(text, big, float(value), share, float("nan"), exact, f"along {text} {what}"))
    return tuple(flats)


def _ahead(x: Vector, d: Vector, t: float) -> Vector:
    return x + t * d


def _by_units(search: _Redundancies, found: Spectrum, scaled: Matrix, top: float) -> list[Flat]:
    """Give directions that are flat beside others, but not where each parameter is measured by its own curvature."""
    flats: list[Flat] = []
    if not top:
        return flats
    for place in np.flatnonzero(np.abs(found.values) <= FLAT * search.largest):
        d = found.vectors[:, place]
        d = d / d[leading(d)]
        u = d * search.size
        own = float(u @ scaled @ u) / float(u @ u) / top
        if abs(own) > FLAT:
            text = in_names(search.names, d)
            value = float(found.values[place])
            cure = "cures it" if abs(own) > 1e-3 else f"leaves {own:.2g}"
            message = (
                f"along {text} the curvature is {value / search.largest:.2g} of the largest; this is a matter of "
                f"units, and scaling the parameters {cure}"
            )
            flats.append(search.flat(d, message, value, text=text, share=own))
    return flats


class _Redundancies:
    """Directions of curvature 0 that belong together: along which the value stays, and what is determined then."""

    def __init__(self, kernel: Problem, x: Vector, f: float, h: Matrix, names: Sequence[str], size: Vector) -> None:
        self.kernel, self.x, self.f, self.h, self.names, self.size = kernel, x, f, h, names, size
        self.largest = float(np.abs(np.linalg.eigvalsh(h)).max())

    def flat(
        self, d: Vector, message: str, value: float = 0.0, *, text: str, share: float = 0.0, exact: bool = False
    ) -> Flat:
        """Describe a direction with its curvature."""
        strong = np.abs(d) * self.size
        some = np.flatnonzero(strong > SAME * strong.max()).tolist()
        relative = value / self.largest if self.largest else 0.0
        coefficients = {self.names[i]: float(d[i]) for i in some}
        return Flat(text, coefficients, value, relative, share, exact, message)

    def of(self, places: Places, basis: Matrix) -> list[Flat]:
        """Describe the directions of one group of parameters."""
        raw = _reduced(basis / self.size[places, None])
        straight = [self._straight(places, d) for d in raw.T]
        if all(straight):
            return self._told(places, raw, _reduced(_complement(raw)), "sum")
        ratios = raw / self.x[places, None]
        if np.isfinite(ratios).all():
            grown = _reduced(ratios)
            if all(self._grows(places, w) for w in grown.T):
                return self._told(places, grown, _reduced(_complement(grown)), "product")
        if len(straight) > LISTED:
            who = _listed([self.names[p] for p in places.tolist()])
            message = (
                f"{len(straight)} directions among {who} have no curvature here, though the value changes further away"
            )
            d = self._full(places, raw[:, 0])
            return [self.flat(d, message, text=in_names(self.names, d, sizes=self.size))]
        found = []
        for d, stays in zip(raw.T, straight, strict=True):
            text = self._text(places, d)
            involved = [self.names[p] for p, v in zip(places.tolist(), d, strict=True) if v]
            what = "the value does not change" if stays else "the curvature is 0, though the value changes further away"
            apart = "" if stays or len(involved) == 1 else f"{_listed(involved)} are not told apart here: "
            found.append(self.flat(self._full(places, d), f"{apart}along {text} {what}", text=text, exact=stays))
        return found

    def _told(self, places: Places, ways: Matrix, kept: Matrix, form: str) -> list[Flat]:
        write = self._text if form == "sum" else self._product
        combinations = [write(places, row) for row in kept.T]
        shown = combinations[:LISTED] + ["others"] * (len(combinations) > LISTED)
        verb = "is" if len(combinations) == 1 else "are"
        known = ""
        if shown:  # other parameters are determined: it is said of which ones this tells
            known = f"of {_listed([self.names[p] for p in places.tolist()])} only {_listed(shown)} {verb} determined"
        found = []
        for way in ways.T:
            d = self._full(places, way if form == "sum" else way * self.x[places])
            if form == "product":
                d /= d[leading(d, self.size)]
            text = self._text(places, way) if form == "sum" else in_names(self.names, d, sizes=self.size, most=6)
            if not combinations:
                message = f"the value does not depend on {text}"
            elif form == "sum":
                message = f"{known}: along {text} the value does not change"
            else:
                up, down = (
                    [self.names[p] for p, w in zip(places.tolist(), way, strict=True) if s * w > SAME] for s in (1, -1)
                )
                shrink = f" and {_listed(down)} shrinks" if down else " together"
                message = f"{known}: the value stays as {_listed(up)} grows{shrink}, along {text}"
            found.append(self.flat(d, message, text=text, exact=True))
        return found

    def _full(self, places: Places, d: Vector) -> Vector:
        full = np.zeros(len(self.x))
        full[places] = d
        return full

    def _text(self, places: Places, d: Vector) -> str:
        """Write a sum in the order of the parameters, with the coefficients as they are."""
        terms = [(v, self.names[place]) for place, v in zip(places.tolist(), d, strict=True) if v]
        text = "".join(term(v, name, first=not i) for i, (v, name) in enumerate(terms[:SHOWN]))
        return text + (" + ..." if len(terms) > SHOWN else "")

    def _product(self, places: Places, powers: Vector) -> str:
        """Write a product of powers, such as ``a**2*b``."""
        text = ""
        for place, power in sorted(zip(places.tolist(), powers, strict=True), key=lambda pair: -np.sign(pair[1])):
            if power:
                size = "" if abs(power) == 1 else f"**{abs(power):.4g}"
                text += ("/" if power < 0 else "*" if text else "") + self.names[place] + size
        return text if not text.startswith("/") else f"1{text}"

    def _straight(self, places: Places, d: Vector) -> bool:
        full = self._full(places, d)
        reach = 1.0 / float((np.abs(full) / (1.0 + np.abs(self.x))).max())
        size = 0.5 * float(np.abs(full) @ np.abs(self.h) @ np.abs(full))
        return _unchanged(self.kernel, self.f, size, lambda t: self.x + t * full, reach)

    def _grows(self, places: Places, w: Vector) -> bool:
        full = self._full(places, w / np.abs(w).max())
        d = np.abs(full * self.x)
        size = 0.5 * float(d @ np.abs(self.h) @ d)
        return _unchanged(self.kernel, self.f, size, lambda t: self.x * np.exp(t * full), 1.0)


def _unchanged(kernel: Problem, f: float, size: float, way: Callable[[float], Vector], reach: float) -> bool:
    """Tell whether the value stays the same along a way, by what rounding leaves of terms of the given size."""
    seen = [(t * reach, kernel.value(way(t * reach))) for t in WAYS]
    there = [(t, value) for t, value in seen if np.isfinite(value)]
    return len(there) > 1 and all(abs(value - f) <= 1e-11 * (abs(f) + size * t * t) for t, value in there)


def _groups(null: Matrix) -> list[tuple[NDArray[np.intp], Matrix]]:
    """Part a space into those of parameters that have to do with each other: places, and a basis on them."""
    if not null.shape[1]:
        return []
    projector = null @ null.T
    labels = _connected(np.abs(projector) > SAME)
    found = []
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        values, vectors = np.linalg.eigh(projector[np.ix_(places, places)])
        if values[-1] > 0.5:
            found.append((places, vectors[:, values > 0.5]))
    return found


def _connected(linked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give each place the first of those that it is linked to, directly or not."""
    first = np.arange(len(linked))
    while True:
        lower = np.minimum(first, np.min(np.where(linked, first, len(linked)), axis=1))
        if np.array_equal(lower, first):
            return first
        first = lower


def _reduced(basis: Matrix) -> Matrix:
    """Give a basis with many zeros, as Gauss and Jordan reduce it, in whole numbers where it can."""
    if not basis.shape[1]:
        return basis
    from scipy.linalg import qr

    _, _, order = qr(basis.T, mode="economic", pivoting=True)
    try:
        reduced = np.linalg.solve(basis[order[: basis.shape[1]]].T, basis.T).T
    except np.linalg.LinAlgError:  # of parameters a hundred orders of magnitude apart
        return basis
    reduced[np.abs(reduced) < SAME * np.abs(reduced).max(axis=0)] = 0.0
    nice = np.vectorize(lambda v: float(Fraction(v).limit_denominator(100)))(reduced)
    if np.all(np.abs(nice - reduced) <= SAME * np.abs(reduced)):
        parts = [[Fraction(v).limit_denominator(100) for v in column] for column in nice.T]
        whole = [math.lcm(*(v.denominator for v in column)) for column in parts]
        reduced = np.where(np.array(whole) <= 100, nice * whole, nice)
    first = reduced[np.argmax(reduced != 0.0, axis=0), np.arange(reduced.shape[1])]
    signed: Matrix = reduced * np.sign(first)
    return signed


def _complement(basis: Matrix) -> Matrix:
    """Give a basis of what is orthogonal to a space."""
    return np.linalg.qr(basis, mode="complete")[0][:, basis.shape[1] :]


def _largest(direction: Vector, most: int = 4) -> list[int]:
    """Give the places of the largest components, in order."""
    size = np.abs(direction)
    order = np.argsort(-size)[:most]
    return sorted(int(i) for i in order if size[i] > 0.05 * size.max())


def _listed(names: Sequence[str]) -> str:
    if len(names) > SHOWN:
        return ", ".join(names[:SHOWN]) + " and others"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"
