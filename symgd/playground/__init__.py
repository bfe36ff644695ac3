"""A page to play with: one file with the landscape, descents, and what is known of their steps, for any browser."""

from __future__ import annotations

from symgd.playground.page import MOST, Page, write

__all__ = ["MOST", "Page", "write"]
