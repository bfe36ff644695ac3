"""The graph: what a formula says, as nodes that can be differentiated and turned into code."""

from symgd.graph import matrices
from symgd.graph.arrays import Array, shape, whole
from symgd.graph.forms import Forms
from symgd.graph.graph import Graph
from symgd.graph.nodes import ROWS, Const, Fold, Index, Leaf, Map, Matrix, Node, Span, arguments, is_zero, reachable
from symgd.graph.reading import NeedsShape, as_number, instantiate, read
from symgd.graph.store import Store

__all__ = [
    "ROWS",
    "Array",
    "Const",
    "Fold",
    "Forms",
    "Graph",
    "Index",
    "Leaf",
    "Map",
    "Matrix",
    "NeedsShape",
    "Node",
    "Span",
    "Store",
    "arguments",
    "as_number",
    "instantiate",
    "is_zero",
    "matrices",
    "reachable",
    "read",
    "shape",
    "whole",
]
