"""The descent: one loop for every rule and every objective, and an honest account of what it did."""

from symgd.descent.loop import Callback, Keep, descend
from symgd.descent.prepare import prepare, restore, with_method
from symgd.descent.state import GTOL, Settings, State, begin
from symgd.descent.through import through

__all__ = [
    "GTOL", "Callback", "Keep", "Settings", "State", "begin", "descend", "prepare", "restore", "through", "with_method",
]  # fmt: skip
