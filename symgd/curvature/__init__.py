"""What the exact Hessian says of a point: eigenvalues, condition, and the kind of point it is."""

from symgd.curvature.directions import in_names
from symgd.curvature.escape import escape
from symgd.curvature.kind import classify, corner
from symgd.curvature.spectrum import DENSE
from symgd.insight.flat import Flat
from symgd.insight.rates import Momentum
from symgd.insight.report import Curvature, curvature

__all__ = ["DENSE", "Curvature", "Flat", "Momentum", "classify", "corner", "curvature", "escape", "in_names"]
