"""Products: of matrices, of vectors, place by place; and quotients."""

from __future__ import annotations

from dataclasses import replace

from symgd.language.latex import tree as lt
from symgd.language.latex.axes import ATOM, POWER, TIMES, Axes, Value, said


class Products(Axes):
    """Works out what stands side by side."""

    def times(self, a: Value, b: Value, op: str, where: lt.Tree) -> Value:
        """Multiply by what stands between the two."""
        if op == "/":
            return self.over(a, b, where)
        if op == "times" and a.rank and b.rank:
            self.fail("a cross product is not read", where)
        if op == "odot" or 0 in (a.rank, b.rank):
            if op == "odot" and a.rank != b.rank and a.rank and b.rank:
                self.fail(f"{said(a)} and {said(b)} are not multiplied place by place", where)
            (left, right), total = self.aligned(a, b, TIMES)
            return replace(total, text=f"{left}*{right}", level=TIMES)
        return self._matmul(a, b, op, where)

    def _matmul(self, a: Value, b: Value, op: str, where: lt.Tree) -> Value:
        if a.rank == b.rank == 1:
            if op == "dot" or (a.row and not b.row):
                return self.inner(a, b)
            if b.row and not a.row:
                return self._outer(a, b, where)
            if not a.row:
                self.ask(where, "the inner product (write ^\\top or \\cdot)", "a product place by place (write \\odot)")
            self.fail("two transposed vectors stand side by side", where)
        if a.rank == 1 and not a.row:
            self.fail(f"a vector stands before {said(b)}", where, "write ^\\top after the vector for a row")
        if b.rank == 1 and b.row:
            self.fail(f"{said(a)} stands before a transposed vector", where)
        if a.ones or b.ones:
            return self._sums(a, b, where)
        if not a.indices and not b.indices:
            text = f"{self.bracketed(a, TIMES)} @ {self.bracketed(b, POWER)}"
            return Value(text, TIMES, rank=a.rank + b.rank - 2, row=a.rank == 1)
        if a.rank == 2 and b.rank == 1 and not a.indices:  # a matrix times each of several vectors
            text = f"{self.bracketed(b, TIMES)} @ {self.bracketed(a, ATOM)}.T"
            return Value(text, TIMES, b.indices, 1)
        if a.rank == 1 and b.rank == 2 and not b.indices:
            text = f"{self.bracketed(a, TIMES)} @ {self.bracketed(b, POWER)}"
            return Value(text, TIMES, a.indices, 1, row=True)
        return self.fail("products of matrices with indices are not read", where, "write the entries out")

    def inner(self, a: Value, b: Value) -> Value:
        """Multiply two vectors into a number."""
        if a.ones or b.ones:
            other = b if a.ones else a
            if other.ones:
                return Value(self.lengths.get("n", "1"))
            text = other.text if not other.indices else f"{other.text}, axis=-1"
            return Value(f"sum({text})", indices=other.indices)
        if not a.indices and not b.indices:
            return Value(f"{self.bracketed(a, TIMES)} @ {self.bracketed(b, POWER)}", TIMES)
        plain = [v for v in (a, b) if not v.indices]
        if plain:  # rows times one vector
            other = b if plain[0] is a else a
            text = f"{self.bracketed(other, TIMES)} @ {self.bracketed(plain[0], POWER)}"
            return Value(text, TIMES, other.indices)
        (left, right), total = self.aligned(a, b, TIMES)
        return Value(f"sum({left}*{right}, axis=-1)", indices=total.indices)

    def _sums(self, a: Value, b: Value, where: lt.Tree) -> Value:
        matrix, axis = (b, 0) if a.ones else (a, 1)
        if matrix.rank != 2 or matrix.indices:
            self.fail("this product with a vector of ones is not read", where)
        return Value(f"sum({matrix.text}, axis={axis})", rank=1, row=a.ones)

    def _outer(self, a: Value, b: Value, where: lt.Tree) -> Value:
        if a.ones or b.ones or a.indices or b.indices:
            self.fail("this outer product is not read", where, "write the entries out")
        left, right = (self.bracketed(v, ATOM) for v in (a, b))
        return Value(f"{left}[:, None]*{right}[None, :]", TIMES, rank=2)

    def over(self, a: Value, b: Value, where: lt.Tree) -> Value:
        """Divide."""
        if b.rank:
            self.fail(f"nothing is divided by {said(b)}", where, "an inverse is ^{-1}; place by place, use indices")
        (left, _), total = self.aligned(a, b, TIMES)
        _, right = self.aligned(a, b, TIMES)[0]
        return replace(total, text=f"{left}/{right}", level=TIMES, row=a.row)
