"""
House prices, and features of different sizes
=============================================

Area in square metres, rooms, age in years, distance to the centre in kilometres: the features differ in size, and so
the loss is a narrow valley. The largest feature sets the learning rate, the smallest ones crawl. Standardised features
reach the same loss in a small part of the steps. The houses are generated.
"""

import numpy as np

import symgd as sg

rng = np.random.default_rng(0)
n = 500
area, age, distance = rng.uniform(40, 200, n), rng.uniform(0, 80, n), rng.gamma(3, 2, n)
rooms = np.round(area / 30 + rng.normal(0, 0.7, n)).clip(1)
price = 40 + 2.1 * area + 12 * rooms - 0.6 * age - 8 * distance + rng.normal(0, 15, n)  # in thousands

raw = np.stack([area, rooms, age, distance], axis=1)
center, spread = raw.mean(axis=0), raw.std(axis=0)
least = np.linalg.lstsq(np.column_stack([raw, np.ones(n)]), price)[1][0] / n
print(f"the least loss is {least:.2f}")

start = {"w": np.zeros(4), "b": 0}
runs = []
for name, X in (("as they are", raw), ("standardised", (raw - center) / spread)):
    f = sg.Objective("mean((X @ w + b - y)**2)", data={"X": X, "y": price})
    valley = f.curvature(start)
    print(f"features {name}: condition {valley.condition:,.0f}, stable below lr = {valley.largest_lr:.2g}")
    for method, lr in (("gd", 0.9 * valley.largest_lr), ("adam", 1.0)):
        run = f.minimize(start=start, method=method, lr=lr, steps=600_000, ftol=1e-15)
        runs.append(run)
        near = run.history.step[run.history.value < 1.001 * least]
        print(f"  {method:4}  {f'{near[0]:,} steps' if len(near) else 'never'} to within 0.1% of the least loss")

# What was learnt from standardised features says what one more of each adds to the price.
for name, weight in zip(("square metre", "room", "year", "kilometre"), run.point["w"] / spread, strict=True):
    print(f"one {name} more: {weight:+.2f} thousand")

# %%
# In pictures
# -----------
# The loss of Adam on features as they are, and standardised: values of two objectives may be compared.

ax = runs[1].plot(kind="loss")
runs[3].plot(ax, kind="loss", title="as they are, and standardised")
ax.legend(["as they are", "standardised"])
ax.set_xscale("symlog")
