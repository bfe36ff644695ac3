"""``symgd map``: the steps that descents take, over two of learning rate, hyperparameters and start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symgd.cli import inputs, method, options, pictures, values
from symgd.cli.group import FINDING, GOOD, Command, print_json
from symgd.errors import UsageError, safe

if TYPE_CHECKING:
    from symgd.cli.options import Options
    from symgd.many import Map

_EXIT = "Exit code: 0 when some descent converged; 1 when none did; 2 when the call or the formula is at fault."


class _Ranges(Command):
    """A command with an option for each name that may vary: ``--lr 1e-3 1``, ``--beta 0.9``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what is followed by numbers, and is no option, for the name of what they are of."""
        known = {name: o.is_flag for o in self.get_params(ctx) if isinstance(o, click.Option) for name in o.opts}
        rest: list[str] = []
        named: dict[str, float | str | tuple[float, ...]] = {}
        left = list(args)
        while left:
            arg = left.pop(0)
            if arg == "--":
                rest += [arg, *left]
                break
            if arg in known and not known[arg] and left:
                rest += [arg, left.pop(0)]
                continue
            numbers: list[float] = []
            while arg.startswith("--") and arg not in known and left and len(numbers) < 2 and _is_number(left[0]):
                numbers.append(float(left.pop(0)))
            if numbers:
                named[arg[2:]] = tuple(numbers) if len(numbers) == 2 else numbers[0]
            elif arg == "--lr" and left:  # a formula of t
                named["lr"] = left.pop(0)
            else:
                rest.append(arg)
        ctx.obj = named
        return super().parse_args(ctx, rest)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@click.command(cls=_Ranges, epilog=_EXIT, options_metavar="[--NAME LOW HIGH]... [OPTIONS]")
@click.argument("formula")
@options.with_options(
    options.DATA,
    (
        click.option("--start", metavar="NAME=VALUE,...", multiple=True,
                     help="Where to start, such as x=1,y=2; what is an axis needs none."),
        click.option("--method", metavar="NAME", help="The update rule; by default the first that has what is named."),
        click.option("--rule", metavar="TEXT", help="An update rule of your own; give its numbers by --hyper."),
        click.option("--hyper", metavar="NAME=VALUE", multiple=True, help="Numbers of the rule, such as eps=1e-6."),
        click.option("--size", metavar="N", help="Cells along each axis, or across and up, 400x300; by default 200."),
        click.option("--steps", type=float, metavar="N", help="Steps at most; by default 500."),
        click.option("--gtol", type=float, metavar="TOL", help="Converged is what has so small a gradient; by default "
                     "a millionth of a usual one."),
        click.option("--seed", type=float, metavar="N", help="Of the rule's draws."),
        click.option("--tier", metavar="NAME", help="python, numba or auto."),
        click.option("--output", "-o", "plot", metavar="FILE", help="Draw the map: .png, .svg or .pdf."),
        click.option("--no-progress", is_flag=True, help="Show no progress bar."),
    ),
    options.JSON,
)  # fmt: skip
@click.pass_obj
def map(named: dict[str, Any], /, **given: Any) -> int:  # noqa: A001 - the command is called so
    """Show how many steps descents on FORMULA take to converge, over any two of learning rate, hyperparameters, start.

    Two names have a range, --NAME LOW HIGH, the first of them across; others a number.

    \b
    symgd map "x**2/2 + 5*y**2" --lr 1e-3 1 --beta 0 1 --start x=1,y=1 -o momentum.png
    symgd map "x**4 - 3*x**2 + x" --x -2.5 2.5 --lr 0 0.4 -o edge.png
    symgd map "x**4/4 - x**2/2 + y**2" --x -2 2 --y -2 2 --lr 0.1 --json
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    pictures.check(given)
    found = _mapped(given, named)
    if given["as_json"]:
        print_json(found.to_dict())
    else:
        click.echo(repr(found))
        for place, minimum in enumerate(found.minima, 1):
            click.echo(f"  {place}: {minimum!r}")
    pictures.write(given, found.plot)
    return GOOD if found.converged.any() else FINDING


def _mapped(given: Options, named: dict[str, Any]) -> Map:
    start, unnamed = values.named(given["start"], "--start", values.value)
    chosen: dict[str, Any] = {name: given[name] for name in ("steps", "gtol", "seed") if given[name] is not None}
    for name in ("steps", "seed"):
        if name in chosen:
            chosen[name] = values.whole(f"--{name}", chosen[name])
    if given["size"] is not None:
        chosen["size"] = _size(given["size"])
    if given["method"] is not None or given["rule"] is not None:
        chosen |= method.chosen(given)
    else:
        named = {**method.numbers_of(given), **named}
    objective = inputs.objective(given)
    progress = False if given["no_progress"] else None
    return objective.map(unnamed or start, progress=progress, **{**chosen, **named})


def _size(text: str) -> int | tuple[int, int]:
    """Read ``400`` or ``400x300``."""
    sizes = text.split("x")
    if len(sizes) > 2 or not all(size.strip().isdigit() for size in sizes):
        raise UsageError(f"--size {safe(text)} must be a number of cells, or two of them, such as 400x300")
    found = [int(size) for size in sizes]
    return found[0] if len(found) == 1 else (found[0], found[1])
