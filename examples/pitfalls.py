"""
Five pitfalls of gradient descent
=================================

A learning rate that is too high, one that is too low, a local minimum, badly scaled features, and a saddle point: a
run falls into each of them, and says so in ``run.diagnosis``. Below it are runs that follow a remedy, and how far they
come.
"""

import numpy as np

import symgd as sg


def fall(title, f, start, **options):
    """Run into a pitfall, and print what the run says about it."""
    run = f.minimize(start=start, **options)
    print(f"\n{title}: {f.text}")
    print(f"  {run.outcome} after {run.steps:,} steps, f = {run.value:.6g}")
    for finding in run.diagnosis:
        print(f"  {finding.code}: {finding.message}\n  remedy: {finding.remedy}")
    run.plot(title=title)


def answer(remedy, f, start, **options):
    """Follow a remedy."""
    run = f.minimize(start=start, **options)
    codes = ", ".join(finding.code for finding in run.diagnosis) or "none"
    print(f"  - {remedy}: {run.outcome} after {run.steps:,} steps, f = {run.value:.6g}; findings: {codes}")


rng = np.random.default_rng(0)
x = rng.uniform(-2, 2, 100)
line = sg.Objective("mean((y - (w*x + b))**2)", data={"x": x, "y": 2 * x + 1 + rng.normal(0, 0.5, 100)})
start = {"w": 0, "b": 0}

best_lr = line.curvature(start).best_lr
fall("Learning rate too high", line, start, lr=1, steps=100)
answer(f"below the limit, lr = {best_lr:.3f}", line, start, lr=best_lr)
answer("a schedule that decays, lr = 1/(1 + t/20)", line, start, lr="1/(1 + t/20)")

fall("Learning rate too low", line, start, lr=0.001, steps=200)
answer("larger with decay, lr = 0.5/(1 + t/100)", line, start, lr="0.5/(1 + t/100)", steps=200)
answer("an adaptive method, adam", line, start, method="adam", lr=0.2, steps=200)

ripples = sg.Objective("x**2/10 + 0.5*(1 - cos(3*x))")
fall("Local minimum", ripples, {"x": 8}, lr=0.1)
answer("momentum", ripples, {"x": 8}, method="momentum", lr=0.05, beta=0.9)
shaken = ripples.minimize(start={"x": 8}, method="noisy", lr=0.1, noise=10, steps=2000, seed=0)
answer(f"noise for {shaken.steps:,} steps, then none", ripples, shaken.point, lr=0.1)
best = ripples.minimize_many(box={"x": (-10, 10)}, n=20, lr=0.1).best
print(f"  - 20 starts from -10 to 10: {best.count} of them reach f = {best.value:.6g} at x = {best.point['x']:.3g}")

rooms, area = rng.uniform(1, 6, 100), rng.uniform(40, 200, 100)
price = 20 + 30 * rooms + 2 * area + rng.normal(0, 10, 100)
text, start = "mean((price - (a*rooms + b*area + c))**2)", {"a": 0, "b": 0, "c": 0}
homes = sg.Objective(text, data={"rooms": rooms, "area": area, "price": price})
fall("Badly scaled features", homes, start, lr=3e-5, steps=1000)
columns = {name: (v - v.mean()) / v.std() for name, v in (("rooms", rooms), ("area", area))}
standard = sg.Objective(text, data={**columns, "price": price})
answer("standardised, lr = 0.5", standard, start, lr=0.5)
answer("as they are, newton", homes, start, method="newton")

saddle = sg.Objective("x**2 - y**2 + y**4")
fall("Saddle point", saddle, {"x": 1, "y": 0}, lr=0.1)
answer("second order, newton", saddle, {"x": 1, "y": 0}, method="newton")
answer("a start beside it, y = 1e-6", saddle, {"x": 1, "y": 1e-6}, lr=0.1)
answer("that start, with momentum", saddle, {"x": 1, "y": 1e-6}, method="momentum", lr=0.1, beta=0.5)
