"""Array formulas: random ones, and an oracle of their derivatives that shares no code with symgd.

The oracle runs the text of a formula as Python, on hyper-dual arrays of 80-bit numbers: exact first and second
derivatives, with no step size to choose. Beside each number stands a bound on the error that float64 makes when it
evaluates the text as written (a running error analysis: Higham, Accuracy and Stability of Numerical Algorithms,
2nd ed. 2002, section 3.3). So a comparison needs no tolerance but a small multiple of that bound.

References
----------
Fike and Alonso 2011, The Development of Hyper-Dual Numbers for Exact Second-Derivative Calculations.
"""

import math
import operator
import re
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

import mpmath as mp
import numpy as np
import oracles
from hypothesis import strategies as st
from scipy import special

EPS = oracles.EPS
OutOfReachError = oracles.OutOfReachError
REAL = np.longdouble

# ---- cases -----------------------------------------------------------------------------------------------------------

_SPEC = re.compile(r"(\w+)\(([\d,]*)\)(?:([<~])(\d+))?")


@dataclass(frozen=True)
class Case:
    """A formula with the shapes of its names, such as ``"w(3) b() | X(10,3) y(10) u(10)<4"``.

    Before the bar stand the parameters, behind it the data; ``u(10)<4`` are ten whole numbers from 0 to 3, and
    ``u(10)~4`` ten from -4 to 3. The values follow from the seed.
    """

    text: str
    shapes: str
    seed: int = 0
    given: dict = field(default_factory=dict)  # values of some of the names

    @cached_property
    def _values(self):
        random = np.random.default_rng([self.seed, zlib.crc32(self.shapes.encode())])
        found = []
        for part in f"{self.shapes}|".split("|")[:2]:
            values = {}
            for name, sizes, kind, bound in _SPEC.findall(part):
                shape = tuple(int(s) for s in sizes.split(",") if s)
                if kind:
                    values[name] = random.integers(-int(bound) if kind == "~" else 0, int(bound), shape)
                else:
                    values[name] = np.round(random.uniform(-1.5, 1.5, shape), 3)
            found.append(values | {k: np.asarray(v) for k, v in self.given.items() if k in values})
        return found

    @property
    def point(self):
        return self._values[0]

    @property
    def data(self):
        return self._values[1]

    @property
    def size(self):
        """The number of parameters, entry by entry."""
        return sum(v.size for v in self.point.values())

    def direction(self):
        """A direction to differentiate along."""
        random = np.random.default_rng(self.seed + 1)
        return {name: np.round(random.uniform(-1, 1, v.shape), 3) for name, v in self.point.items()}

    def flat(self, values, params=None):
        """One vector of values by name, in the order of ``params``."""
        return np.concatenate([np.ravel(values[name]) for name in params or self.point])


# ---- NumPy -----------------------------------------------------------------------------------------------------------


def _erf(a):
    """The error function of 80-bit numbers, which SciPy has for float64 only."""

    def entry(x):
        with mp.workdps(30):
            return REAL(mp.nstr(mp.erf(mp.mpf(float(x)) + mp.mpf(float(x - REAL(float(x))))), 25))

    return np.vectorize(entry, otypes=[REAL])(a) if getattr(a, "dtype", None) == REAL else special.erf(a)


def _softmax(a, axis=-1):
    powers = np.exp(a - np.max(a, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def _logsumexp(a, axis=None, keepdims=False):
    top = np.max(a, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(a - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)


NUMPY = oracles.NUMPY | {
    "len": len,
    "erf": _erf,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "logsoftmax": lambda a, axis=-1: a - _logsumexp(a, axis=axis, keepdims=True),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
}


def numpy_value(case, kind=np.float64):
    """The value of a formula as NumPy has it: float64, or the numbers of another kind."""
    values = case.point | case.data
    floats = {name: v if v.dtype.kind == "i" else v.astype(kind)[()] for name, v in values.items()}
    with np.errstate(all="ignore"):
        return eval(case.text, {**NUMPY}, floats)


# ---- numbers with a bound on their error -----------------------------------------------------------------------------


class Rounded:
    """80-bit numbers, each with a bound on the error of float64, in units of `EPS`.

    ``s`` is the sum of the sizes of all products that a number is the sum of: another order of sums and products, such
    as reverse mode has, makes an error of that size even where the number itself is 0.
    """

    def __init__(self, v, e, s=None):
        self.v, self.e, self.s = v, e, abs(v) if s is None else s

    def __add__(self, other):
        # A partial sum is as large as its terms.
        return Rounded(self.v + other.v, self.e + other.e + abs(self.v) + abs(other.v), self.s + other.s)

    def __mul__(self, other):
        size = self.s * other.s
        error = self.e * abs(other.v) + abs(self.v) * other.e + EPS * self.e * other.e
        return Rounded(self.v * other.v, error + size, size)

    def sum(self, axes):
        return Rounded(self.v.sum(axes), (self.e + abs(self.v)).sum(axes), self.s.sum(axes))

    def map(self, function):
        return Rounded(function(self.v), function(self.e), function(self.s))


# ---- hyper-dual arrays -----------------------------------------------------------------------------------------------

LEAD = 2  # two axes before the array's own: the parameters, and the directions


class Hyper:
    """Value, gradient, derivatives along directions, and the gradients of these: ``v + a*e1 + b*e2 + c*e1*e2``."""

    __array_ufunc__ = None  # NumPy arrays leave arithmetic to this class

    def __init__(self, *parts):
        self.parts = parts

    @property
    def value(self):
        return self.parts[0].v[0, 0]

    @property
    def shape(self):
        return self.parts[0].v.shape[LEAD:]

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return math.prod(self.shape)

    def __len__(self):
        return self.shape[0]

    # Structure: NumPy itself arranges the places of the entries.

    def _gather(self, places):
        def arrange(array):
            return array.reshape(*array.shape[:LEAD], -1)[:, :, places]

        return Hyper(*(p.map(arrange) for p in self.parts))

    def _places(self):
        return np.arange(self.size).reshape(self.shape)

    @property
    def T(self):
        return self._gather(self._places().T)

    def __getitem__(self, key):
        keys = key if isinstance(key, tuple) else (key,)
        plain = tuple(k.value.astype(int) if isinstance(k, Hyper) else k for k in keys)
        return self._gather(self._places()[plain])

    def _widened(self, ndim):
        def widen(array):
            return array.reshape(*array.shape[:LEAD], *(1,) * (ndim - self.ndim), *array.shape[LEAD:])

        return Hyper(*(p.map(widen) for p in self.parts))

    # Arithmetic

    def _with(self, other):
        other = hyper(other)
        np.broadcast_shapes(self.shape, other.shape)
        ndim = max(self.ndim, other.ndim)
        return self._widened(ndim).parts, other._widened(ndim).parts

    def __add__(self, other):
        return Hyper(*map(operator.add, *self._with(other)))

    def __mul__(self, other):
        (a, a1, a2, a12), (b, b1, b2, b12) = self._with(other)
        return Hyper(a * b, a1 * b + a * b1, a2 * b + a * b2, a12 * b + a1 * b2 + a2 * b1 + a * b12)

    def __neg__(self):
        return Hyper(*(Rounded(-p.v, p.e, p.s) for p in self.parts))

    def __pos__(self):
        return self

    def __sub__(self, other):
        return self + -hyper(other)

    def __rsub__(self, other):
        return hyper(other) + -self

    def __truediv__(self, other):
        return self * hyper(other) ** -1

    def __rtruediv__(self, other):
        return hyper(other) / self

    def __pow__(self, other):
        p = hyper(other)
        if p.shape == () and not any(d.v.any() for d in p.parts[1:]):
            return self.apply(lambda x: _power_slopes(x, p.value))
        return exp(p * log(self))

    def __rpow__(self, other):
        return hyper(other) ** self

    def __matmul__(self, other):
        a, b = self, hyper(other)
        if not a.ndim or not b.ndim:
            raise ValueError("matmul takes no scalars")
        if a.shape[-1] != b.shape[max(-2, -b.ndim)]:
            raise ValueError("the inner sizes differ")
        left = a[..., None] if b.ndim > 1 else a
        right = b if a.ndim == 1 or b.ndim == 1 else b[..., None, :, :]
        return (left * right).sum(axis=-2 if b.ndim > 1 else -1)

    def __rmatmul__(self, other):
        return hyper(other) @ self

    __radd__, __rmul__ = __add__, __mul__

    def apply(self, slopes):
        """An elementwise function; ``slopes(x)`` gives its value and first three derivatives."""
        a, a1, a2, a12 = self.parts
        d = slopes(a.v)
        if not all(np.isfinite(x).all() for x in d):
            raise OutOfReachError("outside of the domain")
        curved = [EPS * a.e**2 * abs(x) for x in (*d[2:], 0 * d[3])]
        f, f1, f2 = (Rounded(d[k], abs(d[k + 1]) * a.e + abs(d[k]) + curved[k]) for k in range(3))
        return Hyper(f, f1 * a1, f1 * a2, f1 * a12 + f2 * a1 * a2)

    # Reductions

    def axes(self, axis):
        """The axes that a reduction runs over, counted from the first."""
        given = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        found = tuple(sorted(operator.index(k) + self.ndim * (k < 0) for k in given))
        if len(set(found)) < len(found) or any(not 0 <= k < self.ndim for k in found):
            raise ValueError("no such axis")
        return found

    def _reduced(self, axis, keepdims, function):
        axes = self.axes(axis)
        shape = tuple(1 if k in axes else n for k, n in enumerate(self.shape))
        kept = function(tuple(k + LEAD for k in axes))
        if keepdims:
            return kept.reshape(shape)
        return kept

    def reshape(self, shape):
        return self._gather(self._places().reshape(shape))

    def sum(self, axis=None, keepdims=False):
        return self._reduced(axis, keepdims, lambda axes: Hyper(*(p.sum(axes) for p in self.parts)))

    def _count(self, axis):
        return math.prod(self.shape[k] for k in self.axes(axis))

    def mean(self, axis=None, keepdims=False):
        return self.sum(axis, keepdims) / self._count(axis)

    def var(self, axis=None, keepdims=False):
        return ((self - self.mean(axis, keepdims=True)) ** 2).mean(axis, keepdims)

    def std(self, axis=None, keepdims=False):
        return sqrt(self.var(axis, keepdims))

    def max(self, axis=None, keepdims=False):
        """The largest entries; entries that tie share evenly."""
        value, error, axes = self.value, self.parts[0].e[0, 0], self.axes(axis)
        top = value.max(axis=axes, keepdims=True)
        tied = value == top
        slack = error + np.where(tied, error, 0).max(axis=axes, keepdims=True)
        close = top - value <= 64 * EPS * (slack + abs(top))
        if ((close & (slack > 0)).any(axis=axes) & (close.sum(axis=axes) > 1)).any():
            raise OutOfReachError("too close to a tie")
        return (self * tied).sum(axis, keepdims) / tied.sum(axis=axes, keepdims=keepdims)

    def min(self, axis=None, keepdims=False):
        return -(-self).max(axis, keepdims)

    def dot(self, other):
        return dot(self, other)

    # Comparisons give plain truth values.

    def __gt__(self, other):
        return less(other, self)

    def __lt__(self, other):
        return less(self, other)

    def __ge__(self, other):
        return ~less(self, other)

    def __le__(self, other):
        return ~less(other, self)

    def __eq__(self, other):
        return ~less(self, other) & ~less(other, self)

    def __ne__(self, other):
        return less(self, other) | less(other, self)

    __hash__ = None


def hyper(value, error=None):
    """Numbers as a hyper-dual array without derivatives."""
    if isinstance(value, Hyper):
        return value
    v = np.asarray(value)
    if error is None:
        # Data are float64 as they are; a number of the text has been rounded.
        error = abs(v) if isinstance(value, float) else np.zeros(v.shape)
    v, error = v.astype(REAL)[None, None], np.asarray(error, dtype=float)[None, None]
    zero = Rounded(np.zeros(v.shape, REAL), np.zeros(v.shape))
    return Hyper(Rounded(v, error), zero, zero, zero)


def less(a, b):
    """Where a < b, if float64 can tell."""
    a, b = hyper(a), hyper(b)
    (x, *_), (y, *_) = a._with(b)
    gap, error = abs(x.v - y.v), x.e + y.e
    if ((gap <= 64 * EPS * (error + abs(x.v))) & (error > 0)).any():
        raise OutOfReachError("too close to a kink")
    return (x.v < y.v)[0, 0]


# ---- functions: the value and three derivatives ----------------------------------------------------------------------


def _power_slopes(x, p):
    if p != int(p) and (x <= 0).any():
        raise OutOfReachError("a broken power of a number that is not positive")
    found, factor = [], REAL(1)
    for k in range(4):
        found.append(factor * x ** (p - k) if factor else np.zeros_like(x))
        factor *= p - k
    return found


def _tanh_slopes(x):
    t, s = np.tanh(x), np.cosh(x) ** -2
    return t, s, -2 * t * s, 2 * s * (3 * t**2 - 1)


def _sigmoid_slopes(x):
    _, d1, d2, d3 = _tanh_slopes(x / 2)
    return 1 / (1 + np.exp(-x)), d1 / 4, d2 / 8, d3 / 16


def _softplus_slopes(x):
    return np.logaddexp(REAL(0), x), *_sigmoid_slopes(x)[:3]


def _erf_slopes(x):
    d = 2 / np.sqrt(np.arctan(REAL(1)) * 4) * np.exp(-(x**2))
    return _erf(x), d, -2 * x * d, (4 * x**2 - 2) * d


def _arctan_slopes(x):
    q = 1 + x**2
    return np.arctan(x), 1 / q, -2 * x / q**2, (6 * x**2 - 2) / q**3


def _sqrt_slopes(x):
    """Flat at 0, as norm and std are."""
    if (x < 0).any():
        raise OutOfReachError("the root of a negative number")
    safe = np.where(x == 0, 1, x)
    return [np.where(x == 0, 0, d) for d in _power_slopes(safe, REAL(0.5))]


def _log_slopes(x):
    if (x <= 0).any():
        raise OutOfReachError("the logarithm of a number that is not positive")
    return np.log(x), 1 / x, -1 / x**2, 2 / x**3


def _of(slopes):
    return lambda a: hyper(a).apply(slopes)


exp = _of(lambda x: (np.exp(x),) * 4)
log = _of(_log_slopes)


def sqrt(a):
    a = hyper(a)
    v, e = a.parts[0].v, a.parts[0].e
    if ((v <= 64 * EPS * e) & (e > 0)).any():
        raise OutOfReachError("too close to the root of 0")
    return a.apply(_sqrt_slopes)


def where(condition, a, b):
    condition = condition if isinstance(condition, np.ndarray | bool | np.bool) else hyper(condition) != 0
    a, b = hyper(a), hyper(b)
    ndim = len(np.broadcast_shapes(np.shape(condition), a.shape, b.shape))
    pairs = zip(a._widened(ndim).parts, b._widened(ndim).parts, strict=True)
    return Hyper(*(Rounded(*(np.where(condition, getattr(x, n), getattr(y, n)) for n in "ves")) for x, y in pairs))


def maximum(a, b):
    a, b = hyper(a), hyper(b)
    return where(less(b, a), a, where(less(a, b), b, (a + b) / 2))


def minimum(a, b):
    return -maximum(-hyper(a), -hyper(b))


def absolute(a):
    return where(hyper(a) > 0, a, where(hyper(a) < 0, -hyper(a), 0 * hyper(a)))


def logsumexp(a, axis=None, keepdims=False):
    a = hyper(a)
    top = a.value.max(axis=a.axes(axis), keepdims=True)
    total = log(exp(a - top).sum(axis, keepdims=True)) + top
    return total if keepdims else total._gather(np.squeeze(total._places(), axis=a.axes(axis)))


def softmax(a, axis=-1):
    powers = exp(hyper(a) - hyper(a).value.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def norm(a, axis=None, keepdims=False):
    return sqrt((hyper(a) * a).sum(axis, keepdims))


def dot(a, b):
    a, b = hyper(a), hyper(b)
    if a.ndim > 2 or b.ndim > 2:
        raise OutOfReachError("dot() of more than two axes")
    return a @ b if a.ndim and b.ndim else a * b


def outer(a, b):
    a, b = hyper(a), hyper(b)
    return a.reshape((-1, 1)) * b.reshape((1, -1))


def trace(a):
    a = hyper(a)
    return a._gather(np.diagonal(a._places())).sum(-1)


def _spread(array, lead):
    """The array with its first two axes as long as asked, and the others as one."""
    return np.broadcast_to(array, lead + array.shape[LEAD:]).reshape(*lead, -1)


def _joined(join):
    def call(arrays, axis=0):
        arrays = [hyper(a) for a in arrays]
        ends = np.cumsum([a.size for a in arrays])
        places = join([a._places() + end - a.size for a, end in zip(arrays, ends, strict=True)], axis=axis)
        parts = []
        for several in zip(*(a.parts for a in arrays), strict=True):
            lead = np.broadcast_shapes(*(p.v.shape[:LEAD] for p in several))
            joined = (np.concatenate([_spread(getattr(p, n), lead) for p in several], axis=-1) for n in "ves")
            parts.append(Rounded(*joined))
        return Hyper(*parts)._gather(places)

    return call


HYPER = {
    "pi": np.pi,
    "e": np.e,
    "newaxis": None,
    "len": len,
    "arange": lambda *ends: hyper(np.arange(*ends)),
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "sin": _of(lambda x: (np.sin(x), np.cos(x), -np.sin(x), -np.cos(x))),
    "cos": _of(lambda x: (np.cos(x), -np.sin(x), -np.cos(x), np.sin(x))),
    "sinh": _of(lambda x: (np.sinh(x), np.cosh(x)) * 2),
    "cosh": _of(lambda x: (np.cosh(x), np.sinh(x)) * 2),
    "tanh": _of(_tanh_slopes),
    "sigmoid": _of(_sigmoid_slopes),
    "softplus": _of(_softplus_slopes),
    "erf": _of(_erf_slopes),
    "arctan": _of(_arctan_slopes),
    "log1p": lambda a: log(1 + hyper(a)),
    "expm1": lambda a: exp(a) - 1,
    "square": lambda a: hyper(a) * a,
    "abs": absolute,
    "relu": lambda a: where(hyper(a) > 0, a, 0 * hyper(a)),
    "maximum": maximum,
    "minimum": minimum,
    "clip": lambda a, b, c: minimum(maximum(a, b), c),
    "hypot": lambda a, b: sqrt(hyper(a) * a + hyper(b) * b),
    "logaddexp": lambda a, b: maximum(a, b) + log(1 + exp(-absolute(hyper(a) - b))),
    "where": where,
    "logsumexp": logsumexp,
    "softmax": softmax,
    "logsoftmax": lambda a, axis=-1: hyper(a) - logsumexp(a, axis, keepdims=True),
    "norm": norm,
    "dot": dot,
    "outer": outer,
    "trace": trace,
    "concatenate": _joined(np.concatenate),
    "stack": _joined(np.stack),
    **{
        name: lambda a, axis=None, keepdims=False, name=name: getattr(hyper(a), name)(axis, keepdims)
        for name in ("sum", "mean", "min", "max", "var", "std")
    },
}


@dataclass(frozen=True)
class Exact:
    """Value, gradient (n,) and its derivatives along the directions (n, m), each with a bound on float64's error."""

    value: Rounded
    gradient: Rounded
    products: Rounded


def exact(case, directions, params=None):
    """The exact derivatives of a formula.

    ``directions`` has shape (m, n); the entries of the parameters are in the order of ``params``.
    """
    directions = np.atleast_2d(directions)
    m, n = directions.shape
    values, first = {}, 0
    for name in params or case.point:
        array = case.point[name]
        here = slice(first, first + array.size)
        e1, e2 = np.zeros((n, array.size), REAL), directions[:, here].astype(REAL)
        e1[here] = np.eye(array.size)
        v, *rest = hyper(array).parts
        one = Rounded(e1.reshape(n, 1, *array.shape), np.zeros((n, 1, *array.shape)))
        two = Rounded(e2.reshape(1, m, *array.shape), np.zeros((1, m, *array.shape)))
        values[name] = Hyper(v, one, two, rest[2])
        first += array.size
    values |= {name: v if v.dtype.kind == "i" else hyper(v) for name, v in case.data.items()}
    with np.errstate(all="ignore"):
        root = hyper(eval(case.text, {**HYPER, "__builtins__": {"__import__": __import__}}, values))
    if root.shape != ():
        raise ValueError(f"the formula has shape {root.shape}")
    v, e1, _, e12 = root.parts
    return Exact(
        v.map(lambda x: x[0, 0]),
        e1.map(lambda x: np.broadcast_to(x, (n, 1))[:, 0]),
        e12.map(lambda x: np.broadcast_to(x, (n, m))),
    )


# ---- a second oracle, slow: jets of 50 digits, in NumPy's arrays of objects ------------------------------------------


def _total(a, axis=None, keepdims=False):
    return np.sum(a, axis=axis, keepdims=keepdims)


def _jet_mean(a, axis=None, keepdims=False):
    total = _total(a, axis, keepdims)
    return total / mp.mpf(np.size(a) // np.size(total))


def _jet_var(a, axis=None, keepdims=False):
    return _jet_mean((a - _jet_mean(a, axis, keepdims=True)) ** 2, axis, keepdims)


def _jet_logsumexp(a, axis=None, keepdims=False):
    return oracles.log(_total(oracles.exp(a), axis, keepdims))


JETS = oracles.MPMATH | {
    **{name: getattr(np, name) for name in ("dot", "outer", "trace", "concatenate", "stack", "min", "max")},
    "arange": lambda *ends: np.array([mp.mpf(k) for k in range(*ends)], dtype=object),
    "newaxis": None,
    "len": len,
    "pi": np.pi,
    "sum": _total,
    "mean": _jet_mean,
    "var": _jet_var,
    "std": lambda *args, **keys: oracles._sqrt(_jet_var(*args, **keys)),
    "logsumexp": _jet_logsumexp,
    "softmax": lambda a, axis=-1: oracles.exp(a) / _total(oracles.exp(a), axis, keepdims=True),
    "logsoftmax": lambda a, axis=-1: a - _jet_logsumexp(a, axis, keepdims=True),
    "norm": lambda a, axis=None, keepdims=False: oracles._sqrt(_total(a * a, axis, keepdims)),
}


def slow(case):
    """Value, gradient and Hessian of a formula, of 50 digits."""
    values, names = {}, {}
    for name, array in (case.point | case.data).items():
        if array.dtype.kind == "i":
            values[name] = array
            continue
        jets = np.empty(array.shape, dtype=object)
        for place in product(*map(range, array.shape)):
            if name in case.point:
                key = f"{len(names):05}"
                names[key] = len(names)
                jets[place] = oracles.parameter(key, float(array[place]))
            else:
                jets[place] = oracles.Jet(mp.mpf(float(array[place])))
        values[name] = jets
    with mp.workdps(50):
        root = oracles.jet(eval(case.text, {**JETS, "__builtins__": {"__import__": __import__}}, values))
        gradient, hessian = np.zeros(len(names), REAL), np.zeros((len(names),) * 2, REAL)
        for key, value in root.g.items():
            gradient[names[key]] = REAL(mp.nstr(value, 30))
        for (a, b), value in root.h.items():
            hessian[names[a], names[b]] = hessian[names[b], names[a]] = REAL(mp.nstr(value, 30))
        return REAL(mp.nstr(root.v, 30)), gradient, hessian


# ---- random formulas -------------------------------------------------------------------------------------------------

_SUM, _PRODUCT, _POWER, _ATOM = range(4)  # how tightly a text binds
_COUNTS = re.compile(r"len\(\w+\)|\w+\.shape\[-?\d\]|\w+\.size|pi")
_SMOOTH = ("tanh", "sigmoid", "sin", "cos", "softplus", "erf", "arctan")
_KINKED = ("relu", "abs")
_INTO_DOMAIN = ("exp(tanh({}))", "sqrt(1 + ({})**2)", "log(1 + ({})**2)", "log1p(({})**2)", "exp(-({})**2)")
_PAIRS = (
    *[("{} + {}", (_SUM, _PRODUCT), _SUM), ("{} - {}", (_SUM, _PRODUCT), _SUM)] * 3,
    *[("{}*{}", (_PRODUCT, _POWER), _PRODUCT)] * 4,
    *[("{}/(1 + {}**2)", (_PRODUCT, _ATOM), _PRODUCT)] * 2,
    *[(f"{name}({{}}, {{}})", (_SUM, _SUM), _ATOM) for name in ("maximum", "minimum", "logaddexp")],
)
_FOLDS = ("sum", "sum", "mean", "mean", "max", "min", "var", "logsumexp", "norm")
_METHODS = ("sum", "mean", "max", "min", "var")
_NAMES = {"param": "wxAUbz", "data": "XyDt", "index": "uvk"}
_LARGEST = 60  # entries of an array
_ENTRIES = 40  # of all parameters


class _Builder:
    """Draws a formula from its root to its leaves: each part has the shape that is asked of it."""

    def __init__(self, between):
        self.between = between  # gives a whole number from the first to the second
        self.sizes = [between(2, 5), between(2, 5), between(1, 4), 1]
        self.known = {"param": {}, "data": {}, "index": {}}

    def one(self, options):
        return options[self.between(0, len(options) - 1)]

    def chance(self, percent):
        return self.between(0, 99) >= 100 - percent

    # Texts

    def part(self, shape, budget, level=_SUM):
        """The text of an expression of a shape that binds at least as tightly as asked."""
        text, binds = self.expression(shape, budget)
        if shape == () and level == _ATOM and not re.search(r"[a-zA-Z]", _COUNTS.sub("", text)):
            return self.name("param", ())  # Python's own numbers have no methods and no axes
        return text if binds >= level else f"({text})"

    def parts(self, shapes, budget, levels=None):
        """Several parts that share a budget, of which one may get the most."""
        levels = levels or [_SUM] * len(shapes)
        rich = self.between(0, 2 * len(shapes))
        shares = [budget - len(shapes) + 1 if k == rich else 1 for k in range(len(shapes))]
        shares = shares if rich < len(shapes) else [budget // len(shapes)] * len(shapes)
        return [self.part(*each) for each in zip(shapes, shares, levels, strict=True)]

    def expression(self, shape, budget):
        if budget <= 1:
            return self.leaf(shape)
        options = [self.elementwise, self.pair, self.pair, self.pair, self.folded, self.indexed, self.product]
        if shape:
            options += [self.chosen, self.gathered, self.gathered, self.normal, self.turned, self.joined]
        else:
            options += [self.folded, self.folded, self.product, self.traced]
        return self.one(options)(shape, budget - 1)

    # Leaves

    def leaf(self, shape):
        params = self.known["param"]
        kind = "param" if not params or self.chance(55) else self.one(["data", "data", "plain"])
        if kind == "plain" and shape == ():
            arrays = [name for k in ("param", "data") for name, s in self.known[k].items() if s]
            if arrays and self.chance(60):
                return self.one(["1/len({0})", "1/{0}.shape[0]", "2/{0}.size", "{0}.shape[-1]"]).format(
                    self.one(arrays)
                ), _PRODUCT
            return self.one(["2", "0.5", "0.3", "1.5", "pi/4"]), _PRODUCT
        if kind == "plain" and len(shape) == 1:
            return f"0.2*arange({shape[0]})", _PRODUCT
        return self.name("data" if kind == "plain" else kind, shape), _ATOM

    def name(self, kind, shape):
        known = self.known[kind]
        same = [name for name, s in known.items() if s == shape]
        if kind == "param" and sum(map(math.prod, known.values())) + math.prod(shape) > _ENTRIES:
            kind, known = ("param", known) if same else ("data", self.known["data"])
            same = [name for name, s in known.items() if s == shape]
        if same and self.chance(60):
            return self.one(same)
        return self.new(kind, shape)

    def new(self, kind, value):
        letters, known = _NAMES[kind], self.known[kind]
        name = letters[len(known)] if len(known) < len(letters) else f"{letters[0]}{len(known)}"
        known[name] = value
        return name

    def index(self, shape, bound):
        """The name of whole numbers of a shape, that are places on an axis."""
        known = self.known["index"]
        same = [name for name, (s, sign, b) in known.items() if s == shape and b <= bound]
        if same and self.chance(60):
            return self.one(same)
        return self.new("index", (shape, self.one("<<<~"), bound))

    # Elementwise

    def elementwise(self, shape, budget):
        kind = self.between(0, 9)
        if kind < 4:
            return f"{self.one(_SMOOTH)}({self.part(shape, budget)})", _ATOM
        if kind == 4:
            return f"{self.one(_KINKED)}({self.part(shape, budget)})", _ATOM
        if kind == 5:
            return self.one(_INTO_DOMAIN).format(self.part(shape, budget)), _ATOM
        if kind == 6:
            return f"{self.part(shape, budget, _ATOM)}**{self.one('23')}", _POWER
        if kind == 7:
            return f"-{self.part(shape, budget, _PRODUCT)}", _SUM
        return f"{self.one(['0.5', '2', '0.3'])}*{self.part(shape, budget, _POWER)}", _PRODUCT

    def halves(self, shape):
        """Two shapes that broadcast to a third."""
        a, b = [], []
        for size in shape:
            side = self.one(["both", "both", "both", "both", "left", "right"])
            a.append(1 if side == "right" else size)
            b.append(1 if side == "left" else size)
        short = self.one([a, b])
        while short and short[0] == 1 and self.chance(70):
            del short[0]
        return tuple(a), tuple(b)

    def pair(self, shape, budget):
        form, levels, binds = self.one(_PAIRS)
        return form.format(*self.parts(self.halves(shape), budget, levels)), binds

    def chosen(self, shape, budget):
        a, b = self.halves(shape)
        mask, _ = self.halves(shape)
        kind = self.between(0, 3)
        full = shape if kind == 3 else a
        condition = f"{self.name('data', mask)} > {self.one(['0', '0.3', '-0.5'])}"
        if kind == 0:
            condition = f"({condition}) & ({self.name('data', mask)} < 1)"
        if kind == 1:
            condition = f"{self.part(mask, 2)} < {self.part((), 1)}"
        if kind == 3:
            return f"({condition})*{self.part(full, budget, _POWER)}", _SUM  # truth values take no minus
        return f"where({condition}, {', '.join(self.parts([a, b], budget))})", _ATOM

    # Reductions

    def folded(self, shape, budget):
        for _ in range(5):
            found = self.fold(shape, budget)
            if found:
                return found
        return self.leaf(shape)

    def fold(self, shape, budget):
        """A reduction to a shape; None where the draw does not fit."""
        ones = [k for k, size in enumerate(shape) if size == 1]
        keeps = bool(ones) and self.chance(60)
        inner, axes = list(shape), []
        if keeps:
            axes = [self.one(ones)]
            inner[axes[0]] = self.one(self.sizes)
        else:
            for _ in range(self.one([1, 1, 2])):
                if len(inner) < 3:
                    place = self.between(0, len(inner))
                    axes = [k + (k >= place) for k in axes] + [place]
                    inner.insert(place, self.one(self.sizes))
        whole = not shape and (not axes or self.chance(50))
        if whole:
            inner, axes = [self.one(self.sizes) for _ in range(self.between(1, 3))], []
        if not (axes or whole) or math.prod(inner) > _LARGEST:
            return None
        name = self.one(_FOLDS)
        if name == "norm" and len(axes) > 1:
            name = "sum"
        signed = [k - len(inner) if self.chance(40) else k for k in axes]
        keywords = [f"axis={signed[0] if len(signed) == 1 else f'({signed[0]}, {signed[1]})'}"] if axes else []
        if keeps:
            keywords.append("keepdims=True")
        elif self.chance(10):
            keywords.append("keepdims=False")
        if name in _METHODS and self.chance(25):
            return f"{self.part(tuple(inner), budget, _ATOM)}.{name}({', '.join(keywords)})", _ATOM
        if name == "max" and self.chance(30):
            return (
                f"std({self.part(tuple(inner), budget)} + arange({inner[-1]}){''.join(f', {k}' for k in keywords)})",
                _ATOM,
            )
        return f"{name}({', '.join([self.part(tuple(inner), budget), *keywords])})", _ATOM

    def normal(self, shape, budget):
        name = self.one(["softmax", "logsoftmax"])
        axis = self.between(-len(shape), len(shape) - 1)
        given = "" if axis == -1 and self.chance(50) else f", axis={axis}"
        return f"{name}({self.part(shape, budget)}{given})", _ATOM

    def traced(self, shape, budget):
        n = self.one(self.sizes)
        return f"trace({self.part((n, n if self.chance(70) else self.one(self.sizes)), budget)})", _ATOM

    # Products

    def product(self, shape, budget):
        k = self.one(self.sizes)
        options = [((*shape, k), (k,)), ((k,), (k, *shape)[:1] if not shape else (*shape[:-1], k, shape[-1]))]
        if len(shape) == 2:
            i, j = shape
            options = [((i, k), (k, j))] * 3 + options
            if self.chance(15):
                return f"outer({', '.join(self.parts([(i,), (j,)], budget))})", _ATOM
        if len(shape) == 3:
            b, i, j = shape
            options = [((b, i, k), (b, k, j)), ((b, i, k), (k, j)), ((i, k), (b, k, j)), ((1, i, k), (b, k, j))]
        options = [o for o in options if all(len(s) <= 3 and math.prod(s) <= _LARGEST for s in o)]
        if not options:
            return self.leaf(shape)
        shapes = self.one(options)
        if max(map(len, shapes)) < 3 and self.chance(15):
            return f"dot({', '.join(self.parts(shapes, budget))})", _ATOM
        return " @ ".join(self.parts(shapes, budget, (_PRODUCT, _POWER))), _PRODUCT

    # Structure

    def turned(self, shape, budget):
        return f"{self.part(shape[::-1], budget, _ATOM)}.T", _ATOM

    def joined(self, shape, budget):
        axis = self.between(0, len(shape) - 1)
        size = shape[axis]
        given = "" if axis == 0 and self.chance(50) else f", axis={axis - len(shape) if self.chance(30) else axis}"
        before, after = shape[:axis], shape[axis + 1 :]
        if size in (2, 3) and self.chance(50):
            return f"stack([{', '.join(self.parts([before + after] * size, budget))}]{given})", _ATOM
        if size == 1:
            return f"stack([{self.part(before + after, budget)}]{given})", _ATOM
        cut = self.between(1, size - 1)
        shapes = [(*before, n, *after) for n in (cut, size - cut)]
        return f"concatenate([{', '.join(self.parts(shapes, budget))}]{given})", _ATOM

    def cut(self, size):
        """A slice that leaves a size, and the size that it is cut from."""
        kind = self.between(0, 8)
        a, b = self.between(1, 2), self.between(1, 2)
        return [
            (":", size), (f"{a}:", size + a), (f":-{b}", size + b), (f"{a}:-{b}", size + a + b), ("::-1", size),
            ("::2", 2 * size), ("::2", 2 * size - 1), ("1::2", 2 * size), (f":{size}", size + a),
        ][kind]  # fmt: skip

    def indexed(self, shape, budget):
        items, inner = [], []
        for size in (*shape, None):
            while len(inner) < 3 and len(inner) + len(shape) < 4 and self.chance(50 if not shape else 15):
                n = self.one(self.sizes)
                items.append(str(self.between(-n, n - 1)))
                inner.append(n)
            if size == 1 and self.chance(50):
                items.append("None")
            elif size is not None:
                text, n = self.cut(size)
                items.append(text)
                inner.append(n)
        if not items or len(inner) > 3 or math.prod(inner) > _LARGEST:
            return self.leaf(shape)
        if self.chance(30):
            while len(items) > 1 and items[-1] == ":":
                items.pop()
        elif items[-1] == ":" and self.chance(30):
            items[-1] = "..."
        elif items[0] == ":" and self.chance(50):
            items[0] = "..."
        return f"{self.part(tuple(inner), budget, _ATOM)}[{', '.join(items)}]", _ATOM

    def gathered(self, shape, budget):
        place = self.between(0, len(shape) - 1)
        count = self.between(1, min(2, len(shape) - place))
        n, m = self.one(self.sizes), self.one(self.sizes)
        where = shape[place : place + count]
        name = self.index(where, n)
        kind = self.between(0, 4) if len(shape) - count < 2 else 4
        key, axes = [name], [n]
        if kind == 0:
            key, axes = [name, str(self.between(-m, m - 1))], [n, m]
        elif kind == 1:
            key, axes = [str(self.between(-m, m - 1)), name], [m, n]
        elif kind == 2:
            key, axes = [name, self.index(where, m)], [n, m]
        inner = (*shape[:place], *axes, *shape[place + count :])
        if len(inner) > 3 or math.prod(inner) > _LARGEST:
            return self.leaf(shape)
        key = [":"] * place + key
        if place == 1 and self.chance(20):
            key = ["...", *key[1:]] + [":"] * (len(shape) - place - count)
        return f"{self.part(inner, budget, _ATOM)}[{', '.join(key)}]", _ATOM

    # The whole

    def case(self):
        budget = self.between(4, 15)
        root = self.one([self.folded, self.folded, self.folded, self.product, self.pair, self.elementwise, self.traced])
        text, _ = root((), budget)
        if not self.known["param"]:
            text = f"{text} + {self.new('param', ())}"
        used = set(re.findall(r"\w+", text))
        specs = [
            " ".join(_spec(name, known) for kind in kinds for name, known in self.known[kind].items() if name in used)
            for kinds in (["param"], ["data", "index"])
        ]
        return Case(text, " | ".join(specs).strip(" |"), self.between(0, 9999))


def _spec(name, known):
    shape, *bound = known if known and isinstance(known[0], tuple) else (known,)
    return f"{name}({','.join(map(str, shape))})" + "".join(map(str, bound))


@st.composite
def cases(draw):
    """Random array formulas that are one number, with the shapes and values of their names."""
    return _Builder(lambda low, high: draw(st.integers(low, high))).case()
