"""Code generation: nodes to Python source that both tiers run.

What writes code is in the modules and is imported where code is written: most runs find theirs on disk.
"""

from symgd.kernel.code.forms import BLOCK, LANES, MAIN, NEAR, PLACE, PREFIX, Argument, Text, closure, source
from symgd.kernel.code.layout import Column, Layout
from symgd.kernel.code.outside import GRADIENT, HUGE, NOT_FINITE, RUNNING, STAGE, STALLED, STEP, VALUE, kept
from symgd.kernel.code.program import Program, Source, Written, from_json, to_json

__all__ = [
    "BLOCK",
    "GRADIENT",
    "HUGE",
    "LANES",
    "MAIN",
    "NEAR",
    "NOT_FINITE",
    "PLACE",
    "PREFIX",
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
    "kept",
    "source",
    "to_json",
]
