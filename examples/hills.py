"""
Hills without end
=================

Many random starts, and which minima they reach.
"""

from collections import Counter

import numpy as np

import symgd as sg

f = sg.Objective("sin(x)*sin(y)")
print(f"gradient {f.gradient}")

rng = np.random.default_rng(1)
ends = Counter()
for start in rng.uniform(-3, 3, (200, 2)):
    run = f.minimize(start=start, lr=0.5)
    where = ", ".join(f"{value / np.pi:.1f} pi" for value in run.point.values())
    ends[f"{run.kind} at ({where})", round(run.value, 6)] += 1
for (where, value), count in ends.most_common():
    print(f"{count:3} starts end at a {where}, f = {value:g}")

run = f.minimize(start={"x": 1, "y": 1}, lr=0.5)
print(f"from (1, 1), on the diagonal: {run.outcome}, but {run.message.split('; ')[1]}")
run = f.maximize(start={"x": 1, "y": 2}, lr=0.5)
print(f"upwards from (1, 2): a {run.kind} with f = {run.value:g}")
