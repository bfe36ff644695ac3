"""Modules of JAX and of PyTorch: the statements of NumPy, without blocks, branches and, for JAX, changes in place."""

from __future__ import annotations

import ast
import re
from typing import ClassVar

from symgd.graph import Leaf
from symgd.kernel.code import helpers, selected
from symgd.kernel.code.array_inputs import Source
from symgd.kernel.code.contractions import Value
from symgd.kernel.code.forms import PREFIX
from symgd.kernel.code.functions import Output
from symgd.kernel.code.standalone import Module, Standing, split
from symgd.language import vectors
from symgd.language.functions import FUNCTIONS

_ADDED = re.compile(r"( *)(_\w+)\[(.*)\] \+= (.*)", re.DOTALL)


class Tensors(Standing):
    """Writes a function of whole arrays."""

    def _in_blocks(self, home: str, size: int) -> bool:
        del home, size
        return False

    def _add_rows(self, leaf: Leaf, source: Source, value: Value) -> bool:
        del leaf, source, value
        return False

    def _taken(self, view: str, picked: str, axis: int) -> str:
        return f"{view}[{':, ' * axis}{picked}]"

    def _give(self) -> int:
        if self.name != "curvature":
            return super()._give()
        n, values = self.layout.size, {}
        for (i, j), node in zip(self.entries, self.numbers, strict=True):
            values[i, j] = values[j, i] = self.numeric(node).code
        rows = [f"[{', '.join([values.get((i, j), '0.0') for j in range(n)])}]" for i in range(n)]
        self.line(f"return filled([{', '.join(rows)}])")
        return 1


class Unchanged(Tensors):
    """Writes a function in which no array is changed in place: what is added to is another array from then on."""

    def line(self, text: str) -> None:
        """Write a line."""
        match = _ADDED.fullmatch(text)
        super().line(f"{match[2]} = {match[2]}.at[{match[3]}].add({match[4]})" if match else text)

    def _source(self, leaf: Leaf, vector: str = "") -> Source:
        source = super()._source(leaf, vector)
        if vector == "_out":
            self.head[source.name] = f"{source.name} = np.zeros({source.shape})"
        return source

    def _scatter(self, out: str, places: str, values: str) -> None:
        start = re.search(r"\[(\d+):", out)
        first = f"{start[1]} + " if start and start[1] != "0" else ""
        super().line(f"_out = _out.at[{first}({places})].add({values})")

    def _parts(self) -> list[str]:
        """Write the parts of what is filled: of the flat vector, and of the array that is the parameter's own."""
        found = []
        for name, flat in split("_out", self.layout).items():
            own = f"_out{self.layout.point_shapes.starts[name]}"
            found.append(f"{flat} + {own}" if own in self.head else flat)
        return found


class TensorModule(Module):
    """Writes a module."""

    target: ClassVar[str]
    space: ClassVar[str]  # what takes NumPy's place
    imports: ClassVar[str]
    statements = Tensors

    def whole(self) -> Output | None:
        """The Hessian is made column by column."""
        return None

    def written(self) -> list[str]:
        """Write what the functions call, imports first."""
        found: dict[str, str] = {}
        for call in self.calls:
            if call.startswith(PREFIX):
                self._define(call.removeprefix(PREFIX), found)
        return (
            ["import math", *found.values()] if any("math." in text for text in found.values()) else [*found.values()]
        )

    def _define(self, name: str, found: dict[str, str]) -> None:
        """Write a function of the table on arrays, behind those that it calls."""
        title = PREFIX + name
        if title in found:
            return
        name = {"pow": "power", "cpow": "power"}.get(name, name)
        row = FUNCTIONS.get(name)
        if row is not None and self.target in row.library:
            found[title] = f"{title} = {self.called(row.library[self.target])}"
        elif name in self.own():
            found[title] = f"{title} = {self.own()[name]}"
        elif row is not None and vectors.is_ufunc(name):
            found[title] = f"{title} = np.{name}"
        elif name in vectors.OWN:
            found[title] = ast.unparse(ast.fix_missing_locations(helpers.own(name)))
        else:
            found[title] = ""
            lines, calls = selected.definition(name, title)
            for call in calls:
                self._define(call, found)
            del found[title]
            found[title] = "\n".join(lines)

    def own(self) -> dict[str, str]:
        """Give functions that are neither in the target's library nor to be translated."""
        return {"power": "np.power"}

    def called(self, name: str) -> str:
        """Give a function of the library that takes numbers too."""
        return name

    def text(self) -> str:
        """Write the module."""
        text = super().text()
        head, _, body = text.partition('"""\n\nimport')
        if not body:
            return text
        body = body.partition("\n\n\n")[2] if "\n\n\n" in body else body
        body = re.sub(r'@np\.errstate\(all="ignore"\)\n', "", body)
        body = body.replace("np.logaddexp.reduce(", "np.logsumexp(").replace(", optimize=True", "")
        body = re.sub(r"(?<![\w.])(float|int)\(", r"as_\1(", body)
        body = re.sub(r"(?<![\w.])np\.", f"{self.space}.", self.changed(body))
        head = head.replace("in NumPy alone", f"in {self.told} alone")
        return f'{head}"""\n\nimport math\n\n{self.imports}\n\n\n{body}'

    told: ClassVar[str]

    def changed(self, body: str) -> str:
        """Write what the target has otherwise."""
        return body


_MATRIX = '''
def matrix(name, body):
    """Give a function of a whole matrix."""
    if name == "inv":
        return SPACE.linalg.inv(body)
    sign, size = SPACE.linalg.slogdet(body)
    if name == "adjugate":
        n = len(body)
        rows = [[i for i in range(n) if i != k] for k in range(n)]
        minors = [[(-1)**(i + j)*SPACE.linalg.det(body[rows[j]][:, rows[i]]) for j in range(n)] for i in range(n)]
        return filled(minors) if n > 1 else body*0 + 1
    known = {"detsign": sign, "logabsdet": size, "det": SPACE.linalg.det(body)}
    return known[name] if name in known else SPACE.where(sign >= 0, size, SPACE.nan)


def join(largest, total, values):
    """Give the largest value, and the sum of exponentials in units of its own."""
    top = SPACE.MAX(values)
    return top, SPACE.sum(SPACE.where(values == top, 1.0, SPACE.exp(values - top)))
'''


class Jax(TensorModule):
    """Writes a module of JAX."""

    target, space, told = "jax", "jnp", "JAX"
    statements = Unchanged
    imports = """import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)


def as_float(a):
    return jnp.asarray(a, jnp.float64)


def as_int(a):
    return jnp.asarray(a, jnp.int64)


def filled(rows):
    return jnp.array([[as_float(entry) for entry in row] for row in rows])

""" + _MATRIX.replace("SPACE.MAX", "jnp.max").replace("SPACE", "jnp").rstrip()

    def own(self) -> dict[str, str]:
        """Give functions that are neither in the target's library nor to be translated."""
        return super().own() | {"polygamma": "lambda n, a: jax.scipy.special.polygamma(as_int(n), as_float(a))"}

    def changed(self, body: str) -> str:
        """Write what JAX has otherwise."""
        return body.replace("np.logsumexp(", "jax.scipy.special.logsumexp(")


_TORCH = {
    "sum": "torch.sum(a, b) if b is not None else torch.sum(a)", "prod": "torch.prod(a, b)",
    "min": "torch.amin(a, b)", "max": "torch.amax(a, b)", "logsumexp": "torch.logsumexp(a, b)",
    "tensordot": "torch.tensordot(a, b, ([c[0]], [c[1]]))", "einsum": "torch.einsum(a, b, c)",
    "arange": "torch.arange(a) if b is None else torch.arange(a, b)", "zeros": "torch.zeros(a, dtype=torch.float64)",
    "eye": "torch.eye(a, dtype=torch.float64)", "concatenate": "torch.cat(a)",
    "ravel": "torch.ravel(torch.as_tensor(a))",
    "sign": "torch.where(torch.isnan(as_float(a)), as_float(a), torch.sign(as_float(a)))",
    "cbrt": "cube_root(as_float(a))", "any": "torch.any(torch.as_tensor(a))",
    "array": "torch.stack([torch.as_tensor(x) for x in a])",
    "asarray": "torch.as_tensor(a) if b is None else as_float(a) if b is float else as_int(a)",
    "where": "torch.where(torch.as_tensor(a), as_float(b), as_float(c))",
}  # fmt: skip
_RENAMED = {"power": "pow", "rint": "round", "mod": "remainder", "equal": "eq", "not_equal": "ne", "absolute": "abs"}


class PyTorch(TensorModule):
    """Writes a module of PyTorch."""

    target, space, told = "pytorch", "tn", "PyTorch"
    imports = """import torch


def as_float(a):
    return torch.as_tensor(a, dtype=torch.float64)


def as_int(a):
    return torch.as_tensor(a).to(torch.int64)


def filled(rows):
    return torch.stack([torch.stack([as_float(entry) for entry in row]) for row in rows])


def each(function):
    def call(*given):
        return function(*torch.broadcast_tensors(*map(torch.as_tensor, (
            given if all(isinstance(a, (torch.Tensor, bool)) for a in given) else map(as_float, given)))))
    return call


def gamma(a):
    minus = (a < 0) & (torch.floor(a) % 2 != 0)
    found = torch.where(minus, -1.0, 1.0)*torch.exp(torch.lgamma(a))
    found = torch.where((a < 0) & (a == torch.floor(a)), torch.nan, found)
    return torch.where(a == 0, torch.copysign(found, a), found)


def cube_root(a):
    y = torch.abs(a)**(1/3)
    better = torch.sign(a)*(y - (y - torch.abs(a)/(y*y))/3)
    return torch.where(torch.isfinite(better), better, a)


def scatter(out, places, values):
    where, what = torch.broadcast_tensors(torch.as_tensor(places), as_float(values))
    out.index_add_(0, where.reshape(-1), what.reshape(-1))
"""

    def own(self) -> dict[str, str]:
        """Give functions that are neither in the target's library nor to be translated."""
        return super().own() | {"gamma": "each(gamma)"}

    def called(self, name: str) -> str:
        """Give a function of the library that takes numbers too."""
        return f"each({name})"

    def text(self) -> str:
        """Write the module."""
        text = super().text().replace(".transpose(", ".permute(")
        matrix = (
            _MATRIX.replace("SPACE.MAX", "torch.max").replace("SPACE.linalg", "torch.linalg").replace("SPACE", "tn")
        )
        head, mark, body = text.partition("    out.index_add_(0, where.reshape(-1), what.reshape(-1))\n")
        body = matrix + body if "matrix(" in body or "join(" in body else body
        used = dict.fromkeys(re.findall(r"\btn\.(\w+)", body))
        lines = ["class tn:", '    """What NumPy calls otherwise than PyTorch."""', ""]
        for name in used:
            if name in ("inf", "nan"):
                lines.append(f"    {name} = math.{name}")
            elif name == "int64":
                lines.append("    int64 = torch.int64")
            elif name in _TORCH:
                lines += [
                    "",
                    "    @staticmethod",
                    f"    def {name}(a, b=None, c=None):",
                    f"        return {_TORCH[name]}",
                ]
            else:
                lines.append(f"    {name} = staticmethod(each(torch.{_RENAMED.get(name, name)}))")
        return head + mark + "\n\n" + "\n".join(lines) + "\n\n\n" + body.strip("\n") + "\n"
