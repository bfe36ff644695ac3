"""``symgd fit``: a model and data to parameters with standard errors."""

from __future__ import annotations

from typing import Any

import click

from symgd.cli import inputs, options, pictures, starts
from symgd.cli.group import FINDING, GOOD, Command, print_json
from symgd.errors import UsageError

_EXIT = (
    "Exit code: 0 when the fit ended at a minimum at which the data determine every parameter; 1 when it did not; 2 "
    "when the call, the data or the formula is at fault."
)
_FIT = (
    click.option(
        "--target", metavar="NAME", default="y", show_default=True,
        help="The column that is fitted, or a formula of columns, such as 'log(y)'.",
    ),
    click.option(
        "--start", metavar="NAME=VALUE,...", multiple=True,
        help="Where to start, such as b1=500,b2=0.0001; or the values alone, in the order of the parameters. Without "
        "it, ones and numbers around them are tried.",
    ),
    click.option(
        "--fixed", metavar="NAME=VALUE,...", multiple=True, help="Parameters that keep these values, such as c=0.5."
    ),
    click.option("--weights", metavar="NAME", help="What squared residuals are multiplied by: a column, or a formula."),
    click.option("--sigma", metavar="NAME", help="Standard deviations of the target instead: a column, or a formula."),
    click.option("--absolute-sigma", is_flag=True, help="Take --sigma at its word: only its ratios count otherwise."),
    click.option("--level", type=float, metavar="P", default=0.95, show_default=True, help="Of confidence intervals."),
    click.option(
        "--covariance", metavar="KIND", default="jacobian", show_default=True,
        help="Where standard errors come from: jacobian, hessian or robust.",
    ),
)  # fmt: skip


@click.command(cls=Command, epilog=_EXIT)
@click.argument("formula", required=False)
@options.with_options(options.DATA[:2], _FIT, pictures.PLOT, options.JSON)
def fit(**given: Any) -> int:
    """Fit FORMULA, a model of the columns, to data by least squares.

    \b
    symgd fit "b1*(1 - exp(-b2*x))" --data examples/data/Misra1a.csv --start b1=500,b2=0.0001
    symgd fit "b1 - b2*x1*exp(-b3*x2)" --data examples/data/Nelson.csv --target "log(y)" --json
    symgd fit "b1*(1 - exp(-b2*x))" --data examples/data/Misra1a.csv --plot fit.png
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    if given["formula"] is None:
        raise UsageError('there is no model; write it first: symgd fit "a*exp(-b*x)" --data data.csv --target y')
    from symgd.fitting import fit as run

    pictures.check(given)
    data = inputs.columns(given)
    start = starts.read(given["start"], "--start") or None
    fixed = starts.read(given["fixed"], "--fixed") or None
    found = run(
        given["formula"], data, given["target"], start, weights=given["weights"], sigma=given["sigma"],
        absolute_sigma=given["absolute_sigma"], level=given["level"], covariance=given["covariance"], fixed=fixed,
    )  # fmt: skip
    if given["as_json"]:
        print_json(found.to_dict())
    else:
        click.echo(found.summary())
    pictures.write(given, found.plot)
    return GOOD if found.ok else FINDING
