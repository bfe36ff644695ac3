"""Code generation: nodes to Python source that both tiers run."""

from symgd.codegen.functions import BLOCK
from symgd.codegen.layout import Layout
from symgd.codegen.loop import GRADIENT, HUGE, NOT_FINITE, RUNNING, STALLED, STEP, VALUE
from symgd.codegen.module import Program, generate, write_loop

__all__ = [
    "BLOCK",
    "GRADIENT",
    "HUGE",
    "NOT_FINITE",
    "RUNNING",
    "STALLED",
    "STEP",
    "VALUE",
    "Layout",
    "Program",
    "generate",
    "write_loop",
]
