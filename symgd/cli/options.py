"""The options that several commands have, in groups; their help says what they take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

Options = dict[str, Any]
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def with_options(*groups: Iterable[Decorator]) -> Decorator:
    """Give a command groups of options, in the order in which its help shall list them.

    Parameters
    ----------
    *groups : iterable of callable
        Click's options.

    Returns
    -------
    callable
        A decorator.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([o for group in groups for o in group]):
            command = option(command)
        return command

    return decorate


DATA = (
    click.option(
        "--data", metavar="[NAME=]FILE", multiple=True,
        help="A file of columns or arrays with names: CSV (its first line has the names), .parquet, .npz. Or one "
        "array, X=X.npy, which stays on disk. May be given several times.",
    ),
    click.option(
        "--set", "numbers", metavar="NAME=VALUE", multiple=True,
        help="Numbers that the formula reads, such as n=3; lists for arrays.",
    ),
    click.option("--params", metavar="A,B", help="The parameters, in order; by default every name without data."),
)  # fmt: skip
# Names and shapes of what has no values.
NAMES = (
    click.option("--data-names", metavar="X,Y", help="Names that are columns of data, without their values."),
    click.option(
        "--shape", metavar="NAME=LENGTHS,...", multiple=True,
        help="The shapes of parameters that are arrays, and of what --data-names declares, such as w=3,W=64x32.",
    ),
)  # fmt: skip
# The numbers of an update rule.
RATE = (
    click.option("--hyper", metavar="NAME=VALUE", multiple=True, help="The rule's hyperparameters, such as beta=0.9."),
    click.option("--lr", metavar="LR", help="The learning rate: a number, auto, or a formula of t, the step's number."),
    click.option("--schedule", metavar="NAME:A=1,B=2", help="How lr falls over the steps, such as cosine:steps=100."),
)
DESCENT = (
    click.option(
        "--start", metavar="NAME=VALUE,...", multiple=True,
        help="Where to start, such as x1=9,x2=-3; or the values alone, in the order of the parameters. Arrays as "
        "lists, 'w=[0,0,0]', or as zeros(3), ones(2,3), 0.1*normal(64,32), which --seed draws; or from a file: "
        "w=w.npy, or a .npz or .json file that has all parameters, or that --save wrote.",
    ),
    click.option(
        "--method", metavar="NAME",
        help="The method or the update rule, by name: see below. By default gd with --lr or --batch, else the best for "
        "the problem.",
    ),
    click.option(
        "--rule", metavar="TEXT",
        help="An update rule of your own, such as 'v = beta*v - lr*g; x = x + v'; give its numbers by --hyper.",
    ),
    *RATE,
    click.option("--steps", type=float, metavar="N", help="Steps to take at most; exactly so many when lr is given."),
    click.option("--batch", type=float, metavar="ROWS", help="Look at so many rows of the data in a step."),
    click.option("--epochs", type=float, metavar="N", help="Go through all rows so often; takes the place of --steps."),
    click.option("--no-shuffle", is_flag=True, help="Take the rows in their order, the same in each epoch."),
    click.option("--gtol", type=float, metavar="TOL", help="End when the gradient's norm is this small."),
    click.option("--ftol", type=float, metavar="TOL", help="End when the value changes by this little."),
    click.option("--xtol", type=float, metavar="TOL", help="End when a step is this short."),
    click.option("--seconds", type=float, metavar="S", help="Wall time to take at most."),
    click.option(
        "--seed", type=float, metavar="N", help="Of the order of the rows, of the rule's draws, and of normal()."
    ),
    click.option("--tier", metavar="NAME", help="python, numba or auto: short work in plain Python, long compiled."),
    click.option("--save", metavar="FILE", help="Write the run to a .npz or .json file, from which --resume goes on."),
    click.option(
        "--save-every", type=float, metavar="S", help="Seconds between two times that --save writes; by default 60."
    ),
    click.option(
        "--resume", metavar="FILE", help="Go on with a saved run; --steps and --epochs count from its beginning."
    ),
)  # fmt: skip
ACCOUNT = (
    click.option("--plot", metavar="FILE", help="Draw the run: .png, .svg or .pdf."),
    click.option(
        "--trace", type=int, metavar="[N]", help="Show the steps, or the epochs, every Nth; without N, about twenty."
    ),
    click.option("--quiet", is_flag=True, help="Print the point alone, as --start takes it."),
    click.option("--no-progress", is_flag=True, help="Show no progress bar."),
)
JSON = (click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."),)
