"""Commands of LaTeX: fractions, roots, names in fonts, functions, sums, and cases.

The functions here are called by the parser where a command stands, and call it for what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd.errors import safe
from symgd.language.latex import tree as lt
from symgd.language.latex.tokens import Token
from symgd.language.latex.words import ACCENTS, FONTS, FUNCTIONS, GREEK, NAMED, RELATIONS

if TYPE_CHECKING:
    from symgd.language.latex.parser import Parser

# ---- commands --------------------------------------------------------------------------------------------------


def command(p: Parser, token: Token) -> lt.Tree:
    """Read what a command begins."""
    word = token.text[1:]
    if word in GREEK:
        return called(p, lt.Name(p.greek(word), start=token.start, end=token.end), token)
    if word == "frac":
        top, bottom = piece(p), piece(p)
        return lt.Fraction(top, bottom, start=token.start, end=bottom.end)
    if word == "sqrt":
        return root(p, token)
    if word in FONTS:
        return font(p, token, word)
    if word in ACCENTS:
        inner = piece(p)
        if not isinstance(inner, lt.Name):
            p.fail(f"\\{word} stands over a name only", inner)
        return accented(p, word, inner, token)
    if word == "langle":
        return product(p, token)
    if word == "begin":
        return environment(p, token)
    if word == "infty":
        return lt.Name("inf", start=token.start, end=token.end)
    if word in FUNCTIONS:  # as a declared name, or in a script
        p.at -= 1
        return p.factor() if not p.declared(word) else lt.Name(word, start=p.next().start, end=token.end)
    return p.unexpected(token)


def piece(p: Parser) -> lt.Tree:
    """Read an argument of a command: a group, or one token."""
    if p.now.text == "{":
        return p.group("{")
    token = p.now
    if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():
        # \frac12 is one half: the digits are arguments of their own.
        p.tokens[p.at] = Token("number", token.text[1:], token.start + 1, token.end)
        return lt.Number(token.text[0], start=token.start, end=token.start + 1)
    return p.atom()


def root(p: Parser, token: Token) -> lt.Tree:
    """Read a root."""
    degree = None
    if p.now.text == "[":
        degree = p.group("[")
    inner = piece(p)
    if degree is None or (isinstance(degree, lt.Number) and degree.text == "2"):
        return lt.Call("sqrt", (inner,), start=token.start, end=inner.end)
    if isinstance(degree, lt.Number) and degree.text == "3":
        return lt.Call("cbrt", (inner,), start=token.start, end=inner.end)
    one = lt.Number("1", start=token.start, end=token.end)
    root = lt.Fraction(one, degree, start=degree.start, end=degree.end)
    return lt.Power(inner, root, start=token.start, end=inner.end)


def font(p: Parser, token: Token, word: str) -> lt.Tree:
    """Read a name in a font of its own: bold for arrays, upright for names of several letters."""
    if p.now.text == "{":
        p.next()
        spelt, last = "", p.now
        while p.now.text != "}":
            last = p.next()
            if last.kind == "end" or (last.kind not in ("letter", "number", "command") and last.text not in "_-"):
                p.fail(f"\\{word} takes a name", last)
            spelt += GREEK.get(last.text.removeprefix("\\"), last.text.removeprefix("\\"))
        closing = p.next()
    else:
        closing = p.next()
        spelt = GREEK.get(closing.text.removeprefix("\\"), closing.text.removeprefix("\\"))
    bold = word in ("mathbf", "boldsymbol", "bm", "vec", "pmb")
    if bold and spelt == "1":
        return lt.Name("1", True, start=token.start, end=closing.end)
    if spelt.lower() in FUNCTIONS and not p.declared(spelt):
        where = Token("command", "\\" + spelt.lower(), token.start, closing.end)
        return function(p, where, FUNCTIONS[spelt.lower()])
    if not spelt or not spelt.replace("_", "").isalnum() or spelt[0].isdigit():
        p.fail("this is no name", token, "a name is made of letters, digits and underscores")
    return called(p, lt.Name(spelt, bold, start=token.start, end=closing.end), token)


def accented(p: Parser, word: str, inner: lt.Name, token: Token) -> lt.Tree:
    """Read a name with a sign above it."""
    spelt = [f"{inner.name}{word}", f"{inner.name}_{word}", f"{word}_{inner.name}", f"{word}{inner.name}"]
    known = [name for name in spelt if p.declared(name)]
    if not known and word in ("vec", "overline", "underline") and word == "vec":
        return lt.Name(inner.name, True, start=token.start, end=inner.end)
    if not known and word in ("bar", "overline"):
        p.ask(token, f"the mean of {inner.name} (write \\frac1n \\sum_i {inner.name}_i)",
                 f"a name of its own (declare {spelt[0]})")  # fmt: skip
    return lt.Name(known[0] if known else spelt[0], start=token.start, end=inner.end)


def called(p: Parser, name: lt.Name, token: Token) -> lt.Tree:
    r"""Ask about what may be a function's call: ``\\sigma(z)``."""
    if name.name in ("sigma", "Gamma", "psi") and p.now.text in ("(", "[") and not p.declared(name.name):
        function = {"sigma": "sigmoid", "Gamma": "gamma", "psi": "digamma"}[name.name]
        inner = p.group(p.now.text)
        return lt.Call(function, (inner,), start=token.start, end=inner.end)
    return name


def product(p: Parser, token: Token) -> lt.Tree:
    """Read an inner product in angles."""
    a = p.sum()
    if not p.take(",", "|"):
        p.fail("\\langle needs two parts, \\langle a, b \\rangle", p.now)
    b = p.sum()
    closing = p.need(r"\rangle", "\\langle")
    return lt.Call("inner", (a, b), start=token.start, end=closing.end)


def environment(p: Parser, token: Token) -> lt.Tree:
    """Read an environment."""
    p.need("{", "\\begin")
    word = ""
    while p.now.kind == "letter":
        word += p.next().text
    p.need("}", "\\begin")
    if word != "cases":
        p.fail(f"the environment '{safe(word)}' is not read", token, "cases is; matrices are data, with a name")
    values, conditions = [], []
    while True:
        values.append(p.sum())
        p.take(",")
        p.need("&", "a line of cases")
        conditions.append(condition(p))
        p.take(",", ".", ";")
        if not p.take("\\\\") or p.now.text == r"\end":
            break
    p.need(r"\end", "\\begin{cases}")
    p.need("{", "\\end")
    while p.now.kind == "letter":
        p.next()
    closing = p.need("}", "\\end")
    if conditions[-1] is not None and len(values) == 1:
        p.fail("cases of one line leave open what holds elsewhere", token, "add a line with \\text{otherwise}")
    return lt.Cases(tuple(values), tuple(conditions), start=token.start, end=closing.end)


def condition(p: Parser) -> lt.Tree | None:
    """Read the condition of a line; ``None`` for ``otherwise``."""
    token = p.now
    if token.text in (r"\text", r"\mathrm", r"\textrm"):
        word, place = "", p.at + 2
        while p.tokens[place].kind == "letter":
            word += p.tokens[place].text
            place += 1
        if word in ("if", "for", "when"):
            p.at = place + 1
        elif word in ("otherwise", "else", "elsewhere"):
            p.at = place + 1
            return None
    return comparison(p)


def comparison(p: Parser) -> lt.Tree:
    """Read a condition."""
    args, ops = [p.sum()], []
    while p.now.text in RELATIONS:
        ops.append(RELATIONS[p.next().text])
        args.append(p.sum())
    if not ops:
        p.fail("a condition needs a comparison such as >", args[0])
    return lt.Compare(tuple(args), tuple(ops), start=args[0].start, end=args[-1].end)


# ---- functions and sums ----------------------------------------------------------------------------------------


def function(p: Parser, token: Token, name: str) -> lt.Tree:
    """Read a function's argument: brackets, or the one factor that follows."""
    exponent = None
    if p.now.text == "^":
        caret = p.next()
        exponent = p.script()
        if isinstance(exponent, lt.Sum):
            p.ask(caret, f"the inverse function (write \\arc... or arc{name}(...))", f"one over {name}(...)")
    if p.now.text == "_":
        name = based(p, token, name)
    if name in ("maximum", "minimum") and p.now.text not in ("(", r"\{", "["):
        p.fail("\\max needs its arguments in brackets", p.now, "write \\max(a, b)")
    if p.now.text in ("(", "[", r"\{"):
        inner = p.group(p.now.text)
        args = inner.args if isinstance(inner, lt.Call) and inner.function == "," else (inner,)
    elif name == "det" and p.now.text == "|":
        args = (p.atom(),)
    else:
        args = (bare(p, token),)
    found: lt.Tree = lt.Call(name, args, start=token.start, end=p.tokens[p.at - 1].end)
    if p.now.text == "^":
        if name in NAMED:
            shown = safe(token.text)
            p.ask(p.now, f"the power of the value, ({shown}(...))^...", "the power of its argument")
        p.next()
        found = p.superscript(found)
    return found if exponent is None else lt.Power(found, exponent, start=token.start, end=found.end)


def based(p: Parser, token: Token, name: str) -> str:
    """Read the base of a logarithm."""
    p.next()
    script = p.script()
    base = script.text if isinstance(script, lt.Number) else ""
    known = {("log", "2"): "log2", ("log", "10"): "log10"}
    if (name, base) not in known:
        p.fail(f"this index of {safe(token.text)} is not read", script, "log_2 and log_{10} are; \\max takes (a, b)")
    return known[name, base]


def bare(p: Parser, token: Token) -> lt.Tree:
    """Read an argument without brackets: where it ends must be plain."""
    first = p.now
    if not p.begins() and first.text not in (r"\sum", r"\prod"):
        p.fail(f"{safe(token.text)} has no argument", token, f"write {safe(token.text)}(...)")
    if first.text in (r"\sum", r"\prod"):
        return big(p)
    numbers = []
    if first.kind == "number":
        numbers = [p.postfix()]
        if not p.begins() or p.now.kind == "number":
            return numbers[0]
    inner = p.factor()
    following = p.now
    ends = following.text in (r"\sum", r"\prod") or (following.kind == "command" and following.text[1:] in FUNCTIONS)
    if not ends and (p.begins() or following.text in ("/", r"\cdot", "*", r"\odot", r"\times")):
        name = safe(token.text)
        p.ask(following, f"{name}(...) times this", f"{name} of all of it")
    if not numbers:
        return inner
    return lt.Product((*numbers, inner), ("",), start=first.start, end=inner.end)


def big(p: Parser) -> lt.Tree:
    """Read a sum or a product over indices, and its body."""
    token = p.next()
    indices: tuple[lt.Name, ...] = ()
    lower: lt.Tree | None = None
    upper: lt.Tree | None = None
    for _ in range(2):
        if p.take("_"):
            indices, lower = bound(p)
        elif p.take("^"):
            upper = p.script()
    if not indices:
        p.fail(f"{token.text} needs an index", token, f"write {token.text}_{{i=1}}^{{n}} or {token.text}_i")
    body = p.product()
    kind = "sum" if token.text == r"\sum" else "prod"
    return lt.Big(kind, indices, lower, upper, body, start=token.start, end=body.end)


def bound(p: Parser) -> tuple[tuple[lt.Name, ...], lt.Tree | None]:
    """Read what stands below a sum: ``i``, ``i=1``, ``i,j`` or ``i,j=1``."""
    if p.now.text != "{":
        token = p.next()
        if token.kind != "letter":
            p.fail("a sum runs over an index", token)
        return (lt.Name(token.text, start=token.start, end=token.end),), None
    opening = p.next()
    found: list[lt.Name] = []
    while p.now.kind == "letter" or p.now.text == ",":
        token = p.next()
        if token.kind == "letter":
            found.append(lt.Name(token.text, start=token.start, end=token.end))
    lower = p.sum() if p.take("=") else None
    if p.now.text != "}" or not found:
        hint = "write \\sum_{i=1}^{n}; a condition on the index is a factor: \\begin{cases} ..."
        p.fail("this range of a sum is not read", p.now if found else opening, hint)
    p.next()
    return tuple(found), lower
