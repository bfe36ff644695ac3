"""``symgd many``: descents from many starts, and the distinct minima that they reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symgd.cli import inputs, method, options, pictures, starts, values
from symgd.cli.group import FINDING, GOOD, Command, print_json
from symgd.errors import UsageError

if TYPE_CHECKING:
    from symgd.cli.options import Options
    from symgd.many import Many

_EXIT = "Exit code: 0 when a minimum was found; 1 when none was; 2 when the call, the data or the formula is at fault."
_NUMBERS = ("steps", "batch", "epochs", "gtol", "ftol", "xtol", "seconds")
_ALONE = ("start", "save", "save_every", "resume")  # options of a single descent


def _name(option: options.Decorator) -> str:
    """Give the name under which an option's value is found."""

    def bare() -> None:
        pass

    option(bare)
    name: str = bare.__click_params__[0].name  # type: ignore[attr-defined]
    return name


@click.command(cls=Command, epilog=_EXIT)
@click.argument("formula")
@options.with_options(
    options.DATA,
    (
        click.option(
            "--box", metavar="NAME=LOW:HIGH,...", multiple=True,
            help="Bounds to spread the starts in, such as x=-15:15; of an array, for all of its entries.",
        ),
        click.option("--shape", metavar="NAME=LENGTHS,...", multiple=True,
                     help="The shapes of parameters that are arrays, such as w=3,W=64x32."),
        click.option("--starts", "count", type=float, metavar="N", help="How many starts; by default 1000."),
        click.option("--strategy", metavar="NAME", help="sobol (the default), latin or uniform."),
    ),
    tuple(option for option in options.DESCENT if _name(option) not in _ALONE),
    (
        click.option("--quiet", is_flag=True, help="Print the lowest minimum alone, as --start takes it."),
        click.option("--no-progress", is_flag=True, help="Show no progress bar."),
    ),
    pictures.PLOT,
    options.JSON,
)  # fmt: skip
def many(**given: Any) -> int:
    """Descend on FORMULA from many starts, and list the distinct minima.

    \b
    symgd many "x*cos(x) + 9" --box x=-15:15 --starts 2000
    symgd many "(x**2 + y - 11)**2 + (x + y**2 - 7)**2" --box x=-5:5,y=-5:5 --strategy latin --json
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    pictures.check(given)
    found = _descend(given)
    if given["as_json"]:
        print_json(found.to_dict())
    elif given["quiet"]:
        click.echo(starts.written(found.best.point) if found.best else "")
    else:
        click.echo(repr(found))
        for other in found.others:
            click.echo(f"{other.count:,} stopped at {starts.written(other.point)}: {other.kind}, {other.message}")
    pictures.write(given, found.plot)
    return GOOD if found.minima else FINDING


def _descend(given: Options) -> Many:
    box = values.spans("--box", given["box"])
    if not box:
        raise UsageError("--box says where to start; give it, such as --box x=-15:15")
    objective = inputs.objective(given)
    chosen = {name: given[name] for name in _NUMBERS if given[name] is not None}
    if given["no_shuffle"]:
        chosen["shuffle"] = False
    lr, rule = method.learning_rate(given), method.rule(given)
    if lr is not None:
        chosen["lr"] = lr
    if rule is not None:
        chosen["method"] = rule
    if given["count"] is not None:
        chosen["n"] = values.whole("--starts", given["count"])
    if given["strategy"] is not None:
        chosen["strategy"] = given["strategy"]
    if given["seed"] is not None:
        chosen["seed"] = int(given["seed"]) if given["seed"].is_integer() else given["seed"]
    progress = False if given["no_progress"] or given["quiet"] else None
    return objective.minimize_many(box=box, progress=progress, **chosen)
