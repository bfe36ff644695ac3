"""Tokens to a tree. Where two readings are in use among authors, the text is refused with a question."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from symgd.errors import FormulaError, safe
from symgd.language.latex import commands
from symgd.language.latex import tree as lt
from symgd.language.latex.tokens import Token, tokenize
from symgd.language.latex.words import ACCENTS, DEPTH, FONTS, FUNCTIONS, GREEK, STARTS, TRANSPOSES

_OPEN = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", r"\langle": r"\rangle"}

STARTS_DERIVATIVE = (r"\nabla", r"\partial", r"\frac")


class Parser:
    """Reads one formula.

    Parameters
    ----------
    text : str
        The LaTeX.
    names : collection of str
        The names that are declared: of data, parameters and lengths.
    """

    def __init__(self, text: str, names: frozenset[str]) -> None:
        self.text, self.names = text, names
        self.tokens = tokenize(text)
        self.at = 0
        self.depth = 0
        self.bars = 0  # single and double bars that are open

    # ---- the walk --------------------------------------------------------------------------------------------------

    @property
    def now(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.at]

    def next(self) -> Token:
        """Go on, and give the token passed."""
        token = self.now
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def take(self, *texts: str) -> Token | None:
        """Pass a token if it is one of these."""
        return self.next() if self.now.kind != "end" and self.now.text in texts else None

    def need(self, text: str, what: str) -> Token:
        """Pass a token that must stand here."""
        found = self.take(text)
        if found is None:
            self.fail(f"{what} needs '{text}' here", self.now)
        return found

    def fail(self, problem: str, where: Token | lt.Tree, hint: str | None = None) -> NoReturn:
        """Refuse the text."""
        end = max(where.end, min(where.start + 1, len(self.text)))
        raise FormulaError(problem, self.text, where.start, end, hint)

    def ask(self, where: Token | lt.Tree, one: str, other: str) -> NoReturn:
        """Refuse a text that has two readings."""
        self.fail("this can be read in two ways", where, f"is it {one}, or {other}? Put brackets, or write it out")

    # ---- formulas --------------------------------------------------------------------------------------------------

    def formula(self) -> tuple[tuple[lt.Tree, ...], lt.Tree]:
        """Read a formula, and what is differentiated by on the left of ``=`` before it."""
        left: tuple[lt.Tree, ...] = ()
        begin = self.at
        for place, token in enumerate(self.tokens):
            if token.text == "=" and not self._inside(begin, place):
                left = self._left(place)
                break
        found = self.sum()
        if self.now.text == "=":
            self.fail("a second '=' stands here", self.now, "give one side: what the objective or the derivative is")
        if self.now.kind != "end":
            self.unexpected(self.now)
        return left, found

    def _inside(self, begin: int, place: int) -> bool:
        """Tell whether a place is inside of brackets, as the ``=`` of a lower bound is."""
        depth = 0
        for token in self.tokens[begin:place]:
            depth += (token.text in _OPEN) - (token.text in _OPEN.values())
        return depth != 0

    def _left(self, place: int) -> tuple[lt.Tree, ...]:
        r"""Read what stands on the left: ``f(x) =``, ``\\nabla_w L =``, ``\\frac{\\partial L}{\\partial w_j} =``.

        What is given is what is differentiated by, twice for second derivatives.
        """
        found: list[lt.Tree] = []
        if self.take(r"\nabla"):
            found = self._scripted(r"\nabla")
        elif self.take(r"\partial"):
            found = self._scripted(r"\partial")
        elif self.now.text == r"\frac":
            signs = [i for i in range(self.at, place) if self.tokens[i].text in (r"\partial", "d")]
            for at in signs[1:]:
                self.at = at + 1
                found += _twice(self.postfix())
        self.at = place + 1
        return tuple(found)

    def _scripted(self, sign: str) -> list[lt.Tree]:
        """Read the scripts of a sign of derivatives, and those of more signs behind it."""
        found: list[lt.Tree] = []
        times = 1
        while True:
            if self.take("_"):
                found.append(self.script())
            elif self.take("^"):
                power = self.script()
                times = 2 if isinstance(power, lt.Number) and power.text == "2" else 1
            elif not self.take(sign):
                return found * times if len(found) == 1 else found

    def own(self) -> lt.Tree | None:
        """Read the name on the left of ``=`` itself, ``f_i =``; none where something else stands there."""
        if not any(token.text == "=" for token in self.tokens):
            return None
        found = self.postfix() if self.now.kind != "end" and self.now.text not in STARTS_DERIVATIVE else None
        return found if isinstance(found, lt.Name | lt.Subscript) else None

    def sum(self) -> lt.Tree:
        """Read terms with signs."""
        self.depth += 1
        if self.depth > DEPTH:
            self.fail(f"brackets are nested more than {DEPTH} deep", self.now)
        start = self.now
        terms, signs = [], []
        sign = self.take("+", "-")
        while True:
            signs.append(-1 if sign and sign.text == "-" else 1)
            terms.append(self.product())
            sign = self.take("+", "-")
            if sign is None:
                break
        self.depth -= 1
        if len(terms) == 1 and signs[0] > 0:
            return terms[0]
        return lt.Sum(tuple(terms), tuple(signs), start=start.start, end=terms[-1].end)

    def product(self) -> lt.Tree:
        """Read factors."""
        factors, ops = [self.factor()], []
        while True:
            token = self.now
            if self.take(r"\cdot", "*"):
                ops.append("dot" if token.text == r"\cdot" else "")
            elif self.take(r"\times"):
                ops.append("times")
            elif self.take(r"\odot"):
                ops.append("odot")
            elif self.take("/"):
                factors.append(self.factor())
                ops.append("/")
                if self.begins():
                    over = self.text[factors[-2].start : factors[-1].end]
                    rest = self.now.text
                    self.ask(
                        token,
                        f"({safe(over)}) times {safe(rest)} ...",
                        f"all of it below the line ({safe(over)} {safe(rest)} ...)",
                    )
                continue
            elif self.begins():
                if self.now.kind == "number" and factors:
                    self.fail(
                        "a number follows a factor", self.now, "write \\cdot for a product, or ^ and _ for a script"
                    )
                ops.append("")
            else:
                break
            factors.append(self.factor())
        if len(factors) == 1:
            return factors[0]
        return lt.Product(tuple(factors), tuple(ops), start=factors[0].start, end=factors[-1].end)

    def begins(self) -> bool:
        """Tell whether a factor begins here."""
        token = self.now
        if token.kind in ("number", "letter"):
            return True
        if token.text in {"|", r"\|"}:
            return self.bars == 0
        if token.kind == "command":
            return token.text in STARTS or token.text[1:] in (*FUNCTIONS, *GREEK, *FONTS, *ACCENTS)
        return token.text in ("(", "[", "{")

    def factor(self) -> lt.Tree:
        """Read a sum sign and its body, a function and its argument, or an atom with scripts."""
        token = self.now
        if token.text in (r"\sum", r"\prod"):
            return commands.big(self)
        if token.kind == "command" and token.text[1:] in FUNCTIONS and not self.declared(token.text[1:]):
            return commands.function(self, self.next(), FUNCTIONS[token.text[1:]])
        return self.postfix()

    def declared(self, name: str) -> bool:
        """Tell whether a name is declared."""
        return name in self.names

    # ---- atoms and scripts -----------------------------------------------------------------------------------------

    def postfix(self) -> lt.Tree:
        """Read an atom and its scripts."""
        base = self.atom()
        while True:
            token = self.now
            if token.text == "_":
                self.next()
                base = self._subscript(base, self.indices())
            elif token.text == "^":
                self.next()
                base = self.superscript(base)
            elif token.text == "'":
                self.ask(token, "the transpose (write ^\\top)", "a derivative or another name")
            elif token.text == "!":
                self.fail("the factorial is not read", token, "write \\Gamma(n + 1)")
            else:
                return base

    def script(self) -> lt.Tree:
        """Read what stands in a script: one token, or a group."""
        if self.now.text == "{":
            return self.group("{")
        token = self.now
        if token.kind == "number" and len(token.text) > 1:  # x^12 is x^1 2 in LaTeX
            self.fail(f"of {token.text} only the first digit is in the script", token, f"write {{{token.text}}}")
        return self.atom()

    def _subscript(self, base: lt.Tree, indices: tuple[lt.Tree, ...]) -> lt.Tree:
        end = self.tokens[self.at - 1].end
        if isinstance(base, lt.Power) and isinstance(base.base, lt.Name) and not self._is_grouped(base):  # x^2_i
            inner = self._subscript(base.base, indices)
            return lt.Power(inner, base.exponent, start=base.start, end=end)
        if not isinstance(base, lt.Name | lt.Subscript):
            self.fail("only a name takes an index", indices[0], "give this a name of its own, or write the sum out")
        old = base.indices if isinstance(base, lt.Subscript) else ()
        name = base.base if isinstance(base, lt.Subscript) else base
        return lt.Subscript(name, (*old, *indices), start=base.start, end=end)

    def _is_grouped(self, tree: lt.Tree) -> bool:
        return self.text[tree.start : tree.start + 1] in ("(", "[", "{")

    def indices(self) -> tuple[lt.Tree, ...]:
        """Read indices: ``ij`` is two of them, ``i,j`` and ``i1`` as well, ``i+1`` is one."""
        if self.now.text != "{":
            return (self.script(),)
        opening = self.next()
        found: list[lt.Tree] = []
        while self.now.text != "}":
            if found and self.take(","):
                continue
            item = self.atom()
            sign = self.take("+", "-")
            if sign:
                shift = self.atom()
                item = lt.Sum((item, shift), (1, -1 if sign.text == "-" else 1), start=item.start, end=shift.end)
            found.append(item)
        self.next()
        if not found:
            self.fail("an index is missing", opening)
        return tuple(found)

    def superscript(self, base: lt.Tree) -> lt.Tree:
        """Read a power, a transpose, or the number of a sample."""
        token = self.now
        end = token.end
        if token.text in (r"\top", "T") or (token.text == "{" and self._spells(TRANSPOSES)):
            inverse = self._read_transpose()
            if token.text == "T" and self.declared("T"):
                self.ask(token, "the transpose (write ^\\top)", "the power T (write ^{(T)}... or rename it)")
            return lt.Transpose(base, inverse, start=base.start, end=self.tokens[self.at - 1].end)
        if token.text in ("*", r"\dagger", r"\ast"):
            self.fail("this superscript is not read", token, "give the name without it")
        bracketed = token.text == "{" and self.tokens[self.at + 1].text == "("
        script = self.script()
        end = script.end
        if bracketed and isinstance(base, lt.Name | lt.Subscript) and isinstance(script, lt.Name | lt.Number):
            return self._subscript(base, (script,))  # x^{(i)}, the i-th sample
        return lt.Power(base, script, start=base.start, end=end)

    def _spells(self, texts: list[list[str]]) -> bool:
        inner = [t.text for t in self.tokens[self.at + 1 : self.at + 6]]
        return any(inner[: len(text)] == text for text in texts)

    def _read_transpose(self) -> bool:
        if self.now.text != "{":
            self.next()
            return False
        self.next()
        inverse, depth = False, 1
        while depth:
            token = self.next()
            inverse |= token.text == "-"
            depth += (token.text == "{") - (token.text == "}")
        return inverse

    def atom(self) -> lt.Tree:
        """Read a number, a name, or what is in brackets."""
        token = self.next()
        if token.kind == "number":
            return lt.Number(token.text, start=token.start, end=token.end)
        if token.kind == "letter":
            return self._name(token)
        if token.text in ("(", "[", r"\{", "{"):
            self.at -= 1
            return self.group(token.text)
        if token.text in ("|", r"\|"):
            return self._barred(token)
        if token.kind == "command":
            return commands.command(self, token)
        return self.unexpected(token)

    def greek(self, word: str) -> str:
        """Give the name of a Greek letter; that of lambda has an underscore, as in Python."""
        name = GREEK[word]
        return f"{name}_" if name not in self.names and f"{name}_" in self.names else name

    def _name(self, token: Token) -> lt.Tree:
        name = self.greek(token.text) if token.text in GREEK else token.text
        for wide in self._run(token):
            if self.declared(wide) and not all(self.declared(c) for c in wide):
                self.ask(token, f"the name {wide} (write \\mathrm{{{wide}}})", f"the product of {', '.join(wide)}")
        return lt.Name(name, start=token.start, end=token.end)

    def _run(self, token: Token) -> list[str]:
        """Give the words that letters spell which begin here, without a gap."""
        word, place, found = token.text, self.at, []
        while self.tokens[place].kind == "letter" and self.tokens[place].start == self.tokens[place - 1].end:
            word += self.tokens[place].text
            found.append(word)
            place += 1
        return found

    def group(self, opening: str) -> lt.Tree:
        """Read what stands in brackets."""
        first = self.next()
        bars, self.bars = self.bars, 0
        inner = self.sum()
        args = [inner]
        while self.take(","):
            args.append(self.sum())
        self.bars = bars
        closing = self.need(_OPEN[opening], f"the bracket '{opening}' at column {first.start + 1}")
        if len(args) > 1:
            return lt.Call(",", tuple(args), start=first.start, end=closing.end)
        return _moved(inner, first.start, closing.end)

    def _barred(self, token: Token) -> lt.Tree:
        self.bars += 1
        inner = self.sum()
        closing = self.need(token.text, f"the bar '{token.text}' at column {token.start + 1}")
        self.bars -= 1
        if token.text == "|":
            return lt.Bars(inner, start=token.start, end=closing.end)
        which = ""
        if self.take("_"):
            script = self.script()
            which = self.text[script.start : script.end].strip("{} ")
        return lt.Norm(inner, which, start=token.start, end=self.tokens[self.at - 1].end)

    def unexpected(self, token: Token) -> NoReturn:
        """Refuse a token that has no meaning here."""
        if token.kind == "end":
            self.fail("the formula ends here, and something is missing", token)
        if token.text in (r"\}", ")", "]", "}", r"\rangle"):
            self.fail(f"'{token.text}' closes no bracket", token)
        self.fail(
            f"'{safe(token.text)}' is not understood here",
            token,
            "symgd reads what docs/latex.md lists, and nothing else",
        )


def _moved(tree: lt.Tree, start: int, end: int) -> lt.Tree:
    """Give a tree that its brackets belong to."""
    if isinstance(tree, lt.Call) and tree.function == ",":
        return tree
    return replace(tree, start=start, end=end)


def _twice(tree: lt.Tree) -> list[lt.Tree]:
    """Take the square off what stands below the line of a second derivative: that is by w twice."""
    if isinstance(tree, lt.Power) and isinstance(tree.exponent, lt.Number) and tree.exponent.text == "2":
        return [tree.base, tree.base]
    return [tree]
