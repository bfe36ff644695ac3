"""An objective as a module of NumPy that stands alone: value, gradient, Hessian times a direction, Hessian.

The statements are those of the first tier (`arrays.py`); here they get the formula's own names for arguments, and the
functions that they call are written out (`helpers.py`), so that the text runs wherever NumPy does.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Sequence
from itertools import count

from symgd.graph import Leaf
from symgd.kernel.code import helpers
from symgd.kernel.code.array_entries import INDENT
from symgd.kernel.code.array_inputs import Source
from symgd.kernel.code.arrays import ArrayFunction
from symgd.kernel.code.contractions import Value
from symgd.kernel.code.functions import Output
from symgd.kernel.code.layout import Layout
from symgd.kernel.code.module import Derived
from symgd.language.quoted import unquoted

GIVES = {
    "value": "Give the value.",
    "slope": "Give the value, and the gradient: a part for each parameter.",
    "product": "Give the Hessian times a direction, which like the result has a part for each parameter.",
    "curvature": "Give the Hessian.",
}
NAMES = {"value": "value", "slope": "value_and_gradient", "product": "hessian_times", "curvature": "hessian"}
_TOKEN = re.compile(r"(?<![\w.])_([a-z]+)(\d*)\b")
# What names made by `ArrayFunction` are for, for people.
_WORDS = {
    "a": "start", "b": "stop", "n": "rows", "id": "places", "t": "t", "f": "total", "g": "part", "s": "kept",
    "m": "matrix", "k": "table", "out": "result", "hist": "full", "x": "flat", "v": "direction",
}  # fmt: skip
_COUNTED = {"t", "f", "g", "s", "m"}  # numbered anew in each function


class Standing(ArrayFunction):
    """Writes a function whose parameters come one by one, and that gives what it made."""

    entries: tuple[tuple[int, int], ...] = ()  # the places of the numbers of a Hessian

    def _leaf(self, leaf: Leaf) -> Value:
        if not leaf.index and leaf.kind in ("parameter", "direction"):
            return Value(f"_{'x' if leaf.kind == 'parameter' else 'v'}{self._place(leaf)}", ())
        return super()._leaf(leaf)

    def _place(self, leaf: Leaf) -> int:
        return self.layout.point_shapes.starts[leaf.name]

    def _source(self, leaf: Leaf, vector: str = "") -> Source:
        source = super()._source(leaf, vector)
        if source.name.startswith(("_d", "_x")) or (source.name.startswith("_v") and not self.units):
            self.head.pop(source.name, None)  # an argument, in its own shape
        return source

    def _first(self) -> list[str]:
        n = self.layout.size
        if not self.units:
            return [f"_out = np.zeros({n})"]
        return [f"_hist = np.zeros(({n}, {n}))", "_out = _hist.reshape(-1)", f"_v = np.eye({n}).reshape(-1)"]

    def _give(self) -> int:
        values = [f"float({self.numeric(node).code})" for node in self.numbers]
        n = self.layout.size
        if self.name == "curvature" and not self.units:
            self.line(f"_hist = np.zeros(({n}, {n}))")
            for (i, j), value in zip(self.entries, values, strict=True):
                self.line(f"_hist[{i}, {j}] = " + (f"_hist[{j}, {i}] = " if i != j else "") + value)
            self.line("return _hist")
            return 1
        if self.vector and self.layout.unrolled:
            given = {e.leaf.name: e.node for e in self.singles}
            parts = [f"float({self.numeric(given[p]).code})" if p in given else "0.0" for p in self.layout.params]
        else:
            for entry in self.singles if self.vector else []:
                self.line(f"_out[{self._offset(entry.leaf)}] += {self.numeric(entry.node).code}")
            parts = self._parts() if self.vector else []
        if self.units:
            self.line("return (_hist + _hist.T)/2")
        else:
            tupled = [f"({', '.join(parts)}{',' * (len(parts) == 1)})"] if self.vector else []
            self.line(f"return {', '.join([*values, *tupled])}")
        return 1

    def _parts(self) -> list[str]:
        """Write the parts of what is filled."""
        return list(split("_out", self.layout).values())


def split(vector: str, layout: Layout) -> dict[str, str]:
    """Write the parts of a flat vector, by the names of parameters."""
    found = {}
    for name, shape in zip(layout.params, layout.shapes, strict=True):
        start = layout.point_shapes.starts[name]
        size = 1
        for side in shape:
            size *= side
        cut = f"{vector}[{start}:{start + size}]"
        found[name] = f"float({vector}[{start}])" if not shape else cut if len(shape) == 1 else f"{cut}.reshape{shape}"
    return found


class Module:
    """Writes the module.

    Parameters
    ----------
    derived : Derived
        The objective with its derivatives.
    formula : str
        Its text.
    version : str
        symgd's.
    """

    statements: type[Standing] = Standing

    def __init__(self, derived: Derived, formula: str, version: str) -> None:
        self.derived, self.formula, self.version = derived, formula, version
        self.layout = layout = derived.inputs
        self.calls: dict[str, None] = {}
        found = self._functions()
        self.helpers = self.written()
        defined = re.findall(r"^(?:def )?(\w+)(?=\(| = )", "\n".join(self.helpers), re.MULTILINE)
        self.taken = {"np", "math", "inf", "nan", *defined, *NAMES.values(), *keyword.kwlist, *dir(builtins)}
        self.params = {name: self._free(_identifier(name)) for name in layout.params}
        self.directions = {name: self._free(f"v_{self.params[name]}") for name in layout.params}
        inputs = dict.fromkeys([*layout.scalars, *(c.name for c in layout.columns)])
        self.data = {name: self._free(_identifier(name)) for name in inputs}
        # Without a column by rows that says it, how many there are is an argument.
        by_rows = [self.data[column.name] for column in layout.columns if column.rows]
        self.counter = f"len({by_rows[0]})" if by_rows else ""
        self.words = {word: self._free(_WORDS[word]) for word in ("a", "b", "n", "id", "out", "hist", "x", "v")}
        self.tables = {f"_k{i}": self._free(f"table{i}") for i in range(len(layout.tables))}
        self.functions = [self._function(name, lines) for name, lines in found.items()]

    def _free(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def whole(self) -> Output | None:
        """Give the Hessian as one function of all unit vectors, where it has none of its own."""
        return self.derived.whole()

    def written(self) -> list[str]:
        """Write what the functions call, imports first."""
        return helpers.texts(self.calls)

    # ---- statements ------------------------------------------------------------------------------------------------

    def _functions(self) -> dict[str, list[str]]:
        """Give the lines of each function, in the names of generated code."""
        units = not self.layout.unrolled
        return {
            name: self._statements(name, output, units=units and name == "curvature")
            for name, output in self.derived.on_arrays(self.whole()).items()
        }

    def _statements(self, name: str, output: Output, *, units: bool = False) -> list[str]:
        function = self.statements(
            name, self.layout, output.numbers, output.entries, self.derived.graph.store.lengths, [],
            vector=output.vector, units=units,
        )  # fmt: skip
        function.entries = self.derived.entries
        text = function.text()
        self.calls |= dict.fromkeys(text.calls)
        return text.body.splitlines()

    def _by_columns(self) -> list[str]:
        """Give the Hessian of parameters that are named in a table: as products, one after the other."""
        point = ", ".join([*self.params.values(), *split("unit", self.layout).values(), *self._last()])
        return [
            "columns = []", f"for unit in np.eye({self.layout.size}):",
            f"{INDENT}parts = {NAMES['product']}({point})",
            f"{INDENT}columns.append(np.concatenate([np.ravel(part) for part in parts]))",
            "full = np.array(columns)", "return (full + full.T)/2",
        ]  # fmt: skip

    # ---- functions -------------------------------------------------------------------------------------------------

    def _last(self) -> list[str]:
        """Give the arguments behind the point."""
        rows = self.layout.counted or self.layout.numbered
        return [*self.data.values(), *([self.words["n"]] if rows and not self.counter else [])]

    def _function(self, name: str, lines: list[str]) -> str:
        numbers: dict[str, str] = {}
        known = dict(self.taken_by_inputs())
        counters = {word: count(1) for word in _COUNTED}

        def renamed(match: re.Match[str]) -> str:
            whole, word, number = match.group(0), match.group(1), match.group(2)
            if whole in known:
                return known[whole]
            if whole not in numbers:
                if not number:
                    numbers[whole] = self.words[word]
                elif word in _COUNTED:
                    numbers[whole] = self._unused(f"{_WORDS[word]}{next(counters[word])}")
                else:  # a view of what is filled, or of all directions at once
                    param = self.params[self._param(int(number))]
                    numbers[whole] = self._unused(f"{'all' if word == 'v' else 'of'}_{param}")
            return numbers[whole]

        if name == "curvature" and any(line.strip().startswith("_v = ") for line in lines):
            known = {k: v for k, v in known.items() if not k.startswith("_v")}
        body = [_TOKEN.sub(renamed, line) for line in lines]
        return self._definition(name, body)

    def _unused(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        return name

    def _param(self, start: int) -> str:
        return next(n for n in self.layout.params if self.layout.point_shapes.starts[n] == start
                    and (self.layout.point_shapes[n] != (0,)))  # fmt: skip

    def taken_by_inputs(self) -> Iterable[tuple[str, str]]:
        """Give what generated code calls each input, with its name here."""
        starts = self.layout.point_shapes.starts
        for letter, names in (("x", self.params), ("v", self.directions)):
            for name, given in names.items():
                yield f"_{letter}{starts[name]}", given
        for i, column in enumerate(self.layout.columns):
            yield f"_d{i}", self.data[column.name]
        for i, name in enumerate(self.layout.scalars):
            yield f"_c{i}", self.data[name]
        yield from self.tables.items()

    def _definition(self, name: str, body: list[str]) -> str:
        text = "\n".join(body)
        used = set(re.findall(r"\w+", text))
        ahead = []
        for letter, names in (("x", self.params), ("v", self.directions)):
            flat = self.words[letter]
            assigned = f"{INDENT}{flat} = " in text
            for given, shape in zip(names.values(), self.layout.shapes, strict=True):
                if given in used or (flat in used and not assigned):
                    ahead.append(_checked(given, shape))
            if flat in used and not assigned:
                ahead.append(f"{flat} = np.concatenate([{', '.join(f'np.ravel({n})' for n in names.values())}])")
        ahead += self._data_ahead(used)
        directions = list(self.directions.values()) if name == "product" else []
        arguments = ", ".join([*self.params.values(), *directions, *self._last()])
        head = [f"def {NAMES[name]}({arguments}):", f'{INDENT}"""{GIVES[name]}"""']
        return "\n".join(['@np.errstate(all="ignore")', *head, *(INDENT + line for line in ahead), *body])

    def _data_ahead(self, used: set[str]) -> list[str]:
        ahead = []
        rows = self.words["n"]
        places = self.words["id"] in used
        for name, given in self.data.items():
            counting = self.counter == f"len({given})" and (rows in used or places)
            if given not in used and not counting:
                continue
            kinds = {c.dtype for c in self.layout.columns if c.name == name}
            if not kinds:
                ahead.append(f"{given} = float({given})")
            else:
                ahead.append(f"{given} = np.asarray({given}{', float' if kinds == {'float64'} else ''})")
        if self.counter and (rows in used or places):
            ahead.append(f"{rows} = {self.counter}")
        return [*ahead, *([f"{self.words['id']} = np.arange({rows})"] if places else [])]

    # ---- the text --------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """Write the module."""
        functions = list(self.functions)
        if "curvature" not in self.derived.outputs and len(functions) == 3:
            functions.append(self._definition("curvature", [INDENT + line for line in self._by_columns()]))
        tables = [f"{given} = np.array({list(self._table(i))!r})" for i, given in enumerate(self.tables.values())]
        imports = ["import numpy as np"]
        parts = list(self.helpers)
        if parts and parts[0].startswith(("import ", "from ")):
            imports.insert(0, parts.pop(0))
            imports[0] += "\n"
        blocks = [*tables, *parts, *functions]
        return "\n\n\n".join(["\n".join([self._head(), "", *imports]), *blocks]) + "\n"

    def _table(self, place: int) -> Iterable[object]:
        starts = self.layout.point_shapes.starts
        return (starts[e] if isinstance(e, str) else e for e in self.layout.tables[place])

    def _head(self) -> str:
        text = self.formula.strip().replace("\\", "\\\\").replace('"', '\\"')
        params = [f"{n} ({_shape(s)})" for n, s in zip(self.params.values(), self.layout.shapes, strict=True)]
        columns = {self.data[c.name]: _shape((*(["rows"] if c.rows else []), *c.shape)) for c in self.layout.columns}
        data = [f"{n} ({columns.get(n, 'a number')})" for n in self.data.values()]
        data += [f"{n} (how many there are)" for n in self._last() if n not in self.data.values()]
        lines = [
            f'"""{text}', "", f"Value and exact derivatives in NumPy alone, written by symgd {self.version}.", "",
            f"Parameters: {', '.join(params) or 'none'}.", *([f"Data: {', '.join(data)}."] if data else []),
            f"The Hessian has {self.layout.size} rows: one for each entry of the parameters, in this order.", '"""',
        ]  # fmt: skip
        return "\n".join(lines)


def _checked(name: str, shape: tuple[int, ...]) -> str:
    """Write that an argument has its shape."""
    if not shape:
        return f"{name} = float({name})"
    return f"{name} = np.asarray({name}, float).reshape({', '.join(map(str, shape))})"


def _shape(shape: Sequence[object]) -> str:
    return " x ".join(map(str, shape)) if len(shape) else "a number"


def _identifier(name: str) -> str:
    """Give a name that Python takes: as it is, but for one in backquotes."""
    plain = unquoted(name)
    found = re.sub(r"\W+", "_", name if plain is None else plain).strip("_")
    return found if found.isidentifier() else f"column_{found}"
