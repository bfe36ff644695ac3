"""``symgd derive``: exact derivatives, as text and as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from symgd.cli import inputs, options, starts
from symgd.cli.group import GOOD, Command, print_json
from symgd.errors import UsageError

if TYPE_CHECKING:
    from symgd.cli.options import Options
    from symgd.objective import Objective

_WIDE = 12  # columns of a Hessian that are printed for people


@click.command(cls=Command, epilog="Exit code: 0; 2 when the call, the data or the formula is at fault.")
@click.argument("formula")
@options.with_options(
    options.DATA,
    options.NAMES,
    (
        click.option("--sympy", "form", flag_value="sympy", help="As SymPy writes it (the default); of arrays, one "
                     "element, counted from 1."),
        click.option(
            "--text", "form", flag_value="text",
            help="In the language of formulas, which reads back (the default where parameters are arrays).",
        ),
        click.option(
            "--numpy", "form", flag_value="numpy",
            help="As text that runs after 'from numpy import *', and where it says special, after 'from scipy import "
                 "special'.",
        ),
        click.option("--latex", "form", flag_value="latex", help="As LaTeX."),
        click.option(
            "--hessian", is_flag=True,
            help="The second derivatives too, on and above the diagonal, not 0.",
        ),
        click.option(
            "--at", metavar="NAME=VALUE,...", multiple=True,
            help="Also the numbers at this point, as minimize takes --start.",
        ),
    ),
    options.JSON,
)  # fmt: skip
def derive(**given: Any) -> int:
    """Differentiate FORMULA exactly.

    \b
    symgd derive "0.2*x1**2 + x2**2" --hessian --at x1=9,x2=-3
    symgd derive "mean((y - (w*x + b))**2)" --data-names x,y --latex
    symgd derive "mean((y - X @ w)**2)" --data-names X,y --shape X=100x3,w=3
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    objective = inputs.objective(given)
    at = None
    if given["at"]:
        objective, at = _numbers_at(given, objective)
    form = given["form"] or ("text" if inputs.has_arrays(objective) else "sympy")
    if given["as_json"]:
        print_json(_derived(objective, at, hessian=given["hessian"]))
    elif form == "latex":
        _print_latex(objective, hessian=given["hessian"])
    else:
        _print_derivatives(objective, form, hessian=given["hessian"])
    if at and not given["as_json"]:
        _print_numbers(objective, at)
    return GOOD


def _numbers_at(given: Options, objective: Objective) -> tuple[Objective, dict[str, object]]:
    """Evaluate value, gradient and, where asked for, the Hessian; give the objective with the shapes of the point."""
    import numpy as np

    from symgd.display import finite, plain

    if given["data_names"] and objective.columns:
        raise UsageError(f"--at needs values of {', '.join(objective.columns)}; give --data instead of --data-names")
    point = starts.read(given["at"], "--at")
    x = objective.vector(point)  # what is wrong with it, the objective says
    if isinstance(point, dict):
        named = point
    elif len(point) == len(objective.params):
        named = dict(zip(objective.params, point, strict=True))
    else:  # the entries of all arrays, one after the other
        named = objective.model.shapes.values_of(x)
    shapes = {name: np.shape(value) for name, value in named.items()}
    objective = objective.with_shapes(shapes)
    value, gradient = objective.value(named), objective.gradient_at(named)
    found: dict[str, object] = {
        "point": {name: plain(np.asarray(named[name], dtype=float)) for name in objective.params},
        "value": finite(value), "gradient": {name: plain(slope) for name, slope in gradient.items()},
    }  # fmt: skip
    if given["hessian"]:
        found["hessian"] = [[finite(entry) for entry in row] for row in objective.hessian_at(named).tolist()]
    return objective, found


# ---- derivatives ---------------------------------------------------------------------------------------------------


def _derived(objective: Objective, at: Mapping[str, object] | None, *, hessian: bool) -> dict[str, object]:
    found: dict[str, object] = {
        "formula": objective.text, "params": list(objective.params), "gradient": objective.gradient.text(),
        "gradient_latex": objective.gradient.latex(),
    }  # fmt: skip
    if any(objective.shown.shapes.values()):
        found["shapes"] = {name: list(shape) for name, shape in objective.shown.shapes.items()}
    if hessian:
        found["hessian"] = [[a, b, text] for (a, b), text in objective.hessian.text().items()]
    return found | ({"at": at} if at else {})


def _print_latex(objective: Objective, *, hessian: bool) -> None:
    click.echo(objective.gradient.latex())
    if hessian:
        click.echo(objective.hessian.latex())


def _print_derivatives(objective: Objective, form: str, *, hessian: bool) -> None:
    lines = dict(_slopes(objective, form))
    if hessian:
        lines |= _bends(objective, form)
    if form == "text":
        shown = " ".join(objective.text.split())
    else:
        shown = objective.numpy() if form == "numpy" else str(objective.sympy)
    click.echo(f"f({', '.join(objective.params)}) = {shown}")
    width = max(map(len, lines), default=0)
    for left, right in lines.items():
        first, *statements = right.splitlines()
        if statements:  # of slices and gathers: the last of the statements leaves the derivative in g, or in h
            click.echo(f"  {left:{width}} = {first.split(' = ')[0]}, after")
            click.echo("\n".join(f"    {line}" for line in (first, *statements)))
        else:
            click.echo(f"  {left:{width}} = {right}")


def _slopes(objective: Objective, form: str) -> Iterable[tuple[str, str]]:
    """Give the partial derivatives, each with what it is by."""
    gradient = objective.gradient
    texts = gradient.numpy() if form == "numpy" else gradient.text() if form == "text" else {}
    for name, shape in objective.shown.shapes.items():
        if texts:
            yield f"df/d{name}", texts[name]
        elif shape:
            yield f"df/d{gradient[name].by}", str(gradient[name].sympy)
        else:
            yield f"df/d{name}", str(gradient[name])


def _bends(objective: Objective, form: str) -> dict[str, str]:
    """Give the second derivatives, each with what it is by."""
    second = objective.hessian
    lines = {}
    for (a, b), text in (second.numpy() if form == "numpy" else second.text()).items():
        found, by = second[a, b], (a, b)
        if form == "sympy":
            arrays = any(objective.shown.shapes[name] for name in (a, b))
            text, by = (str(found.sympy), found.by) if arrays else (str(found), by)  # noqa: PLW2901
        below = f"d{by[0]}^2" if by[0] == by[1] else f"d{by[0]} d{by[1]}"
        lines[f"d2f/{below}"] = text
    return lines


# ---- numbers -------------------------------------------------------------------------------------------------------


def _shown(value: object) -> str:
    """Write a number, or an array on one line, its middle left out where it is long."""
    if isinstance(value, list):
        import numpy as np

        array = np.array(value, dtype=float)
        return " ".join(np.array2string(array, precision=12, threshold=20, separator=", ").split())
    return "not finite" if value is None else f"{value:.12g}"


def _print_numbers(objective: Objective, at: Mapping[str, Any]) -> None:
    click.echo("at " + ", ".join(f"{name} = {_shown(value)}" for name, value in at["point"].items()))
    lines = {"f": at["value"]} | {f"df/d{name}": slope for name, slope in at["gradient"].items()}
    width = max(map(len, lines))
    for left, value in lines.items():
        click.echo(f"  {left:{width}} = {_shown(value)}")
    if "hessian" in at:
        names = objective.names
        if len(names) > _WIDE:
            click.echo(f"  the Hessian has {len(names):,} rows; --json prints them")
            return
        click.echo(f"  Hessian, in the order {', '.join(names)}:")
        for row in at["hessian"]:
            click.echo("    " + "  ".join(f"{_shown(entry):>12}" for entry in row))
