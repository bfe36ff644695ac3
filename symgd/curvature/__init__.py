"""What the exact Hessian says of a point: eigenvalues, condition, and the kind of point it is."""

from symgd.curvature.directions import in_names
from symgd.curvature.escape import escape
from symgd.curvature.flat import Flat
from symgd.curvature.kind import classify, corner
from symgd.curvature.rates import Momentum
from symgd.curvature.report import Curvature, curvature
from symgd.curvature.spectrum import DENSE

__all__ = ["DENSE", "Curvature", "Flat", "Momentum", "classify", "corner", "curvature", "escape", "in_names"]
