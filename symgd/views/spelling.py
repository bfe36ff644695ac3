"""How functions are spelt that NumPy, or the language of formulas, has no name for.

Derivatives are made of functions of their own, such as ``sech``, whose values keep their digits where the textbook's
form loses them. No text names them: `FORMULA` has what they are in the language of formulas. `NUMPY` has what that
language adds to NumPy, written with NumPy's own functions as far as they go, and with those of ``scipy.special``
(as ``special.erf``) where NumPy has none. Whatever is in neither is NumPy's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from symgd.language.functions import FUNCTIONS
from symgd.views.pieces import ADD, ATOM, MATMUL, MULTIPLY, POWER, Piece

# {a} stands for an argument between parentheses or commas, {a_} for one beside * or /, {a__} for one that is raised
# to a power, and {_a} for the argument with its sign changed.
Spelling = tuple[str, int]

_SERIES = "1/3 - {a__}**2/30 + {a__}**4/840 - {a__}**6/45360 + {a__}**8/3991680"


def _as_numpy_has_it(name: str) -> Spelling:
    """Take the spelling from the table, where it is NumPy's; the branch that is not taken may be 0/0."""
    plain = re.sub(r"\bnp\.", "", FUNCTIONS[name].numpy)
    return re.sub(r"\b([ab])\b", r"{\1__}", plain), ATOM if plain.startswith("where(") else MULTIPLY


# Quotients that are 0/0 at 0, and their derivatives.
_QUOTIENTS = ("exprelslope", "exprelbend", "expm1invslope", "expm1invbend", "log1prel", "log1prelslope", "log1prelbend",
              "sinrel", "sinhrel", "sinhslope", "tanhrel", "tanhslope", "sinrest", "sinrestslope", "boxcoxslope",
              "boxcoxbend")  # fmt: skip

FORMULA: dict[str, Spelling] = {
    **{name: _as_numpy_has_it(name) for name in _QUOTIENTS},
    "exprel": ("where({a} == 0, 1, expm1({a})/where({a} == 0, 1, {a}))", ATOM),
    "expm1inv": ("where({a} == 0, 1, {a_}/where({a} == 0, 1, expm1({a})))", ATOM),
    "boxcox": ("where({b} == 0, log({a}), expm1({b_}*log({a}))/where({b} == 0, 1, {b}))", ATOM),
    "below": ("{a} - {b_}", ADD),
    "held": ("{a}", ATOM),
    "weighted": ("where({a} == 0, 0, {a_}*exp({b}))", ATOM),
    "sech": ("1/cosh({a})", MULTIPLY),
    "cosarcsin": ("sqrt((1 - {a_})*(1 + {a_}))", ATOM),
    # The slope of sinc; near 0 its difference of two near equals is worth nothing.
    "sincslope": (
        f"where(abs({{a}}) < 0.2, {_SERIES}, (sin({{a}}) - {{a_}}*cos({{a}}))/where({{a}} == 0, inf, {{a}})**3)",
        ATOM,
    ),
    # A zero exponent, or a base of zero, must not meet infinity.
    "powslope": ("{b_}*{a__}**where({b} == 0, 1, {b} - 1)", MULTIPLY),
    "powlog": ("{a__}**{b__}*log(where({a} == 0, 1, {a}))", MULTIPLY),
    "ratio": ("{a_}/where({b} == 0, inf, {b})", MULTIPLY),
    "sqrt0": ("sqrt({a})", ATOM),
    "logerfc": ("log(erfc({a}))", ATOM),
    "mills": ("2/(sqrt(pi)*erfcx({a}))", MULTIPLY),
    "millsrest": ("2/(sqrt(pi)*erfcx({a})) - 2*{a_}", ADD),
    "lngamma": ("log(gamma({a}))", ATOM),
    "logcosh": ("log(cosh({a}))", ATOM),
    "log1mexp": ("log(1 - exp({a}))", ATOM),
    "logdet": ("log(det({a}))", ATOM),
    "logabsdet": ("slogdet({a})[1]", ATOM),
    "detsign": ("slogdet({a})[0]", ATOM),
}

NUMPY: dict[str, Spelling] = FORMULA | {
    "xdivy": ("where({a} == 0, 0, {a_}/where({a} == 0, 1, {b}))", ATOM),
    "sigmoid": ("1/(1 + exp({_a}))", MULTIPLY),
    "softplus": ("logaddexp(0, {a})", ATOM),
    "relu": ("maximum({a}, 0)", ATOM),
    "logit": ("special.logit({a})", ATOM),
    "erf": ("special.erf({a})", ATOM),
    "erfc": ("special.erfc({a})", ATOM),
    "erfcx": ("special.erfcx({a})", ATOM),
    "mills": ("2/(sqrt(pi)*special.erfcx({a}))", MULTIPLY),
    "millsrest": ("2/(sqrt(pi)*special.erfcx({a})) - 2*{a_}", ADD),
    "logerfc": ("where({a} < 0.5, log1p(-special.erf({a})), log(special.erfcx({a})) - {a__}**2)", ATOM),
    "gamma": ("special.gamma({a})", ATOM),
    "lgamma": ("special.gammaln({a})", ATOM),
    "lngamma": ("where({a} > 100, special.gammaln({a}), log(special.gamma({a})))", ATOM),
    "digamma": ("special.digamma({a})", ATOM),
    "polygamma": ("special.polygamma({a}, {b})", ATOM),
    # log(cosh(a)) is the logarithm of 1 + 2*sinh(a/2)**2, and this keeps the digits of a small a.
    "logcosh": (
        "where(abs({a}) < 1, log1p(2*sinh({a_}/2)**2), logaddexp({a}, {_a}) - log(2))",
        ATOM,
    ),
    "log1mexp": ("where({a} > -0.693, log(-expm1({a})), log1p(-exp({a})))", ATOM),
    "logsumexp": ("special.logsumexp", ATOM),
    "softmax": ("special.softmax", ATOM),
    "logsoftmax": ("special.log_softmax", ATOM),
    "norm": ("linalg.norm", ATOM),
    "inv": ("linalg.inv({a})", ATOM),
    "solve": ("linalg.solve({a}, {b})", ATOM),
    "det": ("linalg.det({a})", ATOM),
    # The logarithm of the sign is 0, or nan where that is negative.
    "logdet": ("linalg.slogdet({a})[1] + log(linalg.slogdet({a})[0])", ADD),
    "logabsdet": ("linalg.slogdet({a})[1]", ATOM),
    "detsign": ("linalg.slogdet({a})[0]", ATOM),
}


def spelt(spelling: Spelling, args: Sequence[Piece]) -> Piece:
    """Put the arguments of a function into its spelling.

    Parameters
    ----------
    spelling : tuple of str and int
        The text, and how tightly its outermost operator binds.
    args : sequence of Piece
        The arguments.

    Returns
    -------
    Piece
    """
    text, level = spelling
    words: dict[str, str] = {}
    for name, piece in zip("ab", args, strict=False):
        words |= {name: piece.text, f"{name}_": piece.inside(POWER), f"{name}__": piece.inside(ATOM)}
        words[f"_{name}"] = negated(piece)
    return Piece(text.format_map(words), level, sum(piece.cost for piece in args))


def negated(piece: Piece) -> str:
    """Write a piece with its sign changed, to stand between parentheses or commas."""
    if piece.text.startswith("-") and piece.level > ADD:
        return unwrapped(piece.text[1:])
    return f"-{piece.inside(MATMUL)}"


def unwrapped(text: str) -> str:
    """Take off the parentheses that are around the whole of a text."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if character == ")" and place == len(text) - 1 and text.startswith("(") else text
    return text
