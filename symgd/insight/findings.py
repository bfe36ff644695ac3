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
