"""``symgd code``: an objective and its exact derivatives as a module that stands alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from symgd.cli import inputs, method, options
from symgd.cli.group import GOOD, Command, print_json
from symgd.errors import DataError, UsageError, safe


@click.command(cls=Command, epilog="Exit code: 0; 2 when the call, the data or the formula is at fault.")
@click.argument("formula")
@options.with_options(
    options.DATA,
    options.NAMES,
    (
        click.option(
            "--target", metavar="NAME", default="numpy",
            help="What the module is for: numpy (the default), c, javascript, jax, pytorch or julia.",
        ),
        click.option(
            "--rule", metavar="NAME", multiple=True,
            help="An update rule, by name or as text, whose whole descent the module is to hold. May be given several "
            "times.",
        ),
        *options.RATE,
        click.option("--embed", is_flag=True, help="Put the data into the module: for javascript."),
        click.option("-o", "--output", metavar="FILE", help="Write the module to a file."),
    ),
    options.JSON,
)  # fmt: skip
def code(**given: Any) -> int:
    """Write FORMULA and its derivatives as a module to paste.

    \b
    symgd code "0.2*x1**2 + x2**2" > quadratic.py
    symgd code "mean((y - X @ w)**2)" --data-names X,y --shape X=100x3,w=3
    symgd code "0.2*x1**2 + x2**2" --target c --rule adam --lr 0.1 -o quadratic.c
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    from symgd.objective.modules import checked_target

    target = checked_target(given["target"])
    hyper = method.hyper_of(given["hyper"])
    for name in {"target", "rule", "lr", "embed"} & set(hyper):
        raise UsageError(f"--hyper {name}: a hyperparameter cannot be called '{name}'; take another name")
    objective = inputs.objective(given)
    inputs.has_arrays(objective)  # or it says how to give shapes
    rules = given["rule"] if len(given["rule"]) != 1 else given["rule"][0]
    text = objective.code(
        target, rule=rules or None, lr=method.learning_rate(given), embed=given["embed"],
        **hyper,
    )  # fmt: skip
    if given["output"]:
        _save(given["output"], text)
    if given["as_json"]:
        print_json({"formula": objective.text, "target": target, "code": text})
    elif not given["output"]:
        click.echo(text, nl=False)
    return GOOD


def _save(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise DataError(f"--output: '{safe(path)}' cannot be written: {safe(str(problem.strerror))}") from None
