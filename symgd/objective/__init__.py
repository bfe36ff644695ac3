"""The objective: a formula, its data, its exact derivatives, and the descents on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd import checks, descent, many, saving, views
from symgd import data as data_module
from symgd import language as fm
from symgd.data import Owned, difference, points
from symgd.data.points import Point, Shape, Vector
from symgd.errors import (
    DataError,
    FormulaError,
    ShapeError,
    UsageError,
    other_option,
    safe,
    shown,
    unknown_option,
    warn,
)
from symgd.graph import NeedsShape, Node
from symgd.insight import diagnose
from symgd.insight.report import Curvature, curvature
from symgd.kernel import TIERS, Kernel
from symgd.kernel.code import Program
from symgd.objective.formula import indices, row_count
from symgd.objective.model import Model
from symgd.parameters import entry_names
from symgd.run import Run


class Objective:
    """A formula to minimize, with its exact derivatives.

    Parameters
    ----------
    text : str
        A NumPy expression that gives one number, such as ``"mean((y - (w*x + b))**2)"``.
    data : mapping, DataFrame, path, or sequence of str, optional
        Arrays of up to three axes by name, and single numbers; or a file (CSV, Parquet, npz, npy). A value may be the
        path of a ``.npy`` file, which stays on disk. Names alone (``data=("x", "y")``) say which names are columns,
        without their values.
    params : sequence of str, or mapping of str to shape, optional
        The parameters, in order. By default all names that are not data, in the order of the text. Those that are
        arrays get their shapes here, or from the first point that is given.
    tier : str
        ``"python"``, ``"numba"``, or ``"auto"``: short work in plain Python, long work compiled.
    workers : int, optional
        Threads for data of many rows; by default one a processor.

    Raises
    ------
    FormulaError
        If the text is no formula, or reads a name that nothing gives.
    DataError
        If the data are not columns of numbers.

    Examples
    --------
    >>> f = Objective("0.2*x1**2 + x2**2")
    >>> f.gradient
    {'x1': 2*x1/5, 'x2': 2*x2}
    >>> f.gradient_at(x1=9, x2=-3)
    {'x1': 3.6, 'x2': -6.0}
    """

    def __init__(
        self, text: str, data: Any = None, params: Sequence[str] | Mapping[str, Any] | None = None, *,
        tier: str = "auto", workers: int | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(tier, str) or tier not in TIERS:
            raise UsageError(f"tier={shown(tier)} must be one of {', '.join(TIERS)}")
        workers = None if workers is None else checks.whole("workers", workers, 1, checks.WORKERS)
        given = data_module.names(data)
        loaded = {} if given is not None else data_module.load(data)
        known = set(given if given is not None else loaded)
        chosen, declared = points.checked_params(params) or (None, {})
        self.tree = fm.parse(text, declared={*known, *(chosen or ())})
        self.text = str.__str__(text)
        self.tier, self.workers = tier, workers
        used = fm.names(self.tree)
        chosen_by = indices(self.tree)
        points.check_indices(chosen_by, data)
        self.data = Owned(loaded, chosen_by, used)
        self.params = points.find_params(self.text, used, known, chosen)
        self.columns = tuple(n for n in used if n in known and not isinstance(self.data.get(n), float))
        self._known = tuple(n for n in used if n in known)
        self._offered = tuple(known)  # the formula need not read them all
        self._chosen = declared or chosen
        self._declared = {name: declared[name] for name in self.params if name in declared}
        self._models: dict[tuple[tuple[int, ...], ...], Model] = {}
        self._kernels: dict[tuple[float, Model, str], Kernel] = {}
        self._default: Model | None = None
        self._open: NeedsShape | None = None  # the parameter whose shape is not known
        self._misfit: ShapeError | None = None  # what is wrong with the shape that it would seem to have
        self._guessed = len(self._declared) < len(self.params)
        self._told: set[str] = set()  # what was warned of
        if chosen is None:
            data_module.refuse_left_out(data, self.params)
            self._tell(points.misspelt(self.params, self._offered, used))
        self._settle()
        self._said = self._default  # what the text and the declarations say, whatever points are given later
        self._denied: tuple[str, Shape] | None = None  # an array that the first point gave another shape

    # What is compiled stays behind when an objective travels, and is made anew where it arrives.

    def __getstate__(self) -> dict[str, Any]:
        settled = None if self._default is None or self._guessed else self._default.shapes
        given = self.data or self._known
        return {"text": self.text, "data": given, "params": self._chosen, "tier": self.tier, "workers": self.workers,
                "shapes": settled}  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        shapes = state.pop("shapes")
        self.__init__(**state)  # type: ignore[misc]
        if shapes is not None:
            self._default, self._guessed = self._model(shapes), False

    # ---- shapes ----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Read the formula at once, so that a mistake is reported here: undeclared parameters are taken for numbers.

        Where ``X @ w`` says that one must be an array, and of what length, it is one. Otherwise nothing is settled
        until shapes are given.
        """
        shapes: dict[str, Shape] = {name: self._declared.get(name, ()) for name in self.params}
        undeclared = [name for name in self.params if name not in self._declared]
        guessed = False
        while True:
            try:
                self._default = self._model(shapes, undeclared)
            except NeedsShape as question:
                if question.guess is None or shapes[question.name]:
                    self._open = question
                    if guessed:
                        self._misfit = self._wrong_with(shapes)
                    return
                shapes[question.name] = question.guess
                guessed = True
            except ShapeError as problem:
                if not guessed:
                    raise
                self._open, self._misfit = NeedsShape(next(iter(undeclared)), None), problem
                return
            else:
                return

    def _wrong_with(self, shapes: Mapping[str, Shape]) -> ShapeError | None:
        """Give what the formula has against shapes."""
        try:
            self._model(shapes)
        except ShapeError as problem:
            return problem
        return None

    def _model(self, shapes: Mapping[str, Shape], undeclared: Sequence[str] = ()) -> Model:
        key = tuple(shapes[name] for name in self.params)
        if key not in self._models:
            ordered = {name: shapes[name] for name in self.params}
            self._models[key] = Model(self.text, self.tree, ordered, self.data, self._known, undeclared)
            self._tell(self._models[key].notes)
        return self._models[key]

    @property
    def model(self) -> Model:
        """The formula with the shapes that are known: declared, or those of the first point that was given.

        Raises
        ------
        UsageError
            If the shape of a parameter is not known yet.
        """
        return self._known_model(self._default)

    @property
    def shown(self) -> Model:
        """The formula with the shapes that it says itself and those declared: what its derivatives are written for.

        A point does not change it.

        Raises
        ------
        UsageError
            If the shape of a parameter is not known, or points have another one than ``X @ w`` would say.
        """
        if self._denied is not None and self._said is not None:
            name, shape = self._denied
            what = f"'{name}' may have the shape {self._said.shapes[name]}, and had {shape} at a point"
            raise UsageError(f"{what}; declare it, as by f.with_shapes({{'{name}': {shape}}})")
        return self._known_model(self._said)

    def _known_model(self, model: Model | None) -> Model:
        if model is not None:
            return model
        assert self._open is not None
        name = self._open.name
        example = f"f.with_shapes({{'{name}': (3,)}})"
        if self._open.reduced:
            number = f"f.with_shapes({{'{name}': ()}})"
            what = f"'{name}' may be a number or an array, and {safe(self._open.reduced)} depends on it"
            more = "" if self._known else "; if it is a column of data, give it by data="
            raise UsageError(f"{what}; declare its shape, as by {example}, or {number} for a number{more}")
        wrong = "" if self._misfit is None else f"; as a plain vector it does not fit: {self._misfit.problem}"
        raise UsageError(f"'{name}' is an array whose shape is not known; declare it, as by {example}{wrong}")

    def _tell(self, notes: Iterable[str]) -> None:
        """Warn, once, of what is probably not meant."""
        for note in notes:
            if note not in self._told:
                self._told.add(note)
                warn(note)

    def lacking(self, missing: Sequence[str]) -> str:
        """Say what may be the matter with parameters that have no value: data that were forgotten or misspelt.

        Parameters
        ----------
        missing : sequence of str
            The parameters.

        Returns
        -------
        str
            What to put behind the message; empty where nothing is the matter.
        """
        for name in missing:
            if near := points.near_column(name, self._offered, fm.names(self.tree)):
                return f"; '{name}' is no column of the data: did you mean '{near}'?"
        if self._offered or self._open is None or not self._open.reduced or self._open.name not in missing:
            return ""
        return f"; no data were given: if some of {', '.join(missing[:5])} are columns, give them by data="

    def with_shapes(self, shapes: Mapping[str, Any]) -> Objective:
        """Give the objective with the shapes of its parameters declared.

        Parameters
        ----------
        shapes : mapping of str to tuple of int
            A shape for each parameter that is an array, ``()`` or nothing for numbers.

        Returns
        -------
        Objective

        Raises
        ------
        UsageError
            For a name that is no parameter, or a shape that is none.

        Examples
        --------
        >>> f = Objective("sum(x[1:]*x[:-1])").with_shapes({"x": 4})
        >>> f.value(x=[1, 2, 3, 4])
        20.0
        """
        _, declared = points.checked_params(shapes) or ((), {})
        for name in declared:
            if name not in self.params:
                raise UsageError(f"'{name}' is no parameter of the formula; they are {', '.join(self.params)}")
        sizes = {name: declared.get(name, ()) for name in self.params}
        return Objective(self.text, self.data or self.columns, sizes, tier=self.tier, workers=self.workers)

    def _at(self, point: Point | None, values: Mapping[str, Any] | None = None) -> tuple[Model, Vector]:
        """Give the model that fits a point, and the point as a flat vector."""
        if self._is_flat(point):
            assert self._default is not None
            return self._default, points.flat(self._size(self._default), point)
        given = points.entries(self.params, point, values or {}, self.lacking)
        shapes = {name: np.shape(value) for name, value in given.items()}
        for name, shape in self._declared.items():
            if shapes[name] != shape:
                raise UsageError(f"'{name}' has the shape {shapes[name]} here, and {shape} was declared")
        try:
            model = self._default if self._default and self._default.shapes == shapes else self._model(shapes)
        except FormulaError as problem:
            given_shapes = ", ".join(f"'{n}' has the shape {shape}" for n, shape in shapes.items() if shape)
            if not given_shapes:
                raise
            hint = f"{problem.hint}; here {given_shapes}" if problem.hint else f"here {given_shapes}"
            kind = type(problem)
            raise kind(problem.problem, problem.text, problem.start, problem.end, hint) from None
        if self._guessed:  # the first point that is given says what the shapes are
            self._default, self._guessed = model, False
            said: Mapping[str, Shape] = self._said.shapes if self._said else {}
            others = ((name, shape) for name, shape in shapes.items() if said.get(name) and said[name] != shape)
            self._denied = next(others, None)
        return model, points.vector(given, shapes)

    def _is_flat(self, point: Any) -> bool:
        """Tell whether a point is the flat vector of an objective whose parameters are arrays."""
        model = self._default
        if model is None or not any(model.shapes.values()) or isinstance(point, Mapping | str) or point is None:
            return False
        try:
            array = np.asarray(point)
        except ValueError:  # a ragged list: what is wrong with it is said further on
            return False
        return array.ndim == 1 and array.dtype.kind in "fiu" and len(array) == self._size(model)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each number of the parameters: ``w[0]``, ``w[1]``, ``b``."""
        return entry_names(self.params, self.model.shapes.values())

    def _size(self, model: Model) -> int:
        return sum(math.prod(shape) for shape in model.shapes.values())

    # ---- what it says ----------------------------------------------------------------------------------------------

    @property
    def root(self) -> Node:
        """The objective's node."""
        return self.model.root

    @property
    def gradient(self) -> views.Gradient:
        """The exact partial derivatives by name: SymPy expressions, and NumPy text where they are arrays."""
        return self.shown.gradient

    @property
    def hessian(self) -> views.Hessian:
        """The exact second derivatives, by pairs of names: SymPy expressions, and NumPy text where one is an array."""
        return self.shown.hessian

    @property
    def sympy(self) -> Any:
        """The objective as a SymPy expression."""
        graph, root = self.shown.written
        return views.to_sympy(root, graph=graph)

    def numpy(self) -> str:
        """Give the objective as NumPy text, which computes what is shown, and reads back as the same function.

        Returns
        -------
        str
            An expression that runs after ``from numpy import *``; where NumPy has no such function it calls
            ``special.erf`` and the like, and needs ``from scipy import special`` as well.

        Examples
        --------
        >>> Objective("log(1 + exp(x))").numpy()
        'logaddexp(0, x)'
        """
        graph, root = self.shown.written
        return views.to_text(root, graph=graph, numpy=True)

    def latex(self) -> str:
        """Give the objective as LaTeX."""
        return views.to_latex(self.sympy)

    def __repr__(self) -> str:
        flat = " ".join(self.text.split())
        shown = flat if len(flat) <= 100 else flat[:97] + "..."
        listed = ", ".join(self.params[:10]) + (", ..." if len(self.params) > 10 else "")
        rows = row_count(self.tree, self.data)
        data = f", data: {', '.join(self.columns)}" + (f" ({rows:,} rows)" if rows else "") if self.columns else ""
        return f"Objective({shown!r}, params: {listed or 'none'}{data})"

    def _repr_latex_(self) -> str | None:
        if self._said is None:  # what depends on shapes that nobody gave has no formula yet
            return None
        return f"$f({', '.join(self.params[:10])}) = {self.latex()}$"

    # ---- derivatives by hand ---------------------------------------------------------------------------------------

    def check_gradient(self, gradient: Any, *, where: str | Sequence[str] = ()) -> Any:
        """Check a gradient that was derived by hand; see `symgd.check_gradient`.

        Parameters
        ----------
        gradient : mapping of str to str or callable, or callable
            For each parameter that is to be checked, a formula or a function.
        where : str or sequence of str
            What is known of the data.

        Returns
        -------
        symgd.checking.Check

        Examples
        --------
        >>> Objective("0.2*x1**2 + x2**2").check_gradient({"x1": "0.4*x1"}).ok
        True
        """
        from symgd.checking import check_gradient

        data, params = self._checked()
        return check_gradient(self.text, gradient, data, params=params, where=where)

    def check_hessian(self, hessian: Any, *, where: str | Sequence[str] = ()) -> Any:
        """Check second derivatives that were derived by hand; see `symgd.check_hessian`.

        Parameters
        ----------
        hessian : mapping, sequence of sequences, or callable
            Formulas by pairs of parameters, a matrix of them, or a function.
        where : str or sequence of str
            What is known of the data.

        Returns
        -------
        symgd.checking.Check
        """
        from symgd.checking import check_hessian

        data, params = self._checked()
        return check_hessian(self.text, hessian, data, params=params, where=where)

    def _checked(self) -> tuple[Any, Any]:
        """Give data and parameters, as checks take them."""
        data = self.data or dict.fromkeys(self._known)
        known = self._default.shapes if self._default and not self._guessed else self._declared
        return data or None, {n: known.get(n) for n in self.params}

    # ---- numbers ---------------------------------------------------------------------------------------------------

    def program(self, sign: float = 1.0) -> Program:
        """Give the generated functions; -1 for those of the negated objective."""
        return self.model.program(sign)

    def kernel(self, sign: float = 1.0, model: Model | None = None, tier: str | None = None) -> Kernel:
        """Give the running kernel.

        Parameters
        ----------
        sign : float
            -1 for the negated objective.
        model : Model, optional
            With other shapes than those that are known.
        tier : str, optional
            By default the objective's own.

        Returns
        -------
        Kernel

        Raises
        ------
        DataError
            If the data were given as names only.
        """
        key = sign, model or self.model, tier or self.tier
        if key not in self._kernels:
            self._kernels[key] = key[1].kernel(sign, key[2], self.workers)
        return self._kernels[key]

    def vector(self, point: Point | None = None, values: Mapping[str, Any] | None = None) -> Vector:
        """Give a point as a flat vector in the order of ``params``, arrays row after row.

        Parameters
        ----------
        point : mapping, or sequence in the order of ``params``
            The point.
        values : mapping of str to float or array, optional
            The same, given as keyword arguments.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        UsageError
            If a parameter has no value, or a value no parameter.
        """
        return self._at(point, values)[1]

    def _ready(self, point: Point | None, values: Mapping[str, Any] | None = None) -> tuple[Kernel, Vector]:
        model, x = self._at(point, values)
        return self.kernel(model=model), x

    def value(self, point: Point | None = None, **values: float) -> float:
        """Give the value at a point.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float
            The point, as keyword arguments.

        Returns
        -------
        float

        Examples
        --------
        >>> Objective("x**2 - 4*x + 5").value(x=2)
        1.0
        """
        kernel, x = self._ready(point, values)
        return kernel.value(x)

    def gradient_at(self, point: Point | None = None, **values: float) -> dict[str, float]:
        """Give the gradient at a point, by name.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float
            The point, as keyword arguments.

        Returns
        -------
        dict of str to float or ndarray
        """
        kernel, x = self._ready(point, values)
        return kernel.split(kernel.slope(x)[1])

    def hessian_at(self, point: Point | None = None, **values: float) -> NDArray[np.float64]:
        """Give the Hessian at a point.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float
            The point, as keyword arguments.

        Returns
        -------
        ndarray, shape (n, n)
        """
        kernel, x = self._ready(point, values)
        return kernel.hessian(x)

    def hvp(self, point: Point, v: Point) -> dict[str, float]:
        """Give the Hessian at a point times a vector, without forming the matrix.

        Parameters
        ----------
        point : mapping or sequence
            The point, by name or in the order of ``params``.
        v : mapping or sequence
            The vector, likewise.

        Returns
        -------
        dict of str to float or ndarray

        Raises
        ------
        UsageError
            If the vector has other shapes than the point.

        References
        ----------
        Pearlmutter 1994, Fast exact multiplication by the Hessian.
        """
        kernel, x = self._ready(point)
        other, direction = self._ready(v)
        if other is not kernel:
            shapes = zip(self.params, kernel.shapes, other.program.layout.shapes, strict=True)
            name, here, there = next(found for found in shapes if found[1] != found[2])
            raise UsageError(f"the vector must have the shapes of the point: '{name}' has {there}, and {here} there")
        return kernel.split(kernel.product(x, direction))

    def curvature(self, point: Point | None = None, **values: float) -> Curvature:
        """Give eigenvalues, condition, kind of point and largest stable learning rate at a point.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float
            The point, as keyword arguments.

        Returns
        -------
        Curvature

        Examples
        --------
        >>> Objective("(5*x**2 + y**2)/2").curvature(x=0, y=0).largest_lr
        0.4
        """
        return curvature(*self._ready(point, values))

    # ---- for scipy.optimize.minimize -------------------------------------------------------------------------------

    def _flat(self, x: Any) -> Vector:
        return points.flat(self._size(self.model), x)

    def fun(self, x: Any) -> float:
        """Give the value at a flat vector, as ``scipy.optimize.minimize`` asks for it."""
        return self.kernel().value(self._flat(x))

    def jac(self, x: Any) -> Vector:
        """Give the gradient at a flat vector."""
        return self.kernel().slope(self._flat(x))[1]

    def hess(self, x: Any) -> NDArray[np.float64]:
        """Give the Hessian at a flat vector."""
        return self.kernel().hessian(self._flat(x))

    def hessp(self, x: Any, p: Any) -> Vector:
        """Give the Hessian at a flat vector times another."""
        return self.kernel().product(self._flat(x), self._flat(p))

    def lambdify(self, what: str = "value") -> Callable[..., Any]:
        """Hand a generated function out, in plain Python.

        Parameters
        ----------
        what : str
            ``"value"``, or ``"slope"`` for value and gradient in one tuple.

        Returns
        -------
        callable
            Takes the parameters in order, as floats.

        Raises
        ------
        UsageError
            For any other ``what``, or more parameters than the unrolled code takes.
        """
        if not isinstance(what, str) or what not in ("value", "slope"):
            raise UsageError(f"what={shown(what)} must be 'value' or 'slope'")
        kernel = self.kernel()
        if not kernel.program.layout.unrolled:
            raise UsageError("lambdify is for few parameters, all of them numbers; fun and jac take any")
        plain = kernel.tiers["python"]
        function, inputs = plain.function(what), plain.inputs()
        return lambda *point: function(*map(float, point), *inputs)

    # ---- descents --------------------------------------------------------------------------------------------------

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
        >>> f = Objective("0.2*x1**2 + x2**2")
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
    ) -> many.Many:  # fmt: skip
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
        >>> f = Objective("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", tier="python")
        >>> many = f.minimize_many(box={"x": (-5, 5), "y": (-5, 5)}, n=64)
        >>> len(many.minima), sum(m.count for m in many.minima)
        (4, 64)
        """
        if not self.params:
            raise UsageError("there is nothing to minimize: every name in the formula has data")
        known = self._default.shapes if self._default else self._declared
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
            model = self._saved_model(state)
            kernel = self.kernel(-1.0 if state.get("sign") == -1 else 1.0, model, _saved_tier(state))
            at, settings = descent.restore(kernel, state, steps)
        except (DataError, UsageError) as problem:
            if isinstance(saved, Run):
                raise
            raise type(problem)(f"'{saving.named(saved)}': {problem}") from None
        return self._go(model, kernel, at, replace(settings, seconds=seconds), callback, progress, keep)

    def _saved_model(self, state: Mapping[str, Any]) -> Model:
        """Give the model of a saved run; an error if it is another objective's."""
        params, shapes, x = state.get("params"), state.get("shapes"), state.get("x", ())
        if state.get("formula") != self.text:
            raise UsageError(f"the saved run is of {safe(str(state.get('formula')))!r}, not of {safe(self.text)!r}")
        if params != list(self.params):
            told = ", ".join(self.params)
            raise UsageError(f"the saved run has the parameters {safe(params)}, and this objective {safe(told)}")
        other = self._other_data(state.get("data"))
        if other:
            raise UsageError(f"the saved run was made with other data: {other}")
        try:
            sizes = [tuple(checks.whole("shape", n, 1) for n in shape) for shape in shapes or ()]
            fits = len(sizes) == len(self.params) and sum(map(math.prod, sizes)) == np.size(x)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise DataError("the saved run is damaged: its shapes are not those of its point")
        try:
            return self._model(dict(zip(self.params, sizes, strict=True)))
        except ValueError as problem:
            raise DataError(f"the saved run is damaged: {safe(str(problem), 160)}") from None

    def _other_data(self, saved: Any) -> str | None:
        """Say what differs between the data of a saved run and those of this objective."""
        if not isinstance(saved, Mapping):
            raise DataError("the saved run is damaged: it does not say what its data were")
        return difference(self.data.fingerprint(self._known), saved)

    def _keep(self, save: Any, every: Any) -> descent.Keep | None:
        """Give where a run is saved meanwhile; ``None`` for nowhere."""
        if save is None:
            if every is not None:
                raise UsageError(f"save_every={shown(every)} needs a file to save to: save='run.npz'")
            return None
        return descent.Keep(save, every, {"data": self.data.fingerprint(self._known)})

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
        kernel = self.kernel(sign, model)
        settings = descent.prepare(kernel, x0, sign, options)
        return self._go(model, kernel, descent.begin(kernel, x0, settings), settings, callback, progress, keep)

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
        run = descent.descend(
            kernel, state, settings, formula=self.text, callback=callback, progress=progress,
            locate=lambda x: model.locate(kernel.split(x)), keep=keep,
        )  # fmt: skip
        data = {"data": self.data.fingerprint(self._known)}
        run = replace(run, objective=self, state={**run.state, **data}, explain=partial(diagnose, kernel))
        if keep:
            keep.write(run.state)
        return run


def _saved_tier(state: Mapping[str, Any]) -> str:
    """Give the tier that a saved run was made in."""
    tier = state.get("tier")
    if not isinstance(tier, str) or tier not in TIERS:
        raise DataError(f"the saved run is damaged: its tier is none of {', '.join(TIERS)}")
    return tier
