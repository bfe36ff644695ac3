"""What laws assume: classes of objectives, as strategies and as tests; learning rates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from symgd.testing.classes import Known
from symgd.testing.laws.case import Case
from symgd.testing.protocol import Setting

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


# ---- classes of objectives -----------------------------------------------------------------------------------------


def convex() -> SearchStrategy[Known]:
    """Draw smooth convex objectives."""
    from symgd.testing.strategies import convex_bowls, convex_quadratics, least_squares, logistic_losses

    return convex_quadratics() | convex_bowls() | least_squares() | logistic_losses()


def strongly_convex() -> SearchStrategy[Known]:
    """Draw strongly convex objectives."""
    from symgd.testing.strategies import convex_bowls, convex_quadratics, logistic_losses

    return convex_quadratics() | convex_bowls(strongly=True) | logistic_losses(ridge=True)


def quadratics() -> SearchStrategy[Known]:
    """Draw quadratics."""
    from symgd.testing.strategies import convex_quadratics

    return convex_quadratics()


def is_smooth_convex(f: Known) -> bool:
    """Tell whether an objective is convex with a Lipschitz gradient."""
    return f.mu is not None and math.isfinite(f.L)


def is_strongly_convex(f: Known) -> bool:
    """Tell whether an objective is strongly convex with a Lipschitz gradient."""
    return is_smooth_convex(f) and bool(f.mu)


def is_quadratic(f: Known) -> bool:
    """Tell whether an objective is a convex quadratic."""
    return f.quadratic and f.mu is not None


# ---- learning rates --------------------------------------------------------------------------------------------------


def up_to_one(case: Case, share: float) -> dict[str, Setting]:
    """Take lr up to 1/L."""
    return {"lr": share / case.problem.L}


def above_one(case: Case, share: float) -> dict[str, Setting]:
    """Take lr from 1/L to 2/L."""
    return {"lr": (1 + 0.999 * share) / case.problem.L}


def below_two(case: Case, share: float) -> dict[str, Setting]:
    """Take lr below 2/L."""
    return {"lr": 1.999 * share / case.problem.L}


def best(case: Case, _: float) -> dict[str, Setting]:
    """Take lr = 2/(L + mu)."""
    f = case.problem
    return {"lr": 2 / (f.L + (f.mu or 0.0))}


def lr_of(case: Case) -> float:
    """Give the learning rate of a case in which it is a number."""
    return float(case.settings["lr"])


def smoothness(case: Case) -> float:
    """Give 1/lr, for methods whose learning rate is 1/L: what is smooth with a smaller L is so with this one."""
    return 1 / lr_of(case)


def smooth() -> SearchStrategy[Known]:
    """Draw smooth objectives, some of them not convex."""
    from symgd.testing.strategies import hilly

    return convex() | hilly()
