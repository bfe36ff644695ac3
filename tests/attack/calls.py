"""Public calls with odd arguments, and data that change afterwards: symgd's own errors only, and no signal.

    python -m tests.attack.calls --calls 100000

The calls are made in child processes, a slice of them each. A child writes down what it is about to call; when it ends
by a signal, the parent says by which and in what. Arrays are changed after an objective was made from them, indices
among them, and files under an objective are rewritten and cut short: answers must not change, or there must be an
error that names the file.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import faulthandler
import io
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import symgd as sg

SLICE = 2_000  # calls of a child
NOWHERE = io.StringIO()
WHOLES = (int, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.intp)
REALS = (float, np.float16, np.float32, np.float64, np.longdouble)


class Hostile:
    """An object whose every method fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __float__(self) -> float:
        raise RuntimeError("no float")

    def __iter__(self):
        raise RuntimeError("no iteration")

    def __len__(self) -> int:
        raise RuntimeError("no length")


def _loop() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


_VALUES: tuple[Any, ...] = (
    None, True, False, math.nan, math.inf, -math.inf, -1, 0, 1, 2, 3.5, 0.1, 10**30, -(10**30), 10**400, 1e308,
    5e-324, "", "a", "x", "auto", "x + ", "x**2", "é", "\x00", "9" * 5000, "x" * 3000, b"x", bytearray(b"x"),
    memoryview(b"x"), 1j, np.complex128(1), (), [], [1], [1, 2], [1, 2, 3], [math.nan, 1], [[1, 2], [3]],
    [[1, 2], [3, 4]], [None], ["a"], {}, {"x": 1}, {"x": 1, "y": 2}, {"x": [1, 2], "y": 2}, {"zz": 1}, {1: 2},
    {"x": None}, {"w": [0, 0, 0]}, {"x": (0, 1), "y": (0, 1)}, {"x": (1, 0)}, {1}, frozenset(), object(), Hostile(),
    print, Hostile, int, range(3), Decimal("0.5"), Decimal("nan"), Fraction(1, 3), dt.date(2020, 1, 1),
    dt.timedelta(1), np.datetime64("2020-01-01"), np.timedelta64(1, "s"), np.int8(2), np.uint64(2**64 - 1),
    np.float32(0.5), np.bool_(True), np.array(2), np.array(True), np.array([]), np.zeros(3), np.zeros((2, 2)),
    np.zeros((1, 1, 1, 1)), np.array(["a"]), np.array([None]), np.array([{}], object), np.ma.masked,
    np.ma.array([1.0, 2.0], mask=[0, 1]), np.zeros(2, [("a", float)]), np.array([1j]), np.array([10**30], object),
    Path("nowhere.npy"), Path(), (10**6, 10**6), ((2,), 3), "nowhere.csv", "nowhere.npz", "nowhere.json",
    "nowhere.parquet",
)  # fmt: skip
ODD: tuple[Callable[[], Any], ...] = (
    *((lambda value=value: value) for value in _VALUES),
    lambda: iter([1, 2]),
    _loop,
    lambda: (i for i in range(3)),
)

OPTIONS = ("lr", "steps", "gtol", "ftol", "xtol", "seconds", "seed", "every", "batch", "epochs", "shuffle", "method",
           "callback", "progress", "beta", "save", "save_every", "nonsense")  # fmt: skip
TEXTS = ("x**2 + y", "mean((y - w*x)**2)", "sum(x)", "x @ y", "x[y]", "x[1:] - x[0]", "where(x > 0, x, y)", "max(x)",
         "sum(log(x))*y", "y", "logsumexp(x*y)", "x[y]*w", "norm(x)")  # fmt: skip


class Calls:
    """The calls, one a method; each is handed a source of chance and of odd arguments."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng, self.folder = random.Random(seed), folder
        self.numbers = np.random.default_rng(seed)
        self.two = sg.Objective("x**2 + x*y + y**2", tier="python")
        self.rows = sg.Objective("mean((y - X @ w)**2)", {"X": np.ones((5, 3)), "y": np.arange(5)}, tier="python")
        self.run = self.two.minimize([1, 2], lr=0.1, steps=3)
        self.fit = sg.fit("a + b*x", {"x": [0, 1, 2, 3], "y": [1, 2, 3, 5]}, target="y", start={"a": 1, "b": 1})
        self.kinds = [getattr(self, name) for name in dir(self) if name.startswith("call_")]

    def odd(self) -> Any:
        """Give an odd argument."""
        return self.rng.choice(ODD)()

    def one(self) -> tuple[str, Callable[[], Any]]:
        """Give a call, and what to say of it."""
        kind = self.rng.choice(self.kinds)
        return kind.__name__, kind

    def _objective(self) -> Any:
        return self.rng.choice((self.two, self.rows))

    def call_objective(self) -> None:
        given = {name: self.odd() for name in ("data", "params", "tier", "workers") if self.rng.random() < 0.4}
        text = self.odd() if self.rng.random() < 0.2 else self.rng.choice(TEXTS)
        sg.Objective(text, **given)

    def call_data(self) -> None:
        data = {name: self.odd() for name in ("x", "y") if self.rng.random() < 0.8}
        f = sg.Objective(self.rng.choice(TEXTS), data, tier="python")
        f.value(dict.fromkeys(f.params, 1.0))

    def call_numbers(self) -> None:
        f, name = self._objective(), self.rng.choice(
            ("value", "gradient_at", "hessian_at", "curvature", "vector", "fun", "jac", "hess", "lambdify",
             "with_shapes"))  # fmt: skip
        getattr(f, name)(self.odd())

    def call_pairs(self) -> None:
        f, name = self._objective(), self.rng.choice(("hvp", "hessp"))
        getattr(f, name)(self.rng.choice(([1, 2], self.odd())), self.odd())

    def call_named(self) -> None:
        self._objective().value(**{self.rng.choice("xyw"): self.odd(), self.rng.choice("xyw"): self.odd()})

    def call_items(self) -> None:
        found = self.rng.choice((self.two.gradient, self.two.hessian, self.run.history))
        found[self.odd()]

    def call_descent(self) -> None:
        options = {"steps": 3, "seconds": 0.05, "progress": False}
        for _ in range(self.rng.choice((1, 1, 2))):
            name = self.rng.choice(OPTIONS)
            options[name] = self.odd()
            if name == "seconds":
                options["steps"] = 3
        if callable(options.get("callback")):  # what a callback of the user's raises is the user's
            options["callback"] = 1
        os.chdir(self.folder)
        start = self.odd() if self.rng.random() < 0.3 else self.rng.choice(([1, 2], {"x": 1, "y": 2}))
        getattr(self.two, self.rng.choice(("minimize", "maximize")))(start, **options)

    def call_resume(self) -> None:
        options = {"steps": 5, "seconds": 0.05, self.rng.choice(("steps", "save", "save_every")): self.odd()}
        saved = self.odd() if self.rng.random() < 0.3 else self.run
        os.chdir(self.folder)
        self.two.resume(saved, **options)

    def call_many(self) -> None:
        options: dict[str, Any] = {"box": {"x": (0, 1), "y": (0, 1)}, "n": 4, "steps": 3, "seconds": 0.05}
        name = self.rng.choice(("box", "n", "strategy", "seed", "starts", "lr", "method"))
        options[name] = self.odd()
        if name == "starts":
            del options["box"], options["n"]
        self.two.minimize_many(**options, progress=False)

    def call_rule(self) -> None:
        text = self.odd() if self.rng.random() < 0.3 else "v = beta*v - lr*g; x = x + v"
        names = ("init", "name", "default_lr", "beta")
        rule = sg.Rule(text, **{"beta": 0.5, self.rng.choice(names): self.odd()})
        rule.theory(**{self.rng.choice(("smallest", "largest", "lr", "beta")): self.odd()})

    def call_schedule(self) -> None:
        name = self.odd() if self.rng.random() < 0.2 else self.rng.choice(("constant", "inverse", "cosine", "warmup"))
        sg.schedule(
            name, self.odd() if self.rng.random() < 0.5 else 0.1, **{self.rng.choice(("decay", "steps")): self.odd()}
        )

    def call_fit(self) -> None:
        given: dict[str, Any] = {
            "data": {"x": [0, 1, 2, 3], "y": [1, 2, 3, 5]},
            "target": "y",
            "start": {"a": 1, "b": 1},
        }
        given[self.rng.choice((*given, "weights", "sigma", "level", "covariance"))] = self.odd()
        sg.fit("a + b*x", **given)

    def call_save(self) -> None:
        os.chdir(self.folder)
        self.run.save(self.odd())

    def call_checks(self) -> None:
        claims = self.rng.choice(({"x": "2*x + y", "y": "x + 2*y"}, {"x": self.odd(), "y": "0"}, self.odd()))
        data = self.odd() if self.rng.random() < 0.2 else None
        second, formulas = self.odd(), self.odd()
        if any(map(callable, (second, formulas, claims, *(claims.values() if isinstance(claims, dict) else ())))):
            return  # what a function of the user's raises is the user's
        more = {name: self.odd() for name in ("params", "where", "explain") if self.rng.random() < 0.2}
        way = self.rng.randrange(4)
        if way == 0:
            print(sg.check_gradient("x**2 + x*y + y**2", claims, data, **more), file=NOWHERE)
        elif way == 1:
            self.two.check_gradient(claims)
        elif way == 2:
            self.two.check_hessian(second)
        else:
            sg.check_jacobian(formulas, claims)

    def call_results(self) -> None:
        """Ask what a run, many of them and a fit say, of odd objectives and from odd starts."""
        text = self.rng.choice(
            ("x**2 + y**2", "log(x) + y", "sqrt(x*y)", "x/y", "exp(x*y) - x", "abs(x) - y", "-x - y")
        )
        f = sg.Objective(text, tier="python")
        ends = [float(self.rng.choice((0, 1, -1, 1e300, -1e-300, 5e-324, 1e8, self.rng.gauss(0, 1)))) for _ in "xy"]
        method = self.rng.choice(("gd", "adam", "newton", "lbfgs", "bb", "bfgs", "cg", "momentum"))
        run = f.minimize(ends, steps=self.rng.choice((1, 5, 40)), method=method)
        print(run.summary(), run.to_dict(), run, run.diagnosis, run.history, f.curvature(ends), file=NOWHERE)
        many = f.minimize_many([ends, [0.5, 0.5]], steps=5, progress=False)
        print(many, many.minima, many.to_dict(), many.best, file=NOWHERE)

    def call_fit_asks(self) -> None:
        name = self.rng.choice(("interval", "predict"))
        given = {"interval": ("level",), "predict": ("data", "band", "level")}[name]
        getattr(self.fit, name)(**{key: self.odd() for key in given if self.rng.random() < 0.6})

    def call_numbers_of_numpy(self) -> None:
        """Give every option as a number of some type of NumPy's; none is refused for its type."""
        whole, real = self.rng.choice(WHOLES), self.rng.choice(REALS)
        f = sg.Objective("x**2 + y", tier="python", workers=whole(2))
        f.minimize(self.rng.choice(([real(1), whole(2)], {"x": real(1), "y": whole(2)}, np.array([1, 2], real))),
                   lr=real(0.1), steps=whole(3), seconds=real(5), gtol=real(0), seed=whole(7))  # fmt: skip
        f.minimize_many(
            box={"x": (whole(0), real(1)), "y": (real(0), whole(1))}, n=whole(4), seed=whole(1), steps=whole(2)
        )
        f.value(x=real(1), y=np.array(whole(1)))

    def call_changed_data(self) -> None:
        """Change the arrays that an objective was made from, and ask again."""
        n = self.rng.choice((4, 50))
        draw = self.numbers
        data = {"u": draw.integers(-7, 7, n), "y": draw.normal(size=n), "U": draw.normal(size=7),
                "b": draw.random(n) > 0.5}  # fmt: skip
        text = self.rng.choice(
            ("mean((y - U[u]*w)**2)", "mean((y - w*b)**2)", "sum(U[u + 0]*w*y)", "sum(U[abs(u) - 1]*w)")
        )
        tier = "numba" if self.rng.random() < 0.5 else "python"
        f = sg.Objective(text, data, tier=tier, params=["w"])
        before = f.value(w=0.5), f.jac([0.5]).tolist()
        if self.rng.random() < 0.3:
            f.minimize(0.5, lr=0.01, batch=2, epochs=1)
        for array in data.values():
            array[...] = self.rng.choice((0, 10**9, -(10**12), 1)) if array.dtype != bool else ~array
        if (f.value(w=0.5), f.jac([0.5]).tolist()) != before:
            raise AssertionError(f"{text} answers otherwise after its data were changed")
        f.hess([0.5])
        f.minimize(0.5, lr=0.01, steps=2)

    def call_changed_file(self) -> None:
        """Change a file under an objective, and ask again."""
        n = 40
        paths = {"u": self.folder / "u.npy", "y": self.folder / "y.npy"}
        np.save(paths["u"], self.numbers.integers(0, 7, n))
        np.save(paths["y"], self.numbers.normal(size=n))
        f = sg.Objective("mean((y - U[u]*w)**2)", {**paths, "U": np.arange(7.0)}, params=["w"])
        if self.rng.random() < 0.5:
            f.value(w=0.5)
        path = self.rng.choice(list(paths.values()))
        way = self.rng.randrange(3)
        if way == 0:
            np.save(path, np.full(n, 10**12))
        elif way == 1:
            path.write_bytes(path.read_bytes()[: self.rng.randrange(200)])
        else:
            path.unlink()
        f.value(w=0.5)
        f.minimize(0.5, lr=0.01, steps=2)


def child(seed: int, count: int, log: Path) -> None:
    """Make calls, and print what came of them."""
    faulthandler.enable()
    found: collections.Counter[str] = collections.Counter()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        calls = Calls(seed, Path(folder))
        for number in range(count):
            name, call = calls.one()
            log.write_text(f"call {number} of seed {seed}: {name}")
            try:
                call()
                what = "answered"
            except sg.SymgdError as problem:
                what = (
                    "refused"
                    if len(str(problem)) < 1000
                    else f"WRONG {name}: a message of {len(str(problem))} characters"
                )
            except Exception as problem:  # noqa: BLE001 - this is what is looked for
                traceback.print_exc()
                what = f"WRONG {name}: {type(problem).__name__}: {str(problem)[:150]} (call {number} of seed {seed})"
            NOWHERE.truncate(0)
            found[what] += 1
        os.chdir("/")
    print(json.dumps(found))


def main() -> int:
    """Share the calls out to children, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        child(given.child, given.calls, given.log)
        return 0
    found: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        for begun in range(0, given.calls, SLICE):
            seed = given.seed + begun // SLICE
            count = min(SLICE, given.calls - begun)
            command = [
                sys.executable,
                "-m",
                "tests.attack.calls",
                "--child",
                str(seed),
                "--calls",
                str(count),
                "--log",
                str(log),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                what = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
                found[f"WRONG: {what} in {log.read_text()}: {done.stderr[-500:]}"] += 1
            else:
                found.update(json.loads(done.stdout))
            print(f"{begun + count:,} calls, {sum(map(_is_wrong, found))} kinds of what is wrong", file=sys.stderr)
    print(json.dumps(dict(found.most_common()), indent=1))
    return int(any(map(_is_wrong, found)))


def _is_wrong(what: str) -> bool:
    return what.startswith("WRONG")


if __name__ == "__main__":
    sys.exit(main())
