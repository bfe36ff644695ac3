"""What is known of the functions of one objective, as it is kept on disk: to run them takes no more than this."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from symgd.kernel.code.forms import Text
from symgd.kernel.code.layout import Column, Layout
from symgd.kernel.code.pieces import Piece
from symgd.records import dataclass

if TYPE_CHECKING:
    from symgd.kernel.code import forms
    from symgd.rules import Lowered

COMPILED = "numba"  # the tier of machine code


class Written(NamedTuple):
    """What machine code is made from: functions, pieces of them for threads, and how much memory they work in.

    Parameters
    ----------
    functions : tuple of Text
        As those of a `Program`.
    pieces : dict of str to list of dict
        For each function with passes over the rows, the pieces that it is written in as well, for threads.
    memory : tuple of int
        Numbers of working memory: what passes leave to each other, and that of a block.
    """

    functions: tuple[Text, ...]
    pieces: dict[str, list[Piece]]
    memory: tuple[int, int]


@dataclass(frozen=True)
class Program:
    """Generated source and its inputs.

    Parameters
    ----------
    layout : Layout
        The inputs.
    functions : tuple of Text
        For the first tier ``value``, ``slope`` (value and gradient), ``product`` (Hessian times v) and ``curvature``
        (the Hessian: its upper triangle where parameters are local variables), and what they call.
    strict : bool
        Whether sums must not be reordered nor contracted, as where a smallest element is found again by comparison.
    smooth : bool
        Whether the objective has no kinks: every function in it can be differentiated any number of times.
    work : tuple of int
        Operations for value and gradient: once, and for each row.
    entries : tuple of (int, int)
        The places of what ``curvature`` returns.
    memory : tuple of int
        Numbers of working memory that the first tier's functions take.
    pace : tuple of int
        Nanoseconds that statements of NumPy take for value and gradient: once, and for a thousand rows; nothing where
        there are none.
    nodes : int
        Of value and gradient: by them compiling is priced.
    write : callable, optional
        Gives what machine code is made from; a run that ends before needs none of it.
    key : str
        What it is known by.
    """

    layout: Layout
    functions: tuple[Text, ...]
    strict: bool
    smooth: bool
    work: tuple[int, int]
    entries: tuple[tuple[int, int], ...]
    memory: tuple[int, int]
    pace: tuple[int, int] = (0, 0)
    nodes: int = 0
    write: Callable[[], Written] | None = field(default=None, repr=False, compare=False)
    key: str = ""

    def __getstate__(self) -> dict[str, object]:
        # What writes stands in a graph; what was written is sent.
        return {**self.__dict__, "written": self.written, "write": None}

    @cached_property
    def written(self) -> Written:
        """What machine code is made from."""
        assert self.write is not None
        return self.write()

    @property
    def identity(self) -> str:
        """What machine code is known by: the key, or all of the text."""
        return self.key or repr(self.written.functions)

    def function(self, name: str) -> Text:
        """Give one of the first tier's functions."""
        return next(f for f in self.functions if f.name == name)

    def to_json(self) -> str:
        """Write the program down, but for what machine code is made from."""
        without = ("layout", "write", "key")
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in without}
        fields["functions"] = to_json(self.functions)
        inputs = {name: getattr(self.layout, name) for name in self.layout.__dataclass_fields__}
        return json.dumps({"layout": inputs, **fields})

    @staticmethod
    def from_json(text: str, write: Callable[[], Written], key: str) -> Program:
        """Read a program back."""
        d: dict[str, Any] = json.loads(text)
        inputs = {k: _tuples(v) for k, v in d.pop("layout").items()}
        inputs["columns"] = tuple(Column(*c) for c in inputs["columns"])
        for name in ("work", "entries", "memory", "pace"):
            d[name] = _tuples(d[name])
        d["functions"] = from_json(d["functions"])
        return Program(Layout(**inputs), **d, write=write, key=key)


def to_json(functions: Sequence[Text]) -> list[tuple[object, ...]]:
    """Give functions as JSON writes them."""
    return [f.to_json() for f in functions]


def from_json(functions: Sequence[Sequence[object]]) -> tuple[Text, ...]:
    """Read functions back."""
    return tuple(Text.from_json(function) for function in functions)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


class Source:
    """The loop of a rule over an objective's functions, written when a tier asks for it; for batches, ``stage`` too.

    Parameters
    ----------
    program : Program
        The objective's functions.
    rule : Lowered or None
        The rule; ``None`` for steepest descent with the exact Cauchy step.
    hyper : tuple of str
        The numbers that it reads, in order.
    batched : bool
        Whether each step looks at a batch of rows of its own.
    key : str
        What it is known by.
    """

    def __init__(
        self, program: Program, rule: Lowered | None, hyper: tuple[str, ...], *, batched: bool = False, key: str = ""
    ) -> None:  # fmt: skip
        self.program, self.rule, self.hyper, self.batched, self.key = program, rule, hyper, batched, key
        self.known: dict[str, tuple[Text, ...]] = {}

    def __getitem__(self, tier: str) -> tuple[Text, ...]:
        """Give the text for a tier."""
        if tier not in self.known:
            from symgd.kernel.code.llvm import LLVM
            from symgd.kernel.code.python import Python
            from symgd.kernel.code.vectorised import Vectorised

            plain = Vectorised if self.program.layout.vectorised else Python
            self.known[tier] = tuple(map((LLVM if tier == COMPILED else plain).text, self._functions))
        return self.known[tier]

    @cached_property
    def _functions(self) -> list[forms.Function]:
        from symgd.kernel.code.loop import Loop
        from symgd.kernel.code.writer import Writer

        writer = Writer()
        Loop(writer, self.program.layout, self.rule, self.hyper, batched=self.batched).write("loop", "slope", "product")
        return writer.functions
