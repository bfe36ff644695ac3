"""
Schedules
=========

What a learning rate that falls does for noisy gradients, and for steps of one size.

With noise of variance 1 on each component, a constant rate lr comes no closer than to a mean of lr/(2*(2 - lr*c)) for
each curvature c: the smaller the rate, the lower this floor, and the slower the way to it. A rate that falls lets the
floor fall with it.
"""

import symgd as sg

f = sg.Objective("0.2*x1**2 + x2**2")
start = {"x1": 9, "x2": -3}

noisy = sg.Rule("x = x - lr*(g + normal())", name="noisy gradient")
rates = {
    "constant": 0.4,
    "half of it": 0.2,
    "1/t": sg.schedule("inverse", 0.4, decay=0.02),
    "cosine": sg.schedule("cosine", 0.4, steps=5000),
    "by hand": "0.4/sqrt(t)",
}
for name, lr in rates.items():
    run = f.minimize(start=start, method=noisy, lr=lr, steps=5000, seed=0)
    late = run.history.value[-4500:]
    theory = ""
    if isinstance(lr, float):
        floor = sum(lr / (2 * (2 - lr * c)) for c in f.curvature(x1=0, x2=0).eigenvalues)
        theory = f", {floor:.3f} in theory"
    print(f"{name:10} lr = {lr}")
    print(f"{'':10} mean of f: last 4,500 steps {late.mean():.3f}{theory}; last 100 steps {late[-100:].mean():.4f}")

# Steps of one size end in chatter around the minimum, unless the size falls.
for name, lr in (("constant", 0.07), ("1/t", sg.schedule("inverse", 0.5, decay=0.05))):
    run = f.minimize(start=start, method="signgd", lr=lr, steps=2000)
    print(f"signs alone, {name:8}: f = {run.value:.2e} after {run.steps:,} steps")

# %%
# In pictures
# -----------
# The noise keeps a constant rate from the minimum, and dies down with one that falls.

runs = [f.minimize(start=start, method=noisy, lr=rates[name], steps=500, seed=0) for name in ("constant", "by hand")]
sg.plotting.plot_runs(runs)
sg.plotting.plot_runs(runs, kind="loss", together=True)
