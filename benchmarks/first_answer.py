"""The first answer: whole processes from the shell, for a formula never seen and for one seen before, against peers.

Eight tasks, from Rosenbrock's function to a factorisation of 100,000 ratings. Each is solved by ``symgd minimize`` or
``symgd fit`` twice, with a formula that differs from every one before by a factor of nearly 1 and so is derived and
compiled anew, and with one that the cache on disk knows; by NumPy and SciPy, with derivatives by hand; and by JAX.
Imports count for everybody. The four take turns; figures are the shortest times, wall and processor, and what is
compared is the better of the peers. The loss that each reaches is printed: a shorter time for a worse answer is none.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from interleave import Row, main

REPEATS = int(os.environ.get("FIRST_ANSWER_REPEATS", "3"))
UNSET = ("JAX_COMPILATION_CACHE_DIR", "PYTHONDONTWRITEBYTECODE", "SYMGD_CACHE")
NEVER, SEEN, AGAIN, ONCE = 1.0, 0.6, 2.0, 1.2  # bounds of geometric means and of single ratios, in wall time
SOFTMAX = "mean(logsumexp({z}, axis=1) - sum(Y*({z}), axis=1))"
HIDDEN = "tanh(X @ W1 + b1) @ W2 + b2"


@dataclass(frozen=True)
class Task:
    """What is solved: for symgd a formula and options; for the peers the body of a program.

    ``by_hand`` defines ``slope(p)``, value and gradient of flat parameters, in NumPy; ``loss`` is an expression for
    JAX. ``rule`` is what the peers do: ``lbfgs``, ``gd`` or ``adam``, ``fit`` for SciPy's curve_fit.
    """

    name: str
    formula: str
    data: dict[str, np.ndarray]
    start: dict[str, np.ndarray]
    by_hand: str
    loss: str
    rule: str = "lbfgs"
    options: tuple[str, ...] = ()
    lr: float = 0.0
    steps: int = 0
    command: str = "minimize"


LBFGS = """
from scipy.optimize import minimize
limits = dict(maxiter=5000, maxfun=5000, ftol=1e-15, gtol=1e-8)
print(minimize(slope, x0, jac=True, method="L-BFGS-B", options=limits).fun)
"""
GD = """
q = x0
for _ in range({steps}):
    q = q - {lr}*slope(q)[1]
print(slope(q)[0])
"""
ADAM = """
q, m, s = x0, 0.0*x0, 0.0*x0
for k in range(1, {steps} + 1):
    g = slope(q)[1]
    m, s = 0.9*m + 0.1*g, 0.999*s + 0.001*g*g
    q = q - {lr}*(m/(1 - 0.9**k))/(np.sqrt(s/(1 - 0.999**k)) + 1e-8)
print(slope(q)[0])
"""
FIT = """
from scipy.optimize import curve_fit
p, _ = curve_fit(lambda x, a, k, c: a*np.exp(-k*x) + c, x, y, p0=x0)
print(np.sum((y - p[0]*np.exp(-p[1]*x) - p[2])**2))
"""
JAX_LOOPS = {
    "gd": "step = lambda k, s: (s[0] - {lr}*jax.grad(loss)(s[0]),)\nstate = (x0,)",
    "adam": """
def step(k, s):
    x, m, v = s
    g = jax.grad(loss)(x)
    m, v = 0.9*m + 0.1*g, 0.999*v + 0.001*g*g
    return x - {lr}*(m/(1 - 0.9**(k + 1.0)))/(jnp.sqrt(v/(1 - 0.999**(k + 1.0))) + 1e-8), m, v
state = (x0, 0*x0, 0*x0)""",
}
CUT = """
parts, at = {}, 0
for name, shape in SHAPES.items():
    size = int(np.prod(shape))
    parts[name] = p[at : at + size].reshape(shape)
    at += size
"""


def head(task, folder):
    lines = ["import numpy as np", f"D = np.load({str(folder / 'data.npz')!r})"]
    lines += [f"{n} = D[{n!r}]" for n in task.data]
    lines += [f"S = np.load({str(folder / 'start.npz')!r})", "x0 = np.concatenate([np.ravel(S[n]) for n in S.files])"]
    lines += ["SHAPES = {n: S[n].shape for n in S.files}", "", "def cut(p):"]
    lines += ["    " + line for line in CUT.strip().splitlines()] + ["    return parts.values()", ""]
    return "\n".join(lines) + "\n"


def hand_written(task, folder):
    """Give the program of NumPy and SciPy."""
    tail = {"lbfgs": LBFGS, "gd": GD, "adam": ADAM, "fit": FIT}[task.rule]
    return head(task, folder) + task.by_hand + tail.replace("{steps}", str(task.steps)).replace("{lr}", str(task.lr))


def jax_program(task, folder):
    """Give the program of JAX: compiled once, a loop of steps compiled whole, SciPy's L-BFGS around it otherwise."""
    names = ", ".join(task.start)
    text = "import jax\nimport jax.numpy as jnp\njax.config.update('jax_enable_x64', True)\n" + head(task, folder)
    text += "".join(f"{n} = jnp.asarray({n})\n" for n in task.data)
    text += f"def loss(p):\n    {names}, = cut(p)\n    return {task.loss}\n"
    if task.rule in ("lbfgs", "fit"):
        scale = f"*{len(task.data['y'])}" if task.rule == "fit" else ""
        text += "both = jax.jit(jax.value_and_grad(loss))\n"
        text += "def slope(p):\n    f, g = both(p)\n    return float(f), np.asarray(g)\n"
        return text + LBFGS.replace(".fun)", f".fun{scale})")
    loop = JAX_LOOPS[task.rule].replace("{lr}", str(task.lr))
    end = f"jax.jit(lambda s: jax.lax.fori_loop(0, {task.steps}, step, s))(state)"
    return f"{text}{loop}\nprint(loss({end}[0]))"


# ---- the tasks -----------------------------------------------------------------------------------------------------

LOGISTIC = """
def slope(p):
    z = X @ p
    e = np.exp(-np.abs(z))
    s = np.where(z >= 0, 1, e)/(1 + e)
    return np.mean(np.maximum(z, 0) + np.log1p(e) - y*z), X.T @ (s - y)/len(y)
"""
SOFTMAX_BY_HAND = """
def slope(p):
    W, b = cut(p)
    z = X @ W + b
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    t = e.sum(axis=1, keepdims=True)
    d = (e/t - Y)/len(X)
    f = np.mean(np.log(t[:, 0]) - np.sum(Y*z, axis=1)) + 0.0005*np.sum(W*W)
    return f, np.concatenate([(X.T @ d + 0.001*W).ravel(), d.sum(axis=0)])
"""
NETWORK_BY_HAND = """
def slope(p):
    W1, b1, W2, b2 = cut(p)
    h = np.tanh(X @ W1 + b1)
    z = h @ W2 + b2
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    t = e.sum(axis=1, keepdims=True)
    d = (e/t - Y)/len(X)
    back = (d @ W2.T)*(1 - h*h)
    f = np.mean(np.log(t[:, 0]) - np.sum(Y*z, axis=1))
    return f, np.concatenate([(X.T @ back).ravel(), back.sum(axis=0), (h.T @ d).ravel(), d.sum(axis=0)])
"""
FACTORS_BY_HAND = """
def scattered(places, rows, n):
    return np.stack([np.bincount(places, weights=rows[:, j], minlength=n) for j in range(rows.shape[1])], axis=1)

def slope(p):
    U, V = cut(p)
    a, b = U[u], V[v]
    e = np.sum(a*b, axis=1) - r
    d = (2/len(r))*e[:, None]
    f = np.mean(e*e) + 0.0001*(np.sum(U*U) + np.sum(V*V))
    g = scattered(u, d*b, len(U)) + 0.0002*U, scattered(v, d*a, len(V)) + 0.0002*V
    return f, np.concatenate([g[0].ravel(), g[1].ravel()])
"""
LOGISTIC_JAX = "jnp.mean(jax.nn.softplus(X @ w) - y*(X @ w))"


def logistic(rng, rows, features):
    x = rng.normal(size=(rows, features))
    y = (x @ rng.normal(size=features) + 2.0 * rng.normal(size=rows) > 0).astype(float)
    formula = "mean(softplus(X @ w) - y*(X @ w))"
    return Task(f"logistic {rows:,} x {features}, default", formula, {"X": x, "y": y}, {"w": np.zeros(features)},
                LOGISTIC, LOGISTIC_JAX)  # fmt: skip


def digits(rng):
    """Pictures of 8 x 8 grey values in ten classes: a pattern for each, and noise."""
    label = rng.integers(0, 10, 1797)
    patterns = rng.uniform(0, 1, (10, 64))
    x = np.clip(patterns[label] + 0.35 * rng.normal(size=(1797, 64)), 0, 1)
    return {"X": x, "Y": np.eye(10)[label]}


def tasks():
    rng = np.random.default_rng(0)
    x = np.linspace(0, 5, 100)
    line = {"x": x, "y": 2 * x + 1 + 0.3 * rng.normal(size=100)}
    t = np.linspace(0, 4, 50)
    decay = {"x": t, "y": 2.5 * np.exp(-1.3 * t) + 0.5 + 0.03 * rng.normal(size=50)}
    picture = digits(rng)
    ratings = {"u": rng.integers(0, 2000, 100_000), "v": rng.integers(0, 500, 100_000)}
    ratings["r"] = np.sum(rng.normal(size=(2000, 8))[ratings["u"]] * rng.normal(size=(500, 8))[ratings["v"]], axis=1)
    soft = "jnp.mean(jax.nn.logsumexp({z}, axis=1) - jnp.sum(Y*({z}), axis=1))"
    hidden = "(jnp.tanh(X @ W1 + b1) @ W2 + b2)"
    return [
        Task("Rosenbrock, default", "(1 - x)**2 + 100*(y - x**2)**2", {}, {"x": np.array(-1.2), "y": np.array(1.0)},
             "def slope(p):\n    x, y = p\n    t = y - x*x\n"
             "    return (1 - x)**2 + 100*t*t, np.array([-2*(1 - x) - 400*x*t, 200*t])\n",
             "(1 - x)**2 + 100*(y - x**2)**2"),
        Task("line, 100 rows, 100 steps", "mean((y - (w*x + b))**2)", line, {"w": np.array(0.0), "b": np.array(0.0)},
             "def slope(p):\n    e = p[0]*x + p[1] - y\n"
             "    return np.mean(e*e), np.array([2*np.mean(e*x), 2*np.mean(e)])\n",
             "jnp.mean((y - (w*x + b))**2)", "gd", ("--method", "gd"), 0.05, 100),
        Task("exponential, 50 rows, fit", "a*exp(-k*x) + c", decay,
             {"a": np.array(1.0), "k": np.array(1.0), "c": np.array(0.0)}, "",
             "jnp.mean((y - (a*jnp.exp(-k*x) + c))**2)", "fit", command="fit"),
        logistic(rng, 569, 30),
        logistic(rng, 100_000, 20),
        Task("softmax, 650 parameters, default", SOFTMAX.format(z="X @ W + b") + " + 0.0005*sum(W**2)", picture,
             {"W": np.zeros((64, 10)), "b": np.zeros(10)}, SOFTMAX_BY_HAND,
             soft.format(z="X @ W + b") + " + 0.0005*jnp.sum(W**2)"),
        Task("network 64-32-10, 200 Adam steps", SOFTMAX.format(z=HIDDEN), picture,
             {"W1": 0.1 * rng.normal(size=(64, 32)), "b1": np.zeros(32), "W2": 0.1 * rng.normal(size=(32, 10)),
              "b2": np.zeros(10)}, NETWORK_BY_HAND, soft.format(z=hidden), "adam", ("--method", "adam"), 0.01, 200),
        Task("factorisation, 100,000 ratings, 100 Adam steps",
             "mean((r - sum(U[u]*V[v], axis=1))**2) + 0.0001*(sum(U**2) + sum(V**2))", ratings,
             {"U": 0.1 * rng.normal(size=(2000, 8)), "V": 0.1 * rng.normal(size=(500, 8))}, FACTORS_BY_HAND,
             "jnp.mean((r - jnp.sum(U[u]*V[v], axis=1))**2) + 0.0001*(jnp.sum(U**2) + jnp.sum(V**2))", "adam",
             ("--method", "adam"), 0.02, 100),
    ]  # fmt: skip


# ---- running -------------------------------------------------------------------------------------------------------


def timed(command, cache):
    """Run a process; give its wall time, its processor time, and what it printed."""
    environment = {k: v for k, v in os.environ.items() if k not in UNSET} | {"SYMGD_CACHE": str(cache)}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cache)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1) or not done.stdout:  # 1: the answer is a finding
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def command_of(task, folder, formula):
    start = folder / "start.npz"
    given = ["--data", str(folder / "data.npz")] if task.data else []
    if task.steps:
        given += ["--lr", str(task.lr), "--steps", str(task.steps), *task.options]
    point = ",".join(f"{n}={v}" for n, v in task.start.items()) if task.command == "fit" else str(start)
    return [sys.executable, "-m", "symgd", task.command, formula, *given, "--start", point, "--json"]


def loss_of(text):
    """Give the loss out of what a program printed."""
    if text.lstrip().startswith("{"):
        found = json.loads(text)
        return found.get("value", found.get("rss"))
    return float(text.split()[-1])


def measure_task(task, folder, cache, numbers):
    """Give the shortest wall and processor times of each program, and its loss."""
    folder.mkdir()
    np.savez(folder / "data.npz", **task.data)
    np.savez(folder / "start.npz", **task.start)
    (folder / "hand.py").write_text(hand_written(task, folder))
    programs = {"hand": lambda: [sys.executable, str(folder / "hand.py")]}
    if importlib.util.find_spec("jax"):
        (folder / "jax_.py").write_text(jax_program(task, folder))
        programs["jax"] = lambda: [sys.executable, str(folder / "jax_.py")]
    programs["new"] = lambda: command_of(task, folder, f"1.{next(numbers):012}*({task.formula})")
    programs["seen"] = lambda: command_of(task, folder, task.formula)
    timed(programs["seen"](), cache)
    found = {}
    for _ in range(REPEATS):
        for name, program in programs.items():
            wall, cpu, text = timed(program(), cache)
            old = found.get(name, (math.inf, math.inf, None))
            found[name] = min(wall, old[0]), min(cpu, old[1]), loss_of(text)
    return found


def measure():
    rows, ratios = [], {("new", 0): [], ("new", 1): [], ("seen", 0): [], ("seen", 1): []}
    numbers = count(int(time.time()) % 100_000 * 100)
    print(f"{'':46} " + " ".join(f"{n:>15}" for n in ("by hand", "JAX", "new", "seen")) + "   wall/processor s; losses")
    with tempfile.TemporaryDirectory() as parent:
        cache = Path(parent) / "cache"
        cache.mkdir(mode=0o700)
        for i, task in enumerate(tasks()):
            found = measure_task(task, Path(parent) / f"task{i}", cache, numbers)
            shown = [f"{f[0]:.2f}/{f[1]:.2f}" if (f := found.get(n)) else "" for n in ("hand", "jax", "new", "seen")]
            losses = " ".join(f"{name} {f[2]:.6g}" for name, f in found.items())
            print(f"{task.name:46} " + " ".join(f"{s:>15}" for s in shown) + f"   {losses}", flush=True)
            for (which, kind), values in ratios.items():
                peer = min(f[kind] for name, f in found.items() if name in ("hand", "jax"))
                ours = found[which][kind]
                values.append(ours / peer)
                if kind == 0:
                    bound = AGAIN if which == "new" else ONCE
                    rows.append(Row(f"{task.name}: {which}", ours / peer, "x", bound, ours, peer, ours / peer))
    for (which, kind), values in ratios.items():
        mean = math.exp(sum(map(math.log, values)) / len(values))
        bound = None if kind else NEVER if which == "new" else SEEN
        rows.append(Row(f"geometric mean, {which}, {('wall', 'processor')[kind]}", mean, "x", bound))
    return rows


if __name__ == "__main__":
    main(measure)
