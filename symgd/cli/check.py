"""``symgd check``: derivatives that were derived by hand, against the exact ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symgd.cli import inputs, options, values
from symgd.cli.group import FINDING, GOOD, Command, print_json
from symgd.errors import UsageError, safe

if TYPE_CHECKING:
    from symgd.checking import Check
    from symgd.cli.options import Options


@click.command(cls=Command, epilog="Exit code: 0 when none is wrong, 1 when one is; 2 when the call or a formula is at "
               "fault.")  # fmt: skip
@click.argument("formula", required=False)
@options.with_options(
    (
        click.option("--grad", metavar="NAME=FORMULA", multiple=True, help="The derivative by a parameter."),
        click.option(
            "--hessian", metavar="A,B=FORMULA", multiple=True, help="A second derivative, by two parameters."
        ),
        click.option(
            "--jacobian", metavar="NAME=FORMULA", multiple=True,
            help="The derivative by a parameter of a formula with one value a row.",
        ),
        click.option("--file", metavar="FILE", help="A file of formulas and derivatives, instead of all these."),
        click.option(
            "--latex", is_flag=True,
            help="FORMULA and derivatives are LaTeX; these may be equations, as \\nabla_w L = ...",
        ),
        click.option("--where", metavar="TEXT", multiple=True, help="What is known of the data: 'A is symmetric'."),
        click.option("--data-names", metavar="X,Y", help="Names that are columns of data, without their values."),
        click.option(
            "--shape", metavar="NAME=LENGTHS,...", multiple=True,
            help="Shapes of arrays, such as X=nxk,w=k; a length may be a name, which stands for any number.",
        ),
    ),
    options.DATA,
    options.JSON,
)  # fmt: skip
def check(**given: Any) -> int:
    """Check derivatives of FORMULA that were derived by hand.

    \b
    symgd check "mean((y - (w*x + b))**2)" --grad "w=-2*mean(x*(y - w*x - b))" --data-names x,y
    symgd check "sum((y - X @ w)**2)" --grad "w=2*X.T @ (X @ w - y)" --data-names X,y --shape X=nxk,y=n,w=k
    symgd check "x**2*y" --hessian "x,x=2*y" --hessian "x,y=2*x"
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    results = _results(given)
    if given["as_json"]:
        print_json(results[0].to_dict() if len(results) == 1 else {
            "ok": all(r.ok for r in results), "checks": [r.to_dict() for r in results]})  # fmt: skip
    else:
        click.echo("\n".join(map(str, results)))
    return GOOD if all(r.ok for r in results) else FINDING


def _results(given: Options) -> list[Check]:
    from symgd import checking

    if given["file"]:
        return list(checking.check_file(given["file"]))
    if not given["formula"]:
        raise UsageError("give a formula, and its derivatives with --grad NAME=FORMULA; or --file FILE")
    kinds = [k for k in ("grad", "hessian", "jacobian") if given[k]]
    if not kinds:
        raise UsageError("nothing to check: give derivatives with --grad NAME=FORMULA, --hessian or --jacobian")
    data, params = _data(given)
    found = []
    for kind in kinds:
        claims: Any = _equations(given[kind], f"--{kind}") if given["latex"] else dict(
            _split(text, f"--{kind}") for text in given[kind])  # fmt: skip
        call = {"grad": checking.check_gradient, "hessian": checking.check_hessian, "jacobian": checking.check_jacobian}
        found.append(call[kind](given["formula"], claims, data, params=params, where=given["where"],
                                latex=given["latex"]))  # fmt: skip
    return found


def _equations(texts: Iterable[str], option: str) -> Any:
    """Give LaTeX by name, or as equations where their left sides say what they are the derivative by."""
    from symgd.language.latex import read_target

    texts = list(texts)
    if all("=" in text and text.lstrip().startswith("\\") and read_target(text, {}) for text in texts):
        return texts
    return dict(_split(text, option) for text in texts)


def _split(text: str, option: str) -> tuple[str, str]:
    name, sign, formula = text.partition("=")
    if not sign or not name.strip() or not formula.strip() or formula.startswith("="):
        raise UsageError(f"{option} {safe(text)} must be NAME=FORMULA, such as {option} 'w=2*w'")
    return name.strip(), formula.strip()


def _data(given: Options) -> tuple[Any, Any]:
    """Give the data, or their names and shapes; and the parameters."""
    shapes = dict(_shapes(given["shape"]))
    params: Any = inputs.listed(given["params"]) if given["params"] else None
    given, named = _names_apart(given)
    found = inputs.columns({**given, "data_names": None}) or {}
    names = [*named, *(inputs.listed(given["data_names"]) if given["data_names"] else [])]
    data: dict[str, object] = dict(found)
    for name in names:
        if name in data:
            raise UsageError(f"'{safe(name)}' has values; leave it out of --data-names")
        data[name] = shapes.pop(name, None)
    if shapes:
        params = {**dict.fromkeys(params or ()), **shapes}
    return data or None, params


def _names_apart(given: Options) -> tuple[Options, list[str]]:
    """Take ``--data x,y``, where there is no such file, for the names that it says."""
    files: list[str] = []
    names: list[str] = []
    for text in given["data"]:
        listed = [name.strip() for name in text.split(",")]
        is_names = all(name.isidentifier() for name in listed) and not Path(text).exists()
        names += listed if is_names else []
        files += [] if is_names else [text]
    return {**given, "data": tuple(files)}, names


def _shapes(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for item in (item for text in texts for item in values.items(text)):
        name, sign, shape = item.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"--shape {safe(item)} must be name=length or name=length x length, such as X=nxk")
        yield name.strip(), shape.strip()
