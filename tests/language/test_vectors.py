"""Functions of arrays against the same functions of plain floats."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from symgd.language import scalar
from symgd.language.functions import FUNCTIONS
from symgd.language.vectors import vector

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -2.5, 1e-300, -1e-9, 1e-3, 0.7, 12.25, -30.0, 700.0, 709.5, 1e10,
           -1e300, math.inf, -math.inf, math.nan]  # fmt: skip
MAPS = sorted({row.name for row in FUNCTIONS.values() if row.kind == "map"})
ULPS = 8  # of the library's functions on either side


@pytest.mark.parametrize("name", MAPS)
def test_a_function_of_arrays_is_that_of_numbers(name):
    row = FUNCTIONS[name]
    count = 2 if name in ("add", "multiply") else row.least
    cases = list(itertools.product(SPECIAL if count < 3 else SPECIAL[::3], repeat=count))
    if name == "polygamma":
        cases = [(n, a) for n in (0.0, 1.0, 2.0, 5.0) for a in SPECIAL]
    arrays = [np.array(column) for column in zip(*cases, strict=True)]
    with np.errstate(all="ignore"):
        found = (
            np.asarray(vector(name)(*arrays), dtype=float)
            if name not in ("add", "multiply", "divide", "power")
            else {"add": np.add, "multiply": np.multiply, "divide": np.divide, "power": np.power}[name](*arrays)
        )
    for case, got in zip(cases, found, strict=True):
        want = float(scalar.evaluate(name, list(case)))
        if math.isnan(want) or math.isinf(want) or want == 0:
            assert got == want or (math.isnan(got) and math.isnan(want)) or abs(got - want) < 1e-300, (case, got, want)
        else:
            assert abs(got - want) <= ULPS * math.ulp(want), (case, got, want)
