"""Every exception that symgd raises, and the words in which it is told.

Whatever a user typed goes through `safe` before it is echoed: a message shows control, bidirectional and invisible
characters as escapes, never as themselves.
"""

from __future__ import annotations

import reprlib
import sys
import warnings
from itertools import islice
from typing import TYPE_CHECKING

from symgd.excerpts import escaped, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMPARED = 200  # names that a suggestion is chosen from; each costs some ten microseconds
_LISTED = 10_000  # names that are looked at, at all
_LONGEST = 32  # longer names get no suggestion: comparing takes the square of the length


class SymgdError(Exception):
    """What symgd raises when it is used wrongly; numerical trouble is an outcome of the run instead."""


class SymgdWarning(UserWarning):
    """What is probably not meant, though it can be computed: once for an objective, at the call that meets it."""


class UsageError(SymgdError, ValueError):
    """A call that cannot be carried out: the name and value, the rule, the remedy.

    Examples
    --------
    >>> raise UsageError("lr must be positive; got -1")
    Traceback (most recent call last):
    symgd.errors.UsageError: lr must be positive; got -1
    """


class DataError(SymgdError, ValueError):
    """Data that cannot be used: which column or array, what is wrong with it, the remedy."""


class UnknownNameError(SymgdError, KeyError):
    """A name under which there is nothing: the name, the nearest one, and what there is.

    Parameters
    ----------
    name : object
        What was asked for.
    known : iterable of str
        What there is.
    what : str
        What has the names, for the message.

    Examples
    --------
    >>> print(UnknownNameError("w1", ["w", "b"], "the gradient"))
    the gradient has no 'w1'; did you mean 'w'? It has: w, b
    """

    def __init__(self, name: object, known: Iterable[str], what: str) -> None:
        names = list(known)
        super().__init__(name, names, what)  # all of it goes to args, from which pickle rebuilds an exception
        near = suggest(name, names) if isinstance(name, str) else None
        hint = f"did you mean '{near}'? It has" if near else "it has"
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        self.message = f"{what} has no {shown(name)}; {hint}: {listed or 'nothing'}"

    def __str__(self) -> str:
        return self.message  # KeyError shows the repr


class FormulaError(SymgdError, ValueError):
    """A text that is not a formula: what is wrong, where, and what to write instead.

    Parameters
    ----------
    problem : str
        What is wrong, without the place.
    text : str
        The whole text, as it was typed.
    start : int
        Where the place begins, in characters.
    end : int
        Where it ends: the place is ``text[start:end]``.
    hint : str, optional
        What to write instead.

    Examples
    --------
    >>> print(FormulaError("unknown function 'sinn'", "x + sinn(y)", 4, 8, "did you mean 'sin'?"))
    unknown function 'sinn' at column 5
      x + sinn(y)
          ^^^^
    did you mean 'sin'?
    """

    def __init__(self, problem: str, text: str, start: int, end: int, hint: str | None = None) -> None:
        # All five go to args: that is what pickle and copy rebuild an exception from.
        super().__init__(problem, text, start, end, hint)
        self.problem = problem
        self.text = text
        self.start = start
        self.end = end
        self.hint = hint

    @property
    def line(self) -> int:
        """Number of the line that the place is on, from 1."""
        return self.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """Column of the place in its line, from 1, counted in characters."""
        return self.start - self.text.rfind("\n", 0, self.start)

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}" if "\n" in self.text else f"column {self.column}"
        lines = [f"{escaped(self.problem)} at {place}", *excerpt(self.text, self.start, self.end)]
        if self.hint:
            lines.append(escaped(self.hint))
        return "\n".join(lines)

    def _render_traceback_(self) -> list[str]:
        """Show a notebook the message and no frames: what is wrong stands in the formula, not in any code."""
        return [f"{type(self).__name__}: {self}"]


class ShapeError(FormulaError):
    """Arrays in a formula whose shapes do not go together: both operands with their shapes, and the operator.

    Examples
    --------
    >>> print(ShapeError("'X' with shape (10, 3) and 'w' with shape (4,) do not broadcast", "X*w", 1, 2))
    'X' with shape (10, 3) and 'w' with shape (4,) do not broadcast at column 2
      X*w
       ^
    """


def warn(message: str) -> None:
    """Warn of what is probably not meant, at the line outside of symgd that led here.

    Parameters
    ----------
    message : str
        What was found, and what to do.
    """
    level, frame = 1, sys._getframe(0)  # noqa: SLF001 - warnings themselves look there
    while frame is not None and frame.f_globals.get("__name__", "").startswith(("symgd", "functools")):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    warnings.warn(message, SymgdWarning, stacklevel=level)


def safe(text: object, limit: int = 60) -> str:
    r"""Give a text, or the ``repr`` of another object, in a form that may be echoed.

    Parameters
    ----------
    text : object
        What a user handed over.
    limit : int
        Most characters to give; a longer text ends in ``...``.

    Returns
    -------
    str
        Printable characters only, the others as escapes.

    Examples
    --------
    >>> print(safe("a\x1b[2Jb"), safe("x" * 100, limit=8))
    a\x1b[2Jb xxxxx...
    """
    if not isinstance(text, str):
        try:
            text = reprlib.repr(text)
        except Exception:  # noqa: BLE001 - any code may stand in a repr, and an error message must not raise
            text = f"<{type(text).__name__}>"
    shown = escaped(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: max(limit - 3, 0)] + "..."


def shown(value: object, limit: int = 60) -> str:
    """Show a value in a message: text in quotes, anything else as `safe` has it.

    Parameters
    ----------
    value : object
        What was given.
    limit : int
        How many characters to show at most.

    Returns
    -------
    str

    Examples
    --------
    >>> shown("gpu"), shown(5)
    ("'gpu'", '5')
    """
    return f"'{safe(value, limit)}'" if isinstance(value, str) else safe(value, limit)


def unexplained(what: str, problem: Exception) -> str:
    """Say that an explanation failed, and why: what it was to explain is there all the same.

    Parameters
    ----------
    what : str
        What was to be found out.
    problem : Exception
        What came instead.

    Returns
    -------
    str

    Examples
    --------
    >>> unexplained("the kind of point", ValueError("no 3 x 3 matrix"))
    'the kind of point could not be worked out (ValueError: no 3 x 3 matrix)'
    """
    return f"{what} could not be worked out ({type(problem).__name__}: {safe(str(problem), 200)})"


def suggest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that was probably meant.

    Parameters
    ----------
    name : str
        What was typed.
    known : iterable of str
        The names there are; of a long list only the likeliest are compared.

    Returns
    -------
    str or None
        One of `known`, or ``None`` when none is close.

    Examples
    --------
    >>> suggest("sinn", ["cos", "sin"])
    'sin'
    """
    if len(name) > _LONGEST:
        return None
    wanted = name.lower()
    lowered = {other.lower(): other for other in islice(known, _LISTED) if abs(len(other) - len(name)) <= 3}
    if wanted in lowered:
        return lowered[wanted]
    # Of many names, those that begin alike come first.
    likely = sorted(lowered, key=lambda other: (other[:1] != wanted[:1], other[:2] != wanted[:2]))[:_COMPARED]
    import difflib

    close = difflib.get_close_matches(wanted, likely, n=1)
    return lowered[close[0]] if close else None


# What other libraries call an option, and what it is called here; or, in a sentence, what there is in its place.
OTHER_OPTIONS: dict[str, str] = {
    **dict.fromkeys(("learning_rate", "learningrate", "step_size", "stepsize", "eta", "alpha", "lr0", "rate"), "lr"),
    **dict.fromkeys(("max_iter", "maxiter", "max_iters", "max_iterations", "iterations", "iters", "niter", "n_iter",
                     "num_iterations", "num_steps", "n_steps", "nsteps", "max_steps", "maxsteps", "nit"), "steps"),
    **dict.fromkeys(("x0", "init", "initial", "initial_guess", "guess", "p0", "start_point", "theta0"), "start"),
    **dict.fromkeys(("optimizer", "optimiser", "algorithm", "algo", "solver", "rule"), "method"),
    **dict.fromkeys(("batch_size", "batchsize", "minibatch", "mini_batch"), "batch"),
    **dict.fromkeys(("n_epochs", "num_epochs", "max_epochs"), "epochs"),
    **dict.fromkeys(("random_state", "random_seed", "rng"), "seed"),
    **dict.fromkeys(("timeout", "max_time", "maxtime", "time_limit"), "seconds"),
    **dict.fromkeys(("tol", "tolerance", "eps", "epsilon", "grad_tol", "g_tol", "pgtol"), "gtol"),
    **dict.fromkeys(("verbose", "disp", "progress_bar"), "progress"),
    **dict.fromkeys(("f_tol", "fatol"), "ftol"), **dict.fromkeys(("x_tol", "xatol"), "xtol"),
    **dict.fromkeys(("bounds", "constraints", "limits", "lower", "upper"),
                    "a formula keeps its own bounds: write low + (high - low)*sigmoid(s) for a parameter that lies "
                    "between two numbers, exp(s) for one that is positive"),
    **dict.fromkeys(("jac", "grad", "gradient", "hess", "hessian", "jacobian"),
                    "leave it out: the derivatives are worked out from the formula"),
    **dict.fromkeys(("weight_decay", "l2", "penalty"), "add the penalty to the formula, such as + 0.01*sum(w**2)"),
    **dict.fromkeys(("scheduler", "schedule", "decay", "lr_scheduler"),
                    "a schedule is a learning rate that is a formula of t, such as 0.1/(1 + t/100)"),
    **dict.fromkeys(("y", "ydata", "y_data", "response", "dependent", "output"), "target"),
    "args": "name the numbers in the formula, and give them as data",
}  # fmt: skip


def other_option(name: str, known: Iterable[str]) -> str | None:
    """Say what an option of another library is called here.

    Parameters
    ----------
    name : str
        What was given.
    known : iterable of str
        The options that there are.

    Returns
    -------
    str or None
        The option's name, a sentence on what to do instead, or ``None`` where nothing is known of it.

    Examples
    --------
    >>> other_option("learning_rate", ["lr", "steps"])
    'lr'
    """
    found = OTHER_OPTIONS.get(name.lower().replace("-", "_"))
    return found if found is not None and (" " in found or found in known) else None


def unknown_option(name: str, known: Iterable[str]) -> UsageError:
    """Make the error for an option that does not exist.

    Parameters
    ----------
    name : str
        What was given.
    known : iterable of str
        The options that there are.

    Returns
    -------
    UsageError

    Examples
    --------
    >>> print(unknown_option("max_iter", ["lr", "steps"]))
    there is no option 'max_iter'; here it is called 'steps'
    """
    listed = list(known)
    other = other_option(name, listed)
    if other is not None:
        hint = other if " " in other else f"here it is called '{other}'"
    else:
        near = suggest(name, listed)
        hint = f"did you mean '{near}'?" if near else f"known: {', '.join(listed)}"
    return UsageError(f"there is no option '{safe(name)}'; {hint}")
