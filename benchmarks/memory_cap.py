"""Linear regression on data four times as large as the memory that is left to the process, in both tiers.

The data are written to two ``.npy`` files. A child process loads symgd and makes the code, then limits its address
space to what it has by then plus an allowance, a quarter of the data's size; an allocation beyond that fails. Under
the limit it takes some gradient steps, for which the rows are read block by block. The parameters must agree with
those that the same steps give where all that the gradient needs, ``X.T @ X`` and ``X.T @ y``, was summed up from parts
of the data by NumPy.

``--gb`` sets the size of the data, ``--folder`` where they are written. What the page cache holds of the files counts
as no memory of the process; how fast a pass is depends on it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from interleave import PROCESSORS, Row, Skip, main, same_point, seconds_row

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # on a busy machine its threads wait for each other

import numpy as np

FORMULA = "mean((X @ w + b - y)**2)"
FEATURES = 31  # with y, 32 numbers a row
STEPS, RATE = 5, 0.2
SHARE = 4  # the data are so many times as large as the allowance
CHUNK = 1 << 16  # rows that are written at a time
GIGABYTES = 2.0
TIERS = {"numba": "compiled", "python": "NumPy"}


def write(folder: Path, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Write the data; give the sums over rows of the products of ``[X, 1]`` and y that the gradient is made of."""
    random = np.random.default_rng(0)
    true = random.standard_normal(FEATURES + 1)
    square, mixed = np.zeros((FEATURES + 1, FEATURES + 1)), np.zeros(FEATURES + 1)
    with (folder / "X.npy").open("wb") as X, (folder / "y.npy").open("wb") as y:
        for file, shape in ((X, (rows, FEATURES)), (y, (rows,))):
            np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
        for low in range(0, rows, CHUNK):
            size = min(CHUNK, rows - low)
            part = np.ones((size, FEATURES + 1))
            part[:, :FEATURES] = random.standard_normal((size, FEATURES))
            out = part @ true + random.standard_normal(size)
            X.write(np.ascontiguousarray(part[:, :FEATURES]))
            y.write(out)
            square += part.T @ part
            mixed += part.T @ out
    return square / rows, mixed / rows


def expected(square: np.ndarray, mixed: np.ndarray) -> np.ndarray:
    """Give the point after all steps."""
    point = np.zeros(len(mixed))
    for _ in range(STEPS):
        point = point - RATE * 2 * (square @ point - mixed)
    return point


def child(folder: Path, allowance: int, tier: str) -> None:
    """Fit under a limit of memory, and print what came of it."""
    import resource

    from symgd import Objective

    def objective(X, y):
        return Objective(FORMULA, data={"X": X, "y": y}, params={"w": FEATURES, "b": ()}, tier=tier, workers=PROCESSORS)

    # What compiles the code takes memory as well, whatever the size of the data: it is done first.
    paths = [str(folder / f"{name}.npy") for name in "Xy"]
    point = np.zeros(FEATURES + 1)
    kernel = objective(*paths).kernel()
    kernel.tiers[tier].function("slope")
    limit = _status("VmSize") + allowance
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    before = _status("VmRSS")
    try:
        np.ones(allowance // 8 + (1 << 20))
    except MemoryError:
        pass
    else:
        raise SystemExit("the limit limits nothing")
    times = []
    for _ in range(STEPS):
        began = time.perf_counter()
        _, gradient = kernel.slope(point)
        times.append(time.perf_counter() - began)
        point = point - RATE * gradient
    peak = _status("VmHWM")
    print(json.dumps({"point": point.tolist(), "times": times, "limit": limit, "before": before, "peak": peak}))


def _status(key: str) -> int:
    """Read what Linux says of this process, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key + ":"))
    return 1024 * int(line.split()[1])


def measure() -> list[Row]:
    if not sys.platform.startswith("linux"):
        raise Skip("what a process may have can be limited so on Linux only")
    rows = int(OPTIONS.gb * 1e9) // (8 * (FEATURES + 1))
    size = 8 * rows * (FEATURES + 1)
    with tempfile.TemporaryDirectory(dir=OPTIONS.folder) as name:
        folder = Path(name)
        right = expected(*write(folder, rows))
        return [told(tier, folder, size, right) for tier in TIERS]


def told(tier: str, folder: Path, size: int, right: np.ndarray) -> Row:
    """Run a child in a tier; print what it took, and give its line."""
    command = [sys.executable, __file__, "--child", folder, "--allowance", str(size // SHARE), "--tier", tier]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    same_point(found["point"], right, 1e-9)
    middle = statistics.median(found["times"])
    limit, before, peak = (found[key] / 1e9 for key in ("limit", "before", "peak"))
    data, free = size / 1e9, size / SHARE / 1e9
    print(f"{TIERS[tier]}: data {data:.2f} GB; limit {limit:.2f} GB of addresses, of which {free:.2f} GB were free")
    print(f"resident {before:.2f} GB before and {peak:.2f} GB at most; {data / middle:.1f} GB/s")
    return seconds_row(f"{data:.1f} GB of data, {free:.1f} GB left, {TIERS[tier]}: a pass", found["times"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--gb", type=float, default=GIGABYTES)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--child", type=Path)
    parser.add_argument("--allowance", type=int)
    parser.add_argument("--tier")
    OPTIONS, rest = parser.parse_known_args()
    if OPTIONS.child:
        child(OPTIONS.child, OPTIONS.allowance, OPTIONS.tier)
    else:
        sys.argv[1:] = rest
        main(measure)
