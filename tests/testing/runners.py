"""Optimizers for the laws: symgd's own, through the engine, and recurrences in NumPy."""

import numpy as np

from symgd.errors import SymgdError
from symgd.rules import find_rule
from symgd.testing.protocol import Trace


class Engine:
    """A rule or method of symgd, run by the engine in plain Python or compiled."""

    scheduled = True

    def __init__(self, method, tier="python", **own):
        self.given, self.tier, self.own = method, tier, own
        self.name = self.method = method if isinstance(method, str) else method.name
        try:
            self.settable = frozenset({"lr", *find_rule(method).hyper})
        except SymgdError:
            self.settable = frozenset({"minimum", "factor"})

    def run(self, problem, start, steps, settings):
        if not hasattr(problem, "plain"):
            return Trace(np.array([start]), unable="it takes formulas")
        f = problem.plain(self.tier)
        at = {"x": start} if f.model.shapes.get("x") else start
        run = f.minimize(at, method=self.given, steps=steps, gtol=0, **{**self.own, **settings})
        return Trace(run.history.point.reshape(-1, len(start)), ended="" if run.steps == steps else str(run.outcome))


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


def gd(x, problem, t, memory, lr):
    return x - lr * problem.jac(x)
