"""Learning-rate schedules that have names: formulas of ``t``, the number of the step from 1."""

from __future__ import annotations

from symgd import checks
from symgd import language as fm
from symgd.errors import UsageError, safe, shown, suggest

# A step that 2**k divides is longer by 1 + sqrt(2) for each of these powers: up to 2**24 steps.
_SILVER = "*".join(f"where(t % {2**k} == 0, 1 + sqrt(2), 1)" for k in range(1, 25))

SCHEDULES: dict[str, tuple[str, dict[str, float], str]] = {
    "constant": ("lr", {}, "the same at every step"),
    "step": ("lr*factor**floor((t - 1)/every)", {"factor": 0.5, "every": 100}, "times `factor` after `every` steps"),
    "exponential": ("lr*exp(-decay*(t - 1))", {"decay": 0.01}, "falls by the share `decay` a step"),
    "inverse": ("lr/(1 + decay*(t - 1))", {"decay": 0.01}, "1/t decay (Robbins and Monro 1951)"),
    "cosine": (
        "smallest + (lr - smallest)*(1 + cos(pi*minimum(t - 1, steps)/steps))/2",
        {"steps": 1000, "smallest": 0.0},
        "half a cosine from lr down to `smallest` over `steps` (Loshchilov and Hutter 2017)",
    ),
    "restarts": (
        "smallest + (lr - smallest)*(1 + cos(pi*((t - 1) % every)/every))/2",
        {"every": 100, "smallest": 0.0},
        "a cosine that starts anew after `every` steps (SGDR)",
    ),
    "cyclic": (
        "smallest + (lr - smallest)*(1 - abs((t - 1) % every/every*2 - 1))",
        {"every": 100, "smallest": 0.0},
        "up from `smallest` to lr and down again (Smith 2017)",
    ),
    "warmup": (
        "lr*minimum(t/warm, 1)/(1 + decay*maximum(t - warm, 0))",
        {"warm": 100, "decay": 0.01},
        "up over `warm` steps, then 1/t decay",
    ),
    "silver": (
        f"lr*(1 + (sqrt(2) - 1)*{_SILVER})",
        {},
        "for gradient descent with lr = 1/L: now and then a long step (Altschuler and Parrilo 2023)",
    ),
}


def schedule(name: str, lr: float, **values: float) -> str:
    """Write a named learning-rate schedule as a formula of ``t``, the number of the step from 1.

    Parameters
    ----------
    name : str
        ``constant``, ``step``, ``exponential``, ``inverse``, ``cosine``, ``restarts``, ``cyclic``, ``warmup`` or
        ``silver``.
    lr : float
        The largest learning rate, dimensionless.
    **values : float
        The schedule's other numbers.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        If there is no such schedule, or it has no such number.

    Examples
    --------
    >>> schedule("inverse", 0.1, decay=0.5)
    '0.1/(1 + 0.5*(t - 1))'
    """
    if not isinstance(name, str) or name not in SCHEDULES:
        near = suggest(safe(name), list(SCHEDULES))
        hint = f"did you mean '{near}'?" if near else f"take one of {', '.join(SCHEDULES)}"
        raise UsageError(f"schedule={shown(name)} is not known; {hint}")
    text, defaults, _ = SCHEDULES[name]
    unknown = set(values) - set(defaults)
    if unknown:
        has = ", ".join(defaults) or "none"
        raise UsageError(f"the schedule '{name}' has no number '{min(unknown)}'; it has: {has}")
    numbers = {"lr": lr, **defaults, **values}
    for key, value in numbers.items():
        checks.number(key, value, "a finite number", low=-1e300, high=1e300)
        if key in ("every", "steps", "warm") and value <= 0:
            raise UsageError(f"{key}={shown(value)} must be positive")
    # A negative number is put in brackets, so that what stands before it still applies to all of it.
    spelt = {k: _literal(float(v)) for k, v in numbers.items()}
    tree = fm.parse(text, declared=(*numbers, "t"))
    found = (node for node in fm.walk(tree) if isinstance(node, fm.Name) and node.name in spelt)
    pieces = [(node.start, node.end, spelt[node.name]) for node in found]
    written, last = "", 0
    for begin, end, number in sorted(pieces):
        written += text[last:begin] + number
        last = end
    return written + text[last:]


def _literal(value: float) -> str:
    text = repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return text if value >= 0 else f"({text})"
