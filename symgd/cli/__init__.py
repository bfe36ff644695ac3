"""The command line: a module for each subcommand, and what several of them share. The only package that prints.

Nothing but click is imported at the top: ``symgd --help`` must not wait for NumPy, nor a subcommand for the others. A
new one is a module with a click command of the class `Command`, which takes the options as a dictionary, prints, and
returns the exit code; it is made known below.
"""

from __future__ import annotations

import click

from symgd import __version__
from symgd.cli.group import Group

__all__ = ["main"]


_NAMES = (
    "minimize", "many", "map", "fit", "plot", "derive", "code", "check", "curvature", "theory", "laws",
    "play", "cache",
)  # fmt: skip


@click.group(
    cls=Group,
    homes={**{name: name for name in _NAMES}, "maximize": "minimize", "animate": "plot"},
    context_settings={"max_content_width": 100},
)
@click.version_option(__version__, prog_name="symgd", message="%(prog)s, version %(version)s")
def main() -> None:
    """Gradient descent for formulas: exact derivatives, compiled runs, an honest account.

    \b
    symgd minimize "0.2*x1**2 + x2**2" --start x1=9,x2=-3 --lr 0.2 --plot descent.png
    symgd minimize "mean((y - X @ w)**2)" --data data.npz --start 'w=[0,0,0]' --batch 32 --epochs 20
    symgd plot "sin(x)*sin(y)" --range x=-3:3,y=-3:3 --field -o hills.png
    symgd derive "log(1 + exp(-x*y))" --hessian
    symgd check "mean((y - w*x)**2)" --grad "w=-2*mean(x*(y - w*x))" --data-names x,y
    symgd curvature "0.2*x1**2 + x2**2" --at x1=0,x2=0
    symgd map "x**2/2 + 5*y**2" --lr 1e-3 1 --beta 0 1 --start x=1,y=1 -o momentum.png
    symgd theory momentum --smallest 1 --largest 10 --hyper beta=0.8
    symgd play "sin(x)*sin(y)" -o hills.html
    symgd laws "v = beta*v - lr*g; x = x + v" --hyper beta=0.9
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped
