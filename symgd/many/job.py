"""What many descents have in common, and what each has of its own: options, settings, and what a rule begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import checks, descent, rules
from symgd.descent import Settings
from symgd.descent.prepare import OPTIONS
from symgd.errors import UsageError, shown
from symgd.graph import Fold, Node, reachable
from symgd.graph.tape import Tape
from symgd.kernel import Kernel
from symgd.many.stacks import once
from symgd.records import dataclass

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

STEPS = 1000  # exact steps, when nothing is said: enough to come near, and Newton's steps do the rest
SINGLE = ("callback", "every", "save", "save_every")  # options of one run


@dataclass(frozen=True, eq=False)
class Job:
    """Descents from many starts.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x : ndarray, shape (k, n)
        The starts.
    given : dict
        The options, those that differ from start to start as the first start has them.
    each : dict of str to ndarray
        The learning rate and hyperparameters that differ from start to start, of shape (k,).
    settings : Settings
        How to descend, as the first start does.
    settles : bool
        Whether it is asked of each start whether it has come to rest, as of a single run; if not, tolerances are taken
        at their word.
    """

    kernel: Kernel
    x: Matrix
    given: Mapping[str, Any]
    each: Mapping[str, Vector]
    settings: Settings
    settles: bool

    @staticmethod
    def of(kernel: Kernel, x: Matrix, options: Mapping[str, object], *, settles: bool) -> Job:
        """Check options.

        Parameters
        ----------
        kernel : Kernel
            The objective.
        x : ndarray, shape (k, n)
            The starts.
        options : mapping
            As for `symgd.descent.prepare`; the learning rate and hyperparameters may have an entry for each start.
        settles : bool
            As above.

        Returns
        -------
        Job

        Raises
        ------
        UsageError
            For an option that does not exist or is out of bounds.
        """
        for name in SINGLE:
            if options.get(name) is not None:
                raise UsageError(f"{name} is for a single run; minimize takes it")
        given = {name: value for name, value in options.items() if value is not None}
        each = {name: _entries(name, given[name], len(x)) for name in given if _is_many(name, given[name])}
        given = _exact({"method": "gd", **given, **{name: float(values[0]) for name, values in each.items()}})
        for pick in (np.min, np.max) if each else ():  # what holds for both ends holds between them
            descent.prepare(kernel, x[0], 1.0, {**given, **{name: float(pick(v)) for name, v in each.items()}})
        return Job(kernel, x, given, each, _settings(kernel, x[0], given), settles)

    @cached_property
    def rule(self) -> rules.Rule | None:
        """The update rule; ``None`` for exact Cauchy steps, and for a method that is more than a recurrence."""
        recipe = self.settings.recipe
        if self.settings.method is not None or not recipe:
            return None
        made: rules.Rule = once(
            self.kernel, f"rule {recipe!r}",
            lambda: rules.Rule(recipe["text"], recipe["init"], recipe["name"], **recipe["hyper"]),
        )  # fmt: skip
        return made

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The numbers that the rule reads, in order."""
        rule = self.rule
        if rule is None:
            return ()
        numbers = {"lr": self.settings.recipe["lr"], **rule.hyper}
        return tuple(name for name, value in numbers.items() if not isinstance(value, str))

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """Those of them that differ from start to start."""
        return tuple(name for name in self.names if name in self.each or (name == "lr" and self._measured))

    @cached_property
    def _measured(self) -> bool:
        """Whether each start's learning rate is read off its curvature."""
        rule = self.rule
        if rule is None:
            return False
        return is_auto(self.given["lr"]) if "lr" in self.given else rules.find_rule(self.given["method"]).lr == "auto"

    def own(self, place: int) -> Settings:
        """Give the settings of one start: its draws are those of a single run whose seed is larger by its number."""
        found = self.settings
        if self.varying or self._begins:
            given = {**self.given, **{name: float(values[place]) for name, values in self.each.items()}}
            found = descent.prepare(self.kernel, self.x[place], 1.0, given)
        return replace(found, seed=self.settings.seed + place)

    @cached_property
    def _begins(self) -> dict[str, Node]:
        """What states start at that is not the same for all: by state."""
        rule = self.rule
        if rule is None:
            return {}
        found = rule.lowered(self.settings.recipe["lr"]).init
        same = {"lr"} - set(self.varying)
        return {state: node for state, node in found.items() if rules.reads(node) - same}

    def begin(self, rows: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
        """Give the states and the numbers that the rule begins with.

        Parameters
        ----------
        rows : ndarray of int
            The starts that are asked for.

        Returns
        -------
        states : ndarray, shape (k, m*n)
        numbers : ndarray, shape (k, h)
        """
        x, n = self.x[rows], self.x.shape[1]
        states = np.tile(np.concatenate([*self.settings.states, np.zeros(0)]), (len(x), 1))
        numbers = np.tile(self.settings.hyper, (len(x), 1))
        if self._measured:
            own = [descent.prepare(self.kernel, start, 1.0, self.given).hyper[0] for start in x]
            numbers[:, self.names.index("lr")] = own
        for name, values in self.each.items():
            numbers[:, self.names.index(name)] = values[rows]
        lr = numbers[:, self.names.index("lr")] if "lr" in self.names else np.zeros(len(x))
        for place, state in enumerate(self.rule.states if self.rule else ()):
            if state in self._begins:
                states[:, place * n : (place + 1) * n] = _state(self._begins[state], x, lr)
        return states, numbers


def is_auto(lr: object) -> bool:
    """Tell whether a learning rate is to be found."""
    return isinstance(lr, str) and lr == "auto"


def _state(node: Node, x: Matrix, lr: Vector) -> Matrix:
    """Give what a state starts at, for many starts."""
    if any(isinstance(part, Fold) for part in reachable([node])):
        found = [Tape([node], {}).at({"x": point, "lr": float(rate)})[node] for point, rate in zip(x, lr, strict=True)]
        return np.array([np.broadcast_to(np.asarray(value), x.shape[1:]) for value in found])
    values = Tape([node], {}).at({"x": x.reshape(-1), "lr": np.repeat(lr, x.shape[1])})[node]
    return np.broadcast_to(np.asarray(values, dtype=np.float64), x.size).reshape(x.shape)


def _is_many(name: str, value: object) -> bool:
    return name not in (*OPTIONS, "method") and isinstance(value, list | tuple | np.ndarray) and np.ndim(value) > 0


def _entries(name: str, values: Any, count: int) -> Vector:
    """Give an option that has an entry for each start."""
    rule = f"{name} must be a number, or have one for each of the {count:,} starts"
    try:
        found = checks.numbers(values).astype(np.float64)
    except (ValueError, OverflowError):
        raise UsageError(f"{name}={shown(values)}: {rule}") from None
    if found.shape != (count,):
        raise UsageError(f"{name} has the shape {found.shape}: {rule}")
    if not np.isfinite(found).all():
        raise UsageError(f"{name} must be finite; {int((~np.isfinite(found)).sum()):,} of its entries are not")
    return found


def _exact(given: dict[str, Any]) -> dict[str, Any]:
    """Say how many exact Cauchy steps to take, where nothing is said."""
    plain = isinstance(given["method"], str) and given["method"] == "gd"
    if plain and is_auto(given.get("lr", "auto")) and not {"steps", "batch", "epochs"} & set(given):
        given["steps"] = STEPS
    return given


def _settings(kernel: Kernel, start: Vector, given: Mapping[str, object]) -> Settings:
    """Give the settings; once where they do not depend on the start."""
    fixed = not is_auto(given.get("lr", "auto")) and all(isinstance(v, int | float | str) for v in given.values())
    if not fixed:
        return descent.prepare(kernel, start, 1.0, given)
    key = repr(sorted(given.items()))
    settings: Settings = once(kernel, key, lambda: descent.prepare(kernel, start, 1.0, given))
    return settings
