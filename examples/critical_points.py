"""
Critical points, and what kind they are
=======================================

Where the gradient is 0, the second derivatives say what the point is: a minimum if every curvature is positive, a
maximum if every one is negative, a saddle if there are both. If one is 0 they cannot tell, and values nearby must.

The gradient is exact, so where its zeros have a closed form SymPy finds them all. Where they have none, descents from
many starts find the minima, and descents on the negated formula the maxima.
"""

import sympy

import symgd as sg

formulas = (
    "x**2 - 4*x + 5",
    "x**3 - 3*x",
    "3*x**4 - 4*x**3 - 12*x**2",
    "x**4",
    "x**3",
    "x**2 - y**2 + y**4",
    "x**3 - 3*x + y**3 - 12*y",
    "x**3 - 3*x*y**2 + x**4 + y**4",
)
for text in formulas:
    f = sg.Objective(text)
    print(f"\n{text}: the gradient ({', '.join(map(str, f.gradient.values()))}) is 0 at")
    for zero in sympy.solve(list(f.gradient.values()), dict=True):
        exact = {str(name): value for name, value in zero.items()}
        if not all(value.is_real for value in exact.values()):
            continue
        c = f.curvature({name: float(value) for name, value in exact.items()})
        bends = ", ".join(f"{value:.4g}" for value in c.eigenvalues + 0.0)
        at = ", ".join(f"{name} = {exact[name]}" for name in f.params)
        print(f"  {at:26} curvature {bends:12} {c.kind}: {c.message}")

f = sg.Objective("x*cos(x) + 9")
print(f"\n{f.text}: the zeros of {f.gradient['x']} have no closed form; between -15 and 15 there are")
found = []
for text in (f.text, f"-({f.text})"):
    many = sg.Objective(text).minimize_many(box={"x": (-15, 15)}, n=100, lr=0.02)
    found += [low.point["x"] for low in many.minima if low.inside]
for x in sorted(found):
    c = f.curvature(x=x)
    print(f"  a {c.kind} at x = {x:8.4f}, where the second derivative is {c.largest:8.4f}")

# A small gradient is not yet a minimum: gradient descent stops at a saddle, and says so. Newton's method sees the
# curvature, and leaves.
f = sg.Objective("x**2 - y**2 + y**4")
print(f"\n{f.text} from (1, 0)")
for options in ({"lr": 0.2}, {"method": "newton"}):
    run = f.minimize(start={"x": 1, "y": 0}, **options)
    print(f"  {run.method:6} {run.outcome} at a {run.kind} with f = {run.value:.4g} after {run.steps} steps")
    for finding in run.diagnosis:
        print(f"  {finding.code}: {finding.message}\n  remedy: {finding.remedy}")

# %%
# In pictures
# -----------
# A minimum, a maximum and two saddles, with the gradient around them; and a saddle seen from the side.

sg.Objective("x**3 - 3*x + y**3 - 12*y").plot({"x": (-2.5, 2.5), "y": (-3.5, 3.5)}, field=True)
f.plot({"x": (-1.5, 1.5), "y": (-1.2, 1.2)}, kind="surface", at=[0, 0])
sg.Objective("3*x**4 - 4*x**3 - 12*x**2").plot({"x": (-2, 3)}, at=[2])
