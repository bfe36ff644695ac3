"""
Schedules
=========

What a learning rate that falls does for noisy gradients, and for steps of one size.
"""

import symgd as sg

f = sg.Objective("0.2*x1**2 + x2**2")
start = {"x1": 9, "x2": -3}

# With noise a constant rate never settles; a falling one does.
noisy = sg.Rule("x = x - lr*(g + normal())", name="noisy gradient")
rates = {
    "constant": 0.4,
    "1/t": sg.schedule("inverse", 0.4, decay=0.02),
    "cosine": sg.schedule("cosine", 0.4, steps=2000),
    "by hand": "0.4/sqrt(t)",
}
for name, lr in rates.items():
    run = f.minimize(start=start, method=noisy, lr=lr, steps=2000, seed=0)
    tail = run.history.value[-200:].mean()
    print(f"{name:9} lr = {lr}: mean of f over the last 200 steps {tail:.5f}")

# Steps of one size end in chatter around the minimum, unless the size falls.
for name, lr in (("constant", 0.07), ("1/t", sg.schedule("inverse", 0.5, decay=0.05))):
    run = f.minimize(start=start, method="signgd", lr=lr, steps=2000)
    print(f"signs alone, {name:8}: f = {run.value:.2e} after {run.steps:,} steps")
