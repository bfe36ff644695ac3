"""The engine: generated source to running kernel, in plain Python or compiled."""

from symgd.engine.kernel import PYTHON_BUDGET, TIERS, Kernel

__all__ = ["PYTHON_BUDGET", "TIERS", "Kernel"]
