"""What all adapters have in common: a session that takes one step at a time, and the run that laws ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from symgd.errors import safe
from symgd.testing.protocol import Oracle, Recorded, Setting, Trace

Vector = NDArray[np.float64]
Handling = Literal["plain", "copies", "buffer"]  # what is handed over: what came back; copies; one gradient's memory
DOUBLE = 2.0**-53
FAR = 1e150  # points beyond are as good as infinite: their squares are


class Unable(Exception):  # noqa: N818 - no error: a law is undecided then
    """An optimizer cannot be run with these settings; the message is a clause."""


class Session:
    """One optimizer on its way from a start.

    Parameters
    ----------
    start : ndarray of shape (n,)
        Where it starts.
    """

    def __init__(self, start: Vector) -> None:
        self.x = np.array(start, dtype=np.float64)

    def step(self, problem: Oracle) -> None:
        """Take one step; ``x`` is the new point.

        Parameters
        ----------
        problem : Oracle
            What it may ask.

        Raises
        ------
        NotImplementedError
            Here: subclasses take the step.
        """
        raise NotImplementedError

    def held(self) -> Iterator[tuple[str, Any, bool]]:
        """Give what the optimizer keeps that is not its own: a name, whose memory it is, and whether it is changed.

        Yields
        ------
        (str, str, bool)
            The place in the state; ``"x"`` or ``"g"``.
        """
        yield from ()


class Steps:
    """An optimizer that takes steps which a caller asks for, one by one.

    Attributes
    ----------
    name : str
        What to call it.
    style : str
        What kind of thing it is: ``"step"``, ``"rule"``, ``"torch"``, ``"optax"``, ``"keras"``, ``"minimizer"``.
    settable : frozenset of str
        What a run may set.
    scheduled : bool
        Whether a setting may be a formula of t.
    rounding : float
        The unit roundoff of its arithmetic.
    known : mapping of str to float
        The numbers that it says it has, by its own names; its learning rate is ``lr``.
    method : str or None
        The row of the table, or the method, that it claims to be.
    asks_often : bool
        Whether a step may ask for more than one gradient: then it has to be asked about a function, not given any.
    """

    name = "optimizer"
    style = "step"
    settable: frozenset[str] = frozenset()
    scheduled = False
    rounding = DOUBLE
    known: Mapping[str, float] = {}
    method: str | None = None
    asks_often = False

    def begin(self, start: Vector, settings: Mapping[str, Setting], handling: Handling = "plain") -> Session:
        """Make one that has not taken a step.

        Parameters
        ----------
        start : ndarray of shape (n,)
            Where it starts.
        settings : mapping
            Learning rate and hyperparameters; those left out are its own.
        handling : {"plain", "copies", "buffer"}
            Whether arrays are handed over as they came back, as copies, or gradients in one piece of memory.

        Returns
        -------
        Session

        Raises
        ------
        Unable
            If it cannot be run like this.
        """
        raise NotImplementedError

    def run(
        self, problem: Oracle, start: Vector, steps: int, settings: Mapping[str, Setting],
        handling: Handling = "plain",
    ) -> Trace:  # fmt: skip
        """Take that many steps from a start.

        Parameters
        ----------
        problem : Oracle
            What is asked for values and gradients.
        start : ndarray of shape (n,)
            The start, which is not changed.
        steps : int
            How many.
        settings : mapping
            As for `begin`.
        handling : {"plain", "copies", "buffer"}
            As for `begin`.

        Returns
        -------
        Trace
        """
        start = np.array(start, dtype=np.float64)
        seen = Recorded(problem)
        points, ended = [start.copy()], ""
        try:
            session = self.begin(start, settings, handling)
        except Unable as problem_:
            return Trace(np.array(points), unable=str(problem_))
        with np.errstate(all="ignore"):
            for _ in range(steps):
                try:
                    session.step(seen)
                except Unable as problem_:
                    return Trace(np.array(points), unable=str(problem_))
                except Exception as problem_:  # noqa: BLE001 - a user's code raises what it likes
                    ended = f"it raised {type(problem_).__name__}: {safe(str(problem_), 120)}"
                    break
                x = np.array(session.x, dtype=np.float64)
                if x.shape != start.shape:
                    ended = f"it gave back an array of shape {x.shape} for one of shape {start.shape}"
                    break
                points.append(x)
                if not np.isfinite(x).all() or np.abs(x).max(initial=0.0) > FAR:
                    ended = "the point is not finite"
                    break
        return Trace(np.array(points), ended=ended, evaluated=seen.evaluated)


def check_settings(settings: Mapping[str, Setting], settable: frozenset[str]) -> None:
    """Say what cannot be set.

    Parameters
    ----------
    settings : mapping
        What is asked for.
    settable : frozenset of str
        What there is.

    Raises
    ------
    Unable
        If something cannot be set, or only to a number.
    """
    for key, value in settings.items():
        if key not in settable:
            raise Unable(f"its {key} cannot be set")
        if isinstance(value, str):
            raise Unable(f"its {key} cannot be a formula of t")
