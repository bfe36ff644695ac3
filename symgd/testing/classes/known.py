"""Objectives about which everything is known: minimizer, minimum, curvature; in NumPy until the formula is needed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symgd.errors import UsageError
from symgd.objective import Objective

Vector = NDArray[np.float64]


class Spelling(NamedTuple):
    """A formula, in ``x1``, ``x2``, ... or, where it is a vector, in the array ``x``, and its data."""

    text: str
    data: Mapping[str, Any] | None = None
    vector: bool = False


class _Awaited:
    """What an objective's class has until the formula is read: asking for it reads the formula."""

    def __init__(self, name: str, until: Any) -> None:
        self.name, self.until = name, until

    def __get__(self, owner: Any, kind: type) -> Any:
        if owner is None:
            return self.until
        owner._read()  # noqa: SLF001 - of the class that it is made for
        return owner.__dict__.get(self.name, self.until)


class Lazy(Objective):
    """An objective whose formula is written, read and differentiated when something is asked for that needs it.

    It prints as code to paste. Subclasses set what they are made of, and last of all ``made``; they give ``_parts``:
    text, data, and the shapes of the parameters in order.
    """

    made = False

    def __getattr__(self, name: str) -> Any:
        """Read the formula, the first time that anything is asked for which comes from it."""
        if name.startswith("__") or "_description" in self.__dict__ or not self.made:
            raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'")
        self._read()
        return getattr(self, name)

    def _read(self) -> None:
        if self.made and "_description" not in self.__dict__:
            self._description = dict(self.__dict__)
            text, data, shapes = self._parts()
            Objective.__init__(self, text, data, shapes)

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (type(self), self.__dict__.get("_description", self.__dict__))

    def __repr__(self) -> str:
        text, data, shapes = self._parts()
        given = "" if data is None else f", data={_listed(data)}"
        # Pasted, the text must have the same parameters in the same order.
        said = [name for name in dict.fromkeys(re.findall(r"[A-Za-z_]\w*", text)) if name in shapes]
        arrays = any(shapes.values())
        declared = "" if said == list(shapes) and not (arrays and data is None) else f", params={_shapes(shapes)}"
        return f"Objective({text!r}{given}{declared})"

    def plain(self, tier: str = "auto", workers: int | None = None) -> Objective:
        """Give the objective by itself, without what is known of it.

        Parameters
        ----------
        tier : str
            As for `Objective`.
        workers : int, optional
            Likewise.

        Returns
        -------
        Objective
        """
        text, data, shapes = self._parts()
        return Objective(text, data, shapes, tier=tier, workers=workers)

    def _parts(self) -> tuple[str, Mapping[str, Any] | None, dict[str, tuple[int, ...]]]:
        raise NotImplementedError


for _class in Objective.__mro__[:-1]:
    for _name, _value in list(vars(_class).items()):
        if not (_name.startswith("__") or callable(_value) or hasattr(_value, "__get__") or _name in vars(Lazy)):
            setattr(Lazy, _name, _Awaited(_name, _value))


class Known(Lazy):
    r"""An objective whose minimizer, minimum and curvature are known exactly, to rounding.

    It prints as code to paste, and has all that an `Objective` has. Value and gradient by ``fun`` and ``jac`` are NumPy
    on what the formula is made from; the formula itself is written, read and differentiated when something else is
    asked for. Subclasses give ``gap``, ``slope`` and ``spelt``.

    Parameters
    ----------
    minimizer : array of shape (n,)
        A point where the minimum is attained.
    minimum : float
        The smallest value.
    L : float
        The largest curvature there is; infinite where the gradient is not Lipschitz continuous.
    mu : float or None
        The smallest curvature, 0 or above; ``None`` for a function that is not convex.
    lipschitz : float
        A Lipschitz constant of the function itself; infinite where none is known.
    quadratic : bool
        Whether the Hessian is constant.

    Examples
    --------
    >>> from symgd.testing import quadratic
    >>> f = quadratic([1, 3], minimizer=[2, 0])
    >>> f
    Objective('(x1 - 2)**2/2 + 3*x2**2/2')
    >>> f.minimizer, f.minimum, f.L, f.mu
    (array([2., 0.]), 0.0, 3.0, 1.0)
    >>> f.jac([3, 1])
    array([1., 3.])
    >>> f.gradient
    {'x1': x1 - 2, 'x2': 3*x2}
    """

    def __init__(
        self, minimizer: Any, minimum: float, *, L: float, mu: float | None, lipschitz: float = math.inf,
        quadratic: bool = False,
    ) -> None:  # fmt: skip
        self.minimizer = np.array(minimizer, dtype=float)
        self.minimizer.flags.writeable = False
        self.n = len(self.minimizer)
        self.minimum, self.L, self.mu = float(minimum), float(L), None if mu is None else float(mu)
        self.lipschitz, self.quadratic = float(lipschitz), quadratic
        self.made = True

    def _parts(self) -> tuple[str, Mapping[str, Any] | None, dict[str, tuple[int, ...]]]:
        text, data, vector = self.spelt()
        return text, data, {"x": (self.n,)} if vector else {f"x{i + 1}": () for i in range(self.n)}

    rough = 0.0  # the size of the numbers whose difference the formula's gradient is near the minimizer

    # ---- what a subclass gives -------------------------------------------------------------------------------------

    def gap(self, x: Any) -> Any:
        """Give f - minimum without cancellation, at a point or at each row of several."""
        raise NotImplementedError

    def slope(self, x: Any) -> Any:
        """Give the gradient, at a point or at each row of several."""
        raise NotImplementedError

    def spelt(self) -> Spelling:
        """Give the formula."""
        raise NotImplementedError

    def nearest(self, x: Any) -> Any:
        """Give the minimizer that is nearest to a point, or to each row of several."""
        return np.broadcast_to(self.minimizer, np.shape(x))

    # ---- as an oracle ----------------------------------------------------------------------------------------------

    def fun(self, x: Any) -> float:
        """Give the value at a flat vector."""
        return self.minimum + float(self.gap(self._point(x)))

    def jac(self, x: Any) -> Vector:
        """Give the gradient at a flat vector."""
        gradient: Vector = self.slope(self._point(x))
        return gradient

    def distance(self, x: Any) -> Any:
        """Give the distance from the nearest minimizer, at a point or at each row of several."""
        x = np.asarray(x, dtype=float)
        away = x - self.nearest(x)
        size = np.max(np.abs(away), axis=-1, keepdims=True, initial=0.0)
        safe = np.where(size > 0, size, 1.0)  # squares of very small and very large distances leave the floats
        return (safe * np.sqrt(np.sum((away / safe) ** 2, axis=-1, keepdims=True)))[..., 0]

    def _point(self, x: Any) -> Vector:
        point = np.asarray(x, dtype=float)
        if point.shape != (self.n,):
            raise UsageError(f"x has the shape {point.shape}; give a vector of {self.n} numbers")
        return point


def _revived(kind: type[Lazy], made: Mapping[str, Any]) -> Lazy:
    f = kind.__new__(kind)
    f.__dict__.update(made)
    return f


# ---- as text -------------------------------------------------------------------------------------------------------


def number(value: float) -> str:
    """Write a number as a formula has it: whole numbers as such, others to the last digit."""
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def linear(coefficients: Any, centre: Any, names: Any) -> str:
    """Write a linear form of the distance from a centre: ``3*(x1 - 2) - x2``, or ``0``."""
    text = ""
    for a, c, name in zip(coefficients, centre, names, strict=True):
        if a == 0:
            continue
        away = name if c == 0 else f"({name} {'-' if c > 0 else '+'} {number(abs(c))})"
        term = away if abs(a) == 1 else f"{number(abs(a))}*{away}"
        text += (" - " if a < 0 else " + " if text else "") + term
    return text.replace(" - ", "-", 1) if text.startswith(" - ") else text or "0"


def bare(text: str) -> str:
    """Take brackets that go around all of a form away, for an argument."""
    inner = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    return text if "(" in inner or ")" in inner else inner


def bracketed(text: str) -> str:
    """Put a form in brackets unless it is a name, or in brackets of its own."""
    return text if text.isidentifier() or bare(text) != text else f"({text})"


def shifted(text: str, minimum: float) -> str:
    """Add the minimum to a formula whose smallest value is 0."""
    if minimum == 0:
        return text
    return f"{text} {'-' if minimum < 0 else '+'} {number(abs(minimum))}"


def _shapes(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return repr(dict(shapes) if any(shapes.values()) else list(shapes))


def _listed(data: Mapping[str, Any]) -> str:
    """Write data as Python does: lists, in which whole numbers are such."""
    return "{" + ", ".join(f"'{name}': {_list(np.asarray(value))}" for name, value in data.items()) + "}"


def _list(array: NDArray[Any]) -> str:
    if array.ndim == 0:
        return number(float(array))
    return "[" + ", ".join(_list(part) for part in array) + "]"
