"""Text to tokens: one regular expression, one pass, and the values of names and number literals."""

from __future__ import annotations

import keyword
import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

from symgd.errors import FormulaError, safe
from symgd.language.quoted import quoted

MAX_CHARACTERS = 200_000
MAX_TOKENS = 60_000
NESTING = 100
MAX_NAME = 64
MAX_NUMBER = 400
EXACT = 2**53  # beyond it a float64 no longer holds every whole number

_GREEK_LETTERS = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
)  # fmt: skip
# Capitals that look like Latin ones, and omicron, are left out: nobody can tell which of the two was typed.
_LOWER = "αβγδεζηθικλμνξ πρστυφχψω"
_UPPER = "  ΓΔ   Θ  Λ  Ξ Π Σ  Φ ΨΩ"
GREEK: dict[str, str] = {
    **{letter: name for letter, name in zip(_LOWER, _GREEK_LETTERS, strict=True) if letter != " "},
    **{letter: name.capitalize() for letter, name in zip(_UPPER, _GREEK_LETTERS, strict=True) if letter != " "},
    "µ": "mu",  # the micro sign of Latin-1 keyboards
    "Ω": "Omega",  # the ohm sign
    **dict(zip("ςϵϑϕϰϱ", ("sigma", "epsilon", "theta", "phi", "kappa", "rho"), strict=True)),
}
GREEK_NAMES = frozenset(name for letter in _GREEK_LETTERS for name in (letter, letter.capitalize()))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_SPELLING = str.maketrans(GREEK | _SUBSCRIPTS)

# What to write for a sign that no formula has.
_INSTEAD = {
    **dict.fromkeys("−–—‐‑‒﹣－", "write -"),
    **dict.fromkeys("×∗⋅·∙•✕✖＊", "write *"),
    **dict.fromkeys("÷∕⁄／", "write /"),
    **dict.fromkeys("“”„‟‘’‚«»", "leave the quotes out: names stand for values, not for text"),
    "√": "write sqrt(x)",
    "∛": "write cbrt(x)",
    "ⁿ": "write **n",
    "ᵀ": "write .T",
    "⊤": "write .T",
    "′": "write .T for a transpose; derivatives are symgd's own work",
    "≤": "write <=",
    "⩽": "write <=",
    "≥": "write >=",
    "⩾": "write >=",
    "≠": "write !=",
    "≈": "write ==",
    "∞": "write inf",
    "∑": "write sum(x)",
    "∏": "write prod(x)",
    "∂": "write the objective only; symgd derives it",
    "∇": "write the objective only; symgd derives it",
    "∆": "type Δ (Greek capital delta) or spell it Delta",
    "∫": "integrals are not read; write a sum over a grid",
    "…": "write ... inside an index; write a sum out, or as sum(x) over an array",
    "∧": "write &",
    "∨": "write |",
    "¬": "write not x",
    "∥": "write norm(x)",
    "‖": "write norm(x)",
    "°": "write *pi/180",
    "½": "write 1/2",
    "¼": "write 1/4",
    "¾": "write 3/4",
    "←": "leave out the left side",
    "→": "write only the expression on the right",
    "\\": "LaTeX is no formula; symgd.language.latex.read_latex translates it; by hand, \\frac{a}{b} is a/b"
    ", \\sqrt{x} is sqrt(x), \\alpha is alpha",
    "$": "LaTeX is not read; leave the dollar signs out",
    "{": "braces are not read; write parentheses ( )",
    "}": "braces are not read; write parentheses ( )",
    '"': "leave the quotes out: names stand for values, not for text",
    "'": "leave the quotes out: names stand for values, not for text",
    "`": "backquotes stand around the name of a column, as in `frequency (Hz)`",
    "?": "write where(condition, x, y) for 'condition ? x : y'",
    "#": "a comment runs to the end of its line",
}

# Letters that look like Latin ones.
_LATIN = {
    **dict(zip("асԁеһіјорԛѕѵхуԝАВЕНІЈКМОРЅТХУѴԌԜ", "acdehijopqsvxywABEHIJKMOPSTXYVGW", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοօոսɑɡı", "ABEZHIKMNOPTYXoonuagi", strict=True)),
}
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))

# Signs of other languages are tokens as well, so that a message can name them whole.
_FOREIGN = ("===", "!==", "**=", "//=", "&&", "||", "<>", "=>", "=<", "->", ":=", "~=", "<<", ">>", "+=", "-=", "*=",
            "/=", "%=", "^=", "@=", "&=", "|=")  # fmt: skip
_SIGNS = ("...", "**", "//", "==", "!=", "<=", ">=", *"+-*/%@^<>=()[],:.;&|~!")
_OPERATORS = sorted((*_FOREIGN, *_SIGNS), key=len, reverse=True)

_LETTER = "A-Za-z_" + "".join(GREEK)
_DIGITS = "[0-9]+(?:_[0-9]+)*"
_MASTER = re.compile(
    rf"""
      (?P<space>(?:[ \t\r\f\v\u00a0\u2000-\u200a\u202f\u205f\u3000]|\\\r?\n|\#[^\r\n]*)+)
    | (?P<newline>\n)
    | (?P<number>(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)
    | (?P<name>[{_LETTER}][{_LETTER}0-9{"".join(_SUBSCRIPTS)}]*)
    | `(?P<quoted>[^`\x00-\x1f]{{1,200}})`
    | (?P<operator>{"|".join(map(re.escape, _OPERATORS))})
    | (?:(?<=einsum\()|(?<=einsum\([ ]))(?P<string>'[A-Za-z,.> -]*'|"[A-Za-z,.> -]*")
    | (?P<bad>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_WORD_OPERATORS = frozenset({"and", "or", "not"})
_LITERAL = re.compile(r"([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?")


class Token(NamedTuple):
    """A piece of the text; `kind` is the sign itself, or ``number name keyword bad end``."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(text: str, *, statements: bool = False) -> list[Token]:
    """Cut a text into tokens.

    The list ends early at the first character that no formula has, a token ``bad``, and at a bracket that cannot be
    right: the parser complains about them when it gets there, after whatever else is wrong before.

    Parameters
    ----------
    text : str
        The text, of any content.
    statements : bool
        Whether a line break outside brackets ends a statement, as in an update rule, or is a space.

    Returns
    -------
    list of Token
        At least the token ``end``.

    Raises
    ------
    FormulaError
        If the text has more characters or tokens than a formula may have.

    Examples
    --------
    >>> [token.text for token in tokenize("2*x_1 + sin(y)")]
    ['2', '*', 'x_1', '+', 'sin', '(', 'y', ')', '']
    """
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(
            f"the text has {len(text):,} characters; a formula has at most {MAX_CHARACTERS:,}",
            text, MAX_CHARACTERS, MAX_CHARACTERS + 1,
            "give numbers as data, and write sums over whole arrays: sum(x**2)",
        )  # fmt: skip
    tokens: list[Token] = []
    depth = 0
    hopeless = False
    for match in _MASTER.finditer(text):
        kind = match.lastgroup or ""
        if kind == "space" or (kind == "newline" and (not statements or depth > 0)):
            continue
        start, end = match.span()
        piece = match.group()
        if kind == "operator":
            kind = piece
            depth += (piece in "([") - (piece in ")]")
            hopeless = not 0 <= depth <= NESTING
        elif kind == "name" and keyword.iskeyword(piece):
            kind = piece if piece in _WORD_OPERATORS else "keyword"
        elif kind == "quoted":
            kind, piece = "name", _in_backquotes(match["quoted"])
        elif kind == "newline":
            kind = ";"
        tokens.append(Token(kind, piece, start, end))
        if len(tokens) > MAX_TOKENS:
            raise FormulaError(
                f"the formula has more than {MAX_TOKENS:,} names, numbers and signs", text, start, end,
                "write sums over whole arrays: sum(x**2)",
            )  # fmt: skip
        if kind == "bad" or hopeless:
            break
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _in_backquotes(name: str) -> str:
    """Give the name that stands for one in backquotes: itself, where a formula can have it without."""
    found = _MASTER.fullmatch(name)
    return name if found and found.lastgroup == "name" and not keyword.iskeyword(name) else quoted(name)


def spell(text: str, token: Token) -> str:
    """Give the name that a token stands for, Greek letters and subscripts spelt out.

    Parameters
    ----------
    text : str
        The whole text.
    token : Token
        The token.

    Returns
    -------
    str

    Raises
    ------
    FormulaError
        If the name is too long, or one of Python's own ``__names__``.

    Examples
    --------
    >>> spell("λ*x₁", Token("name", "λ", 0, 1)), spell("λ*x₁", Token("name", "x₁", 2, 4))
    ('lambda_', 'x1')
    """
    name = token.text
    if not name.isascii():
        name = name.translate(_SPELLING) if len(name) <= MAX_NAME else name
        name += "_" * keyword.iskeyword(name)
    if len(name) > MAX_NAME:
        raise FormulaError(
            f"the name {safe(name, 20)!r} has more than {MAX_NAME} characters", text, token.start, token.end,
            "choose a shorter name",
        )  # fmt: skip
    if name.startswith("__"):
        raise FormulaError(
            f"the name {name!r} begins with two underscores", text, token.start, token.end, "choose another name"
        )
    return name


def number(text: str, token: Token) -> Fraction | float:
    """Give the value of a number literal, exact where that stays small.

    Parameters
    ----------
    text : str
        The whole text.
    token : Token
        The token.

    Returns
    -------
    Fraction or float

    Raises
    ------
    FormulaError
        If the literal is too long, too large for a float64, or written with leading zeros.

    Examples
    --------
    >>> number("0.1", Token("number", "0.1", 0, 3)), number("1e300", Token("number", "1e300", 0, 5))
    (Fraction(1, 10), 1e+300)
    """
    if len(token.text) > MAX_NUMBER:
        raise FormulaError(
            f"a number of {len(token.text):,} characters; at most {MAX_NUMBER} are read", text, token.start, token.end,
            "a float64 holds 17 digits",
        )  # fmt: skip
    literal = token.text.replace("_", "")
    if literal.isdecimal() and len(literal) < 16 and (literal[0] != "0" or literal == "0"):
        return Fraction(int(literal))
    rounded = float(literal)
    if rounded == float("inf"):
        raise FormulaError(
            f"the number {safe(token.text, 20)} is too large", text, token.start, token.end,
            "a float64 goes up to 1.8e308",
        )  # fmt: skip
    if literal[0] == "0" and literal.isdecimal() and literal.strip("0"):
        raise FormulaError(
            f"the number {safe(token.text, 20)} has leading zeros", text, token.start, token.end,
            f"write {safe(literal.lstrip('0'), 20)}",
        )  # fmt: skip
    exact = _exact(literal)
    return rounded if exact is None else exact


def _exact(literal: str) -> Fraction | None:
    """Give the value as a small fraction, if it is one, without ever forming a large power of ten."""
    whole, decimals, power = _LITERAL.fullmatch(literal).groups(default="")  # type: ignore[union-attr]
    digits = (whole + decimals).lstrip("0")
    exponent = int(power or 0) - len(decimals) + len(digits)
    digits = digits.rstrip("0")
    exponent -= len(digits)
    if not digits:
        return Fraction(0)
    # In lowest terms 10**n leaves at least 2**n below the line, and a numerator has at most 16 digits.
    if not -53 <= exponent <= 16 or len(digits) > 54:
        return None
    value = Fraction(int(digits)) * Fraction(10) ** exponent
    return value if value.numerator < EXACT and value.denominator < EXACT else None


def character(text: str, at: int) -> FormulaError:
    """Say what a character is that no formula has, and what to type instead."""
    sign = text[at]
    shown = safe(sign)
    quoted = f'"{shown}"' if sign == "'" else f"'{shown}'"
    if "!" <= sign <= "~":
        problem = f"{quoted} is no part of a formula"
    else:
        problem = f"{quoted} is U+{ord(sign):04X} {unicodedata.name(sign, _kind(sign))}"
    return FormulaError(problem, text, at, at + 1, _character_hint(text, at))


def _character_hint(text: str, at: int) -> str:
    sign = text[at]
    plain = unicodedata.normalize("NFKC", sign)
    if sign in _SUPERSCRIPTS:
        run = re.match("[" + "".join(_SUPERSCRIPTS) + "]{1,20}", text[at : at + 20])
        return f"write **{''.join(_SUPERSCRIPTS[digit] for digit in run.group())}" if run else ""
    if sign in _INSTEAD:
        return _INSTEAD[sign]
    if sign in _LATIN:
        spelt = f", or spell out {unicodedata.name(sign).split()[-1].capitalize()}" if "Ͱ" <= sign <= "Ͽ" else ""
        return f"type the Latin {_LATIN[sign]!r}{spelt}"
    if plain in _INSTEAD:
        return _INSTEAD[plain]
    if len(plain) == 1 and plain != sign and plain.isprintable():
        return f"type a plain {safe(plain)!r}"
    if sign.isalpha():
        return "names are made of the letters a to z, Greek letters, digits and _"
    return "leave it out"


def _kind(sign: str) -> str:
    """Describe a character that has no name."""
    kinds = {"Cc": "control character", "Cs": "lone surrogate", "Co": "private character"}
    return kinds.get(unicodedata.category(sign), "unassigned character")
