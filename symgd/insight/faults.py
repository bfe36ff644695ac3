"""Findings about a rule's own faults: a number that is none, and steps that lead uphill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgd.graph import Graph, Map, Node, reachable
from symgd.graph.tape import Tape
from symgd.insight.evidence import Evidence
from symgd.insight.trials import remedy
from symgd.run import Finding

Vector = NDArray[np.float64]

REPLAYED = 50  # steps that are taken again to see where a rule breaks
UPHILL = 0.1  # cosine with the gradient from which on a step leads uphill
FIRST = 4  # steps that must lead uphill


def broken(e: Evidence) -> Finding | None:
    """Tell which subexpression of the rule is no number, while point and gradient still are."""
    if e.run.ok or e.rule is None or np.isfinite(e.run.x).all():
        return None
    found = next((f for f in _replay(e) if f is not None), None)
    if found is None:
        return None
    step, text, value, cause = found
    message = (
        f"The rule itself breaks at step {step:,}, where point and gradient are sound: {text} is {value:g}{cause}."
    )
    told, change = remedy([e.trials.best_method()], e.end, e.sign)
    return Finding("rule", message, f"Mend the rule. {told}".strip(), {"step": step}, change)


def _replay(e: Evidence) -> Iterator[tuple[int, str, float, str] | None]:
    """Take the first steps again, node by node."""
    assert e.rule is not None
    points = e.run.history.point
    if not points.size or e.noisy or e.batched:
        return
    lr = e.recipe["lr"]
    lowered = e.rule.lowered(lr)
    x = points[0].copy()
    f, g = e.kernel.slope(x)
    known: dict[str, Any] = {k: v for k, v in {"lr": lr, **e.rule.hyper}.items() if not isinstance(v, str)}
    begun = Tape(list(lowered.init.values()), {}).at({**known, "x": x, "t": 1.0}) if lowered.init else {}
    states = {
        name: np.broadcast_to(begun[lowered.init[name]], x.shape).copy() if name in lowered.init else np.zeros_like(x)
        for name in lowered.states
    }
    for step in range(1, REPLAYED + 1):
        point = {**known, **states, "x": x, "g": g, "f": f, "t": float(step)}
        values = Tape(lowered.roots(), {}).at(point)
        new = np.broadcast_to(np.asarray(values[lowered.x], dtype=np.float64), x.shape)
        if not np.isfinite(new).all():
            yield _culprit(lowered.graph, lowered.roots(), e.rule.text, values, step)
            return
        states = {name: np.broadcast_to(values[node], x.shape).copy() for name, node in lowered.states.items()}
        x = new.copy()
        f, g = e.kernel.slope(x)
        if not (np.isfinite(f) and np.isfinite(g).all()):
            return


def _culprit(
    graph: Graph, roots: list[Node], text: str, values: Mapping[Node, Any], step: int
) -> tuple[int, str, float, str] | None:
    """Give the first node that is no number though its arguments are, as it is written; of a quotient, what is 0."""
    for node in reachable(roots):
        if not isinstance(node, Map) or node.number not in graph.store.spans:
            continue
        value = np.asarray(values[node], dtype=np.float64)
        if np.isfinite(value).all() or not all(np.isfinite(np.asarray(values[a], float)).all() for a in node.args):
            continue
        bad = float(value[~np.isfinite(value)].flat[0]) if value.ndim else float(value)
        cause = ""
        if node.function == "divide" and not np.asarray(values[node.args[1]]).all():
            cause = f", for {_written(graph, node.args[1], text) or 'what it is divided by'} is 0"
        return step, _written(graph, node, text), bad, cause
    return None


def _written(graph: Graph, node: Node, text: str) -> str:
    span = graph.store.spans.get(node.number)
    return " ".join(text[span[0] : span[1]].split()) if span else ""


def uphill(e: Evidence) -> Finding | None:
    """Tell that the rule's own steps lead up the slope, whatever the learning rate."""
    points, lrs = e.run.history.point, e.lrs
    if e.run.ok or e.rule is None or e.noisy or e.batched or not (len(lrs) and lrs[0] > 0):
        return None
    if not points.size or list(e.run.history.step[:2]) != [0, 1]:  # of very many parameters no points are recorded
        return None
    cosines = []
    for before, after in pairwise(points[: FIRST + 1]):
        g, step = e.kernel.slope(before)[1], after - before
        size = float(np.linalg.norm(g) * np.linalg.norm(step))
        if not (np.isfinite(size) and size > 0):
            break
        cosines.append(float(g @ step) / size)
    # Far beyond its limit a rule still sets out downhill: the first step is what it means to do.
    if not cosines or not cosines[0] > UPHILL or not e.values[1] > e.values[0]:
        return None
    way = "downhill, against" if e.run.maximized else "uphill, along"
    wanted = "along" if e.run.maximized else "against"
    message = (
        f"The rule's first step leads {way} the gradient (the cosine of the angle between them is "
        f"{e.sign * cosines[0]:.3g}): a sign in the rule is wrong, and no learning rate mends that."
    )
    told, change = remedy([e.trials.best_method()], e.end, e.sign)
    text = f"Let x move {wanted} the gradient, as x = x - lr*g does. {told}".strip()
    return Finding("rule", message, text, {"cosine": e.sign * cosines[0]}, change)
