"""Published rates of gradient descent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from symgd.testing.classes import Known, quadratic, ridge
from symgd.testing.laws.assumptions import (
    above_one,
    below_two,
    best,
    convex,
    is_quadratic,
    is_smooth_convex,
    is_strongly_convex,
    lr_of,
    quadratics,
    strongly_convex,
    up_to_one,
)
from symgd.testing.laws.case import Case
from symgd.testing.laws.kinds import Rate
from symgd.testing.laws.law import Law
from symgd.testing.protocol import Setting, Vector

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

GD = frozenset({"gd"})


def contraction(case: Case) -> float:
    """Give q = max(abs(1 - lr L), abs(1 - lr mu))."""
    f, lr = case.problem, lr_of(case)
    return max(abs(1 - lr * f.L), abs(1 - lr * (f.mu or 0.0)))


# ---- bounds ----------------------------------------------------------------------------------------------------------


def _convex_bound(case: Case, n: int) -> float:
    L = case.problem.L
    return L * case.radius2 / (4 * n * L * lr_of(case) + 2)


def _long_bound(case: Case, n: int) -> float:
    L, lr = case.problem.L, lr_of(case)
    return max(L / (4 * n * L * lr + 2), L / 2 * (1 - lr * L) ** (2 * n)) * case.radius2


def _quadratic_bound(case: Case, n: int) -> float:
    f, lr = case.problem, lr_of(case)
    L, mu = f.L, f.mu or 0.0
    a = min(max(1 / (L * lr * (2 * n + 1)), mu / L), 1.0)
    return L / 2 * max(a * (1 - a * L * lr) ** (2 * n), (1 - L * lr) ** (2 * n)) * case.radius2


def _distance_bound(case: Case, n: int) -> float:
    return contraction(case) ** (2 * n) * case.radius2


def _gap_bound(case: Case, n: int) -> float:
    return contraction(case) ** (2 * n) * float(case.problem.gap(case.start))


def _gradient_bound(case: Case, n: int) -> float:
    g = case.problem.slope(case.start)
    return contraction(case) ** (2 * n) * float(g @ g)


# ---- gradients that are known only so well -------------------------------------------------------------------------


class Noisy:
    """A problem whose gradient is off by a share e of its length: shortened, lengthened, or in any direction."""

    def __init__(self, problem: Known, error: float, seed: int) -> None:
        self.problem, self.error, self.seed = problem, error, seed

    def fun(self, x: Any) -> float:
        """Give the value."""
        return self.problem.fun(x)

    def jac(self, x: Any) -> Vector:
        """Give the gradient, and what it is off by."""
        g = self.problem.jac(x)
        if self.seed < 2:
            return g * (1 + self.error * (1 if self.seed else -1))
        u = np.random.default_rng([self.seed, *np.asarray(x).view(np.uint32)]).normal(size=g.shape)
        return g + self.error * math.sqrt(float(g @ g)) * u / math.sqrt(float(u @ u))


def _noisy(case: Case) -> Noisy:
    return Noisy(case.problem, float(case.more["error"]), int(case.more["seed"]))


def _noisy_ends(case: Case) -> tuple[float, float]:
    e, f = float(case.more["error"]), case.problem
    return (1 + e) * f.L, (1 - e) * (f.mu or 0.0)


def _noisy_lr(case: Case, _: float) -> dict[str, Setting]:
    return {"lr": 2 / sum(_noisy_ends(case))}


def _noisy_bound(case: Case, n: int) -> float:
    high, low = _noisy_ends(case)
    return ((high - low) / (high + low)) ** (2 * n) * float(case.problem.gap(case.start))


def _noises() -> dict[str, SearchStrategy[Any]]:
    from hypothesis import strategies as st

    return {"error": st.sampled_from([0.5, 0.1, 0.9]) | st.floats(0, 0.95), "seed": st.integers(0, 9)}


def _noisy_cases() -> list[Case]:
    f, cases = quadratic([4.0, 1.0]), []
    for e in (0.1, 0.5):
        lr = 2 / (4 * (1 + e) + (1 - e))
        cases += [Case(f, np.array([0.0, 1.0]), n, {"lr": lr}, {"error": e, "seed": 0}) for n in (1, 8)]
        cases += [Case(f, np.array([1.0, 0.0]), n, {"lr": lr}, {"error": e, "seed": 1}) for n in (1, 8)]
    return cases


# ---- cases where bounds are attained --------------------------------------------------------------------------------


def _huber_case(n: int, share: float, L: float = 4.0, R: float = 2.0) -> Case:
    """Make the Huber function whose knee R/(2 n L lr + 1) gradient descent only just does not reach."""
    f = ridge("huber", [L], scale=R / (2 * n * share + 1))
    return Case(f, f.minimizer + R, n, {"lr": share / L})


def _slower(lr: float, n: int, low: float = 1.0, high: float = 4.0) -> Case:
    """Make the quadratic whose slower end the start lies on."""
    f = quadratic([high, low])
    step = [1.0, 0.0] if abs(1 - lr * high) > abs(1 - lr * low) else [0.0, 1.0]
    return Case(f, f.minimizer + step, n, {"lr": lr})


def _convex_cases() -> list[Case]:
    return [_huber_case(n, share) for n in (1, 5, 20) for share in (1.0, 0.5)]


def _long_cases() -> list[Case]:
    return [_huber_case(n, 1.2) for n in (1, 5)] + [
        Case(quadratic([4.0]), quadratic([4.0]).minimizer + 2.0, n, {"lr": 1.9 / 4}) for n in (1, 5)
    ]


def _contracting_cases() -> list[Case]:
    return [_slower(lr, n) for lr in (0.1, 0.25, 0.4, 0.45) for n in (1, 8)]


def _best_cases() -> list[Case]:
    return [_slower(0.4, n) for n in (1, 8)]


def _quadratic_cases() -> list[Case]:
    cases = []
    for n, lr in ((1, 0.25), (4, 0.25), (20, 0.1), (1, 0.45), (4, 0.45)):
        a = min(1 / (4 * lr * (2 * n + 1)), 1.0)
        inner = a * (1 - 4 * a * lr) ** (2 * n) > (1 - 4 * lr) ** (2 * n)
        f = quadratic([4.0, 4 * a])
        cases.append(Case(f, f.minimizer + ([0.0, 1.0] if inner else [1.0, 0.0]), n, {"lr": lr}))
    return cases


_THG = "Taylor, Hendrickx and Glineur 2018, Exact worst-case convergence rates of the proximal gradient method"

LAWS: list[Law] = [
    Rate(
        name="gd-convex",
        claim="f(xn) - f* <= L R2/(4 n L lr + 2)",
        assumes="f convex, L-smooth; 0 < lr <= 1/L",
        source="Drori and Teboulle 2014, theorem 3.1",
        methods=GD, problems=convex, assumed=is_smooth_convex, settings=up_to_one,
        measure="gap", bound=_convex_bound, extremal=_convex_cases,
    ),
    Rate(
        name="gd-convex-long",
        claim="f(xn) - f* <= max(L/(4 n L lr + 2), L/2 (1 - lr L)**(2n)) R2",
        assumes="f convex, L-smooth; 1/L < lr < 2/L",
        source="Taylor, Hendrickx and Glineur 2017, conjecture 3.1",
        methods=GD, problems=convex, assumed=is_smooth_convex, settings=above_one,
        measure="gap", bound=_long_bound, extremal=_long_cases,
    ),
    Rate(
        name="gd-distance",
        claim="|xn - x*|^2 <= q**(2n) R2, with q = max(|1 - lr L|, |1 - lr mu|)",
        assumes="f mu-strongly convex, L-smooth; 0 < lr < 2/L",
        source="Nesterov 2004, theorem 2.1.15 and its proof; Ryu and Boyd 2016, section 5.1",
        methods=GD, problems=strongly_convex, assumed=is_strongly_convex, settings=below_two,
        measure="distance", bound=_distance_bound, extremal=_contracting_cases,
    ),
    Rate(
        name="gd-gap",
        claim="f(xn) - f* <= q**(2n) (f(x0) - f*), with q = max(|1 - lr L|, |1 - lr mu|)",
        assumes="f mu-strongly convex, L-smooth; 0 < lr < 2/L",
        source=f"{_THG}, theorem 3.3",
        methods=GD, problems=strongly_convex, assumed=is_strongly_convex, settings=below_two,
        measure="gap", bound=_gap_bound, extremal=_contracting_cases,
    ),
    Rate(
        name="gd-gradient",
        claim="|grad(xn)|^2 <= q**(2n) |grad(x0)|^2, with q = max(|1 - lr L|, |1 - lr mu|)",
        assumes="f mu-strongly convex, L-smooth; 0 < lr < 2/L",
        source=f"{_THG}, theorem 3.2",
        methods=GD, problems=strongly_convex, assumed=is_strongly_convex, settings=below_two,
        measure="gradient", bound=_gradient_bound, extremal=_contracting_cases,
    ),
    Rate(
        name="gd-best-distance",
        claim="|xn - x*|^2 <= ((L - mu)/(L + mu))**(2n) R2",
        assumes="f mu-strongly convex, L-smooth; lr = 2/(L + mu)",
        source=f"{_THG}, theorem 3.1",
        methods=GD, problems=strongly_convex, assumed=is_strongly_convex, settings=best, shared=False,
        measure="distance", bound=_distance_bound, extremal=_best_cases,
    ),
    Rate(
        name="gd-best-gap",
        claim="f(xn) - f* <= ((L - mu)/(L + mu))**(2n) (f(x0) - f*)",
        assumes="f mu-strongly convex, L-smooth; lr = 2/(L + mu)",
        source=f"{_THG}, theorem 3.3",
        methods=GD, problems=strongly_convex, assumed=is_strongly_convex, settings=best, shared=False,
        measure="gap", bound=_gap_bound, extremal=_best_cases,
    ),
    Rate(
        name="gd-quadratic",
        claim="f(xn) - f* <= L/2 max(a (1 - a L lr)**(2n), (1 - L lr)**(2n)) R2, "
              "with a = 1/(L lr (2n + 1)) clipped to [mu/L, 1]",
        assumes="f a convex quadratic; 0 < lr < 2/L",
        source="Bousselmi, Hendrickx and Glineur 2023, equation 4.17",
        methods=GD, problems=quadratics, assumed=is_quadratic, settings=below_two,
        measure="gap", bound=_quadratic_bound, extremal=_quadratic_cases,
    ),
    Rate(
        name="gd-noisy",
        claim="f(xn) - f* <= ((Le - me)/(Le + me))**(2n) (f(x0) - f*), with Le = (1 + e) L, me = (1 - e) mu",
        assumes="f mu-strongly convex, L-smooth; the gradient is off by at most e of its length; lr = 2/(Le + me)",
        source="de Klerk, Glineur and Taylor 2020, theorem 5.3",
        methods=GD, problems=strongly_convex, assumed=is_strongly_convex, settings=_noisy_lr, shared=False,
        extras=_noises, oracle=_noisy, measure="gap", bound=_noisy_bound, extremal=_noisy_cases,
    ),
]  # fmt: skip
