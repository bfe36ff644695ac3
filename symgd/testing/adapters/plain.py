"""Steps that somebody wrote as a function ``step(x, g, state)``, or as a class with such a method."""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symgd.checks import is_number
from symgd.errors import UsageError, safe
from symgd.testing.adapters import names
from symgd.testing.adapters.base import Handling, Session, Steps, Unable, Vector
from symgd.testing.adapters.schedule import numbers_at
from symgd.testing.protocol import Oracle, Setting

METHODS = ("step", "update", "apply", "apply_gradients", "optimize", "__call__")  # of a class that is an optimizer
_ROLES = {"x": names.POINTS, "g": names.GRADIENTS, "state": names.STATES, "t": names.COUNTS, "f": names.VALUES}


class Signature:
    """What a function takes at which place.

    Parameters
    ----------
    function : callable
        Takes at least a point and a gradient.
    given : mapping
        Values of other arguments.

    Raises
    ------
    UsageError
        If an argument has no value.
    """

    def __init__(self, function: Callable[..., Any], given: Mapping[str, Any]) -> None:
        parameters = list(inspect.signature(function).parameters.values())
        plain = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.roles = _roles(plain)
        self.defaults: dict[str, Any] = {}
        self.lr = ""
        for p in plain:
            if p.name in self.roles:
                continue
            ours = names.OURS.get(p.name, p.name)
            if p.default is not p.empty:
                self.defaults[p.name] = p.default
            elif p.name in given or ours in given:
                self.defaults[p.name] = given.get(p.name, given.get(ours))
            elif ours == "lr" or p.name in ("alpha", "gamma"):
                self.defaults[p.name] = 0.1
            else:
                raise UsageError(
                    f"the step's argument '{p.name}' has no value; give it as "
                    f"check_optimizer(..., hyper={{'{p.name}': ...}}), or a default in the step"
                )
            if ours == "lr" or (p.name == "alpha" and not self.lr):
                self.lr = p.name
        self.own = {name: self._ours(name) for name in self.defaults}
        self.defaults |= {n: given[key] for n, ours in self.own.items() for key in (n, ours) if key in given}
        self.state = next((p for p in plain if self.roles.get(p.name) == "state"), None)
        self.keyword = {p.name for p in plain if p.kind is p.KEYWORD_ONLY}
        self.order = [p.name for p in plain]

    def _ours(self, name: str) -> str:
        return "lr" if name == self.lr else names.OURS.get(name, name)

    def arguments(self, values: Mapping[str, Any], hyper: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Give what to call the function with: values by role, hyperparameters by their own names."""
        placed: list[Any] = []
        named: dict[str, Any] = {}
        for name in self.order:
            value = values[self.roles[name]] if name in self.roles else hyper[name]
            if name in self.keyword:
                named[name] = value
            else:
                placed.append(value)
        return placed, named


def _roles(parameters: Sequence[inspect.Parameter]) -> dict[str, str]:
    """Say which argument is the point, the gradient, the state, the step's number, the value."""
    roles: dict[str, str] = {}
    for p in parameters:
        for role, known in _ROLES.items():
            if p.name.lower() in known and role not in roles.values():
                roles[p.name] = role
                break
    # What names do not say, the order does: the point, the gradient, the state.
    free = [p.name for p in parameters if p.name not in roles and p.default is p.empty and p.name not in names.OURS]
    for role in ("x", "g", "state"):
        if role not in roles.values() and free:
            roles[free.pop(0)] = role
    if not {"x", "g"} <= set(roles.values()):
        said = ", ".join(p.name for p in parameters) or "nothing"
        raise UsageError(f"a step takes a point and a gradient, as step(x, g, state) does; this one takes {said}")
    return roles


class Plain(Steps):
    """A function ``step(x, g, state)``.

    Parameters
    ----------
    function : callable
        Takes the point, the gradient and what it keeps, and gives the new point, or point and state; or changes the
        point in place.
    name : str
        What to call it.
    given : mapping
        Values of its other arguments, by its own names or those of the table of rules.
    state : object
        What it keeps before the first step, or a function of the start that gives it; ``None`` to find out.
    """

    style = "step"

    def __init__(self, function: Callable[..., Any], name: str, given: Mapping[str, Any], state: Any = None) -> None:
        self.name = name
        self.function = function
        self.signature = Signature(function, given)
        self.given_state = state
        self.functional = False  # whether it asks for the gradient itself, as a function
        named = self.signature.own
        self.known = names.numbers(
            {"lr" if named[key] == "lr" else key: v for key, v in self.signature.defaults.items()}
        )
        self.settable = frozenset(ours for key, ours in named.items() if is_number(self.signature.defaults[key]))
        self.scheduled = bool(self.settable)
        self.start_state = self._find_state()

    def _find_state(self) -> Callable[[Vector], Any]:
        """Give the first of the usual states that a step can begin with."""
        given = self.given_state
        if given is None:
            given = getattr(self.function, "init", None)
        if given is not None:
            return given if callable(given) else lambda _: copy.deepcopy(given)
        states: list[Callable[[Vector], Any]] = [lambda _: {}, lambda _: None, np.zeros_like]
        states += [lambda _, n=n: (0,) * n for n in (2, 3, 4)] + [lambda _: types.SimpleNamespace()]
        parameter = self.signature.state
        if parameter is None:
            states = [lambda _: None]
        elif parameter.default is not parameter.empty:
            states.insert(0, lambda _: parameter.default)
        problems: list[str] = []
        for functional in (False, True):
            self.functional = functional
            for state in states:
                self.start_state = state
                try:
                    self._try_out()
                except Exception as problem:  # noqa: BLE001 - whatever somebody's code raises
                    problems.append(f"{type(problem).__name__}: {safe(str(problem), 100)}")
                else:
                    self.asks_often = functional
                    return state
        raise UsageError(
            f"{self.name} cannot take a step: {problems[0]}; where it needs a state to begin with, give "
            f"check_optimizer(..., state=...), its value or a function of the start"
        )

    def _try_out(self) -> None:
        session = self.begin(np.array([1.0, -2.0, 0.5]), {})
        for _ in range(2):
            session.step(_Slope())
        if session.x.shape != (3,):
            message = f"it gave back an array of shape {session.x.shape} for one of shape (3,)"
            raise ValueError(message)

    def begin(self, start: Vector, settings: Mapping[str, Setting], handling: Handling = "plain") -> Session:
        """Make one that has not taken a step."""
        missing = [key for key in settings if key not in self.settable]
        if missing:
            raise Unable(f"its {missing[0]} cannot be set")
        return _PlainSession(self, start, settings, handling)


class _Slope:
    """The gradient of a bowl, to try a step out with."""

    def fun(self, x: Any) -> float:
        return float(np.sum(np.square(x))) / 2

    def jac(self, x: Any) -> Vector:
        return np.array(x, dtype=np.float64)


class _PlainSession(Session):
    def __init__(self, of: Plain, start: Vector, settings: Mapping[str, Setting], handling: Handling) -> None:
        super().__init__(start)
        self.of, self.handling = of, handling
        self.settings = settings
        self.function = own_closure(of.function)
        self.state = of.start_state(self.x.copy())
        self.t = 0
        self.buffer = np.empty_like(self.x)
        self.handed: tuple[Any, Any] = (None, None)  # point and gradient as they were handed over last
        self.changed = {"x": False, "g": False}  # whether the step has changed them
        self.returned_same = True  # whether what it gave back was the very array that it was given

    def step(self, problem: Oracle) -> None:
        self.t += 1
        x = self.x.copy() if self.handling == "copies" else self.x
        before = x.copy()
        g: Any = problem.jac if self.of.functional else problem.jac(x.copy())
        if self.handling == "buffer" and not self.of.functional:
            self.buffer[:] = g
            g = self.buffer
        kept = None if self.of.functional else g.copy()
        signature = self.of.signature
        hyper = dict(signature.defaults)
        at = numbers_at(self.settings, self.t)
        hyper |= {key: at[ours] for key, ours in signature.own.items() if ours in at}
        # What counts the steps from 1 finds 1 at the first.
        values = {"x": x, "g": g, "state": self.state, "t": self.t}
        if "f" in signature.roles.values():
            values["f"] = problem.fun(x.copy())
        placed, named = signature.arguments(values, hyper)
        self._take(self.function(*placed, **named), x)
        self.handed = (x, g)
        self.changed["g"] |= kept is not None and not np.array_equal(g, kept, equal_nan=True)
        self.changed["x"] |= not np.array_equal(x, before, equal_nan=True)
        self.returned_same &= self.x is x

    def _take(self, result: Any, x: Vector) -> None:
        if isinstance(result, tuple | list) and len(result) >= 1 and not np.isscalar(result[0]):
            self.x = _array(result[0])
            if len(result) == 2 and self.of.signature.state is not None:
                self.state = result[1]
            elif len(result) > 2:
                self.state = tuple(result[1:])
        elif isinstance(result, dict):
            self.state, self.x = result, x
        else:
            self.x = x if result is None else _array(result)

    def held(self) -> Iterator[tuple[str, Any, bool]]:
        x, g = self.handed
        for place, array in arrays_in(self.state, "state"):
            for whose, array_ in (("x", x), ("x", self.x), ("g", g)):
                if isinstance(array_, np.ndarray) and np.shares_memory(array, array_):
                    yield place, whose, self.changed[whose]
                    break


def _array(value: Any) -> Vector:
    return value if isinstance(value, np.ndarray) else np.asarray(value, dtype=np.float64)


def arrays_in(value: Any, place: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Give the arrays that something holds, each with its place in it.

    Parameters
    ----------
    value : object
        Dictionaries, lists, tuples and objects with attributes are looked into.
    place : str
        What to call it.
    depth : int
        How deep it is inside of what was asked for.

    Yields
    ------
    (str, ndarray)
    """
    if isinstance(value, np.ndarray):
        yield place, value
    elif depth < 4:
        inside: Any = ()
        if isinstance(value, dict):
            inside = ((f"{place}[{k!r}]", v) for k, v in value.items())
        elif isinstance(value, list | tuple):
            inside = ((f"{place}[{k}]", v) for k, v in enumerate(value))
        elif hasattr(value, "__dict__"):
            inside = ((f"{place}.{k}", v) for k, v in vars(value).items())
        for name, found in inside:
            yield from arrays_in(found, name, depth + 1)


def own_closure(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function that shares no variables with the one it was made from: what it counts in them starts anew.

    Its default arguments it keeps, for whoever writes ``state={}`` there has every run share it.

    Parameters
    ----------
    function : callable
        Of Python, or an object with a ``__call__``.

    Returns
    -------
    callable
    """
    if isinstance(function, types.MethodType):
        return types.MethodType(function.__func__, copy.deepcopy(function.__self__))
    if not isinstance(function, types.FunctionType):
        return function if isinstance(function, type) else copy.deepcopy(function)
    if not function.__closure__:
        return function
    memo: dict[int, Any] = {}
    cells = []
    for cell in function.__closure__:
        try:
            value = cell.cell_contents
        except ValueError:  # a variable that has no value yet
            cells.append(cell)
            continue
        if isinstance(value, types.ModuleType) or value is function:
            cells.append(cell)
        else:
            inner = own_closure(value) if isinstance(value, types.FunctionType) else copy.deepcopy(value, memo)
            cells.append(types.CellType(inner))
    made = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, tuple(cells)
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


class Made(Plain):
    """A class whose objects take steps, or such an object, which is copied before each run.

    Parameters
    ----------
    make : callable
        Gives a new object, called with settings by its own names.
    method : str
        Which of its methods takes a step.
    name : str
        What to call it.
    given : mapping
        Values of its arguments.
    """

    def __init__(self, make: Callable[..., Any], method: str, name: str, given: Mapping[str, Any]) -> None:
        self.make, self.method_name = make, method
        parameters = {}
        if isinstance(make, type) or inspect.isfunction(make):
            parameters = {p.name: p for p in inspect.signature(make).parameters.values()}
        self.own = {key: names.OURS.get(key, key) for key in parameters}
        if "alpha" in self.own and "lr" not in self.own.values():
            self.own["alpha"] = "lr"
        values = {k: given[v] if v in given else given[k] for k, v in self.own.items() if k in given or v in given}
        if (lr := next((k for k, v in self.own.items() if v == "lr"), None)) and lr not in values:
            default = parameters[lr].default
            values[lr] = 0.1 if default is inspect.Parameter.empty else default
        self.values = values
        sample = self.make(**values) if values or parameters else self.make()
        super().__init__(_called(sample, method), name, given)
        said = {k: values.get(k, p.default) for k, p in parameters.items()}
        said = {"lr" if self.own[k] == "lr" else k: v for k, v in said.items()}
        self.known = {**names.numbers(_attributes(sample)), **self.known, **names.numbers(said)}
        settable = {v for k, v in self.own.items() if is_number(values.get(k, parameters[k].default))}
        self.makes = frozenset(settable)
        self.settable |= self.makes
        self.scheduled = False

    def begin(self, start: Vector, settings: Mapping[str, Setting], handling: Handling = "plain") -> Session:
        """Make one that has not taken a step."""
        if any(isinstance(value, str) for value in settings.values()):
            raise Unable("what it is made with cannot be a formula of t")
        made = self.make
        if hasattr(self, "makes"):
            own = {k: settings[v] for k, v in self.own.items() if v in settings and v in self.makes}
            made = lambda: self.make(**{**self.values, **own})  # noqa: E731 - said once, used once
            settings = {k: v for k, v in settings.items() if k not in self.makes}
        else:
            made = lambda: self.make(**self.values)  # noqa: E731
        session = super().begin(start, settings, handling)
        assert isinstance(session, _PlainSession)
        instance = made()
        session.function = _called(instance, self.method_name)
        if self.signature.state is None:
            session.state = instance
        return session


def _called(instance: Any, method: str) -> Callable[..., Any]:
    return instance if method == "__call__" else getattr(instance, method)  # type: ignore[no-any-return]


def _attributes(instance: Any) -> dict[str, Any]:
    return dict(vars(instance)) if hasattr(instance, "__dict__") else {}
