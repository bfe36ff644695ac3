"""Whole processes: from the command to the printed answer of 20,000 steps, against the same in JAX.

Measured: ``symgd minimize ... --json``, first with an empty cache, as for a formula never seen, then with the cache
that the runs before have filled; against a script that does the same steps in a jitted ``lax.fori_loop`` in float64 and
prints the same. JAX compiles every time: its compilation cache on disk is off, as it is by default, for both.
Then the same formula to its minimum, by the default method, against CasADi with IPOPT, and SciPy with the gradient by
hand. Python's own bytecode is there on all sides, as in an installed package. Last, ``import symgd`` and ``import
numpy``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from interleave import compare, main, ratio_row, same_point

FORMULA = "(1 - x)**2 + 100*(y - x**2)**2"
COMMAND = ("-m", "symgd", "minimize", FORMULA, "--start", "x=-1.2,y=1", "--lr", "0.001", "--steps", "20000", "--json")
PEER = """
import json
import jax

jax.config.update("jax_enable_x64", True)
value_and_grad = jax.value_and_grad(lambda p: (1 - p[0])**2 + 100*(p[1] - p[0]**2)**2)

@jax.jit
def descend(p):
    p = jax.lax.fori_loop(0, 20000, lambda _, p: p - 0.001*value_and_grad(p)[1], p)
    return p, *value_and_grad(p)

p, value, gradient = descend(jax.numpy.array([-1.2, 1.0]))
size = float(jax.numpy.linalg.norm(gradient))
print(json.dumps({"point": dict(zip("xy", p.tolist())), "value": float(value), "gradient_norm": size}))
"""
TO_THE_MINIMUM = ("-m", "symgd", "minimize", FORMULA, "--start", "x=-1.2,y=1", "--json")
CASADI = """
import json
import casadi as ca

p = ca.SX.sym("p", 2)
f = (1 - p[0])**2 + 100*(p[1] - p[0]**2)**2
quiet = {"ipopt.print_level": 0, "print_time": 0, "ipopt.sb": "yes"}
found = ca.nlpsol("descend", "ipopt", {"x": p, "f": f}, quiet)(x0=[-1.2, 1.0])
print(json.dumps({"point": dict(zip("xy", found["x"].full().ravel().tolist())), "value": float(found["f"])}))
"""
SCIPY = """
import json
import numpy as np
from scipy.optimize import minimize

def both(p):
    x, y = p
    t = y - x*x
    return (1 - x)**2 + 100*t*t, np.array([-2*(1 - x) - 400*x*t, 200*t])

found = minimize(both, [-1.2, 1.0], jac=True, method="BFGS")
print(json.dumps({"point": dict(zip("xy", found.x.tolist())), "value": found.fun}))
"""
REPEATS = 11
UNSET = ("JAX_COMPILATION_CACHE_DIR", "PYTHONDONTWRITEBYTECODE")  # whatever the user's own settings are


def run(*arguments, **environment):
    """Run Python with these arguments and give what it printed."""
    kept = {k: v for k, v in os.environ.items() if k not in UNSET}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=kept | environment)
    # 1: the run is good, its answer a finding, such as a point that is not yet a minimum.
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def never_seen(parent, command=COMMAND):
    """Run symgd with a cache folder of its own."""
    return run(*command, SYMGD_CACHE=tempfile.mkdtemp(dir=parent))


def point(text):
    """Give the end point out of what was printed."""
    return [float(v) for v in json.loads(text)["point"].values()]


def against_jax(folder):
    """Give the lines for whole descents."""
    peer = partial(run, "-c", PEER)
    seen = partial(run, *COMMAND, SYMGD_CACHE=str(Path(folder) / "seen"))
    same_point(point(seen()), point(peer()), 1e-9)
    return [
        ratio_row("process, formula never seen / JAX", compare(partial(never_seen, folder), peer, REPEATS), target=1.0),
        ratio_row("process, formula seen / JAX", compare(seen, peer, REPEATS), target=0.5),
    ]


def to_the_minimum(folder):
    """Give the lines for the default method."""
    rows = []
    seen = partial(run, *TO_THE_MINIMUM, SYMGD_CACHE=str(Path(folder) / "seen"))
    new = partial(never_seen, folder, TO_THE_MINIMUM)
    for peer, text, wanted in (("CasADi", CASADI, {"seen": 1.5}), ("SciPy", SCIPY, {"never seen": 1.0, "seen": None})):
        if importlib.util.find_spec(peer.lower()) is None:
            print(f"{peer} is not installed: it is left out")
            continue
        other = partial(run, "-c", text)
        same_point(point(seen()), point(other()), 1e-5)
        for kind, target in wanted.items():
            ours = seen if kind == "seen" else new
            title = f"process, to the minimum, formula {kind} / {peer}"
            rows.append(ratio_row(title, compare(ours, other, REPEATS), target=target))
    return rows


def measure():
    with tempfile.TemporaryDirectory() as folder:
        # The warm-up fills it for every package, also where the packages' own folders cannot be written to.
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
        imports = compare(partial(run, "-c", "import symgd"), partial(run, "-c", "import numpy"), 3 * REPEATS)
        rows = [*to_the_minimum(folder), ratio_row("import symgd / import numpy", imports, target=1.3)]
        if importlib.util.find_spec("jax") is None:
            print("jax is not installed: it is left out")
            return rows
        return [*against_jax(folder), *rows]


if __name__ == "__main__":
    main(measure)
