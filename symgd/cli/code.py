"""``symgd code``: an objective and its exact derivatives as a module that stands alone."""

from __future__ import annotations

from typing import Any

import click

from symgd.cli import inputs, options
from symgd.cli.group import GOOD, Command, print_json


@click.command(cls=Command, epilog="Exit code: 0; 2 when the call, the data or the formula is at fault.")
@click.argument("formula")
@options.with_options(
    options.DATA,
    options.NAMES,
    (click.option("--target", metavar="NAME", default="numpy", help="What the module is for: numpy (the default)."),),
    options.JSON,
)
def code(**given: Any) -> int:
    """Write FORMULA and its derivatives as a module to paste.

    \b
    symgd code "0.2*x1**2 + x2**2" > quadratic.py
    symgd code "mean((y - X @ w)**2)" --data-names X,y --shape X=100x3,w=3
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    objective = inputs.objective(given)
    inputs.has_arrays(objective)  # or it says how to give shapes
    text = objective.code(given["target"])
    if given["as_json"]:
        print_json({"formula": objective.text, "target": given["target"], "code": text})
    else:
        click.echo(text, nl=False)
    return GOOD
