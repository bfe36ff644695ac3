"""Code generation: nodes to Python source that both tiers run."""

from symgd.codegen.layout import Column, Layout
from symgd.codegen.loop import GRADIENT, HUGE, NOT_FINITE, RUNNING, STALLED, STEP, VALUE, kept
from symgd.codegen.module import Program, generate, write_loop

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
