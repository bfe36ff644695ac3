"""Hand-derived gradients, Hessians and Jacobians against the exact ones: proved, or wrong, where and why."""

from symgd.checking.check import check_gradient, check_hessian, check_jacobian
from symgd.checking.files import check_file
from symgd.checking.result import Cause, Check, Counterexample, Verdict

__all__ = [
    "Cause", "Check", "Counterexample", "Verdict", "check_file", "check_gradient", "check_hessian", "check_jacobian",
]  # fmt: skip
