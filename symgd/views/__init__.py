"""How nodes are shown: as SymPy expressions, as LaTeX, and as NumPy text that can be pasted back."""

from symgd.views.derivatives import Gradient, Partial
from symgd.views.formulas import symbol, to_latex, to_sympy
from symgd.views.pieces import number_text
from symgd.views.second import Block, Entries, Hessian
from symgd.views.text import to_text

__all__ = [
    "Block",
    "Entries",
    "Gradient",
    "Hessian",
    "Partial",
    "number_text",
    "symbol",
    "to_latex",
    "to_sympy",
    "to_text",
]
