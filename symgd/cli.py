"""The command line: ``symgd minimize``, ``symgd maximize``, ``symgd derive``. The only module that prints.

Nothing but click is imported at the top: ``symgd --help`` must not wait for NumPy. A new subcommand is a function that
takes the options as a dictionary, prints, and returns the exit code; `main.command` and `_with` make it known.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from symgd import __version__
from symgd.errors import FormulaError, SymgdError, UsageError, safe

if TYPE_CHECKING:
    from symgd.objective import Objective
    from symgd.rules import Rule
    from symgd.run import History, Run

GOOD, FINDING, FAULT = 0, 1, 2  # exit codes

_LONG = 4096  # characters of a file's name that are shown
_SHOWN = 6  # parameters that a table of steps has room for
_TRACED = 20  # its lines, when no spacing was asked for
_RESERVED = ("text", "init", "name", "default_lr")  # arguments of Rule, which no hyperparameter may be called


# ---- click ---------------------------------------------------------------------------------------------------------


class Command(click.Command):
    """A subcommand whose formula may begin with a minus, and whose help lists what has names."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take ``-x**2`` for a formula: no option of symgd has a single dash."""
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        known = {name for o in options for name in o.opts}
        valued = {name for o in options if not o.is_flag for name in o.opts}
        return super().parse_args(ctx, _with_formula_last(args, known, valued))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the tables of methods and schedules, which are imported for this alone."""
        names = {p.name for p in self.params}
        if "method" in names:
            from symgd.rules import RULES
            from symgd.schedules import SCHEDULES

            for title, rows in (
                ("Methods", [(name, row.summary + _listed(row.hyper)) for name, row in RULES.items()]),
                ("Schedules", [(name, row[2] + _listed(row[1])) for name, row in SCHEDULES.items()]),
            ):
                with formatter.section(title):
                    formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


def _listed(numbers: Mapping[str, float]) -> str:
    return f" [{', '.join(f'{name}={value:g}' for name, value in numbers.items())}]" if numbers else ""


class Group(click.Group):
    """The commands together; here errors become messages and exit codes."""

    command_class = Command

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
        args = sys.argv[1:] if args is None else list(args)
        _spell_anything()
        try:
            # By its own count click would turn `*` in a formula into file names on Windows.
            result = super().main(args, *rest, **{**options, "standalone_mode": False, "windows_expand_args": False})
            sys.stdout.flush()
            sys.exit(result if isinstance(result, int) else GOOD)
        except (SymgdError, click.ClickException) as problem:
            _tell(problem, as_json="--json" in args)
            sys.exit(FAULT)
        except click.Abort:
            click.echo("interrupted", err=True)
            sys.exit(FINDING)
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(FINDING)


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
        _print_json({"error": _described(problem)})
    elif isinstance(problem, click.ClickException):
        problem.show()
    elif isinstance(problem, FormulaError):
        click.echo(str(problem), err=True)
    else:
        click.echo(f"Error: {problem}", err=True)


def _described(problem: SymgdError | click.ClickException) -> dict[str, Any]:
    if isinstance(problem, FormulaError):
        return {
            "type": "FormulaError", "message": problem.problem, "hint": problem.hint, "formula": problem.text,
            "line": problem.line, "column": problem.column, "start": problem.start, "end": problem.end,
        }  # fmt: skip
    if isinstance(problem, click.ClickException):
        return {"type": "UsageError", "message": problem.format_message()}
    return {"type": type(problem).__name__, "message": str(problem)}


def _print_json(value: Mapping[str, Any]) -> None:
    click.echo(json.dumps(value, allow_nan=False))


Options = dict[str, Any]
_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _with(*groups: Iterable[_Decorator]) -> _Decorator:
    """Give a command groups of options, in the order in which its help shall list them."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([o for group in groups for o in group]):
            command = option(command)
        return command

    return decorate


# ---- options -------------------------------------------------------------------------------------------------------

_DATA = (
    click.option("--data", metavar="FILE", help="A CSV file: its first line names the columns."),
    click.option(
        "--set", "numbers", metavar="NAME=VALUE", multiple=True, help="Single numbers that the formula reads."
    ),
    click.option("--params", metavar="A,B", help="The parameters, in order; by default every name without data."),
)
_DESCENT = (
    click.option(
        "--start", metavar="NAME=VALUE,...", multiple=True,
        help="Where to start, such as x1=9,x2=-3; or the values alone, in the order of the parameters.",
    ),
    click.option("--method", metavar="NAME", help="The update rule, by name: see below. By default gd."),
    click.option(
        "--rule", metavar="TEXT",
        help="An update rule of your own, such as 'v = beta*v - lr*g; x = x + v'; give its numbers by --hyper.",
    ),
    click.option("--hyper", metavar="NAME=VALUE", multiple=True, help="The rule's hyperparameters, such as beta=0.9."),
    click.option("--lr", metavar="LR", help="The learning rate: a number, auto, or a formula of t, the step's number."),
    click.option("--schedule", metavar="NAME:A=1,B=2", help="How lr falls over the steps, such as cosine:steps=100."),
    click.option("--steps", type=float, metavar="N", help="Steps to take at most; exactly so many when lr is given."),
    click.option("--gtol", type=float, metavar="TOL", help="End when the gradient's norm is this small."),
    click.option("--ftol", type=float, metavar="TOL", help="End when the value changes by this little."),
    click.option("--xtol", type=float, metavar="TOL", help="End when a step is this short."),
    click.option("--seconds", type=float, metavar="S", help="Wall time to take at most."),
    click.option("--seed", type=float, metavar="N", help="Of the rule's random draws."),
    click.option("--tier", metavar="NAME", help="python, numba or auto: short work in plain Python, long compiled."),
    click.option("--save", metavar="FILE", help="Write the run to a .npz or .json file, from which --resume goes on."),
    click.option("--resume", metavar="FILE", help="Go on with a saved run; --steps counts from its beginning."),
)  # fmt: skip
_ACCOUNT = (
    click.option("--plot", metavar="FILE", help="Draw the run: .png, .svg or .pdf."),
    click.option("--trace", type=int, metavar="[N]", help="Show the steps, every Nth; without N, about twenty."),
    click.option("--quiet", is_flag=True, help="Print the point alone, as --start takes it."),
    click.option("--no-progress", is_flag=True, help="Show no progress bar."),
)
_JSON = (click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."),)

_EXIT = (
    "Exit code: 0 when the run ended at a {kind}, or took the steps that --steps and --lr ask for; 1 when the account "
    "is a finding: it diverged, left the domain, stalled, ended at another kind of point, or stopped before it "
    "converged; 2 when the call, the data or the formula is at fault."
)


@click.group(cls=Group, context_settings={"max_content_width": 100})
@click.version_option(__version__, prog_name="symgd")
def main() -> None:
    """Gradient descent for formulas: exact derivatives, compiled runs, an honest account.

    \b
    symgd minimize "0.2*x1**2 + x2**2" --start x1=9,x2=-3 --lr 0.2 --plot descent.png
    symgd derive "log(1 + exp(-x*y))" --hessian
    """  # noqa: D301 - \b is click's mark for lines that are not to be wrapped


# ---- minimize and maximize -----------------------------------------------------------------------------------------


@main.command(epilog=_EXIT.format(kind="minimum"))
@click.argument("formula", required=False)
@_with(_DATA, _DESCENT, _ACCOUNT, _JSON)
def minimize(**options: Any) -> int:
    """Descend on FORMULA, a NumPy expression that gives one number.

    \b
    symgd minimize "0.2*x1**2 + x2**2" --start x1=9,x2=-3 --lr 0.2 --steps 100
    symgd minimize "mean((y - b1*x**b2)**2)" --data danwood.csv --start b1=1,b2=5
    symgd minimize "x*cos(x) + 9" --start 12 --lr 0.05 --trace --plot wave.png
    """  # noqa: D301 - as above
    return _descend(options, maximize=False)


@main.command(epilog=_EXIT.format(kind="maximum"))
@click.argument("formula", required=False)
@_with(_DATA, _DESCENT, _ACCOUNT, _JSON)
def maximize(**options: Any) -> int:
    """Ascend on FORMULA: as minimize, up the gradient.

    \b
    symgd maximize "-x**2 + 4*x" --start x=-1
    """  # noqa: D301 - as above
    return _descend(options, maximize=True)


def _descend(options: Options, *, maximize: bool) -> int:
    """Check everything, run, and give the account; each step needs the one before."""
    _check_files(options)
    run, objective = (_resume if options["resume"] else _begin)(options, maximize=maximize)
    if options["save"]:
        _writing(options["save"], run.save)
    if options["as_json"]:
        _plot(options, run, objective)
        _print_json(_account(options, run))
    else:
        _print_run(options, run)
        _plot(options, run, objective)
    return GOOD if _is_good(options, run) else FINDING


def _begin(options: Options, *, maximize: bool) -> tuple[Run, Objective]:
    if options["formula"] is None:
        raise UsageError('there is no formula; write it first: symgd minimize "x**2 - 4*x + 5" --start x=0')
    objective = _objective(options)
    chosen = {name: options[name] for name in ("steps", "gtol", "ftol", "xtol", "seconds", "seed")}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    lr = _learning_rate(options)
    if lr is not None:
        chosen["lr"] = lr
    rule = _rule(options)
    if rule is not None:
        chosen["method"] = rule
    start = _start(options, objective)
    go = objective.maximize if maximize else objective.minimize
    return go(start, progress=_progress(options), **chosen), objective


def _resume(options: Options, *, maximize: bool) -> tuple[Run, Objective]:
    from symgd.run import load_state

    fixed = ("start", "method", "rule", "hyper", "lr", "schedule", "gtol", "ftol", "xtol", "seed")
    for name in fixed:
        if options[name]:
            raise UsageError(f"--{name} is settled by the saved run; leave it out, or start a new run without --resume")
    state = load_state(options["resume"])
    options["formula"] = options["formula"] or str(state.get("formula", ""))
    if (state.get("sign") == -1.0) != maximize:
        raise UsageError(f"the saved run is of symgd {'minimize' if maximize else 'maximize'}; call that")
    options["params"] = options["params"] or ",".join(map(str, state.get("params", ())))
    try:
        objective = _objective(options)
    except FormulaError as problem:  # the formula was read before, so what is unknown now had data then
        name = safe(problem.text[problem.start : problem.end])
        raise UsageError(f"the saved run has data for '{name}'; give them again by --data or --set") from None
    limit = {} if options["seconds"] is None else {"seconds": options["seconds"]}
    steps = None if options["steps"] is None else _whole("--steps", options["steps"])
    return objective.resume(options["resume"], steps, progress=_progress(options), **limit), objective


def _progress(options: Options) -> bool | None:
    return False if options["no_progress"] or options["quiet"] else None


def _is_good(options: Options, run: Run) -> bool:
    """Tell whether the run did what was asked for."""
    # A run that is to take so many steps has no test of the gradient; this is also known of a resumed one.
    asked = options["steps"] is not None and str(run.state["tolerances"][0]).startswith("-")
    return run.ok or (run.outcome == "max_steps" and asked)


# ---- from options to values ----------------------------------------------------------------------------------------


def _objective(options: Options) -> Objective:
    from symgd.objective import Objective

    params = None if options["params"] is None else _names(options["params"])
    tier = options.get("tier") or "auto"
    return Objective(options["formula"], _data(options), params, tier=tier)


def _data(options: Options) -> Any:
    """Give columns and numbers, or the names of columns alone."""
    from symgd.data import load

    numbers, unnamed = _values(options["numbers"], "--set")
    if unnamed:
        raise UsageError("--set takes name=value, such as --set n=3")
    declared = options.get("data_names")
    if declared is not None:
        if numbers or options["data"]:
            raise UsageError("--data-names declares columns without values; give it without --data and --set")
        return tuple(_names(declared))
    data = load(options["data"])
    for name in numbers:
        if name in data:
            raise UsageError(f"--set {safe(name)}: the data have a column of that name")
    return {**data, **numbers} if data or numbers else None


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _values(texts: Iterable[str], option: str) -> tuple[dict[str, float], list[float]]:
    """Read ``name=value,name=value``, or values alone."""
    named: dict[str, float] = {}
    unnamed: list[float] = []
    for item in (item for text in texts for item in _items(text)):
        name, sign, text = item.partition("=")
        name = name.strip()
        if not sign:
            unnamed.append(_number(option, "", item))
        elif name in named:
            raise UsageError(f"{option} gives '{safe(name)}' twice")
        else:
            named[name] = _number(option, name, text)
    if named and unnamed:
        raise UsageError(f"{option} must give all values by name, or all by position; got both")
    return named, unnamed


def _items(text: str) -> Iterator[str]:
    """Split at the commas that stand in no brackets."""
    depth = first = 0
    for place, sign in enumerate(text):
        depth += (sign in "[(") - (sign in "])")
        if sign == "," and depth == 0:
            yield text[first:place]
            first = place + 1
    if text[first:].strip():
        yield text[first:]


def _number(option: str, name: str, text: str) -> float:
    """Read a number, or a constant expression such as ``pi/4``."""
    place = f"{option} {safe(name)}={safe(text.strip())}" if name else f"{option} {safe(text.strip())}"
    try:
        return float(text)
    except ValueError:
        pass
    if text.strip().startswith("["):
        raise UsageError(f"{place}: a parameter is a single number; give each element a name, such as w1=0,w2=0")
    from symgd.objective import Objective

    try:
        return Objective(text, params=()).value([])
    except FormulaError as problem:
        raise UsageError(f"{place}: the value must be a number; {problem.problem}") from None


def _whole(option: str, value: float) -> int:
    if not value.is_integer() or value < 1:
        raise UsageError(f"{option} {value:g} must be a whole number of at least 1")
    return int(value)


def _start(options: Options, objective: Objective) -> dict[str, float] | list[float]:
    named, unnamed = _values(options["start"], "--start")
    missing = [p for p in objective.params if p not in named]
    if unnamed or not missing or set(named) - set(objective.params):
        return unnamed or named  # what is wrong with these, the objective says
    count, listed = len(missing), ", ".join(missing[:8]) + (", ..." if len(missing) > 8 else "")
    raise UsageError(f"--start gives no value for {'the parameter' if count == 1 else 'the parameters'} {listed}; "
                     f"try:\n  {_example(options, objective, named)}")  # fmt: skip


def _example(options: Options, objective: Objective, named: Mapping[str, float]) -> str:
    """Write the call with a start for every parameter."""
    formula = objective.text if len(objective.text) <= 80 else "FORMULA"
    quoted = f'"{formula}"' if not set(formula) & set('"\\$`!') else shlex.quote(formula)
    data = f" --data {shlex.quote(safe(options['data']))}" if options["data"] else ""
    values = ",".join(f"{p}={named.get(p, 1.0):g}" for p in objective.params[:8])
    more = ",..." if len(objective.params) > 8 else ""
    return f"symgd {click.get_current_context().info_name} {safe(quoted, 100)}{data} --start {values}{more}"


def _learning_rate(options: Options) -> float | str | None:
    lr = options["lr"]
    if lr is not None:
        try:
            lr = float(lr)
        except ValueError:
            lr = str(lr).strip()
    if options["schedule"] is None:
        return lr  # type: ignore[no-any-return]
    if not isinstance(lr, float):
        raise UsageError("--schedule needs a number that it starts from: --lr 0.1 --schedule cosine:steps=100")
    from symgd.schedules import schedule

    name, _, rest = options["schedule"].partition(":")
    values, unnamed = _values([rest], "--schedule")
    if unnamed:
        raise UsageError("--schedule takes its numbers by name, such as cosine:steps=100")
    return schedule(name.strip(), lr, **values)


def _rule(options: Options) -> Rule | None:
    hyper = _hyper(options["hyper"])
    if options["rule"] is None and options["method"] is None and not hyper:
        return None
    from symgd.rules import Rule, find_rule

    if options["rule"] is None:
        rule = find_rule(options["method"] or "gd")
        return rule.with_hyper(hyper) if hyper else rule
    if options["method"] is not None:
        raise UsageError("--method names a rule of symgd, --rule writes one; give one of the two")
    try:
        return Rule(options["rule"], **hyper)
    except FormulaError as problem:
        hint = problem.hint or ""
        if not hint.startswith("give it a value"):
            raise
        name = problem.text[problem.start : problem.end]
        raise FormulaError(
            problem.problem, problem.text, problem.start, problem.end, f"give it a value: --hyper {name}=0.9"
        ) from None


def _hyper(texts: Iterable[str]) -> dict[str, Any]:
    """Read hyperparameters: numbers, or formulas of t."""
    found: dict[str, Any] = {}
    for item in (item for text in texts for item in _items(text)):
        name, sign, text = (part.strip() for part in item.partition("="))
        if not sign or not name or not text:
            raise UsageError(f"--hyper {safe(item)} must be name=value, such as --hyper beta=0.9")
        if name in _RESERVED:
            raise UsageError(f"--hyper {name}: a hyperparameter cannot be called '{name}'; take another name")
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = text
    return found


# ---- files ---------------------------------------------------------------------------------------------------------


def _check_files(options: Options) -> None:
    """Refuse a file that cannot be written before the run, not after it."""
    if options["plot"]:
        from symgd.plotting import check_path

        check_path(options["plot"])
    if options["save"]:
        path = Path(options["save"])
        if path.suffix not in (".npz", ".json"):
            raise UsageError(f"--save {safe(str(path))} must end in .npz or .json")
        if not path.parent.is_dir():
            raise UsageError(f"--save {safe(str(path))}: there is no folder '{safe(str(path.parent))}'")


def _plot(options: Options, run: Run, objective: Objective) -> None:
    if not options["plot"]:
        return
    from symgd.plotting import plot_run, save

    _writing(options["plot"], lambda path: save(plot_run(run, objective=objective), path))
    if not options["as_json"] and not options["quiet"]:
        click.echo(f"the picture is in {safe(options['plot'], _LONG)}", err=True)


def _writing(path: str, write: Callable[[str], object]) -> None:
    try:
        write(path)
    except OSError as problem:
        raise UsageError(f"'{safe(path)}' cannot be written: {safe(str(problem.strerror or problem))}") from None


# ---- the account ---------------------------------------------------------------------------------------------------


def _account(options: Options, run: Run) -> dict[str, Any]:
    """Give the run as the object that --json prints."""
    account = run.to_dict()
    if options["trace"] is not None:
        account["trace"] = [_finite_row(run.history, place) for place in _traced(run.history, options["trace"])]
    return account | {name: options[name] for name in ("plot", "save") if options[name]}


def _finite_row(history: History, place: int) -> dict[str, Any]:
    from symgd.run import finite

    point = {name: finite(float(history[name][place])) for name in history.params}
    return {
        "step": int(history.step[place]), "value": finite(float(history.value[place])),
        "gradient_norm": finite(float(history.gradient_norm[place])), "point": point,
    }  # fmt: skip


def _print_run(options: Options, run: Run) -> None:
    if options["quiet"]:
        click.echo(",".join(f"{name}={value!r}" for name, value in run.point.items()))
        return
    if options["trace"] is not None:
        click.echo(_table(run.history, _traced(run.history, options["trace"])))
        click.echo()
    click.echo(run.summary())
    if options["save"]:
        click.echo(f"the run is in {safe(options['save'], _LONG)}; go on with --resume", err=True)


def _traced(history: History, every: int) -> list[int]:
    """Choose the records to show: every so many steps, or about twenty; the last one in any case."""
    if every < 0:
        raise UsageError(f"--trace {every} must be a whole number of at least 1")
    last = len(history) - 1
    if every:
        chosen = [place for place, step in enumerate(history.step) if step % every == 0]
    else:
        chosen = [round(i * last / _TRACED) for i in range(_TRACED)] if last > _TRACED else list(range(last + 1))
    return chosen if chosen and chosen[-1] == last else [*chosen, last]


def _table(history: History, places: Sequence[int]) -> str:
    names = list(history.params[:_SHOWN])
    more = len(history.params) > _SHOWN
    lines = [["step", "value", "|gradient|", *names, *(["..."] if more else [])]]
    for place in places:
        numbers = [history.value[place], history.gradient_norm[place], *history.point[place][:_SHOWN]]
        lines.append([str(history.step[place]), *(f"{number:.6g}" for number in numbers), *(["..."] if more else [])])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


# ---- derive --------------------------------------------------------------------------------------------------------


@main.command(epilog="Exit code: 0; 2 when the call, the data or the formula is at fault.")
@click.argument("formula")
@_with(
    _DATA,
    (
        click.option("--data-names", metavar="X,Y", help="Names that are columns of data, without their values."),
        click.option("--sympy", "form", flag_value="sympy", default="sympy", help="As SymPy writes it (the default)."),
        click.option(
            "--numpy", "form", flag_value="numpy", help="As NumPy text, which reads back as the same function."
        ),
        click.option("--latex", "form", flag_value="latex", help="As LaTeX."),
        click.option("--hessian", is_flag=True, help="The second derivatives too, on and above the diagonal, not 0."),
        click.option("--at", metavar="NAME=VALUE,...", multiple=True, help="Also the numbers at this point."),
    ),
    _JSON,
)
def derive(**options: Any) -> int:
    """Differentiate FORMULA exactly.

    \b
    symgd derive "0.2*x1**2 + x2**2" --hessian --at x1=9,x2=-3
    symgd derive "mean((y - (w*x + b))**2)" --data-names x,y --latex
    """  # noqa: D301 - as above
    objective = _objective(options)
    at = _numbers_at(options, objective) if options["at"] else None
    if options["as_json"]:
        _print_json(_derived(objective, at, hessian=options["hessian"]))
    elif options["form"] == "latex":
        _print_latex(objective, hessian=options["hessian"])
    else:
        _print_derivatives(objective, options["form"], hessian=options["hessian"])
    if at and not options["as_json"]:
        _print_numbers(objective, at)
    return GOOD


def _numbers_at(options: Options, objective: Objective) -> dict[str, Any]:
    """Evaluate value, gradient and, where asked for, the Hessian."""
    from symgd.run import finite

    if options["data_names"] and objective.columns:
        raise UsageError(f"--at needs values of {', '.join(objective.columns)}; give --data instead of --data-names")
    named, unnamed = _values(options["at"], "--at")
    x = objective.vector(unnamed or named)
    value, gradient = objective.value(x), objective.gradient_at(x)
    found: dict[str, Any] = {
        "point": dict(zip(objective.params, x.tolist(), strict=True)), "value": finite(value),
        "gradient": {name: finite(slope) for name, slope in gradient.items()},
    }  # fmt: skip
    if options["hessian"]:
        found["hessian"] = [[finite(entry) for entry in row] for row in objective.hessian_at(x).tolist()]
    return found


def _derived(objective: Objective, at: Mapping[str, Any] | None, *, hessian: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "formula": objective.text, "params": list(objective.params), "gradient": objective.gradient.text(),
        "gradient_latex": objective.gradient.latex(),
    }  # fmt: skip
    if hessian:
        found["hessian"] = [[a, b, text] for (a, b), text in objective.hessian.text().items()]
    return found | ({"at": at} if at else {})


def _print_latex(objective: Objective, *, hessian: bool) -> None:
    click.echo(objective.gradient.latex())
    if hessian:
        click.echo(objective.hessian.latex())


def _print_derivatives(objective: Objective, form: str, *, hessian: bool) -> None:
    texts = objective.gradient.text() if form == "numpy" else {k: str(v) for k, v in objective.gradient.items()}
    lines = {f"df/d{name}": text for name, text in texts.items()}
    if hessian:
        second = objective.hessian
        for (a, b), text in second.text().items():
            below = f"d{a}^2" if a == b else f"d{a} d{b}"
            lines[f"d2f/{below}"] = text if form == "numpy" else str(second[a, b])
    click.echo(f"f({', '.join(objective.params)}) = {objective.numpy() if form == 'numpy' else objective.sympy}")
    width = max(map(len, lines), default=0)
    for left, right in lines.items():
        click.echo(f"  {left:{width}} = {right}")


def _print_numbers(objective: Objective, at: Mapping[str, Any]) -> None:
    def shown(number: float | None) -> str:
        return "not finite" if number is None else f"{number:.12g}"

    click.echo("at " + ", ".join(f"{name} = {value:.12g}" for name, value in at["point"].items()))
    lines = {"f": at["value"]} | {f"df/d{name}": slope for name, slope in at["gradient"].items()}
    width = max(map(len, lines))
    for left, number in lines.items():
        click.echo(f"  {left:{width}} = {shown(number)}")
    if "hessian" in at:
        click.echo(f"  Hessian, in the order {', '.join(objective.params)}:")
        for row in at["hessian"]:
            click.echo("    " + "  ".join(f"{shown(entry):>12}" for entry in row))
