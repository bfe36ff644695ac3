"""What tests use: assertions about gradients; everything that draws examples imports Hypothesis where it is used."""

from symgd.testing.gradients import assert_gradient

__all__ = ["assert_gradient"]
