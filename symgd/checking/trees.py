"""Trees evaluated by NumPy, with parts of them replaced: thousands of small edits are tried where one is looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgd import language as fm
from symgd.graph.tape import Floats
from symgd.language import Tree
from symgd.language.functions import CONSTANTS, FUNCTIONS

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip
_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "*": np.multiply, "/": np.divide, "@": np.matmul, "%": np.mod, "//": np.floor_divide,
}  # fmt: skip


class Values:
    """Values of trees at one point.

    Parameters
    ----------
    point : mapping of str to ndarray or float
        Everything that has a value.
    """

    def __init__(self, point: Mapping[str, Any]) -> None:
        self.point = point
        self._known: dict[int, tuple[Tree, Any]] = {}
        self._floats = Floats()

    def of(self, tree: Tree, replaced: Mapping[int, Any] | None = None, above: frozenset[int] = frozenset()) -> Any:
        """Give the value of a tree.

        Parameters
        ----------
        tree : Tree
            What to evaluate.
        replaced : mapping of int to object, optional
            Values of parts, by their ``id``.
        above : frozenset of int
            The parts that what is replaced is part of.

        Returns
        -------
        ndarray or float
        """
        key = id(tree)
        if replaced and key in replaced:
            return replaced[key]
        known = self._known.get(key)
        if known is not None and key not in above:
            return known[1]
        value = self._compute(tree, lambda t: self.of(t, replaced, above))
        if key not in above:
            self._known[key] = (tree, value)
        return value

    def _compute(self, tree: Tree, of: Callable[[Tree], Any]) -> Any:
        match tree:
            case fm.Number(value):
                return float(value)
            case fm.Name(name):
                return self.point[name] if name in self.point else CONSTANTS[name]
            case fm.Unary(op, arg):
                value = of(arg)
                return np.negative(value) if op == "-" else np.logical_not(value) if op == "not" else value
            case fm.Sum(args, signs):
                total: Any = 0.0
                for arg, sign in zip(args, signs, strict=True):
                    term = np.asarray(of(arg), dtype=float)
                    total = total + term if sign > 0 else total - term
                return total
            case fm.Product(args, ops):
                made: Any = np.asarray(of(args[0]), dtype=float)
                for op, arg in zip(ops, args[1:], strict=True):
                    made = _BINARY[op](made, np.asarray(of(arg), dtype=float))
                return made
            case fm.Power(base, exponent):
                return np.power(np.asarray(of(base), dtype=float), of(exponent))
            case fm.Compare(ops, args):
                values = [of(a) for a in args]
                result: Any = True
                for op, a, b in zip(ops, values, values[1:], strict=False):
                    result = np.logical_and(result, _COMPARE[op](a, b))
                return result
            case fm.Logical(op, args):
                result = of(args[0])
                for arg in args[1:]:
                    result = (np.logical_and if op == "and" else np.logical_or)(result, of(arg))
                return result
            case fm.Attribute(arg, name):
                return getattr(np.asarray(of(arg)), name)
            case fm.Index(arg, items):
                return self._index(arg, items, of)
            case fm.Sequence(items):
                return [of(i) for i in items]
            case fm.Bool(value):
                return value
            case fm.Call():
                return self._call(tree, of)
        message = type(tree).__name__
        raise NotImplementedError(message)

    def _index(self, arg: Tree, items: tuple[Tree, ...], of: Callable[[Tree], Any]) -> Any:
        def item(tree: Tree) -> Any:
            if isinstance(tree, fm.Slice):
                return slice(*(None if t is None else int(of(t)) for t in (tree.lower, tree.upper, tree.step)))
            if isinstance(tree, fm.NewAxis):
                return None
            if isinstance(tree, fm.Ellipsis_):
                return ...
            value = np.asarray(of(tree))
            return value.astype(int) if value.ndim else int(value)

        value = of(arg)
        if isinstance(value, tuple):  # a shape
            return value[int(of(items[0]))]
        return np.asarray(value)[tuple(map(item, items))]

    def _call(self, tree: fm.Call, of: Callable[[Tree], Any]) -> Any:
        row = FUNCTIONS[tree.function]
        args = [of(a) for a in tree.args]
        if row.kind == "map":
            return self._floats.apply(row.name, args)
        if row.kind == "alias":
            from symgd.graph.reading import template

            return Values(dict(zip("abc", args, strict=False))).of(template(row.definition))
        named = {k: None if isinstance(t, fm.NewAxis) else of(t) for k, t in tree.keywords}
        axis = named.get("axis")
        if axis is not None:
            named["axis"] = tuple(int(a) for a in axis) if isinstance(axis, list) else int(axis)
        return _ARRAYS[row.name](*args, **named) if row.name in _ARRAYS else _library(row.name)(*args, **named)


def _library(name: str) -> Callable[..., Any]:
    found = getattr(np, name, None) or getattr(np.linalg, name, None)
    if found is None:
        raise NotImplementedError(name)
    return found  # type: ignore[no-any-return]


def _logsumexp(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    top = np.max(a, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(a - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis) if axis is not None else total.reshape(())[()]


def _shape(given: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in given) if isinstance(given, list) else (int(given),)


_ARRAYS: Mapping[str, Callable[..., Any]] = {
    "norm": lambda a, axis=None, keepdims=False: np.sqrt(np.sum(np.square(a), axis=axis, keepdims=keepdims)),
    "logsumexp": _logsumexp,
    "softmax": lambda a, axis=-1: np.exp(a - _logsumexp(a, axis, keepdims=True)),
    "logsoftmax": lambda a, axis=-1: a - _logsumexp(a, axis, keepdims=True),
    "len": lambda a: float(np.shape(a)[0]),
    "size": lambda a: float(np.size(a)),
    "diagonal": np.diagonal,
    "arange": lambda *a: np.arange(*map(int, a)).astype(float),
    "zeros": lambda a: np.zeros(_shape(a)),
    "ones": lambda a: np.ones(_shape(a)),
    "eye": lambda a: np.eye(int(a)),
}


def ancestors(root: Tree, part: Tree) -> frozenset[int]:
    """Give the trees that a part is part of, by their ``id``."""
    found: list[int] = []

    def down(tree: Tree) -> bool:
        if tree is part:
            return True
        if any(down(child) for child in fm.children(tree)):
            found.append(id(tree))
            return True
        return False

    down(root)
    return frozenset(found)
