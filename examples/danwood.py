"""
A power law from real data
==========================

The energy that a carbon filament radiates, against its temperature, with a certified answer to compare with. Data and
certified values: NIST Statistical Reference Datasets, nonlinear regression, DanWood; from E.S. Keeping, "Introduction
to Statistical Inference" (1962), p. 354.
"""

import sys
from pathlib import Path

import symgd as sg

CERTIFIED = {"b1": 7.6886226176e-01, "b2": 3.8604055871e00}

data = Path(sys.argv[0]).parent / "data" / "DanWood.csv"
f = sg.Objective("mean((y - b1*x**b2)**2)", data=data, params=["b1", "b2"])
# The two starts are those that NIST proposes.
for start in ({"b1": 1, "b2": 5}, {"b1": 0.7, "b2": 4}):
    run = f.minimize(start=start, gtol=1e-7)
    error = max(abs(run.point[name] / value - 1) for name, value in CERTIFIED.items())
    print(f"from {start}: {run.outcome} at a {run.kind} after {run.steps} steps")
    print(f"  b1 = {run.point['b1']:.8f}, b2 = {run.point['b2']:.8f}; relative error {error:.0e}")
print(f"condition of the Hessian there: {f.curvature(run.point).condition:.0f}")

# %%
# In pictures
# -----------
# The same as a fit, with bands and residuals.

fit = sg.fit("b1*x**b2", data=data, target="y", start={"b1": 1, "b2": 5})
fit.plot()
run.plot()
