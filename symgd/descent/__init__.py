"""The descent: one loop for every rule and every objective, and an honest account of what it did."""

from symgd.descent.loop import Callback, descend
from symgd.descent.prepare import prepare, restore
from symgd.descent.state import Settings, State, begin

__all__ = ["Callback", "Settings", "State", "begin", "descend", "prepare", "restore"]
