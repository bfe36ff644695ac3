"""``symgd laws``: an update rule against the laws that it is under."""

from __future__ import annotations

from typing import Any

import click

from symgd.cli import method, options
from symgd.cli.group import FINDING, GOOD, Command, print_json
from symgd.errors import UsageError

_TEXT = "=;\n"  # one of these is in every text of a rule, and in no name


@click.command(
    cls=Command,
    epilog="Exit code: 0 when no law fails, 1 when one does; 2 when the call or the rule is at fault. It takes "
    "Hypothesis: pip install 'symgd[testing]'.",
)
@click.argument("rule")
@options.with_options(
    (
        click.option("--like", metavar="NAME", help="The optimizer that it should be, such as adam."),
        click.option("--lr", metavar="LR", help="The learning rate that it is run with where a law leaves it open."),
        click.option(
            "--hyper", "--set", "hyper", metavar="NAME=VALUE", multiple=True,
            help="The rule's hyperparameters, such as beta=0.9.",
        ),
        click.option("--law", "only", metavar="NAME", multiple=True, help="Check this law alone; may be given again."),
        click.option("--examples", type=int, default=20, help="Problems to draw for each published law; 20."),
        click.option("--seed", type=int, default=0, help="Which ones."),
        click.option("--no-progress", is_flag=True, help="Show no progress bar."),
    ),
    options.JSON,
)  # fmt: skip
def laws(**given: Any) -> int:
    """Check RULE against what is published about it, and what any optimizer owes its caller.

    RULE is the name of an update rule or a method, or the text of a rule. Where a law fails, there is the smallest
    problem on which it does, and where that can be found out the cause.

    \b
    symgd laws momentum
    symgd laws "v = -beta*v - lr*g; x = x + v" --hyper beta=0.9
    symgd laws "v = beta*v + g; x = x - lr*v" --hyper beta=0.9 --law momentum-polyak
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    from symgd.testing import check_optimizer

    text = given["rule"]
    written = any(sign in text for sign in _TEXT)
    lr = method.learning_rate({**given, "schedule": None})
    if lr == "auto":
        raise UsageError("--lr auto is no learning rate that a rule can be checked with; give a number")
    chosen = {**given, "rule": text if written else None, "method": None if written else text}
    found = method.chosen(chosen)["method"]
    report = check_optimizer(
        found, given["like"], lr=lr, laws=given["only"] or None, examples=given["examples"], seed=given["seed"],
        progress=False if given["no_progress"] or given["as_json"] else None,
        name=text if written else "",
    )  # fmt: skip
    if given["as_json"]:
        print_json(report.as_dict())
    else:
        click.echo(repr(report))
    return GOOD if report.ok else FINDING
