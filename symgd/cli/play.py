"""``symgd play``: a page with the landscape of a formula, to play with in a browser."""

from __future__ import annotations

from typing import Any

import click

from symgd.cli import inputs, options, starts
from symgd.cli.group import GOOD, Command, print_json
from symgd.errors import UsageError, safe


@click.command(cls=Command, epilog="Exit code: 0; 2 when the call, the data or the formula is at fault.")
@click.argument("formula")
@options.with_options(
    options.DATA,
    (
        click.option("-o", "--output", metavar="FILE", default="playground.html", help="The page; playground.html."),
        click.option("--start", metavar="NAME=VALUE,...", multiple=True, help="Where the first descent starts."),
        click.option(
            "--rule", metavar="TEXT", multiple=True,
            help="An update rule that the page offers too, by name or as text, such as 'v = 0.8*v - lr*g; x = x + v'.",
        ),
        click.option("--range", "ranges", metavar="NAME=LOW:HIGH", multiple=True, help="What is shown."),
    ),
    options.JSON,
)  # fmt: skip
def play(**given: Any) -> int:
    """Write a page with the landscape of FORMULA, of one or two parameters, to play with.

    It is one file that needs no network: descents by several rules, their steps and rates, eigenvalues and stable
    learning rates, all from the exact derivatives.

    \b
    symgd play "sin(x)*sin(y)" -o hills.html
    symgd play "mean((y - (w*x + b))**2)" --data points.csv --start w=0,b=0
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    objective = inputs.objective(given)
    start = starts.read(given["start"], "start") if given["start"] else None
    text = objective.playground(
        given["output"],
        start=start,
        rule=list(given["rule"]) or None,
        ranges=dict(map(_range, given["ranges"])) or None,
    )
    if given["as_json"]:
        print_json({"formula": objective.text, "page": given["output"], "bytes": len(text.encode())})
    else:
        click.echo(f"the page is in {safe(given['output'])}; open it in a browser")
    return GOOD


def _range(text: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = text.partition("=")
    low, _, high = ends.partition(":")
    try:
        return name.strip(), (float(low), float(high))
    except ValueError:
        raise UsageError(f"--range={text!r} must be a parameter and two numbers, such as x=-3:3") from None
