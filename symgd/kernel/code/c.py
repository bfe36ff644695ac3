"""Modules of C99: functions over arrays that the caller owns, without memory of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from symgd.kernel.code import forms
from symgd.kernel.code.declared import NUMBER, WHOLE, Declared, shown
from symgd.kernel.code.forms import At, Call, Choice, Expression, For, Name, Operation
from symgd.kernel.code.identifiers import comment, identifier
from symgd.kernel.code.looped import Looped
from symgd.kernel.code.planned import CURVATURE, PRODUCT, SLOPE, Rule
from symgd.language.functions import FUNCTIONS

_TYPES = {"number": "double", "whole": "int64_t", "float64": "double", "float32": "float"}
_PUBLIC = {SLOPE: "value_and_gradient", PRODUCT: "hessian_times", CURVATURE: "hessian"}
_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool complex
imaginary true false asm typeof alignas alignof main printf scanf puts fputs malloc free exit NULL EOF given_number
print_numbers INFINITY NAN N WORK MEMORY BUFFER SYMGD_MAIN j0 j1 jn y0 y1 yn gamma drem scalb significand finite isnan
isinf signgam int64_t size_t time steps work settings result given strtod strncmp argc argv stdin stdout errno unix
linux class new delete this template private public protected virtual operator namespace using try catch throw
"""


class CPrinter(Declared):
    """Writes functions."""

    name = "c"
    signs: ClassVar[dict[str, str]] = {"and": "&&", "or": "||", "//": "/"}
    primitives: ClassVar[dict[str, str]] = {"pow": "pow", "cpow": "pow", "fmod": "fmod"}

    def declared(self, name: str, *, constant: bool = False) -> str:
        """Write a declaration; what gets its value later begins at 0."""
        kind = _TYPES[self.kinds.get(name, NUMBER)]
        return f"{'const ' if constant else ''}{kind} {self.named(name)}"

    def unpack(self, targets: Sequence[Expression], call: Call, depth: int, *, fresh: bool) -> None:
        """Write a call that gives several numbers: to an array, which is its last argument."""
        got = self.named(f"_got{len(self.lines)}")
        self.line(f"double {got}[{len(targets)}];", depth)
        self.line(f"{self.show(call)[:-1]}, {got});", depth)
        for place, target in enumerate(targets):
            if not isinstance(target, Name) or target.name in self.read:
                self.line(f"{self.target(target, fresh=fresh)} = {got}[{place}];", depth)

    def bare(self, name: str) -> str:
        """Write the declaration of a variable that gets its value later."""
        return f"{self.declared(name)} = 0"

    def give(self, values: Sequence[Expression], depth: int) -> None:
        """Write the end of the function."""
        if len(values) > 1:
            for place, value in enumerate(values):
                self.line(f"result[{place}] = {self.valued(value)};", depth)
            if depth > 1:
                self.line("return;", depth)
        else:
            self.line(f"return {self.valued(values[0])};" if values else "return;", depth)

    def loop(self, s: For) -> str:
        """Write the head of a loop."""
        i, down = self.named(s.name), s.step < 0
        step = f"{i} {'-' if down else '+'}= {abs(s.step)}" if abs(s.step) > 1 else f"{'--' if down else '++'}{i}"
        head = f"for (int64_t {i} = {self.show(s.start)}; {i} {'>' if down else '<'} {self.show(s.stop)}; {step})"
        return f"{head} {{"

    def literal(self, value: float) -> str:
        """Write a number."""
        return shown(value, "INFINITY", "NAN")

    def at(self, e: At, level: int) -> str:
        """Write an element of an array; the rows' own numbers are their places."""
        (place,) = e.places
        if e.array == "_id":
            return self.show(place, level)
        return f"{self.named(e.array)}[{self.show(place)}]"

    def operation(self, e: Operation, level: int) -> str:
        """Write arithmetic: no quotient of whole numbers, which would be whole."""
        if e.sign == "/" and self.kind(e.a) != NUMBER and self.kind(e.b) != NUMBER:
            return super().operation(Operation("/", Call("float", e.a), e.b), level)
        return super().operation(e, level)

    def special(self, e: Call, level: int) -> str:
        """Write conversions, and the smaller of two whole numbers."""
        if e.function in ("float", "int"):
            to = NUMBER if e.function == "float" else WHOLE
            if self.kind(e.args[0]) == to and not isinstance(e.args[0], At):
                return self.show(e.args[0], level)
            return f"({_TYPES[to]}){self.valued(e.args[0], 9)}"
        if e.function == "min":
            return self.show(Choice(Operation("<", *e.args), *e.args), level)
        return ""


class C(Looped):
    """Writes a module."""

    target = "c"
    public = ("value", *_PUBLIC)
    printer = CPrinter
    reserved = frozenset([*_WORDS.split(), *CPrinter.primitives,
                          *(row.library["c"] for row in FUNCTIONS.values() if "c" in row.library)])  # fmt: skip

    @staticmethod
    def cased(name: str) -> str:
        """Give the name of a function in the text."""
        return _PUBLIC.get(name, name)

    # ---- functions -------------------------------------------------------------------------------------------------

    def head(self, function: forms.Function, printer: Declared) -> str:
        """Write the head of a function."""
        head = f"{'' if function.name in self.public else 'static '}{self.prototype(function)}\n{{"
        del printer
        idle = self.idle.get(function.name, [])
        return "\n".join([head, *(f"    (void){self.names(name)};" for name in idle)])

    def prototype(self, function: forms.Function) -> str:
        """Write what a function takes and gives; several numbers go to an array."""
        places = self.kept.get(function.name, range(len(function.arguments)))
        given = [self.argument(function.arguments[i], function.name) for i in places]
        several = len(function.result) > 1
        result = "void" if several or not function.result else _type(function.result[0])
        given += ["double *result"] * several
        return f"{result} {self.title(function.name)}({', '.join(given) or 'void'})"

    def argument(self, argument: forms.Argument, function: str) -> str:
        """Write an argument: an array that is only read is constant."""
        kind, name = _type(argument.kind), self.names(argument.name)
        if argument.kind in ("number", "whole"):
            return f"{kind} {name}"
        return f"{'' if argument.name in self.filled[function] else 'const '}{kind} *{name}"

    def _descent(self, name: str, rule: Rule) -> list[str]:
        """Write what takes the steps of a rule from outside: the working memory is the caller's."""
        function, n = self.heads[name], self.layout.size
        states = len(rule.lowered.states) if rule.lowered else 0
        room = [*(["_g"] if rule.lowered else ["_g", "_e", "_w"]), *(f"_s{i}" for i in range(states))]
        given = {key: f"work + {place * n}" if place else "work" for place, key in enumerate(room)}
        given |= {"_x": "point", "_h": "settings", "_t": "0", "_stop": "steps"}
        self.names.begin({}, apart=False)
        places = [function.arguments[i] for i in self.kept[name]]
        data = [a for a in places if a.name not in given]
        arguments = ["double *point", "int64_t steps", "double *value", *(self.argument(a, name) for a in data)]
        calls = [given.get(a.name) or self.names(a.name) for a in places]
        head = self.minimizers[name] + f"({', '.join([*arguments, 'double *work'])})"
        values = ", ".join([shown(v, "INFINITY", "NAN") for v in rule.hyper.values()])
        lines = [f"/* {comment(rule.name)}: {comment(', '.join(rule.hyper))} */", f"int64_t {head}", "{"]
        if "_h" in {a.name for a in places}:
            lines.append(f"    double settings[] = {{{values}}};")
        lines.append("    double result[2];")
        if states:
            lines += [f"    for (int64_t i = {n}; i < {n * (1 + states)}; ++i) {{", "        work[i] = 0.0;", "    }"]
        lines += [f"    {self.title(name)}({', '.join([*calls, 'result'])});", "    *value = result[1];"]
        return [*lines, "    return (int64_t)result[0];", "}"]

    # ---- the module ------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """Write the module."""
        self.minimizers = {
            name: self.names.free("minimize" if len(self.plan.rules) == 1 else f"minimize_{identifier(rule.name)}")
            for name, rule in self.plan.rules.items()
        }
        descents = {name: self._descent(name, rule) for name, rule in self.plan.rules.items()}
        kinds = {a.name: _type(a.kind) for a in self.layout.arrays()}
        tables = [
            f"static const {kinds[f'_k{i}']} {self.names(f'_k{i}')}[] = "
            f"{{{', '.join([shown(v, 'INFINITY', 'NAN') for v in self.table(i)])}}};"
            for i in range(len(self.layout.tables))
        ]
        self.names.begin({}, apart=False)
        heads = [f"{self.prototype(self.heads[name])};" for name in self.public] + [
            f"{d[1]};" for d in descents.values()
        ]
        head = ["/*", *(f"   {line}".rstrip() for line in [*self.about(), *self._sizes(), "", *heads]), "*/"]
        blocks = [head, ["#include <math.h>", "#include <stdint.h>"], *([tables] if tables else [])]
        blocks += [*self.written.values(), *descents.values(), self._main()]
        return "\n\n".join(["\n".join(block) for block in blocks]) + "\n"

    def _main(self) -> list[str]:
        """Write a program that reads data from its input, and prints value and derivatives at a point."""
        n, kinds = self.layout.size, {a.name: a.kind for a in self.layout.data()}
        lines = [f"const int64_t {self.names('_n')} = (int64_t)given_number();"] if "_n" in kinds else []
        for name in [a for a in kinds if a not in self.outside() and a != "_n"]:
            mine = self.names(name)
            if name in self.plan.memory:
                lines.append(f"static double {mine}[{self.plan.memory[name]}];")
            elif kinds[name] == "number":
                lines.append(f"const double {mine} = given_number();")
            else:
                kind = _type(kinds[name])
                lines += [line.format(mine=mine, kind=kind) for line in _ARRAY]
        return [
            *_READ,
            *(f"    {line}" for line in [f"enum {{ N = {n} }};", *_POINT, *lines, *self._shown()]),
            "    return 0;",
            "}",
            "#endif",
        ]

    def _shown(self) -> list[str]:
        """Write what the program prints."""
        calls = {}
        room = {"_x": "point", "_v": "point + N", "_out": "out", "_full": "full", "_unit": "unit", "_column": "column"}
        for name in self.public:
            arguments = [self.heads[name].arguments[i].name for i in self.kept[name]]
            calls[name] = f"{self.title(name)}({', '.join([room.get(a) or self.names(a) for a in arguments])})"
        lines = ["static double out[N + 1], full[N*N + 1], unit[N + 1], column[N + 1], work[8*N + 8];",
                 "(void)unit, (void)column, (void)work;"]  # fmt: skip
        if self.plan.rules:
            name = next(iter(self.plan.rules))
            data = [a for a in self.kept[name] if self.heads[name].arguments[a].name in self.inputs]
            given = ", ".join(
                ["point", "steps", "out", *(self.names(self.heads[name].arguments[a].name) for a in data), "work"]
            )
            lines += [f'if (steps > 0) printf("%lld steps: ", (long long){self.minimizers[name]}({given}));',
                      "if (steps > 0) print_numbers(point, N);"]  # fmt: skip
        return [
            *lines, f"out[N] = {calls[SLOPE]};", "print_numbers(out + N, 1);", "print_numbers(out, N);",
            f"{calls[CURVATURE]};", "print_numbers(full, N*N);", f"out[N] = {calls['value']};",
            "print_numbers(out + N, 1);", f"{calls[PRODUCT]};", "print_numbers(out, N);",
        ]  # fmt: skip

    def _sizes(self) -> list[str]:
        """Say how large what is filled must be."""
        n = self.layout.size
        lines = ["", f"out has {n} numbers, full {n} x {n}; what is filled and read must not overlap."]
        if CURVATURE in self.heads and "_unit" in {a.name for a in self.heads[CURVATURE].arguments}:
            lines.append(f"unit and column are working memory of {n} numbers each.")
        lines += [
            f"{self.names(key)} is working memory of {size} numbers." for key, size in self.plan.memory.items() if size
        ]
        for name, rule in self.plan.rules.items():
            count = n * ((len(rule.lowered.states) if rule.lowered else 2) + 1)
            lines.append(
                f"{self.minimizers[name]} moves point, gives the steps done, and needs work of {count} numbers."
            )
        if any(column.dtype not in ("float64", "float32", "bool") for column in self.layout.columns):
            lines.append("Whole numbers that pick elements must be in range: nothing checks them.")
        return lines


_READ = """#ifdef SYMGD_MAIN
/* A program: its arguments are the numbers of a point, then those of a direction, then steps=100; its input the data:
   how many rows there are, single numbers, arrays; ahead of each array how many numbers it has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double given_number(void)
{
    double found = NAN;
    if (scanf("%lf", &found) != 1) {
        fputs("the input has too few numbers\\n", stderr);
        exit(2);
    }
    return found;
}

static void print_numbers(const double *numbers, int64_t count)
{
    for (int64_t i = 0; i < count; ++i) {
        printf("%.17g ", numbers[i]);
    }
    puts("");
}

int main(int argc, char **argv)
{
    (void)given_number;""".splitlines()
_ARRAY = [
    "const int64_t n_{mine} = (int64_t)given_number();",
    "{kind} *{mine} = malloc((size_t)(n_{mine} + 1)*sizeof *{mine});",
    "for (int64_t i = 0; i < n_{mine}; ++i) {{",
    "    {mine}[i] = ({kind})given_number();",
    "}}",
]
_POINT = [
    "double point[2*N + 1] = {0.0};",
    "int64_t steps = 0;",
    "for (int i = 1; i < argc; ++i) {",
    '    if (strncmp(argv[i], "steps=", 6) == 0) {',
    "        steps = (int64_t)strtod(argv[i] + 6, NULL);",
    "    } else if (i <= 2*N) {",
    "        point[i - 1] = strtod(argv[i], NULL);",
    "    }",
    "}",
    "(void)steps;",
]


def _type(kind: str) -> str:
    """Give the type of an argument, or of what an array holds."""
    return _TYPES.get(kind, f"{kind}_t")
