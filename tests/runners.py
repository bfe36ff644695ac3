"""Optimizers for the laws: symgd's own, through the engine, and recurrences in NumPy."""

import tempfile
from pathlib import Path
from types import CodeType

import numpy as np

from symgd.errors import SymgdError, UsageError
from symgd.rules import find_rule
from symgd.testing.protocol import Trace


class Engine:
    """A rule or method of symgd, run by the engine in plain Python or compiled."""

    scheduled = True

    def __init__(self, method, tier="python", workers=None, **own):
        self.given, self.tier, self.workers, self.own = method, tier, workers, own
        self.name = self.method = method if isinstance(method, str) else method.name
        try:
            self.settable = frozenset({"lr", *find_rule(method).hyper})
        except SymgdError:
            self.settable = frozenset({"minimum", "factor"} if method == "polyak" else ())

    def gradient(self, problem, x):
        return problem.plain(self.tier).jac(x)

    def variants(self, what):
        if what == "tiers":
            return {"compiled": Engine(self.given, "numba", **self.own)}
        if what == "threads":
            return {f"{n} threads": Engine(self.given, "numba", n, **self.own) for n in (1, 2, 3)}
        return {"resumed": Resumed(self.given, self.tier, **self.own)}

    def run(self, problem, start, steps, settings):
        if not hasattr(problem, "plain"):
            return Trace(np.array([start]), unable="it takes formulas")
        if self.given == "lm" and not problem.quadratic:
            return Trace(np.array([start]), unable="it takes sums of squares")
        f = problem.plain(self.tier, self.workers)
        at = {"x": start} if f.model.shapes.get("x") else start
        run = self.go(f, at, steps, {**self.own, **settings})
        return Trace(run.history.point.reshape(-1, len(start)), ended="" if run.steps == steps else str(run.outcome))

    def go(self, f, at, steps, options):
        return f.minimize(at, method=self.given, steps=steps, gtol=0, **options)


class Resumed(Engine):
    """The same, saved halfway and resumed."""

    def go(self, f, at, steps, options):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "half.npz"
            half = f.minimize(at, method=self.given, steps=max(steps // 2, 1), gtol=0, save=path, **options)
            try:
                return f.resume(path, steps=steps)
            except UsageError:  # it had ended
                return half


class Steps:
    """A recurrence: ``step(x, problem, t, memory, **settings)`` gives the next point."""

    scheduled = False

    def __init__(self, step, settable=("lr",), method=None, rounding=2.0**-53):
        self.step, self.settable, self.method = step, frozenset(settable), method
        self.name, self.rounding = step.__name__, rounding

    def run(self, problem, start, steps, settings):
        x, memory = np.array(start), {}
        points = [x.copy()]
        with np.errstate(over="ignore", invalid="ignore"):
            for t in range(1, steps + 1):
                x = self.step(x, problem, t, memory, **settings)
                points.append(x.copy())
                if not np.isfinite(x).all():
                    return Trace(np.array(points), ended="not finite")
        return Trace(np.array(points))


def gd(x, problem, t, memory, lr=0.1):
    return x - lr * problem.jac(x)


class Recurrence:
    """A rule of the table in NumPy: its own text, read as Python."""

    scheduled = True

    def __init__(self, method):
        self.name = self.method = method
        self.rule = find_rule(method)
        self.settable = frozenset({"lr", *self.rule.hyper})
        self.code = compile(self.rule.text.replace("; ", "\n"), method, "exec")

    def run(self, problem, start, steps, settings):
        names = {name: getattr(np, name) for name in ("sqrt", "sign", "where", "maximum", "minimum")}
        draws = np.random.default_rng(0)
        names |= {**self.rule.hyper, "normal": lambda: draws.normal(size=len(start)), "x": np.array(start)}
        moving = {"lr": 0.01, **settings}
        moving = {k: compile(v, k, "eval") if isinstance(v, str) else v for k, v in moving.items()}
        numbers = {"sqrt": np.sqrt, "where": np.where, "x": np.array(start), **self.rule.hyper}
        numbers |= {k: v for k, v in moving.items() if not isinstance(v, CodeType)}
        for state in self.rule.states:
            names[state] = eval(self.rule.init.get(state, "0*x"), {}, dict(numbers)) + np.zeros(len(start))
        points = [names["x"].copy()]
        with np.errstate(all="ignore"):
            for t in range(1, steps + 1):
                now = {k: eval(v, {}, {**numbers, "t": t}) if isinstance(v, CodeType) else v for k, v in moving.items()}
                names |= {"t": t, "g": problem.jac(names["x"]), **now}
                exec(self.code, {}, names)
                points.append(names["x"].copy())
                if not np.isfinite(points[-1]).all():
                    return Trace(np.array(points), ended="not finite")
        return Trace(np.array(points))
