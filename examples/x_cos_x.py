"""
Several minima
==============

Which start leads to which minimum, and from where the lowest one is reached.
"""

from itertools import groupby

import numpy as np

import symgd as sg

f = sg.Objective("x*cos(x) + 9")
starts = np.linspace(-15, 15, 121)
ends = [f.minimize(start=[x], lr=0.02) for x in starts]

reached = {}
for (where, value), group in groupby(
    zip(starts, ends, strict=True), key=lambda pair: (round(pair[1].point["x"], 3), round(pair[1].value, 3))
):
    members = [start for start, _ in group]
    reached[where] = value, members[0], members[-1]
for where, (value, first, last) in reached.items():
    print(f"starts from {first:6.2f} to {last:6.2f} reach x = {where:8.3f} with f = {value:7.3f}")

where = min((x for x in reached if 0 <= x <= 15), key=lambda x: reached[x])
print(f"the lowest between 0 and 15 is at x = {where:g}, reached from {reached[where][1]:g} to {reached[where][2]:g}")
