"""Generated functions put together to a module in LLVM's language, with what they call.

A generated function is written without its head (`symgd.kernel.code.llvm`). Here it gets one, by its role: what happens
at one place of a block is written into its loops; the arrays of a function that loops over a block do not overlap; and
sums there may be reordered. Not nnan nor ninf are ever set: a nan is news.

What a call of the table means depends on the role as well. Loops over rows take the forms of `vector`, which registers
compute several at a time; elsewhere some of them are left to C's library.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache as once
from typing import NamedTuple

from symgd.kernel.code import BLOCK, LANES, MAIN, NEAR, PLACE, Argument, Text
from symgd.kernel.code.values import TABLE, TYPES, words
from symgd.kernel.machine import matrices, tiles, vector
from symgd.language import scalar

OFTEN = 8  # calls of a function from which on it is not written into each place: of long formulas it is most code
# Only sums over rows are reordered: ``(a + b) - a`` must stay nan for infinite a.
CONTRACT, REORDER = "contract", "contract reassoc"
# What LLVM has a name of its own for, and what else stands in C's library.
_INTRINSICS = {
    **{name: name for name in ("exp", "log", "log2", "log10", "sqrt", "sin", "cos", "floor", "ceil", "trunc", "rint")},
    "pow": "pow",
}  # fmt: skip
_LIBRARY = {
    **{name: name for name in ("expm1", "sinh", "cosh", "log1p", "tan", "tanh", "hypot", "erf", "erfc", "lgamma")},
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "gamma": "tgamma",
    # C's own and not LLVM's, which would be computed ahead of the test that is to spare it.
    "fading": "pow",
}  # fmt: skip
_TWO = ("pow", "hypot", "atan2")  # those of them that take two numbers
_FLOATS = re.compile(r"= (fadd|fsub|fmul|fdiv|fneg) ")
_CALLED = re.compile(rf"@{re.escape(TABLE)}(\w+)\(")
_GENERATED = re.compile(r"call %R\.(\w+) @\w+\((.*)\)")
_INSIDE = """
@symgd.outside = internal global i32 0
define internal i64 @symgd.inside(i64 %place, i64 %size, i64 %flat) alwaysinline {
  %out = icmp uge i64 %place, %size
  br i1 %out, label %no, label %yes
no:
  store i32 1, i32* @symgd.outside
  ret i64 0
yes:
  ret i64 %flat
}
"""


class Module(NamedTuple):
    """A module's text, and the names of the functions that Numba compiles for it from the source of both tiers."""

    text: str
    shared: tuple[str, ...]


def assemble(functions: Sequence[Text], entry: Text, symbol: str, *, strict: bool, checked: bool) -> Module:
    """Put a module together.

    Parameters
    ----------
    functions : sequence of Text
        All that are called, directly or not.
    entry : Text
        The one of them that is called from outside.
    symbol : str
        The name that it gets for that.
    strict : bool
        Whether arithmetic must not be reordered.
    checked : bool
        Whether subscripts are looked at.

    Returns
    -------
    Module
    """
    known = {f.name: f for f in functions}
    symbols: set[str] = set()
    parts = [_INSIDE] if checked else []
    for f in functions:
        parts.append(f"%R.{f.name} = type {{ {', '.join(TYPES[kind] for kind in f.result)} }}\n{_head(f)} {{")
        parts.append(_body(f, known, symbols, strict=strict) + "}\n")
    called = {call for f in functions for call in f.calls}
    parts += [_around(name, strict=strict) for name in ("gemm", *matrices.NAMES) if name in called]
    parts.append(_doors(entry, symbol, checked=checked))
    shared = [name for name in (*matrices.NAMES, *(["gemm"] if strict else [])) if name in called]
    for name in sorted(symbols):
        kind, _, own = name.partition(".")
        if kind == "s":
            shared.append(own)
            parts.append(f"declare double @{name}({_doubles(scalar_arity(own))})\n")
        elif kind == "v":
            parts.append(vector.text(own))
        elif kind == "m":
            parts.append(vector.text(own).replace('"v.', '"m.').replace("alwaysinline", "noinline"))
        else:
            parts.append(f"declare double @{name}({_doubles(2 if _plain(name) in _TWO else 1)})\n")
    parts.append("declare double @llvm.fabs.f64(double)\n")
    return Module(_with_loops("\n".join(parts)), tuple(shared))


def _with_loops(text: str) -> str:
    """Tell LLVM which loops not to write out: their code would only grow, and the passes over it take longer."""
    first, *rest = text.split("!LOOP")
    found = [f"!{place} = distinct !{{!{place}, !0}}" for place in range(1, len(rest) + 1)]
    body = "".join([first, *(f"!{place}{part}" for place, part in enumerate(rest, 1))])
    return "\n".join([body, '!0 = !{!"llvm.loop.unroll.disable"}', *found, ""])


def scalar_arity(name: str) -> int:
    """Give how many numbers a function of `symgd.language.scalar` takes."""
    count: int = getattr(scalar, name).__code__.co_argcount
    return count


def _plain(name: str) -> str:
    return name.removeprefix("llvm.").removesuffix(".f64")


def _doubles(count: int) -> str:
    return ", ".join(["double"] * count)


def _head(f: Text) -> str:
    """Give a function's heading."""
    apart = " noalias" if f.role in (BLOCK, LANES) else ""
    given = [f"{kind}{apart if kind.endswith('*') else ''} {word}" for a in f.arguments for word, kind in words(a)]
    # What loops over a block stays a function: that its arrays do not overlap is cheap to know there alone.
    inline = " noinline" if apart else " alwaysinline" if f.role in (PLACE, NEAR) else ""
    return f"define internal %R.{f.name} @{f.name}({', '.join(given)}) nounwind{inline}"


def _body(f: Text, known: dict[str, Text], symbols: set[str], *, strict: bool) -> str:
    """Give what is inside of a function, as its role has it."""
    body = "\n".join([_converted(line, place, known) for place, line in enumerate(f.body.split("\n"))])
    flags = "" if strict else REORDER if f.role == BLOCK else CONTRACT
    body = _FLOATS.sub(rf"= \1 {flags} ", body) if flags else body

    often = {name for name, count in Counter(_CALLED.findall(body)).items() if count > OFTEN}

    def resolved(match: re.Match[str]) -> str:
        symbol = _symbol(match[1], f.role)
        if f.role == MAIN and match[1] in often and symbol.startswith("v."):
            symbol = f"m.{match[1]}"
        symbols.add(symbol)
        return f"@{symbol}("

    return _CALLED.sub(resolved, body).replace("%RESULT ", f"%R.{f.name} ")


def _converted(line: str, place: int, known: dict[str, Text]) -> str:
    """Give a line in which a call hands over what is taken: a whole number as a float, and nothing of another type.

    A call that hands over other types would not be told by LLVM.
    """
    found = _GENERATED.search(line)
    if found is None or not (found[1] in known or found[1] in ("gemm", *matrices.NAMES)):
        return line
    name, passed = found.groups()
    arguments = known[name].arguments if name in known else signature(name)
    taken = [kind for a in arguments for _, kind in words(a)]
    given = [word.split(" ") for word in passed.split(", ")] if passed else []
    before = []
    for i, (word, kind) in enumerate(zip(given, taken, strict=False)):
        if (word[0], kind) == ("i64", "double"):
            before.append(f"  %float{place}.{i} = sitofp i64 {word[1]} to double")
            given[i] = ["double", f"%float{place}.{i}"]
    if taken != [word[0] for word in given]:
        raise TypeError(f"{name} takes {', '.join(taken)} and is given {passed}")
    handed = ", ".join(" ".join(word) for word in given)
    return "\n".join([*before, line.replace(f"({passed})", f"({handed})") if before else line])


def _symbol(name: str, role: str) -> str:
    """Give what a function of the table is in a function of this role."""
    if role == NEAR and name in ("sin", "cos"):
        return f"v.{name}near"
    if name in vector.FUNCTIONS and not (role == MAIN and name in vector.LATE):
        return f"v.{name}"
    if name in scalar.SHARED:
        return f"s.{name}"
    return f"llvm.{_INTRINSICS[name]}.f64" if name in _INTRINSICS else _LIBRARY[name]


def _around(name: str, *, strict: bool) -> str:
    """Give a function that calls what works on matrices, as generated functions call each other."""
    taken = [word for a in signature(name) for word in words(a)]
    plain = name == "gemm" and not strict
    inner = tiles.SYMBOL if plain else f"s.{name}"
    passed = [(word, kind) for word, kind in taken if not (plain and word.endswith(".size"))]
    return (
        f"%R.{name} = type {{ double }}\n"
        f"declare void @{inner}({', '.join(kind for _, kind in passed)})\n"
        f"define internal %R.{name} @{name}({', '.join(f'{kind} {word}' for word, kind in taken)}) alwaysinline {{\n"
        f"  call void @{inner}({', '.join(f'{kind} {word}' for word, kind in passed)})\n"
        f"  ret %R.{name} undef\n}}\n"
    )


@once
def signature(name: str) -> tuple[Argument, ...]:
    """Give what one of the functions on matrices takes."""
    from inspect import signature as of

    from symgd.kernel.machine import gemm

    kinds = {"int": "whole", "float": "number"}
    taken = of(gemm.gemm if name == "gemm" else getattr(matrices, name)).parameters.values()
    return tuple(Argument(p.name, kinds.get(str(p.annotation), "float64")) for p in taken)


def _doors(entry: Text, symbol: str, *, checked: bool) -> str:
    """Give the function that is called from outside: it writes its results, 64 bits each, where it is told."""
    taken = [word for a in entry.arguments for word in words(a)]
    head = ", ".join(["i64* %result", *(f"{kind} {word}" for word, kind in taken)])
    lines = [f"define i32 @{symbol}({head}) {{"]
    passed = ", ".join(f"{kind} {word}" for word, kind in taken)
    lines.append(f"  %all = call %R.{entry.name} @{entry.name}({passed})")
    for place, kind in enumerate(entry.result):
        lines.append(f"  %r{place} = extractvalue %R.{entry.name} %all, {place}")
        lines.append(f"  %w{place} = bitcast {TYPES[kind]} %r{place} to i64")
        lines.append(f"  %p{place} = getelementptr inbounds i64, i64* %result, i64 {place}")
        lines.append(f"  store i64 %w{place}, i64* %p{place}")
    if checked:
        lines.append("  %code = load i32, i32* @symgd.outside\n  store i32 0, i32* @symgd.outside\n  ret i32 %code\n}")
    else:
        lines.append("  ret i32 0\n}")
    return "\n".join(lines)
