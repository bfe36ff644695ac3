"""From options to settings: the rule's loop, and the numbers that it starts from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symgd import checks, rules
from symgd.descent.methods import METHODS, At, Function, Method, Relay
from symgd.descent.state import Numbers, Saved, Settings, State, Vector, read_state
from symgd.errors import DataError, UsageError, safe, shown, unknown_option
from symgd.graph.tape import Tape
from symgd.kernel import Kernel, code
from symgd.kernel.machine import cache

OPTIONS = ("steps", "gtol", "ftol", "xtol", "seconds", "seed", "every", "batch", "epochs", "shuffle")
EPOCHS = 10  # when nothing is said
EXACT = "exact"  # gradient descent with the exact Cauchy step, which runs compiled as the update rules do
AUTO = "auto"
NAMES = (*METHODS, EXACT, AUTO)  # what a method may be called, besides the names of rules
# For each method that "auto" begins with, those that go on where it stalls or creeps, and those that begin anew.
AFTER = {
    "lm": (("newton",), ("newton_cg", "lbfgs")),
    "newton": (("lbfgs",), ("newton_cg", "lbfgs")),
    "bfgs": (("sampling",), ()),
}
FIRST = "python"  # the tier that every run may begin in
AFFORDABLE = 256  # parameters up to which a step may form and decompose the Hessian
WHOLE = 2e7  # operations up to which a Jacobian is formed of arrays as long as the data
LONGEST = 2e9  # operations that a Hessian may take: about a second


def prepare(kernel: Kernel, x0: Vector, sign: float, options: Mapping[str, Any]) -> Settings:
    """Check the options, all of them before any work is done, and write the loop.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    x0 : ndarray, shape (n,)
        The start.
    sign : float
        -1 when the objective is maximized.
    options : mapping
        ``method``, ``lr``, the tolerances and limits, and the rule's hyperparameters.

    Returns
    -------
    Settings

    Raises
    ------
    UsageError
        For an option that does not exist or is out of bounds.
    FormulaError
        For a schedule that is no formula.
    """
    given = dict(options)
    wanted = _find(kernel, given.pop("method", AUTO), given)
    numbers = _check_numbers({name: given.pop(name) for name in OPTIONS if name in given})
    if not isinstance(wanted, rules.Rule):
        rows = {str(name): numbers.pop(name) for name in ("batch", "epochs", "shuffle") if name in numbers}
        return _with_method(wanted, sign, {**given, **rows}, numbers)
    rule = wanted
    lr = given.pop("lr", None)
    numbers = _plan_epochs(kernel, numbers)
    if lr is not None:
        rules.check_schedule(lr)
    for name in given:
        if name not in rule.hyper:
            raise _unknown(name, rule.hyper)
    if "steps" in numbers and lr is not None and lr != "auto" and not {"gtol", "ftol", "xtol"} & set(numbers):
        numbers["gtol"] = -1.0  # so many steps were asked for
    rule = rule.with_hyper(given) if given else rule
    lr = rule.lr if lr is None else lr
    if rule.text == rules.RULES["gd"].text and lr == "auto" and not numbers.get("batch"):
        return _cauchy(kernel, sign, numbers)
    lr = _safe_lr(kernel, x0) if lr == "auto" else lr if isinstance(lr, str) else float(checks.single(lr))
    return _with_rule(kernel, rule, lr, x0, sign, numbers)


def _find(kernel: Kernel, method: object, given: Mapping[str, object]) -> rules.Rule | type[Method] | Relay:
    """Give the rule or the method of a name; for ``"auto"``, the best one for the problem."""
    if isinstance(method, str) and method == AUTO:
        rows = any(given.get(name) is not None for name in ("lr", "batch", "epochs", "shuffle"))
        method = "gd" if rows or not kernel.n else choose(kernel)
        if method in AFTER and not set(given) - set(OPTIONS):  # numbers are those of one method
            return relay(method)
    if isinstance(method, str) and method in METHODS:
        return METHODS[method]
    if isinstance(method, str) and method == EXACT:
        if given.get("lr") is not None:
            raise UsageError(f"lr={shown(given['lr'])} is for method='gd'; '{EXACT}' works its step length out")
        method = "gd"
    return rules.find_rule(method, NAMES)


def choose(kernel: Kernel) -> str:
    """Give the name of the best method for an objective.

    Parameters
    ----------
    kernel : Kernel
        The objective.

    Returns
    -------
    str
        Levenberg and Marquardt's method for sums of squares, Newton's otherwise, while the Hessian is affordable;
        quasi-Newton where there are kinks, which have no Hessian, and for many parameters.
    """
    if kernel.n > AFFORDABLE or kernel.n * kernel.work() > LONGEST:
        return "lbfgs"
    if not kernel.smooth:
        return "bfgs"
    small = not kernel.stored and kernel.n * kernel.work() <= WHOLE
    return "lm" if small and kernel.squares() is not None else "newton"


def relay(first: str) -> Relay:
    """Give a method together with those that go on where it does not get there."""
    here, anew = AFTER[first]
    return Relay(METHODS[first](), [METHODS[name]() for name in here], [METHODS[name]() for name in anew])


def _with_method(method: type[Method] | Relay, sign: float, given: Mapping[str, Any], numbers: Numbers) -> Settings:
    for name in ("lr", "batch", "epochs", "shuffle"):
        if given.get(name) is not None:
            what = "finds its own step lengths" if name == "lr" else "looks at all rows at every step"
            raise UsageError(f"{name}={shown(given[name])} is for update rules; {method.name} {what}")
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in method.hyper:
            raise _unknown(name, method.hyper)
    chosen = method if isinstance(method, Relay) else method(**given)
    recipe = {"method": method.name, "hyper": chosen.values, "relay": chosen is method}
    return Settings(method.name, None, (), sign=sign, recipe=recipe, method=chosen, **numbers)


def with_method(name: str, options: Mapping[str, object]) -> Settings:
    """Give the settings of a method that is more than a recurrence.

    Parameters
    ----------
    name : str
        The method, one of `symgd.descent.methods.METHODS`.
    options : mapping
        The tolerances and limits, and the method's numbers.

    Returns
    -------
    Settings

    Raises
    ------
    UsageError
        For an option that does not exist or is out of bounds.
    """
    given = dict(options)
    numbers = _check_numbers({option: given.pop(option) for option in OPTIONS if option in given})
    rows = {str(option): numbers.pop(option) for option in ("batch", "epochs", "shuffle") if option in numbers}
    return _with_method(METHODS[name], 1.0, {**given, **rows}, numbers)


def _unknown(name: str, hyper: Iterable[str]) -> UsageError:
    return unknown_option(
        name, [*OPTIONS, "start", "method", "lr", "callback", "progress", "save", "save_every", *hyper]
    )


def _plan_epochs(kernel: Kernel, numbers: Numbers) -> Numbers:
    """Turn epochs into steps: in each, every row is looked at once, the last batch being what is left."""
    numbers = dict(numbers)
    epochs, batch = numbers.pop("epochs", None), numbers.get("batch", 0)
    if not batch and epochs is None:
        if "shuffle" in numbers:
            raise UsageError("shuffle is for batches; give batch=")
        return numbers
    if epochs is not None and "steps" in numbers:
        raise UsageError(f"steps={numbers['steps']} and epochs={epochs} both say how long to go on; give one of them")
    if batch and not kernel.whole.program.layout.arrays(rows=True):
        raise UsageError(f"batch={batch} needs data with rows, and this objective reads none")
    if batch >= kernel.rows:
        numbers.pop("batch", None)
        numbers.pop("shuffle", None)
        batch = 0
    numbers["epoch"] = -(-kernel.rows // batch) if batch else 1
    if "steps" not in numbers:
        numbers["steps"] = (epochs or EPOCHS) * numbers["epoch"]
    return numbers


def _cauchy(kernel: Kernel, sign: float, numbers: Numbers) -> Settings:
    """Steepest descent with the exact Cauchy step."""
    loop = _loop("cauchy", code.Source(kernel.program, None, ("lr",)))
    return Settings("gd, exact steps", loop, (1.0,), sign=sign, **numbers)


def restore(kernel: Kernel, saved: Saved, steps: int | None) -> tuple[State, Settings]:
    """Give state and settings back from what a run saved; its loop is written anew.

    Parameters
    ----------
    kernel : Kernel
        The objective.
    saved : mapping
        The run's ``state``.
    steps : int, optional
        A new number of steps in all.

    Returns
    -------
    state : State
        Where the run stood.
    settings : Settings
        How it descended.

    Raises
    ------
    DataError
        If the saved rule is damaged.
    """
    state, limits = read_state(saved, steps)
    sign, batch = limits.pop("sign"), limits["batch"]
    recipe = saved.get("recipe")
    if len(state.x) != kernel.n or (batch and not batch < kernel.rows):
        raise DataError("the saved run is damaged: its point or its batches are not those of this objective")
    try:
        if not recipe:
            settings = _cauchy(kernel, sign, limits)
        elif recipe.get("method") in METHODS:
            method = relay(recipe["method"]) if recipe.get("relay") else METHODS[recipe["method"]]
            settings = _with_method(method, sign, recipe["hyper"], limits)
        else:
            rule = rules.Rule(recipe["text"], recipe["init"], recipe["name"], **recipe["hyper"])
            rules.check_schedule(recipe["lr"])
            settings = _with_rule(kernel, rule, recipe["lr"], state.x, sign, limits)
        fits = len(settings.hyper) == len(state.hyper)
        fits = fits and _shapes(kernel, settings, state) == [s.shape for s in state.states]
    except (LookupError, TypeError, AttributeError, ValueError) as problem:
        raise DataError(f"the saved rule is damaged: {safe(str(problem), 160)}") from None
    if not fits:
        raise DataError("the saved run is damaged: its numbers do not fit its rule")
    return state, replace(settings, hyper=tuple(state.hyper.tolist()))


def _shapes(kernel: Kernel, settings: Settings, state: State) -> list[tuple[int, ...]]:
    """Give the shapes that the states of the rule, or the method's memory, must have."""
    if settings.method is None:
        return [s.shape for s in settings.states]
    return [s.shape for s in settings.method.begin(Function(kernel), At(state.x, state.f, state.g))]


def _with_rule(
    kernel: Kernel, rule: rules.Rule, lr: float | str, x0: Vector, sign: float, numbers: Numbers
) -> Settings:
    lowered = rule.lowered(lr)
    hyper = {"lr": lr, **rule.hyper}
    names = tuple(k for k, v in hyper.items() if not isinstance(v, str))
    # Numbers are read at run time: another learning rate is no other loop.
    written = {k: v if isinstance(v, str) else "#" for k, v in hyper.items()}
    text = repr((rule.text, sorted(rule.init.items()), written))
    batched = numbers.get("batch", 0) > 0
    loop = _loop(f"{text} {batched}", code.Source(kernel.program, lowered, names, batched=batched))
    states = _initial_states(rule, lowered, x0, hyper)
    values = tuple(float(hyper[k]) for k in names)
    recipe = {"text": rule.text, "init": dict(rule.init), "name": rule.name, "hyper": dict(rule.hyper), "lr": lr}
    name = rule.name or rule.text
    return Settings(name, loop, values, states, lowered.draws, sign=sign, recipe=recipe, **numbers)


def _loop(rule: str, source: code.Source) -> code.Source:
    """Give a loop, whose text for the first tier is in the disk cache or written now."""
    inputs = source.program.layout
    slope = source.program.function("slope").arguments
    kind = f"{inputs.size} {inputs.unrolled} {inputs.vectorised} {slope} {inputs.columns}"
    source.key = cache.key("loop", cache.generator(), kind, rule)
    stored = cache.load(source.key)
    if stored is not None:
        source.known[FIRST] = code.from_json(json.loads(stored))
    else:
        cache.save(source.key, json.dumps(code.to_json(source[FIRST])).encode())
    return source


def _safe_lr(kernel: Kernel, x0: Vector) -> float:
    """Give 1/L, with L the largest curvature at the start in size: stable for gradient descent and momentum."""
    v = np.ones(len(x0)) / math.sqrt(len(x0))
    largest = 0.0
    for _ in range(50):  # power iteration: a few digits are enough
        w = kernel.product(x0, v, kernel.tier_at(0))
        size = float(np.linalg.norm(w))
        if not math.isfinite(size) or size == 0:
            break
        done = abs(size - largest) <= 1e-3 * size
        largest, v = size, w / size
        if done:
            break
    return 1.0 / largest if largest > 0 else 0.01


def _initial_states(
    rule: rules.Rule, lowered: rules.Lowered, x0: Vector, hyper: Mapping[str, float | str]
) -> tuple[Vector, ...]:
    fixed = None if isinstance(hyper["lr"], str) else float(hyper["lr"])
    states = []
    for state in rule.states:
        if state not in lowered.init:
            states.append(np.zeros(len(x0)))
            continue
        node = lowered.init[state]
        if fixed is None and {"lr", "t"} & rules.reads(node):  # a schedule stands there in place of lr
            text = rule.init[state]
            raise UsageError(f"the state '{state}' starts at {text!r}, which needs a fixed lr; got {hyper['lr']!r}")
        values = Tape([node], {}).at({"x": x0, "lr": fixed or 0.0})[node]
        states.append(np.broadcast_to(np.asarray(values, dtype=np.float64), x0.shape).copy())
    return tuple(states)


def _check_numbers(options: Mapping[str, object]) -> Numbers:
    """Check the options that are numbers."""
    found: Numbers = {}
    for name, value in options.items():
        if value is None:
            continue
        if name == "shuffle":
            if not isinstance(checks.single(value), bool | np.bool_):
                raise UsageError(f"shuffle={shown(value)} must be True or False")
            found[name] = bool(value)
        elif name == "seconds":
            found[name] = checks.seconds(name, value)
        elif name in ("steps", "seed", "every", "batch", "epochs"):
            found[name] = checks.whole(name, value, 0 if name == "seed" else 1)
        else:  # a tolerance; 0 asks for no test at all
            found[name] = checks.number(name, value, "a number of at least 0", low=0.0, high=float(checks.LARGEST))
            found[name] = found[name] or -1.0
    return found
