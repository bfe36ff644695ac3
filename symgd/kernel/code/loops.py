"""The loop of a rule over an objective's functions, as source that is written when a tier asks for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from symgd.kernel.code.forms import Text
from symgd.kernel.code.program import Program

if TYPE_CHECKING:
    from symgd.kernel.code import forms
    from symgd.rules import Lowered

COMPILED = "numba"  # the tier of machine code


class Source:
    """The function ``loop``; for batches, ``stage`` as well.

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
