"""``symgd theory``: what is known of an update rule before it runs."""

from __future__ import annotations

from typing import Any

import click

from symgd.cli import method, options
from symgd.cli.group import FINDING, GOOD, Command, print_json

_TEXT = "=;\n"  # one of these is in every text of a rule, and in no name


@click.command(
    cls=Command,
    epilog="Exit code: 0; 1 when the rule has no theory, or is not stable at --lr; 2 when the call or the rule is at "
    "fault.",
)
@click.argument("rule")
@options.with_options(
    (
        click.option("--smallest", type=float, metavar="MU", help="The smallest eigenvalue of the Hessian."),
        click.option("--largest", type=float, metavar="L", help="The largest one. Without it, symbols alone."),
        click.option("--lr", metavar="LR", help="The learning rate whose rate is asked for."),
        click.option(
            "--hyper",
            "--set",
            "hyper",
            metavar="NAME=VALUE",
            multiple=True,
            help="The rule's hyperparameters, such as beta=0.9.",
        ),
        click.option("--latex", is_flag=True, help="The iteration matrix and the limit as LaTeX, and nothing else."),
    ),
    options.JSON,
)
def theory(**given: Any) -> int:
    """Say what is known of RULE on quadratics: the stability limit, the rate, the best it can be tuned to.

    RULE is the name of an update rule, or its text.

    \b
    symgd theory momentum --smallest 1 --largest 10 --lr 0.05 --hyper beta=0.8
    symgd theory "v = beta*v - lr*g; x = x + v" --hyper beta=0.9
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
    text = given["rule"]
    written = any(sign in text for sign in _TEXT)
    rule = method.rule({**given, "rule": text if written else None, "method": None if written else text})
    assert rule is not None
    lr = method.learning_rate({**given, "schedule": None})
    found = rule.theory(given["smallest"], given["largest"], lr)
    if given["as_json"]:
        print_json(found.to_dict())
    else:
        click.echo(found.latex() if given["latex"] and found.linear else found.summary())
    return GOOD if found.linear and found.stable is not False else FINDING
