"""Maps of descents: what a caller names is told apart into axes, numbers of a rule, and where descents start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import checks, rules
from symgd.descent.methods import METHODS
from symgd.errors import UsageError, shown, unknown_option
from symgd.objective.numbers import Numbers

if TYPE_CHECKING:
    from symgd.many import Axis, Map

FIRST = ("gd", "momentum")  # rules that are tried first, where a hyperparameter says which
OPTIONS = ("start", "method", "size", "steps", "gtol", "seed", "progress", "lr")


class Maps(Numbers):
    """Maps over what a descent depends on."""

    def latex(self) -> str:
        """Give the formula as LaTeX."""
        raise NotImplementedError

    def map(
        self, start: Any = None, *, method: Any = None, size: Any = None, steps: int = 500, gtol: float | None = None,
        seed: int = 0, progress: bool | None = None, **given: Any,
    ) -> Map:  # fmt: skip
        """Show over any two of learning rate, hyperparameters and start how many steps a descent takes to converge.

        Parameters
        ----------
        start : mapping, or sequence in the order of ``params``, optional
            Where descents start; a range ``(low, high)`` for a number makes it an axis. What is an axis needs none.
        method : str or Rule, optional
            The update rule; by default gradient descent, or the first that has the hyperparameters that are named. A
            method that is more than a recurrence takes its runs one after the other.
        size : int or pair of int, optional
            Cells along each axis, or across and up; by default 200.
        steps : int
            Steps at most.
        gtol : float, optional
            The norm of the gradient at which a descent has converged; by default 1e-6 times that at a usual start.
        seed : int
            Of a rule's draws: cell i has the seed ``seed + i``.
        progress : bool, optional
            Whether to show progress; by default on a terminal after two seconds. Ctrl-C keeps the cells that are done.
        **given : object
            ``lr``, hyperparameters of the rule, and starts of parameters, by name: two of all are ranges
            ``(low, high)``, the axes of the map, the first of them across; the others are numbers.

        Returns
        -------
        Map

        Raises
        ------
        UsageError
            If there are not two axes, for a name that nothing has, and for what is out of bounds.

        Examples
        --------
        >>> import symgd as sg
        >>> f = sg.Objective("x**4 - 3*x**2 + x", tier="python")
        >>> found = f.map(x=(-2, 2), lr=(0.001, 0.2), size=(12, 4), steps=60)
        >>> [str(axis) for axis in found.axes]
        ['start x from -2 to 2', 'lr from 0.001 to 0.2, logarithmic']
        >>> [round(m.point["x"], 4) for m in found.minima]
        [-1.3008, 1.1309]
        """
        from symgd import many

        if not self.params:
            raise UsageError("there is nothing to minimize: every name in the formula has data")
        if isinstance(start, Mapping):
            ranges = {name: v for name, v in start.items() if name not in given and self._is_axis(name, v)}
            start, given = {n: v for n, v in start.items() if n not in ranges}, {**given, **ranges}
        for name, value in given.items():
            if isinstance(value, tuple | list) and len(value) != 2:
                raise UsageError(f"{name}={shown(value)} must be a number, or a range (low, high)")
        chosen, hyper = self._method(method, given)
        ranges, numbers = many.split(given)
        if len(ranges) != 2:
            told = ", ".join(f"{name}={shown(value)}" for name, value in ranges.items()) or "none"
            raise UsageError(f"a map has two axes, such as lr=(1e-3, 1), beta=(0, 1); got {told}")
        kinds = {name: "lr" if name == "lr" else "hyper" if name in hyper else "start" for name in ranges}
        counts = many.sizes(size)
        across, up = (many.axis(name, kinds[name], v, n) for (name, v), n in zip(ranges.items(), counts, strict=True))
        middles = {a.name: 0.5 * (a.low + a.high) for a in (across, up) if a.kind == "start"}
        for name in middles:
            if isinstance(start, Mapping) and np.ndim(start.get(name, 0.0)):
                raise UsageError(f"'{name}' is an array; an axis is one of its entries, such as '{name}[0]'")
        own = {name: value for name, value in numbers.items() if name not in hyper}
        model, x = self._at(*self._start(start, {**own, **middles}))
        kernel = self.kernel(model=model)
        self._check_entries(kernel.names, across, up)
        fixed = {name: value for name, value in numbers.items() if name in hyper}
        _check_lr(chosen, {**fixed, **ranges})
        tolerance = None if gtol is None else checks.number("gtol", gtol, "a number above 0", low=0.0, closed=False)
        plan = many.Plan(
            kernel, self.text, chosen, x, fixed, (across, up), checks.whole("steps", steps, 1), tolerance,
            checks.whole("seed", seed), self.latex,
        )  # fmt: skip
        return many.descend_map(plan, progress=progress)

    def _is_axis(self, name: str, value: object) -> bool:
        """Tell whether a start is a range: of an array of parameters, two numbers are its entries."""
        from symgd.many import split

        known = self._default.shapes if self._default else self._declared
        return bool(split({name: value})[0]) and not dict(known).get(name)

    def _method(self, method: Any, given: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
        """Give the method, and the names of its numbers; an error for a name that nothing has."""
        named = [n for n in given if n != "lr" and n not in self.params and n.partition("[")[0] not in self.params]
        if isinstance(method, str) and method in (*METHODS, "auto", "exact"):
            hyper = tuple(METHODS[method].hyper) if method in METHODS else ()
        elif method is not None:
            hyper = ("lr", *rules.find_rule(method, METHODS).hyper)
        else:
            order = [*FIRST, *(name for name in rules.RULES if name not in FIRST)]
            fits = [name for name in order if set(named) <= set(rules.find_rule(name).hyper)]
            method = fits[0] if fits else FIRST[0]
            hyper = ("lr", *rules.find_rule(method).hyper)
        for name in named:
            if name not in hyper:
                raise unknown_option(name, dict.fromkeys([*OPTIONS, *self.params, *hyper]))
        return method, hyper

    def _check_entries(self, names: tuple[str, ...], *axes: Axis) -> None:
        """Refuse an axis of a parameter that is an array: one of its entries may be one."""
        for axis in axes:
            if axis.kind == "start" and axis.name not in names:
                raise UsageError(f"'{axis.name}' is no single number here; take one of {', '.join(names[:20])}")

    def _start(self, start: Any, own: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
        """Give the start together with what is named besides: entries of arrays are put where they belong later."""
        whole = {name: value for name, value in own.items() if name in self.params}
        if start is None or isinstance(start, Mapping):
            return {**(start or {}), **whole}, None
        return {**dict(zip(self.params, start, strict=False)), **whole}, None


def _check_lr(method: Any, numbers: Mapping[str, Any]) -> None:
    """Refuse a map of a rule without a learning rate: one that is read off each start would show something else."""
    if isinstance(method, str) and method in (*METHODS, "auto", "exact"):
        return
    if "lr" not in numbers and rules.find_rule(method).lr == "auto":
        raise UsageError("no learning rate: give a number, such as lr=0.1, or a range, such as lr=(1e-3, 1)")
