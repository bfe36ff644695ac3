"""Hypothesis strategies of objectives about which everything is known, of starts, learning rates, rules and formulas.

What is drawn shrinks to what a person can read: one parameter, the axes for a basis, small whole numbers.
"""

from symgd.testing.strategies.convex import convex_bowls, convex_quadratics
from symgd.testing.strategies.expressions import formulas
from symgd.testing.strategies.others import extremal, hilly, kinked, least_squares, logistic_losses
from symgd.testing.strategies.recurrences import rules
from symgd.testing.strategies.runs import learning_rates, shares, starts

__all__ = [
    "convex_bowls",
    "convex_quadratics",
    "extremal",
    "formulas",
    "hilly",
    "kinked",
    "learning_rates",
    "least_squares",
    "logistic_losses",
    "rules",
    "shares",
    "starts",
]
