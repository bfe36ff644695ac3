"""Every public function and method, found by looking, called with an odd argument in a place or two.

    python -m tests.attack.surface --calls 20000

What is looked at is what `symgd` offers by name, and what can be asked of an objective, a rule, a run, many of them, a
fit, a check, a curvature, a history and a theory. Of every parameter that has no default a sound value is known by its
name. Nothing but symgd's own errors may come, and Python's own where a call does not fit the signature.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import faulthandler
import inspect
import io
import json
import os
import random
import signal
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import symgd as sg
from tests.attack.calls import ODD

PATIENCE = 20  # seconds of processor time that a call may take
OPTIONS = ("lr", "steps", "x", "beta", "method", "batch", "nonsense", "box")
LEFT_OUT = {"animate", "plot", "show"}  # pictures are a family of their own


class HangError(BaseException):
    """A call took too long."""


def samples() -> dict[str, Any]:
    """Give an object of each kind that has methods."""
    two = sg.Objective("x**2 + x*y + y**2", tier="python")
    rows = sg.Objective("mean((y - X @ w)**2)", {"X": np.ones((5, 3)), "y": np.arange(5)}, tier="python")
    rows.value(w=np.zeros(3))
    run = two.minimize([1, 2], lr=0.1, steps=3)
    fit = sg.fit("a + b*x", {"x": [0, 1, 2, 3], "y": [1, 2, 3, 5]}, target="y", start={"a": 1, "b": 1})
    many = two.minimize_many([[1, 2], [0, 1]], lr=0.1, steps=3, progress=False)
    rule = sg.Rule("v = beta*v - lr*g; x = x + v", beta=0.5)
    return {
        "Objective": two, "Objective of arrays": rows, "Run": run, "Fit": fit, "Many": many, "Rule": rule,
        "History": run.history, "Theory": rule.theory(), "Curvature": two.curvature([0, 0]),
        "Check": sg.check_gradient("x**2", {"x": "2*x"}), "gradient": rows.gradient, "hessian": two.hessian,
    }  # fmt: skip


# A sound value for each parameter without a default, by its name.
SOUND: dict[str, Any] = {
    "text": "x**2 + y", "formula": "x**2 + y", "model": "a + b*x", "data": None, "start": [1, 2], "point": [1, 2],
    "x": [1.0, 2.0], "p": [1.0, 0.0], "v": [1.0, 0.0], "shapes": {}, "saved": "nowhere.npz", "path": "run.npz",
    "target": "y", "gradient": {"x": "2*x"}, "hessian": [["2"]], "claims": {"x": "2*x"}, "jacobian": {"x": "1"},
    "formulas": ["x"], "name": "cosine", "lr": 0.1, "method": "gd", "values": {"beta": 0.1}, "fun": abs, "jac": abs,
    "x0": [1.0, 2.0], "key": "x", "level": 0.9, "fixed": None, "what": "value", "starts": [[1, 2]],
}  # fmt: skip


def public() -> list[tuple[str, Any]]:
    """Give whatever can be called."""
    found = [(name, getattr(sg, name)) for name in sg.__all__ if name not in ("curvature", "plotting", "testing")]
    result = [(name, f) for name, f in found if inspect.isfunction(f) or name in ("Objective", "Rule")]
    for kind, sample in samples().items():
        for name in dir(sample):
            if name.startswith("_") and name not in ("__getitem__", "__call__", "__contains__"):
                continue
            if name in LEFT_OUT or name in ("to_dict", "kernel"):
                continue
            method = getattr(sample, name)
            if callable(method) and getattr(type(sample), name, None) is not None:
                result.append((f"{kind}.{name}", method))
    return result


def arguments(call: Any, rng: random.Random, odd: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Give arguments that fit the signature, an odd one or two among them."""
    try:
        known = list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        return [rng.choice(odd)()], {}
    names = [p.name for p in known]
    strange = set(rng.sample(names, min(len(names), rng.choice((1, 1, 2))))) if names else set()
    args: list[Any] = []
    named: dict[str, Any] = {}
    for p in known:
        if p.kind is p.VAR_POSITIONAL:
            continue
        if p.kind is p.VAR_KEYWORD:
            if p.name in strange:
                named[rng.choice(("lr", "steps", "x", "beta", "method", "batch", "nonsense", "box"))] = rng.choice(
                    odd
                )()
            continue
        if p.name not in strange and p.default is not p.empty:
            continue
        value = rng.choice(odd)() if p.name in strange else SOUND.get(p.name)
        if p.kind is p.POSITIONAL_ONLY:
            args.append(value)
        else:
            named[p.name] = value
    return args, named


def belongs(problem: BaseException) -> bool:
    """Tell whether Python itself refused the call, since it does not fit the signature."""
    assert problem.__traceback__ is not None
    return isinstance(problem, TypeError) and problem.__traceback__.tb_next is None


def _late(*_: object) -> None:
    raise HangError


def attempt(name: str, call: Any, rng: random.Random, odd: list[Any]) -> str:
    """Make a call, and say what came of it: what must not come begins with ``WRONG``."""
    args, named = arguments(call, rng, odd)
    if "minimize" in name or "maximize" in name or "resume" in name:
        named = {"seconds": 0.2, "progress": False} | named
        named.setdefault("steps", 3)
    if "minimize_many" in name and isinstance(named.get("n"), int) and named["n"] > 1000:
        named["n"] = 4
    try:
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
        try:
            call(*args, **named)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except sg.SymgdError as problem:
        return "refused" if len(str(problem)) < 2000 else f"WRONG {name}: a message of {len(str(problem))} characters"
    except HangError:
        return f"WRONG {name}: takes more than {PATIENCE} s for {_told(args, named)}"
    except Exception as problem:  # noqa: BLE001 - this is what is looked for
        if belongs(problem):
            return "no such call"
        if isinstance(problem, KeyError | IndexError) and name.endswith("__getitem__"):
            return "no such item"
        traceback.print_exc()
        return f"WRONG {name}: {type(problem).__name__}: {str(problem)[:120]} of {_told(args, named)}"
    return "answered"


def _told(args: list[Any], named: dict[str, Any]) -> str:
    try:
        return repr((args, named))[:200]
    except Exception:  # noqa: BLE001 - the repr of what is hostile
        return f"{len(args)} arguments and {sorted(named)}"


def search(count: int, seed: int) -> collections.Counter[str]:
    """Make so many calls, and count what came of them."""
    rng = random.Random(seed)
    calls = public()
    # What a function of the user's raises is the user's.
    odd = [make for make in ODD if not callable(make())]
    found: collections.Counter[str] = collections.Counter()
    former = signal.signal(signal.SIGPROF, _late)
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.chdir(folder)
        try:
            for number in range(count):
                name, call = calls[number % len(calls)]
                with contextlib.redirect_stdout(io.StringIO()):
                    found[attempt(name, call, rng, odd)] += 1
        finally:
            os.chdir(before)
            signal.signal(signal.SIGPROF, former)
    return found


def main() -> int:
    """Search, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    faulthandler.enable()
    found = search(given.calls, given.seed)
    print(json.dumps(dict(found.most_common()), indent=1))
    return int(any(what.startswith("WRONG") for what in found))


if __name__ == "__main__":
    sys.exit(main())
