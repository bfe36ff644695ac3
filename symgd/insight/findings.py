"""The findings in the order in which they are told; each is a function that gives one, or ``None``."""

from symgd.insight.ends import flat, kink, left_domain, local_minimum, noise_floor, plateau, saddle, scaling
from symgd.insight.faults import broken, uphill
from symgd.insight.pace import crawling, hovering, lost, spent, unfinished
from symgd.insight.plateaus import plateaued
from symgd.insight.speed import climbs, diverged, flips, unbounded, unstable, zigzag

# What stands in the first group explains everything; only what led to it is added.
ENDED = (broken, uphill, left_domain, climbs, unbounded, diverged, flips, plateaued)
BESIDE = (scaling,)
OTHER = (
    scaling, unstable, zigzag, spent, lost, crawling, hovering, saddle, plateau, flat, kink, local_minimum, noise_floor,
)  # fmt: skip
# What is told where nothing else is.
AT_LAST = (unfinished,)

# Each code: what it says, and what its remedy is about.
CODES: dict[str, tuple[str, str]] = {
    "rule": ("the rule itself breaks, or its steps lead uphill: at which step, and which part of it", "mend the rule"),
    "left_domain": ("the subexpression that has no value, in which row, and where the run stood before",
                    "a smaller learning rate, another start, or the rows left out"),
    "climbs": ("the learning rate is negative, or 0", "a learning rate that works"),
    "unbounded": ("values fall without end where the run's way is followed further, and the formula shows no bound",
                  "bound the objective, or check its sign"),
    "diverged": (
        ("the learning rate is over the limit of its rule: the limit, the curvature, and the place where the run began "
        "to rise; of a run in batches, of the rows that a step sees"),
        "a smaller one, or a method",
    ),
    "flips": ("the run jumps between two points, or goes round in a longer cycle", "a smaller learning rate"),
    "tail": ("there is no finite minimum: the value falls for ever toward a limit", "a penalty, or a stop by value"),
    "separable": ("the same of a convex objective on data: parameters part the classes without an error",
                  "a penalty, or a stop by value"),
    "underflow": ("value and gradient do not change in float64, though the objective does further away",
                  "a logarithm, or a start nearer by"),
    "symmetric": ("entries that begin alike stay alike, so that many units are one", "a random start"),
    "dead": ("parameters that never moved, for their gradient is 0 all along", "another start"),
    "overshot": ("a step jumped onto a plateau: which one, and from where", "a smaller learning rate"),
    "saturated": ("the gradient vanishes far out, and not nearer to 0", "a start nearer to 0"),
    "scaling": ("the condition number, and what is left of it in the parameters' own scales",
                "standardise the data, or a method that does not mind"),
    "unstable": ("the value rises again and again: steps are too long for part of the way", "a smaller learning rate"),
    "zigzag": ("each step jumps over the floor of the valley; the two curvatures that cause it",
               "the learning rate that is best, or a method"),
    "schedule": ("the learning rate fell to next to nothing far from the minimum", "a schedule that falls later"),
    "lost": ("the lowest value was reached long before the end, and lost again: the value, and the step",
             "a learning rate that decays, or a stop there"),
    "crawling": ("the factor a step, or the power of the steps, and how many remain at it",
                 "a larger learning rate, or a method"),
    "hovering": ("how far steps that do not shrink keep the run above the minimum", "a learning rate that decays"),
    "saddle": ("the direction along which the value falls", "a method that leaves it, or a start beside it"),
    "maximum": ("the run stopped at a maximum (a minimum, when maximizing)", "as for a saddle"),
    "plateau": ("the gradient is small, and this is no minimum", "a method, or another start"),
    "stalled": ("no step lowers the value, and the gradient is not small", "another method"),
    "flat": ("the minimum is not one point: which combinations of parameters are determined",
             "fix a parameter, or a small penalty"),
    "kink": ("the gradient jumps there, and it is no minimum as far as can be told", "another method"),
    "local_minimum": ("another start reaches a lower one: which, and how low", "several starts"),
    "noise_floor": ("how far batches keep the run above the lowest value",
                    "a learning rate that decays, or larger batches"),
    "unfinished": ("the run ended far above what is reached otherwise, and nothing else explains it",
                   "what reaches it"),
}  # fmt: skip
