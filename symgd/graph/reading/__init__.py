"""From the tree of a formula to nodes."""

from symgd.graph.reading.messages import NeedsShape
from symgd.graph.reading.reader import instantiate, read, template
from symgd.graph.reading.values import as_number

__all__ = ["NeedsShape", "as_number", "instantiate", "read", "template"]
