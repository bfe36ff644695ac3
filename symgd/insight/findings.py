"""The findings in the order in which they are told; each is a function that gives one, or ``None``."""

from symgd.insight.ends import kink, left_domain, local_minimum, noise_floor, plateau, saddle, scaling
from symgd.insight.speed import crawling, diverged, flips, unstable, zigzag

# What stands in the first group explains everything; nothing is added to it.
ENDED = (left_domain, diverged, flips)
OTHER = (scaling, unstable, zigzag, crawling, saddle, plateau, kink, local_minimum, noise_floor)
