"""Hypothesis strategies: random formulas of the whole language, with points at which most of them are defined."""

from hypothesis import strategies as st

PARAMS = ("x", "y", "lambda_")
COLUMNS = ("u", "v")
ROWS = 4

CONSTANTS = st.sampled_from(["1", "2", "3", "0.1", "0.5", "1.5", "2.5e-1", "pi", "7", "1e2", ".3", "2e5", "e", "1/3"])
# Functions defined everywhere; the others get an argument that is mapped into their domain first.
ANYWHERE = (
    "sin",
    "cos",
    "arctan",
    "tanh",
    "sigmoid",
    "softplus",
    "abs",
    "arcsinh",
    "erf",
    "relu",
    "logcosh",
    "square",
    "expm1",
    "sech",
    "erfc",
    "cbrt",
    "sinh",
    "cosh",
    "exp",
    "negative",
)
POSITIVE = ("log", "sqrt", "lgamma", "log2", "log10", "log1p", "ln", "digamma", "gamma", "gammaln", "reciprocal")
INSIDE = ("arcsin", "arccos", "arctanh", "log1p", "tan", "logit")
PAIRS = ("maximum", "minimum", "hypot", "logaddexp", "arctan2")
FOLDS = ("sum", "mean", "min", "max", "logsumexp", "var", "std", "norm")
EXPONENTS = st.sampled_from(["2", "3", "4", "-1", "-2", "5"])
BROKEN = st.sampled_from(["0.5", "1.5", "-0.5", "(1/3)", "-1.5", "2.7", "0.25"])


def _combine(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda t: f"{t[0]} + {t[1]}"),
        pair.map(lambda t: f"{t[0]} - ({t[1]})"),
        pair.map(lambda t: f"({t[0]})*({t[1]})"),
        pair.map(lambda t: f"({t[0]})/({t[1]})"),
        pair.map(lambda t: f"({t[0]})/(1 + ({t[1]})**2)"),
        st.tuples(CONSTANTS, inner).map(lambda t: f"{t[0]}*({t[1]})"),
        inner.map(lambda a: f"-({a})"),
        st.tuples(inner, EXPONENTS).map(lambda t: f"({t[0]})**{t[1]}"),
        st.tuples(inner, BROKEN).map(lambda t: f"(0.1 + ({t[0]})**2)**{t[1]}"),
        st.tuples(inner, inner).map(lambda t: f"(0.5 + abs({t[0]}))**sin({t[1]})"),
        st.tuples(st.sampled_from(["2", "0.5", "e"]), inner).map(lambda t: f"{t[0]}**tanh({t[1]})"),
        st.tuples(st.sampled_from(ANYWHERE), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(ANYWHERE), inner).map(lambda t: f"{t[0]}(tanh({t[1]}))"),
        st.tuples(st.sampled_from(POSITIVE), inner).map(lambda t: f"{t[0]}(0.2 + ({t[1]})**2)"),
        st.tuples(st.sampled_from(POSITIVE), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(INSIDE), inner).map(lambda t: f"{t[0]}(0.5 + 0.4*sin({t[1]}))"),
        st.tuples(st.sampled_from(PAIRS), pair).map(lambda t: f"{t[0]}({t[1][0]}, {t[1][1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"where({t[0]} > 0.3, {t[1]}, {t[2]})"),
        st.tuples(inner, inner, pair).map(lambda t: f"where(({t[0]} < 1) & ({t[1]} >= -1), {t[2][0]}, {t[2][1]})"),
        inner.map(lambda a: f"clip({a}, -0.7, 1.3)"),
        inner.map(lambda a: f"log(1 + exp({a}))"),
        inner.map(lambda a: f"1/(1 + exp(-({a})))"),
        pair.map(lambda t: f"log(exp({t[0]}) + exp({t[1]}))"),
        pair.map(lambda t: f"exp({t[0]})/(exp({t[0]}) + exp({t[1]}))"),
        inner.map(lambda a: f"(1 - cos({a}))"),
        pair.map(lambda t: f"sqrt(({t[0]})**2 + ({t[1]})**2)"),
    )


def scalars(leaves=12):
    """Formulas in parameters alone."""
    base = st.one_of(st.sampled_from(PARAMS), st.sampled_from(PARAMS), CONSTANTS)
    return st.recursive(base, _combine, max_leaves=leaves)


def rowwise(leaves=8):
    """Formulas with one value a row."""
    base = st.one_of(st.sampled_from(PARAMS + COLUMNS), st.sampled_from(COLUMNS), CONSTANTS)
    return st.recursive(base, _combine, max_leaves=leaves)


def _folded():
    fold = st.tuples(st.sampled_from(FOLDS), rowwise()).map(lambda t: f"{t[0]}(u*0 + {t[1]})")
    nested = st.tuples(st.sampled_from(FOLDS), fold, rowwise(4)).map(lambda t: f"{t[0]}(v*({t[1]}) + {t[2]})")
    base = st.one_of(fold, fold, nested, st.sampled_from(PARAMS))
    return st.recursive(base, _combine, max_leaves=3)


formulas = st.one_of(scalars(), _folded())
_coordinate = st.one_of(
    st.floats(-3, 3, allow_subnormal=False).map(lambda x: round(x, 3)),
    st.floats(-1.5, 1.5, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-3),
)
points = st.fixed_dictionaries(dict.fromkeys(PARAMS, _coordinate))
_columns = st.lists(st.floats(-2, 2).map(lambda x: round(x, 2)), min_size=ROWS, max_size=ROWS)
tables = st.fixed_dictionaries(dict.fromkeys(COLUMNS, _columns))
