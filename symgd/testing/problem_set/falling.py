"""Functions that fall for ever: with local minima all the same, or with none, where no method must claim one."""

from __future__ import annotations

from symgd.testing.problem_set.classics import CUTE, JAMIL
from symgd.testing.problem_set.record import Problem

PROBLEMS = (
    Problem(
        "mccormick", "sin(x + y) + (x - y)**2 - 1.5*x + 2.5*y + 1", {"x": 1.0, "y": -1.0}, JAMIL,
        ("several", "unbounded"),
    ),
    Problem("himmelbh", "-3*x - 2*y + 2 + x**3 + y**2", {"x": 0.0, "y": 2.0}, f"{CUTE}, HIMMELBH", ("unbounded",)),
    Problem(
        "brkmcc", "(x - 2)**2 + (y - 1)**2 + 0.04/(1 - 0.25*x**2 - y**2) + 5*(x - 2*y + 1)**2", {"x": 2.0, "y": 2.0},
        f"{CUTE}, BRKMCC", ("several", "unbounded", "domain"),
    ),
    Problem(
        "exponential_tail", "exp(-x) + y**2", {"x": 1.0, "y": 1.0}, "falls to 0 and never gets there",
        ("no_minimum", "tail", "convex"),
    ),
    Problem(
        "separable_classes", "mean(softplus(-s*(a + b*t)))", {"a": 0.5, "b": -0.5},
        "logistic regression on two classes that a threshold separates: Albert and Anderson 1984",
        ("no_minimum", "tail", "convex"),
        {"t": [-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0], "s": [-1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0]},
    ),
    Problem(
        "cauchy_tail", "1/(1 + x**2) + y**2", {"x": 0.5, "y": 1.0}, "a hill that is left in two directions",
        ("no_minimum", "tail"),
    ),
    Problem(
        "plateau_of_a_fit", "sum((y - a*tanh(k*t))**2)", {"a": 1.0, "k": 1.0},
        "a saturating model on data that are saturated throughout", ("no_minimum", "tail", "data", "squares"),
        {"t": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "y": [2.0, 2.01, 1.99, 2.0, 2.01, 1.99]},
    ),
    Problem(
        "cubic_slide", "x**3 + y**2", {"x": 1.0, "y": 1.0}, "an inflection on a slope that ends nowhere",
        ("no_minimum",),
    ),
    Problem(
        "valley_to_infinity", "(x*y - 1)**2 + y**2", {"x": 1.0, "y": 0.5},
        "a quartic with an infimum of 0 that it never has", ("no_minimum", "squares", "tail", "valley"),
    ),
)  # fmt: skip
