"""The graph: what a formula says, as nodes that can be differentiated and turned into code."""

from symgd.graph.graph import Graph
from symgd.graph.nodes import ROWS, Const, Fold, Leaf, Map, Node, arguments, is_zero, reachable
from symgd.graph.reading import as_number, instantiate, read

__all__ = [
    "ROWS",
    "Const",
    "Fold",
    "Graph",
    "Leaf",
    "Map",
    "Node",
    "arguments",
    "as_number",
    "instantiate",
    "is_zero",
    "reachable",
    "read",
]
