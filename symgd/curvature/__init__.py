"""What the exact Hessian says of a point: eigenvalues, the kind of point it is, and ways out of saddles."""

from symgd.curvature.corner import corner, edge
from symgd.curvature.directions import in_names
from symgd.curvature.escape import escape
from symgd.curvature.kind import classify, floor
from symgd.curvature.promise import Promise, Promises, promise, promises
from symgd.curvature.spectrum import DENSE
from symgd.curvature.tails import tail

__all__ = [
    "DENSE", "Promise", "Promises", "classify", "corner", "edge", "escape", "floor", "in_names", "promise", "promises",
    "tail",
]  # fmt: skip
