"""Code generation: nodes to Python source that both tiers run."""

from symgd.codegen.forms import BLOCK, LANES, MAIN, NEAR, PLACE, Argument, Text, closure
from symgd.codegen.layout import Column, Layout
from symgd.codegen.loop import GRADIENT, HUGE, NOT_FINITE, RUNNING, STAGE, STALLED, STEP, VALUE, kept
from symgd.codegen.module import Program, from_json, generate, to_json, write_loop
from symgd.codegen.python import source

__all__ = [
    "BLOCK",
    "GRADIENT",
    "HUGE",
    "LANES",
    "MAIN",
    "NEAR",
    "NOT_FINITE",
    "PLACE",
    "RUNNING",
    "STAGE",
    "STALLED",
    "STEP",
    "VALUE",
    "Argument",
    "Column",
    "Layout",
    "Program",
    "Text",
    "closure",
    "from_json",
    "generate",
    "kept",
    "source",
    "to_json",
    "write_loop",
]
