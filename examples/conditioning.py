"""
Scaling, conditioning, and what curvature does about them
=========================================================

How many steps gradient descent needs is decided by the condition number: the largest curvature over the smallest.
Features of different size make it large, and standardising them makes it small again. Where the valley is narrow for
another reason, Newton's method divides by the curvature, and the condition no longer matters. Adagrad, RMSProp and
Adam divide by the size of past gradients, coordinate by coordinate: a cheap stand-in for the curvature, which helps
where the valley runs along an axis, and little where it runs askew.
"""

import numpy as np

import symgd as sg

rng = np.random.default_rng(0)
area = rng.normal(140, 40, 200)  # square metres
age = rng.uniform(0, 60, 200)  # years
price = 60 + 1.6 * area - 0.9 * age + rng.normal(0, 8, 200)


def standardised(column):
    return (column - column.mean()) / column.std()


start = {"a": 0, "b": 0, "c": 0}
for name, features in (
    ("as they are", {"area": area, "age": age}),
    ("standardised", {"area": standardised(area), "age": standardised(age)}),
):
    f = sg.Objective("mean((price - (a*area + b*age + c))**2)", data={**features, "price": price})
    c = f.curvature(start)  # the loss is quadratic: the curvature is the same everywhere
    print(f"Features {name}\n{c.explain()}")
    run = f.minimize(start=start, lr=c.best_lr, steps=1000, gtol=1e-8)
    print(f"gradient descent: {run.outcome} after {run.steps:,} steps, loss {run.value:.4f}")
    for finding in run.diagnosis:
        print(f"  {finding.code}: {finding.message}\n  remedy: {finding.remedy}")
    run = f.minimize(start=start, method="newton")
    print(f"Newton's method: {run.outcome} after {run.steps} steps, loss {run.value:.4f}\n")

along = sg.Objective("(x**2 + 2500*y**2)/2")
askew = sg.Objective("((x + y)**2 + 2500*(x - y)**2)/4")  # the same valley, turned by 45 degrees
c = along.curvature(x=0, y=0)
# Askew, Adagrad and RMSProp need over 10,000 steps with any learning rate from 0.03 to 10, and Adam at least 800.
ways = {
    "gradient descent": {"lr": c.best_lr},
    "momentum": {"method": "momentum", "lr": c.momentum.lr, "beta": c.momentum.beta},
    "adagrad": {"method": "adagrad", "lr": 1},
    "rmsprop": {"method": "rmsprop", "lr": 0.3},
    "adam": {"method": "adam", "lr": 1},
    "bfgs": {"method": "bfgs"},
    "newton": {"method": "newton"},
}


def steps_to_a_millionth(f, start, options):
    history = f.minimize(start=start, steps=10_000, gtol=1e-9, **options).history
    reached = np.flatnonzero(history.value <= 1e-6 * history.value[0])
    return f"{history.step[reached[0]]:,}" if len(reached) else "over 10,000"


print("Steps until f is a millionth of what it was   valley along an axis   the same valley askew")
for name, options in ways.items():
    first = steps_to_a_millionth(along, {"x": 10, "y": 0.2}, options)
    second = steps_to_a_millionth(askew, {"x": 10.2 / 2**0.5, "y": 9.8 / 2**0.5}, options)
    print(f"{name:43} {first:>22} {second:>23}")
for name, f in (("along an axis", along), ("askew", askew)):
    c = f.curvature(x=0, y=0)
    print(f"{name}: condition {c.condition:,.0f}, with parameters scaled one by one {c.scaled_condition:,.0f}")

# %%
# In pictures
# -----------
# The narrow valley askew: gradient descent crosses it, momentum swings into it, and Newton's method sees it.

valley = sg.Objective("((x + y)**2 + 25*(x - y)**2)/4")
best = valley.curvature(x=0, y=0)
rates = {"lr": best.momentum.lr, "beta": best.momentum.beta}
runs = [
    valley.minimize(start=[10, 5], lr=best.best_lr, steps=40),
    valley.minimize(start=[10, 5], method="momentum", steps=40, **rates),
    valley.minimize(start=[10, 5], method="adam", lr=1, steps=40),
    valley.minimize(start=[10, 5], method="newton"),
]
sg.plotting.plot_runs(runs)
