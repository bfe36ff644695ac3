"""
A gradient is a vector
======================

Of a function of several numbers the gradient is the vector of its partial derivatives: it points where the function
grows fastest, and its length says how fast. A step against it is a step downhill.
"""

import numpy as np

import symgd as sg

f = sg.Objective("x**2 + 2*y**2 + z**4/4 + x*y - z")
for name, partial in f.gradient.items():
    print(f"df/d{name} = {partial}")

point = {"x": 1, "y": -2, "z": 2}
gradient = np.array(list(f.gradient_at(point).values()))
print(f"at (1, -2, 2) it is {gradient}, of length {np.linalg.norm(gradient):.4f}")

# How fast the value changes along a direction is the product with the gradient: most along the gradient itself.
rng = np.random.default_rng(0)
ways = rng.normal(size=(1000, 3))
ways /= np.linalg.norm(ways, axis=1, keepdims=True)
print(f"the steepest of 1,000 directions climbs by {max(ways @ gradient):.4f} a unit of length")

lr = 0.01
lower = f.value({name: value - lr * g for (name, value), g in zip(point.items(), gradient, strict=True)})
print(f"a step of lr = {lr} against it: f = {f.value(point):g} -> {lower:.4f}")

# %%
# In pictures
# -----------
# The three slices through the minimum that a descent from there reaches, one a parameter; and the plane in which most
# of its path lies.

run = f.minimize(start=point, lr=0.1, steps=100)
sg.plotting.plot_slices([run])
run.plot(kind="path")
