"""An objective in numbers: values and derivatives at points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symgd.data import points
from symgd.data.points import Point, Vector
from symgd.errors import UsageError, shown
from symgd.kernel import Kernel
from symgd.kernel.code import Program
from symgd.objective.grids import Grid, is_mesh, spread
from symgd.objective.model import Model
from symgd.objective.shaped import Shaped

if TYPE_CHECKING:
    from symgd.insight.report import Curvature


class Numbers(Shaped):
    """What is asked at a point."""

    tier: str
    workers: int | None
    _kernels: dict[tuple[Model, str], Kernel]
    _grids: dict[Model, Grid]

    @property
    def program(self) -> Program:
        """The generated functions."""
        return self.model.program

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
        key = model or self.model, tier or self.tier
        if key not in self._kernels:
            self._kernels[key] = key[0].kernel(key[1], self.workers)
        return self._kernels[key] if sign > 0 else self._kernels[key].negated()

    def vector(self, point: Point | None = None, values: Mapping[str, object] | None = None) -> Vector:
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

    def _ready(self, point: Point | None, values: Mapping[str, object] | None = None) -> tuple[Kernel, Vector]:
        model, x = self._at(point, values)
        return self.kernel(model=model), x

    def _grid(self, point: Point | None, values: Mapping[str, object]) -> tuple[Grid, dict[str, Vector]] | None:
        """Give the grid that was given instead of a point: arrays for parameters that have fewer axes."""
        if self._default is None or self._is_flat(point):
            return None
        listed = point.values() if isinstance(point, Mapping) else () if point is None else (point,)
        if all(isinstance(value, float | int) for value in (*listed, *values.values())):
            return None
        given = points.entries(self.params, point, values, self.lacking)
        found = spread(given, self._default.shapes)
        if found is None or (self._guessed and not is_mesh(given) and self._takes(given)):
            return None
        return self._many(self._default), found

    def _many(self, model: Model) -> Grid:
        # A kernel of its own: what a grid evaluates must not count towards the tier of what the user evaluates.
        if model not in self._grids:
            self._grids[model] = Grid(model, model.kernel(self.tier, self.workers))
        return self._grids[model]

    def value(self, point: Point | None = None, **values: ArrayLike) -> Any:
        """Give the value at a point, or at many: arrays in place of numbers are broadcast, as NumPy does.

        Where a formula can take an array itself for a parameter of which nobody said that it is a number, it does so,
        unless all are meshes of one shape; ``with_shapes({"w": ()})`` says it.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float or array
            The point, as keyword arguments.

        Returns
        -------
        float or ndarray
            At many points an array of the shape of the grid; of parameters that are arrays, its axes come first.

        Examples
        --------
        >>> import symgd as sg
        >>> f = sg.Objective("x**2 - 4*x + 5")
        >>> f.value(x=2)
        1.0
        >>> f.value(x=[0, 1, 2])
        array([5., 2., 1.])
        """
        grid = self._grid(point, values)
        if grid:
            return grid[0].values(grid[1])
        kernel, x = self._ready(point, values)
        return kernel.value(x)

    def gradient_at(self, point: Point | None = None, **values: ArrayLike) -> dict[str, Any]:
        """Give the gradient at a point, by name; or at many, as `value` takes them.

        Parameters
        ----------
        point : mapping or sequence, optional
            The point, by name or in the order of ``params``.
        **values : float or array
            The point, as keyword arguments.

        Returns
        -------
        dict of str to float or ndarray
            At many points arrays, with the axes of the grid first.

        Examples
        --------
        >>> import symgd as sg
        >>> sg.Objective("x**2 - 4*x + 5").gradient_at(x=[0, 1, 2])
        {'x': array([-4., -2.,  0.])}
        """
        grid = self._grid(point, values)
        if grid:
            return grid[0].slopes(grid[1])[1]
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

    def hvp(self, point: Point, v: Point) -> dict[str, float | Vector]:
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
        >>> import symgd as sg
        >>> sg.Objective("(5*x**2 + y**2)/2").curvature(x=0, y=0).largest_lr
        0.4
        """
        from symgd.insight.report import curvature

        return curvature(*self._ready(point, values))

    # ---- for scipy.optimize.minimize -------------------------------------------------------------------------------

    def _flat(self, x: ArrayLike) -> Vector:
        return points.flat(self.model.shapes.size, x)

    def fun(self, x: ArrayLike) -> float:
        """Give the value at a flat vector, as ``scipy.optimize.minimize`` asks for it."""
        return self.kernel().value(self._flat(x))

    def jac(self, x: ArrayLike) -> Vector:
        """Give the gradient at a flat vector."""
        return self.kernel().slope(self._flat(x))[1]

    def hess(self, x: ArrayLike) -> NDArray[np.float64]:
        """Give the Hessian at a flat vector."""
        return self.kernel().hessian(self._flat(x))

    def hessp(self, x: ArrayLike, p: ArrayLike) -> Vector:
        """Give the Hessian at a flat vector times another."""
        return self.kernel().product(self._flat(x), self._flat(p))

    def lambdify(self, what: str = "value") -> Callable[..., Any]:
        """Hand a generated function out, in plain Python; arrays go through NumPy, all points together.

        Parameters
        ----------
        what : str
            ``"value"``, or ``"slope"`` for value and gradient in one tuple.

        Returns
        -------
        callable
            Takes the parameters in order, as floats, or as arrays that are broadcast.

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
        grid = self._many(self.model)

        def call(*point: Any) -> Any:
            if all(isinstance(x, float | int) or np.ndim(x) == 0 for x in point):
                return function(*map(float, point), *inputs)
            columns = spread(dict(zip(self.params, point, strict=True)), grid.model.shapes)
            assert columns is not None
            if what == "value":
                return grid.values(columns)
            found, slope = grid.slopes(columns)
            return found, *slope.values()

        return call
