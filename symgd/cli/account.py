"""The account of a run, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from symgd.cli import starts
from symgd.errors import UsageError, safe

if TYPE_CHECKING:
    from symgd.cli.options import Options
    from symgd.history import History
    from symgd.run import Run

LONG = 4096  # characters of a file's name that are shown
_SHOWN = 6  # parameters that a table of steps has room for
_TRACED = 20  # its lines, when no spacing was asked for


def as_dict(options: Options, run: Run) -> dict[str, object]:
    """Give the run as the object that ``--json`` prints.

    Parameters
    ----------
    options : dict
        Those of the command.
    run : Run
        The run.

    Returns
    -------
    dict
    """
    from symgd.display import finite

    account = run.to_dict()
    if run.history.epoch is not None:
        account["epochs"] = finite(float(run.history.epoch[-1]))
    if options["trace"] is not None:
        account["trace"] = [_finite_row(run.history, place) for place in _traced(run.history, options["trace"])]
    return account | {name: options[name] for name in ("plot", "save") if options[name]}


def _finite_row(history: History, place: int) -> dict[str, object]:
    from symgd.display import finite, plain

    row: dict[str, object] = {"step": int(history.step[place])}
    if history.epoch is not None:
        row["epoch"] = finite(float(history.epoch[place]))
    row |= {"value": finite(float(history.value[place])), "gradient_norm": finite(float(history.gradient_norm[place]))}
    if history.point.shape[1]:  # of very many parameters the history keeps none
        row["point"] = {name: plain(history[name][place]) for name in history.params}
    return row


def show(options: Options, run: Run) -> None:
    """Print the run for people.

    Parameters
    ----------
    options : dict
        Those of the command.
    run : Run
        The run.
    """
    if options["quiet"]:
        click.echo(starts.written(run.point))
        return
    if options["trace"] is not None:
        click.echo(_table(run.history, _traced(run.history, options["trace"])))
        click.echo()
    click.echo(run.summary())
    if options["save"]:
        click.echo(f"the run is in {safe(options['save'], LONG)}; go on with --resume", err=True)


def _traced(history: History, every: int) -> list[int]:
    """Choose the records to show: every so many steps or epochs, or about twenty; the last one in any case."""
    if every < 0:
        raise UsageError(f"--trace {every} must be a whole number of at least 1")
    last = len(history) - 1
    counted: Sequence[Any] = history.step if history.epoch is None else history.epoch  # type: ignore[assignment]
    if every:
        chosen = [place for place, count in enumerate(counted) if count % every == 0]
    else:
        chosen = [round(i * last / _TRACED) for i in range(_TRACED)] if last > _TRACED else list(range(last + 1))
    return chosen if chosen and chosen[-1] == last else [*chosen, last]


def _table(history: History, places: Sequence[int]) -> str:
    from symgd import display

    names = history.names[:_SHOWN]
    more = ["..."] if history.point.shape[1] > _SHOWN else []
    epochs = history.epoch
    rows = [["step", *(["epoch"] if epochs is not None else []), "value", "|gradient|", *names, *more]]
    for place in places:
        counts = [str(history.step[place]), *([f"{epochs[place]:g}"] if epochs is not None else [])]
        numbers = [history.value[place], history.gradient_norm[place], *history.point[place][:_SHOWN]]
        rows.append([*counts, *(f"{number:.6g}" for number in numbers), *more])
    return "\n".join(display.lines(rows))
