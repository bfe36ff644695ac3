"""The words of LaTeX that symgd reads, and what they are in a formula."""

from __future__ import annotations

from symgd.language.tokens import GREEK as LETTERS

DEPTH = 60  # of brackets
# The commands are called as the letters are spelt; a sigma at a word's end is no letter of formulas on paper.
GREEK: dict[str, str] = {
    **{name: name for name in (*LETTERS.values(), "ell")},
    **{letter: name for letter, name in LETTERS.items() if letter != "ς"},
}
FUNCTIONS: dict[str, str] = {
    "log": "log", "ln": "log", "exp": "exp", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "arcsin": "arcsin", "arccos": "arccos", "arctan": "arctan", "max": "maximum", "min": "minimum",
    "det": "det", "tr": "trace", "trace": "trace", "sgn": "sign", "sign": "sign", "relu": "relu", "sigmoid": "sigmoid",
    "softplus": "softplus", "erf": "erf", "logit": "logit", "softmax": "softmax", "diag": "diag", "expit": "sigmoid",
}  # fmt: skip
# Functions whose power after their brackets, \log(x)^2, is read in two ways.
NAMED = frozenset(FUNCTIONS.values()) - {"det", "trace", "relu", "sigmoid", "softplus", "softmax", "maximum", "minimum"}
FONTS = frozenset(
    (
        "mathbf",
        "boldsymbol",
        "bm",
        "pmb",
        "mathrm",
        "text",
        "textrm",
        "textbf",
        "operatorname",
        "mathit",
        "mathsf",
        "mathcal",
        "mathtt",
    )
)
ACCENTS = frozenset(("hat", "bar", "tilde", "vec", "widehat", "widetilde", "overline"))
RELATIONS = {"<": "<", ">": ">", r"\leq": "<=", r"\geq": ">=", "=": "==", r"\neq": "!="}

STARTS = frozenset(
    rf"\{word}" for word in ("frac", "sqrt", "sum", "prod", "langle", "begin", "infty", "{")
)  # commands that begin a factor

# How a transpose is written in braces, at the end that of an inverse.
TRANSPOSES = [text.split() for text in (
    r"\top }", "T }", r"\mathsf T }", r"\mathrm T }", r"\text T }", r"\mathsf { T }", r"\mathrm { T }",
    r"- \top }", "- T }",
)]  # fmt: skip
