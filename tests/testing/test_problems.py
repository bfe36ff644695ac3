"""Problems with known answers: their answers are right, to 12 digits, by nothing but the text of their formulas."""

import ast
import json
import math
import subprocess
import sys

import manydigits
import mpmath as mp
import numpy as np
import pytest

import symgd as sg
from symgd.testing import Problem, problems
from symgd.testing.problem_set import TAGS

FAMILIES = {"chained", "classics", "falling", "fits", "more", "several"}
DIGITS = 1e-12
# The default suite verifies the lowest minimum of the small ones; the slow one all of them.
KNOWN = [name for name, problem in problems.items() if "no_minimum" not in problem.tags]
SMALL = [name for name in KNOWN if problems[name].n <= 4]
LARGE = [name for name in KNOWN if problems[name].n > 4]


def rounding(problem):
    """How far float64's value may be from the exact one, relative: values are sums of terms that may cancel."""
    return 1e-11 * (1 + 1e3 * ("data" in problem.tags))


# ---- what is there ---------------------------------------------------------------------------------------------------


def test_there_are_many_of_each_kind():
    assert len(problems) - len(problems.select(tag="no_minimum")) >= 150
    counts = {tag: len(problems.select(tag=tag)) for tag in TAGS}
    assert all(counts.values()), counts
    assert counts["data"] >= 20
    assert counts["several"] >= 40
    assert sum("Moré" in p.source for p in problems.values()) >= 43


def test_names_are_unique_and_sources_said():
    from importlib import import_module

    listed = [p.name for f in sorted(FAMILIES) for p in import_module(f"symgd.testing.problem_set.{f}").PROBLEMS]
    assert len(listed) == len(set(listed)) == len(problems)
    assert all(len(p.source) > 10 for p in problems.values())


def test_more_garbow_and_hillstrom_is_whole():
    numbers = {
        int(p.source.rpartition("(")[2].rstrip(")")) for p in problems.values() if p.source.startswith("Moré, G")
    }
    assert numbers == set(range(1, 36))


# The values that the paper has, of as many digits as it has.
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("freudenstein_roth", 48.9842), ("jennrich_sampson", 124.362), ("bard", 8.21487e-3), ("gaussian", 1.12793e-8),
        ("meyer", 87.9458), ("kowalik_osborne", 3.07505e-4), ("brown_dennis", 85822.2), ("osborne_1", 5.46489e-5),
        ("osborne_2", 4.01377e-2), ("watson_6", 2.28767e-3), ("watson_9", 1.39976e-6),
        ("watson_12", 4.72238e-10), ("penalty_1_4", 2.24997e-5), ("penalty_1_10", 7.08765e-5),
        ("penalty_2_4", 9.37629e-6), ("penalty_2_10", 2.93660e-4), ("trigonometric", 2.79506e-5),
        ("linear_full_rank", 10.0), ("linear_rank_1", 20 * 19 / 82),
        ("linear_rank_1_zero", (400 + 60 - 6) / 74), ("chebyquad_8", 3.51687e-3), ("chebyquad_10", 6.50395e-3),
    ],
)  # fmt: skip
def test_values_of_the_paper(name, value):
    found = problems[name].minima
    assert min(abs(v - value) for v in found) <= 1e-5 * abs(value), found


# The certified sums of squares of NIST, of 11 digits.
def test_values_of_nist():
    from pathlib import Path

    certified = json.loads((Path(__file__).parents[1] / "known" / "nist" / "problems.json").read_text())
    ours = [name for name in certified if name.lower() in problems]
    assert len(ours) >= 12
    for name in ours:
        problem = problems[name.lower()]
        assert problem.minimum == pytest.approx(certified[name]["rss"], rel=2e-10), name
        for key, value in certified[name]["certified"].items():
            assert problem.minimizer[key] == pytest.approx(value, rel=2e-10), (name, key)


# ---- answers are right -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", problems)
def test_formula_means_what_numpy_says(name):
    problem = problems[name]
    wanted = float(manydigits.Exact(problem).value(problem.flat(problem.start)))
    assert problem.objective().value(problem.start) == pytest.approx(wanted, rel=1e-12)


def check(problem, place):
    """The minimum at a place of the list is one, whatever its proof."""
    answer, x = problem.minima[place], problem.flat(problem.minimizers[place])
    exact = manydigits.Exact(problem)
    if problem.proof in _PROOFS and place in _PROOFS[problem.proof](problem, exact):
        return
    with mp.workdps(manydigits.DIGITS):
        H = exact.hessian(x)
        step = mp.lu_solve(H, mp.matrix(exact.gradient(x)))
        true = [mp.mpf(v) - s for v, s in zip(x, step, strict=True)]
        for v, t in zip(x, true, strict=True):
            assert abs(v - t) <= DIGITS * (abs(t) if v else 1), (v, mp.nstr(t, 20))
        value = exact.value(true)
        assert "singular" not in problem.tags or place
        assert abs(value - answer) <= (DIGITS * abs(answer) if answer else 1e-24), (answer, mp.nstr(value, 20))
        assert manydigits.definite(H)


def lowest(problem):
    """The places of the minimizers that have the lowest value."""
    return [place for place, value in enumerate(problem.minima) if value <= problem.minimum + DIGITS * problem.scale]


def zero(problem, exact):
    """The places where the value is exactly 0, and nothing can be below."""
    assert "singular" in problem.tags
    assert never_negative(ast.parse(problem.formula, mode="eval").body), "the formula is no sum of even powers"
    places = [place for place, value in enumerate(problem.minima) if value == 0]
    assert places
    for place in places:
        x = [mp.mpf(v) for v in problem.flat(problem.minimizers[place])]
        assert abs(exact.value(x)) < 1e-60
        assert not manydigits.definite(exact.hessian(x))
    return places


def convex(problem, exact):
    """The only place, of a quadratic function whose Hessian is nowhere negative."""
    assert len(problem.minima) == 1
    x = problem.flat(problem.minimizer)
    g, H = exact.gradient(x), exact.hessian(x)
    other = exact.hessian([v + 1 for v in x])
    size = max(map(abs, H))
    assert max(map(abs, H - other)) < 1e-30 * size
    assert max(map(abs, g)) <= DIGITS * size * max(map(abs, x))
    assert np.linalg.eigvalsh(np.array(H.tolist(), dtype=float))[0] >= -1e-9 * float(size)
    assert abs(exact.value([mp.mpf(v) for v in x]) - problem.minimum) <= DIGITS * abs(problem.minimum)
    return [0]


def bound(problem, exact):
    """The place of a kink: no value is below, near it and far from it."""
    x = np.array(problem.flat(problem.minimizer))
    assert abs(exact.value([mp.mpf(v) for v in x]) - problem.minimum) < 1e-60
    rng, f = np.random.default_rng(0), problem.objective()
    for size in 10.0 ** np.arange(-12, 3):
        for _ in range(20):
            assert f.fun(x + size * rng.standard_normal(len(x))) > problem.minimum
    return lowest(problem)


_PROOFS = {"zero": zero, "convex": convex, "bound": bound}


def never_negative(node):
    """Whether an expression cannot be negative, as its text shows: sums and products of even powers and constants."""
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Pow):
            return getattr(node.right, "value", 1) % 2 == 0
        if isinstance(node.op, ast.Add | ast.Mult | ast.Div):
            return never_negative(node.left) and never_negative(node.right)
    if isinstance(node, ast.Call):
        return node.func.id == "exp" or (node.func.id == "sum" and never_negative(node.args[0]))
    return isinstance(node, ast.Constant) and node.value >= 0


@pytest.mark.parametrize("name", SMALL)
def test_the_lowest_minimum_is_one(name):
    check(problems[name], 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_every_minimum_is_one(name):
    for place in range(len(problems[name].minima)):
        check(problems[name], place)


@pytest.mark.parametrize("name", LARGE)
def test_floats_agree_with_the_answer(name):
    problem = problems[name]
    f = problem.objective()
    for value, point in zip(problem.minima, problem.minimizers, strict=True):
        assert f.value(point) == pytest.approx(value, rel=1e-6, abs=1e-18)


@pytest.mark.parametrize("name", KNOWN)
def test_minima_are_told_lowest_first_and_once(name):
    problem = problems[name]
    assert list(problem.minima) == sorted(problem.minima)
    points = [tuple(problem.flat(p)) for p in problem.minimizers]
    assert len(set(points)) == len(points)
    assert ("zero" in problem.tags) == (problem.minimum == 0)
    assert ("several" in problem.tags) == (len(points) > 1) or "curve" in problem.tags


@pytest.mark.parametrize("name", problems.select(tag="no_minimum"))
def test_what_has_no_minimum_has_no_answer(name):
    problem = problems[name]
    assert problem.known == ()
    assert not problem.solved(-math.inf)
    with pytest.raises(sg.UsageError, match=f"no minimum of '{name}' is known"):
        problem.minimum


@pytest.mark.parametrize("name", problems.select(tag="convex"))
def test_what_is_called_convex_is(name):
    problem, rng = problems[name], np.random.default_rng(0)
    f, start = problem.objective(), problems[name].flat(problems[name].start)
    for size in (0.01, 0.1, 1.0):
        x = np.array(start) + size * rng.standard_normal(len(start))
        H = f.hess(x)
        if np.isfinite(f.fun(x)):
            assert np.linalg.eigvalsh(H)[0] >= -1e-12 * np.abs(H).max()
    assert len(problem.minima) <= 1


@pytest.mark.parametrize("name", problems.select(tag="squares"))
def test_what_is_called_a_sum_of_squares_is_recognised_as_one(name):
    f = problems[name].objective()
    f.value(problems[name].start)
    assert f.kernel().squares() is not None


# ---- how they are had ------------------------------------------------------------------------------------------------


def test_one_by_name():
    beale = sg.testing.problems["beale"]
    assert beale.minimizer == {"x": 3.0, "y": 0.5}
    assert beale.objective().value(beale.minimizer) == 0.0


def test_a_name_that_is_none():
    with pytest.raises(sg.UsageError, match="no problem 'rosenbrok'; did you mean 'rosenbrock'"):
        problems["rosenbrok"]
    assert "rosenbrok" not in problems


def test_a_tag_that_is_none():
    with pytest.raises(sg.UsageError, match=r"tag='convx' must be one of.*convex"):
        problems.select(tag="convx")
    with pytest.raises(sg.UsageError, match="tag='hard' must be one of"):
        Problem("one", "x**2", {"x": 1.0}, "nobody", ("hard",))


def test_a_problem_of_your_own():
    mine = Problem(
        "mine", "sum((x - 2)**2) + y**2", {"x": np.array([1.0, 1.0]), "y": 3}, "me", known=((0.0, [2, 2, 0]),)
    )
    assert mine.minimizer == {"x": [2.0, 2.0], "y": 0.0}
    assert mine.solved(mine.objective().minimize(mine.start).value)
    with pytest.raises(sg.UsageError, match="known must have 3 numbers for each minimizer"):
        Problem("mine", mine.formula, mine.start, "me", known=((0.0, [2, 2]),))
    with pytest.raises(sg.UsageError, match="known must begin with the lowest minimum"):
        Problem("one", "x**2*(x - 1)", {"x": 1.0}, "me", known=((0.0, [0]), (-0.1, [0.7])))
    with pytest.raises(sg.UsageError, match="proof='luck' must be one of hessian, zero"):
        Problem("one", "x**2", {"x": 1.0}, "me", proof="luck")


def test_selection():
    chosen = problems.select(tag="data", most=3)
    assert 0 < len(chosen) < len(problems.select(tag="data"))
    assert all(p.n <= 3 and "data" in p.tags for p in chosen.values())
    both = problems.select(tag=("squares", "several"))
    assert both
    assert all({"squares", "several"} <= set(p.tags) for p in both.values())


def test_starts_farther_out():
    assert problems["rosenbrock"].start_at(10) == {"x": -12.0, "y": 10.0}
    assert problems["watson_6"].start_at(1) == {"x": [0.0] * 6}
    assert problems["watson_6"].start_at(10) == {"x": [10.0] * 6}  # as the paper's own program does


def test_a_value_counts_as_solved():
    meyer, beale = problems["meyer"], problems["beale"]
    assert meyer.solved(meyer.minimum * (1 + 1e-7))
    assert not meyer.solved(meyer.minimum * 1.001)
    assert beale.solved(1e-7)
    assert not beale.solved(1e-5)
    assert not beale.solved(math.nan)


def test_nothing_heavy_is_imported():
    code = (
        "import sys, symgd.testing; from symgd.testing import problems; len(problems);"
        "print([m for m in ('hypothesis', 'numpy', 'scipy', 'sympy', 'numba', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- the page --------------------------------------------------------------------------------------------------------


def test_the_table_of_the_page_is_of_these_problems():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "problems.md").read_text(encoding="utf-8")
    made = page.partition("<!-- made by benchmarks/problems.py: begin -->\n")[2].partition("<!-- end -->")[0]
    count = len(problems)
    far = sum(math.isfinite(p.objective().value(p.start_at(10))) for p in problems.values())
    assert made.startswith(f"{count} problems, {count} starts at 1 times and {far} starts at 10 times"), made[:80]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in made.splitlines() if line.startswith("| `")]
    assert {"`auto`", "`scipy:BFGS`", "`scipy:L-BFGS-B`", "`scipy:trust-exact`", "`scipy:least_squares`"} <= {
        row[0] for row in rows
    }
    for _, near, out, solved, lowest, false, silent, *_ in rows:
        assert int(near) + int(out) == int(solved) >= int(lowest)
        assert int(solved) + int(false) <= count + far
        assert int(silent) <= int(solved)
