"""What threads know of a function that was written in pieces."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Total(TypedDict):
    """What a pass adds up: a number of ``_sums``, or an array in the working memory."""

    function: str
    size: int  # numbers in the part of each share
    sum: NotRequired[int]
    memory: NotRequired[int]


class Piece(TypedDict):
    """A pass over the rows, which has blocks, or what stands between two of them."""

    name: str
    end: NotRequired[bool]
    sums: NotRequired[int]  # of the whole function, with its last piece
    block: NotRequired[int]  # rows
    totals: NotRequired[list[Total]]
    entries: NotRequired[bool]  # whether it adds to the vector
