"""Many rows: blocks of rows handed to threads, their sums joined in a fixed order."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from symgd.codegen import Program

LARGE = 1 << 62


def available() -> int:
    """Give the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_large(rows: int) -> bool:
    """Tell whether data have so many rows that their blocks are handed to threads."""
    return rows > LARGE


def spread(program: Program, name: str, workers: int) -> Callable[..., Any]:
    """Give a function that works on blocks in threads."""
    raise NotImplementedError(program, name, workers)
