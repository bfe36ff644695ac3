"""What long work shows and hears: a progress bar after two seconds, and Ctrl-C as a question."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 2.0  # seconds before a progress bar shows
ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

Tick = Callable[..., None]


@contextmanager
def progress(
    total: int, unit: str, *, done: int = 0, began: float | None = None, wanted: bool | None = None
) -> Iterator[Tick]:
    """Give a function that shows progress once the work has taken two seconds.

    Parameters
    ----------
    total : int
        How much there is to do.
    unit : str
        Of what.
    done : int
        How much is done already.
    began : float, optional
        When the work began, by ``time.perf_counter``; by default now.
    wanted : bool, optional
        ``True`` for in any case and at once, ``False`` for never; by default on a terminal or in a notebook.

    Yields
    ------
    callable
        Takes how much is done, and a note.
    """
    bar: Any = None
    since = time.perf_counter() if began is None else began

    def tick(now: int, note: str = "") -> None:
        nonlocal bar
        if wanted is False or (bar is None and time.perf_counter() - since < PATIENCE):
            return
        if bar is None:
            from tqdm.auto import tqdm

            # disable=None: shown on a terminal or in a notebook, not in a file.
            hidden = None if wanted is None else False
            bar = tqdm(total=total, initial=done, unit=unit, unit_scale=True, disable=hidden)
        bar.update(now - bar.n)
        if note:
            bar.set_postfix_str(note, refresh=False)

    try:
        yield tick
    finally:
        if bar is not None:
            bar.close()


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C into a question that is asked between chunks of work, so that nothing is lost halfway.

    Pressed once more, it is ``KeyboardInterrupt`` as ever.

    Yields
    ------
    callable
        Tells whether it was pressed.

    Raises
    ------
    KeyboardInterrupt
        When it is pressed a second time.
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    former = signal.getsignal(signal.SIGINT)
    # Installed by another language, or ignored, as of what a shell runs in the background: leave it alone.
    if former is None or former == signal.SIG_IGN:
        yield pressed.is_set
        return

    def press(*_: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, former)


@contextmanager
def postponed() -> Iterator[Callable[[], bool]]:
    """Let what would end the process, SIGTERM and SIGHUP, wait until the work inside has been saved.

    Where somebody else handles them, or they are ignored, they are left alone.

    Yields
    ------
    callable
        Tells whether one came; it takes effect at the end.
    """
    came: list[int] = []
    mine = []
    if threading.current_thread() is threading.main_thread():
        mine = [number for number in ENDING if signal.getsignal(number) == signal.SIG_DFL]
    for number in mine:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield lambda: bool(came)
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)
        if came:
            signal.raise_signal(came[0])
