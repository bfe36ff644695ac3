"""
Rows that are looked at once
============================

A cubic model is linear in its parameters, and its loss needs the data through 15 inner products alone: those of y,
x**3, x**2, x and 1. symgd sees that in the formula, forms them in one pass over the rows, and takes its steps on them:
with a thousand times as many rows the pass takes longer, and no step does. A rule that looks at batches, or a loss
whose parameters stand inside of another function of the rows, goes over the rows as before.
"""

import numpy as np

import symgd as sg

rng = np.random.default_rng(0)
x = rng.normal(size=200_000)
y = 2 * x**3 - x**2 + 0.5 * x + 1 + 0.1 * rng.normal(size=len(x))
start = {"a": 0, "b": 0, "c": 0, "d": 0}

cubic = "mean((y - (a*x**3 + b*x**2 + c*x + d))**2)"
run = sg.Objective(cubic, data={"x": x, "y": y}).minimize(start, lr=0.01, steps=10_000)
print(f"{run.steps:,} steps; the data entered through {run.moments} moments of {run.rows:,} rows")
print({name: round(value, 3) for name, value in run.point.items()})

robust = "mean(sqrt(1 + (y - (a*x**3 + b*x**2 + c*x + d))**2))"
run = sg.Objective(robust, data={"x": x, "y": y}).minimize(start, method="lbfgs")
print(f"\na loss of another kind: {run.steps} steps, {run.moments} moments")
print({name: round(value, 3) for name, value in run.point.items()})
