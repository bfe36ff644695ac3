"""What is known of the functions of one objective, as it is kept on disk: to run them takes no more than this."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from symgd.kernel.code.forms import Text
from symgd.kernel.code.layout import Column, Layout
from symgd.kernel.code.pieces import Piece
from symgd.records import dataclass


@dataclass(frozen=True)
class Program:
    """Generated source and its inputs.

    Parameters
    ----------
    layout : Layout
        The inputs.
    functions : dict of str to tuple of Text
        For each tier ``value``, ``slope`` (value and gradient), ``product`` (Hessian times v) and ``curvature`` (the
        Hessian: its upper triangle where parameters are local variables), and what they call.
    strict : bool
        Whether sums must not be reordered nor contracted, as where a smallest element is found again by comparison.
    smooth : bool
        Whether the objective has no kinks: every function in it can be differentiated any number of times.
    work : tuple of int
        Operations for value and gradient: once, and for each row.
    entries : tuple of (int, int)
        The places of what ``curvature`` returns.
    pieces : dict of str to list of dict
        For each function with passes over the rows, the pieces that the text for Numba also has it in, for threads.
    memory : tuple of int
        Numbers of working memory: what passes leave to each other, and that of a block.
    pace : tuple of int
        Nanoseconds that statements of NumPy take for value and gradient: once, and for a thousand rows; nothing where
        there are none.
    """

    layout: Layout
    functions: dict[str, tuple[Text, ...]]
    strict: bool
    smooth: bool
    work: tuple[int, int]
    entries: tuple[tuple[int, int], ...]
    pieces: dict[str, list[Piece]]
    memory: tuple[int, int]
    pace: tuple[int, int] = (0, 0)

    def function(self, name: str, tier: str) -> Text:
        """Give one of the functions."""
        return next(f for f in self.functions[tier] if f.name == name)

    def to_json(self) -> str:
        """Write the program down."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "layout"}
        fields["functions"] = {tier: to_json(found) for tier, found in self.functions.items()}
        inputs = {name: getattr(self.layout, name) for name in self.layout.__dataclass_fields__}
        return json.dumps({"layout": inputs, **fields})

    @staticmethod
    def from_json(text: str) -> Program:
        """Read a program back."""
        d: dict[str, Any] = json.loads(text)
        inputs = {k: _tuples(v) for k, v in d.pop("layout").items()}
        inputs["columns"] = tuple(Column(*c) for c in inputs["columns"])
        for name in ("work", "entries", "memory", "pace"):
            d[name] = _tuples(d[name])
        d["functions"] = {tier: from_json(found) for tier, found in d["functions"].items()}
        return Program(Layout(**inputs), **d)


def to_json(functions: Sequence[Text]) -> list[tuple[object, ...]]:
    """Give functions as JSON writes them."""
    return [f.to_json() for f in functions]


def from_json(functions: Sequence[Sequence[object]]) -> tuple[Text, ...]:
    """Read functions back."""
    return tuple(Text.from_json(function) for function in functions)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
