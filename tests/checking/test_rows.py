"""What the prover takes the functions of the table to mean: each against SymPy's value to many digits."""

import random

import pytest
import sympy as sp

from symgd.checking.certificate import Certificate
from symgd.checking.prove import maps
from symgd.checking.prove.algebra import Algebra
from symgd.checking.replay import _Checker
from symgd.language.functions import FUNCTIONS

TRUTH = {"where", "logical_and", "logical_or", "logical_not"}  # of truth values
ROWS = sorted(n for n, row in FUNCTIONS.items() if row.kind == "map" and row.sympy is not None and n not in TRUTH)
ALONE = {"arcsin", "arctan", "arctan2", "arcsinh", "arccosh", "arctanh", "cbrt", "erf", "gamma", "digamma", "polygamma",
         "floor", "ceil", "mod", "floor_divide"}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_row_means_what_it_says(name):
    algebra = Algebra(100_000)
    row = FUNCTIONS[name]
    names = "uvw"[: row.least]
    form = maps.apply(algebra, name, [algebra.of(algebra.atom("leaf", "parameter", n, ())) for n in names])
    assert any(a.kind == "function" and a.args[0] == name for a in form.atoms()) == (name in ALONE)
    if name in ALONE:
        return
    expression = sp.sympify(row.sympy(sp, *(sp.Symbol(n, real=True) for n in names)))
    compared = 0
    for seed in range(6):
        checker = _Checker(Certificate((), form, form, (), "form", None), random.Random(seed), positive=seed % 2 == 0)
        point = {sp.Symbol(n, real=True): sp.Rational(str(checker._entry(n, ()))) for n in names}
        right = expression.subs(point)
        right = sp.Integer(int(bool(right))) if right in (sp.true, sp.false) else right.evalf(60)
        if not (right.is_real and right.is_finite):
            continue
        try:
            value = checker.poly(form, {})
        except ArithmeticError:
            continue
        compared += 1
        assert abs(value - checker.mp.mpf(str(right))) <= 1e-38 * max(1, abs(value)), (name, point)
    assert compared
