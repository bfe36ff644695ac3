"""Checking what people derived by hand: gradients, Hessians, Jacobians; formulas, and functions that compute them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from symgd import language as fm
from symgd.checking import problem as problems
from symgd.checking.claims import Target
from symgd.checking.decide import Judge
from symgd.checking.problem import Problem
from symgd.checking.result import Check, Verdict
from symgd.checking.spelling import plain
from symgd.errors import FormulaError, UsageError, safe, shown

Claim = str | Callable[..., Any]


def check_gradient(
    formula: str, gradient: Mapping[str, Claim] | Claim, data: Any = None, *, params: Any = None,
    where: str | Sequence[str] = (), explain: bool = True, latex: bool = False,
) -> Check:  # fmt: skip
    """Check a gradient that was derived by hand.

    Parameters
    ----------
    formula : str
        The objective: a formula that gives one number.
    gradient : mapping of str to str or callable, or callable
        For each parameter that is to be checked a formula for its whole derivative, of the parameter's shape; or a
        function of the parameters and the data, by name. One callable for all: a function of the flat vector, or of the
        parameters by name, that gives the gradient, or value and gradient as ``scipy.optimize`` takes them with
        ``jac=True``. Functions may be of NumPy, PyTorch or JAX.
    data : mapping, DataFrame, path, or sequence of str, optional
        Data as values, as names alone, or as names with shapes: ``{"X": "n x k", "y": "n"}``; lengths that are names
        are free, and what is proved holds for all of them. In formulas they stand for their length.
    params : sequence of str, or mapping of str to shape, optional
        The parameters; their shapes are found from the formulas where they are not given.
    where : str or sequence of str
        What is known of the data: ``"each row of T sums to 1"``, ``"A is symmetric"``, ``"y is 0 or 1"``, ``"a > 0"``.
    explain : bool
        Whether to look for causes and counterexamples.
    latex : bool
        Whether objective and derivatives are LaTeX. A key may then be an entry, ``w_j``, whose index stays open in its
        text, and equations that say on the left what they are the derivative by need no key.

    Returns
    -------
    Check
        A verdict for each parameter: ``proved``, ``verified``, ``right where``, ``wrong`` or ``unknown``.

    Raises
    ------
    FormulaError
        If a text is no formula.
    UsageError
        If a name or a shape fits nothing.

    Examples
    --------
    >>> line = "mean((y - (w*x + b))**2)"
    >>> print(check_gradient(line, {"w": "-2*mean(x*(y - (w*x + b)))"}, data=("x", "y"))["w"])
    w: proved
    >>> found = check_gradient(line, {"b": "-2*sum(y - w*x - b)"}, data=("x", "y"))
    >>> found.ok, found["b"].cause.kind
    (False, 'factor')
    """
    if _is_latex(latex):
        return _latex(check_gradient, formula, gradient, data, params, where, explain=explain)
    if callable(gradient):
        return _of_function("gradient", formula, gradient, data, params, where)
    if not isinstance(gradient, Mapping) or not gradient:
        raise UsageError("gradient must be a mapping of parameters to formulas, such as {'w': '2*w'}, or a function")
    claims = {fm.check_name(n): c for n, c in gradient.items()}
    functions = {n: c for n, c in claims.items() if callable(c)}
    texts = {n: _number(c) for n, c in claims.items() if not callable(c)}
    problem = _one_number(formula, {n: [texts[n]] if n in texts else [] for n in claims}, data, params, where)
    verdicts = {}
    for name in claims:
        if name in functions:
            from symgd.checking.callables import judge_callable

            verdicts[name] = judge_callable(problem, Target(name), functions[name])
        else:
            verdicts[name] = _decide(problem, Target(name), texts[name], explain=explain)
    return _result(problem, verdicts, "gradient")


def check_hessian(
    formula: str, hessian: Any, data: Any = None, *, params: Any = None, where: str | Sequence[str] = (),
    explain: bool = True, latex: bool = False,
) -> Check:  # fmt: skip
    """Check second derivatives that were derived by hand.

    Parameters
    ----------
    formula : str
        The objective.
    hessian : mapping, sequence of sequences, or callable
        By pairs of parameters, ``{"x,y": "..."}`` or ``{("x", "y"): "..."}``, formulas: for arrays, of the shape of the
        first followed by that of the second; or a whole matrix of formulas for the parameters in order; or a function.
    data : object, optional
        As for `check_gradient`.
    params : object, optional
        As for `check_gradient`.
    where : str or sequence of str
        As for `check_gradient`.
    explain : bool
        As for `check_gradient`.
    latex : bool
        As for `check_gradient`.

    Returns
    -------
    Check
        A verdict for each entry or block.

    Raises
    ------
    FormulaError
        If a text is no formula.
    UsageError
        If a pair names no parameters, or the matrix has another size.

    Examples
    --------
    >>> check_hessian("x**2*y", {"x,x": "2*y", "x,y": "x"}).verdicts["x,y"].kind
    'wrong'
    """
    if _is_latex(latex):
        return _latex(check_hessian, formula, hessian, data, params, where, explain=explain)
    if callable(hessian):
        return _of_function("hessian", formula, hessian, data, params, where)
    pairs = _pairs(formula, hessian, data, params)
    claims: dict[str, list[str]] = {}
    for (a, b), text in pairs.items():
        claims.setdefault(a, []).append(text)
        claims.setdefault(b, [])
    problem = _one_number(formula, claims, data, params, where, rank="hessian")
    verdicts = {}
    for (a, b), text in pairs.items():
        target = Target(b, a)
        verdicts[target.key] = _decide(problem, target, text, explain=explain)
    return _result(problem, verdicts, "hessian")


def check_jacobian(
    formula: str | Sequence[str], jacobian: Any, data: Any = None, *, params: Any = None,
    where: str | Sequence[str] = (), explain: bool = True, latex: bool = False,
) -> Check:  # fmt: skip
    """Check first derivatives of a formula with one value a row, or of several formulas.

    Parameters
    ----------
    formula : str or sequence of str
        A formula with one value a row of the data, or a list of formulas of one number each.
    jacobian : mapping of str to str, or sequence
        For one formula: for each parameter, a formula with the rows first and the parameter's axes behind them. For a
        list: a sequence as long, of mappings of parameters to formulas, or of sequences in the order of the parameters.
    data : object, optional
        As for `check_gradient`.
    params : object, optional
        As for `check_gradient`.
    where : str or sequence of str
        As for `check_gradient`.
    explain : bool
        As for `check_gradient`.
    latex : bool
        As for `check_gradient`.

    Returns
    -------
    Check
        A verdict for each parameter; for a list, for each ``i,name``.

    Raises
    ------
    FormulaError
        If a text is no formula.
    UsageError
        If there are not as many derivatives as formulas.

    Examples
    --------
    >>> print(check_jacobian("b1*(1 - exp(-b2*x))", {"b2": "b1*x*exp(-b2*x)"}, data=("x",))["b2"])
    b2: proved
    """
    if _is_latex(latex):
        return _latex(check_jacobian, formula, jacobian, data, params, where, explain=explain)
    if isinstance(formula, str):
        if not isinstance(jacobian, Mapping):
            raise UsageError("the Jacobian of one formula is a mapping of parameters to formulas")
        texts = {fm.check_name(n): _number(t) for n, t in jacobian.items()}
        claims = {n: [t] for n, t in texts.items()}
        problem = problems.make(formula, claims, data, params, _texts(where), rank="rows")
        rows = bool([a for a in problem.reading(0).value.axes if a])
        verdicts = {
            n: _decide(problem, Target(n, "rows" if rows else ""), t, explain=explain) for n, t in texts.items()
        }
        return _result(problem, verdicts, "jacobian")
    formula, rows_given = _listed("the formulas", formula), _listed("the Jacobian", jacobian)
    if len(rows_given) != len(formula):
        raise UsageError(f"{len(formula)} formulas need as many rows of derivatives; got {len(rows_given)}")
    names = _order(formula, data, params)
    found: dict[str, Verdict] = {}
    last: Problem | None = None
    for i, (one, row) in enumerate(zip(formula, rows_given, strict=True)):
        named = row if isinstance(row, Mapping) else _named(names, row)
        used = set(fm.names(fm.parse(plain(one), declared=set(names))))
        here = {fm.check_name(n): _number(t) for n, t in named.items()}
        missing = sorted(set(here) - used)
        text = " + ".join([f"({plain(one)})", *(f"0*{n}" for n in missing)])
        problem = last = problems.make(text, {n: [t] for n, t in here.items()}, data, params, _texts(where))
        for n, t in here.items():
            found[f"{i},{n}"] = _decide(problem, Target(n), t, explain=explain)
    assert last is not None
    return Check("; ".join(formula), found, "jacobian", _shapes(last), last.inferred)


def _is_latex(latex: object) -> bool:
    if not isinstance(latex, bool):
        raise UsageError(f"latex={shown(latex)} must be True or False")
    return bool(latex)


def _latex(
    check: Callable[..., Check], formula: Any, claims: Any, data: Any, params: Any, where: Any, *, explain: bool
) -> Check:
    """Read LaTeX, check the formulas, and tell the LaTeX with the result."""
    from symgd.checking import latex

    if not (params is None or (isinstance(params, Sequence | Mapping) and all(isinstance(p, str) for p in params))):
        raise UsageError(f"params={shown(params)} must be a sequence of names, or a mapping of names to shapes")

    if not isinstance(formula, str):
        raise UsageError(f"an objective in LaTeX must be text; got {type(formula).__name__}")
    count, rows = (2 if check is check_hessian else 1), check is check_jacobian
    read = latex.read(formula, claims, data, params, count=count, rows=rows)
    try:
        found = check(read.formula, read.claims, data, params=read.params, where=where, explain=explain)
    except FormulaError as problem:
        raise read.located(problem) from problem
    return read.told(found)


# ---- shared --------------------------------------------------------------------------------------------------------


def _of_function(
    what: str, formula: str, claim: Callable[..., Any], data: Any, params: Any, where: str | Sequence[str]
) -> Check:
    """Check what one function gives for all parameters."""
    from symgd.checking.callables import check_callable

    return check_callable(formula, claim, data, params, _texts(where), what=what)


def _one_number(
    formula: str, claims: Mapping[str, Sequence[str]], data: Any, params: Any, where: str | Sequence[str],
    rank: str = "gradient",
) -> Problem:  # fmt: skip
    """Read an objective and what is claimed of it; refuse one that has several values."""
    problem = problems.make(formula, claims, data, params, _texts(where), rank=rank)
    problem.reading(0).scalar()
    return problem


def _decide(problem: Problem, target: Target, text: str, *, explain: bool) -> Verdict:
    from dataclasses import replace

    from symgd.checking.derivation import derivation

    judge = Judge(problem, target)
    verdict = judge.decide(plain(text), explain=explain)
    return replace(verdict, yours=text, exact=exact_text(problem, target),
                   derivation=lambda: derivation(problem, target, text))  # fmt: skip


def exact_text(problem: Problem, target: Target) -> str:
    """Give the exact derivative as NumPy text; empty where there is none."""
    from symgd.checking.exact import text

    return text(problem, target)


def _result(problem: Problem, verdicts: Mapping[str, Verdict], what: str) -> Check:
    return Check(problem.text, verdicts, what, _shapes(problem), problem.inferred)


def _shapes(problem: Problem) -> dict[str, str]:
    return {n: " x ".join(map(str, d)) for n, d in {**problem.params, **problem.data}.items()}


def _texts(where: str | Sequence[str]) -> tuple[str, ...]:
    found = (where,) if isinstance(where, str) else where
    if not isinstance(found, list | tuple) or not all(isinstance(text, str) for text in found):
        raise UsageError(f"where={shown(where)} must be a condition, such as 'x > 0', or a list of them")
    return tuple(found)


def _number(text: Any) -> str:
    """Take a number for a formula too."""
    if isinstance(text, str):
        return text
    if isinstance(text, int | float) and not isinstance(text, bool):
        return repr(text)
    raise UsageError(f"a derivative must be a formula (str) or a function; got {safe(text)} of {type(text).__name__}")


def _order(formulas: Iterable[str], data: Any, params: Any) -> list[str]:
    """Give the parameters in order: as declared, or as they appear."""
    if params is not None:
        return problems.named(params)
    shapes, _ = problems.split_data(data)
    free = {d for s in shapes.values() if s for d in s if isinstance(d, str)}
    from symgd.language.functions import CONSTANTS

    found: dict[str, None] = {}
    for text in formulas:
        for name in fm.names(fm.parse(plain(text), declared=set(shapes))):
            if name not in shapes and name not in CONSTANTS and name not in free:
                found[name] = None
    return list(found)


def _listed(what: str, value: Any) -> list[Any]:
    """Give what stands in a row as a list."""
    whole = isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable)
    if whole or getattr(value, "ndim", 1) == 0:
        raise UsageError(f"{what} must be a list or a mapping; got {shown(value)}")
    try:
        return list(value)
    except Exception as problem:  # noqa: BLE001 - any code may stand in __iter__
        raise UsageError(f"{what} must be a list or a mapping; {safe(str(problem), 160)}") from None


def _named(names: Sequence[str], row: Any) -> dict[str, Any]:
    entries = _listed("a row of the Jacobian", row)
    if len(entries) != len(names):
        raise UsageError(f"a row of the Jacobian by {', '.join(names)} has {len(names)} entries; got {len(entries)}")
    return dict(zip(names, entries, strict=True))


def _pairs(formula: str, hessian: Any, data: Any, params: Any) -> dict[tuple[str, str], str]:
    if isinstance(hessian, Mapping):
        found = {}
        for key, text in hessian.items():
            names = key.split(",") if isinstance(key, str) else key
            if not isinstance(names, list | tuple) or len(names) != 2 or not all(isinstance(n, str) for n in names):
                raise UsageError(f"a second derivative is by two parameters, such as 'x,y'; got {safe(key)}")
            a, b = (fm.check_name(n.strip()) for n in names)
            found[a, b] = _number(text)
        return found
    order = _order([formula], data, params)
    rows = [_listed("a row of the Hessian", row) for row in _listed("the Hessian", hessian)]
    if len(rows) != len(order) or any(len(row) != len(order) for row in rows):
        raise UsageError(f"the Hessian by {', '.join(order)} is a matrix of {len(order)} x {len(order)} formulas")
    return {(a, b): _number(rows[i][j]) for i, a in enumerate(order) for j, b in enumerate(order)}
