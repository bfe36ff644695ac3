"""What the exact Hessian says of a point: eigenvalues, the kind of point it is, and ways out of saddles."""

from symgd.curvature.directions import in_names
from symgd.curvature.escape import escape
from symgd.curvature.kind import classify, corner
from symgd.curvature.spectrum import DENSE

__all__ = ["DENSE", "classify", "corner", "escape", "in_names"]
