"""Modules of JavaScript: an ES module without imports, which a page may hold as well."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from symgd.kernel.code import forms
from symgd.kernel.code.declared import WHOLE, Declared, shown
from symgd.kernel.code.forms import Call, Expression, For, Name, Operation
from symgd.kernel.code.looped import Looped
from symgd.kernel.code.planned import CURVATURE, PRODUCT, SLOPE
from symgd.language.quoted import unquoted

_PUBLIC = ("objective", "data", "options", "start", "steps", "valueAndGradient", "hessian", "hessianTimes", "minimize",
           "parameters", "methods", "known", "column", "flat", "DATA")  # fmt: skip
_WORDS = """
abstract arguments async await boolean break byte case catch char class const continue debugger default delete do double
else enum eval export extends false final finally float for function goto if implements import in instanceof int
interface let long native new null of package private protected public return short static super switch synchronized
this throw throws transient true try typeof undefined var void volatile while with yield NaN Infinity Math Number Object
Array Float64Array Error RangeError globalThis window self top length status location event parent history document
"""


class JavaScriptPrinter(Declared):
    """Writes functions."""

    name = "javascript"
    signs: ClassVar[dict[str, str]] = {"and": "&&", "or": "||", "==": "===", "!=": "!==", "//": "/"}
    primitives: ClassVar[dict[str, str]] = {
        "cpow": "Math.pow",
        "int": "Math.trunc",
        "min": "Math.min",
        "max": "Math.max",
    }

    def declared(self, name: str, *, constant: bool = False) -> str:
        """Write a declaration."""
        return f"{'const' if constant else 'let'} {self.named(name)}"

    def unpack(self, targets: Sequence[Expression], call: Call, depth: int, *, fresh: bool) -> None:
        """Write a call that gives several numbers."""
        names = [t.name for t in targets if isinstance(t, Name)]
        word = ("const " if set(names) <= self.scopes.constant else "let ") if fresh else ""
        self.line(f"{word}[{', '.join(map(self.show, targets))}] = {self.show(call)};", depth)

    def give(self, values: Sequence[Expression], depth: int) -> None:
        """Write the end of the function."""
        found = self.valued(values[0]) if len(values) == 1 else f"[{', '.join(map(self.valued, values))}]"
        self.line(f"return {found};" if values else "return;", depth)

    def loop(self, s: For) -> str:
        """Write the head of a loop."""
        i, down = self.named(s.name), s.step < 0
        step = f"{i} {'-' if down else '+'}= {abs(s.step)}"
        return f"for (let {i} = {self.show(s.start)}; {i} {'>' if down else '<'} {self.show(s.stop)}; {step}) {{"

    def literal(self, value: float) -> str:
        """Write a number."""
        return shown(value, "Infinity", "NaN", whole=True)

    def at(self, e: forms.At, level: int) -> str:
        """Write an element of an array; the rows' own numbers are their places."""
        del level
        (place,) = e.places
        return self.show(place) if e.array == "_id" else f"{self.named(e.array)}[{self.show(place)}]"

    def special(self, e: Call, level: int) -> str:
        """Write conversions and remainders."""
        if e.function == "float":
            return self.show(e.args[0], level)
        if e.function == "int" and self.kind(e.args[0]) == WHOLE:
            return self.show(e.args[0], level)
        if e.function == "fmod":
            return self.show(Operation("%", *e.args), level)
        return ""


class JavaScript(Looped):
    """Writes a module."""

    target = "javascript"
    printer = JavaScriptPrinter
    reserved = frozenset([*_WORDS.split(), *_PUBLIC])

    def outside(self) -> list[str]:
        """Give the inputs that functions see without being handed them: all of them."""
        return self.inputs

    @staticmethod
    def cased(name: str) -> str:
        """Give the name of a function as the language writes it."""
        return re.sub(r"_+(\w)", lambda m: m[1].upper(), name)

    def head(self, function: forms.Function, printer: Declared) -> str:
        """Write the head of a function."""
        places = self.kept.get(function.name, range(len(function.arguments)))
        given = ", ".join([printer.named(function.arguments[i].name) for i in places])
        return f"function {self.title(function.name)}({given}) {{"

    # ---- the module ------------------------------------------------------------------------------------------------

    def text(self, values: Mapping[str, object] | None = None, rows: int = 0) -> str:
        """Write the module, with these values of the data in it, and so many rows, or with none."""
        inner = [line for name, lines in self.written.items() if name in self.plan.functions for line in ["", *lines]]
        helpers = [lines for name, lines in self.written.items() if name not in self.plan.functions]
        held = {
            **{unquoted(k) or k: v for k, v in (values or {}).items()},
            **({self.counter: rows} if self.counted else {}),
        }
        embedded = [f"const DATA = {_literal(held)};"] if values is not None and held else []
        body = [*self._data(), *(["", *self._descents()] if self.plan.rules else []), *inner, "", *self._public()]
        head = [f"// {line}".rstrip() for line in [*self.about(), "", *_HOW]]
        blocks = [
            head, *([embedded] if embedded else []), *helpers, *([_COLUMN] if self.data or self.counted else []),
            [f"function objective(data = {'DATA' if embedded else '{}'}) {{", *map(_indented, body), "}"],
            ["export { objective };"],
        ]  # fmt: skip
        return "\n\n".join(["\n".join(block) for block in blocks]) + "\n"

    def _data(self) -> list[str]:
        """Write what makes the data ready."""
        layout, lines, rows = self.layout, [], ""
        if self.counted:
            rows = self.names("_n")
            lines.append(f"const {rows} = Number(known(data, {_literal(self.counter)}));")
        for name, given in self.data.items():
            mine, key = [c for c in layout.columns if c.name == name], _literal(unquoted(name) or name)
            if not mine:
                lines.append(f"const {given} = Number(known(data, {key}));")
                continue
            width = next((c.width for c in mine if c.rows), 0)
            more = f", {width}, {rows or 'undefined'}" + ", true" * self.counted if width else ""
            lines.append(f"const {given} = column(data, {key}{more});")
            if width and not rows:
                rows = self.names("_n") if "_n" in self.names.known else self.names.free("rows")
                lines.append(f"const {rows} = {given}.length / {width};")
        tables = {self.names(f"_k{i}"): self.table(i) for i in range(len(layout.tables))}
        lines += [f"const {given} = {_literal(entries)};" for given, entries in tables.items()]
        for name, size in self.plan.memory.items():
            if size and name in self.names.known:
                lines.append(f"const {self.names(name)} = new Float64Array({size});")
        return [f"const n = {layout.size};", *lines, *_FLAT]

    def _public(self) -> list[str]:
        """Write what the module gives."""
        product, full = self._call(PRODUCT), self._call(CURVATURE)
        lines = [
            "return {", f"    parameters: {_literal(self._shapes())},", f"    value: (point) => {self._call('value')},",
            "    valueAndGradient(point) {", "        const gradient = new Float64Array(n);",
            f"        return {{ value: {self._call(SLOPE)}, gradient }};", "    },", "    hessian(point) {",
            "        const full = new Float64Array(n*n);", f"        {full};", "        return full;", "    },",
            "    hessianTimes(point, vector) {", "        const out = new Float64Array(n);", f"        {product};",
            "        return out;", "    },",
        ]  # fmt: skip
        return [*lines, *(["    methods,", "    minimize,"] if self.plan.rules else []), "};"]

    def _call(self, name: str, **more: str) -> str:
        """Write a call from outside."""
        room = "new Float64Array(n)"
        given = {
            "_x": "flat(point)", "_v": "flat(vector)", "_out": "gradient" if name == SLOPE else "out", "_full": "full",
            "_unit": room, "_column": room, "_e": room, "_w": room, **more,
        }  # fmt: skip
        arguments = self.plan.functions[name].arguments
        return f"{self.title(name)}({', '.join([given[arguments[i].name] for i in self.kept[name]])})"

    def _shapes(self) -> list[object]:
        return [[name, list(shape)] for name, shape in zip(self.layout.params, self.layout.shapes, strict=True)]

    def _descents(self) -> list[str]:
        """Write what takes the steps of rules."""
        lines = ["const methods = {"]
        runs = []
        for name, rule in self.plan.rules.items():
            states = len(rule.lowered.states) if rule.lowered else 0
            numbers = _literal(dict(rule.hyper))
            more = {f"_s{i}": f"memory[{i}]" for i in range(states)}
            more |= {"_x": "point", "_g": "gradient", "_h": "numbers", "_t": "before", "_stop": "before + steps"}
            key = _literal(rule.name or "rule")
            lines.append(f"    {key}: {{ numbers: {numbers}, states: {states} }},")
            runs.append(f"        {key}: () => {self._call(name, **more)},")
        first = _literal(next(iter(self.plan.rules.values())).name or "rule")
        return [*lines, "};", *(line.replace("FIRST", first) for line in _MINIMIZE), *runs, *_MINIMIZED]


_HOW = (
    "objective(data) gives value(point), valueAndGradient(point), hessian(point), row after row, and",
    "hessianTimes(point, vector), over arrays of numbers in the order above; where there is a rule, also",
    "minimize(start, steps, options): start is a point or what an earlier call gave, options hold the rule's numbers.",
)
_COLUMN = [
    "function known(data, name) {",
    "    if (data[name] === undefined) throw new Error(`data has no ${name}`);",
    "    return data[name];",
    "}",
    "",
    "function column(data, name, width = 1, rows = undefined, longer = false) {",
    "    const given = known(data, name);",
    "    const found = Float64Array.from(Array.isArray(given) ? given.flat(Infinity) : given);",
    "    const wanted = rows === undefined ? Math.ceil(found.length / width)*width : rows*width;",
    "    if (longer ? found.length < wanted : found.length !== wanted) {",
    "        throw new RangeError(`data.${name} has ${found.length} numbers, and needs ${wanted}`);",
    "    }",
    "    return found;",
    "}",
]
_FLAT = [
    "",
    "function flat(point) {",
    "    const found = Float64Array.from(Array.isArray(point) ? point.flat(Infinity) : point);",
    "    if (found.length !== n) throw new RangeError(`a point has ${n} numbers; got ${found.length}`);",
    "    return found;",
    "}",
]
_MINIMIZE = [
    "",
    "function minimize(start, steps, options = {}) {",
    "    const method = options.method ?? start.method ?? FIRST;",
    "    if (!Object.hasOwn(methods, method)) throw new Error(`no method ${method}`);",
    "    const known = { ...methods[method].numbers, ...start.numbers, ...options };",
    "    const names = Object.keys(methods[method].numbers);",
    "    const numbers = Float64Array.from(names.map((name) => Number(known[name])));",
    "    const point = flat(start.point ?? start);",
    "    const gradient = new Float64Array(n);",
    "    const memory = start.memory?.map((state) => Float64Array.from(state))",
    "        ?? Array.from({ length: methods[method].states }, () => new Float64Array(n));",
    "    const before = start.steps ?? 0;",
    "    const run = {",
]
_MINIMIZED = [
    "    };",
    "    const [done, value] = run[method]();",
    "    const kept = Object.fromEntries(names.map((name, i) => [name, numbers[i]]));",
    "    return { point, value, gradient, steps: done, memory, method, numbers: kept };",
    "}",
]


def _indented(line: str) -> str:
    return f"    {line}".rstrip()


def _literal(value: object) -> str:
    """Write data: numbers, texts, lists and mappings, in ASCII and without the end of a script."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value).replace("<", "\\u003c")
    return shown(value, "Infinity", "NaN", whole=True)  # type: ignore[arg-type]
