"""From options to the method, or the update rule, and its learning rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from symgd.cli import values
from symgd.errors import FormulaError, UsageError, safe

if TYPE_CHECKING:
    from symgd.cli.options import Options
    from symgd.rules import Rule

_RESERVED = ("text", "init", "name", "default_lr")  # arguments of Rule, which no hyperparameter may be called


def learning_rate(options: Options) -> float | str | None:
    """Read ``--lr`` and ``--schedule``.

    Parameters
    ----------
    options : dict
        Those of the command.

    Returns
    -------
    float, str or None
        A number, a formula of t, or ``None`` where nothing was given.

    Raises
    ------
    UsageError
        For a schedule without a number to start from.
    """
    lr = options["lr"]
    if lr is not None:
        try:
            lr = float(lr)
        except ValueError:
            lr = str(lr).strip()
    if options["schedule"] is None:
        return lr  # type: ignore[no-any-return]
    if not isinstance(lr, float):
        raise UsageError("--schedule needs a number that it starts from: --lr 0.1 --schedule cosine:steps=100")
    from symgd.rules.schedules import schedule

    name, _, rest = options["schedule"].partition(":")
    named, unnamed = values.numbers([rest], "--schedule")
    if unnamed:
        raise UsageError("--schedule takes its numbers by name, such as cosine:steps=100")
    return schedule(name.strip(), lr, **named)


def chosen(options: Options) -> dict[str, object]:
    """Give ``method`` and its numbers as `Objective.minimize` takes them.

    Parameters
    ----------
    options : dict
        Those of the command.

    Returns
    -------
    dict
        Empty where nothing was given.
    """
    name = options["method"]
    if options["rule"] is None and name is not None:
        from symgd.descent.prepare import NAMES

        if name in NAMES:
            return {"method": name, **hyper_of(options["hyper"])}
    found = rule(options)
    return {} if found is None else {"method": found}


def rule(options: Options) -> Rule | None:
    """Read ``--method``, ``--rule`` and ``--hyper``.

    Parameters
    ----------
    options : dict
        Those of the command.

    Returns
    -------
    Rule or None
        ``None`` where nothing was given.

    Raises
    ------
    UsageError
        If both a name and a text are given.
    FormulaError
        If the text is no rule.
    """
    hyper = hyper_of(options["hyper"])
    if options["rule"] is None and options["method"] is None and not hyper:
        return None
    from symgd.rules import Rule, find_rule

    if options["rule"] is None:
        from symgd.descent.prepare import NAMES

        found = find_rule(options["method"] or "gd", NAMES)
        return found.with_hyper(hyper) if hyper else found
    if options["method"] is not None:
        raise UsageError("--method names a rule of symgd, --rule writes one; give one of the two")
    try:
        return Rule(options["rule"], **hyper)
    except FormulaError as problem:
        hint = problem.hint or ""
        if not hint.startswith("give it a value"):
            raise
        name = problem.text[problem.start : problem.end]
        raise FormulaError(
            problem.problem, problem.text, problem.start, problem.end, f"give it a value: --hyper {name}=0.9"
        ) from None


def numbers_of(options: Options) -> Options:
    """Read ``--hyper`` alone.

    Parameters
    ----------
    options : dict
        Those of the command.

    Returns
    -------
    dict of str to float or str
    """
    return hyper_of(options["hyper"])


def hyper_of(texts: Iterable[str]) -> Options:
    """Read hyperparameters: numbers, or formulas of t."""
    found: Options = {}
    for item in (item for text in texts for item in values.items(text)):
        name, sign, text = (part.strip() for part in item.partition("="))
        if not sign or not name or not text:
            raise UsageError(f"--hyper {safe(item)} must be name=value, such as --hyper beta=0.9")
        if name in _RESERVED:
            raise UsageError(f"--hyper {name}: a hyperparameter cannot be called '{name}'; take another name")
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = text
    return found
