"""
Ways out of a local minimum
===========================

A wide bowl with ripples: each ripple has a minimum of its own, and the lowest is at x = 0. Gradient descent from the
right slope stops in the first ripple that it meets. Four remedies are tried from the same 200 starts: noise, which
shakes a run out of a ripple as long as it is strong; large learning rates at first, or again and again, that jump over
ripples; momentum, which carries over them; and starts all over the bowl. None is sure to help, and each but the last
has a number that must suit the ripples: learning rates that leave one are above its stability limit, so that the run
cannot settle there, and must fall for it to settle at all.
"""

import numpy as np

import symgd as sg

f = sg.Objective("x**2/10 + 0.5*(1 - cos(3*x))")

run = f.minimize(start={"x": 8}, lr=0.1)
print(f"from x = 8: a {run.kind} at x = {run.point['x']:.3f} with f = {run.value:.3f}")
for finding in run.diagnosis:
    print(f"  {finding.code}: {finding.message}\n  remedy: {finding.remedy}")
print(f"at x = 0 gradient descent is stable below lr = {f.curvature(x=0).largest_lr:.3f}")

slope = np.linspace(5, 10, 200)
ways = {
    "gradient descent": {"lr": 0.1},
    "noise, fading slowly": {"method": "noisy", "lr": 0.1, "noise": 10, "steps": 2000},
    "noise, too weak": {"method": "noisy", "lr": 0.1, "noise": 2, "steps": 2000},
    "lr decays from 1": {"lr": sg.schedule("inverse", 1, decay=0.05), "steps": 1000},
    "lr decays from 0.3": {"lr": sg.schedule("inverse", 0.3, decay=0.05), "steps": 1000},
    "lr up to 1.5, in cycles": {"lr": sg.schedule("cyclic", 1.5, every=100), "steps": 1000},
    "lr up to 0.3, in cycles": {"lr": sg.schedule("cyclic", 0.3, every=100), "steps": 1000},
    "momentum, beta = 0.9": {"method": "momentum", "lr": 0.05, "beta": 0.9},
    "momentum, beta = 0.5": {"method": "momentum", "lr": 0.05, "beta": 0.5},
}
print(f"\n{'of 200 starts from 5 to 10':28}  reach x = 0   reach")
for name, options in ways.items():
    many = f.minimize_many({"x": slope}, **options)
    share = sum(m.share for m in many.minima if abs(m.point["x"]) < 0.01)
    print(f"{name:28}  {share:11.0%}   " + ", ".join(f"{m.point['x']:.2f}" for m in many.minima))

many = f.minimize_many(box={"x": (-10, 10)}, n=20, lr=0.1)
print(f"\n20 starts all over the bowl, the lowest minimum first:\n{many}")

# %%
# In pictures
# -----------
# Where a start ends, and four ways from 8 that differ.

many.plot()
names = ("gradient descent", "noise, fading slowly", "lr up to 1.5, in cycles", "momentum, beta = 0.9")
sg.plotting.plot_runs([f.minimize(start={"x": 8}, seed=0, **{"steps": 200, **ways[name]}) for name in names])
