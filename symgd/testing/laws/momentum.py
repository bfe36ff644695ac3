"""Published rates of the heavy ball and of Nesterov's momentum."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from symgd.testing.classes import Known, Lessard, quadratic, ridge
from symgd.testing.laws.assumptions import (
    convex,
    is_quadratic,
    is_smooth_convex,
    is_strongly_convex,
    lr_of,
    quadratics,
    smoothness,
    strongly_convex,
    up_to_one,
)
from symgd.testing.laws.case import Case
from symgd.testing.laws.kinds import Pairs, Rate, Stepwise, falling, gradient_steps
from symgd.testing.laws.law import Law
from symgd.testing.protocol import Setting, Trace

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# ---- heavy ball ------------------------------------------------------------------------------------------------------


def _ghadimi(case: Case, share: float) -> dict[str, Setting]:
    f = case.problem
    lr = share / f.L
    return {"lr": lr, "beta": math.sqrt((1 - lr * (f.mu or 0.0)) * max(0.0, 1 - lr * f.L))}


def _ghadimi_bound(case: Case, n: int) -> float:
    f = case.problem
    return (1 - lr_of(case) * (f.mu or 0.0)) ** n * float(f.gap(case.start))


def polyak_momentum(f: Known) -> float:
    """Give Polyak's momentum ((sqrt L - sqrt mu)/(sqrt L + sqrt mu))**2."""
    high, low = math.sqrt(f.L), math.sqrt(f.mu or 0.0)
    return ((high - low) / (high + low)) ** 2


def _polyak(case: Case, _: float) -> dict[str, Setting]:
    f = case.problem
    first, later = 2 / (f.L + (f.mu or 0.0)), 4 / (math.sqrt(f.L) + math.sqrt(f.mu or 0.0)) ** 2
    return {"lr": f"where(t < 2, {first!r}, {later!r})", "beta": polyak_momentum(f)}


def _polyak_bound(case: Case, n: int) -> float:
    m = polyak_momentum(case.problem)
    return m**n * (1 + n * (1 - m) / (1 + m)) ** 2 * case.radius2


def _polyak_cases() -> list[Case]:
    f = quadratic([25.0, 1.0])
    return [
        Case(f, f.minimizer + step, n, _polyak(Case(f, f.minimizer), 1.0))
        for n in (1, 6, 30)
        for step in ([1.0, 0], [0, 1.0])
    ]


def _polyak_alone(case: Case, _: float) -> dict[str, Setting]:
    f = case.problem
    return {"lr": 4 / (math.sqrt(f.L) + math.sqrt(f.mu or 0.0)) ** 2, "beta": polyak_momentum(f)}


def _alone_bound(case: Case, n: int) -> float:
    return polyak_momentum(case.problem) ** n * (2 * n + 1) ** 2 * case.radius2


def _lessard_cases() -> list[Case]:
    bare = Case(Lessard(), np.array([3.3]), 60)
    return [Case(bare.problem, bare.start, 60, _polyak_alone(bare, 1.0))]


def _lessard() -> SearchStrategy[Known]:
    from hypothesis import strategies as st

    return st.builds(Lessard)


# ---- Nesterov --------------------------------------------------------------------------------------------------------


def _one_over(case: Case, share: float) -> dict[str, Setting]:
    """Take lr up to 1/L, and the momentum that goes with it."""
    f = case.problem
    lr = share / f.L
    root = math.sqrt(lr * (f.mu or 0.0))
    return {"lr": lr, "beta": (1 - root) / (1 + root)}


def _strong_bound(case: Case, n: int) -> float:
    f, L = case.problem, smoothness(case)
    mu = f.mu or 0.0
    return (1 - math.sqrt(mu / L)) ** n * (float(f.gap(case.start)) + mu / 2 * case.radius2)


def _convex_bound(case: Case, n: int) -> float:
    return 2 * smoothness(case) * case.radius2 / (n * n + 5 * n + 6)


def _convex_cases() -> list[Case]:
    return [huber_case((n * n + 5 * n + 6) / 4, n) for n in (1, 2, 5, 20)]


def huber_case(knees: float, n: int, **settings: Setting) -> Case:
    """Make the Huber function with its knee at R/knees, on whose linear branch a method is still after n steps.

    There the gradient is constant; the value is largest where the knee is 1/(2 S + 1) of the distance that n steps of a
    constant unit gradient go, S, in units of 1/L (Taylor, Hendrickx and Glineur 2017, section 4.1).
    """
    L, R = 4.0, 2.0
    f = ridge("huber", [L], scale=R / knees)
    return Case(f, f.minimizer + R, n, {"lr": 1 / L, **settings})


def weights(n: int) -> list[float]:
    """Give 0 and the weights lam_1 = 1, lam' = (1 + sqrt(4 lam**2 + 1))/2, up to lam_n."""
    found = [0.0, 1.0]
    while len(found) <= n:
        found.append((1 + math.sqrt(4 * found[-1] ** 2 + 1)) / 2)
    return found[: n + 1]


def _fista_bound(case: Case, n: int) -> float:
    return smoothness(case) * case.radius2 / (2 * weights(n)[n] ** 2)


def _fista_energy(case: Case, trace: Trace) -> Pairs:
    f, L = case.problem, smoothness(case)
    y, lam = gradient_steps(case, trace), np.array(weights(trace.steps))
    before = np.concatenate([y[:1], y[:-1]])
    z = y + (lam - 1)[:, None] * (y - before)
    return falling(lam**2 * f.gap(y) + L / 2 * f.distance(z) ** 2, L * lam**2 + L / 2)


LAWS: list[Law] = [
    Rate(
        name="momentum-strong",
        claim="f(xn) - f* <= (1 - lr mu)**n (f(x0) - f*)",
        assumes="f mu-strongly convex, L-smooth; 0 < lr <= 1/L, beta = sqrt((1 - lr mu)(1 - lr L))",
        source="Ghadimi, Feyzmahdavian and Johansson 2015, theorem 4",
        methods=frozenset({"momentum"}), problems=strongly_convex, assumed=is_strongly_convex, settings=_ghadimi,
        measure="gap", bound=_ghadimi_bound,
    ),
    Rate(
        name="momentum-polyak",
        claim="|xn - x*| <= m**(n/2) (1 + n (1 - m)/(1 + m)) |x0 - x*|, with m = beta",
        assumes="f a quadratic, mu > 0; lr = 4/(sqrt L + sqrt mu)**2, at the first step 2/(L + mu); "
                "beta = ((sqrt L - sqrt mu)/(sqrt L + sqrt mu))**2",
        source="Polyak 1964; d'Aspremont, Scieur and Taylor 2021, section 2.3 (Chebyshev)",
        methods=frozenset({"momentum"}), problems=quadratics, assumed=lambda f: is_quadratic(f) and bool(f.mu),
        settings=_polyak, shared=False, measure="distance", bound=_polyak_bound, extremal=_polyak_cases,
    ),
    Rate(
        name="momentum-polyak-everywhere",
        claim="|xn - x*| <= (2 n + 1) m**(n/2) |x0 - x*|, with m = beta",
        assumes="f mu-strongly convex, L-smooth; lr = 4/(sqrt L + sqrt mu)**2, "
                "beta = ((sqrt L - sqrt mu)/(sqrt L + sqrt mu))**2. It holds on quadratics; here it cycles for ever",
        source="Lessard, Recht and Packard 2016, section 4.6",
        methods=frozenset({"momentum"}), problems=_lessard, assumed=is_strongly_convex, shared=False,
        settings=_polyak_alone, steps=(30, 60), false=True, measure="distance", bound=_alone_bound,
        extremal=_lessard_cases,
    ),
    Rate(
        name="nesterov-strong",
        claim="f(yn) - f* <= (1 - sqrt(mu/L))**n (f(x0) - f* + mu/2 R2), with yn the gradient step from x(n-1)",
        assumes="f mu-strongly convex, L-smooth; lr = 1/L, beta = (sqrt L - sqrt mu)/(sqrt L + sqrt mu)",
        source="d'Aspremont, Scieur and Taylor 2021, corollary 4.15",
        methods=frozenset({"nesterov"}), problems=strongly_convex, assumed=is_strongly_convex, settings=_one_over,
        measure="gap", bound=_strong_bound, output=gradient_steps,
    ),
    Rate(
        name="nesterov-convex",
        claim="f(yn) - f* <= 2 L R2/(n**2 + 5 n + 6), with yn the gradient step from x(n-1)",
        assumes="f convex, L-smooth; lr = 1/L",
        source="Taylor, Hendrickx and Glineur 2017, table 1",
        methods=frozenset({"nesterov_convex"}), problems=convex, assumed=is_smooth_convex, settings=up_to_one,
        measure="gap", bound=_convex_bound, output=gradient_steps, extremal=_convex_cases,
    ),
    Rate(
        name="fista-convex",
        claim="f(yn) - f* <= L R2/(2 lam_n**2), with lam_1 = 1, lam' = (1 + sqrt(4 lam**2 + 1))/2 and yn as above",
        assumes="f convex, L-smooth; lr = 1/L",
        source="Beck and Teboulle 2009, theorem 4.4",
        methods=frozenset({"fista"}), problems=convex, assumed=is_smooth_convex, settings=up_to_one,
        measure="gap", bound=_fista_bound, output=gradient_steps,
    ),
    Stepwise(
        name="fista-energy",
        claim="lam_n**2 (f(yn) - f*) + L/2 |zn - x*|**2 never rises, with zn = yn + (lam_n - 1)(yn - y(n-1))",
        assumes="f convex, L-smooth; lr = 1/L",
        source="Beck and Teboulle 2009, lemma 4.1; Bansal and Gupta 2019, theorem 5.3",
        methods=frozenset({"fista"}), problems=convex, assumed=is_smooth_convex, settings=up_to_one,
        pairs=_fista_energy,
    ),
]  # fmt: skip
