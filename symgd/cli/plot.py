"""``symgd plot`` and ``symgd animate``: pictures and films of an objective, of a run, or of runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symgd.cli import inputs, options, pictures, starts, values
from symgd.cli.group import GOOD, Command, print_json
from symgd.cli.minimize import descend
from symgd.errors import UsageError

if TYPE_CHECKING:
    from symgd.cli.options import Options
    from symgd.run import Run

_EXIT = "Exit code: 0 when the file is written; 2 when the call, the data or the formula is at fault."
_LANDSCAPE = (
    click.option("--lrs", metavar="A,B,...", help="Learning rates to compare, a panel each, named by what it shows."),
    click.option("--together", is_flag=True, help="Draw the runs of --lrs into one picture."),
    click.option("--maximize", is_flag=True, help="Go up instead of down."),
    click.option(
        "--range", "ranges", metavar="NAME=LOW:HIGH,...", multiple=True,
        help="From where to where the landscape is drawn, such as x=-3:5; by default so that the path lies inside.",
    ),
    click.option(
        "--kind", metavar="NAME", default="auto",
        help="path, surface, loss, parameters, data or both; by default the path, or the loss of many parameters.",
    ),
    click.option("--field", is_flag=True, help="Draw the gradient as arrows."),
    click.option(
        "--at", metavar="NAME=VALUE,...", multiple=True,
        help="Draw the tangent at a point, or the gradient and the ellipse of the curvature; or start, or end.",
    ),
    click.option("--no-progress", is_flag=True, help="Show no progress bar."),
)  # fmt: skip
_FILM = (
    click.option("-o", "--output", metavar="FILE", required=True, help="The film: .mp4, .gif or .html."),
    click.option("--frames", type=float, metavar="N", default=100, help="How many pictures at most; by default 100."),
    click.option("--fps", type=float, metavar="N", default=20, help="Frames a second; by default 20."),
)


@click.command(cls=Command, epilog=_EXIT)
@click.argument("formula")
@options.with_options(
    (click.option("-o", "--output", metavar="FILE", required=True, help="The picture: .png, .svg or .pdf."),),
    _LANDSCAPE, options.DATA, options.DESCENT,
    (click.option("--frame", type=float, metavar="STEP", help="Show the descent as it stands at this step."),),
    options.JSON,
)  # fmt: skip
def plot(**given: Any) -> int:
    """Draw FORMULA: its landscape over --range, and with --start a descent on it.

    \b
    symgd plot "x*cos(x) + 9" --range x=-15:15 -o curve.png
    symgd plot "sin(x)*sin(y)" --range x=-3:3,y=-3:3 --field --kind surface -o hills.png
    symgd plot "x**2 - 4*x + 5" --start x=-1 --lrs 0.02,0.2,0.8,1.01 --steps 10 -o rates.png
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    pictures.check({"plot": given["output"]})
    axes, runs = _drawn(given)
    if given["frame"] is not None:
        from symgd.plotting import animate

        animate(axes).at(values.whole("--frame", given["frame"]))
    pictures.write({**given, "plot": given["output"]}, lambda: axes[0])
    return _tell(given, runs)


@click.command(cls=Command, epilog=_EXIT)
@click.argument("formula")
@options.with_options(_FILM, _LANDSCAPE, options.DATA, options.DESCENT, options.JSON)
def animate(**given: Any) -> int:
    """Animate a descent on FORMULA from --start, or several side by side; without a start, the tangent at --at.

    \b
    symgd animate "0.2*x1**2 + x2**2" --start x1=9,x2=-3 --lr 0.8 --steps 100 -o bowl.mp4
    symgd animate "x**2 - 4*x + 5" --start x=-1 --lrs 0.2,0.8,1.01 --steps 20 -o rates.gif
    """  # noqa: D301 - as above
    from symgd.plotting import animate as film
    from symgd.plotting import check_film

    check_film(given["output"])
    axes, runs = _drawn(given)
    progress = False if given["no_progress"] or given["as_json"] else None
    found = film(axes, frames=values.whole("--frames", given["frames"]), fps=given["fps"], progress=progress)
    pictures.put(given, given["output"], lambda: found.save(given["output"]), "film")
    return _tell(given, runs)


def _drawn(given: Options) -> tuple[list[Any], list[Run]]:
    """Draw what was asked for; give the Axes and the runs."""
    from symgd import plotting

    ranges = values.spans("--range", given["ranges"]) or None
    if given["at"] in (("start",), ("end",)):
        at: Any = given["at"][0]
    else:
        at = starts.read(given["at"], "--at") or None
    shown: dict[str, Any] = {"kind": given["kind"], "ranges": ranges, "field": given["field"]}
    if not given["start"]:
        if given["lrs"]:
            raise UsageError("--lrs compares descents; give --start too")
        if not ranges:
            raise UsageError(
                "say from where to where by --range, such as --range x=-3:5, or give --start for a descent"
            )
        objective = inputs.objective(given)
        return [plotting.plot_objective(objective, **{**shown, "at": at})], []
    given["quiet"], given["resume"] = given["as_json"], None
    if not given["lrs"]:
        run, objective = descend(given, maximize=given["maximize"])
        return [plotting.plot_run(run, objective, at=at, **shown)], [run]
    if at is not None or given["lr"]:
        raise UsageError(
            f"--{'at' if at is not None else 'lr'} is for one descent, and --lrs gives several; leave it out"
        )
    found = [descend({**given, "lr": lr}, maximize=given["maximize"]) for lr in values.items(given["lrs"])]
    runs = [run for run, _ in found]
    return plotting.plot_runs(runs, found[0][1], together=given["together"], **shown), runs


def _tell(given: Options, runs: list[Run]) -> int:
    if given["as_json"]:
        print_json({"formula": given["formula"], "file": given["output"], "runs": [run.to_dict() for run in runs]})
    return GOOD
