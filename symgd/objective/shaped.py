"""What shapes the parameters of an objective have: said by the formula, declared, or taken from the first point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from symgd import language as fm
from symgd.data import Owned, points
from symgd.data.points import Point, Vector
from symgd.errors import FormulaError, ShapeError, UsageError, safe, shown, warn
from symgd.graph import NeedsShape
from symgd.objective.model import Model
from symgd.parameters import Shape


class Shaped:
    """A formula and its data, with the models that are known of it, one for each choice of shapes."""

    text: str
    tree: fm.Tree
    data: Owned
    params: tuple[str, ...]
    _known: tuple[str, ...]  # the names that are data
    _offered: tuple[str, ...]  # data that were given; the formula need not read them all
    _declared: dict[str, Shape]
    _models: dict[tuple[Shape, ...], Model]
    _default: Model | None = None  # what is asked without a point
    _said: Model | None = None  # what the text and the declarations say, whatever points are given later
    _open: NeedsShape | None = None  # the parameter whose shape is not known
    _misfit: ShapeError | None = None  # what is wrong with the shape that it would seem to have
    _denied: tuple[str, Shape] | None = None  # an array that the first point gave another shape
    _guessed: bool  # whether the default's shapes are only what seemed right
    _told: set[str]  # what was warned of

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

        Raises
        ------
        UsageError
            If the parameters are no names.
        """
        if not isinstance(missing, Sequence) or not all(isinstance(name, str) for name in missing):
            raise UsageError(f"missing={shown(missing)} must be a sequence of names")
        for name in missing:
            if near := points.near_column(name, self._offered, fm.names(self.tree)):
                return f"; '{name}' is no column of the data: did you mean '{near}'?"
        if self._offered or self._open is None or not self._open.reduced or self._open.name not in missing:
            return ""
        return f"; no data were given: if some of {', '.join(missing[:5])} are columns, give them by data="

    def _at(self, point: Point | None, values: Mapping[str, object] | None = None) -> tuple[Model, Vector]:
        """Give the model that fits a point, and the point as a flat vector."""
        if values is not None and not isinstance(values, Mapping):
            raise UsageError(f"values={shown(values)} must be a mapping of parameters to values")
        point = point if hasattr(point, "columns") else points.by_label(point)
        if self._is_flat(point):
            assert self._default is not None
            return self._default, points.flat(self._default.shapes.size, point)
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

    def _takes(self, given: Mapping[str, float | Vector]) -> bool:
        """Tell whether the formula is one number where parameters have the shapes of what was given."""
        try:
            self._model({name: np.shape(value) for name, value in given.items()})
        except FormulaError:
            return False
        return True

    def _is_flat(self, point: object) -> bool:
        """Tell whether a point is the flat vector of an objective whose parameters are arrays."""
        model = self._default
        if model is None or not any(model.shapes.values()) or isinstance(point, Mapping | str) or point is None:
            return False
        try:
            array = np.asarray(point)
        except ValueError:  # a ragged list: what is wrong with it is said further on
            return False
        return array.ndim == 1 and array.dtype.kind in "fiu" and len(array) == model.shapes.size

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each number of the parameters: ``w[0]``, ``w[1]``, ``b``."""
        return self.model.shapes.names
