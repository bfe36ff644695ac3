"""Published rates of the methods that are best in the worst case: OGM, triple momentum, ITEM, silver steps."""

from __future__ import annotations

import math

import numpy as np

from symgd.rules.schedules import schedule
from symgd.testing.classes import Known, quadratic
from symgd.testing.laws.assumptions import (
    convex,
    is_smooth_convex,
    is_strongly_convex,
    smoothness,
    strongly_convex,
)
from symgd.testing.laws.case import Case
from symgd.testing.laws.kinds import Rate
from symgd.testing.laws.law import Law
from symgd.testing.laws.momentum import huber_case, weights
from symgd.testing.protocol import Setting, Trace, Vector

# ---- OGM ------------------------------------------------------------------------------------------------------------


def _ogm(case: Case, share: float) -> dict[str, Setting]:
    return {"lr": share / case.problem.L, "last": float(case.steps)}


def ogm_weight(n: int) -> float:
    """Give theta_n of n steps: theta_0 = 1, as FISTA's but for the last one."""
    return (1 + math.sqrt(8 * weights(n)[n] ** 2 + 1)) / 2


def _ogm_bound(case: Case, n: int) -> float:
    return smoothness(case) * case.radius2 / (2 * ogm_weight(n) ** 2)


def _ogm_cases() -> list[Case]:
    return [huber_case(ogm_weight(n) ** 2, n, last=float(n)) for n in (1, 2, 5, 20)]


# ---- with a known mu -------------------------------------------------------------------------------------------------


def _known_ratio(case: Case, share: float) -> dict[str, Setting]:
    f = case.problem
    lr = share / f.L
    return {"lr": lr, "q": lr * (f.mu or 0.0)}


def _ratio(case: Case) -> float:
    return float(case.settings["q"])


def _below_one(f: Known) -> bool:
    return is_strongly_convex(f) and (f.mu or 0.0) < 0.999 * f.L


def _triple_bound(case: Case, n: int) -> float:
    q = _ratio(case)
    return (1 - math.sqrt(q)) ** (2 * n) * smoothness(case) / q / 2 * case.radius2


def _triple_parts(case: Case) -> tuple[float, float]:
    """Give gamma and delta of the method."""
    rho = 1 - math.sqrt(_ratio(case))
    return rho**2 / ((1 + rho) * (2 - rho)), rho**2 / (1 - rho**2)


def _triple_output(case: Case, trace: Trace) -> Vector:
    """Give (1 + delta) xi_n - delta xi_{n-1}, from the iterates (1 + gamma) xi_n - gamma xi_{n-1}."""
    gamma, delta = _triple_parts(case)
    before, found = trace.points[0], [trace.points[0]]
    for y in trace.points[1:]:
        xi = (y + gamma * before) / (1 + gamma)
        found.append((1 + delta) * xi - delta * before)
        before = xi
    return np.array(found)


def item_areas(q: float, n: int) -> list[float]:
    """Give ITEM's A_0 = 0 to A_n."""
    found = [0.0]
    for _ in range(n):
        a = found[-1]
        found.append(((1 + q) * a + 2 * (1 + math.sqrt((1 + a) * (1 + q * a)))) / (1 - q) ** 2)
    return found


def _item_bound(case: Case, n: int) -> float:
    q = _ratio(case)
    return case.radius2 / (1 + q * item_areas(q, n)[n])


def _item_output(case: Case, trace: Trace) -> Vector:
    """Give z_n, from the iterate (1 - b) z_n + b x_n, x_n being the gradient step from the one before."""
    q, lr, y = _ratio(case), float(case.settings["lr"]), trace.points
    areas = np.array(item_areas(q, trace.steps + 1))
    b = (areas[:-1] / ((1 - q) * areas[1:]))[1:, None]
    x = y[:-1] - lr * case.problem.slope(y[:-1])
    return np.concatenate([y[:1], (y[1:] - b * x) / (1 - b)])


def _item_swell(case: Case) -> float:
    """Give the largest 1/(1 - b): b rises to (1 - sqrt q)/(1 + sqrt q), or like 1 - 2/k."""
    q, n = _ratio(case), case.steps
    areas = item_areas(q, n + 1)
    return 3 / (1 - areas[n] / ((1 - q) * areas[n + 1]))


def _item_cases() -> list[Case]:
    f = quadratic([4.0, 1.0])
    return [Case(f, f.minimizer + np.array([0.0, 1.0]), n, _known_ratio(Case(f, f.minimizer), 1.0)) for n in (1, 5, 15)]


# ---- silver steps ----------------------------------------------------------------------------------------------------


def _silver(case: Case, _: float) -> dict[str, Setting]:
    return {"lr": schedule("silver", 1 / case.problem.L)}


def _silver_bound(case: Case, n: int) -> float:
    if n & (n + 1):
        return math.nan
    k = n.bit_length()
    return case.problem.L * case.radius2 / (1 + math.sqrt(4 * (1 + math.sqrt(2)) ** (2 * k) - 3))


LAWS: list[Law] = [
    Rate(
        name="ogm-convex",
        claim="f(xn) - f* <= L R2/(2 th_n**2), with th_0 = 1, th' = (1 + sqrt(4 th**2 + 1))/2, 8 for 4 at the last",
        assumes="f convex, L-smooth; lr = 1/L, last = n",
        source="Kim and Fessler 2016, theorem 2",
        methods=frozenset({"ogm"}), problems=convex, assumed=is_smooth_convex, settings=_ogm,
        measure="gap", bound=_ogm_bound, every=False, extremal=_ogm_cases,
    ),
    Rate(
        name="triple-strong",
        claim="f(xn) - f* <= (1 - sqrt q)**(2n) L/(2 q) R2, with xn the method's output",
        assumes="f mu-strongly convex, L-smooth; lr = 1/L, q = mu/L < 1",
        source="Van Scoy, Freeman and Lynch 2018, theorem 1",
        methods=frozenset({"triple"}), problems=strongly_convex, assumed=_below_one, settings=_known_ratio,
        measure="gap", bound=_triple_bound, output=_triple_output, swell=lambda case: 3 * (1 + _triple_parts(case)[1]),
    ),
    Rate(
        name="item-strong",
        claim="|zn - x*|^2 <= R2/(1 + q A_n), with A_0 = 0, "
              "A' = ((1 + q) A + 2 (1 + sqrt((1 + A)(1 + q A))))/(1 - q)**2, and zn the method's output",
        assumes="f mu-strongly convex, L-smooth; lr = 1/L, q = mu/L < 1",
        source="Taylor and Drori 2022, theorem 3",
        methods=frozenset({"item"}), problems=strongly_convex, assumed=_below_one, settings=_known_ratio,
        measure="distance", bound=_item_bound, output=_item_output, swell=_item_swell, extremal=_item_cases,
    ),
    Rate(
        name="gd-silver",
        claim="f(xn) - f* <= L R2/(1 + sqrt(4 rho**(2k) - 3)), with rho = 1 + sqrt 2",
        assumes="f convex, L-smooth; n = 2**k - 1, lr = (1 + rho**(v2(t) - 1))/L: the schedule `silver`",
        source="Altschuler and Parrilo 2023, Acceleration by Stepsize Hedging II, theorem 1.1",
        methods=frozenset({"gd"}), problems=convex, assumed=is_smooth_convex, settings=_silver, shared=False,
        measure="gap", bound=_silver_bound,
    ),
]  # fmt: skip
