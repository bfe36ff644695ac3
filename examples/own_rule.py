"""
An optimizer of one's own
=========================

It is written as a formula, and compared on Rosenbrock's valley with those that have names. The rule is gradient
descent with momentum that forgets its velocity whenever that points uphill: a restart in the sense of O'Donoghue and
Candes (2015), "Adaptive restart for accelerated gradient schemes".
"""

import symgd as sg

f = sg.Objective("(1 - x)**2 + 100*(y - x**2)**2")
start = {"x": -1.2, "y": 1}

restart = sg.Rule(
    """
    v = where(sum(g*v) > 0, 0, v)  # the velocity points uphill
    v = beta*v - lr*g
    x = x + v
    """,
    beta=0.99,
    name="restart",
)

for method, lr in (("gd", 0.001), ("momentum", 0.001), ("adam", 0.1), (restart, 0.001)):
    run = f.minimize(start=start, method=method, lr=lr, gtol=1e-6)
    print(f"{run.method:9} {run.outcome} at a {run.kind} after {run.steps:6,} steps: f = {run.value:.1e}")

# %%
# In pictures
# -----------
# Four ways through the valley.

ways = (("gd", 0.001), ("momentum", 0.001), ("adam", 0.1), (restart, 0.001))
runs = [f.minimize(start=start, method=method, lr=lr, steps=300) for method, lr in ways]
sg.plotting.plot_runs(runs)
sg.plotting.plot_runs(runs, kind="loss", together=True)
