"""Optimizers of PyTorch: classes, what makes them from parameters, and objects, which are made anew for each run."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symgd.errors import UsageError, shown
from symgd.testing.adapters import names
from symgd.testing.adapters.base import DOUBLE, Handling, Session, Steps, Vector, check_settings
from symgd.testing.protocol import Oracle, Setting

_METHODS = {"SGD": "gd", "Adam": "adam", "AdamW": "adamw", "Adagrad": "adagrad", "Adadelta": "adadelta",
            "RMSprop": "rmsprop", "Rprop": "rprop", "NAdam": "nadam", "RAdam": "radam", "Adamax": "adamax",
            "ASGD": "asgd"}  # fmt: skip


class Torch(Steps):
    """A PyTorch optimizer in double precision.

    Parameters
    ----------
    make : callable
        Gives an optimizer for a list of tensors, and for settings by its own names.
    name : str
        What to call it.
    given : mapping
        Settings of it.

    Raises
    ------
    UsageError
        If an argument has no value, or what is made is no optimizer.
    """

    style = "torch"

    def __init__(self, make: Callable[..., Any], name: str, given: Mapping[str, Any]) -> None:
        import torch

        self.make, self.name = make, name
        parameters = inspect.signature(make).parameters
        self.own = {key: names.OURS.get(key, key) for key in list(parameters)[1:]}
        self.values = {k: given[v] if v in given else given[k] for k, v in self.own.items() if k in given or v in given}
        required = [k for k, p in list(parameters.items())[1:] if p.default is p.empty and k not in self.values
                    and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]  # fmt: skip
        for key in required:
            if self.own[key] != "lr":
                raise UsageError(f"{name} needs '{key}'; give it as check_optimizer(..., hyper={{'{key}': ...}})")
            self.values[key] = 0.05
        sample = self.optimizer([torch.zeros(1, dtype=torch.float64, requires_grad=True)], {})
        if not isinstance(sample, torch.optim.Optimizer):
            raise UsageError(
                f"{name} gives {shown(sample)} for a list of parameters, which is no torch.optim.Optimizer"
            )
        group = sample.param_groups[0]
        self.known = names.numbers({k: v for k, v in group.items() if k != "params"})
        self.closure = self.asks_often = _needs_closure(sample)
        self.settable = frozenset(v for k, v in self.own.items() if k in group or k in self.values)
        self.settable |= {"lr"} if "lr" in group else frozenset()
        self.rounding = DOUBLE

    def optimizer(self, parameters: list[Any], settings: Mapping[str, Setting]) -> Any:
        """Make one.

        Parameters
        ----------
        parameters : list of Tensor
            What it changes.
        settings : mapping
            By the names of the table of rules.

        Returns
        -------
        torch.optim.Optimizer
        """
        own = {k: settings[v] for k, v in self.own.items() if v in settings}
        made = self.make(parameters, **{**self.values, **own})
        for group in getattr(made, "param_groups", ()):
            group.update({k: v for k, v in settings.items() if k not in self.own.values()})
        return made

    def begin(self, start: Vector, settings: Mapping[str, Setting], handling: Handling = "plain") -> Session:
        """Make one that has not taken a step."""
        check_settings(settings, self.settable)
        return _TorchSession(self, start, settings, handling)


def from_object(optimizer: Any) -> Callable[..., Any]:
    """Give what makes an optimizer like this one.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        As somebody uses it.

    Returns
    -------
    callable
    """
    own = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    kind = type(optimizer)
    accepted = inspect.signature(kind).parameters

    def make(params: Any, **settings: Any) -> Any:
        made = kind(params, **{k: v for k, v in {**own, **settings}.items() if k in accepted})
        for group in made.param_groups:
            group.update({k: copy.deepcopy(v) for k, v in {**own, **settings}.items()})
        return made

    return make


def _needs_closure(optimizer: Any) -> bool:
    """Say whether a step takes a function that evaluates, without which it cannot be."""
    parameters = list(inspect.signature(type(optimizer).step).parameters.values())
    return len(parameters) > 1 and parameters[1].default is parameters[1].empty


class _TorchSession(Session):
    """Two tensors where there is more than one number: what is kept of one must not pass for that of the other."""

    def __init__(self, of: Torch, start: Vector, settings: Mapping[str, Setting], handling: Handling) -> None:
        import torch

        super().__init__(start)
        self.of, self.handling = of, handling
        half = len(start) // 2
        parts = [self.x[:half], self.x[half:]] if half else [self.x]
        self.parameters = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in parts]
        self.optimizer = of.optimizer(self.parameters, settings)
        self.changed = {"x": False, "g": False}
        self.returned_same = True  # a parameter is changed in place, as it should be

    def step(self, problem: Oracle) -> None:
        import torch

        def evaluate() -> Any:
            at = self._point()
            g, begin = np.array(problem.jac(at), dtype=np.float64), 0
            for p in self.parameters:
                part = torch.from_numpy(g[begin : begin + p.numel()].copy())
                begin += p.numel()
                # zero_grad(set_to_none=False) leaves one gradient's memory in use.
                if self.handling == "buffer" and p.grad is not None:
                    with torch.no_grad():
                        p.grad.copy_(part)
                else:
                    p.grad = part
            return torch.tensor(problem.fun(at), dtype=torch.float64) if self.of.closure else None

        if self.of.closure:
            self.optimizer.step(evaluate)
        else:
            evaluate()
            before = [g.clone() for p in self.parameters if (g := p.grad) is not None]
            self.optimizer.step()
            after = [p.grad for p in self.parameters if p.grad is not None]
            same = len(before) != len(after) or all(map(torch.equal, before, after))
            self.changed["g"] |= not same
        self.x = self._point()

    def _point(self) -> Vector:
        return np.concatenate([p.detach().numpy() for p in self.parameters])

    def _kept(self) -> Iterator[tuple[str, Any, Any]]:
        """Give what is kept of each parameter and as large as it: its place, the tensor, and the parameter."""
        import torch

        for p in self.parameters:
            state = self.optimizer.state.get(p, {})
            for key, value in state.items() if isinstance(state, dict) else ():
                if isinstance(value, torch.Tensor) and value.numel() == p.numel() > 1:
                    yield f"state[{key!r}]", value, p

    def narrow(self) -> str:
        """Give a state as large as its parameter that has fewer digits; empty where there is none."""
        import torch

        return next((place for place, value, _ in self._kept() if value.dtype == torch.float32), "")

    def held(self) -> Iterator[tuple[str, Any, bool]]:
        for place, value, p in self._kept():
            if value.data_ptr() == p.data_ptr():
                yield place, "x", True
            elif p.grad is not None and value.data_ptr() == p.grad.data_ptr():
                yield place, "g", False
