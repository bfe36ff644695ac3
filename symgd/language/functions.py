"""The table of the formula language: one row a function.

A row says what the function means in NumPy (the oracle for values), in SymPy (the source of its derivatives and of
proofs), in generated scalar code, on whole arrays and in many digits; how views write it; where it is defined; and
what its derivative is taken to be at a kink. A row whose ``partials`` are left out is differentiated by ``sympy.diff``.
A row that spells its partial derivatives out does so because SymPy's form loses digits, overflows, or leaves the kink
open; a test holds each of them against ``sympy.diff``.

In ``partials`` the arguments are called ``a``, ``b``, ``c`` and the function's own value ``y``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from symgd.records import dataclass

Form = Callable[..., Any]  # a meaning, called with the library that computes it and the arguments

AS_NUMPY = "as NumPy has it"
CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the formula language.

    Parameters
    ----------
    name : str
        The name that formulas are printed with.
    kind : str
        ``"map"`` for an elementwise function, ``"alias"`` for one that is written out in terms of others,
        ``"reduction"`` for one over axes, ``"array"`` for any other of whole arrays.
    least, most : int
        Bounds on the number of positional arguments; ``most`` is ``None`` for no bound.
    summary : str
        What it is, in a few words or a formula.
    aliases : tuple of str
        Other names that it goes by.
    numpy : str
        The NumPy (or ``scipy.special``) expression that says what the function means.
    sympy : callable or None
        Called with the SymPy module and the arguments; gives the expression that is differentiated.
    code : str
        Scalar code; ``{0}``, ``{1}`` stand for the arguments. Empty for a call of the function of this name in
        `symgd.language.scalar`.
    digits : callable or None
        Called with an mpmath context and numbers of many digits; ``None`` for what mpmath has under this name.
    formula : str
        How formulas spell it, if no text names it: see `symgd.views.spelling`; `AS_NUMPY` for as ``numpy`` does.
    pasted : str
        How it is written as NumPy text, where that differs from ``formula`` and from ``numpy``.
    library : dict of str to str
        What the libraries of other languages call it, by target; where one has no entry, its scalar code is translated.
    definition : str
        For an alias: the formula it stands for, in ``a``, ``b``, ``c``.
    partials : tuple of str
        Partial derivatives as formulas, where SymPy's own would not do.
    domain : str
        Where it is defined, on the reals.
    kink : str
        What the derivative is taken to be where there is none.
    smooth : bool
        Whether it can be differentiated any number of times inside its domain.
    keywords : tuple of str
        Names of the keyword arguments that it takes.
    positional : tuple of str
        Those of them that NumPy also takes by position, after the arguments, in this order.
    builtin : str
        What its bare name means in Python when it is called with several arguments: another function's name.
    boolean : bool
        Whether it gives truth values.
    """

    name: str
    kind: str
    least: int
    most: int | None
    summary: str
    aliases: tuple[str, ...] = ()
    numpy: str = ""
    sympy: Form | None = None
    code: str = ""
    digits: Form | None = None
    formula: str = ""
    pasted: str = ""
    library: Mapping[str, str] = field(default_factory=dict)
    definition: str = ""
    partials: tuple[str, ...] = ()
    domain: str = "all reals"
    kink: str = ""
    smooth: bool = True
    keywords: tuple[str, ...] = ()
    positional: tuple[str, ...] = ()
    builtin: str = ""
    boolean: bool = False


def _map(name: str, arity: int, summary: str, sympy: Form | None, **more: Any) -> Function:
    more.setdefault("numpy", f"np.{name}({', '.join('abc'[:arity])})")
    return Function(name, "map", arity, arity, summary, sympy=sympy, **more)


def _alias(name: str, arity: int, summary: str, definition: str, **more: Any) -> Function:
    more.setdefault("numpy", f"np.{name}({', '.join('abc'[:arity])})")
    return Function(name, "alias", arity, arity, summary, definition=definition, **more)


def _reduction(name: str, summary: str, **more: Any) -> Function:
    more.setdefault("numpy", f"np.{name}(a)")
    more.setdefault("positional", tuple(name for name in more.get("keywords", ()) if name == "axis"))
    return Function(name, "reduction", 1, 1, summary, **more)


def _array(name: str, arity: int, summary: str, **more: Any) -> Function:
    more.setdefault("numpy", f"np.{name}({', '.join('ab'[:arity])})")
    more.setdefault("positional", tuple(name for name in more.get("keywords", ()) if name == "axis"))
    return Function(name, "array", arity, arity, summary, **more)


def _calls(name: str, julia: str = "") -> dict[str, str]:
    return {"c": name, "javascript": f"Math.{name}", "julia": julia or name}


def _special(name: str, **more: str) -> dict[str, str]:
    return {"jax": f"jax.scipy.special.{name}", "pytorch": f"torch.special.{name}", **more}


def _powered(_: Any, a: Any, b: Any) -> Any:
    return a ** int(b) if b == int(b) else a**b


def _polygamma(m: Any, order: int, a: Any) -> Any:
    if order and a < -1000:  # mpmath walks up to 0 in steps of 1
        message = "polygamma far below 0 has no form of many digits"
        raise NotImplementedError(message)
    return m.polygamma(order, a)


# fmt: off
_ARITHMETIC = (
    # The operators. Their partial derivatives are written out so that polynomials never wait for SymPy's import.
    Function("add", "map", 2, 2, "a + b", numpy="a + b", sympy=lambda s, *a: s.Add(*a), partials=("1", "1")),
    Function("multiply", "map", 2, 2, "a*b", numpy="a*b", sympy=lambda s, a, b: a * b, partials=("b", "a"),
         digits=lambda m, a, b: a * b),
    Function(
        "divide", "map", 2, 2, "a/b", ("true_divide",), "a/b", lambda s, a, b: a / b,
        partials=("1/b", "-y/b"), domain="b != 0",
         digits=lambda m, a, b: a / b),
    # What the derivatives of lengths are made of: 0 where the length is 0.
    Function(
        "ratio", "map", 2, 2, "a/b, 0 where b is 0", (), "np.where(b == 0, 0, a/b)", lambda s, a, b: a / b,
        "(0.0 if {1} == 0.0 else {0} / {1})", partials=("ratio(1, b)", "-ratio(y, b)"), kink="0 at b = 0", smooth=False,
         digits=lambda m, a, b: a / b if b else a * 0,
         formula="{a_}/where({b} == 0, inf, {b})"),
    Function(
        "power", "map", 2, 2, "a**b", ("pow", "float_power"), "a**b", lambda s, a, b: a**b, "pow({0}, {1})",
        partials=("powslope(a, b)", "powlog(a, b)"),
        domain="a > 0, or b a whole number (a != 0 where b < 0)", kink="d/db at a = 0 is 0",
         digits=_powered),
)

_ELEMENTARY = (
    # The partial derivatives of a**b. At a = 0 the logarithm is infinite, but a**b is flat in b there (b > 0).
    _map("powslope", 2, "b*a**(b - 1), 0 at a = b = 0", lambda s, a, b: b * a ** (b - 1),
         numpy="np.where((a == 0) & (b == 0), 0, b*a**(b - 1))",
         code="(0.0 if {0} == 0.0 and {1} == 0.0 else {1}*pow({0}, {1} - 1.0))",
         # No further derivative of a**0 is there, and that of a**1 is 1 at a = 0.
         partials=("where(b == 0, 0, b*powslope(a, b - 1))",
                   "where(b > 1, a**(b - 1) + b*powlog(a, b - 1), a**(b - 1)*(1 + b*log(a)))"),
         domain="as for a power",
         digits=lambda m, a, b: b * _powered(m, a, b - 1) if a or b else a,
         formula="{b_}*{a__}**where({b} == 0, 1, {b} - 1)"),
    _map("powlog", 2, "a**b*log(a), 0 at a = 0", lambda s, a, b: a**b * s.log(a),
         numpy="np.where(a == 0, 0, a**b*np.log(a))", code="(0.0 if {0} == 0.0 else pow({0}, {1})*log({0}))",
         partials=("a**(b - 1) + b*powlog(a, b - 1)", "y*log(where(a == 0, 1, a))"), domain="a >= 0",
         digits=lambda m, a, b: _powered(m, a, b) * m.log(a) if a else a,
         formula="{a__}**{b__}*log(where({a} == 0, 1, {a}))"),
    _map("exp", 1, "e**a", lambda s, a: s.exp(a), library=_calls("exp"), partials=("y",)),
    _map("expm1", 1, "exp(a) - 1, exact for small a", lambda s, a: s.exp(a) - 1,
         library=_calls("expm1"), partials=("exp(a)",)),
    # What keeps exponentials in range: exp(a) is exp(s)*exp(a - s) for any s at all, so that the derivative of s is 0.
    _map("held", 1, "a, constant to derivatives", None, numpy="np.positive(a)", code="{0}", partials=("0",),
         kink="0 everywhere", smooth=False,
         digits=lambda m, a: a, formula="{a}"),
    _map("below", 2, "a - b, 0 where they are equal", lambda s, a, b: a - b, numpy="np.where(a == b, 0, a - b)",
         code="(0.0 if {0} == {1} else {0} - {1})", partials=("1", "-1"), smooth=False,
         digits=lambda m, a, b: a - b if a != b else a * 0,
         formula="{a} - {b_}"),
    _map("weighted", 2, "a*exp(b), 0 where a is 0", lambda s, a, b: a * s.exp(b),
         numpy="np.where(a == 0, 0, a*np.exp(b/2)*np.exp(b/2))",
         # In two halves where the exponential alone leaves float64, which the product need not.
         code="(0.0 if {0} == 0.0 else {0}*exp({1}) if -700.0 < {1} < 700.0 else {0}*exp(0.5*{1})*exp(0.5*{1}))",
         partials=("exp(b)", "y"),
         digits=lambda m, a, b: a * m.exp(b) if a else a,
         formula="where({a} == 0, 0, {a_}*exp({b}))"),
    _map("log", 1, "natural logarithm", lambda s, a: s.log(a), aliases=("ln",),
         library=_calls("log"), partials=("1/a",), domain="a > 0"),
    _map("log1p", 1, "log(1 + a), exact for small a", lambda s, a: s.log(1 + a),
         library=_calls("log1p"), partials=("1/(1 + a)",),
         domain="a > -1"),
    _map(
        "log2", 1, "logarithm to base 2", lambda s, a: s.log(a) / s.log(2), library=_calls("log2"), domain="a > 0",
         digits=lambda m, a: m.log(a) / m.log(2)),
    _map("log10", 1, "logarithm to base 10", lambda s, a: s.log(a) / s.log(10),
         library=_calls("log10"), domain="a > 0"),
    _map("sqrt", 1, "square root", lambda s, a: s.sqrt(a),
         library=_calls("sqrt"), partials=("1/(2*y)",), domain="a >= 0"),
    _map("sqrt0", 1, "square root, flat at 0: what norm and std take", lambda s, a: s.sqrt(a), numpy="np.sqrt(a)",
         code="sqrt({0})", partials=("ratio(1/2, y)",), domain="a >= 0", kink="0 at a = 0", smooth=False,
         digits=lambda m, a: m.sqrt(a), formula="sqrt({a})"),
    _map("cbrt", 1, "cube root, of negative numbers too", lambda s, a: s.real_root(a, 3),
         library=_calls("cbrt"), partials=("1/(3*y**2)",), domain="all reals"),
    _map("sin", 1, "sine", lambda s, a: s.sin(a), library=_calls("sin"), partials=("cos(a)",)),
    _map("cos", 1, "cosine", lambda s, a: s.cos(a), library=_calls("cos"), partials=("-sin(a)",)),
    _map("sinc", 1, "sin(pi*a)/(pi*a), 1 at 0", lambda s, a: s.sinc(s.pi * a),
         partials=("-pi**2*a*sincslope(pi*a)",),
         digits=lambda m, a: m.sincpi(a)),
    _map("sincslope", 1, "(sin(a) - a*cos(a))/a**3, 1/3 at 0", lambda s, a: (s.sin(a) - a * s.cos(a)) / a**3,
         numpy="np.where(np.abs(a) < 1e-5, 1/3, special.spherical_jn(1, a)/a)",
         partials=("(sinc(a/pi) - 3*y)*ratio(1, a)",),
         digits=lambda m, a: (m.sin(a) - a * m.cos(a)) / a**3 if a else m.mpf(1) / 3,
         # Near 0 its difference of two near equals is worth nothing.
         formula="where(abs({a}) < 0.2, 1/3 - {a__}**2/30 + {a__}**4/840 - {a__}**6/45360 + {a__}**8/3991680, "
                 "(sin({a}) - {a_}*cos({a}))/where({a} == 0, inf, {a})**3)"),
    _map("tan", 1, "tangent", lambda s, a: s.tan(a),
         library=_calls("tan"), partials=("1 + y**2",), domain="cos(a) != 0"),
    _map(
        "arcsin", 1, "inverse sine", lambda s, a: s.asin(a), aliases=("asin",), domain="-1 <= a <= 1",
        library=_calls("asin"), partials=("1/cosarcsin(a)",),
         digits=lambda m, a: m.asin(a)),
    _map(
        "arccos", 1, "inverse cosine", lambda s, a: s.acos(a), aliases=("acos",), domain="-1 <= a <= 1",
        library=_calls("acos"), partials=("-1/cosarcsin(a)",),
         digits=lambda m, a: m.acos(a)),
    # (1 - a)(1 + a) keeps the digits that 1 - a**2 loses near the ends.
    _map("cosarcsin", 1, "sqrt(1 - a**2)", lambda s, a: s.sqrt(1 - a**2), numpy="np.sqrt((1 - a)*(1 + a))",
         code="sqrt((1.0 - {0})*(1.0 + {0}))", partials=("-a/y",), domain="-1 <= a <= 1",
         digits=lambda m, a: m.sqrt((1 - a) * (1 + a)), formula="sqrt((1 - {a_})*(1 + {a_}))"),
    _map("arctan", 1, "inverse tangent", lambda s, a: s.atan(a), aliases=("atan",),
         library=_calls("atan"), partials=("1/(1 + a**2)",),
         digits=lambda m, a: m.atan(a)),
    _map(
        "arctan2", 2, "angle of the point (b, a)", lambda s, a, b: s.atan2(a, b), aliases=("atan2",),
        # Divided by the radius twice, so that its square cannot overflow.
        library=_calls("atan2", julia="atan"),
         partials=("b/hypot(a, b)/hypot(a, b)", "-a/hypot(a, b)/hypot(a, b)"), domain="(a, b) != (0, 0)",
         digits=lambda m, a, b: m.atan2(a, b)),
    _map("sinh", 1, "hyperbolic sine", lambda s, a: s.sinh(a), library=_calls("sinh"), partials=("cosh(a)",)),
    _map("cosh", 1, "hyperbolic cosine", lambda s, a: s.cosh(a), library=_calls("cosh"), partials=("sinh(a)",)),
    # SymPy's 1 - tanh(a)**2 is 0 to the last digit from a = 19 on.
    _map("tanh", 1, "hyperbolic tangent", lambda s, a: s.tanh(a), library=_calls("tanh"), partials=("sech(a)**2",)),
    _map("sech", 1, "1/cosh(a)", lambda s, a: 1 / s.cosh(a), numpy="1/np.cosh(a)", partials=("-y*tanh(a)",),
         formula="1/cosh({a})"),
    _map("arcsinh", 1, "inverse hyperbolic sine", lambda s, a: s.asinh(a), aliases=("asinh",),
         library=_calls("asinh"), partials=("1/hypot(1, a)",),
         digits=lambda m, a: m.asinh(a)),
    _map(
        "arccosh", 1, "inverse hyperbolic cosine", lambda s, a: s.acosh(a), aliases=("acosh",), domain="a >= 1",
        library=_calls("acosh"), partials=("1/(sqrt(a - 1)*sqrt(a + 1))",),
         digits=lambda m, a: m.acosh(a)),
    _map(
        "arctanh", 1, "inverse hyperbolic tangent", lambda s, a: s.atanh(a), aliases=("atanh",), domain="-1 < a < 1",
        library=_calls("atanh"), partials=("1/cosarcsin(a)**2",),
         digits=lambda m, a: m.atanh(a)),
    _map("hypot", 2, "sqrt(a**2 + b**2) without overflow", lambda s, a, b: s.sqrt(a**2 + b**2), kink="0 at a = b = 0",
         library=_calls("hypot"), partials=("ratio(a, y)", "ratio(b, y)"), smooth=False),
)

_SPECIAL = (
    _map("erf", 1, "error function", lambda s, a: s.erf(a), numpy="special.erf(a)", library=_special("erf", c="erf")),
    _map("erfc", 1, "1 - erf(a), exact for large a", lambda s, a: s.erfc(a), numpy="special.erfc(a)",
         library=_special("erfc", c="erfc")),
    _map("logerfc", 1, "log(erfc(a)), for large a too", lambda s, a: s.log(s.erfc(a)),
         numpy="np.where(a < 0.5, np.log1p(-special.erf(a)), special.log_ndtr(-np.sqrt(2)*a) + np.log(2))",
         partials=("-mills(a)",),
         digits=lambda m, a: m.log(m.erfc(a)), formula="log(erfc({a}))",
         pasted="where({a} < 0.5, log1p(-special.erf({a})), log(special.erfcx({a})) - {a__}**2)"),
    _map("mills", 1, "2*exp(-a**2)/(sqrt(pi)*erfc(a))", lambda s, a: 2 * s.exp(-(a**2)) / (s.sqrt(s.pi) * s.erfc(a)),
         numpy="2/(np.sqrt(np.pi)*special.erfcx(a))", partials=("y*millsrest(a)",),
         digits=lambda m, a: 2 * m.exp(-(a**2)) / (m.sqrt(m.pi) * m.erfc(a)), formula="2/(sqrt(pi)*erfcx({a}))",
         pasted="2/(sqrt(pi)*special.erfcx({a}))"),
    _map("millsrest", 1, "mills(a) - 2*a, exact for large a",
         lambda s, a: 2 * s.exp(-(a**2)) / (s.sqrt(s.pi) * s.erfc(a)) - 2 * a,
         numpy="2/(np.sqrt(np.pi)*special.erfcx(a)) - 2*a", partials=("mills(a)*y - 2",),
         digits=lambda m, a: 2 * m.exp(-(a**2)) / (m.sqrt(m.pi) * m.erfc(a)) - 2 * a,
         formula="2/(sqrt(pi)*erfcx({a})) - 2*{a_}", pasted="2/(sqrt(pi)*special.erfcx({a})) - 2*{a_}"),
    _map("gamma", 1, "gamma function", lambda s, a: s.gamma(a), aliases=("tgamma",), numpy="special.gamma(a)",
         library={"c": "tgamma", "jax": "jax.scipy.special.gamma"},
         partials=("y*digamma(a)",), domain="a not in {0, -1, -2, ...}"),
    _map("lgamma", 1, "log(abs(gamma(a)))", lambda s, a: s.log(s.Abs(s.gamma(a))), aliases=("gammaln", "loggamma"),
         numpy="special.gammaln(a)",
         library=_special("gammaln", c="lgamma"), partials=("digamma(a)",), domain="a not in {0, -1, -2, ...}",
         digits=lambda m, a: m.log(abs(m.gamma(a)))),
    _map("lngamma", 1, "log(gamma(a)), nan where gamma is negative", lambda s, a: s.log(s.gamma(a)),
         numpy="np.where(a > 100, special.gammaln(a), np.log(special.gamma(a)))", partials=("digamma(a)",),
         domain="gamma(a) > 0",
         digits=lambda m, a: m.log(m.gamma(a)), formula="log(gamma({a}))",
         pasted="where({a} > 100, special.gammaln({a}), log(special.gamma({a})))"),
    _map("digamma", 1, "derivative of lgamma", lambda s, a: s.digamma(a), aliases=("psi",), numpy="special.digamma(a)",
         library={"jax": "jax.scipy.special.digamma"}, partials=("polygamma(1, a)",),
         domain="a not in {0, -1, -2, ...}",
         digits=lambda m, a: m.digamma(a)),
    _map("polygamma", 2, "a-th derivative of digamma(b), a = 0, 1, 2, ...", lambda s, a, b: s.polygamma(a, b),
         numpy="special.polygamma(np.asarray(a).astype(int), b)", partials=("0", "polygamma(a + 1, b)"),
         domain="a whole, b not in {0, -1, -2, ...}",
         digits=lambda m, a, b: _polygamma(m, int(a), b), pasted="special.polygamma({a}, {b})"),
)

_LEARNING = (
    _map("sigmoid", 1, "1/(1 + exp(-a))", lambda s, a: 1 / (1 + s.exp(-a)), aliases=("expit", "logistic"),
         numpy="special.expit(a)", partials=("y*sigmoid(-a)",),
         digits=lambda m, a: 1 / (1 + m.exp(-a)), pasted="1/(1 + exp({_a}))"),
    _map("logit", 1, "log(a/(1 - a))", lambda s, a: s.log(a / (1 - a)), numpy="special.logit(a)",
         partials=("1/(a*(1 - a))",), domain="0 < a < 1",
         digits=lambda m, a: m.log(a / (1 - a))),
    _map("softplus", 1, "log(1 + exp(a)), without overflow", lambda s, a: s.log(1 + s.exp(a)),
         numpy="np.logaddexp(0, a)", partials=("sigmoid(a)",),
         digits=lambda m, a: max(a, 0) + m.log1p(m.exp(-abs(a)))),
    _map("logcosh", 1, "log(cosh(a)), without overflow", lambda s, a: s.log(s.cosh(a)),
         numpy="np.where(np.abs(a) < 1, np.log1p(2*np.sinh(a/2)**2), np.logaddexp(a, -a) - np.log(2))",
         partials=("tanh(a)",),
         digits=lambda m, a: abs(a) + m.log1p(m.exp(-2 * abs(a))) - m.log(2), formula="log(cosh({a}))",
         pasted="where(abs({a}) < 1, log1p(2*sinh({a_}/2)**2), logaddexp({a}, {_a}) - log(2))"),
    _map("log1mexp", 1, "log(1 - exp(a)), exact for small and large -a", lambda s, a: s.log(1 - s.exp(a)),
         numpy="np.where(a > -0.693, np.log(-np.expm1(a)), np.log1p(-np.exp(a)))", partials=("-1/expm1(-a)",),
         domain="a < 0",
         digits=lambda m, a: m.log(-m.expm1(a)), formula="log(1 - exp({a}))",
         pasted="where({a} > -0.693, log(-expm1({a})), log1p(-exp({a})))"),
    _map("logaddexp", 2, "log(exp(a) + exp(b)), without overflow", lambda s, a, b: s.log(s.exp(a) + s.exp(b)),
         partials=("sigmoid(a - b)", "sigmoid(b - a)"),
         digits=lambda m, a, b: max(a, b) + m.log1p(m.exp(-abs(a - b)))),
    _map("relu", 1, "the positive part of a", lambda s, a: s.Max(a, 0), numpy="np.maximum(a, 0)",
         code="(0.0 if {0} <= 0.0 else {0})", partials=("where(a > 0, 1, 0)",), kink="0 at a = 0", smooth=False,
         digits=lambda m, a: max(a, 0)),
)

_ENTROPY = (
    _map("xlogy", 2, "a*log(b), 0 where a is 0", lambda s, a, b: a * s.log(b), numpy="special.xlogy(a, b)",
         code="(0.0 if {0} == 0.0 else {0}*log({1}))", partials=("log(b)", "xdivy(a, b)"), domain="b > 0",
         digits=lambda m, a, b: a * m.log(b) if a else a),
    _map("xlog1py", 2, "a*log(1 + b), 0 where a is 0", lambda s, a, b: a * s.log(1 + b),
         numpy="special.xlog1py(a, b)", code="(0.0 if {0} == 0.0 else {0}*log1p({1}))",
         partials=("log1p(b)", "xdivy(a, 1 + b)"), domain="b > -1",
         digits=lambda m, a, b: a * m.log1p(b) if a else a),
    # Its logarithms are apart, so that no derivative at a = 0 is inf*0.
    _map("rel_entr", 2, "a*log(a/b), 0 where a is 0", lambda s, a, b: a * s.log(a / b),
         numpy="special.rel_entr(a, b)", partials=("1 + log(a) - log(b)", "-xdivy(a, b)"), domain="a >= 0, b > 0",
         digits=lambda m, a, b: a * m.log(a / b) if a else a),
    _map("xdivy", 2, "a/b, 0 where a is 0", lambda s, a, b: a / b, numpy="np.where(a == 0, 0, a/b)",
         code="(0.0 if {0} == 0.0 else {0} / {1})", partials=("1/b", "-xdivy(y, b)"), domain="b != 0",
         digits=lambda m, a, b: a / b if a else a,
         formula="where({a} == 0, 0, {a_}/where({a} == 0, 1, {b}))"),
)

# Quotients that are 0/0 at 0 and have a limit there, and their derivatives: see quotients.py.
_QUOTIENTS = (
    _map("exprel", 1, "(exp(a) - 1)/a, 1 at 0", lambda s, a: (s.exp(a) - 1) / a, numpy="special.exprel(a)",
         partials=("exprelslope(a)",),
         digits=lambda m, a: m.expm1(a) / a if a else a + 1,
         formula="where({a} == 0, 1, expm1({a})/where({a} == 0, 1, {a}))"),
    _map("exprelslope", 1, "derivative of exprel", lambda s, a: ((a - 1) * s.exp(a) + 1) / a**2,
         numpy="np.where(a > 709, np.inf, np.where(np.abs(a) < 1e-2, 1/2 + a/3 + a**2/8 + a**3/30, "
               "((1 - 1/a)*np.exp(a) + 1/a)/a))", partials=("exprelbend(a)",),
         formula=AS_NUMPY),
    _map("exprelbend", 1, "second derivative of exprel", lambda s, a: ((a**2 - 2 * a + 2) * s.exp(a) - 2) / a**3,
         numpy="np.where(a > 709, np.inf, np.where(np.abs(a) < 1e-2, 1/3 + a/4 + a**2/10 + a**3/36, "
               "((1 - 2/a + 2/a**2)*np.exp(a) - 2/a**2)/a))", partials=("(exp(a) - 3*y)/a",),
         formula=AS_NUMPY),
    _map("expm1inv", 1, "a/(exp(a) - 1), 1 at 0", lambda s, a: a / (s.exp(a) - 1), numpy="1/special.exprel(a)",
         partials=("expm1invslope(a)",),
         digits=lambda m, a: a / m.expm1(a) if a else a + 1,
         formula="where({a} == 0, 1, {a_}/where({a} == 0, 1, expm1({a})))"),
    _map("expm1invslope", 1, "derivative of expm1inv, -1/2 at 0", lambda s, a: s.diff(a / (s.exp(a) - 1), a),
         numpy="np.where(np.abs(a) < 1e-3, -1/2 + a/6, np.where(a > 709, 0, "
               "1/np.expm1(a) - a*np.exp(a)/np.expm1(a)**2))",
         partials=("expm1invbend(a)",),
         formula=AS_NUMPY),
    _map("expm1invbend", 1, "second derivative of expm1inv, 1/6 at 0", lambda s, a: s.diff(a / (s.exp(a) - 1), a, 2),
         numpy="np.where(np.abs(a) < 1e-2, 1/6 - a**2/60, np.where(np.abs(a) > 350, 0, "
               "(a/2/np.tanh(a/2) - 1)/(2*np.sinh(a/2)**2)))",
         partials=("(1/tanh(a/2) - a/(2*sinh(a/2)**2))/(4*sinh(a/2)**2) - y/tanh(a/2)",),
         formula=AS_NUMPY),
    _map("log1prel", 1, "log(1 + a)/a, 1 at 0", lambda s, a: s.log(1 + a) / a,
         numpy="np.where(a == 0, 1, np.log1p(a)/a)", partials=("log1prelslope(a)",), domain="a > -1",
         digits=lambda m, a: m.log1p(a) / a if a else a + 1, formula=AS_NUMPY),
    _map("log1prelslope", 1, "derivative of log1prel, -1/2 at 0",
         lambda s, a: (1 / (1 + a) - s.log(1 + a) / a) / a, partials=("log1prelbend(a)",), domain="a > -1",
         numpy="np.where(a == -1, -np.inf, np.where(np.abs(a) < 1e-3, -1/2 + 2*a/3 - 3*a**2/4, "
               "(1/(1 + a) - np.log1p(a)/a)/a))",
         formula=AS_NUMPY),
    _map("log1prelbend", 1, "second derivative of log1prel, 2/3 at 0",
         lambda s, a: s.diff(s.log(1 + a) / a, a, 2), partials=("(2/(1 + a)**3 - 3*y)/a",), domain="a > -1",
         numpy="np.where(a == -1, np.inf, np.where(np.abs(a) < 1e-2, 2/3 - 3*a/2 + 12*a**2/5, "
               "(2*np.log1p(a)/a - 2/(1 + a) - a/(1 + a)**2)/a**2))",
         formula=AS_NUMPY),
    _map("sinrel", 1, "sin(a)/a, 1 at 0", lambda s, a: s.sin(a) / a, numpy="np.where(a == 0, 1, np.sin(a)/a)",
         partials=("-a*sincslope(a)",),
         digits=lambda m, a: m.sin(a) / a if a else a + 1, formula=AS_NUMPY),
    _map("sinhrel", 1, "sinh(a)/a, 1 at 0", lambda s, a: s.sinh(a) / a,
         numpy="np.where(np.isinf(a), np.inf, np.where(a == 0, 1, np.sinh(a)/a))", partials=("a*sinhslope(a)",),
         digits=lambda m, a: m.sinh(a) / a if a else a + 1,
         formula="where(abs({a}) > 710, inf, where({a} == 0, 1, sinh({a})/where({a} == 0, 1, {a})))"),
    _map("sinhslope", 1, "(a*cosh(a) - sinh(a))/a**3, 1/3 at 0", lambda s, a: (a * s.cosh(a) - s.sinh(a)) / a**3,
         numpy="np.where(np.abs(a) < 1e-3, 1/3 + a**2/30, np.where(np.abs(a) > 710, np.inf, "
               "(np.cosh(a) - np.sinh(a)/a)/a**2))", partials=("ratio(sinhrel(a) - 3*y, a)",),
         formula=AS_NUMPY),
    _map("tanhrel", 1, "tanh(a)/a, 1 at 0", lambda s, a: s.tanh(a) / a, numpy="np.where(a == 0, 1, np.tanh(a)/a)",
         partials=("-a*tanhslope(a)",),
         digits=lambda m, a: m.tanh(a) / a if a else a + 1, formula=AS_NUMPY),
    _map("tanhslope", 1, "(tanh(a)/a - sech(a)**2)/a**2, 2/3 at 0",
         lambda s, a: (s.tanh(a) / a - 1 / s.cosh(a) ** 2) / a**2,
         numpy="np.where(np.abs(a) < 1e-3, 2/3 - 8*a**2/15, (np.tanh(a)/a - 1/np.cosh(a)**2)/a/a)",
         partials=("ratio(2*sech(a)**2*tanhrel(a) - 3*y, a)",),
         formula=AS_NUMPY),
    _map("sinrest", 1, "(a - sin(a))/a**3, 1/6 at 0", lambda s, a: (a - s.sin(a)) / a**3,
         numpy="np.where(np.abs(a) < 1e-3, 1/6 - a**2/120, (1 - np.sin(a)/a)/a/a)",
         partials=("a*sinrestslope(a)",),
         formula=AS_NUMPY),
    _map("sinrestslope", 1, "((1 - cos(a))/a**2 - 3*sinrest(a))/a**2, -1/60 at 0",
         lambda s, a: ((1 - s.cos(a)) / a**2 - 3 * (a - s.sin(a)) / a**3) / a**2,
         numpy="np.where(np.abs(a) < 1e-1, -1/60 + a**2/1260 - a**4/60480, "
               "((1 - np.cos(a))/a/a - 3*(1 - np.sin(a)/a)/a/a)/a/a)",
         partials=("ratio(-sinrel(a/2)*sincslope(a/2)/4 - 5*y, a)",),
         formula=AS_NUMPY),
    _map("boxcox", 2, "(a**b - 1)/b, log(a) at b = 0", lambda s, a, b: (a**b - 1) / b,
         numpy="np.where(b == 0, np.log(a), "
               "np.where(np.abs(b*np.log(a)) < 1, special.boxcox(a, b), (a**b - 1)/b))",
         partials=("a**(b - 1)", "boxcoxslope(a, b)"), domain="a > 0, or b a whole number",
         digits=lambda m, a, b: m.expm1(b * m.log(a)) / b if b else m.log(a),
         formula="where({b} == 0, log({a}), expm1({b_}*log({a}))/where({b} == 0, 1, {b}))"),
    _map("boxcoxslope", 2, "derivative of boxcox by b", lambda s, a, b: s.diff((a**b - 1) / b, b),
         numpy="np.where((a == 0) & (b > 0), 1/b**2, np.where(np.abs(b*np.log(a)) < 1e-2, "
               "np.log(a)**2*(1/2 + b*np.log(a)/3 + (b*np.log(a))**2/8 + (b*np.log(a))**3/30 "
               "+ (b*np.log(a))**4/144), (a**b*np.log(a) - (a**b - 1)/b)/b))",
         partials=("a**(b - 1)*log(a)", "boxcoxbend(a, b)"), domain="a > 0",
         formula=AS_NUMPY),
    _map("boxcoxbend", 2, "second derivative of boxcox by b", lambda s, a, b: s.diff((a**b - 1) / b, b, 2),
         numpy="np.where(a == 0, np.where(b > 0, -2/b**3, np.nan), np.where(np.abs(b*np.log(a)) < 1e-4, "
               "np.log(a)**3*(1/3 + b*np.log(a)/4), (a**b*((b*np.log(a) - 1)**2 + 1) - 2)/b**3))",
         partials=("a**(b - 1)*log(a)**2", "(a**b*log(a)**3 - 3*y)/b"), domain="a > 0",
         formula="where({a__} == 0, -2/{b__}**3, where(abs({b__}*log({a__})) < 1e-4, "
                 "log({a__})**3*(1/3 + {b__}*log({a__})/4), "
                 "({a__}**{b__}*(({b__}*log({a__}) - 1)**2 + 1) - 2)/{b__}**3))"),
)

_PIECES = (
    _map("abs", 1, "absolute value", lambda s, a: s.Abs(a), aliases=("absolute", "fabs"),
         library={"c": "fabs", "javascript": "Math.abs", "julia": "abs"}, partials=("sign(a)",),
         kink="0 at a = 0", smooth=False,
         digits=lambda m, a: m.fabs(a)),
    _map("sign", 1, "-1, 0 or 1", lambda s, a: s.sign(a), partials=("0",), kink="0 everywhere", smooth=False),
    _map("floor", 1, "largest whole number below", lambda s, a: s.floor(a),
         library=_calls("floor"), partials=("0",), kink="0 everywhere",
         smooth=False),
    _map("ceil", 1, "smallest whole number above", lambda s, a: s.ceiling(a),
         library=_calls("ceil"), partials=("0",), kink="0 everywhere",
         smooth=False),
    _map("trunc", 1, "whole part", None, aliases=("fix",),
         library=_calls("trunc"), partials=("0",), kink="0 everywhere",
         smooth=False,
         digits=lambda m, a: m.floor(a) if a >= 0 else m.ceil(a)),
    _map("rint", 1, "nearest whole number, ties to even; round(a, 2) to two decimals", None,
         aliases=("round", "around"),
         library={"c": "rint", "julia": "round"},
         partials=("0",), kink="0 everywhere", smooth=False, keywords=("decimals",),
         positional=("decimals",),
         digits=lambda m, a: m.nint(a)),
    _map("mod", 2, "remainder with the sign of b", lambda s, a, b: s.Mod(a, b), aliases=("remainder",),
         partials=("1", "-floor_divide(a, b)"), domain="b != 0", kink="that of a - b*floor(a/b)", smooth=False,
         digits=lambda m, a, b: a - b * m.floor(a / b)),
    _map("floor_divide", 2, "floor(a/b)", lambda s, a, b: s.floor(a / b), partials=("0", "0"), domain="b != 0",
         kink="0 everywhere", smooth=False,
         digits=lambda m, a, b: m.floor(a / b)),
    _map("copysign", 2, "abs(a) with the sign of b", lambda s, a, b: s.Piecewise((-s.Abs(a), b < 0), (s.Abs(a), True)),
         library={"c": "copysign", "julia": "copysign"},
         partials=("sign(a)*copysign(1, b)", "0"), kink="0 at a = 0, and in b", smooth=False,
         digits=lambda m, a, b: -abs(a) if b < 0 else abs(a)),
    _map("maximum", 2, "the larger", lambda s, a, b: s.Max(a, b),
         code="({0} if ({0} >= {1} or {0} != {0}) else {1})",
         partials=("where(a > b, 1, where(a == b, 1/2, 0))", "where(b > a, 1, where(a == b, 1/2, 0))"),
         kink="a tie splits evenly", smooth=False,
         digits=lambda m, a, b: max(a, b)),
    _map("minimum", 2, "the smaller", lambda s, a, b: s.Min(a, b),
         code="({0} if ({0} <= {1} or {0} != {0}) else {1})",
         partials=("where(a < b, 1, where(a == b, 1/2, 0))", "where(b < a, 1, where(a == b, 1/2, 0))"),
         kink="a tie splits evenly", smooth=False,
         digits=lambda m, a, b: min(a, b)),
    _map("where", 3, "b where a holds, else c", lambda s, a, b, c: s.Piecewise((b, a), (c, True)),
         code="({1} if {0} else {2})", partials=("0", "where(a, 1, 0)", "where(a, 0, 1)"),
         kink="the derivative of the branch that is taken", smooth=False,
         digits=lambda m, c, a, b: a if c else b),
    _map("greater", 2, "a > b", lambda s, a, b: a > b, code="({0} > {1})", partials=("0", "0"), boolean=True,
         smooth=False,
         digits=lambda m, a, b: a > b),
    _map("greater_equal", 2, "a >= b", lambda s, a, b: a >= b, code="({0} >= {1})", partials=("0", "0"), boolean=True,
         smooth=False,
         digits=lambda m, a, b: a >= b),
    _map("less", 2, "a < b", lambda s, a, b: a < b, code="({0} < {1})", partials=("0", "0"), boolean=True,
         smooth=False,
         digits=lambda m, a, b: a < b),
    _map("less_equal", 2, "a <= b", lambda s, a, b: a <= b, code="({0} <= {1})", partials=("0", "0"), boolean=True,
         smooth=False,
         digits=lambda m, a, b: a <= b),
    _map("equal", 2, "a == b", lambda s, a, b: s.Eq(a, b), code="({0} == {1})", partials=("0", "0"), boolean=True,
         smooth=False,
         digits=lambda m, a, b: a == b),
    _map("not_equal", 2, "a != b", lambda s, a, b: s.Ne(a, b), code="({0} != {1})", partials=("0", "0"), boolean=True,
         smooth=False,
         digits=lambda m, a, b: a != b),
    _map("logical_and", 2, "a and b", lambda s, a, b: s.And(a, b), code="({0} and {1})", partials=("0", "0"),
         boolean=True, smooth=False,
         digits=lambda m, a, b: bool(a) and bool(b)),
    _map("logical_or", 2, "a or b", lambda s, a, b: s.Or(a, b), code="({0} or {1})", partials=("0", "0"), boolean=True,
         smooth=False,
         digits=lambda m, a, b: bool(a) or bool(b)),
    _map("logical_not", 1, "not a", lambda s, a: s.Not(a), code="(not {0})", partials=("0",), boolean=True,
         smooth=False,
         digits=lambda m, a: not a),
)

_ALIASES = (
    _alias("negative", 1, "-a", "-a"),
    _alias("positive", 1, "a", "a"),
    _alias("subtract", 2, "a - b", "a - b"),
    _alias("square", 1, "a**2", "a**2"),
    _alias("reciprocal", 1, "1/a", "1/a", domain="a != 0"),
    _alias("exp2", 1, "2**a", "2**a"),
    _alias("clip", 3, "a held between b and c", "minimum(maximum(a, b), c)", kink="a tie splits evenly", smooth=False,
           keywords=("a_min", "a_max", "min", "max")),
    _alias("degrees", 1, "radians to degrees", "a*180/pi", aliases=("rad2deg",)),
    _alias("radians", 1, "degrees to radians", "a*pi/180", aliases=("deg2rad",)),
    _alias("heaviside", 2, "0, b at zero, 1", "where(a == 0, b, (1 + sign(a))/2)", kink="0 in a", smooth=False),
    _alias("logsigmoid", 1, "log(sigmoid(a))", "-softplus(-a)", aliases=("log_expit",), numpy="special.log_expit(a)"),
    _alias("silu", 1, "a*sigmoid(a)", "a*sigmoid(a)", aliases=("swish",), numpy="a*special.expit(a)"),
    _alias("erfcx", 1, "exp(a**2)*erfc(a), for large a too", "2/(sqrt(pi)*mills(a))", numpy="special.erfcx(a)"),
    _alias("gelu", 1, "a times the normal distribution function", "a*erfc(-a/sqrt(2))/2", numpy="a*special.ndtr(a)"),
    _alias("elu", 1, "a, or exp(a) - 1 below 0", "where(a > 0, a, expm1(minimum(a, 0)))",
           numpy="np.where(a > 0, a, np.expm1(np.minimum(a, 0)))", kink="1 at a = 0", smooth=False),
    _alias("leaky_relu", 1, "a, or a/100 below 0", "where(a > 0, a, a/100)", numpy="np.where(a > 0, a, a/100)",
           kink="1/100 at a = 0", smooth=False),
    _alias("factorial", 1, "gamma(a + 1)", "gamma(a + 1)", numpy="special.gamma(a + 1)",
           domain="a not in {-1, -2, ...}"),
    _alias("logaddexp2", 2, "log2(2**a + 2**b)", "logaddexp(a*log(2), b*log(2))/log(2)"),
    _alias("entr", 1, "-a*log(a), 0 at 0", "-xlogy(a, a)", numpy="np.where(a < 0, np.nan, special.entr(a))",
           domain="a >= 0"),
    _alias("kl_div", 2, "a*log(a/b) - a + b", "rel_entr(a, b) - a + b",
           numpy="special.rel_entr(a, b) - a + b", domain="a >= 0, b > 0"),
)

_REDUCTIONS = (
    _reduction("sum", "sum over axes", keywords=("axis", "keepdims")),
    _reduction("mean", "mean over axes", aliases=("average",), keywords=("axis", "keepdims")),
    _reduction("min", "smallest along axes; min(a, b) is minimum(a, b)", aliases=("amin",), kink="ties split evenly",
               smooth=False, keywords=("axis", "keepdims"), builtin="minimum"),
    _reduction("max", "largest along axes; max(a, b) is maximum(a, b)", aliases=("amax",), kink="ties split evenly",
               smooth=False, keywords=("axis", "keepdims"), builtin="maximum"),
    _reduction("var", "mean squared distance from the mean", keywords=("axis", "ddof", "keepdims")),
    _reduction("std", "square root of var", keywords=("axis", "ddof", "keepdims")),
    _reduction("logsumexp", "log(sum(exp(a))), without overflow", numpy="special.logsumexp(a)",
               keywords=("axis", "keepdims"),
         pasted="special.logsumexp"),
    _reduction("norm", "sqrt(sum(a**2)); ord=1, inf, -inf or another number for other norms of vectors",
               numpy="np.linalg.norm(a)", keywords=("ord", "axis", "keepdims"), positional=("ord", "axis"),
         pasted="linalg.norm"),
    _reduction("len", "length of the first axis", numpy="len(a)"),
    _reduction("size", "number of elements", numpy="np.size(a)", keywords=("axis",)),
    Function("dot", "reduction", 2, 2, "sum(a*b), or the product of matrices", numpy="np.dot(a, b)"),
    Function("inner", "reduction", 2, 2, "sum(a*b) along the last axes", numpy="np.inner(a, b)"),
    Function("vdot", "reduction", 2, 2, "sum(a*b) over all entries", numpy="np.vdot(a, b)"),
)

_ARRAYS = (
    _array("softmax", 1, "exp(a)/sum(exp(a)), without overflow; along the last axis", keywords=("axis",),
           numpy="special.softmax(a, axis=-1)",
         pasted="special.softmax"),
    _array("logsoftmax", 1, "log(softmax(a)), without overflow; along the last axis", aliases=("log_softmax",),
           keywords=("axis",), numpy="special.log_softmax(a, axis=-1)",
         pasted="special.log_softmax"),
    _array("outer", 2, "a[:, None]*b[None, :]"),
    _array("matmul", 2, "a @ b"),
    Function("einsum", "array", 2, None, "sums of products by subscripts: einsum('ij,j->i', A, x)",
             numpy="np.einsum(...)"),
    _array("trace", 1, "sum of the diagonal"),
    _array("diagonal", 1, "diagonal of a matrix"),
    _array("diag", 1, "diagonal of a matrix, or the matrix with a vector on its diagonal"),
    Function("tril", "array", 1, 2, "the matrix with zeros above its diagonal, or above the b-th one beside it",
             numpy="np.tril(a)"),
    Function("triu", "array", 1, 2, "the matrix with zeros below its diagonal, or below the b-th one beside it",
             numpy="np.triu(a)"),
    _array("transpose", 1, "a.T: the axes in reverse order"),
    Function("flip", "array", 1, 1, "the elements of an axis, or of all, in reverse order", numpy="np.flip(a)",
             keywords=("axis",), positional=("axis",)),
    Function("prod", "array", 1, 1, "product over axes", numpy="np.prod(a)", keywords=("axis", "keepdims"),
             positional=("axis",)),
    _array("cumsum", 1, "sums of the elements up to each", keywords=("axis",), positional=("axis",)),
    _array("cumprod", 1, "products of the elements up to each", keywords=("axis",), positional=("axis",)),
    _array("diff", 1, "a[1:] - a[:-1], along the last axis; n times", keywords=("n", "axis"), positional=("n", "axis")),
    _array("concatenate", 1, "arrays one after the other: concatenate([a, b])", keywords=("axis",)),
    _array("array", 1, "an array of its entries: array([a, b])", aliases=("asarray",), numpy="np.array(a)"),
    _array("stack", 1, "arrays side by side, along a new axis: stack([a, b])", keywords=("axis",)),
    Function("arange", "array", 1, 3, "0, 1, ..., a - 1; or from a to b by c", numpy="np.arange(a)"),
    _array("zeros", 1, "an array of zeros: zeros(3), zeros((2, 3))"),
    _array("ones", 1, "an array of ones"),
    _array("full", 2, "an array of a shape with one value: full((2, 3), c)"),
    _array("zeros_like", 1, "zeros in the shape of a"),
    _array("ones_like", 1, "ones in the shape of a"),
    _array("full_like", 2, "b in the shape of a"),
    _array("eye", 1, "the matrix with ones on its diagonal", aliases=("identity",)),
    _array("inv", 1, "inverse of a square matrix", numpy="np.linalg.inv(a)", domain="det(a) != 0"),
    _array("solve", 2, "inv(a) @ b", numpy="np.linalg.solve(a, b)", domain="det(a) != 0"),
    _array("det", 1, "determinant of a square matrix", numpy="np.linalg.det(a)"),
    _array("slogdet", 1, "sign and logarithm of the size of a determinant: slogdet(A)[1]",
           numpy="np.linalg.slogdet(a)", domain="det(a) != 0"),
    _array("logabsdet", 1, "slogdet(a)[1], the logarithm of the size of a determinant",
           numpy="np.linalg.slogdet(a)[1]", domain="det(a) != 0",
         formula="slogdet({a})[1]", pasted="linalg.slogdet({a})[1]"),
    _array("logdet", 1, "log(det(a)), also where det(a) over- or underflows", numpy="np.log(np.linalg.det(a))",
           domain="det(a) > 0",
         formula="log(det({a}))", pasted="linalg.slogdet({a})[1] + log(linalg.slogdet({a})[0])"),
)

# fmt: on
FUNCTIONS: dict[str, Function] = {
    row.name: row
    for group in (
        _ARITHMETIC,
        _ELEMENTARY,
        _SPECIAL,
        _LEARNING,
        _ENTROPY,
        _QUOTIENTS,
        _PIECES,
        _ALIASES,
        _REDUCTIONS,
        _ARRAYS,
    )
    for row in group
}
_NAMES: dict[str, Function] = FUNCTIONS | {alias: row for row in FUNCTIONS.values() for alias in row.aliases}


def find(name: str) -> Function | None:
    """Look a function up by its name or an alias; ``None`` when there is none.

    Parameters
    ----------
    name : str
        What was typed.

    Returns
    -------
    Function or None

    Examples
    --------
    >>> find("atan").name
    'arctan'
    """
    return _NAMES.get(name)


def names() -> list[str]:
    """Give every name that can be called, aliases included.

    Returns
    -------
    list of str

    Examples
    --------
    >>> "sigmoid" in names()
    True
    """
    return list(_NAMES)
