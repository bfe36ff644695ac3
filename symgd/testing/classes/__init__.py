"""Classes of objectives about which everything is known."""

from symgd.testing.classes.extremal import Kinked, Lessard, Resisting
from symgd.testing.classes.hilly import HILLS, Hilly
from symgd.testing.classes.known import Known, Spelling
from symgd.testing.classes.losses import LeastSquares, Logistic
from symgd.testing.classes.ridges import BOWLS, Ridge, Ridges, quadratic, ridge

__all__ = [
    "BOWLS",
    "HILLS",
    "Hilly",
    "Kinked",
    "Known",
    "LeastSquares",
    "Lessard",
    "Logistic",
    "Resisting",
    "Ridge",
    "Ridges",
    "Spelling",
    "quadratic",
    "ridge",
]
