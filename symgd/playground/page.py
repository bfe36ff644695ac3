"""The page itself: its parts, put together into one file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd import saving
from symgd.errors import UsageError, safe, shown
from symgd.objective import modules
from symgd.playground import settings

if TYPE_CHECKING:
    from symgd.objective import Objective
    from symgd.playground.settings import Range
    from symgd.rules import Rule

MOST = 6_000_000  # bytes of a page
SCRIPTS = ("state.js", "theory.js", "pictures.js", "page.js")
FOOTER = (
    "Derivatives and rules are those of the formula, printed by symgd {version}. "
    'The page has no parser: another formula has a page of its own, by <code>symgd play "FORMULA" -o page.html</code>.'
)


class Page(str):
    """A page's text; a notebook shows the page itself, in a frame of its own."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Page({len(self) / 1e6:.1f} MB of HTML)"

    def _repr_html_(self) -> str:
        inside = self.replace("&", "&amp;").replace('"', "&quot;")
        return f'<iframe srcdoc="{inside}" style="width:100%;height:900px;border:0"></iframe>'


def write(
    objective: Objective, path: str | os.PathLike[str] | None = None, *, start: Any = None,
    rule: str | Rule | Sequence[str | Rule] | None = None, ranges: Mapping[str, Range] | None = None,
) -> Page:  # fmt: skip
    """Write a page to play with.

    Parameters
    ----------
    objective : Objective
        Of one or two parameters.
    path : path-like, optional
        The file to write.
    start : mapping or sequence, optional
        Where the first descent starts.
    rule : str, Rule, or sequence of them, optional
        Rules that the page offers besides those of the table, the first of them chosen.
    ranges : mapping of str to tuple of float, optional
        From where to where the landscape is shown, by parameter.

    Returns
    -------
    Page
        The page's text.

    Raises
    ------
    UsageError
        If there are more than two parameters, the page would be too large, or the file cannot be written.
    """
    objective, start = settings.across(objective, start)
    names = settings.two_at_most(objective)
    rules = settings.chosen_rules(rule)
    first, window = settings.window(objective, start, ranges)
    planned = modules.descents("javascript", list(rules.values()), 0.1, {})
    chosen = dict(zip((own.name for own in planned), rules.values(), strict=True))
    steepest = _steepest(objective, first)
    width = max(high - low for low, high in window)
    seen = settings.data_of(objective, names)
    fixed = {
        "formula": " ".join(objective.text.split()), "names": names, "start": first, "ranges": window,
        "method": planned[0].name, "rules": {own.name: own.text for own in planned},
        "numbers": settings.rates(chosen, steepest, width), "linear": settings.linear(chosen),
        "lr": settings.slider(steepest, width), "cells": settings.cells(objective), "data": seen and seen.shown,
    }  # fmt: skip
    values = modules.embedded(objective, "javascript")
    text = _assembled(
        title=_escaped(f"{fixed['formula']} - symgd"),
        settings=json.dumps(fixed),
        objective=_function(objective.shown.standalone("javascript", planned, values)),
        quadratic=_function(settings.parabola().shown.standalone("javascript", planned, None)),
        model=f"(() => {{\n{_function(seen.code)}\nreturn objective();\n}})()" if seen else "null",
    )
    if len(text) > MOST:
        raise UsageError(
            f"the page would be {len(text) / 1e6:.0f} MB, and at most {MOST / 1e6:.0f} MB open quickly; "
            "take a sample of the rows, such as data.iloc[::10]"
        )
    if path is not None:
        _keep(path, text)
    return Page(text)


def _keep(path: object, text: str) -> None:
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"the page's file must be a path; got {shown(path)}")
    try:
        saving.replace_file(Path(path), text.encode())
    except (OSError, ValueError) as problem:
        why = safe(str(getattr(problem, "strerror", None) or problem))
        raise UsageError(f"'{safe(str(path))}' cannot be written: {why}") from None


def _steepest(objective: Objective, start: Sequence[float]) -> float:
    kernel = objective.kernel()
    with np.errstate(all="ignore"):
        hessian = kernel.hessian(np.array(start))
    largest = float(np.abs(np.linalg.eigvalsh(hessian)).max()) if np.isfinite(hessian).all() else 1.0
    return largest or 1.0


def _assembled(**parts: str) -> str:
    from symgd import __version__

    folder = resources.files("symgd.playground")
    page = (folder / "page.html").read_text(encoding="utf-8")
    parts |= {
        "css": (folder / "page.css").read_text(encoding="utf-8"),
        "script": "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS),
        "version": __version__, "footer": FOOTER.format(version=__version__), "plotly": _plotly(),
    }  # fmt: skip
    # What stands inside of a script must not end it, whatever names and comments say.
    inside = {"settings", "objective", "quadratic", "model", "script"}
    filled = []
    for k, piece in enumerate(page.split("{{")):
        name, _, rest = piece.partition("}}") if k else ("", "", piece)
        own = parts[name] if k else ""
        filled += [own.replace("</", "<\\/").replace("<!--", "<\\!--") if name in inside else own, rest]
    return "".join(filled)


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise ImportError("a playground needs plotly: pip install 'symgd[play]'") from None
    return str(get_plotlyjs())


def _function(module: str) -> str:
    """Leave out what makes a module of a script."""
    return module[: module.rindex("export {")]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
