"""Many starts: where they lie, their descents, the distinct minima that they reached, and maps of them."""

from symgd.many.axes import Axis, axis, sizes, split
from symgd.many.descents import descend_many
from symgd.many.map import Boundary, Map, Plan, descend_map
from symgd.many.result import Many, Minimum
from symgd.many.starts import STRATEGIES, Box, points

__all__ = [
    "STRATEGIES", "Axis", "Boundary", "Box", "Many", "Map", "Minimum", "Plan", "axis", "descend_many", "descend_map",
    "points", "sizes", "split",
]  # fmt: skip
