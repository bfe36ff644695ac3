"""Generated source to running kernel, in plain Python or compiled."""

from symgd.kernel.kernel import TIERS, Kernel

__all__ = ["TIERS", "Kernel"]
