"""Linear update rules as matrices.

On a quadratic with the eigenvalue lambda along an eigenvector, the gradient is lambda times the distance from the
minimizer. A rule whose new parameters and states are linear in the old ones and in the gradient then multiplies
(x, states) by the iteration matrix ``M = A + lambda*b*e1'``, the same for every eigenvector but for lambda.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symgd.errors import UsageError
from symgd.graph import Const, Graph, Leaf, Map, Node, reachable
from symgd.insight.forms import OFFSET, Form, NoMatrix, read_form
from symgd.language import scalar
from symgd.records import dataclass
from symgd.rules.lowering import reads
from symgd.rules.rule import Rule

Matrix = NDArray[np.float64]
Polynomial = list[Fraction]  # coefficients, of the highest power first

AFFINE = "a constant is added in each step: a run settles where the gradient balances it, and not at the minimum"
NOISE = "random draws are added in each step: the mean obeys the theory, and single runs scatter around it"
PULL = "the rule pulls x towards 0 by itself: a run settles beside the minimum, at the rate of the theory"


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A linear rule as a family of matrices, one for each eigenvalue, learning rate and set of hyperparameters.

    Parameters
    ----------
    names : tuple of str
        What the matrix acts on: ``x``, then the states that reach it.
    hyper : dict of str to float
        The hyperparameters that hold where others are not given.
    graph : Graph
        Where the coefficients were made.
    coefficients : dict of tuple of str to Node
        By the name of what is computed and the name of what it is computed from, ``g`` among the latter: nodes that
        read ``lr`` and hyperparameters alone.
    notes : tuple of str
        What the matrix does not say: noise, and where the rule settles.

    Examples
    --------
    >>> from symgd.rules import find_rule
    >>> momentum = linear_map(find_rule("momentum"))
    >>> momentum.matrix(4.0, lr=0.1).round(12)
    array([[ 0.6,  0.9],
           [-0.4,  0.9]])
    >>> momentum.stable_lr(4.0)
    0.95
    """

    names: tuple[str, ...]
    hyper: Mapping[str, float]
    graph: Graph
    coefficients: Mapping[tuple[str, str], Node]
    notes: tuple[str, ...]

    def matrix(self, eigenvalue: ArrayLike, lr: float, hyper: Mapping[str, float] | None = None) -> Matrix:
        """Give the iteration matrix.

        Parameters
        ----------
        eigenvalue : float or array_like
            Eigenvalues of the Hessian.
        lr : float
            The learning rate.
        hyper : mapping of str to float, optional
            Hyperparameters other than the rule's own.

        Returns
        -------
        ndarray, shape (..., n, n)
            One for each eigenvalue; nan where a coefficient is not finite.
        """
        a, b = self.parts(lr, hyper)
        full = np.broadcast_to(a, (*np.shape(eigenvalue), *a.shape)).copy()
        with np.errstate(all="ignore"):
            full[..., 0] += np.asarray(eigenvalue, dtype=np.float64)[..., None] * b
        return full

    def radius(self, eigenvalues: ArrayLike, lr: float, hyper: Mapping[str, float] | None = None) -> Matrix:
        """Give the spectral radius of the iteration matrix: the factor per step in the long run.

        Parameters
        ----------
        eigenvalues : float or array_like
            Eigenvalues of the Hessian, negative ones too.
        lr : float
            The learning rate.
        hyper : mapping of str to float, optional
            Hyperparameters other than the rule's own.

        Returns
        -------
        ndarray
            As many as the eigenvalues; nan where a coefficient is not finite.
        """
        values = np.asarray(eigenvalues, dtype=np.float64)
        a, b = self.parts(lr, hyper)
        with np.errstate(all="ignore"):  # what overflows or is not finite is nan in the result
            if len(a) == 1:
                return np.asarray(np.abs(a[0, 0] + values * b[0]))
            if len(a) == 2:
                first, below = a[0, 0] + values * b[0], a[1, 0] + values * b[1]
                inner = ((first - a[1, 1]) / 2) ** 2 + a[0, 1] * below
                # Two roots: a pair of conjugates, or real ones, of which the larger has the sign of their sum.
                pair = np.sqrt(np.abs(first * a[1, 1] - a[0, 1] * below))
                return np.asarray(np.where(inner < 0, pair, np.abs(first + a[1, 1]) / 2 + np.sqrt(np.abs(inner))))
            full = self.matrix(values, lr, hyper)
        bad = ~np.isfinite(full).all(axis=(-2, -1))
        full[bad] = 0
        return np.where(bad, np.nan, np.abs(np.linalg.eigvals(full)).max(axis=-1))

    def stable_lr(self, eigenvalue: float, hyper: Mapping[str, float] | None = None) -> float:
        """Give the learning rate up to which the rule is stable for all eigenvalues from 0 to this one.

        Parameters
        ----------
        eigenvalue : float
            The largest eigenvalue of the Hessian, or a negative one.
        hyper : mapping of str to float, optional
            Hyperparameters other than the rule's own.

        Returns
        -------
        float
            The end of the interval of stable learning rates that begins at 0; 0 where there is none, infinite where
            it has no end or the eigenvalue is 0, nan where a coefficient is not finite.
        """
        from symgd.insight.stability import stable_lr

        return stable_lr(self, float(eigenvalue), hyper)

    def parts(self, lr: float, hyper: Mapping[str, float] | None = None) -> tuple[Matrix, Matrix]:
        """Give A and b of the iteration matrix ``A + lambda*b*e1'``."""
        numbers = {**self.hyper, **(hyper or {}), "lr": lr}
        return self._filled(_floats(self.coefficients.values(), numbers))

    def polynomials(
        self, lr: float | Fraction, hyper: Mapping[str, float] | None = None
    ) -> tuple[Polynomial, Polynomial]:
        """Give P and Q of the characteristic polynomial ``P(z) + lambda*Q(z)``, exactly.

        By the recursion of Faddeev and LeVerrier, which gives the adjugate of ``z - A`` beside its determinant.
        Arithmetic on coefficients is exact; values of other functions count as the floats that they round to.

        Parameters
        ----------
        lr : float or Fraction
            The learning rate.
        hyper : mapping of str to float, optional
            Hyperparameters other than the rule's own.

        Returns
        -------
        p : list of Fraction
            Coefficients, of the highest power first; the first is 1.
        q : list of Fraction
            Likewise, as many.

        Raises
        ------
        NoMatrix
            If a coefficient is not finite.
        """
        given = {**self.hyper, **(hyper or {}), "lr": lr}
        if not all(math.isfinite(value) for value in given.values()):
            raise NoMatrix("a number is not finite")
        fractions = {name: Fraction(value) for name, value in given.items()}
        a, b = self._filled(_fractions(self.coefficients.values(), fractions), dtype=object)
        n = len(a)
        p, q = [Fraction(1)], []
        step = np.array([[Fraction(i == j) for j in range(n)] for i in range(n)], dtype=object)
        for k in range(1, n + 1):
            q.append(-(step @ b)[0])
            product = a @ step
            p.append(-sum(product[i, i] for i in range(n)) / k)
            step = product + np.array([[p[-1] * (i == j) for j in range(n)] for i in range(n)], dtype=object)
        return p, [Fraction(0), *q]

    def _filled(self, values: Mapping[Node, Any], dtype: Any = np.float64) -> tuple[NDArray[Any], NDArray[Any]]:
        zero = Fraction(0) if dtype is object else 0.0
        n = len(self.names)
        a, b = np.full((n, n), zero, dtype=dtype), np.full(n, zero, dtype=dtype)
        place = {name: i for i, name in enumerate(self.names)}
        for (row, column), node in self.coefficients.items():
            if column == "g":
                b[place[row]] = values[node]
            else:
                a[place[row], place[column]] = values[node]
        return a, b


def linear_map(rule: Rule) -> LinearMap | None:
    """Give a linear rule as matrices.

    Parameters
    ----------
    rule : Rule
        The rule.

    Returns
    -------
    LinearMap or None
        ``None`` for a rule that has no iteration matrix; `obstacle` says why.
    """
    try:
        return read_map(rule)
    except NoMatrix:
        return None


def obstacle(rule: Rule) -> str:
    """Say why a rule has no iteration matrix.

    Parameters
    ----------
    rule : Rule
        The rule.

    Returns
    -------
    str
        A clause; empty for a rule that has one.

    Examples
    --------
    >>> from symgd.rules import find_rule
    >>> obstacle(find_rule("adagrad"))
    'g**2 is not linear in x, g and the states'
    """
    try:
        read_map(rule)
    except NoMatrix as problem:
        return str(problem)
    return ""


def read_map(rule: Rule) -> LinearMap:
    """Read the coefficients off the nodes of a rule.

    Parameters
    ----------
    rule : Rule
        The rule.

    Returns
    -------
    LinearMap

    Raises
    ------
    NoMatrix
        If the rule is not linear, or its coefficients change from step to step.
    """
    lowered = rule.nodes
    graph = lowered.graph.copy().tidy  # zeros vanish and equal terms are collected
    roots = {"x": lowered.x, **lowered.states}
    forms: dict[str, Form] = {}
    names = ["x"]
    for name in names:  # grows by the states that are read: what never reaches x has no say in the theory
        forms[name] = read_form(graph, roots[name], frozenset(rule.states))
        names += [s for s in rule.states if s in forms[name] and s not in names]
    coefficients: dict[tuple[str, str], Node] = {}
    notes: dict[str, None] = {}
    for row, form in forms.items():
        for column, node in form.items():
            if column in (*names, "g"):
                if "t" in reads(node):
                    raise NoMatrix("its coefficients change with t, so that no one matrix describes every step")
                coefficients[row, column] = node
            else:
                notes[AFFINE if column == OFFSET else NOISE] = None
    hyper = {name: value for name, value in rule.hyper.items() if not isinstance(value, str)}
    found = LinearMap(tuple(names), hyper, graph, coefficients, ())
    try:
        # Where 1 is no eigenvalue of A, x does not stay where the gradient is 0.
        if sum(found.polynomials(Fraction(1, 7))[0]) != 0:
            notes[PULL] = None
    except NoMatrix:
        pass
    return LinearMap(tuple(names), hyper, graph, coefficients, tuple(notes))


# ---- numbers -------------------------------------------------------------------------------------------------------


def _evaluated(roots: Any, read: Callable[[Node], Any], apply: Callable[[str, list[Any]], Any]) -> dict[Node, Any]:
    values: dict[Node, Any] = {}
    for node in reachable(roots):
        if isinstance(node, Map):
            values[node] = apply(node.function, [values[a] for a in node.args])
        else:
            values[node] = read(node)
    return values


def _floats(roots: Any, numbers: Mapping[str, float]) -> dict[Node, float]:
    def read(node: Node) -> float:
        return numbers[node.name] if isinstance(node, Leaf) and node.kind == "symbol" else _constant(node)

    return _evaluated(roots, lambda node: float(read(node)), scalar.evaluate)


def _fractions(roots: Any, numbers: Mapping[str, Fraction]) -> dict[Node, Fraction]:
    def read(node: Node) -> Fraction:
        if isinstance(node, Leaf) and node.kind == "symbol":
            return numbers[node.name]
        return _rational(node.value if isinstance(node, Const) else _constant(node))

    return _evaluated(roots, read, _exactly)


def _exactly(function: str, args: list[Fraction]) -> Fraction:
    """Apply a function: exactly in arithmetic, and otherwise as float64 has it."""
    if function == "add":
        return sum(args, Fraction(0))
    if function == "multiply":
        return args[0] * args[1]
    if function == "divide" and args[1] != 0:
        return args[0] / args[1]
    if function == "power" and args[1].denominator == 1 and abs(args[1]) <= 16 and (args[0] != 0 or args[1] >= 0):
        return Fraction(args[0] ** int(args[1]))
    try:
        return _rational(scalar.evaluate(function, [float(a) for a in args]))
    except OverflowError:
        raise NoMatrix("a coefficient is not finite") from None


def _constant(node: Node) -> float:
    if node.constant is None:
        raise UsageError("a coefficient of the rule reads what has no value")
    return node.constant


def _rational(value: float | Fraction) -> Fraction:
    if not math.isfinite(value):
        raise NoMatrix("a coefficient is not finite")
    return Fraction(value)
