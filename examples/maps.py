"""
Maps of learning rate, momentum and start
=========================================

How many steps does a descent take, and where does it end? Each cell is a descent of its own.
"""

import symgd as sg

# %%
# Why momentum works
# ------------------
# A bowl ten times as steep along ``y`` as along ``x``. Without momentum, at the bottom, the best rate takes some fifty
# steps. With it the fastest cell takes twenty, next to the boundary of stability, which theory gives exactly: 2*(1 +
# beta)/10.

bowl = sg.Objective("x**2/2 + 5*y**2")
found = bowl.map(lr=(1e-3, 1), beta=(0, 1), start={"x": 1, "y": 1}, size=300)
found.plot()
print(found)

# %%
# The edge of stability
# ---------------------
# Two minima, of different curvature: above the lower dashed line no descent stays at the left one, above the upper one
# none stays at either. Beyond, descents wander, and which of them fly off is a fractal.

wells = sg.Objective("x**4 - 3*x**2 + x")
edge = wells.map(x=(-2.5, 2.5), lr=(0, 0.4), size=400)
edge.plot()
for boundary in edge.boundaries:
    minimum = edge.minima[boundary.minimum]
    print(f"x = {minimum.point['x']:.4f} is stable up to lr = {boundary.points[0, 1]:.4f}")

# %%
# Closer
# ------
# The same at the tip of a basin: between any two cells that reach different minima there are others.

close = edge.zoom(x=(1.9, 2.4), lr=(0.1, 0.2), size=400)
close.plot()
left, right = (float((close.reached == place).mean()) for place in (0, 1))
print(f"{left:.0%} of the cells reach the left minimum, {right:.0%} the right")

# %%
# Basins of attraction
# --------------------
# The roots of z**3 = 1 as the minima of a square, and the basins from which gradient descent reaches them. Between
# them is a saddle, from which it takes long to get away.

roots = sg.Objective("(x**3 - 3*x*y**2 - 1)**2 + (3*x**2*y - y**3)**2")
basins = roots.map(x=(-2, 2), y=(-2, 2), lr=0.05, size=400)
basins.plot()
print(f"{len(basins.minima)} minima, each reached from {basins.minima[0].count:,} of {basins.steps.size:,} cells or so")
