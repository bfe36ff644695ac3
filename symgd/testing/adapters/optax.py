"""Gradient transformations as Optax has them: two functions, ``init(params)`` and ``update(grads, state, params)``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgd.errors import UsageError
from symgd.testing.adapters import names
from symgd.testing.adapters.base import Handling, Session, Steps, Vector, check_settings
from symgd.testing.protocol import Oracle, Setting


class Optax(Steps):
    """A gradient transformation, in double precision where JAX is there.

    Parameters
    ----------
    make : callable or object
        A transformation, or what makes it from settings by its own names.
    name : str
        What to call it.
    given : mapping
        Settings of it.

    Raises
    ------
    UsageError
        If it cannot take a step.
    """

    style = "optax"

    def __init__(self, make: Any, name: str, given: Mapping[str, Any]) -> None:
        self.name = name
        self.made = make if hasattr(make, "update") and not isinstance(make, type) else None
        self.make: Callable[..., Any] = make
        self.own: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        if self.made is None:
            parameters = inspect.signature(make).parameters
            self.own = {key: names.OURS.get(key, key) for key in parameters}
            self.values = {k: given[v] if v in given else given[k] for k, v in self.own.items()
                           if k in given or v in given}  # fmt: skip
            lr = next((k for k, v in self.own.items() if v == "lr"), None)
            if lr is not None and parameters[lr].default is inspect.Parameter.empty:
                self.values.setdefault(lr, 0.05)
            said = {**{k: p.default for k, p in parameters.items()}, **self.values}
            self.known = names.numbers({"lr" if self.own.get(k) == "lr" else k: v for k, v in said.items()})
        elif given:
            self.known = names.numbers(dict(given))
        self.settable = frozenset(self.own.values()) & {names.OURS.get(k, k) for k in self.known}
        self.compiled: dict[tuple[tuple[str, Any], ...], Any] = {}
        try:
            self.begin(np.zeros(2), {}).step(_Zero())
        except Exception as problem:
            raise UsageError(f"{name} cannot take a step: {type(problem).__name__}: {problem}") from problem

    def transformation(self, settings: Mapping[str, Setting]) -> tuple[Any, Any]:
        """Give a transformation with these settings, and its update, compiled where JAX is there."""
        own = {k: settings[v] for k, v in self.own.items() if v in settings}
        key = tuple(sorted(own.items()))
        if key not in self.compiled:
            made = self.made if self.made is not None else self.make(**{**self.values, **own})
            self.compiled[key] = made, _compiled(made)
        return self.compiled[key]  # type: ignore[no-any-return]

    def begin(self, start: Vector, settings: Mapping[str, Setting], handling: Handling = "plain") -> Session:  # noqa: ARG002 - arrays of others cannot be changed
        """Make one that has not taken a step."""
        check_settings(settings, self.settable)
        return _OptaxSession(self, start, settings)


class _Zero:
    def fun(self, x: Any) -> float:
        return 0.0 * float(np.sum(x))

    def jac(self, x: Any) -> Vector:
        return np.zeros_like(x)


def _jax() -> Any:
    """Give JAX where somebody has imported it: a transformation of arrays of NumPy does without."""
    import sys

    return sys.modules.get("jax")


def _double() -> Any:
    from contextlib import nullcontext

    jax = _jax()
    if jax is None:
        return nullcontext()
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax import experimental

    return experimental.enable_x64()


def _compiled(made: Any) -> Callable[..., Any]:
    jax = _jax()
    extra = {"value"} & set(inspect.signature(made.update).parameters) if callable(made.update) else set()
    takes_more = any(p.kind is p.VAR_KEYWORD for p in inspect.signature(made.update).parameters.values())

    def update(g: Any, state: Any, x: Any, value: Any) -> Any:
        if extra or takes_more:
            try:
                return made.update(g, state, x, value=value, grad=g, value_fn=None)
            except TypeError:
                pass
        return made.update(g, state, x)

    if jax is None:
        return update
    compiled = jax.jit(update)

    def careful(*args: Any) -> Any:
        try:
            return compiled(*args)
        except Exception:  # noqa: BLE001 - what cannot be compiled may still run
            return update(*args)

    return careful


class _OptaxSession(Session):
    def __init__(self, of: Optax, start: Vector, settings: Mapping[str, Setting]) -> None:
        super().__init__(start)
        self.jax = _jax()
        with _double():
            self.transformation, self.update = of.transformation(settings)
            self.state = self.transformation.init(self._array(self.x))

    def _array(self, x: Any) -> Any:
        return self.jax.numpy.asarray(x, dtype=np.float64) if self.jax is not None else np.array(x, dtype=np.float64)

    def step(self, problem: Oracle) -> None:
        g, value = problem.jac(self.x.copy()), problem.fun(self.x.copy())
        with _double():
            updates, self.state = self.update(self._array(g), self.state, self._array(self.x), value)
            self.x = self.x + np.asarray(updates, dtype=np.float64)
