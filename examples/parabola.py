"""
Six learning rates on one parabola
==================================

Each run is named for what it does. With f'' = 2 each step multiplies the distance from the minimum at 2 by 1 - 2*lr:
that factor explains every run.
"""

import symgd as sg

f = sg.Objective("x**2 - 4*x + 5")
names = {
    0.2: "converges from one side",
    0.02: "crawls",
    0.8: "converges, crossing over at every step",
    1.01: "diverges",
    0.5: "arrives in one step",
    1.0: "flips between -1 and 5 for ever",
}

print(f"f = {f.text}, df/dx = {f.gradient['x']}, stable below lr = {f.curvature(x=2).largest_lr:g}")
for lr, name in names.items():
    run = f.minimize(start={"x": -1}, lr=lr, steps=10)
    path = ", ".join(f"{x:.4g}" for x in run.history["x"][:4])
    print(f"lr = {lr:<4}  factor {1 - 2 * lr:5.2f}  x = {path}, ... {run.point['x']:.6g}  {run.outcome}: {name}")
