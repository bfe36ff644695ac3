"""Which other forms of what is written are made."""

from __future__ import annotations

from enum import IntEnum


class Forms(IntEnum):
    """Each has those before it too."""

    TYPED = 0  # none: just what stands in the text
    NAMED = 1  # spellings that lose digits become the function that they mean
    JOINED = 2  # quotients that are 0/0 at a place are a power series near it: what views show
    GUARDED = 3  # shifts and branches keep numbers in the range of float64: what is computed
