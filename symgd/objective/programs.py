"""Programs that are on disk once they have been written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symgd.kernel.code import Program, Written
from symgd.kernel.machine import cache
from symgd.objective.formula import deep


def kept(key: str, make: Callable[[], Program]) -> Program:
    """Give a program from the disk cache, or write it; what machine code is made from waits until it is compiled.

    Parameters
    ----------
    key : str
        What it is known by.
    make : callable
        Writes it.

    Returns
    -------
    Program
    """

    def made() -> Program:
        with deep():
            return make()

    def written() -> Written:
        program = made() if stored else found
        with deep():
            return program.written

    stored = cache.load(key)
    if stored is not None:
        return Program.from_json(stored.decode(), written, key)
    found = made()
    cache.save(key, found.to_json().encode())
    return replace(found, write=written, key=key)
