"""``symgd minimize`` and ``symgd maximize``, which is the same upwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symgd.cli import account, inputs, method, options, pictures, starts, values
from symgd.cli.group import FINDING, GOOD, Command, print_json
from symgd.errors import FormulaError, UsageError, safe

if TYPE_CHECKING:
    from symgd.cli.options import Options
    from symgd.objective import Objective
    from symgd.run import Run

_EXIT = (
    "Exit code: 0 when the run ended at a {kind}, or took the steps that --steps and --lr ask for, or the epochs; 1 "
    "when the account is a finding: it diverged, left the domain, stalled, ended at another kind of point, or stopped "
    "before it converged; 2 when the call, the data or the formula is at fault."
)
_PASSED_ON = ("steps", "batch", "epochs", "gtol", "ftol", "xtol", "seconds", "seed")
_SAVING = ("save", "save_every")
_SETTLED = ("start", "method", "rule", "hyper", "lr", "schedule", "batch", "no_shuffle", "gtol", "ftol", "xtol", "seed")


@click.command(cls=Command, epilog=_EXIT.format(kind="minimum"))
@click.argument("formula", required=False)
@options.with_options(options.DATA, options.DESCENT, options.ACCOUNT, options.JSON)
def minimize(**given: Any) -> int:
    """Descend on FORMULA, a NumPy expression that gives one number.

    \b
    symgd minimize "0.2*x1**2 + x2**2" --start x1=9,x2=-3 --lr 0.2 --steps 100
    symgd minimize "mean((y - b1*x**b2)**2)" --data examples/data/DanWood.csv --start b1=1,b2=5
    symgd minimize "mean(softplus(X @ w) - y*(X @ w))" --data data.npz --start 'w=[0,0,0]' \\
        --batch 32 --epochs 20 --trace
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    return _descend(given, maximize=False)


@click.command(cls=Command, epilog=_EXIT.format(kind="maximum"))
@click.argument("formula", required=False)
@options.with_options(options.DATA, options.DESCENT, options.ACCOUNT, options.JSON)
def maximize(**given: Any) -> int:
    """Ascend on FORMULA: as minimize, up the gradient.

    \b
    symgd maximize "-x**2 + 4*x" --start x=-1
    """  # noqa: D301 - as above
    return _descend(given, maximize=True)


def _descend(given: Options, *, maximize: bool) -> int:
    """Check everything, run, and give the account; each step needs the one before."""
    _check_files(given)
    run, objective = (_resume if given["resume"] else descend)(given, maximize=maximize)
    if given["as_json"]:
        pictures.write(given, lambda: run.plot(objective=objective))
        print_json(account.as_dict(given, run))
    else:
        account.show(given, run)
        pictures.write(given, lambda: run.plot(objective=objective))
    return GOOD if _is_good(given, run) else FINDING


def descend(given: Options, *, maximize: bool) -> tuple[Run, Objective]:
    """Run a descent as its options say.

    Parameters
    ----------
    given : dict
        The options.
    maximize : bool
        Whether it goes up.

    Returns
    -------
    run : Run
    objective : Objective

    Raises
    ------
    UsageError
        If there is no formula, or an option is at fault.
    """
    if given["formula"] is None:
        raise UsageError('there is no formula; write it first: symgd minimize "x**2 - 4*x + 5" --start x=0')
    objective = inputs.objective(given)
    chosen = {name: given[name] for name in (*_PASSED_ON, *_SAVING) if given[name] is not None}
    if given["no_shuffle"]:
        chosen["shuffle"] = False
    lr = method.learning_rate(given)
    if lr is not None:
        chosen["lr"] = lr
    chosen |= method.chosen(given)
    start = starts.complete(given, objective)
    go = objective.maximize if maximize else objective.minimize
    return go(start, progress=_progress(given), **chosen), objective


def _resume(given: Options, *, maximize: bool) -> tuple[Run, Objective]:
    from symgd import saving

    for name in _SETTLED:
        if given[name]:
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} is settled by the saved run; leave it out, or start a new run without --resume"
            )
    state = saving.read(given["resume"])
    given["formula"] = given["formula"] or str(state.get("formula", ""))
    if (state.get("sign") == -1.0) != maximize:
        raise UsageError(f"the saved run is of symgd {'minimize' if maximize else 'maximize'}; call that")
    given["params"] = given["params"] or ",".join(map(str, state.get("params", ())))
    try:
        objective = inputs.objective(given)
    except FormulaError as problem:  # the formula was read before, so what is unknown now had data then
        name = safe(problem.text[problem.start : problem.end])
        raise UsageError(f"the saved run has data for '{name}'; give them again by --data or --set") from None
    limit = {name: given[name] for name in ("seconds", *_SAVING) if given[name] is not None}
    steps = _steps(given, objective, state)
    return objective.resume(given["resume"], steps, progress=_progress(given), **limit), objective


def _steps(given: Options, objective: Objective, state: Mapping[str, int]) -> int | None:
    """Count the steps that a resumed run is to take in all."""
    steps = None if given["steps"] is None else values.whole("--steps", given["steps"])
    if given["epochs"] is None:
        return steps
    if steps is not None:
        raise UsageError("--steps and --epochs both say how long to go on; give one of them")
    from symgd.objective.formula import row_count

    epochs, batch = values.whole("--epochs", given["epochs"]), int(state.get("batch") or 0)
    rows = row_count(objective.tree, objective.data)
    return epochs * -(-rows // batch) if batch and rows else epochs


def _progress(given: Options) -> bool | None:
    return False if given["no_progress"] or given["quiet"] else None


def _is_good(given: Options, run: Run) -> bool:
    """Tell whether the run did what was asked for."""
    if run.ok or run.outcome != "max_steps":
        return run.ok
    asked = given["steps"] is not None or given["epochs"] is not None
    tolerated = any(given[name] is not None for name in ("gtol", "ftol", "xtol"))
    # A run that is to take so many steps has no test of the gradient; this is also known of a resumed one.
    exact = str(run.state["tolerances"][0]).startswith("-")
    return asked and (exact or (bool(run.state.get("batch")) and not tolerated))


# ---- files ---------------------------------------------------------------------------------------------------------


def _check_files(given: Options) -> None:
    """Refuse a file that cannot be written before the run, not after it."""
    pictures.check(given)
    if given["save_every"] is not None and not given["save"]:
        raise UsageError("--save-every says how often --save writes; give --save FILE too")
    if given["save"]:
        path = Path(given["save"])
        if path.suffix not in (".npz", ".json"):
            raise UsageError(f"--save {safe(str(path))} must end in .npz or .json")
        if not path.parent.is_dir():
            raise UsageError(f"--save {safe(str(path))}: there is no folder '{safe(str(path.parent))}'")
