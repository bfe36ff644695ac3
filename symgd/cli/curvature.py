"""``symgd curvature``: what kind of point a point is, and which learning rates suit it."""

from __future__ import annotations

from typing import Any

import click

from symgd.cli import inputs, options, starts
from symgd.cli.group import GOOD, Command, print_json
from symgd.errors import UsageError


@click.command(cls=Command, epilog="Exit code: 0; 2 when the call, the data or the formula is at fault.")
@click.argument("formula")
@options.with_options(
    (
        click.option(
            "--at", metavar="NAME=VALUE,...", multiple=True, help="The point, as minimize takes --start; required.",
        ),
    ),
    options.DATA,
    (click.option("--tier", metavar="NAME", help="python, numba or auto: short work in plain Python, long compiled."),),
    options.JSON,
)  # fmt: skip
def curvature(**given: Any) -> int:
    """Tell the curvatures of FORMULA at a point: its kind, its condition, stable and fastest learning rates.

    \b
    symgd curvature "0.2*x1**2 + x2**2" --at x1=9,x2=-3
    symgd curvature "mean((y - (w*x + b))**2)" --data points.csv --at w=2,b=1
    symgd curvature "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)" --at 'x=ones(1000000)'
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    if not given["at"]:
        raise UsageError("a point is needed: --at x1=9,x2=-3, or --at 'w=[1,2,3]' for arrays")
    objective = inputs.objective(given)
    found = objective.curvature(starts.read(given["at"], "--at"))
    if given["as_json"]:
        print_json({"formula": objective.text, **found.to_dict()})
    else:
        click.echo(found.explain())
    return GOOD
