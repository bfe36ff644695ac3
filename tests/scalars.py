"""Random formulas of numbers: their objective, their exact jets, and what float64 must be allowed."""

import math

import numpy as np
import oracles
import strategies

from symgd import FormulaError, Objective

INPUTS = {"text": strategies.formulas, "point": strategies.points, "table": strategies.tables}
# The bound of the running error analysis charges each operation one rounding. A generated derivative takes another
# route through the same terms, with functions of up to 8 units of error: 64 covers both.
FACTOR = 64


def objective(text, table, tier="python"):
    data = {name: np.array(column) for name, column in table.items() if name in text}
    try:
        return Objective(text, params=strategies.PARAMS, data=table_of(text, data), tier=tier)
    except FormulaError as problem:
        # A constant that is no real number, such as log(-1): NumPy has nan or inf for it as well.
        if any(word in str(problem) for word in ("constant", "coefficient", "division by zero")):
            return None
        raise


def table_of(text, data):
    return data or None


def jet_at(text, point, table):
    try:
        return oracles.exact(text, point, table)
    except (oracles.OutOfReachError, OverflowError):
        return None


def near(found, wanted, bound):
    """Within the error that float64 must be allowed, which also covers numbers too small to matter."""
    return math.isfinite(found) and abs(found - wanted) <= FACTOR * oracles.EPS * (bound + abs(wanted)) + 1e-290
