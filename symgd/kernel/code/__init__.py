"""Code generation: nodes to Python source that both tiers run."""

from symgd.kernel.code.layout import Column, Layout
from symgd.kernel.code.loop import GRADIENT, HUGE, NOT_FINITE, RUNNING, STALLED, STEP, VALUE, kept
from symgd.kernel.code.module import Program, generate, write_loop

__all__ = [
    "GRADIENT",
    "HUGE",
    "NOT_FINITE",
    "RUNNING",
    "STALLED",
    "STEP",
    "VALUE",
    "Column",
    "Layout",
    "Program",
    "generate",
    "kept",
    "write_loop",
]
