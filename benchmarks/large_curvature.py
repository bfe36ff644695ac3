"""Extreme eigenvalues of Hessians with a million parameters, in memory that is linear in their number.

Each formula is taken up by a process of its own, which loads symgd, compiles the product of Hessian and vector, and
then limits its address space to what it has by then plus an allowance: `VECTORS` vectors as long as the point, where
the Hessian itself would be a million. The eigenvalues must agree with those known in closed form: to rounding where the
Hessian is diagonal or tridiagonal, and within the bounds that are reported where Lanczos iteration is needed.

``--n`` sets the number of parameters.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from interleave import PROCESSORS, Row, Skip, main, seconds_row

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # on a busy machine its threads wait for each other

import numpy as np

NUMBER = 1_000_000
VECTORS = 60
FORMULAS = {
    "rosenbrock": "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)",
    "diagonal": "0.5*sum(d*x**2)",
    "chain": "0.5*(x[0]**2 + x[{last}]**2 + sum((x[1:] - x[:-1])**2))",
    "grid": "0.5*(sum((x[1:, :] - x[:-1, :])**2) + sum((x[:, 1:] - x[:, :-1])**2) + 0.01*sum(x**2))",
}


def objective(name: str, n: int):
    """Give the formula with its data, and its number of parameters."""
    from symgd import Objective

    side = int(np.sqrt(n))
    n = side * side if name == "grid" else n
    return Objective(
        FORMULAS[name].format(last=n - 1), data={"d": np.arange(1.0, n + 1)} if name == "diagonal" else None,
        params={"x": (side, side) if name == "grid" else n}, tier="numba", workers=PROCESSORS,
    ), n  # fmt: skip


def known(name: str, n: int) -> tuple[float, float]:
    """Give the smallest and the largest eigenvalue."""
    if name == "diagonal":
        return 1.0, float(n)
    if name == "chain":
        low, high = np.array([1, n]) * np.pi / (2 * (n + 1))
        return float(4 * np.sin(low) ** 2), float(4 * np.sin(high) ** 2)
    if name == "grid":  # free ends in both directions
        side = int(np.sqrt(n))
        return 0.01, float(8 * np.sin((side - 1) * np.pi / (2 * side)) ** 2 + 0.01)
    return 0.49875311720698, 1002 + 800 * float(np.cos(np.pi / n))  # of the last rows alone; of the others, nearly


def child(name: str, n: int) -> None:
    """Find the eigenvalues under a limit of memory, and print them."""
    import resource

    import scipy.linalg
    import scipy.sparse.linalg  # noqa: F401 - the limit is on what the search takes, not on what its libraries do

    from symgd.insight.report import curvature

    f, n = objective(name, n)
    kernel, x = f.kernel(), np.ones(n)
    kernel.slope(x)
    kernel.product(x, x)
    curvature(*small(name))
    limit = _status("VmSize") + VECTORS * 8 * n
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    before = _status("VmRSS")
    began = time.perf_counter()
    found = curvature(kernel, x)
    seconds = time.perf_counter() - began
    low, high = known(name, n)
    account = {
        "seconds": seconds, "vectors": (_status("VmHWM") - before) / (8 * n), "converged": found.converged,
        "note": found.note, "errors": [abs(found.smallest - low), abs(found.largest - high)],
        "bounds": [float(found.errors[0]), float(found.errors[-1])], "size": found.largest, "kind": found.kind,
    }  # fmt: skip
    print(json.dumps(account))


def small(name: str):
    """Give a kernel and a point of few parameters, to warm up on."""
    f, n = objective(name, 900)
    return f.kernel(), np.ones(n)


def _status(key: str) -> int:
    """Read what Linux says of this process, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key + ":"))
    return 1024 * int(line.split()[1])


def measure() -> list[Row]:
    if not sys.platform.startswith("linux"):
        raise Skip("what a process may have can be limited so on Linux only")
    rows = []
    for name in FORMULAS:
        command = [sys.executable, __file__, "--child", name, "--n", str(OPTIONS.n)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        print(f"{name}: {found['kind']}, {found['note']}; {found['vectors']:.0f} vectors at most")
        for end, error, bound in zip(("smallest", "largest"), found["errors"], found["bounds"], strict=True):
            print(f"  {end}: off by {error:.2g}, bound {bound:.2g}")
            if not error <= bound + 1e-12 * found["size"] and found["converged"]:
                raise SystemExit(f"the {end} eigenvalue of {name} is off by {error:.3g}")
        rows.append(seconds_row(f"extreme eigenvalues, {OPTIONS.n:,} parameters: {name}", [found["seconds"]]))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--n", type=int, default=NUMBER)
    parser.add_argument("--child")
    OPTIONS, rest = parser.parse_known_args()
    if OPTIONS.child:
        child(OPTIONS.child, OPTIONS.n)
    else:
        sys.argv[1:] = rest
        main(measure)
