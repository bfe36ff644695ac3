"""Verdicts as a table that fits a terminal, and as a page for notebooks."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from symgd import display
from symgd.errors import safe

if TYPE_CHECKING:
    from symgd.checking.result import Check

WIDTH = 88


def table(check: Check) -> str:
    """Write the verdicts down.

    Parameters
    ----------
    check : Check
        What was found.

    Returns
    -------
    str
        Lines of at most 88 characters, but for texts that are to be pasted.
    """
    head = f"{check.what} of {safe(' '.join(check.formula.split()), WIDTH - 14)}"
    lines = [head, *([f"read as {check.read_as}"] if check.read_as else [])]
    if check.inferred and any(check.shapes.values()):
        lines.append("taking " + ", ".join(f"{n}: {s or 'a number'}" for n, s in check.shapes.items()))
    width = max((len(n) for n in check.verdicts), default=0)
    for name, verdict in check.verdicts.items():
        said = verdict.kind.upper() if not verdict.ok else verdict.kind
        if verdict.conditions and verdict.kind == "right where":
            said += f" {' and '.join(verdict.conditions)}"
        lines.append(f"  {name:{width}}  {said}")
        for line in verdict.lines():
            pad = " " * (width + 4)
            keep = line.startswith(("repair", "read as"))
            lines += [pad + line] if keep else textwrap.wrap(
                line, WIDTH, initial_indent=pad, subsequent_indent=pad + "  ", break_long_words=False)  # fmt: skip
    return "\n".join(lines)


_COLOURS = {
    "proved": "#1a7f37",
    "verified": "#1a7f37",
    "right where": "#9a6700",
    "wrong": "#cf222e",
    "unknown": "#57606a",
}


def html(check: Check) -> str:
    """Write the verdicts as a table of HTML, each with exact and claimed derivative side by side."""
    rows = []
    for name, v in check.verdicts.items():
        said = v.kind + (f" {' and '.join(v.conditions)}" if v.conditions else "")
        colour = display.Markup(f"<span style='color:{_COLOURS[v.kind]}'>{display.escaped(said)}</span>")
        detail = display.Markup("<br>".join(map(display.escaped, v.lines())))
        rows.append((name, colour, display.code(v.yours), display.code(v.exact), detail))
    return display.html(f"{check.what} of {check.formula}", rows, ("", "verdict", "yours", "exact", ""))
