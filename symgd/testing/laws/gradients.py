"""Whether the gradient that an optimizer goes by is the objective's."""

from __future__ import annotations

import math

import numpy as np

from symgd.testing.laws.assumptions import smooth
from symgd.testing.laws.case import Answer, Case, Reason, Verdict
from symgd.testing.laws.descent import is_smooth
from symgd.testing.laws.law import DOUBLE, Law
from symgd.testing.protocol import Optimizer


class Slopes(Law):
    """The gradient is that of the objective, to a millionth of its length and the rounding of its parts."""

    def judge(self, optimizer: Optimizer, case: Case) -> Verdict:
        """Compare the two at the start."""
        gradient = getattr(optimizer, "gradient", None)
        if gradient is None:
            return Verdict(self.name, Answer.UNDECIDED, Reason.UNABLE, case, detail="it has no gradient of its own")
        f, x = case.problem, case.start
        own, found = f.slope(x), np.asarray(gradient(f, x), dtype=float)
        if not np.isfinite(found).all():
            return Verdict(self.name, Answer.FAILS, Reason.NOT_FINITE, case, 0, math.inf)
        unit = getattr(optimizer, "rounding", DOUBLE)
        size = float(np.abs(x).max() + np.abs(f.minimizer).max())
        noise = 64 * unit * f.n * (f.L * size + f.rough)
        off = float(np.linalg.norm(found - own))
        length = float(np.linalg.norm(own))
        return self.compare(case, np.array([0]), np.array([off]), np.array([max(1e-6 * length, 20 * noise)]),
                            np.array([noise]))  # fmt: skip


LAWS: list[Law] = [
    Slopes(
        name="gradient",
        claim="the gradient that it goes by is that of f",
        assumes="f smooth; the optimizer hands its gradient out (`gradient`)",
        source="the definition of the method",
        problems=smooth, assumed=is_smooth, shared=False, steps=(1, 1),
    ),
]  # fmt: skip
