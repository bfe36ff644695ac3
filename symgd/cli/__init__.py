"""The command line: a module for each subcommand, and what several of them share. The only package that prints.

Nothing but click is imported at the top: ``symgd --help`` must not wait for NumPy. A new subcommand is a module with a
click command of the class `Command`, which takes the options as a dictionary, prints, and returns the exit code; it is
made known below.
"""

from __future__ import annotations

import click

from symgd import __version__
from symgd.cli.cache import cache
from symgd.cli.check import check
from symgd.cli.code import code
from symgd.cli.curvature import curvature
from symgd.cli.derive import derive
from symgd.cli.fit import fit
from symgd.cli.group import Group
from symgd.cli.laws import laws
from symgd.cli.many import many
from symgd.cli.minimize import maximize, minimize
from symgd.cli.theory import theory

__all__ = ["main"]


@click.group(cls=Group, context_settings={"max_content_width": 100})
@click.version_option(__version__, prog_name="symgd")
def main() -> None:
    """Gradient descent for formulas: exact derivatives, compiled runs, an honest account.

    \b
    symgd minimize "0.2*x1**2 + x2**2" --start x1=9,x2=-3 --lr 0.2 --plot descent.png
    symgd minimize "mean((y - X @ w)**2)" --data data.npz --start 'w=[0,0,0]' --batch 32 --epochs 20
    symgd derive "log(1 + exp(-x*y))" --hessian
    symgd check "mean((y - w*x)**2)" --grad "w=-2*mean(x*(y - w*x))" --data-names x,y
    symgd curvature "0.2*x1**2 + x2**2" --at x1=0,x2=0
    symgd theory momentum --smallest 1 --largest 10 --hyper beta=0.8
    symgd play "sin(x)*sin(y)" -o hills.html
    symgd laws "v = beta*v - lr*g; x = x + v" --hyper beta=0.9
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped


for command in (minimize, maximize, many, fit, derive, code, check, curvature, theory, laws, cache):
    main.add_command(command)
