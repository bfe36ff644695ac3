"""What all commands have in common: how arguments are read, how errors become messages and exit codes."""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from symgd.errors import FormulaError, SymgdError, SymgdWarning, other_option

GOOD, FINDING, FAULT = 0, 1, 2  # exit codes


class Command(click.Command):
    """A subcommand whose formula may begin with a minus, and whose help lists what has names."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take ``-x**2`` for a formula: no option of symgd has a single dash."""
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        known = {name for o in options for name in o.opts}
        valued = {name for o in options if not o.is_flag for name in o.opts}
        try:
            return super().parse_args(ctx, _with_formula_last(args, known, valued))
        except click.NoSuchOption as problem:
            raise _renamed(problem, known, ctx) from None
        except click.UsageError as problem:
            if "unexpected extra argument" not in problem.message:
                raise
            example = "; derivatives are given by --grad 'w=2*w'" if "--grad" in known else ""
            hint = f"put the formula in quotes, so that it is one argument{example}"
            raise click.UsageError(f"{problem.message}: {hint}", ctx=ctx) from None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the tables of methods and schedules, which are imported for this alone."""
        names = {p.name for p in self.params}
        if "method" in names:
            from symgd.descent.methods import METHODS
            from symgd.rules import RULES
            from symgd.rules.schedules import SCHEDULES

            for title, rows in (
                ("Methods", [(name, m.summary + _listed(m.hyper)) for name, m in METHODS.items()]),
                ("Methods, compiled", [("exact", "gradient descent with the exact step on quadratics (Cauchy 1847)")]),
                ("Update rules", [(name, row.summary + _listed(row.hyper)) for name, row in RULES.items()]),
                ("Schedules", [(name, row[2] + _listed(row[1])) for name, row in SCHEDULES.items()]),
            ):
                with formatter.section(title):
                    formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


def _renamed(problem: click.NoSuchOption, known: set[str], ctx: click.Context) -> click.UsageError:
    """Say what an option of another library is called here; never that it may be another option."""
    typed = problem.option_name
    other = other_option(typed.lstrip("-"), {name.lstrip("-").replace("-", "_") for name in known})
    if other is None:
        from symgd.language.foreign import distance

        meant = "-" + typed.split("=")[0]  # one dash too few
        near = meant if meant in known else min(known, key=lambda name: distance(typed, name))
        if distance(typed.split("=")[0], near) > 1 + (len(typed) > 8):
            return click.UsageError(f"No such option '{typed}'.", ctx=ctx)
    elif " " in other:
        return click.UsageError(f"No such option '{typed}': {other}.", ctx=ctx)
    else:
        near = f"--{other.replace('_', '-')}"
    return click.UsageError(f"No such option '{typed}'. Did you mean '{near}'?", ctx=ctx)


def _listed(numbers: Mapping[str, float]) -> str:
    return f" [{', '.join(f'{name}={value:g}' for name, value in numbers.items())}]" if numbers else ""


# What commands may be called elsewhere.
_COMMANDS = {
    **dict.fromkeys(("gradient", "grad", "diff", "differentiate", "derivative", "hessian"), "derive"),
    **dict.fromkeys(("optimize", "optimise", "minimise", "descend", "run", "train", "solve"), "minimize"),
    **dict.fromkeys(("regress", "regression", "curve_fit", "curvefit"), "fit"),
    **dict.fromkeys(("verify", "test", "gradcheck", "check_grad", "check-gradient"), "check"),
}


class Group(click.Group):
    """The commands together; here errors become messages and exit codes.

    Parameters
    ----------
    homes : mapping of str to str
        Each command, and the module of `symgd.cli` that it lives in, which is imported when the command is called.
    **settings : object
        As for `click.Group`.
    """

    def __init__(self, *, homes: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self.homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Give the names of the commands, in the order in which help lists them."""
        return sorted(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Import a command."""
        if cmd_name not in self.homes:
            return None
        home = import_module(f"symgd.cli.{self.homes[cmd_name]}")
        # A name that Python has already stands with an underscore.
        command: click.Command = getattr(home, cmd_name, None) or getattr(home, f"{cmd_name}_")
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Say what a command is called here that has another name elsewhere."""
        if args[0] in _COMMANDS and args[0] not in self.homes:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{_COMMANDS[args[0]]}'?")
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> NoReturn:
        """Run a command and leave with its exit code.

        Parameters
        ----------
        args : sequence of str, optional
            The arguments; by default those of the process.
        *rest : object
            As for ``click.Command.main``.
        **options : object
            As for ``click.Command.main``.
        """
        if args is None:
            _settle_in()
        args = sys.argv[1:] if args is None else list(args)
        _spell_anything()
        warnings.showwarning = _note  # type: ignore[assignment]
        try:
            # By its own count click would turn `*` in a formula into file names on Windows.
            result = super().main(args, *rest, **{**options, "standalone_mode": False, "windows_expand_args": False})
            if sys.stdout is not None:  # closed by whoever called
                sys.stdout.flush()
            sys.exit(result if isinstance(result, int) else GOOD)
        except (SymgdError, click.ClickException) as problem:
            _tell(problem, as_json="--json" in args)
            sys.exit(FAULT)
        except click.Abort:
            click.echo("interrupted", err=True)
            sys.exit(FINDING)
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            _drop_output()
            sys.exit(FINDING)
        except OSError as problem:  # a full disk under the output: no answer, and so no finding
            _drop_output()
            with contextlib.suppress(OSError):
                click.echo(f"Error: the answer cannot be written: {problem.strerror or problem}", err=True)
            sys.exit(FAULT)


def _drop_output() -> None:
    """Send what is still to be written nowhere, so that leaving does not fail in turn."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _settle_in() -> None:
    """Spare a process that runs one command what takes time and serves longer ones."""
    # More threads take time to start, and a run asks for one at a time anyway.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(100_000)  # what is imported is no garbage
    atexit.register(gc.freeze)  # nor is it to be looked through once more at the end


def _with_formula_last(args: list[str], known: set[str], valued: set[str]) -> list[str]:
    """Put what begins with a single dash behind ``--``, where click takes it for the formula."""
    kept: list[str] = []
    formulas: list[str] = []
    left = iter(enumerate(args))
    for place, arg in left:
        following = args[place + 1] if place + 1 < len(args) else None
        if arg == "--":
            formulas += args[place + 1 :]
            break
        if arg == "--trace" and not (following or "").isdigit():  # its number may be left out
            kept.append("--trace=0")
        elif arg in valued and following is not None:
            kept += [arg, following]
            next(left)
        elif arg.startswith("-") and not arg.startswith("--") and arg != "-":
            meant = "-" + arg.split("=")[0]
            if meant in known:
                raise click.NoSuchOption(arg, possibilities=[meant])
            formulas.append(arg)
        else:
            kept.append(arg)
    return [*kept, "--", *formulas] if formulas else kept


def _spell_anything() -> None:
    """Let a terminal without the Greek alphabet show escapes instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _tell(problem: SymgdError | click.ClickException, *, as_json: bool) -> None:
    """Say what is at fault: one object on stdout for machines, text on stderr for people."""
    if as_json:
        print_json({"error": _described(problem)})
    elif isinstance(problem, click.ClickException):
        problem.show()
    elif isinstance(problem, FormulaError):
        hint = problem.hint and _spelt(problem.hint)
        told = type(problem)(problem.problem, problem.text, problem.start, problem.end, hint)
        click.echo(str(told), err=True)
    else:
        click.echo(f"Error: {_spelt(str(problem))}", err=True)


def _note(message: Warning | str, category: type[Warning], *_: object) -> None:
    """Show a warning as a line of its own, without a place in any code."""
    click.echo(f"{'Note' if issubclass(category, SymgdWarning) else 'Warning'}: {_spelt(str(message))}", err=True)


# The options that messages name as Python's; on the command line they are spelt in another way.
_NAMED = (
    r"(?<![\w.-])(data|start|lr|steps|method|batch|epochs|seed|gtol|ftol|xtol|seconds|target|weights|sigma|level|box|"
    r"covariance|workers|strategy|shuffle|every|params)=(?=(\S)?)"
)


def _spelt(message: str) -> str:
    """Put hints that are meant for Python into the command line's spelling."""
    message = re.sub(r"f\.with_shapes\(\{'(\w+)': \(?(\d+),?\)?\}\)", r"--shape \1=\2", message)
    message = re.sub(r"f\.with_shapes\(\{'(\w+)': \(\)\}\)", r"--shape \1=()", message)
    message = message.replace("Objective(...).minimize takes", "symgd minimize takes")
    message = re.sub(r"data=\{\.\.\.\}(?: to Objective)?", "--data", message)
    return re.sub(_NAMED, lambda m: f"--{m[1]}" + (" " if m[2] and m[2] not in ",;.)" else ""), message)


def _described(problem: SymgdError | click.ClickException) -> dict[str, object]:
    if isinstance(problem, FormulaError):
        return {
            "type": type(problem).__name__, "message": problem.problem, "hint": problem.hint, "formula": problem.text,
            "line": problem.line, "column": problem.column, "start": problem.start, "end": problem.end,
        }  # fmt: skip
    if isinstance(problem, click.ClickException):
        return {"type": "UsageError", "message": problem.format_message()}
    return {"type": type(problem).__name__, "message": str(problem)}


def print_json(value: Mapping[str, object]) -> None:
    """Print one object for machines.

    Parameters
    ----------
    value : mapping
        What to print; finite numbers only.
    """
    click.echo(json.dumps(value, allow_nan=False))
