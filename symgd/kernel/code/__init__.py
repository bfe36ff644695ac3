"""Code generation: nodes to Python source that both tiers run."""

from symgd.kernel.code.forms import BLOCK, LANES, MAIN, NEAR, PLACE, Argument, Text, closure
from symgd.kernel.code.layout import Column, Layout
from symgd.kernel.code.loop import GRADIENT, HUGE, NOT_FINITE, RUNNING, STAGE, STALLED, STEP, VALUE, kept
from symgd.kernel.code.loops import Source
from symgd.kernel.code.module import Program, Written, from_json, generate, to_json
from symgd.kernel.code.python import source

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
    "Source",
    "Text",
    "Written",
    "closure",
    "from_json",
    "generate",
    "kept",
    "source",
    "to_json",
]
