"""What a process loads and makes until it has answered: counted, not timed, so that start-up cannot creep up again."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

# Counts dataclasses that are finished, and regular expressions that symgd compiles, around the command line itself.
COUNTED = """
import json, re, sys
from symgd import records

made, patterns, finish, compiled = [], [], records._initializer, re.compile

def finished(cls, *rest, **options):
    made.append(f"{cls.__module__}.{cls.__name__}")
    return finish(cls, *rest, **options)

def noted(pattern, flags=0):
    if (name := sys._getframe(1).f_globals.get("__name__", "")).startswith("symgd"):
        patterns.append(name)
    return compiled(pattern, flags)

records._initializer, re.compile = finished, noted
from symgd.cli import main
try:
    main()
finally:
    print(json.dumps({"made": made, "patterns": patterns, "modules": sorted(sys.modules)}))
"""
# What is large and not needed for a short run: other libraries, and parts of NumPy and of the standard library.
LARGE = (
    "concurrent.futures", "difflib", "llvmlite", "logging", "matplotlib", "mpmath", "numba", "numpy.f2py", "numpy.ma",
    "numpy.random", "numpy.testing", "pandas", "scipy", "secrets", "subprocess", "sympy", "tqdm", "unittest",
)  # fmt: skip
# Parts of symgd that write code, show formulas, or belong to other commands.
APART = (
    "symgd.checking", "symgd.cli.derive", "symgd.cli.many", "symgd.cli.theory", "symgd.insight.theory",
    "symgd.kernel.code.arrays", "symgd.kernel.code.functions", "symgd.kernel.code.loop", "symgd.kernel.code.module",
    "symgd.kernel.code.python", "symgd.kernel.machine.compile", "symgd.many", "symgd.plotting", "symgd.testing",
    "symgd.views",
)  # fmt: skip
ROSENBROCK = ("minimize", "(1 - x)**2 + 100*(y - x**2)**2", "--start", "x=-1.2,y=1")
LINE = ("minimize", "mean((y - (w*x + b))**2)", "--data", "{data}", "--start", "w=0,b=0", "--lr", "0.05",
        "--method", "gd", "--steps", "100")  # fmt: skip
FIT = ("fit", "a*exp(-k*x) + c", "--data", "{data}", "--start", "a=1,k=1,c=0")


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Give what runs a command twice in a cache of its own, and counts in the second."""
    folder = tmp_path_factory.mktemp("start_up")
    x = np.linspace(0, 5, 100)
    np.savez(folder / "data.npz", x=x, y=2.5 * np.exp(-1.3 * x) + 0.5 + 0.01 * np.sin(9 * x))
    cache = folder / "cache"
    cache.mkdir(mode=0o700)

    def run(command):
        arguments = [part.format(data=folder / "data.npz") for part in command]
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", COUNTED, *arguments, "--json"],
                capture_output=True, text=True, env=os.environ | {"SYMGD_CACHE": str(cache)},
            )  # fmt: skip
        answer, counts = done.stdout.splitlines()
        return json.loads(answer), json.loads(counts)

    return run


@pytest.mark.parametrize("command", [ROSENBROCK, LINE, FIT], ids=["Rosenbrock", "line", "fit"])
def test_a_formula_that_was_seen_loads_nothing_that_it_does_not_use(seen, command):
    answer, counts = seen(command)
    assert answer["steps"] > 1
    modules = counts["modules"]
    assert [m for m in modules if m.startswith(tuple(f"{name}." for name in (*LARGE, *APART))) or m in LARGE] == []
    assert [m for m in modules if m in APART] == []


def test_a_scalar_formula_that_was_seen_makes_little(seen):
    answer, counts = seen(ROSENBROCK)
    assert answer["ok"]
    assert len([m for m in counts["modules"] if m.startswith("symgd")]) <= 160
    assert len(counts["made"]) <= 34, counts["made"]
    assert set(counts["patterns"]) <= {"symgd.language.tokens"}


def test_help_waits_for_nothing():
    text = "import sys; from symgd.cli import main\ntry: main(['minimize', '--help'])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert "--start" in done.stdout
    assert "symgd.cli.fit" not in loaded
