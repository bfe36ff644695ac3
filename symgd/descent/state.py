"""How to descend, where a run stands, and how it is saved and taken up again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symgd import checks, saving
from symgd.curvature.problem import Problem
from symgd.descent.methods import At, Function, Method, norm
from symgd.errors import DataError, UsageError, safe
from symgd.kernel import code
from symgd.kernel.code import Source
from symgd.records import dataclass

Vector = NDArray[np.float64]
Saved: TypeAlias = Mapping[str, Any]  # what a file holds: to be checked
Numbers: TypeAlias = dict[str, Any]  # limits and tolerances, checked: what they are in `Settings`

STEPS = 100_000  # when nothing is said
GTOL = 1e-8
RECORDS = 20_000  # steps that the history holds before it is thinned
NUMBERS = 4_000_000  # floats that it holds
SINGLE = 2_000  # single steps that the history of a run in batches holds before it is thinned


@dataclass(frozen=True)
class Settings:
    """How to descend.

    Parameters
    ----------
    rule : str
        The method's name, or the rule's text.
    source : Source, optional
        The loop, where the steps are those of a rule.
    hyper : tuple of float
        The numbers that the loop reads, the learning rate first.
    states : tuple of ndarray
        What the rule's states start at.
    draws : int
        Normal draws that each parameter takes a step.
    steps : int
        Steps to take at most.
    gtol, ftol, xtol : float
        Tolerances of the gradient's norm, the value's change and the step's length; negative for none.
    seconds : float
        Wall time to take at most.
    seed : int
        Of the draws.
    every : int
        Steps between two calls of the callback.
    sign : float
        -1 when the objective is maximized.
    batch : int
        Rows that a step looks at; 0 for all.
    shuffle : bool
        Whether the rows come in another order in each epoch.
    epoch : int
        Steps in an epoch, where the run is told in epochs; 0 where it is not.
    recipe : dict
        The rule as text and numbers, from which a saved run's loop is written again: a file holds no code.
    method : Method, optional
        What takes the steps, where they are more than a recurrence.
    """

    rule: str
    source: Source | None
    hyper: tuple[float, ...]
    states: tuple[Vector, ...] = ()
    draws: int = 0
    steps: int = STEPS
    gtol: float = GTOL
    ftol: float = -1.0
    xtol: float = -1.0
    seconds: float = math.inf
    seed: int = 0
    every: int = 1
    sign: float = 1.0
    batch: int = 0
    shuffle: bool = True
    epoch: int = 0
    recipe: Saved = field(default_factory=dict)
    method: Method | None = None


@dataclass
class Fine:
    """Single steps of a run in batches: what `State` keeps of epochs, with values of the rows of a step."""

    records: NDArray[np.float64]
    stride: int = 1
    next_record: int = 1
    filled: int = 1


@dataclass
class State:
    """Where a run stands: all that it needs to go on.

    ``states`` are those of the rule, or the memory of the method; ``cost`` is the work so far, in evaluations of value
    and gradient.
    """

    x: Vector
    g: Vector
    f: float
    hyper: Vector
    states: list[Vector]
    records: NDArray[np.float64]
    t: int = 0
    calls: int = 1
    cost: int = 1
    seconds: float = 0.0
    stride: int = 1
    next_record: int = 1
    filled: int = 1
    status: int = code.RUNNING
    fine: Fine | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def row(self) -> list[float]:
        """Give what the history holds of where the run stands."""
        return [self.t, self.f, norm(self.g), *self.x[: self.records.shape[1] - 3]]

    def record(self) -> None:
        """Write it into the history, where its turn has come."""
        if self.t >= self.next_record:
            self.records[self.filled] = self.row()
            self.filled += 1
            self.next_record = self.t + self.stride


def begin(kernel: Problem, x0: Vector, settings: Settings) -> State:
    """Evaluate the start.

    Parameters
    ----------
    kernel : Problem
        The objective.
    x0 : ndarray, shape (n,)
        The start.
    settings : Settings
        How to descend.

    Returns
    -------
    State
    """
    x = np.array(x0, dtype=np.float64)
    f, g = kernel.slope(x, kernel.tier_at(0))
    hyper = np.array(settings.hyper)
    if not settings.recipe:
        # The exact step's first guess, which counts where the curvature is not positive: no longer than 1.
        size = norm(g)
        hyper[0] = min(1.0, 1.0 / size) if 0 < size < math.inf else 1.0
    records = _records(len(x), settings.steps + 2)
    state = State(x, g, f, hyper, [s.copy() for s in settings.states], records)
    if settings.method:
        state.states = settings.method.begin(Function(kernel, sign=settings.sign), At(x, f, g))
    records[0] = state.row()
    if settings.batch:
        state.fine = _fine(records[:1], settings.steps)
    return state


def _fine(seen: NDArray[np.float64], steps: int) -> Fine:
    """Make room for single steps behind those that are known."""
    rows = max(16, min(SINGLE, steps + 2, NUMBERS // (8 * seen.shape[1])), len(seen) + 2)
    records = np.zeros((rows + rows % 2, seen.shape[1]))
    records[: len(seen)] = seen
    return Fine(records, filled=len(seen))


def room(n: int, wanted: int, least: int = 16) -> int:
    """Give the number of records that there is room for: even, so that every second one can be dropped."""
    rows = max(16, least, min(RECORDS, NUMBERS // (3 + code.kept(n)), wanted))
    return rows + rows % 2


def _records(n: int, wanted: int, least: int = 16) -> NDArray[np.float64]:
    return np.zeros((room(n, wanted, least), 3 + code.kept(n)))


def fell_for_ever(f: Any, first: Any) -> Any:
    """Tell whether values have fallen so far from the first that nothing can be at the bottom."""
    return f < first - 1e15 * (1.0 + abs(first))


def saved(kernel: Problem, state: State, settings: Settings, formula: str) -> dict[str, object]:
    """Give all that a later process needs to go on, as plain data and arrays."""
    plain = {
        "version": saving.VERSION, "formula": formula, "params": list(kernel.params),
        "shapes": [list(shape) for shape in kernel.shapes], "rule": settings.rule,
        "recipe": dict(settings.recipe), "steps": settings.steps, "seed": settings.seed,
        "tolerances": [settings.gtol.hex(), settings.ftol.hex(), settings.xtol.hex()], "sign": settings.sign,
        "every": settings.every, "t": state.t, "calls": state.calls, "cost": state.cost, "seconds": state.seconds,
        "stride": state.stride, "next_record": state.next_record, "f": state.f.hex(), "tier": kernel.tier,
        "status": state.status, "states": len(state.states), "batch": settings.batch, "shuffle": settings.shuffle,
        "epoch": settings.epoch, "moments": kernel.moments,
    }  # fmt: skip
    arrays = {"x": state.x, "g": state.g, "hyper": state.hyper, "records": state.records[: state.filled]}
    arrays |= {f"state{i}": s for i, s in enumerate(state.states)}
    if state.fine:
        plain |= {"fine_stride": state.fine.stride, "fine_next": state.fine.next_record}
        arrays["fine"] = state.fine.records[: state.fine.filled]
    return plain | {k: v.copy() for k, v in arrays.items()}


def read_state(saved: Saved, steps: int | None) -> tuple[State, Numbers]:
    """Give state and limits back from what a run saved.

    Parameters
    ----------
    saved : mapping
        The run's ``state``.
    steps : int, optional
        A new number of steps in all.

    Returns
    -------
    state : State
        Where the run stood.
    limits : dict
        The settings that are numbers.

    Raises
    ------
    UsageError
        If the run had already ended for another reason than its number of steps.
    DataError
        If something is missing.
    """
    try:
        state, limits = _state(saved, steps)
    except KeyError as problem:
        raise DataError(f"the saved run is damaged: it has no {safe(str(problem))}") from None
    except (TypeError, ValueError, OverflowError) as problem:
        raise DataError(f"the saved run is damaged: {safe(str(problem), 160)}") from None
    if state.status != code.RUNNING:
        raise UsageError("the saved run had ended; start a new one from its point")
    return state, limits


def _state(saved: Saved, steps: int | None) -> tuple[State, Numbers]:
    """Read state and limits; whatever is not as a run leaves it is an error."""
    whole = {name: checks.whole(name, saved[name], least) for name, least in _WHOLE.items()}
    gtol, ftol, xtol = (_float("tolerances", text) for text in saved["tolerances"])
    shuffle = saved["shuffle"]
    if not isinstance(shuffle, bool) or saved["sign"] not in (1, -1):
        raise ValueError("shuffle is True or False, and the sign 1 or -1")
    total = whole["steps"] if steps is None else steps
    limits = {
        "steps": total, "gtol": gtol, "ftol": ftol, "xtol": xtol, "seed": whole["seed"], "every": whole["every"],
        "sign": float(saved["sign"]), "batch": whole["batch"], "shuffle": shuffle, "epoch": whole["epoch"],
    }  # fmt: skip
    x, g, hyper, kept = (_floats(name, saved[name]) for name in ("x", "g", "hyper", "records"))
    states = [_floats(f"state{i}", saved[f"state{i}"]) for i in range(min(whole["states"], len(saved)))]
    n, f, running = len(x), _float("f", saved["f"]), whole["status"] == code.RUNNING
    if x.ndim != 1 or g.shape != x.shape or hyper.ndim != 1 or len(states) != whole["states"]:
        raise ValueError("its point, its gradient and its states do not go together")
    if running and not (np.isfinite(x).all() and np.isfinite(g).all() and math.isfinite(f)):
        raise ValueError("it is to go on from numbers that are not finite")
    if kept.ndim != 2 or kept.shape[1] != 3 + code.kept(n) or not _in_order(kept[:, 0], whole["t"]):
        raise ValueError("its history is none")
    records = _records(n, total + 2, len(kept) + 2)
    records[: len(kept)] = kept
    state = State(
        x, g, f, hyper, states, records, t=whole["t"], calls=whole["calls"], cost=whole["cost"],
        seconds=checks.number("seconds", saved["seconds"], "at least 0", low=0.0), stride=whole["stride"],
        next_record=whole["next_record"], filled=len(kept), status=whole["status"],
    )  # fmt: skip
    if whole["batch"]:
        state.fine = _read_fine(saved, state, total)
    return state, limits


def _read_fine(saved: Saved, state: State, steps: int) -> Fine:
    if "fine" not in saved:
        return replace(_fine(state.records[:1], steps), next_record=state.t + 1)
    seen = _floats("fine", saved["fine"])
    if seen.ndim != 2 or seen.shape[1] != state.records.shape[1] or not _in_order(seen[:, 0], state.t):
        raise ValueError("its single steps are none")
    fine = _fine(seen, steps)
    fine.stride = checks.whole("fine_stride", saved["fine_stride"], 1)
    fine.next_record = checks.whole("fine_next", saved["fine_next"], 1)
    return fine


# The whole numbers of a saved run, and what each is at least.
_WHOLE = {"version": 1, "t": 0, "steps": 1, "seed": 0, "every": 1, "calls": 0, "cost": 0, "stride": 1,
          "next_record": 0, "status": 0, "states": 0, "batch": 0, "epoch": 0, "moments": 0}  # fmt: skip


def _float(name: str, text: object) -> float:
    if not isinstance(text, str):
        raise TypeError(f"{name} is no text of a float")
    return float.fromhex(text)


def _floats(name: str, values: object) -> Vector:
    if not isinstance(values, np.ndarray) or values.dtype != np.float64:
        raise TypeError(f"{name} is no array of floats")
    return np.array(values)


def _in_order(steps: Vector, last: int) -> bool:
    """Tell whether recorded steps begin at 0 and go up, none beyond where the run stands."""
    return bool(len(steps) and steps[0] == 0 and (np.diff(steps) > 0).all() and steps[-1] <= last)
