"""The numbers that parameters are made of, and their names."""

from __future__ import annotations

import itertools
from collections.abc import Iterable


def entry_names(params: Iterable[str], shapes: Iterable[tuple[int, ...]]) -> tuple[str, ...]:
    """Give a name to each number of the parameters.

    Parameters
    ----------
    params : iterable of str
        The parameters.
    shapes : iterable of tuple of int
        Theirs; ``()`` for a number.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> entry_names(["w", "b"], [(2,), ()])
    ('w[0]', 'w[1]', 'b')
    """
    found: list[str] = []
    for name, shape in zip(params, shapes, strict=True):
        places = itertools.product(*(range(n) for n in shape))
        found += [f"{name}[{','.join(map(str, place))}]" for place in places] if shape else [name]
    return tuple(found)
