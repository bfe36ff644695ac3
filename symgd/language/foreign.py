"""What people type who know NumPy, SciPy, PyTorch, JAX, MATLAB or a textbook: names that the language does not have.

A name of these libraries is never answered with a function that only looks alike: ``inv`` is not ``sin``. Where there
is a way to write the same, it is given; otherwise the name is said to be theirs.
"""

from __future__ import annotations

from symgd.language import functions, others

_NO_RESHAPE = "arrays keep their axes here: give the array in the shape that the formula needs"
_NO_ORDER = "a formula neither sorts nor counts: compute it before, and give the result as data"
_NO_DRAW = "an objective draws nothing at random: draw the numbers before, and give them as data"
_NO_FILE = "a formula reads no files: give the values as data="
_NO_TRUTH = "write sum(where(condition, 1, 0)) and compare it with a number"
_NO_EIGEN = "eigenvalues and factors of matrices are not in the language"
_NO_FINITE = "a run that meets a value that is not finite ends there and says so; leave it out"
_FLOATS = "numbers are floats already; leave it out"

# What to write instead. {0} stands for what was in the parentheses, if that is one short argument, or for x.
REPLACEMENTS = {
    # Trigonometry and logarithms, as other places spell them.
    "sec": "write 1/cos({0})", "csc": "write 1/sin({0})", "cosec": "write 1/sin({0})", "cot": "write 1/tan({0})",
    "ctg": "write 1/tan({0})", "cotan": "write 1/tan({0})", "tg": "write tan({0})", "coth": "write 1/tanh({0})",
    "csch": "write 1/sinh({0})", "arccot": "write pi/2 - arctan({0})", "acot": "write pi/2 - arctan({0})",
    "arcsec": "write arccos(1/({0}))", "asec": "write arccos(1/({0}))", "arccsc": "write arcsin(1/({0}))",
    "acsc": "write arcsin(1/({0}))", "arctg": "write arctan({0})", "sh": "write sinh({0})", "ch": "write cosh({0})",
    "th": "write tanh({0})", "lg": "write log10({0}) or log2({0})", "logb": "write log({0})/log(b)",
    "exp10": "write 10**({0})", "sind": "write sin(radians({0}))", "cosd": "write cos(radians({0}))",
    "sindg": "write sin(radians({0}))", "cosdg": "write cos(radians({0}))", "tandg": "write tan(radians({0}))",
    # Signs, parts and comparisons.
    "sgn": "write sign({0})", "fmax": "write maximum(a, b)", "fmin": "write minimum(a, b)", "fmod": "write a % b",
    "rem": "write a % b", "sqr": "did you mean 'sqrt'? A square is ({0})**2", "int": "write trunc({0})",
    "float": _FLOATS, "float64": _FLOATS, "float32": _FLOATS, "double": _FLOATS,
    "ceiling": "write ceil({0})", "clamp": "write clip({0}, low, high)",
    "nan_to_num": "write where({0} == {0}, {0}, 0)",
    "isnan": "write ({0}) != ({0})", "isfinite": _NO_FINITE, "isinf": _NO_FINITE,
    "logical_xor": "write (a) != (b)", "xor": "write (a) != (b)", "bitwise_and": "write (a) & (b)",
    "bitwise_or": "write (a) | (b)", "bitwise_not": "write not a", "invert": "write not a",
    "all": _NO_TRUTH, "any": _NO_TRUTH, "count_nonzero": "write sum(where(({0}) != 0, 1, 0))",
    "iif": "write where(condition, x, y)", "ifelse": "write where(condition, x, y)",
    "if_else": "write where(condition, x, y)", "piecewise": "write where(condition, x, y)",
    "Piecewise": "write where(condition, x, y)", "select": "write where(condition, x, y)",
    "choose": "write where(condition, x, y)", "real": "numbers are real already; leave it out",
    "conj": "numbers are real already; leave it out", "conjugate": "numbers are real already; leave it out",
    "imag": "numbers are real", "angle": "write arctan2(y, x)",
    # Sums and statistics.
    "sigma": "write sigmoid({0})", "Sigma": "write sum({0})", "summation": "write sum({0})",
    "nansum": "write sum(where({0} == {0}, {0}, 0))", "product": "write exp(sum(log({0})))",
    "Product": "write exp(sum(log({0})))", "avg": "write mean({0})", "sumsq": "write sum(({0})**2)",
    "ptp": "write max({0}) - min({0})", "rms": "write sqrt(mean(({0})**2))", "mse": "write mean((y - p)**2)",
    **dict.fromkeys(("MSELoss", "mean_squared_error"), "write mean((y - p)**2)"),
    **dict.fromkeys(("L1Loss", "mean_absolute_error"), "write mean(abs(y - p))"),
    "mse_loss": "write mean((y - p)**2)", "sse": "write sum((y - p)**2)", "rmse": "write sqrt(mean((y - p)**2))",
    "mae": "write mean(abs(y - p))", "l1_loss": "write mean(abs(y - p))",
    "cov": "write (X - mean(X, axis=0)).T @ (X - mean(X, axis=0))/(len(X) - 1)",
    "corrcoef": "write mean((x - mean(x))*(y - mean(y)))/(std(x)*std(y))",
    "median": _NO_ORDER, "nanmedian": _NO_ORDER, "percentile": _NO_ORDER, "quantile": _NO_ORDER, "sort": _NO_ORDER,
    "argsort": _NO_ORDER, "unique": _NO_ORDER, "histogram": _NO_ORDER, "bincount": _NO_ORDER,
    "searchsorted": _NO_ORDER, "digitize": _NO_ORDER,
    "argmax": "the place of the largest has no derivative; write max({0}) for its value",
    "argmin": "the place of the smallest has no derivative; write min({0}) for its value",
    "convolve": "write it with slices, as x[1:]*k[0] + x[:-1]*k[1]",
    "gradient": "write differences, as (x[2:] - x[:-2])/2", "ediff1d": "write diff({0})",
    "interp": "write it piece by piece with where(condition, x, y)",
    "trapz": "write sum((y[1:] + y[:-1])*diff(x))/2", "trapezoid": "write sum((y[1:] + y[:-1])*diff(x))/2",
    "polyval": "write the polynomial out, as c[0]*x**2 + c[1]*x + c[2]", "cosm1": "write -2*sin(({0})/2)**2",
    "powm1": "write expm1(b*log(a))",
    # Matrices and their axes.
    "tr": "write trace({0})", "Tr": "write trace({0})", "mm": "write A @ B",
    "mv": "write A @ x", "bmm": "write A @ B", "multi_dot": "write A @ B @ C", "mul": "write a*b",
    "div": "write a/b", "sub": "write a - b", "neg": "write -({0})", "vecdot": "write sum(a*b, axis=-1)",
    "tensordot": "write A @ B, or sum(A*B, axis=...)",
    "kron": "write a[:, None]*b[None, :]", "cross": "write it out: a[1]*b[2] - a[2]*b[1], ...",
    "Matrix": "give it as data=, or as a parameter with a shape", "matrix": "give it as data=, or as a parameter",
    "empty": "write zeros(shape)",
    "linspace": "write a + (b - a)*arange(n)/(n - 1)", "logspace": "write 10**(a + (b - a)*arange(n)/(n - 1))",
    "hstack": "write concatenate([a, b])", "vstack": "write stack([a, b])", "concat": "write concatenate([a, b])",
    "cat": "write concatenate([a, b])", "append": "write concatenate([a, b])",
    "column_stack": "write stack([a, b], axis=1)",
    "expand_dims": "write x[:, None]", "unsqueeze": "write x[:, None]", "squeeze": "write x[:, 0]",
    "reshape": _NO_RESHAPE, "view": _NO_RESHAPE, "ravel": _NO_RESHAPE, "flatten": _NO_RESHAPE, "resize": _NO_RESHAPE,
    "broadcast_to": "shapes are matched by themselves; leave it out", "tile": _NO_RESHAPE, "repeat": _NO_RESHAPE,
    "swapaxes": "write x.T for a matrix", "moveaxis": "write x.T for a matrix", "permute": "write x.T for a matrix",
    "roll": "write concatenate([x[1:], x[:1]])", "take": "write x[i]", "gather": "write x[i]",
    "shape": "write {0}.shape[0]",
    "ndim": "write {0}.ndim",
    "pinv": "write inv(A.T @ A) @ A.T",
    "matrix_power": "write A @ A", "eig": _NO_EIGEN, "eigh": _NO_EIGEN, "eigvals": _NO_EIGEN, "eigvalsh": _NO_EIGEN,
    "svd": _NO_EIGEN, "svdvals": _NO_EIGEN, "qr": _NO_EIGEN,
    "cholesky": "take the factor itself for the parameter: tril(L) @ tril(L).T",
    "lstsq": "minimize sum((X @ w - y)**2)",
    # Learning and probability.
    "ReLU": "write relu({0})", "relu6": "write clip({0}, 0, 6)", "hardtanh": "write clip({0}, -1, 1)",
    "hardsigmoid": "write clip(({0})/6 + 1/2, 0, 1)", "softsign": "write ({0})/(1 + abs({0}))",
    "mish": "write x*tanh(softplus(x))", "binary_cross_entropy": "write -mean(y*log(p) + (1 - y)*log(1 - p))",
    "bce": "write -mean(y*log(p) + (1 - y)*log(1 - p))",
    "binary_cross_entropy_with_logits": "write mean(softplus(z) - y*z)",
    "cross_entropy": "write mean(logsumexp(Z, axis=1) - sum(Z*Y, axis=1))",
    "nll_loss": "write -mean(sum(logsoftmax(Z)*Y, axis=1))", "hinge": "write maximum(0, 1 - y*z)",
    "huber": "write where(abs(r) <= d, r**2/2, d*(abs(r) - d/2))",
    "huber_loss": "write where(abs(r) <= d, r**2/2, d*(abs(r) - d/2))",
    "pseudo_huber": "write d**2*(sqrt(1 + (r/d)**2) - 1)", "entr": "write -xlogy({0}, {0})",
    "rel_entr": "write xlogy(x, x/y)", "kl_div": "write xlogy(x, x/y) - x + y", "boxcox": "write expm1(l*log(x))/l",
    "rsqrt": "write 1/sqrt({0})", "ndtr": "write erfc(-({0})/sqrt(2))/2", "erfcx": "write exp(x**2)*erfc(x)",
    "log_ndtr": "write log(erfc(-({0})/sqrt(2))/2)", "rgamma": "write 1/gamma({0})",
    "multigammaln": "write sums of lgamma", "beta": "write exp(lgamma(a) + lgamma(b) - lgamma(a + b))",
    "betaln": "write lgamma(a) + lgamma(b) - lgamma(a + b)",
    "comb": "write exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1))",
    "binom": "write exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1))", "poch": "write gamma(x + n)/gamma(x)",
    "rand": _NO_DRAW, "randn": _NO_DRAW, "randint": _NO_DRAW, "random": _NO_DRAW, "uniform": _NO_DRAW,
    "normal": _NO_DRAW, "choice": _NO_DRAW, "dropout": _NO_DRAW,
    "load": _NO_FILE, "loadtxt": _NO_FILE, "genfromtxt": _NO_FILE, "fromfile": _NO_FILE, "open": _NO_FILE,
    "read_csv": _NO_FILE, "eval": "write the expression itself", "exec": "write the expression itself",
    "range": "write arange({0})", "print": "write the expression itself", "integrate": "write a sum over a grid",
    "diffs": "write diff({0})", "derivative": "write the objective only; symgd derives it",
    "grad": "write the objective only; symgd derives it", "jacobian": "write the objective only; symgd derives it",
    "detach": "every name that is a parameter is differentiated; give the value as data instead",
    "stop_gradient": "every name that is a parameter is differentiated; give the value as data instead",
}  # fmt: skip

# Methods and attributes of arrays and tensors.
ATTRIBUTES = {
    "t": "did you mean 'T'?", "mT": "write .T", "H": "write .T", "A": "leave it out", "values": "leave it out",
    "data": "leave it out", "flat": _NO_RESHAPE, "real": "leave it out", "item": "leave it out", "copy": "leave it out",
    "astype": _FLOATS, "tolist": "leave it out", "to_numpy": "leave it out", "numpy": "leave it out",
    "clone": "leave it out", "float": "leave it out", "cpu": "leave it out", "add": "write a + b",
    "pow": "write {0}**n", "square": "write {0}**2", "abs": "write abs({0})",
    "fillna": "a column's missing values are for the data: fill them before",
    "apply": "write the function of the column",
}  # fmt: skip

# Names of other libraries for an argument, and what they are called here, or why they are not.
KEYWORDS = {
    "dim": "write axis=", "axes": "did you mean 'axis'?", "dims": "write axis=", "keepdim": "write keepdims=",
    "out": "leave it out: a formula stores nothing", "dtype": "leave it out: every number is a float64",
    "order": "leave it out", "where": "write where(condition, x, 0) inside of it",
    "initial": "write maximum(...), or a sum, with the first value", "correction": "write ddof=",
    "unbiased": "write ddof=1", "weights": "write sum(w*x)/sum(w)", "base": "write log(x)/log(b) for the base b",
    "p": "write ord=", "n": "write the number as the second argument", "casting": "leave it out",
}  # fmt: skip


# Names of functions and factors that people make up, and that are one slip away from a function.
_NOUNS = frozenset({"cost", "loss", "dist", "sums", "rate", "size_", "lens", "maxi", "mini", "means", "weights"})


def replacement(name: str, argument: str) -> str | None:
    """Give what to write for a name of another library or of a textbook, or say that it is theirs.

    Parameters
    ----------
    name : str
        What was typed before the parenthesis.
    argument : str
        What stands in the parentheses, if that is one short argument, or ``"x"``.

    Returns
    -------
    str or None
        ``None`` for a name that none of them has.

    Examples
    --------
    >>> replacement("cot", "2*x")
    'write 1/tan(2*x)'
    >>> replacement("hanning", "x")
    "'hanning' is NumPy's, and not in the language"
    """
    known = REPLACEMENTS.get(name)
    if known is not None:
        return known.replace("{0}", argument)
    owner = _owner(name)
    return f"'{name}' is {owner}, and not in the language" if owner else None


def _owner(name: str) -> str | None:
    """Say whose name it is."""
    owners = {"NumPy's": others.NUMPY, "SciPy's": others.SCIPY, "PyTorch's": others.TORCH}
    return next((owner for owner, names in owners.items() if name in names), None)


def typo(name: str) -> str | None:
    """Find the function that was meant by a name with a slip of the keys in it.

    Parameters
    ----------
    name : str
        What was typed.

    Returns
    -------
    str or None
        A function of the language that differs in case only, or by one slip (a letter too many, too few, wrong, or two
        exchanged), two in names of eight letters or more; ``None`` where there is none, and for names of one or two
        letters, which are near to everything.

    Examples
    --------
    >>> typo("sigmod"), typo("SUM"), typo("maen"), typo("si")
    ('sigmoid', 'sum', 'mean', None)
    """
    wanted = name.lower()
    if name in _NOUNS:
        return None
    if not 2 < len(name) <= 32:
        return next((known for known in functions.names() if known == wanted and len(name) > 1), None)
    slips = 1 + (len(name) >= 8)
    near = [
        (distance(wanted, known.lower()), known) for known in functions.names() if abs(len(known) - len(name)) <= slips
    ]
    # In a short name a letter too many or too few is a slip, and another letter is another name.
    near = [
        (d, known) for d, known in near if d <= slips and (d == 0 or len(name) > 4 or _is_short_slip(wanted, known))
    ]
    return min(near, key=lambda found: found[0])[1] if near else None


def _is_short_slip(name: str, known: str) -> bool:
    return name[0] == known[0] and (len(name) != len(known) or sorted(name) == sorted(known))


def distance(a: str, b: str) -> int:
    """Count the slips between two words: letters too many, too few, wrong, or two neighbours exchanged.

    Parameters
    ----------
    a : str
        A word.
    b : str
        Another.

    Returns
    -------
    int

    References
    ----------
    Damerau 1964, A technique for computer detection and correction of spelling errors (each place is edited once).

    Examples
    --------
    >>> distance("maen", "mean"), distance("sqr", "sqrt"), distance("inv", "sin")
    (1, 1, 2)
    """
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(row[-1] + 1, before[j] + 1, before[j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], above[j - 2] + 1)
    return row[-1]
