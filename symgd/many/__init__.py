"""Many starts: where they lie, their descents, and the distinct minima that they reached."""

from symgd.many.descents import descend_many
from symgd.many.result import Many, Minimum
from symgd.many.starts import STRATEGIES, Box, points

__all__ = ["STRATEGIES", "Box", "Many", "Minimum", "descend_many", "points"]
