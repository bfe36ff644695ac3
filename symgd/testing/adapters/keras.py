"""Optimizers of Keras 3, of any backend."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from symgd.testing.adapters import names
from symgd.testing.adapters.base import Handling, Session, Steps, Vector, check_settings
from symgd.testing.protocol import Oracle, Setting


class Keras(Steps):
    """A Keras optimizer, in double precision.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer or type
        An object, from whose configuration others are made; or a class.
    name : str
        What to call it.
    given : mapping
        Settings of it.
    """

    style = "keras"
    rounding = 2.0**-24  # learning rate and weights of averages are kept in single precision by some backends

    def __init__(self, optimizer: Any, name: str, given: Mapping[str, Any]) -> None:
        self.name = name
        sample = optimizer(**dict(given)) if isinstance(optimizer, type) else optimizer
        self.kind: Callable[..., Any] = type(sample)
        with _quiet():
            self.config = sample.get_config()
        self.own = {key: names.OURS.get(key, key) for key in self.config}
        self.known = names.numbers({"lr" if self.own[k] == "lr" else k: v for k, v in self.config.items()})
        self.settable = frozenset(v for k, v in self.own.items() if isinstance(self.config[k], int | float))

    def begin(self, start: Vector, settings: Mapping[str, Setting], handling: Handling = "plain") -> Session:  # noqa: ARG002 - arrays of others cannot be changed
        """Make one that has not taken a step."""
        check_settings(settings, self.settable)
        own = {k: settings[v] for k, v in self.own.items() if v in settings}
        return _KerasSession(self.kind.from_config({**self.config, **own}), start)  # type: ignore[attr-defined]


@contextmanager
def _quiet() -> Iterator[None]:
    """Pass over what Keras does that NumPy no longer likes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


class _KerasSession(Session):
    def __init__(self, optimizer: Any, start: Vector) -> None:
        import keras

        super().__init__(start)
        self.ops = keras.ops
        self.optimizer = optimizer
        with _quiet():
            self.variable = keras.Variable(self.x, dtype="float64")
            self.optimizer.build([self.variable])

    def step(self, problem: Oracle) -> None:
        g = np.asarray(problem.jac(self.x.copy()), dtype=np.float64)
        with _quiet():
            self.optimizer.apply([self.ops.convert_to_tensor(g, dtype="float64")])
            self.x = np.array(self.ops.convert_to_numpy(self.variable.value), dtype=np.float64)
