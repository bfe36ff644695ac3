"""Descents on an objective: one, many, and those that are taken up again."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import checks, descent, saving
from symgd.data import difference, points
from symgd.data.points import Point
from symgd.errors import DataError, UsageError, other_option, safe, shown, unknown_option
from symgd.insight import diagnose
from symgd.kernel import TIERS, Kernel
from symgd.kernel.blas import one_thread
from symgd.objective.maps import Maps
from symgd.objective.model import Model
from symgd.parameters import Shapes
from symgd.run import Run

if TYPE_CHECKING:
    from symgd.many import Many


class Descents(Maps):
    """What moves a point."""

    def minimize(self, start: Point | None = None, **options: Any) -> Run:
        """Descend from a start.

        Parameters
        ----------
        start : mapping, or sequence in the order of ``params``
            Where to start.
        **options : object
            ``method`` (the name of a method or of a rule, or a `Rule`; by default gradient descent where ``lr`` or
            ``batch`` is given, else the best one for the problem), ``lr`` (a positive number, a formula of ``t``, or
            ``"auto"``), ``steps``, ``gtol``, ``ftol``, ``xtol``, ``seconds``, ``seed``, ``callback``, ``every``,
            ``progress``, ``save`` (a file that the run is saved to meanwhile and at its end, from which `resume` goes
            on), ``save_every`` (seconds from one time to the next, by default 60: what a crash loses at most), and
            the rule's hyperparameters. With a learning rate given, ``steps`` alone asks for exactly
            that many steps; a tolerance ends the run earlier.

        Returns
        -------
        Run

        Raises
        ------
        UsageError
            For an option that does not exist or is out of bounds.
        FormulaError
            For a schedule that is no formula.

        Examples
        --------
        >>> import symgd as sg
        >>> f = sg.Objective("0.2*x1**2 + x2**2")
        >>> run = f.minimize(start={"x1": 9, "x2": -3}, lr=0.2, steps=300)
        >>> run.ok, str(run.outcome)
        (True, 'converged_gradient')
        """
        return self._descend(start, 1.0, options)

    def maximize(self, start: Point | None = None, **options: Any) -> Run:
        """Ascend from a start: as `minimize`, up the gradient.

        Parameters
        ----------
        start : mapping, or sequence in the order of ``params``
            Where to start.
        **options : object
            As for `minimize`.

        Returns
        -------
        Run
        """
        return self._descend(start, -1.0, options)

    def minimize_many(
        self, starts: Any = None, *, box: Any = None, n: int | None = None, strategy: str = "sobol", seed: int = 0,
        progress: bool | None = None, **options: Any,
    ) -> Many:  # fmt: skip
        """Descend from many starts, and tell which distinct minima they reached.

        Parameters
        ----------
        starts : mapping, ndarray of shape (k, n), or sequence of points, optional
            Where to start: an array for each parameter, whose first axis is that of the starts; or a row for each.
        box : mapping of str to (low, high), optional
            In place of starts, bounds to spread them in; for an array, of its shape or one for all its entries.
        n : int, optional
            How many starts to spread; by default 1000.
        strategy : str
            ``"sobol"``, ``"latin"`` or ``"uniform"``.
        seed : int
            Of the strategy. Draws of the rule at start i are those of a single run with the seed ``seed + i``.
        progress : bool, optional
            Whether to show progress; by default on a terminal after two seconds.
        **options : object
            As for `minimize`, without ``callback`` and ``every``. With neither method nor learning rate, exact Cauchy
            steps, at most 1000.

        Returns
        -------
        Many

        Raises
        ------
        UsageError
            For starts, a box or options that are none.

        Examples
        --------
        >>> import symgd as sg
        >>> f = sg.Objective("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", tier="python")
        >>> many = f.minimize_many(box={"x": (-5, 5), "y": (-5, 5)}, n=64)
        >>> len(many.minima), sum(m.count for m in many.minima)
        (4, 64)
        """
        if not self.params:
            raise UsageError("there is nothing to minimize: every name in the formula has data")
        known = self._default.shapes if self._default else self._declared
        from symgd import many

        given, bounds = many.points(self.params, known, starts, box, n, strategy, seed)
        model, _ = self._at({name: values[0] for name, values in given.items()})
        x = np.concatenate([values.reshape(len(values), -1) for values in given.values()], axis=1)
        options = {**options, "seed": seed}
        kernel = self.kernel(model=model)
        return many.descend_many(kernel, x, options, formula=self.text, box=bounds, progress=progress)

    def resume(
        self, saved: Run | str | Path, steps: int | None = None, *, callback: descent.Callback | None = None,
        progress: bool | None = None, seconds: float = math.inf, save: str | Path | None = None,
        save_every: float | None = None,
    ) -> Run:  # fmt: skip
        """Go on with a run; it ends as the uninterrupted run would have, bit for bit.

        It goes on in the run's own tier, since the two round differently, on a machine of the same kind.

        Parameters
        ----------
        saved : Run, str or Path
            A run, or a file that `Run.save` wrote, or `minimize` with ``save``.
        steps : int, optional
            Steps in all, those already taken included; by default what the run was to take.
        callback : callable, optional
            As for `minimize`.
        progress : bool, optional
            As for `minimize`.
        seconds : float
            Wall time to take at most, what was taken before included.
        save : str or Path, optional
            As for `minimize`.
        save_every : float, optional
            As for `minimize`.

        Returns
        -------
        Run

        Raises
        ------
        UsageError
            If the run is another objective's, or had ended.
        DataError
            If the file is no saved run, or is not as it was written.
        """
        state = dict(saved.state) if isinstance(saved, Run) else saving.read(saved)
        steps = None if steps is None else checks.whole("steps", steps, 1)
        seconds = math.inf if seconds is None else checks.seconds("seconds", seconds)
        points.check_callback(callback)
        keep = self._keep(save, save_every)
        try:
            model = self._saved_model(state, whole=not isinstance(saved, Run))
            kernel = self.kernel(-1.0 if state.get("sign") == -1 else 1.0, model, _saved_tier(state))
            kernel = _saved_kernel(kernel, state)
            at, settings = descent.restore(kernel, state, steps)
        except (DataError, UsageError) as problem:
            if isinstance(saved, Run):
                raise
            raise type(problem)(f"'{saving.named(saved)}': {problem}") from None
        return self._go(model, kernel, at, replace(settings, seconds=seconds), callback, progress, keep)

    def _saved_model(self, state: Mapping[str, Any], *, whole: bool) -> Model:
        """Give the model of a saved run; an error if it is another objective's."""
        params, shapes, x = state.get("params"), state.get("shapes"), state.get("x", ())
        if state.get("formula") != self.text:
            raise UsageError(f"the saved run is of {safe(str(state.get('formula')))!r}, not of {safe(self.text)!r}")
        if params != list(self.params):
            told = ", ".join(self.params)
            raise UsageError(f"the saved run has the parameters {safe(params)}, and this objective {safe(told)}")
        other = self._other_data(state.get("data"), whole=whole)
        if other:
            raise UsageError(f"the saved run was made with other data: {other}")
        try:
            sizes = Shapes(self.params, [tuple(checks.whole("shape", n, 1) for n in shape) for shape in shapes or ()])
            fits = sizes.size == np.size(x)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise DataError("the saved run is damaged: its shapes are not those of its point")
        try:
            return self._model(sizes)
        except ValueError as problem:
            raise DataError(f"the saved run is damaged: {safe(str(problem), 160)}") from None

    def _other_data(self, saved: object, *, whole: bool) -> str | None:
        """Say what differs between the data of a saved run and those of this objective."""
        if not isinstance(saved, Mapping):
            raise DataError("the saved run is damaged: it does not say what its data were")
        return difference(self.fingerprint(whole=whole), saved)

    def fingerprint(self, *, whole: bool = True) -> dict[str, list[Any]]:
        """Give what tells the data of this objective from others; see `symgd.data.Owned.fingerprint`.

        Parameters
        ----------
        whole : bool
            Whether all rows of large arrays count, or a sample of them.

        Returns
        -------
        dict of str to [str, list of int, str]
        """
        return self.data.fingerprint(self._known, whole=whole)

    def _keep(self, save: object, every: object) -> descent.Keep | None:
        """Give where a run is saved meanwhile; ``None`` for nowhere."""
        if save is None:
            if every is not None:
                raise UsageError(f"save_every={shown(every)} needs a file to save to: save='run.npz'")
            return None
        return descent.Keep(save, every, {"data": self.fingerprint()})

    def _descend(self, start: Point | None, sign: float, options: dict[str, Any]) -> Run:
        if not self.params:
            raise UsageError("there is nothing to minimize: every name in the formula has data")
        for name in options:
            if other_option(name, ["start"]) == "start":
                raise unknown_option(name, ["start"])
        model, x0 = self._at(start)
        callback, progress = options.pop("callback", None), options.pop("progress", None)
        points.check_callback(callback)
        keep = self._keep(options.pop("save", None), options.pop("save_every", None))
        began = time.perf_counter()
        kernel = descent.through(self.kernel(sign, model), options)
        spent = time.perf_counter() - began
        settings = descent.prepare(kernel, x0, sign, options)
        state = descent.begin(kernel, x0, settings)
        state.seconds = spent if kernel.moments else 0.0  # the pass over the rows is part of the descent
        return self._go(model, kernel, state, settings, callback, progress, keep)

    @one_thread()
    def _go(
        self,
        model: Model,
        kernel: Kernel,
        state: descent.State,
        settings: descent.Settings,
        callback: descent.Callback | None,
        progress: bool | None,  # noqa: FBT001
        keep: descent.Keep | None = None,
    ) -> Run:
        with keep.until_saved() if keep else nullcontext():
            run = descent.descend(
                kernel, state, settings, formula=self.text, callback=callback, progress=progress,
                locate=lambda x: model.locate(model.shapes.values_of(x)), keep=keep,
            )  # fmt: skip
            if keep:
                keep.write(run.state)
        data = {"data": self.fingerprint(whole=False)}
        return replace(run, objective=self, state={**run.state, **data}, explain=partial(diagnose, kernel))


def _saved_kernel(kernel: Kernel, state: Mapping[str, Any]) -> Kernel:
    """Give the kernel that a saved run went on with: one of moments, where it was one."""
    if not state.get("moments"):
        return kernel
    found = kernel.reduced()
    if found is None or found.moments != state["moments"]:
        raise DataError("the saved run is damaged: the data do not enter this objective through so many moments")
    return found


def _saved_tier(state: Mapping[str, Any]) -> str:
    """Give the tier that a saved run was made in."""
    tier = state.get("tier")
    if not isinstance(tier, str) or tier not in TIERS:
        raise DataError(f"the saved run is damaged: its tier is none of {', '.join(TIERS)}")
    return tier
