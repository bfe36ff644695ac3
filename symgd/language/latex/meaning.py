r"""What a tree of LaTeX means with the shapes of its names: a formula of symgd's own language.

Two notations are in use, and may stand in one formula. In indices, ``\sum_i (y_i - \sum_j x_{ij} w_j)^2``, each
index is an axis that lasts until it is summed over. In matrices, ``\|y - Xw\|^2``, juxtaposition is a product of
matrices, and ``x_i`` is a row of X. So a value has the indices that are open, and the axes of what stands at each.
"""

from __future__ import annotations

from dataclasses import replace

from symgd.errors import safe
from symgd.language.latex import tree as lt
from symgd.language.latex.axes import ATOM, PLUS, POWER, TIMES, UNARY, Index, Value, said
from symgd.language.latex.products import Products

_PLAIN = frozenset((
    "log", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "sign", "relu", "sigmoid",
    "softplus", "erf", "logit", "sqrt", "cbrt", "gamma", "digamma", "log2", "log10",
))  # fmt: skip
_PAIRS = frozenset(("maximum", "minimum"))


class Meaning(Products):
    """Works out what trees mean."""

    def value(self, tree: lt.Tree) -> Value:
        """Give the meaning of a tree."""
        return getattr(self, f"_{type(tree).__name__.lower()}")(tree)  # type: ignore[no-any-return]

    # ---- leaves ----------------------------------------------------------------------------------------------------

    def _number(self, tree: lt.Number) -> Value:
        return Value(tree.text)

    def _name(self, tree: lt.Name) -> Value:
        name = tree.name
        if tree.bold and name == "1":
            return Value("1", rank=1, ones=True)
        rank = self.rank_of(name)
        if rank is not None:
            return Value(name, rank=rank)
        if name in self.lengths:
            return Value(self.lengths[name])
        if name in self.open:
            self.fail(
                f"the index {name} stands alone", tree, "an index counts places; write data for the numbers 1 to n"
            )
        if name in ("pi", "inf") or (name == "e"):
            return Value(name)
        known = ", ".join(sorted({*self.shapes, *self.ranks})) or "none"
        hint = f"declare it as a parameter or as data (known: {safe(known, 120)})"
        if len(name) == 1 and name in "nmNMTK":
            hint = f"is it a number, or a length as in data={{'X': '{name} x k'}}? Declare one of them"
        return self.fail(f"'{safe(name)}' is not declared", tree, hint)

    def _subscript(self, tree: lt.Subscript) -> Value:
        name = tree.base.name
        spelt = self._spelt(tree)
        if spelt is not None:
            return Value(spelt, rank=self.rank_of(spelt) or 0)
        array = self._array(tree)
        rank = self.rank_of(array)
        assert rank is not None
        if len(tree.indices) > rank:
            axes = "no axes" if rank == 0 else "one axis" if rank == 1 else f"{rank} axes"
            self.fail(f"'{safe(name)}' has {axes}, and {len(tree.indices)} indices stand here", tree)
        used: list[str] = []
        cuts: list[str] = []
        for axis, index in enumerate(tree.indices):
            letter, cut = self._place(array, axis, index, tree)
            if letter in used:
                self.fail(f"the index {letter} stands here twice", tree, "a diagonal is not read: name it as data")
            if letter:
                used.append(letter)
            cuts.append(cut)
        text = array
        if any(cut != ":" for cut in cuts):
            text = f"{array}[{', '.join(cuts)}]"
        order = sorted(used, key=self.scope.index)
        if order != used:
            if len(used) != 2 or rank - len(tree.indices):
                self.fail("the indices stand in another order than their sums", tree, "put the sums in that order")
            text += ".T"
        return Value(text, indices=tuple(order), rank=rank - len(tree.indices))

    def _spelt(self, tree: lt.Subscript) -> str | None:
        """Give the declared name that a subscript belongs to, as ``w_0`` in the name ``w_0`` or ``w0``."""
        parts = [p.text if isinstance(p, lt.Number) else p.name if isinstance(p, lt.Name) else "" for p in tree.indices]
        if not all(parts):
            return None
        tail = "".join(parts)
        names = [n for n in (f"{tree.base.name}_{tail}", f"{tree.base.name}{tail}") if self.rank_of(n) is not None]
        if names and not (set(parts) & set(self.open)):
            if len(names) > 1 or self.rank_of(tree.base.name) not in (None, 0):
                self.ask(tree, f"the name {names[0]}", f"an entry of {tree.base.name}")
            return names[0]
        return None

    def _array(self, tree: lt.Subscript) -> str:
        """Give the array that an indexed name belongs to: x itself, or X, whose rows are the x_i."""
        name = tree.base.name
        rank, matrix = self.rank_of(name), name.islower() and self.rank_of(name.upper()) == 2
        if rank is not None and (not matrix or len(tree.indices) <= rank):
            return name
        if matrix:
            return name.upper()
        known = ", ".join(sorted({*self.shapes, *self.ranks})) or "none"
        return self.fail(f"'{safe(name)}' is not declared", tree, f"known names: {safe(known, 120)}")

    def _place(self, array: str, axis: int, index: lt.Tree, where: lt.Tree) -> tuple[str, str]:
        """Give the letter of an index, and the cut of its axis."""
        if isinstance(index, lt.Number):
            if any(i.front == -1 for i in self.open.values()):
                self.ask(where, "an entry counted from 0", "one counted from 1")
            if not index.text.isdigit() or int(index.text) < 1:
                self.ask(where, f"{array}[{index.text}], counted from 0 as NumPy does", "one counted from 1")
            return "", str(int(index.text) - 1)
        letter, shift = self._shifted(index, where)
        if letter not in self.open:
            if letter in self.closed:
                problem = f"the sum over {letter} has ended before this: it reaches to the next + or -"
                self.fail(problem, where, "put brackets around all that is summed")
            hint = f"put \\sum_{letter} before it, or declare the name"
            self.fail(f"the index {letter} is not summed over here", where, hint)
        found = self.open[letter]
        front, back = found.front + shift, found.back - shift
        if not found.counted and found.front == 0 and shift:
            front, back = shift, found.back - shift
        if front < 0 or back < 0:
            self.fail(f"the index {letter} leaves the array {array} here", where, "give the sum the range that it has")
        if not found.length:
            size = f"len({array})" if axis == 0 else f"{array}.shape[{axis}]"
            found.length = size if not front + back else f"({size} - {front + back})"
        return letter, f"{front or ''}:{-back if back else ''}" if front or back else ":"

    def _shifted(self, index: lt.Tree, where: lt.Tree) -> tuple[str, int]:
        if isinstance(index, lt.Name):
            return index.name, 0
        if isinstance(index, lt.Sum) and len(index.terms) == 2:
            a, b = index.terms
            if isinstance(a, lt.Name) and isinstance(b, lt.Number) and b.text.isdigit() and index.signs[0] > 0:
                return a.name, index.signs[1] * int(b.text)
        return self.fail("this index is not read", where, "an index is a letter, a number, or a letter plus a number")

    # ---- sums and products -----------------------------------------------------------------------------------------

    def _sum(self, tree: lt.Sum) -> Value:
        values = [self.value(t) for t in tree.terms]
        total = values[0]
        text = ("-" if tree.signs[0] < 0 else "") + self.bracketed(values[0], TIMES)
        for value, sign, term in zip(values[1:], tree.signs[1:], tree.terms[1:], strict=True):
            if total.rank != value.rank and 0 not in (total.rank, value.rank):
                self.fail(f"{said(total)} and {said(value)} are not added", term)
            (left, right), total = self.aligned(replace(total, text=text, level=PLUS), value)
            text = f"{left} {'-' if sign < 0 else '+'} {right}"
            total = replace(total, ones=False)
        return replace(total, text=text, level=PLUS)

    def _product(self, tree: lt.Product) -> Value:
        values = [self.value(f) for f in tree.factors]
        total = values[0]
        for place, (value, op) in enumerate(zip(values[1:], tree.ops, strict=True)):
            where = replace(tree, end=tree.factors[place + 1].end)
            total = self.times(total, value, op, where)
        return total

    def _fraction(self, tree: lt.Fraction) -> Value:
        return replace(self.over(self.value(tree.top), self.value(tree.bottom), tree), level=TIMES)

    # ---- powers, transposes, functions -----------------------------------------------------------------------------

    def _power(self, tree: lt.Power) -> Value:
        base, exponent = self.value(tree.base), self.value(tree.exponent)
        if exponent.rank:
            self.fail("a power must be a number", tree.exponent)
        if base.rank == 2 and exponent.text == "-1":
            if base.indices:
                self.fail("an inverse of matrices with indices is not read", tree)
            return Value(f"inv({base.text})", rank=2)
        if base.rank == 2 and exponent.text == "2" and not base.indices:
            self.ask(tree, "the product with itself", "the square of each entry (write \\odot)")
        if base.rank:
            self.ask(tree, "the squared length, \\|x\\|^2", "the power of each entry (write x_i^2 or \\odot)")
        if isinstance(tree.base, lt.Name) and tree.base.name == "e" and self.rank_of("e") is None:
            return Value(f"exp({exponent.text})", indices=exponent.indices)
        if isinstance(tree.base, lt.Norm) and exponent.text == "2":
            squared = self._squared(tree.base)
            if squared is not None:
                return squared
        (left, right), total = self.aligned(replace(base, level=base.level), exponent, UNARY)
        left = left if base.level == ATOM else f"({base.text})" if not left.endswith("]") else left
        right = right if exponent.level == ATOM else f"({exponent.text})" if not right.endswith("]") else right
        return replace(total, text=f"{left}**{right}", level=POWER)

    def _squared(self, tree: lt.Norm) -> Value | None:
        inner = self.value(tree.arg)
        kind = self._norm_kind(tree, inner)
        if kind not in ("2", "F"):
            return None
        return self.summed(replace(inner, text=f"{self.bracketed(inner, ATOM)}**2"), inner.rank)

    def _transpose(self, tree: lt.Transpose) -> Value:
        base = self.value(tree.base)
        if base.rank == 2 and base.indices:
            self.fail("a transpose of matrices with indices is not read", tree)
        if tree.inverse:
            if base.rank != 2:
                self.fail(f"{said(base)} has no inverse", tree)
            return Value(f"inv({base.text}).T", rank=2)
        if base.rank == 2:
            return replace(base, text=f"{self.bracketed(base, ATOM)}.T", level=ATOM)
        return replace(base, row=not base.row) if base.rank == 1 else base

    def _norm(self, tree: lt.Norm) -> Value:
        inner = self.value(tree.arg)
        kind = self._norm_kind(tree, inner)
        if kind == "1":
            return self.summed(replace(inner, text=f"abs({inner.text})"), inner.rank)
        if kind == "inf":
            axis = ", axis=-1" if inner.indices else ""
            return Value(f"amax(abs({inner.text}){axis})", indices=inner.indices)
        squares = self.summed(replace(inner, text=f"{self.bracketed(inner, ATOM)}**2"), inner.rank)
        if inner.indices or inner.rank == 2:
            return replace(squares, text=f"sqrt({squares.text})", level=ATOM)
        return Value(f"norm({inner.text})" if inner.rank else f"abs({inner.text})")

    def _norm_kind(self, tree: lt.Norm, inner: Value) -> str:
        kind = {"": "2", "2": "2", r"\ell_2": "2", "F": "F", r"\mathrm{F": "F", "1": "1", r"\infty": "inf"}.get(
            tree.which
        )
        if kind is None:
            self.fail(f"the norm '{safe(tree.which)}' is not read", tree, "1, 2, F and \\infty are")
        if inner.rank == 2 and kind != "F":
            if tree.which:
                self.fail("of a matrix the Frobenius norm is read, \\|A\\|_F", tree)
            self.ask(tree, "the Frobenius norm (write \\|A\\|_F)", "the largest singular value")
        return kind

    def _bars(self, tree: lt.Bars) -> Value:
        inner = self.value(tree.arg)
        if inner.rank == 2:
            self.ask(tree, "the determinant (write \\det)", "the absolute value of each entry")
        if inner.rank == 1:
            self.ask(tree, "the length (write \\|x\\|)", "the absolute value of each entry (write |x_i|)")
        return replace(inner, text=f"abs({inner.text})", level=ATOM)

    def _call(self, tree: lt.Call) -> Value:
        name = tree.function
        if name == ",":
            self.fail("a list of parts has no meaning here", tree)
        args = [self.value(a) for a in tree.args]
        if name == "inner" and len(args) == 2:
            a, b = args
            if a.rank == b.rank == 1:
                return self.inner(a, b)
            if a.rank == b.rank == 2 and not (a.indices or b.indices):
                return Value(f"sum({self.bracketed(a, TIMES)}*{self.bracketed(b, POWER)})")
            self.fail(f"an inner product of {said(a)} and {said(b)} is not read", tree)
        if name in _PAIRS:
            return self._pair(name, args, tree)
        if len(args) != 1:
            self.fail(f"{name} takes one argument", tree)
        inner = args[0]
        if name in ("det", "trace", "diag", "softmax"):
            wanted = {"det": 2, "trace": 2}.get(name)
            if inner.indices or (wanted and inner.rank != wanted):
                self.fail(f"{name} of {said(inner)} is not read", tree)
            rank = {"det": 0, "trace": 0, "softmax": inner.rank, "diag": 3 - inner.rank}[name]
            return Value(f"{name}({inner.text})", rank=rank)
        if name not in _PLAIN:
            self.fail(f"the function '{safe(name)}' is not read", tree)
        if inner.rank == 2 and name in ("exp", "log", "sqrt"):
            self.ask(tree, f"{name} of each entry (write it with indices)", f"the matrix function {name}")
        return replace(inner, text=f"{name}({inner.text})", level=ATOM, ones=False)

    def _pair(self, name: str, args: list[Value], tree: lt.Tree) -> Value:
        if len(args) == 1 and args[0].rank:
            reduced = "amax" if name == "maximum" else "amin"
            axis = ", axis=-1" if args[0].indices else ""
            return Value(f"{reduced}({args[0].text}{axis})", indices=args[0].indices)
        if len(args) < 2:
            self.fail(f"{name[:3]} needs two arguments", tree)
        total = args[0]
        for value in args[1:]:
            (left, right), both = self.aligned(total, value)
            total = replace(both, text=f"{name}({left}, {right})", level=ATOM)
        return total

    def _compare(self, tree: lt.Compare) -> Value:
        values = [self.value(a) for a in tree.args]
        total = values[0]
        parts = []
        for a, b, op in zip(values, values[1:], tree.ops, strict=False):
            (left, right), both = self.aligned(a, b, TIMES)
            parts.append(f"({left} {op} {right})")
            total = both
        return replace(total, text=" & ".join(parts), level=PLUS)

    def _cases(self, tree: lt.Cases) -> Value:
        last = tree.conditions[-1]
        if last is not None and len(tree.values) != 2:
            self.fail("the last line of cases says nothing of all else", tree, "write \\text{otherwise} there")
        if last is not None and not _opposite(tree.conditions[0], last):
            self.fail("these cases may leave places open", tree, "write \\text{otherwise} in the last line")
        total = self.value(tree.values[-1])
        for part, condition in zip(tree.values[-2::-1], tree.conditions[-2::-1], strict=True):
            if condition is None:
                self.fail("'otherwise' stands before the last line", tree)
            value, test = self.value(part), self.value(condition)
            (left, right), both = self.aligned(value, total)
            (given, _), all_ = self.aligned(test, replace(both, text=left))
            (left, right) = (self.spread(v, all_.indices, all_.rank, PLUS) for v in (value, total))
            total = replace(all_, text=f"where({given}, {left}, {right})", level=ATOM)
        return total

    # ---- sums over indices -----------------------------------------------------------------------------------------

    def _big(self, tree: lt.Big) -> Value:
        letters = [name.name for name in tree.indices]
        for letter, name in zip(letters, tree.indices, strict=True):
            if letter in self.open:
                self.fail(f"the index {letter} is in use already", name, "take another letter for the inner sum")
            if self.rank_of(letter) is not None:
                self.fail(f"'{letter}' is a name that is declared, and an index here", name, "rename one of them")
        for letter in letters:
            self.scope.append(letter)
            self.open[letter] = self._range(tree)
        body = self.value(tree.body)
        for letter in reversed(letters):
            body = self._reduced(tree, letter, body)
        return body

    def _reduced(self, tree: lt.Big, letter: str, body: Value) -> Value:
        if letter not in body.indices:
            found = self.open[letter].length or self._upper_length(tree)
            if not found:
                self.fail(f"nothing in this sum has the index {letter}", tree)
            text = f"{found}*{self.bracketed(body, TIMES)}"
            body = replace(body, text=text if tree.kind == "sum" else f"{self.bracketed(body, ATOM)}**{found}",
                           level=TIMES if tree.kind == "sum" else POWER)  # fmt: skip
        else:
            axis = body.indices.index(letter)
            rest = tuple(i for i in body.indices if i != letter)
            which = f", axis={axis}" if rest or body.rank else ""
            body = replace(body, text=f"{tree.kind}({body.text}{which})", level=ATOM, indices=rest)
        self.scope.remove(letter)
        self.closed.add(letter)
        del self.open[letter]
        return body

    def _upper_length(self, tree: lt.Big) -> str:
        upper = tree.upper
        return self.lengths.get(upper.name, "") if isinstance(upper, lt.Name) else ""

    def _range(self, tree: lt.Big) -> Index:
        """Read the bounds of a sum: what they leave out of the axis."""
        lower, upper = tree.lower, tree.upper
        found = Index()
        if lower is not None:
            if not isinstance(lower, lt.Number) or not lower.text.isdigit():
                self.fail("a sum begins at a number", lower)
            first = int(lower.text)
            found.counted = first > 0
            found.front = max(0, first - 1)
        if upper is None:
            return found
        letter, shift = self._shifted(upper, upper) if not isinstance(upper, lt.Number) else ("", 0)
        if not letter:
            self.fail("a sum to a fixed number is not read", upper, "sums run over whole axes: to n, or to n - 1")
        end = -shift if found.counted else -shift - 1
        if end < 0:
            self.fail("this sum runs beyond the axis", upper)
        found.back = end
        if letter not in self.lengths and self.rank_of(letter) is None:
            self.fail(f"'{letter}' is not the length of anything in this sum", upper)
        return found


def _opposite(one: lt.Tree | None, other: lt.Tree) -> bool:
    r"""Tell whether two conditions are each other's opposite: ``x > 0`` and ``x \\leq 0``."""
    pairs = {("<", ">="), (">=", "<"), (">", "<="), ("<=", ">"), ("==", "!="), ("!=", "==")}
    return (
        isinstance(one, lt.Compare) and isinstance(other, lt.Compare) and len(one.ops) == len(other.ops) == 1
        and (one.ops[0], other.ops[0]) in pairs and list(map(_bare, one.args)) == list(map(_bare, other.args))
    )  # fmt: skip


def _bare(tree: lt.Tree) -> str:
    """Give a tree as text without its places."""
    parts = [getattr(tree, name) for name in tree.__dataclass_fields__ if name not in ("start", "end")]
    inner = [",".join(map(_bare, p)) if isinstance(p, tuple) and p and isinstance(p[0], lt.Tree) else
             _bare(p) if isinstance(p, lt.Tree) else repr(p) for p in parts]  # fmt: skip
    return f"{type(tree).__name__}({';'.join(inner)})"
