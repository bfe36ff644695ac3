"""Write ``fits.json``: fits as people pose them, with answers that SciPy finds from many starts and mpmath settles.

Run from the checkout, with SciPy and mpmath installed::

    python tests/known/fits/make.py

Data are made from a seed. An answer is the best end of `least_squares` from the truth, and from many points around it,
then Gauss and Newton's steps with 40 digits until they stand still. symgd takes no part.
"""

from __future__ import annotations

import json
from pathlib import Path

import mpmath as mp
import numpy as np
from scipy.optimize import least_squares

mp.mp.dps = 40
FILE = Path(__file__).with_name("fits.json")

# Of each: name, model, x, truth, noise relative to the target's spread, a start that is near and one that is far, the
# powers of the units of x and y that parameters have, and those parameters that move with the origin of x.
LINE = np.linspace
FAMILIES = (
    ("decay", "a*exp(-b*x) + c", LINE(0, 5, 25), {"a": 3, "b": 1.2, "c": 0.5}, 0.02,
     {"a": 1, "b": 1, "c": 0}, {"a": 1, "b": -3, "c": 1}, {"a": (0, 1), "b": (-1, 0), "c": (0, 1)}, ()),
    ("sine", "sin(w*x)", LINE(0, 60, 150), {"w": 1.759}, 0.05, {"w": 1.74}, {"w": 1}, {"w": (-1, 0)}, ()),
    ("phase", "c + a*sin(w*x + p)", LINE(0, 20, 80), {"c": 2, "a": 1.5, "w": 2.2, "p": 0.7}, 0.05,
     {"c": 2, "a": 1, "w": 2.1, "p": 0.5}, {"c": 1, "a": 1, "w": 1, "p": 1},
     {"c": (0, 1), "a": (0, 1), "w": (-1, 0), "p": (0, 0)}, ()),
    ("lorentzian", "b + a/(((x - m)/g)**2 + 1)", LINE(8.7, 8.94, 61), {"b": 0.65, "a": 1.31, "m": 8.82, "g": 0.008},
     0.01, {"b": 1, "a": 1, "m": 8.815, "g": 0.01}, {"b": 1, "a": 1, "m": 1, "g": 1},
     {"b": (0, 1), "a": (0, 1), "m": (1, 0), "g": (1, 0)}, ("m",)),
    ("gaussian", "a*exp(-((x - m)/s)**2/2) + c", LINE(400, 600, 81), {"a": 7, "m": 520, "s": 9, "c": 0.3}, 0.02,
     {"a": 6, "m": 510, "s": 15, "c": 0}, {"a": 1, "m": 1, "s": 1, "c": 1},
     {"a": (0, 1), "m": (1, 0), "s": (1, 0), "c": (0, 1)}, ("m",)),
    ("peaks", "a*exp(-((x - m)/s)**2) + b*exp(-((x - n)/u)**2)", LINE(0, 10, 90),
     {"a": 3, "m": 3, "s": 0.7, "b": 2, "n": 6.5, "u": 1.1}, 0.02, {"a": 2, "m": 2.5, "s": 1, "b": 2, "n": 7, "u": 1},
     {"a": 1, "m": 1, "s": 1, "b": 1, "n": 2, "u": 2},
     {"a": (0, 1), "m": (1, 0), "s": (1, 0), "b": (0, 1), "n": (1, 0), "u": (1, 0)}, ("m", "n")),
    ("hill", "E*x**h/(K**h + x**h)", np.geomspace(0.1, 100, 14), {"E": 9, "h": 1.7, "K": 4}, 0.02,
     {"E": 8, "h": 1, "K": 5}, {"E": 1, "h": 1, "K": 100}, {"E": (0, 1), "h": (0, 0), "K": (1, 0)}, ()),
    ("knee", "y0 + k*minimum(x - x0, 0) + l*maximum(x - x0, 0)", LINE(1, 20, 39),
     {"y0": 5, "k": 0.4, "l": 2.1, "x0": 8.3}, 0.01, {"y0": 4, "k": 1, "l": 1.5, "x0": 9},
     {"y0": 1, "k": 1, "l": 1, "x0": 1}, {"y0": (0, 1), "k": (-1, 1), "l": (-1, 1), "x0": (1, 0)}, ("x0",)),
    ("logistic", "L/(1 + exp(-k*(x - x0)))", LINE(400, 1600, 17), {"L": 0.93, "k": 0.0088, "x0": 1045}, 0.02,
     {"L": 1, "k": 0.01, "x0": 1000}, {"L": 1, "k": 1, "x0": 1}, {"L": (0, 1), "k": (-1, 0), "x0": (1, 0)}, ("x0",)),
    ("michaelis", "V*x/(K + x)", np.array([0.02, 0.06, 0.11, 0.22, 0.56, 1.1, 2.2]), {"V": 212, "K": 0.064}, 0.03,
     {"V": 200, "K": 0.05}, {"V": 1, "K": 100}, {"V": (0, 1), "K": (1, 0)}, ()),
    ("arrhenius", "A*exp(-E/(8.314*x))", LINE(290, 400, 15), {"A": 3e7, "E": 48000}, 0.02, {"A": 1e7, "E": 45000},
     {"A": 1, "E": 1}, {"A": (0, 1), "E": (1, 0)}, ()),
    ("two decays", "a*exp(-b*x) + c*exp(-d*x)", LINE(0, 10, 60), {"a": 5, "b": 2, "c": 2, "d": 0.25}, 0.004,
     {"a": 4, "b": 1.5, "c": 2, "d": 0.3}, {"a": 1, "b": 1, "c": 1, "d": 1},
     {"a": (0, 1), "b": (-1, 0), "c": (0, 1), "d": (-1, 0)}, ()),
    ("power", "a*x**b", LINE(0, 8, 17), {"a": 0.8, "b": 2.3}, 0.01, {"a": 1, "b": 2}, {"a": 1, "b": 0.1},
     {"a": None, "b": (0, 0)}, ()),
    ("gompertz", "a*exp(-b*exp(-k*x))", LINE(0, 12, 25), {"a": 80, "b": 6, "k": 0.6}, 0.02,
     {"a": 70, "b": 5, "k": 0.5}, {"a": 1, "b": 1, "k": 1}, {"a": (0, 1), "b": (0, 0), "k": (-1, 0)}, ()),
    ("weibull", "a*(1 - exp(-(x/l)**k))", LINE(0.5, 15, 30), {"a": 4, "l": 5, "k": 2.2}, 0.02,
     {"a": 5, "l": 4, "k": 2}, {"a": 1, "l": 1, "k": 1}, {"a": (0, 1), "l": (1, 0), "k": (0, 0)}, ()),
    ("ringing", "a*exp(-g*x)*cos(w*x + p)", LINE(0, 15, 120), {"a": 4, "g": 0.2, "w": 3.1, "p": 0.4}, 0.03,
     {"a": 3, "g": 0.3, "w": 3, "p": 0}, {"a": 1, "g": 1, "w": 1, "p": 1},
     {"a": (0, 1), "g": (-1, 0), "w": (-1, 0), "p": (0, 0)}, ()),
    ("rational", "(a + b*x)/(1 + c*x)", LINE(0, 12, 25), {"a": 1, "b": 2.5, "c": 0.4}, 0.01,
     {"a": 1, "b": 2, "c": 0.5}, {"a": 1, "b": 1, "c": 10}, {"a": (0, 1), "b": (-1, 1), "c": (-1, 0)}, ()),
    ("growth", "y0*K/(y0 + (K - y0)*exp(-r*x))", LINE(0, 12, 20), {"y0": 3, "K": 100, "r": 0.8}, 0.02,
     {"y0": 5, "K": 90, "r": 1}, {"y0": 1, "K": 1, "r": 1}, {"y0": (0, 1), "K": (0, 1), "r": (-1, 0)}, ()),
    ("saturation", "a*(1 - exp(-b*x))", LINE(0.5, 20, 20), {"a": 12, "b": 0.22}, 0.02, {"a": 10, "b": 0.3},
     {"a": 1, "b": 100}, {"a": (0, 1), "b": (-1, 0)}, ()),
    ("light", "a*tanh(b*x/a)", LINE(0, 30, 16), {"a": 8, "b": 0.9}, 0.02, {"a": 7, "b": 1}, {"a": 1, "b": 1},
     {"a": (0, 1), "b": (-1, 1)}, ()),
    ("stretched", "a*exp(-(x/t)**b)", LINE(0.1, 10, 40), {"a": 2, "t": 2.5, "b": 0.7}, 0.01,
     {"a": 2, "t": 2, "b": 1}, {"a": 1, "t": 100, "b": 1}, {"a": (0, 1), "t": (1, 0), "b": (0, 0)}, ()),
    ("hyperbola", "a/(1 + b*x)**c", LINE(0, 20, 30), {"a": 50, "b": 0.4, "c": 1.3}, 0.01,
     {"a": 40, "b": 0.5, "c": 1}, {"a": 1, "b": 10, "c": 1}, {"a": (0, 1), "b": (-1, 0), "c": (0, 0)}, ()),
    ("antoine", "A - B/(C + x)", LINE(20, 120, 21), {"A": 8, "B": 1730, "C": 233}, 0.0005,
     {"A": 8, "B": 1700, "C": 230}, {"A": 1, "B": 1, "C": 1}, {"A": (0, 1), "B": (1, 1), "C": (1, 0)}, ()),
    ("inhibition", "V*x/(K + x + x**2/I)", np.geomspace(0.1, 60, 18), {"V": 10, "K": 1.5, "I": 9}, 0.01,
     {"V": 8, "K": 1, "I": 10}, {"V": 1, "K": 1, "I": 1}, {"V": (0, 1), "K": (1, 0), "I": (1, 0)}, ()),
    ("two waves", "a*sin(u*x) + b*cos(w*x)", LINE(0, 25, 150), {"a": 2, "u": 1.1, "b": 1.4, "w": 2.9}, 0.05,
     {"a": 2, "u": 1.12, "b": 1, "w": 2.85}, {"a": 1, "u": 1, "b": 1, "w": 1},
     {"a": (0, 1), "u": (-1, 0), "b": (0, 1), "w": (-1, 0)}, ()),
    ("offset power", "(a + x)**b + c", np.array([0, 1, 2.5, 4, 7, 10, 25.0]), {"a": 0.37, "b": -1.34, "c": 1.08}, 0.001,
     {"a": 0.3, "b": -1, "c": 1}, {"a": 1, "b": 1, "c": 1}, None, ()),
    ("logarithm", "a + b*log(x + c)", LINE(0, 30, 25), {"a": 1, "b": 2.2, "c": 1.7}, 0.01,
     {"a": 1, "b": 2, "c": 2}, {"a": 1, "b": 1, "c": 100}, {"a": None, "b": (0, 1), "c": (1, 0)}, ()),
    ("planck", "a*x**3/(exp(b*x) - 1)", LINE(0.3, 12, 40), {"a": 2, "b": 1.1}, 0.01, {"a": 1, "b": 1},
     {"a": 1, "b": 8}, {"a": (-3, 1), "b": (-1, 0)}, ()),
    ("step", "a + b*tanh((x - m)/s)", LINE(-40, -10, 45), {"a": 1, "b": 2, "m": -22, "s": 3}, 0.02,
     {"a": 1, "b": 1, "m": -25, "s": 5}, {"a": 1, "b": 1, "m": 1, "s": 1},
     {"a": (0, 1), "b": (0, 1), "m": (1, 0), "s": (1, 0)}, ("m",)),
    ("sigmoid pair", "L/(1 + exp((m - x)/s))", np.arange(1790, 2001, 10.0), {"L": 440, "m": 1976, "s": 46}, 0.01,
     {"L": 400, "m": 1950, "s": 40}, {"L": 1, "m": 1, "s": 1}, {"L": (0, 1), "m": (1, 0), "s": (1, 0)}, ("m",)),
)  # fmt: skip
# What has no answer, or none that the data determine: with the parameters whose error must be infinite, if fitted.
X = np.arange(1, 9.0)
REFUSED = (
    ("plateau", "a*tanh(k*x)", X, [1.01, 0.98, 1, 1.02, 0.99, 1, 1, 1.01], {"a": 1, "k": 1}, "k"),
    ("step between two rows", "a/(1 + exp(-k*(x - m)))", np.arange(10.0),
     [0.01, 0, 0.02, 0, 0, 1, 1.01, 0.98, 1, 1], {"a": 1, "k": 1, "m": 4}, "km"),
    ("separable classes", "1/(1 + exp(-(a + b*x)))", np.arange(1, 7.0), [0, 0, 0, 1, 1, 1], {"a": 0, "b": 1}, "ab"),
    ("falling, but the model rises", "exp(u)*x + b", X, [9, 8.1, 7.2, 5.8, 5.1, 4.2, 2.8, 2.1], {"u": 0, "b": 1}, "u"),
    ("one factor too many", "a*b*exp(-c*x)", np.arange(5.0), [5.1, 3, 2.1, 1.2, 0.8], {"a": 1, "b": 1, "c": 1}, "ab"),
    ("a line, and a curve that bends", "a*(1 - exp(-k*x))", X, [2, 4, 6, 8, 10, 12, 14, 16], {"a": 10, "k": 0.1}, "ak"),
    ("a saturation on a line", "V*x/(K + x)", X, [3, 6, 9, 12, 15, 18, 21, 24], {"V": 10, "K": 10}, "VK"),
    ("hill on falling data", "E*x**h/(K**h + x**h)", np.array([0, 2.5, 5, 10, 25]), [4.91, 1.32, 1.18, 1.12, 1.09],
     {"E": 1, "h": 1, "K": 0.5}, ""),
    ("a parameter that is not there", "a*exp(-b*x) + 0*c", np.arange(5.0), [5.1, 3, 2.1, 1.2, 0.8],
     {"a": 1, "b": 1, "c": 1}, "c"),
    ("two constants", "a + b + c*x", X, [1, 2.1, 2.9, 4.2, 5, 6.1, 6.9, 8], {"a": 0, "b": 0, "c": 1}, "ab"),
    ("twice the same decay", "a*exp(-k*x) + b*exp(-k*x)", np.arange(6.0), [8, 4.1, 1.9, 1, 0.5, 0.3],
     {"a": 1, "b": 1, "k": 1}, "ab"),
    ("nothing but zeros", "a*exp(-k*x)", X, [0] * 8, {"a": 1, "k": 1}, "k"),
    ("a constant, and a rate", "a + b*exp(-k*x)", X, [3] * 8, {"a": 1, "b": 1, "k": 1}, "k"),
    ("early growth, without its end", "L/(1 + exp(-k*(x - m)))", np.arange(8.0),
     np.exp(0.5 * np.arange(8.0)).round(12).tolist(), {"L": 1000, "k": 0.5, "m": 14}, "Lm"),
    ("a corner that no row is beyond", "y0 + k*maximum(x - 20, 0)", X, [2, 2.1, 1.9, 2, 2.05, 1.95, 2, 2],
     {"y0": 2, "k": 1}, "k"),
    ("a domain that ends at the best point", "a*sqrt(x - m)", X, [2.4, 1.2, 1.3, 1.2, 1.1, 1.3, 1.2, 1.25],
     {"a": 1, "m": 0}, ""),
)  # fmt: skip
UNITS = ((1.0, 1.0, 0.0), (1e-6, 1e6, 0.0), (1e6, 1e-6, 0.0), (1.0, 1.0, 1.0))  # of x, of y, and a shift in ranges


def function(model, library):
    """Give a model as a function of x and a mapping of parameters."""
    names = ("exp", "log", "sin", "cos", "tanh", "minimum", "maximum")
    known = {name: getattr(library, name, None) for name in names}
    if library is mp:
        known |= {"minimum": min, "maximum": max}
    code = compile(model, "model", "eval")
    return lambda x, point: eval(code, known | {"x": x} | point)


def settled(model, x, y, names, start):
    """Go on by Gauss and Newton's steps with 40 digits; the parameters, their errors and the sum of squares."""
    fun, p, n = function(model, mp), [mp.mpf(float(v)) for v in start], len(names)
    x, y = [mp.mpf(float(v)) for v in x], [mp.mpf(float(v)) for v in y]

    def residuals(q):
        return mp.matrix([fun(a, dict(zip(names, q, strict=True))) - b for a, b in zip(x, y, strict=True)])

    best = mp.fsum(v * v for v in residuals(p))
    for _ in range(60):
        r, J = residuals(p), mp.matrix(len(x), n)
        for k in range(n):
            h = mp.mpf(10) ** -15 * (abs(p[k]) or mp.mpf(1))
            up, down = ([*p[:k], p[k] + s, *p[k + 1 :]] for s in (h, -h))
            column = (residuals(up) - residuals(down)) / (2 * h)
            for i in range(len(x)):
                J[i, k] = column[i]
        step = mp.lu_solve(J.T * J, -(J.T * r))
        share, moved = mp.mpf(1), False
        while share > 1e-12:
            q = [p[k] + share * step[k] for k in range(n)]
            rss = mp.fsum(v * v for v in residuals(q))
            if rss <= best:
                moved, p, best = True, q, rss
                break
            share /= 2
        if not moved or max(abs(share * step[k] / (p[k] or 1)) for k in range(n)) < mp.mpf(10) ** -20:
            break
    inverse = (J.T * J) ** -1
    errors = [mp.sqrt(inverse[k, k] * best / (len(x) - n)) for k in range(n)]
    return [float(v) for v in p], [float(v) for v in errors], float(best)


def answer(model, x, y, truth, rng):
    """Give the best end from the truth and from many points around it."""
    fun, names = function(model, np), list(truth)
    around = np.array(list(truth.values()), dtype=float)

    def residuals(q):
        with np.errstate(all="ignore"):
            found = fun(x, dict(zip(names, q, strict=True))) - y
        return np.where(np.isfinite(found), found, 1e6 * np.abs(y).max())

    best = None
    for k in range(40):
        start = around if not k else around * np.exp(0.4 * rng.standard_normal(len(around)))
        found = least_squares(
            residuals, start, x_scale=np.abs(around), xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=400
        )
        if best is None or found.cost < best.cost:
            best = found
    return settled(model, x, y, names, best.x)


def main():
    cases = []
    for place, (name, model, x, truth, noise, near, far, units, shifted) in enumerate(FAMILIES):
        rng = np.random.default_rng(place)
        clean = function(model, np)(x, truth)
        y = clean + noise * np.ptp(clean) * rng.standard_normal(len(x))
        y = np.array([float(f"{v:.6g}") for v in y])
        base = answer(model, x, y, truth, rng)
        for u, v, shift in UNITS:
            fixed = units is None or None in units.values() or name == "sine"  # units that a model has built in
            if (shift and not shifted) or (u != 1 and fixed):
                continue
            add = shift * 10 * float(np.ptp(x))
            columns = {"x": (x * u + add).tolist(), "y": (y * v).tolist()}
            scale = {k: 1.0 if fixed else u ** units[k][0] * v ** units[k][1] for k in truth}
            moved = {k: add if k in shifted else 0.0 for k in truth}
            guess = [value * scale[k] + moved[k] for k, value in zip(truth, base[0], strict=True)]
            p, errors, rss = settled(model, columns["x"], columns["y"], list(truth), guess) if u != 1 or shift else base
            starts = {"none": None, "near": {k: near[k] * scale[k] + moved[k] for k in truth}, "far": far}
            cases.append({
                "name": name + (f" in units of {u:g} and {v:g}" if u != 1 else "") + (" shifted" if shift else ""),
                "model": model, "data": columns, "starts": starts, "point": dict(zip(truth, p, strict=True)),
                "stderr": dict(zip(truth, errors, strict=True)), "rss": rss,
            })  # fmt: skip
        print(name, base, flush=True)
    for name, model, x, y, start, open_ in REFUSED:
        columns = {"x": [float(v) for v in x], "y": [float(v) for v in y]}
        cases.append({"name": name, "model": model, "data": columns, "starts": {"none": None, "given": start},
                      "open": list(open_)})  # fmt: skip
    FILE.write_text(json.dumps(cases, indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


if __name__ == "__main__":
    main()
