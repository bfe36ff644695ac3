"""Other people's optimizers as laws ask for them: one file a kind."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

from symgd.errors import UsageError, shown, suggest
from symgd.testing.adapters import names
from symgd.testing.adapters.base import Session, Steps, Unable
from symgd.testing.adapters.holder import Holder, holds_point
from symgd.testing.adapters.minimizer import Minimizer, of_method, of_scipy
from symgd.testing.adapters.plain import METHODS, Made, Plain
from symgd.testing.adapters.rules import OfRule

__all__ = ["Minimizer", "Session", "Steps", "Unable", "adapt"]

_SCIPY = ("Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "COBYLA", "COBYQA", "SLSQP",
          "trust-constr", "dogleg", "trust-ncg", "trust-exact", "trust-krylov")  # fmt: skip


def adapt(optimizer: Any, hyper: Mapping[str, Any] | None = None, *, name: str = "", state: Any = None) -> Steps:
    """Give an optimizer of any kind as one that laws are checked on.

    Parameters
    ----------
    optimizer : object
        A function ``step(x, g, state)``, or a class or object with such a method; a name of the table of rules, the
        text of a rule, or a `Rule`; a class, factory or object of ``torch.optim``; a transformation of Optax, or what
        makes one; an optimizer of Keras; the name of a method of symgd or of ``scipy.optimize.minimize``; or a function
        that is called as that one is.
    hyper : mapping, optional
        Its numbers, by its own names or those of the table of rules.
    name : str
        What to call it; by default what it calls itself.
    state : object, optional
        What a step keeps before the first one, or a function of the start that gives it.

    Returns
    -------
    Steps

    Raises
    ------
    UsageError
        If it is none of these, or cannot take a step.

    Examples
    --------
    >>> adapt("momentum").style, adapt(lambda x, g: x - 0.1 * g, name="mine").style
    ('rule', 'step')
    """
    given = dict(hyper or {})
    if isinstance(optimizer, Steps):
        return optimizer
    if isinstance(optimizer, str) or type(optimizer).__name__ == "Rule":
        made = _of_text(optimizer, given)
    elif kind := _library(optimizer):
        made = kind(optimizer, name, given)
    else:
        made = _of_callable(optimizer, name, given, state)
    if name:
        made.name = name
    return made


def _of_text(text: Any, given: Mapping[str, Any]) -> Steps:
    from symgd.descent.methods import METHODS as OURS
    from symgd.rules import RULES, Rule, find_rule

    numbers = {k: v for k, v in given.items() if k != "lr"}
    if isinstance(text, Rule):
        return _with_lr(OfRule(text.with_hyper(numbers) if numbers else text, text.name or "rule"), given)
    if "=" in text:
        return _with_lr(OfRule(Rule(text, **numbers), "rule"), given)
    if text in RULES:
        rule = find_rule(text)
        return _with_lr(OfRule(rule.with_hyper(numbers) if numbers else rule, text), given)
    if text in OURS:
        return of_method(text, given)
    for method in _SCIPY:
        if text == method or text.lower() == method.lower():
            return of_scipy(method, given)
    near = suggest(text, [*RULES, *OURS, *_SCIPY])
    hint = f"did you mean '{near}'?" if near else "give a rule's name or text, or a method of SciPy"
    raise UsageError(f"optimizer={shown(text)} is not known; {hint}")


def _with_lr(rule: OfRule, given: Mapping[str, Any]) -> OfRule:
    if "lr" in given and not isinstance(given["lr"], str):
        rule.known = {**rule.known, "lr": float(given["lr"])}
    return rule


def _library(optimizer: Any) -> Callable[[Any, str, Mapping[str, Any]], Steps] | None:
    """Give the adapter of a library's optimizer: it is recognised without importing any of them."""
    if isinstance(optimizer, functools.partial) and isinstance(optimizer.func, type):
        found = _library(optimizer.func)
        return found if found is not None and found is not _optax else None
    kind = optimizer if isinstance(optimizer, type) else type(optimizer)
    bases = {f"{c.__module__.split('.')[0]}.{c.__name__}" for c in kind.__mro__}
    if "torch.Optimizer" in bases:
        return _torch
    if any(b.split(".")[0] == "keras" for b in bases) and hasattr(kind, "apply_gradients"):
        return _keras
    pair = callable(getattr(optimizer, "init", None)) and callable(getattr(optimizer, "update", None))
    return _optax if pair and not isinstance(optimizer, type) else None


def _torch(optimizer: Any, name: str, given: Mapping[str, Any]) -> Steps:
    from symgd.testing.adapters.torch import Torch, from_object

    if isinstance(optimizer, type):
        return Torch(optimizer, name or optimizer.__name__, given)
    if isinstance(optimizer, functools.partial):
        return Torch(optimizer, name or optimizer.func.__name__, given)
    return Torch(from_object(optimizer), name or type(optimizer).__name__, given)


def _keras(optimizer: Any, name: str, given: Mapping[str, Any]) -> Steps:
    from symgd.testing.adapters.keras import Keras

    called = optimizer.__name__ if isinstance(optimizer, type) else type(optimizer).__name__
    return Keras(optimizer, name or called, given)


def _optax(optimizer: Any, name: str, given: Mapping[str, Any]) -> Steps:
    from symgd.testing.adapters.optax import Optax

    return Optax(optimizer, name or getattr(optimizer, "__name__", "") or "optax", given)


def _of_callable(optimizer: Any, name: str, given: Mapping[str, Any], state: Any) -> Steps:
    """Tell steps, minimizers, classes and factories apart by what they take."""
    bare = optimizer.func if isinstance(optimizer, functools.partial) else optimizer
    called = name or getattr(bare, "__name__", "") or type(optimizer).__name__
    if not inspect.isroutine(bare):
        found = next((m for m in METHODS if callable(getattr(optimizer, m, None)) and _own(optimizer, m)), None)
        if found is None:
            raise UsageError(
                f"optimizer={shown(optimizer)} must be a function step(x, g, state), something with such a method, a "
                f"rule, or an optimizer of PyTorch, Optax, Keras or SciPy"
            )
        if point := holds_point(optimizer, found):
            return Holder(optimizer, found, point, called, given)
        make = optimizer if isinstance(optimizer, type) else _copies(optimizer)
        return Made(make, found, called, given)
    taken = [p.name.lower() for p in inspect.signature(optimizer).parameters.values()]
    if taken and (taken[0] in names.FUNCTIONS or (len(taken) > 1 and taken[1] == "x0")):
        return Minimizer(optimizer, called, given)
    others = names.GRADIENTS | names.STATES
    if taken and taken[0] in ("params", "parameters") and len(taken) > 1 and taken[1] not in others:
        return _torch_factory(optimizer, called, given)
    required = [p for p in inspect.signature(optimizer).parameters.values() if p.default is p.empty
                and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]  # fmt: skip
    if len(required) < 2:
        return _factory(optimizer, required, called, given, state)
    return Plain(optimizer, called, given, state)


def _own(optimizer: Any, method: str) -> bool:
    return method != "__call__" or not isinstance(optimizer, type) or "__call__" in vars(optimizer)


def _copies(optimizer: Any) -> Callable[[], Any]:
    import copy

    return lambda: copy.deepcopy(optimizer)


def _torch_factory(factory: Any, name: str, given: Mapping[str, Any]) -> Steps:
    from symgd.testing.adapters.torch import Torch

    return Torch(factory, name, given)


def _factory(factory: Any, required: list[inspect.Parameter], name: str, given: Mapping[str, Any], state: Any) -> Steps:
    """Look at what a function makes: of PyTorch from parameters, of anything else from settings."""
    if required and required[0].name not in names.OURS and required[0].name not in given:
        if "torch" not in sys.modules:  # without it nobody has made an optimizer of it
            raise UsageError(f"{name} takes {required[0].name}; a step takes a point and a gradient")
        return _torch_factory(factory, name, given)
    own = {p: names.OURS.get(p, p) for p in inspect.signature(factory).parameters}
    values = {k: given[v] if v in given else given[k] for k, v in own.items() if k in given or v in given}
    values |= {p.name: 0.05 for p in required if p.name not in values}
    made = factory(**values)
    if _library(made) is not None and callable(getattr(made, "update", None)):
        from symgd.testing.adapters.optax import Optax

        return Optax(factory, name, given)
    if inspect.isroutine(made) or isinstance(made, functools.partial):
        adapted = _of_callable(made, name, given, state)
        said = {k: values.get(k, p.default) for k, p in inspect.signature(factory).parameters.items()}
        adapted.known = {**adapted.known, **names.numbers({"lr" if own[k] == "lr" else k: v for k, v in said.items()})}
        return adapted
    method = next((m for m in METHODS if callable(getattr(made, m, None))), None)
    if method is None:
        raise UsageError(f"{name} gives {shown(made)}, which takes no steps")
    return Made(factory, method, name, given)
