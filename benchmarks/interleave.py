"""Two programs timed in turn (A B A B ...), so that whatever else the machine does meets both alike.

Every benchmark is a script with a function ``measure`` that gives rows; `main` prints them, and writes them as JSON for
``run.py``. A row holds either a ratio of times, symgd over peer, or plain seconds; in both less is better.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PROCESSORS = 2  # both sides of a comparison may use so many
PAUSE = 0.03  # seconds in which the threads of one side come to rest before the other's turn: they spin for a while


@dataclass(frozen=True)
class Ratio:
    """Seconds of the interleaved repetitions, after the warm-up."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def median(self):
        return statistics.median(self.ours) / statistics.median(self.peer)

    @property
    def best(self):
        """The ratio of the shortest times, which other processes disturb least."""
        return min(self.ours) / min(self.peer)


@dataclass(frozen=True)
class Row:
    """A line of the table; `figure` is what the target bounds from above."""

    what: str
    figure: float
    unit: str
    target: float | None = None
    ours: float | None = None
    peer: float | None = None
    best: float | None = None

    @property
    def verdict(self):
        return "" if self.target is None else "ok" if self.figure <= self.target else "MISSED"


class Skip(Exception):  # noqa: N818  # it is no error
    """The benchmark cannot run here: what is missing."""


def compare(ours: Callable[[], object], peer: Callable[[], object], repeats: int, warmup: int = 1) -> Ratio:
    """Call both in turn, ``warmup`` rounds unmeasured and ``repeats`` measured."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(warmup + repeats):
        for function, spent in zip((ours, peer), times, strict=True):
            time.sleep(PAUSE)
            seconds = clock(function)
            if turn >= warmup:
                spent.append(seconds)
    return Ratio(tuple(times[0]), tuple(times[1]))


def clock(function: Callable[[], object]) -> float:
    """Give the seconds that one call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def ratio_row(what: str, ratio: Ratio, target: float | None = None) -> Row:
    """Give the line of a comparison."""
    ours, peer = statistics.median(ratio.ours), statistics.median(ratio.peer)
    return Row(what, ratio.median, "x", target, ours, peer, ratio.best)


def seconds_row(what: str, seconds: list[float], target: float | None = None) -> Row:
    """Give the line of something that has a limit instead of a peer."""
    middle = statistics.median(seconds)
    return Row(what, middle, "s", target, ours=middle, best=min(seconds))


def same_point(found: Iterable[float], expected: Iterable[float], tolerance: float) -> None:
    """A benchmark of two programs that do different things would mean nothing."""
    for a, b in zip(found, expected, strict=True):
        if not math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance):
            raise SystemExit(f"the two ended at different points: {a!r} and {b!r}")


def pin() -> None:
    """Keep this process on `PROCESSORS` processors, so that a bigger machine shows the same comparison."""
    with contextlib.suppress(AttributeError, OSError):  # Linux only
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:PROCESSORS])


def report(rows: list[Row]) -> None:
    """Print the table: medians, the figure with that of the shortest times beside it, the target."""
    width = max((len(row.what) for row in rows), default=0)
    print(f"{'':{width}}  {'symgd':>10}  {'peer':>10}  {'median':>8}  {'best':>8}  {'target':>8}")
    for row in rows:
        times = "  ".join(f"{_time(value):>10}" for value in (row.ours, row.peer))
        figures = "  ".join(f"{_figure(value, row.unit):>8}" for value in (row.figure, row.best))
        target = "" if row.target is None else f"<= {row.target:.3g}"
        print(f"{row.what:{width}}  {times}  {figures}  {target:>8}  {row.verdict}".rstrip())


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f} s" if seconds >= 0.1 else f"{1e3 * seconds:.2f} ms"


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.2g} {unit}" if value < 1 else f"{value:.2f} {unit}"


def main(measure: Callable[[], list[Row]]) -> None:
    """Run a benchmark as a script: print its rows; ``--json FILE`` writes them as well."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    pin()
    try:
        rows = measure()
    except Skip as missing:
        print(f"skipped: {missing}")
        rows = []
    if rows:
        report(rows)
    if options.json:
        options.json.write_text(dumps(rows))


def dumps(rows: list[Row]) -> str:
    """Give rows as JSON."""
    return json.dumps([asdict(row) | {"verdict": row.verdict} for row in rows], indent=2) + "\n"


def loads(text: str) -> list[Row]:
    """Give the rows that `dumps` wrote."""
    return [Row(**{k: v for k, v in entry.items() if k != "verdict"}) for entry in json.loads(text)]
