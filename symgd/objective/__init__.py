"""The objective: a formula, its data, its exact derivatives, and the descents on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from symgd import checks
from symgd import data as data_module
from symgd import language as fm
from symgd.data import Owned, points
from symgd.errors import UsageError, shown
from symgd.graph import Node
from symgd.kernel import TIERS
from symgd.objective.descents import Descents
from symgd.objective.formula import indices, row_count

if TYPE_CHECKING:
    import os

    from symgd import views
    from symgd.playground import Page


class Objective(Descents):
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
        declared_names = {*known, *(chosen or ())}
        self.tree = text.tree if isinstance(text, fm.Typed) else fm.parse(text, declared=declared_names)
        self.text = str.__str__(text)
        self.tier, self.workers = tier, workers
        used = fm.names(self.tree)
        chosen_by = indices(self.tree)
        points.check_indices(chosen_by, data)
        self.data = Owned(loaded, chosen_by, used)
        self.params = points.find_params(self.text, used, known, chosen)
        self.columns = tuple(n for n in used if n in known and not isinstance(self.data.get(n), float))
        self._known = tuple(n for n in used if n in known)
        self._offered = tuple(known)
        self._chosen = declared or chosen
        self._declared = {name: declared[name] for name in self.params if name in declared}
        self._models, self._kernels, self._grids, self._told = {}, {}, {}, set()
        self._guessed = len(self._declared) < len(self.params)
        if chosen is None:
            data_module.refuse_left_out(loaded, self.params)
            self._tell(points.misspelt(self.params, self._offered, used))
        self._settle()
        self._said = self._default

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
        return Objective(
            fm.Typed(self.text, self.tree), self.data or self.columns, sizes, tier=self.tier, workers=self.workers
        )

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
        from symgd import views

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
        from symgd import views

        graph, root = self.shown.written
        return views.to_text(root, graph=graph, numpy=True)

    def code(
        self, target: str = "numpy", *, rule: Any = None, lr: float | str | None = None, embed: bool = False,
        **hyper: float | str,
    ) -> str:  # fmt: skip
        """Give value, gradient, Hessian times a direction, and Hessian as a module that stands alone.

        The functions take the parameters and the data by their own names, and the module needs nothing but the target:
        what its library does not have is written out in it.

        Parameters
        ----------
        target : str
            ``"numpy"``, ``"c"`` or ``"javascript"``.
        rule : str, Rule, or list of them, optional
            An update rule by name or as text, whose whole descent is in the module too: ``minimize(start, steps)``.
            ``"exact"`` is steepest descent with the exact step.
        lr : float or str, optional
            Its learning rate, a number or a formula of ``t``; by default the rule's own.
        embed : bool
            Whether the module holds the data, where the target is JavaScript.
        **hyper : float or str
            The rule's hyperparameters.

        Returns
        -------
        str
            The text of the module.

        Raises
        ------
        UsageError
            For another target, a rule or number that there is not, or if the shape of a parameter is not known.

        Examples
        --------
        >>> space = {}
        >>> exec(Objective("mean((y - w*x)**2)", data=("x", "y")).code("numpy"), space)
        >>> space["value_and_gradient"](1.0, x=[1.0, 2.0], y=[1.0, 4.0])
        (2.0, (-4.0,))
        """
        from symgd.objective import modules

        chosen = modules.checked_target(target)
        rules = modules.descents(chosen, rule, lr, hyper)
        values = modules.embedded(self, chosen) if embed else None
        return self.shown.standalone(chosen, rules, values)

    def playground(
        self, path: str | os.PathLike[str] | None = None, *, start: Any = None, rule: Any = None,
        ranges: Mapping[str, tuple[float, float]] | None = None,
    ) -> Page:  # fmt: skip
        """Write a page with the landscape and descents on it, to play with in a browser, for one or two parameters.

        The page is one file, which needs no network and no symgd: starts by clicks, learning rates and other numbers by
        sliders, steps one by one or running, and beside them value, gradient, eigenvalues, what is stable, and what
        theory says of each step. Derivatives and rules are those that symgd runs. What is shown stands in the address.

        Parameters
        ----------
        path : path-like, optional
            The file to write; without it, a notebook shows the page.
        start : mapping or sequence, optional
            Where the first descent starts.
        rule : str, Rule, or sequence of them, optional
            Rules besides those of the table, the first of them chosen.
        ranges : mapping of str to tuple of float, optional
            From where to where each parameter is shown; by default so that start and minimum are inside.

        Returns
        -------
        Page
            The page's text, which a notebook shows.

        Raises
        ------
        UsageError
            If there are more than two parameters, the page would be larger than 6 MB, or the file cannot be written.
        ImportError
            Without Plotly, which the extra ``play`` brings.

        Examples
        --------
        >>> page = Objective("x**4 - 3*x**2 + x").playground(start={"x": 2})
        >>> page.startswith("<!doctype html>")
        True
        """
        from symgd import playground

        return playground.write(self, path, start=start, rule=rule, ranges=ranges)

    def latex(self) -> str:
        """Give the objective as LaTeX."""
        from symgd import views

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

    def plot(self, ranges: Mapping[str, tuple[float, float]], ax: Any = None, **options: Any) -> Any:
        """Draw the objective: one parameter as a curve, two as contours.

        Parameters
        ----------
        ranges : mapping of str to tuple of float
            From where to where, for each parameter.
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        **options : object
            Passed to `symgd.plotting.plot_objective`.

        Returns
        -------
        Axes
        """
        from symgd.plotting import plot_objective

        return plot_objective(self, ranges, ax, **options)

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
