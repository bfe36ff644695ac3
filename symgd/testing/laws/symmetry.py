"""What must not matter: where the origin lies, which way the axes point, in which unit the value is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from symgd.records import dataclass
from symgd.testing.classes import Known, Ridges
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.laws.descent import RESTLESS
from symgd.testing.laws.law import Law, blur
from symgd.testing.protocol import Optimizer, Setting, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

# Each parameter has a memory of its own, so that turned axes give another path.
COORDINATEWISE = frozenset(
    ["adagrad", "rmsprop", "adadelta", "adam", "adamw", "amsgrad", "nadam", "lion", "rprop", "signgd", "noisy"]
)
# The first step is as long as the point is far from 0, or less: its size is the one scale there is.
SCALED = frozenset(["armijo", "wolfe", "bb", "cg", "bfgs", "lbfgs", "newton", "newton_cg", "lm"])
# Which of them take a larger value for a steeper function, as gradient descent does, is a matter of the unit.
LINEAR = frozenset(["gd", "momentum", "nesterov", "nesterov_convex", "fista", "ogm", "triple", "item"])
SIGNS = frozenset(["lion", "rprop", "signgd"])


@dataclass(frozen=True)
class Move:
    """How a case is changed: x becomes turn x + shift, the value factor times itself, lr times lr_factor."""

    turn: NDArray[np.float64] | None = None
    shift: Vector | None = None
    factor: float = 1.0
    lr_factor: float = 1.0

    def point(self, x: Vector) -> Vector:
        """Give where a point, or each row of several, goes."""
        turned = x if self.turn is None else x @ self.turn.T
        return turned if self.shift is None else turned + self.shift

    def case(self, case: Case) -> Case:
        """Give the changed case."""
        f = case.problem
        assert isinstance(f, Ridges)
        settings = dict(case.settings)
        if "lr" in settings:
            settings["lr"] = float(settings["lr"]) * self.lr_factor
        return Case(f.moved(self.point(f.minimizer), self.turn, self.factor), self.point(case.start), case.steps,
                    settings, case.more)  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Symmetry(Law):
    """A change of the problem that changes the path in the same way.

    Paths near a place where the optimizer jumps, such as a gradient of 0 whose sign it takes, are told apart by
    rounding. So a path must differ from three starts near each other.

    Parameters
    ----------
    move : callable
        The change, of a case.
    """

    move: Callable[[Case], Move]

    kind: ClassVar[str] = "symmetry"

    def judge(self, optimizer: Optimizer, case: Case) -> Verdict:
        """Compare the path with that of the changed problem."""
        if not self.methods:  # it is about no learning rate in particular
            settings = {k: v for k, v in case.settings.items() if k in optimizer.settable}
            case = replace(case, settings=settings)
        verdict = self._once(optimizer, case)
        for share in (1.3e-3, -2.7e-3):
            if verdict.answer is not Answer.FAILS:
                return verdict
            near = case.start + share * (case.start - case.problem.minimizer + share)
            other = self._once(optimizer, replace(case, start=near))
            if other.answer is not Answer.FAILS:
                return Verdict(self.name, Answer.UNDECIDED, Reason.ROUNDING, case)
        return verdict

    def _once(self, optimizer: Optimizer, case: Case) -> Verdict:
        move = self.move(case)
        changed = move.case(case)
        one, two = self.run(optimizer, case), self.run(optimizer, changed)
        for trace, of in ((one, case), (two, changed)):
            refused = self.refusal(of, trace)
            if refused is not None and refused.reason is not Reason.NOT_FINITE:
                return refused
        lost = np.flatnonzero(~np.isfinite(one.points).all(axis=1))
        n = min(len(one.points), len(two.points), *lost[:1].tolist())
        expected = move.point(one.points[:n])
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.sqrt(np.sum((two.points[:n] - expected) ** 2, axis=1))
            went = np.sqrt(np.sum((one.points[:n] - one.points[:1]) ** 2, axis=1))
        found = np.where(np.isfinite(found), found, np.inf)
        reach = np.maximum.accumulate(went)
        noise = np.full(n, 100 * (blur(optimizer, case, one) + blur(optimizer, changed, two)))
        keep = np.flatnonzero((np.arange(n) > 0) & (reach < 1e8 * (1 + reach[1 if n > 1 else 0])))
        if not len(keep) or not (reach[keep] > 0).any():
            return Verdict(self.name, Answer.UNDECIDED, Reason.ENDED, case)
        return self.compare(case, keep, found[keep], 1e-4 * reach[keep], noise[keep])


# ---- which changes ---------------------------------------------------------------------------------------------------


def _ridges() -> SearchStrategy[Known]:
    from symgd.testing.strategies import convex_bowls, convex_quadratics

    return convex_quadratics(condition=(1, 100)) | convex_bowls(condition=(1, 100))


def _lr(case: Case, share: float) -> dict[str, Setting]:
    return {"lr": share / case.problem.L}


def _seed() -> dict[str, SearchStrategy[Any]]:
    from hypothesis import strategies as st

    return {"seed": st.integers(0, 999)}


def _shift(case: Case) -> Move:
    numbers = np.random.default_rng(case.more["seed"])
    return Move(shift=numbers.integers(1, 9, len(case.start)) * numbers.choice([-1.0, 1.0], len(case.start)))


def _rotation(case: Case) -> Move:
    n = len(case.start)
    q, _ = np.linalg.qr(np.random.default_rng(case.more["seed"]).normal(size=(n, n)))
    return Move(turn=q)


def _exchange(case: Case) -> Move:
    n = len(case.start)
    numbers = np.random.default_rng(case.more["seed"])
    return Move(turn=np.eye(n)[numbers.permutation(n)] * numbers.choice([-1.0, 1.0], n)[:, None])


def _scale(case: Case) -> Move:
    factor = 2.0 ** (1 + case.more["seed"] % 9)
    return Move(factor=factor, lr_factor=1 / factor)


def _unit(case: Case) -> Move:
    return Move(factor=2.0 ** (1 + case.more["seed"] % 9))


def _is_ridges(f: Known) -> bool:
    return isinstance(f, Ridges)


_COMMON: dict[str, Any] = {
    "problems": _ridges,
    "assumed": _is_ridges,
    "settings": _lr,
    "extras": _seed,
    "steps": (1, 10),
}

LAWS: list[Law] = [
    Symmetry(
        name="shift",
        claim="from x0 + s on f(x - s), the path is the same one moved by s",
        assumes="no decay of x, no noise, no scale read off x",
        source="the recurrence reads x only where it adds to it",
        lacking=RESTLESS | SCALED, move=_shift, **_COMMON,
    ),
    Symmetry(
        name="rotation",
        claim="from Q x0 on f(Q' x), the path is the same one turned by Q, for any orthogonal Q",
        assumes="no memory of single parameters; no noise",
        source="Nesterov 2004, section 2.1.2 (methods that move in the span of the gradients)",
        lacking=COORDINATEWISE, move=_rotation, **_COMMON,
    ),
    Symmetry(
        name="exchange",
        claim="parameters in another order, or with another sign, give the same path in that order, with that sign",
        assumes="no noise",
        source="Kingma and Ba 2015, section 2: operations on vectors are element by element",
        lacking=frozenset({"noisy"}), move=_exchange, **_COMMON,
    ),
    Symmetry(
        name="scale",
        claim="on c f with lr/c, the path is that on f with lr",
        assumes="the step is linear in the gradients",
        source="the recurrence holds lr and g as a product",
        methods=LINEAR, move=_scale, **_COMMON,
    ),
    Symmetry(
        name="unit",
        claim="on c f with the same lr, the path is that on f",
        assumes="the step depends on the signs of the gradients alone",
        source="Riedmiller and Braun 1993; Chen et al. 2023",
        methods=SIGNS, move=_unit, **_COMMON,
    ),
]  # fmt: skip
