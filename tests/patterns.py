"""Random formulas around the patterns that stable forms look for, and the law that they keep.

Each pattern is a spelling with gaps. The gaps are filled with operands that are equal, similar, squared, scaled,
negated or constant, so that a rule meets its own pattern with the wrong operand in every place; coefficients are names
(which may be 0, negative, 1e300 or 1e-300) as often as numbers. A formula is evaluated at many points at once: with the
stable forms, without them (what the text gives), and, where these two differ, by jets in mpmath from the text itself.

The law: the form is never wrong, and never has fewer digits than the text. Digits are counted against what rounding the
inputs once would change.
"""

import math
import random
from dataclasses import dataclass, field

import mpmath as mp
import numpy as np
import oracles

from symgd import FormulaError
from symgd import language as fm
from symgd.graph import Array, Forms, Graph, Store, calculus, read, whole
from symgd.graph.tape import Tape

PARAMS = ("x", "y", "a", "b")
ROWS = 5

# By rewrite: its pattern, with operands {u} and {v} and coefficients {p} and {q}.
PATTERNS = {
    "log of exponentials": (
        "log(exp({u}) + exp({v}))",
        "log(1 + exp({u}))",
        "log(2 + 3*exp({u}))",
        "log(cosh({u})*exp({v}))",
        "log(sigmoid({u}))",
        "log(sqrt(exp({u}) + 2))",
        "log(exp({u})*exp({v}))",
    ),
    "log of exp(u) - exp(v)": ("log(exp({u}) - exp({v}))", "log(1 - exp({u}))", "log(exp({u}) - 1)"),
    "log of p*exp(u)": (
        "log({p}*exp({u}))",
        "log({p}*exp({u}) + {q}*exp({v}))",
        "log({p} + {q}*exp({u}))",
        "log(exp({u}) + {v})",
        "log({p}*exp({u})/({q} + exp({v})))",
    ),
    "log of 1 + u": ("log(1 + {u})", "log({u} + 1)", "log(1 - {u} + {v})", "log(1 + {u} + {v})", "log(1 - {u})"),
    "log of squares": ("log(({u})**2 + ({v})**2)", "log(({u})*({u}) + 1)"),
    "log of gammas": (
        "log(gamma({u})*{p})",
        "log({p}**2*gamma({u})/gamma({v}))",
        "log(exp(-({u}))*({u})**2/gamma({v}))",
    ),
    "log of -expm1": ("log(-expm1({u}))", "log(-3*expm1({u}))"),
    "log of k*f(u)": ("log(2*(1 + {u}))", "log(3/({u}))", "log(0.5*sinh({u}))", "log(1/(1 + {u}))", "log(1e300/({u}))"),
    "log of a power": ("log(({u})**2)", "log(({u})**3)", "log(({u})**-2)", "log(({u})**0.5)", "log(({u})**2.5)"),
    "log of sqrt": ("log(sqrt({u}))", "log(sqrt(({u})**2 + 1))"),
    "log of gamma": ("log(gamma({u}))", "log(gamma(({u})**2))"),
    "log of abs(gamma)": ("log(abs(gamma({u})))",),
    "log of expm1": ("log(expm1({u}))", "log(exp({u}) - 1)"),
    "log of sinh": ("log(sinh({u}))",),
    "log of tanh": ("log(tanh({u}))",),
    "log of erfc": ("log(erfc({u}))", "log(1 - erf({u}))"),
    "log2": ("log2(1 + exp({u}))", "log2(({u})**2)", "log2(1 + {u})"),
    "log10": ("log10(1 + exp({u}))", "log10(exp({u}) + exp({v}))", "log10(1 + {u})"),
    "log1p(exp(u))": ("log1p(exp({u}))", "log1p(exp({u}) + exp({v}))"),
    "log1p(-exp(u))": ("log1p(-exp({u}))", "log1p(-exp({u})*exp({v}))"),
    "logaddexp(0, u)": ("logaddexp(0, {u})", "logaddexp({u}, 0)"),
    "exp(u)*(v/expm1(u))": ("exp({u})*(({v})/expm1({u}))", "{p}/expm1({u})*exp({u})"),
    "exp(u)*sech(u)": ("exp({u})*sech({u})", "sech({u})*exp({v})", "exp(-({u}))/cosh({u})"),
    "p*exp(u)*q*exp(v)": (
        "exp({u})*exp({v})",
        "({p}*exp({u}))*({q}*exp({v}))",
        "({p} + exp({u}))*exp({v})",
        "({p}*exp({u}))*cosh({v})",
        "(1 + exp({u}))*(1 + exp({v}))",
    ),
    "v/cosh(u)": ("({v})/cosh({u})", "sinh({u})/cosh({v})", "{p}/(2*cosh({u}))", "3*sinh({u})/(2*cosh({u}))"),
    "p*exp(u)/expm1(u)": ("{p}*exp({u})/expm1({v})", "exp({u})/(exp({u}) - 1)", "({v})/(exp({u}) - 1)"),
    "expm1(u)/(exp(u) + 1)": ("(exp({u}) - 1)/(exp({v}) + 1)", "(exp({u}) - 1)/(exp({u}) + 1)"),
    "exp(u)/(exp(u) + exp(v))": (
        "exp({u})/(exp({u}) + exp({v}))",
        "1/(1 + exp({u}))",
        "({p})*exp({u})/(1 + exp({v}))",
        "1/(exp({u}) + exp({v}))",
    ),
    "p*exp(u)/(q*exp(v))": (
        "{p}/({q} + exp({u}))",
        "{p}/(1 + {q}*exp({u}))",
        "{p}*exp({u})/({q} + exp({v}))",
        "exp({u})/({p} + {q}*exp({u}))",
        "{p}*exp({u})/exp({v})",
        "exp({u})/(exp({u}) + exp({v}) + {p})",
        "({v})/({p} + exp({u}))**2",
        "{p}/sqrt({q} + exp({u}))",
        "{p}/(3 + 4*exp({u}))",
        "(exp({u}) - exp({v}))/(exp({u}) + exp({v}))",
    ),
    "u**(1/2)": ("({u})**0.5", "(({u})**2 + {p})**0.5"),
    "exp(u)**p": ("exp({u})**{p}", "exp({u})**2", "exp({u})**-0.5"),
    "(p*exp(u))**-k": (
        "(1 + exp({u}))**-2",
        "({p} + exp({u}))**-1",
        "({p} + {q}*exp({u}))**-0.5",
        "(2 + exp({u}))**-1.5",
    ),
    "(exp(u) + exp(v))**p": ("(1 + exp({u}))**({p})", "(exp({u}) + exp({v}))**({v})"),
    "sqrt(u**2)": ("sqrt(({u})**2)", "sqrt(({u})*({u}))", "sqrt(({u})*({v}))"),
    "sqrt(exp(u))": ("sqrt(exp({u}))",),
    "sqrt(u**2 + v**2)": ("sqrt(({u})**2 + ({v})**2)", "sqrt(1 + ({u})**2)", "({v})/sqrt(({u})**2 + ({v})**2)"),
    "exp(0)": ("exp(0)*({u})", "exp({u} - ({u})) + {v}"),
    "exp(-softplus(u))": ("exp(-softplus({u}))", "exp(-log(1 + exp({u})))", "exp(softplus({u}))"),
    "exp(u) - 1": ("exp({u}) - 1", "2 - 2*exp({u})", "exp({u}) - 1 + {v}", "exp({u}) + 1"),
    "tanh(u) + 1": ("tanh({u}) + 1", "3 + 3*tanh({u})"),
    "tanh(u) - 1": ("tanh({u}) - 1", "1 - tanh({u})"),
    "sigmoid(u) - 1": ("sigmoid({u}) - 1", "1 - 1/(1 + exp({u}))"),
    "sigmoid(u) - 1/2": ("sigmoid({u}) - 0.5", "2*sigmoid({u}) - 1"),
    "erf(u) + 1": ("1 + erf({u})", "(1 + erf({u}))/2"),
    "erf(u) - 1": ("1 - erf({u})", "erf({u}) - 1"),
    "erfc(u) - 1": ("1 - erfc({u})", "2*erfc({u}) - 2"),
    "cos(u) - 1": ("1 - cos({u})", "cos({u}) - 1 + {v}"),
    "cosh(u) - 1": ("cosh({u}) - 1", "2 - 2*cosh({u})"),
    "tanh(u)**2 - 1": ("1 - tanh({u})**2", "tanh({u})**2 - 1", "1 - tanh({u})*tanh({v})"),
    "c**u - 1": ("2**({u}) - 1", "1 - 10**({u})", "0.5**({u}) - 1"),
    "u*f(v) + k*u": ("({v})*exp({u}) - ({v})", "({v})*cos({u}) - ({u})", "({v}) - ({v})*tanh({u})"),
    "softplus(u) - u": ("softplus({u}) - ({u})", "log(1 + exp({u})) - ({v})", "2*softplus(-({u})) + 2*({v})"),
    "abs(u) + u": ("abs({u}) + ({u})", "abs({u}) - ({v})", "2*abs({u}) + 2*({v})", "sqrt(abs({u}) - ({u}))"),
    "maximum(u, v) - u": ("maximum({u}, {v}) - ({u})", "({v}) - minimum({u}, {v})", "sqrt(maximum({u}, {p}) - ({v}))"),
    "exp(u) - exp(-u)": ("exp({u}) - exp(-({u}))", "(exp({u}) - exp({v}))/2"),
    "exp(u) + exp(-u)": ("exp({u}) + exp(-({u}))", "(exp({u}) + exp({v}))/2"),
    "sqrt(p) - v": (
        "sqrt({u}) - ({v})",
        "sqrt(({u})**2 + {p}) - ({u})",
        "sqrt(({u})**2 + ({v})) - ({v})",
        "sqrt({p} + ({u})) - sqrt({u})",
        "sqrt({u} + 1) - 1",
        "sqrt({u} + 4) - 2",
        "2 - sqrt(4 - ({u}))",
        "hypot({u}, {v}) - ({u})",
        "hypot({u}, {v}) - ({u})**2",
        "hypot({u}, {v}) - hypot({v}, {u})",
        "hypot({u}, {v}) - hypot({v}, {p})",
        "sqrt(exp({u}) + {p}) - exp({u})",
        "sqrt({u}) - sqrt({v})",
    ),
}
# The same over rows, where X and k are data; k has zeros, and may have numbers of either sign.
OVER_ROWS = {
    "log of exponentials": ("log(sum(exp({u})))", "log(mean(exp({u})))", "mean(log(1 + exp({u})))"),
    "log of p*exp(u)": (
        "log(sum(k*exp({u})))",
        "log(mean(k*exp({u})))",
        "log(sum(where(k > 0, exp({u}), 0)))",
        "log(sum(k*exp({u})) + {p})",
        "log(sum(k**2*exp({u}))/sum(exp({v})))",
    ),
    "log of k*f(u)": ("log(3*sum(({u})**2))", "log(1/sum(abs({u})))"),
    "p*exp(u)/(q*exp(v))": (
        "sum(k*exp({u}))/sum(exp({u}))",
        "mean(X*exp({u}))/mean(exp({v}))",
        "sum(k*exp({u}))/sum(k*exp({v}))",
        "mean(1/({p} + exp({u})))",
        "sum(sum(k*exp({u}))/exp({v}))",
        "1/sum(exp({u}))",
    ),
    "sqrt(sum(u**2))": ("sqrt(sum(({u})**2))", "sum(({u})**2)**0.5"),
    "sqrt(p) - v": ("mean(sqrt(({u})**2 + {p}) - ({v}))", "sum(hypot({u}, {v}) - ({u}))"),
    "u*f(v) + k*u": ("mean(({v})*exp({u}) - ({v}))",),
}

_OPERANDS = ("x", "y", "x", "y", "2*x", "x - y", "x*y", "x + a", "x/3", "a*x", "x**2", "-x", "y - 1", "x + 1e-9*y")
_CHANGES = (
    "{0}", "{0}", "-({0})", "-({0})", "({0})**2", "2*({0})", "({0})/2", "{0} + 1", "({0})*a", "1", "2",
    "0", "a", "0.5", "x", "y",
    "1e10*({0})", "1e-10*({0})",
)  # fmt: skip
_COEFFICIENTS = ("a", "b", "a", "b", "1", "2", "-1", "0.5", "3", "x", "(1 - a)", "a*b", "1e-300", "1e300", "0", "-a")
_AROUND = ("{0}",) * 6 + ("({0})*({u})", "{0} - ({v})", "({0})**2", "{0} + 1", "2*({0})", "-({0})", "exp(-({0})**2)")


def formula(rng, template, *, rows=False):
    """A formula around a pattern."""
    u = rng.choice(("a*X", "X + x", "x*X + y", "X*X*x", "x*X") if rows else _OPERANDS)
    other = "X" if rows else rng.choice(_OPERANDS)
    v = rng.choice((rng.choice(_CHANGES).format(u), rng.choice(_CHANGES).format(other), other))
    p, q = rng.choice(_COEFFICIENTS), rng.choice(_COEFFICIENTS)
    text = template.format(u=u, v=v, p=p, q=q)
    return text if rows else rng.choice(_AROUND).format(text, u=u, v=v)


_SPECIAL = (0.0, 1.0, -1.0, 2.0, 0.5, 3.0, -2.0, 1e-10, -1e-10, 1e10, -1e10, 1e-300, 700.0, -700.0, 800.0, -800.0,
            1e300,
            -1e300, 36.0, -37.0, 1e-5, 600.5, -50.25)  # fmt: skip


def points(rng, count):
    """Points: numbers of every size, some of them equal."""
    found = []
    for _ in range(count):
        size = rng.choice((1.0, 1.0, 10.0, 1e-4, 100.0, 600.0))
        point = {name: rng.choice((rng.gauss(0, size), rng.gauss(0, size), rng.choice(_SPECIAL))) for name in PARAMS}
        if rng.random() < 0.3:
            point[rng.choice(PARAMS)] = rng.choice((1, -1, 2)) * point[rng.choice(PARAMS)]
        found.append(point)
    return {name: np.array([p[name] for p in found]) for name in PARAMS}


def columns(rng):
    """Data: any numbers, and weights with zeros, of one sign more often than not."""
    k = [rng.choice((0.0, 0.0, 1.0, 1.0, rng.expovariate(1), 1e-12, 1e12)) for _ in range(ROWS)]
    if rng.random() < 0.3:
        k = [x * rng.choice((1, -1)) for x in k]
    return {"X": np.array([rng.gauss(0, rng.choice((1, 30))) for _ in range(ROWS)]), "k": np.array(k)}


@dataclass
class Tally:
    """What came out of a search."""

    instances: int = 0
    compared: int = 0  # by mpmath, since form and text differ
    gained: int = 0  # where the text gave nan, inf or fewer digits, and the form did not
    beyond: int = 0  # where the text is nan, and numbers near the ends of float64 leave the form no digits either
    wrong: list = field(default_factory=list)
    fired: dict = field(default_factory=dict)


class Compiled:
    """A formula with its gradient, evaluated at many points by NumPy, with the stable forms or as it was written."""

    def __init__(self, text, data, *, stable):
        graph = Graph(Store(ROWS if data else None), Forms.GUARDED if stable else Forms.TYPED)
        tree = fm.parse(text, declared=(*PARAMS, *data))

        def leaf(name):
            if name.name in data:
                return whole(graph, "data", name.name, (ROWS,), rows=True)
            kind = "parameter" if name.name in PARAMS else "constant"
            return Array(graph.leaf(kind, name.name))

        root = read(graph, text, tree, leaf, group=False).node
        slopes = calculus.gradient(graph, root).scalars()
        self.names = [name for name in PARAMS if name in slopes]
        self.nodes = [root, *(slopes[name] for name in self.names)]
        self.fired = graph.store.fired
        self.rows = bool(data)
        self.tape = Tape(self.nodes, data, graph.store.sizes())

    def at(self, where):
        """An array with value and gradient, one column a point."""
        count = len(where["x"])
        if not self.rows:
            found = self.tape.at(where)
            return np.array([np.broadcast_to(found[node], count) for node in self.nodes], dtype=float)
        each = [self.tape.at({name: float(column[i]) for name, column in where.items()}) for i in range(count)]
        return np.array([[float(np.ravel(found[node])[0]) for found in each] for node in self.nodes])


def exact(text, point, data, digits):
    """The jet of a formula; None where it is not defined."""
    try:
        return oracles.exact(text, point, data, digits=digits, largest=math.inf)
    except (oracles.OutOfReachError, OverflowError, ValueError, ZeroDivisionError):
        return None


def verdict(form, text, wanted, condition, extreme):
    """'' where the law is kept, and what is wrong elsewhere."""
    if abs(wanted) > mp.mpf("1e307"):
        return "" if not math.isfinite(form) or abs(form) > 1e300 else "a number for what is too large"
    size = max(abs(wanted), condition)
    allowed = 24 * oracles.EPS * size + mp.mpf("1e-300") * (1 + size)
    plain = abs(text - wanted) if math.isfinite(text) else mp.inf
    if not math.isfinite(form):
        return "" if plain == mp.inf or plain > abs(wanted) / 100 else "no number"
    error = abs(mp.mpf(form) - wanted)
    if error <= allowed:
        return ""
    if math.isfinite(text):
        return "fewer digits" if error > 4 * plain else ""
    return "beyond" if extreme else "wrong"


def check(text, data, where, tally):
    """Hold a formula against the law at points."""
    try:
        form, plain = (Compiled(text, data, stable=stable) for stable in (True, False))
    except FormulaError:  # a constant outside of a function's domain
        return
    for name, times in form.fired.items():
        tally.fired[name] = tally.fired.get(name, 0) + times
    a, b = form.at(where), plain.at(where)
    names = [None, *form.names]
    rows = {name: k for k, name in enumerate([None, *plain.names])}
    b = np.array([b[rows[name]] if name in rows else np.zeros(b.shape[1]) for name in names])
    tally.instances += a.shape[1]
    with np.errstate(all="ignore"):
        same = (np.abs(a - b) <= 4e-15 * np.abs(b)) | (a == b) | (np.isnan(a) & np.isnan(b))
    for i in np.flatnonzero(~same.all(axis=0)):
        point = {name: float(column[i]) for name, column in where.items()}
        if "gamma" in text and any(0 < abs(v) < 1e-20 for v in point.values()):
            continue  # next to the pole both of two logarithms are large, and none of the inputs' doing
        chosen = [(name, float(a[k, i]), float(b[k, i])) for k, name in enumerate(names) if not same[k, i]]
        tally.compared += 1
        _compare(text, data, point, chosen, tally)


def _compare(text, data, point, chosen, tally):
    """Hold the form's numbers and the text's at a point against jets, of more digits where these are too few."""
    extreme = any(v and not 1e-100 < abs(v) < 1e100 for v in point.values()) or "e300" in text or "e-300" in text
    for digits in (60, 150) if "gamma" in text or "erf" in text else (60, 900, 2000):
        jet = exact(text, point, data, digits)
        if jet is None:
            name, form, plain = chosen[0]
            # Where there is no value the form must not make one up; derivatives at kinks are another matter.
            if name is None and math.isfinite(form) and math.isnan(plain) and _undefined(text, point, data):
                tally.wrong.append(("a number where there is none", text, point, data, None, form, plain, None))
            return
        found = [(name, form, plain, *_held(jet, name, form, plain, point, extreme)) for name, form, plain in chosen]
        # A 0 may be what is left when 1 was added and taken off again.
        if all(not word and (wanted != 0 or form == plain == 0) for _, form, plain, word, wanted in found):
            break
    for name, form, plain, word, wanted in found:
        if word == "beyond":
            tally.beyond += 1
        elif word:
            tally.wrong.append((word, text, point, data, name, form, plain, mp.nstr(wanted, 17)))
        elif not math.isfinite(plain) or abs(plain - wanted) > 10 * abs(form - wanted):
            tally.gained += 1


def _held(jet, name, form, plain, point, extreme):
    """Give the verdict on one number, and the number that it should be."""
    zero = mp.mpf(0)
    wanted = jet.v if name is None else jet.g.get(name, zero)
    slopes = jet.g if name is None else {m: jet.h.get((min(m, name), max(m, name)), zero) for m in PARAMS}
    # What rounding the inputs once would change; and a bound on what evaluating the text loses.
    condition = sum(abs(mp.mpf(point[m]) * s) for m, s in slopes.items())
    condition += (jet.ev if name is None else jet.eg.get(name, 0)) / 8
    return verdict(form, plain, wanted, condition, extreme), wanted


def _undefined(text, point, data):
    try:
        oracles.exact(text, point, data, digits=900, largest=math.inf)
    except oracles.OutOfReachError as problem:
        return "logarithm" in str(problem) or "broken power" in str(problem)
    except (OverflowError, ValueError, ZeroDivisionError):
        return False
    return False


def search(name, count, seed, tally, *, each=20):
    """Try at least ``count`` instances of a rewrite's patterns."""
    rng = random.Random(f"{name} {seed}")
    templates = [(t, False) for t in PATTERNS.get(name, ())] + [(t, True) for t in OVER_ROWS.get(name, ())]
    goal = tally.instances + count
    turn = 0
    while tally.instances < goal:
        template, rows = templates[turn % len(templates)]
        turn += 1
        text = formula(rng, template, rows=rows)
        check(text, columns(rng) if rows else {}, points(rng, each if not rows else max(each // 4, 3)), tally)
