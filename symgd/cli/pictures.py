"""``--plot FILE``: the file is checked before any work is done, and written after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from symgd.cli import account
from symgd.errors import UsageError, safe

if TYPE_CHECKING:
    from symgd.cli.options import Options

PLOT = (click.option("--plot", metavar="FILE", help="Draw the result: .png, .svg or .pdf."),)


def check(given: Options) -> None:
    """Refuse a file that no picture can be written to.

    Parameters
    ----------
    given : dict
        The options.

    Raises
    ------
    UsageError
        If its suffix is unknown, or its folder does not exist.
    """
    if given["plot"]:
        from symgd.plotting import check_path

        check_path(given["plot"])


def write(given: Options, draw: Callable[[], Any]) -> None:
    """Draw a picture and write it, if one was asked for.

    Parameters
    ----------
    given : dict
        The options.
    draw : callable
        Gives the Axes.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    if not given["plot"]:
        return
    from symgd.plotting import save

    put(given, given["plot"], lambda: save(draw(), given["plot"]), "picture")


def put(given: Options, path: str, write: Callable[[], Any], what: str) -> None:
    """Write a file, and say so.

    Parameters
    ----------
    given : dict
        The options.
    path : str
        The file.
    write : callable
        Writes it.
    what : str
        What it is.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    try:
        write()
    except OSError as problem:
        raise UsageError(f"'{safe(path)}' cannot be written: {safe(str(problem.strerror or problem))}") from None
    if not given["as_json"] and not given.get("quiet"):
        click.echo(f"the {what} is in {safe(path, account.LONG)}", err=True)
