"""Functions that compute derivatives, held against exact ones: in units of rounding, near kinks, large and tiny."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symgd.checking import conditions as cond
from symgd.checking import numeric
from symgd.checking import problem as problems
from symgd.checking.claims import Exact, Target
from symgd.checking.numeric import WORKING, Numbers
from symgd.checking.problem import Problem
from symgd.checking.result import UNKNOWN, VERIFIED, WRONG, Cause, Check, Counterexample, Verdict
from symgd.errors import UsageError, safe, shown
from symgd.records import dataclass

POINTS = 16
HUGE = 1e300  # beyond this floats overflow on the way
ROOM = 64.0  # units of rounding that any evaluation may be off by
PRECISIONS = (("half precision", np.float16, 2.0**-11), ("single precision", np.float32, 2.0**-24))


@dataclass(frozen=True)
class Sample:
    """One point: what is exact there, what the function gave, and what rounding explains."""

    point: Mapping[str, Any]
    exact: Any
    yours: Any
    room: Any
    edge: bool
    dtype: Any


def check_callable(formula: str, function: Callable[..., Any], data: Any, params: Any, where: tuple[str, ...], *,
                   what: str) -> Check:  # fmt: skip
    """Check one function that gives all derivatives."""
    made = problems.make(formula, {}, data, params, where)
    made.reading(0).scalar()
    names = list(made.params)
    if what == "hessian":
        reading = made.reading(0)
        if any(reading.params.values()) and len(names) > 1:
            raise UsageError("a function for the Hessian is checked for one array, or for parameters that are numbers")
        pairs = [(a, b) for a in names for b in names]
        split = _hessian_of(function, made, names)
        verdicts = {}
        for a, b in pairs:
            target = Target(b, a)
            verdicts[target.key] = judge_callable(made, target, lambda point, a=a, b=b: split(point)[a, b], named=True)
        return Check(made.text, verdicts, what, {}, made.inferred)
    everything = _gradient_of(function, made, names)
    verdicts = {n: judge_callable(made, Target(n), lambda point, n=n: everything(point)[n], named=True) for n in names}
    return Check(made.text, verdicts, what, {}, made.inferred)


# ---- calling -------------------------------------------------------------------------------------------------------


def _accepted(function: Callable[..., Any]) -> tuple[list[str], bool]:
    """Give the names of a function's arguments, and whether it takes any."""
    try:
        given = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return [], False
    names = [n for n, p in given.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return names, any(p.kind is p.VAR_KEYWORD for p in given.values())


def call(function: Callable[..., Any], problem: Problem, point: Mapping[str, Any], *, whole: bool = False) -> Any:
    """Call a function of the flat vector, or of parameters and data by name.

    Parameters
    ----------
    function : callable
        What a user gave.
    problem : Problem
        What the names are.
    point : mapping
        All values.
    whole : bool
        Whether it gives the derivatives by all parameters: then one name alone is the flat vector.

    Returns
    -------
    object
        What it gave.

    Raises
    ------
    UsageError
        If it takes the flat vector, and data have no values.
    """
    names, anything = _accepted(function)
    known = [n for n in names if n in point]
    first = next(iter(names), "")
    if anything or (first in point and (not whole or set(problem.params) <= set(names))):
        chosen = dict(point) if anything else {n: point[n] for n in known}
        if not anything:  # by position, as functions want it that were made from others
            return _in_kind(lambda convert: function(*(convert(v) for v in chosen.values())))
        return _in_kind(lambda convert: function(**{n: convert(v) for n, v in chosen.items()}))
    missing = [n for n in problem.data if n not in problem.values]
    if missing and not any(n in point for n in names[1:]):
        raise UsageError(
            f"the function takes the flat vector, so that the data it reads must be given: {', '.join(missing)}"
        )
    flat = np.concatenate([np.ravel(point[n]) for n in problem.params]) if problem.params else np.zeros(0)
    more = {n: point[n] for n in names[1:] if n in point}
    return _in_kind(lambda convert: function(convert(flat), **{n: convert(v) for n, v in more.items()}))


def _in_kind(use: Callable[[Callable[[Any], Any]], Any]) -> Any:
    """Call with arrays of NumPy; where they will not do and PyTorch is loaded, with tensors."""
    try:
        return use(lambda v: np.array(v, dtype=float) if np.ndim(v) else float(v))
    except (TypeError, AttributeError, RuntimeError):
        torch = sys.modules.get("torch")
        if torch is None:
            raise
        return use(lambda v: torch.tensor(np.asarray(v), dtype=torch.float64))


def plain(value: Any) -> Any:
    """Give what a function returned as an array, its precision kept."""
    for name in ("detach", "cpu"):
        value = getattr(value, name)() if hasattr(value, name) else value
    array = np.asarray(value)
    if array.dtype == object:
        if not isinstance(value, list | tuple | np.ndarray) or not array.ndim:
            raise UsageError(f"the function must return numbers; it returned {shown(value)}")
        array = np.asarray([plain(v) for v in value])
    return array


def _gradient_of(function: Callable[..., Any], problem: Problem, names: list[str]) -> Callable[[Any], dict[str, Any]]:
    shapes = problem.reading(0).params

    def found(point: Mapping[str, Any]) -> dict[str, Any]:
        given = call(function, problem, point, whole=True)
        if isinstance(given, tuple) and len(given) == 2 and np.ndim(plain(given[0])) == 0 and (
            isinstance(given[1], Mapping) or np.size(plain(given[1])) == sum(map(problems.size, shapes.values()))
        ) and not (len(names) == 2 and np.ndim(plain(given[1])) == 0):  # fmt: skip
            given = given[1]  # value and gradient in one
        if isinstance(given, Mapping):
            return {n: plain(given[n]) for n in names}
        if isinstance(given, tuple | list) and len(given) == len(names) and len(names) > 1:
            return {n: plain(g) for n, g in zip(names, given, strict=True)}
        flat = plain(given).ravel()
        total = sum(problems.size(shapes[n]) for n in names)
        if flat.size != total:
            raise UsageError(f"the function gave {flat.size} numbers; the gradient by {', '.join(names)} has {total}")
        parts, at = {}, 0
        for n in names:
            parts[n] = flat[at : at + problems.size(shapes[n])].reshape(shapes[n])
            at += problems.size(shapes[n])
        return parts

    return found


def _hessian_of(function: Callable[..., Any], problem: Problem, names: list[str]) -> Callable[[Any], dict[Any, Any]]:
    shapes = problem.reading(0).params

    def found(point: Mapping[str, Any]) -> dict[Any, Any]:
        matrix = plain(call(function, problem, point, whole=True))
        if len(names) == 1:
            return {(names[0], names[0]): matrix.reshape(shapes[names[0]] * 2)}
        if matrix.shape != (len(names), len(names)):
            raise UsageError(f"the function gave the shape {matrix.shape}; the Hessian has {(len(names),) * 2}")
        return {(a, b): matrix[i, j] for i, a in enumerate(names) for j, b in enumerate(names)}

    return found


# ---- judging -------------------------------------------------------------------------------------------------------


def judge_callable(problem: Problem, target: Target, function: Callable[..., Any], *, named: bool = False) -> Verdict:
    """Decide about a function for one block of derivatives.

    Parameters
    ----------
    problem : Problem
        The objective.
    target : Target
        Which derivatives.
    function : callable
        What is checked.
    named : bool
        Whether it takes a point, all values by name.

    Returns
    -------
    Verdict
    """
    exact = Exact(problem.reading(0), target)
    samples = list(_samples(problem, exact, function if named else lambda p: plain(call(function, problem, p))))
    yours = getattr(function, "__name__", "a function") if not named else "a function"
    key = target.key
    if not samples:
        return Verdict(key, UNKNOWN, yours, reason="no point was found at which the objective has a value")
    bad_shape = next((s for s in samples if np.shape(s.yours) != np.shape(s.exact)), None)
    if bad_shape is not None:
        reason = f"it gave the shape {np.shape(bad_shape.yours)}; the derivative has {np.shape(bad_shape.exact)}"
        return Verdict(key, WRONG, yours, reason=reason)
    for name, kind, unit in PRECISIONS:
        if all(_held(s.yours, kind) for s in samples) and not all(_held(s.exact, kind) for s in samples):
            if any(_off(s, unit / 2.0**-53).any() for s in samples if not s.edge):
                break
            note = f"it computes in {name}: float64 would give {int(53 * math.log10(2))} digits"
            digits = int(-math.log10(unit))
            reason = f"equal to the {digits} digits of {name} at {len(samples)} points"
            return Verdict(key, VERIFIED, yours, reason=reason, notes=(note,))
    wrong = [s for s in samples if _off(s).any()]
    if not wrong:
        worst = max(float(np.max(_units(s), initial=0)) for s in samples)
        return Verdict(key, VERIFIED, yours, reason=f"within {max(1, math.ceil(worst))} units of rounding at "
                       f"{len(samples)} points, kinks, large and tiny values among them")  # fmt: skip
    firm = [s for s in wrong if not s.edge]
    if not firm:
        where = _said(wrong[0].point)
        return Verdict(key, VERIFIED, yours, reason=f"within rounding at {len(samples) - len(wrong)} points",
                       notes=(f"it differs at a kink or an edge of the domain, as at {where}",))  # fmt: skip
    return Verdict(
        key, WRONG, yours, reason=_taylor(exact, firm[0]), cause=_cause(samples), counterexample=_told(firm[0])
    )


def _held(value: Any, kind: Any) -> bool:
    with np.errstate(all="ignore"):
        array = np.asarray(value, dtype=float)
        return bool((array.astype(kind).astype(float) == array).all())


def _units(sample: Sample) -> Any:
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.abs(np.asarray(sample.yours, float) - sample.exact) / sample.room * ROOM)


def _off(sample: Sample, wider: float = 1.0) -> Any:
    with np.errstate(all="ignore"):
        return ~(np.abs(np.asarray(sample.yours, float) - sample.exact) <= wider * sample.room)


def _samples(problem: Problem, exact: Exact, function: Callable[[Any], Any]) -> Iterator[Sample]:
    digits, floats = Numbers(exact, [], WORKING), Numbers(exact, [])
    rng = np.random.default_rng(17)
    for point, edge in _points(problem, exact, rng):
        try:
            right, _, value = digits.at(point)
        except (ArithmeticError, ValueError):
            continue
        if not (numeric.finite(value) and numeric.finite(right)):
            continue
        best = np.asarray(right, dtype=float)
        if np.abs(best).max(initial=0) > HUGE:
            continue
        with np.errstate(all="ignore"):
            rough = np.asarray(floats.at(point)[0], dtype=float)
        room = 2.0**-53 * np.maximum(np.abs(best), np.finfo(float).tiny)
        if np.isfinite(rough).all():
            room = room + np.abs(rough - best)
        for _ in range(3):  # how far rounded input moves the derivative
            moved = {n: np.asarray(v) * (1 + 2.0**-52 * rng.choice([-1.0, 1.0], size=np.shape(v)))
                     if n in problem.params else v for n, v in point.items()}  # fmt: skip
            shifted, _, _ = digits.at(_exactly(moved))
            if numeric.finite(shifted):
                room = room + np.abs(np.asarray(shifted - right, dtype=float))
        with np.errstate(all="ignore"):
            yours = function(point)
        yield Sample(point, best, yours, ROOM * room, edge, np.asarray(yours).dtype)


def _exactly(point: Mapping[str, Any]) -> dict[str, Any]:
    """Take floats for exactly what they are."""
    return {n: v if np.ndim(v) == 0 else np.asarray(v) for n, v in point.items()}


def _points(problem: Problem, exact: Exact, rng: np.random.Generator) -> Iterator[tuple[dict[str, Any], bool]]:
    """Give points whose numbers are sums of few powers of two: short in decimals as in binary."""
    known = tuple(c for text in problem.where for c in cond.parse(text, {*problem.params, *problem.data}))

    def drawn(style: str) -> dict[str, Any]:
        point = numeric.draw(exact.reading, rng, style, known)
        fixed = {c.name for c in known} | set(numeric.indexed_axes(exact.reading))
        for name, values in point.items():
            if name in problem.values:
                point[name] = problem.values[name]
            elif name not in fixed:
                rounded = np.round(np.asarray(values) * 64) / 64
                point[name] = np.where(rounded == 0, 1 / 64, rounded)
        return point

    for i in range(POINTS):
        yield drawn(numeric.STYLES[i % len(numeric.STYLES)]), False
    for name in problem.params:
        for value in (0.0, 2.0**-30, -(2.0**-30), 2.0**30, -(2.0**30), 2.0**-200):
            point = drawn("real")
            values = np.array(point[name], dtype=float)
            values[(0,) * values.ndim] = value
            yield {**point, name: values if values.ndim else float(values)}, value == 0
            if values.ndim and value:
                yield {**point, name: np.full_like(values, value)}, False


def _taylor(exact: Exact, sample: Sample) -> str:
    """Say how fast the remainder falls along the derivative: like h for a wrong one, like h**2 for the right one."""
    if exact.target.of or not np.isfinite(np.asarray(sample.yours, dtype=float)).all():
        return ""
    numbers = Numbers(exact, [], WORKING)
    mpf = numbers.arithmetic.context.mpf  # type: ignore[union-attr]
    name = exact.target.name
    _, _, start = numbers.at(sample.point)
    slope = float(np.sum(np.asarray(sample.yours, dtype=float)))
    left = []
    for h in (mpf(10) ** -8, mpf(10) ** -12):
        base = np.asarray(sample.point[name], dtype=float)
        moved = numbers.arithmetic.array(base) + h  # type: ignore[union-attr]
        numbers.point = sample.point
        values = numbers.tape
        values._fixed = None  # noqa: SLF001
        found = values.at({**sample.point, name: moved})[exact.reading.value.node]
        left.append(abs(found - start - h * mpf(slope)))
    if not all(left):
        return ""
    power = float(numbers.arithmetic.context.log10(left[0] / left[1])) / 4  # type: ignore[union-attr]
    return f"what remains of f(x + h) - f(x) - h*g falls like h**{power:.2g}: like h**2 for a derivative"


def _cause(samples: list[Sample]) -> Cause | None:
    ratios = []
    for s in samples:
        if s.edge:
            continue
        a, b = np.ravel(s.exact), np.ravel(np.asarray(s.yours, float))
        keep = np.isfinite(b) & (np.abs(a) > 1e-3 * np.abs(a).max(initial=0)) & (b != 0)
        ratios += list(a[keep] / b[keep])
    if len(ratios) < 4:
        return None
    low, high, middle = min(ratios), max(ratios), float(np.median(ratios))
    if high - low <= 1e-11 * abs(middle):
        if abs(middle + 1) < 1e-11:
            return Cause("sign", "the sign is wrong: yours is minus the derivative")
        return Cause("factor", f"off by the constant factor {middle:.12g}")
    spread = max(abs(low - 1), abs(high - 1))
    if spread < 1e-4:
        digits = int(-math.log10(spread))
        said = f"it is right to {digits} digits only: single precision inside, or a difference in place of a derivative"
        return Cause("precision", said)
    return None


def _told(sample: Sample) -> Counterexample:
    off = _off(sample)
    place = tuple(int(i[0]) for i in np.nonzero(off)) if np.ndim(off) else ()
    a, b = float(np.asarray(sample.exact)[place]), float(np.asarray(sample.yours, float)[place])
    size = max(abs(a), abs(b))
    digits = max(0, int(-math.log10(abs(a - b) / size))) if a != b and size and math.isfinite(b) and a * b > 0 else 0
    point = {n: np.asarray(v, dtype=float).tolist() if np.ndim(v) else float(v) for n, v in sample.point.items()}
    return Counterexample(point, place, b, a, digits)


def _said(point: Mapping[str, Any]) -> str:
    return safe(", ".join(f"{n} = {np.asarray(v).tolist()}" for n, v in point.items()), 80)
