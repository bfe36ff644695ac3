"""
One minimum or many
===================

Of a convex function every descent reaches the same minimum. Of others it depends on the start. Here starts are spread
evenly over a box, all of them descend at once, and the distinct minima are told apart, counted and ranked. Each is
classified by its curvature.
"""

import symgd as sg

functions = {
    "a convex bowl": ("(x - 1)**2 + 2*(y + 1)**2 + x*y", 5, 100),
    "Himmelblau's function, 4 minima": ("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", 6, 500),
    "the six-hump camel": ("(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + 4*(y**2 - 1)*y**2", 3, 500),
}
for name, (text, size, n) in functions.items():
    many = sg.Objective(text).minimize_many(box={"x": (-size, size), "y": (-size, size)}, n=n)
    print(f"{name}: {text}\n{many}\n")
    many.plot()

# Rastrigin's function is a bowl with a ripple at every pair of whole numbers. Short steps stay in the ripple that they
# start in, and so every one is found; the chance of the lowest one is its share of the box.
rastrigin = sg.Objective("20 + x**2 + y**2 - 10*(cos(2*pi*x) + cos(2*pi*y))")
many = rastrigin.minimize_many(box={"x": (-5.12, 5.12), "y": (-5.12, 5.12)}, n=4096, lr=0.002)
kinds = {str(low.kind) for low in many.minima}
print(f"Rastrigin's function: {len(many.minima)} points found, all of kind {', '.join(kinds)}")
expected = len(many) / 10.24**2  # its ripple is 1 by 1
print(
    f"{many.best.count} of {len(many):,} starts reach the lowest, f = {many.best.value:g}; {expected:.0f} were expected"
)
print(f"they took {many.steps.sum():,} steps in all")

# %%
# Rastrigin's function
# --------------------
# The lowest minima have colours of their own.

many.plot(ranges={"x": (-3, 3), "y": (-3, 3)})
