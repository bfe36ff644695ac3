"""Curvature at a point: eigenvalues, kinds, learning rates, flat directions, and steps that leave saddles."""

import json
import math
import re

import mpmath
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.cli import main
from symgd.curvature import DENSE, classify, corner, escape, in_names, lanczos, spectrum
from symgd.curvature.directions import Names
from symgd.insight import rates

EPS = np.finfo(float).eps


def quadratic(a, tier="auto"):
    """Half a quadratic form, whose Hessian is the matrix."""
    return sg.Objective("0.5*x @ A @ x", data={"A": a}, params={"x": len(a)}, tier=tier)


def symmetric(rng, values):
    q = np.linalg.qr(rng.standard_normal((len(values), len(values))))[0]
    a = q * values @ q.T
    return (a + a.T) / 2


# ---- kinds ---------------------------------------------------------------------------------------------------------

THIRD = 1 / 3
KINDS = [
    ("x**2 + y**2", [0, 0], "minimum"),
    ("-x**2 - y**2", [0, 0], "maximum"),
    ("x*y", [0, 0], "saddle"),
    ("x**2 + 4*x*y + y**2", [0, 0], "saddle"),
    ("x**3 - 3*x*y**2", [0, 0], "degenerate"),
    ("x**3 + y**3 - 3*x*y", [0, 0], "saddle"),
    ("x**3 + y**3 - 3*x*y", [1, 1], "minimum"),
    ("x**4 + y**4 - 4*x*y + 1", [0, 0], "saddle"),
    ("x**4 + y**4 - 4*x*y + 1", [-1, -1], "minimum"),
    ("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", [3, 2], "minimum"),
    ("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", [-0.270845, -0.923039], "maximum"),
    ("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", [0.086678, 2.884255], "saddle"),
    ("(1 - x)**2 + 100*(y - x**2)**2", [1, 1], "minimum"),
    ("x**2*y + y**3 - 3*y", [0, 1], "minimum"),
    ("x**2*y + y**3 - 3*y", [0, -1], "maximum"),
    ("x**2*y + y**3 - 3*y", [math.sqrt(3), 0], "saddle"),
    ("sin(x)*sin(y)", [0, 0], "saddle"),
    ("sin(x)*sin(y)", [math.pi / 2, math.pi / 2], "maximum"),
    ("4*x + 2*y - x**2 - 3*y**2", [2, THIRD], "maximum"),
    ("x**2 + 2*x*y + y**2", [0, 0], "weak_minimum"),
    ("x**2 - y**2 + z**4", [0, 0, 0], "saddle"),
    ("-x**2 + 0*y", [0, 1], "degenerate"),
    ("x**3", [0], "degenerate"),
    ("x**4", [0], "minimum"),
    ("x**2 + y**3", [0, 0], "degenerate"),
    ("(y - x**2)*(y - 3*x**2)", [0, 0], "degenerate"),
    ("exp(x)", [-50], "degenerate"),
    ("x*log(x)", [1 / math.e], "minimum"),
    ("1e8*(x/1e3 - 1)**2 + 1e-4*(y*1e4 - 1)**2", [1e3, 1e-4], "minimum"),
    ("1e12 + (x - 3)**2", [3], "minimum"),
    ("x**2 - 1e-9*y**2", [0, 0], "saddle"),
    ("4*x**2 - 2.1*x**4 + x**6/3 + x*y - 4*y**2 + 4*y**4", [0, 0], "saddle"),
    ("4*x**2 - 2.1*x**4 + x**6/3 + x*y - 4*y**2 + 4*y**4", [0.0898420131, -0.7126564030], "minimum"),
    ("abs(x) + y**2", [0, 0], "kink_minimum"),
    ("relu(x)", [0], "kink_minimum"),
    ("(a*b - 3)**2", [1.5, 2], "weak_minimum"),
    ("(a*b - 3)**2 + (a*b - 4)**2", [1.75, 2], "weak_minimum"),
    ("(x**2 + y**2 - 1)**2", [0.6, 0.8], "weak_minimum"),
    ("(x*y)**2", [0, 2], "weak_minimum"),
    ("(x*y)**2", [0, 0], "weak_minimum"),
    ("(y - x**2)**2 + x**4", [0, 0], "minimum"),
    ("x**2 - y**512", [0, 0.1], "degenerate"),
    ("sqrt(x)", [0], "boundary"),
    ("log(x)", [-1], "boundary"),
    ("x**2 - y**2", [1, 0], "not_stationary"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "kind"), KINDS)
def test_kinds_of_points(text, at, kind):
    c = sg.Objective(text).curvature(at)
    assert c.kind == kind, c.message
    assert kind in c.explain()
    assert json.loads(json.dumps(c.to_dict(), allow_nan=False))["kind"] == kind


def test_a_point_far_from_stationary_is_none_however_small_its_gradient():
    c = sg.Objective("1e-9*x**2").curvature(x=1)
    assert c.kind == "not_stationary"
    assert "the stationary point is still 1 away" in c.message


def test_a_hessian_that_is_not_finite_is_data():
    c = sg.Objective("x**1.5").curvature(x=0)
    assert c.kind == "boundary"
    assert np.isnan(c.eigenvalues).all()
    assert math.isnan(c.condition)
    assert math.isnan(c.largest_lr)
    assert c.best_lr is c.rate is c.momentum is c.steps() is None
    assert "the Hessian is not finite" in c.explain()
    assert c.to_dict()["eigenvalues"] == [None]


def test_without_parameters_there_is_little_to_say():
    c = sg.Objective("5").curvature({})
    assert (len(c.eigenvalues), c.kind, c.message) == (0, "unknown", "there are no parameters")
    assert "there are no parameters" in c.explain()
    assert math.isnan(c.condition)


# ---- eigenvalues ---------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=6), st.lists(st.floats(-2, 2), min_size=3, max_size=3))
@settings(max_examples=40)
def test_eigenvalues_agree_with_many_digits(c, at):
    text = f"{c[0]}*x**2 + {c[1]}*x*y + {c[2]}*y**2*z + {c[3]}*z**2 + {c[4]}*sin(x*z) + {c[5]}*exp(y)"
    found = sg.Objective(text, params=("x", "y", "z")).curvature(at)
    with mpmath.workdps(40):
        x, y, z = map(mpmath.mpf, at)
        k = [mpmath.mpf(v) for v in c]
        s, t = mpmath.sin(x * z), mpmath.cos(x * z)
        xz = k[4] * (t - x * z * s)
        h = mpmath.matrix(
            [
                [2 * k[0] - k[4] * z * z * s, k[1], xz],
                [k[1], 2 * k[2] * z + k[5] * mpmath.exp(y), 2 * k[2] * y],
                [xz, 2 * k[2] * y, 2 * k[3] - k[4] * x * x * s],
            ]
        )
        exact = sorted(mpmath.eigsy(h, eigvals_only=True))
        size = float(mpmath.mnorm(h, "f"))
    # Entries are rounded by a few units in the last place, and symmetric eigenvalues move by no more than the matrix.
    assert found.eigenvalues == pytest.approx([float(v) for v in exact], rel=0, abs=40 * EPS * size + 1e-300)


@given(st.integers(0, 10_000), st.integers(2, 6))
@settings(max_examples=25)
def test_small_eigenvalues_of_badly_scaled_matrices_have_all_their_digits(seed, n):
    rng = np.random.default_rng(seed)
    b = symmetric(rng, rng.uniform(0.5, 2.0, n))
    a = b * np.outer(*[10.0 ** rng.uniform(-7, 7, n)] * 2)
    a = (a + a.T) / 2
    found = spectrum.dense(a)
    with mpmath.workdps(80):
        exact = sorted(mpmath.eigsy(mpmath.matrix(a.tolist()), eigvals_only=True))
    # The condition of the scaled matrix is at most 16 (van der Sluis: n times the best, which is 4 or less).
    if exact[-1] > 1e6 * exact[0]:
        assert found.values == pytest.approx([float(v) for v in exact], rel=100 * n * EPS)
        assert np.abs(found.vectors.T @ found.vectors - np.eye(n)).max() < 1e-13


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_eigenvalues_of_matrices_agree_with_numpy(tier):
    rng = np.random.default_rng(5)
    a = symmetric(rng, rng.standard_normal(8))
    c = quadratic(a, tier).curvature(x=np.zeros(8))
    w, v = np.linalg.eigh(a)
    assert c.eigenvalues == pytest.approx(w, abs=1e-14 * abs(w).max())
    # Eigenvectors are as good as their eigenvalues lie apart, here 0.02 or more.
    assert np.abs(np.sum(c.eigenvectors * v, axis=0)) == pytest.approx(1, abs=1e-12)
    assert (np.abs(c.eigenvalues - w) <= c.errors).all()


# ---- learning rates ------------------------------------------------------------------------------------------------


@given(st.floats(1e-6, 1e6), st.floats(1.0, 1e6))
def test_rates_of_a_quadratic_in_closed_form(low, condition):
    high = low * condition
    c = sg.Objective("0.5*(a*x**2 + b*y**2)", data={"a": low, "b": high}).curvature(x=1, y=1)
    low, high = min(low, high), max(low, high)
    assert c.largest_lr == pytest.approx(2 / high, rel=1e-14)
    assert c.largest_lr_momentum(0.9) == pytest.approx(3.8 / high, rel=1e-14)
    assert c.best_lr == pytest.approx(2 / (low + high), rel=1e-14)
    assert c.rate == pytest.approx((high - low) / (high + low), rel=1e-13, abs=1e-14)
    root_low, root_high = math.sqrt(low), math.sqrt(high)
    assert c.momentum.lr == pytest.approx(4 / (root_low + root_high) ** 2, rel=1e-14)
    assert c.momentum.rate == pytest.approx((root_high - root_low) / (root_high + root_low), rel=1e-13, abs=1e-14)
    assert c.momentum.beta == pytest.approx(c.momentum.rate**2, rel=1e-14)


@pytest.mark.parametrize("condition", [1.5, 10.0, 400.0])
def test_steps_are_those_that_a_run_takes(condition):
    f = sg.Objective("0.5*(x**2 + L*y**2)", data={"L": condition}, tier="python")
    c = f.curvature(x=0, y=0)
    for tolerance in (0.1, 1e-6):
        k = c.steps(tolerance)
        start = {"x": 0.6, "y": 0.8}  # both eigenvalues shrink alike
        left = [math.hypot(*f.minimize(start, lr=c.best_lr, steps=n).x) for n in (k, max(1, k - 1))]
        assert left[0] <= tolerance * (1 + 1e-9)
        assert left[1] > tolerance * (1 - 1e-9) or k == 1
        k = c.steps(tolerance, "momentum")
        worst = {"x": 0.0, "y": 1.0}
        options = {"method": "momentum", "lr": c.momentum.lr, "beta": c.momentum.beta}
        left = [math.hypot(*f.minimize(worst, steps=n, **options).x) for n in (k, max(1, k - 1))]
        assert left[0] <= tolerance * (1 + 1e-9)
        assert left[1] > tolerance * (1 - 1e-9) or k == 1


def test_the_largest_learning_rate_parts_runs_that_settle_from_runs_that_leave():
    f = sg.Objective("0.2*x1**2 + x2**2")
    limit = f.curvature(x1=0, x2=0).largest_lr
    assert limit == 1.0
    assert f.minimize([9, -3], lr=0.99 * limit, steps=2000).value < 1e-12
    assert f.minimize([9, -3], lr=1.01 * limit, steps=2000).value > 1e12


def test_steps_at_extreme_conditions():
    assert rates.steps(1.0, 1.0, 1e-6, "gd") == rates.steps(1.0, 1.0, 1e-6, "momentum") == 1
    # ln(1e6)/2 per unit of condition, to first order.
    assert rates.steps(1e-12, 1.0, 1e-6, "gd") == pytest.approx(math.log(1e6) / 2e-12, rel=1e-6)
    assert 1e7 < rates.steps(1e-12, 1.0, 1e-6, "momentum") < 3e7


def test_where_a_curvature_is_not_positive_there_is_no_fastest_rate():
    for text in ("x**2 - y**2", "(x + y)**2", "-x**2 - y**2"):
        c = sg.Objective(text).curvature(x=0, y=0)
        assert c.best_lr is c.rate is c.momentum is c.steps() is None
    assert "with any learning rate" in sg.Objective("-x**2").curvature(x=0).explain()
    assert math.isinf(sg.Objective("-x**2").curvature(x=0).largest_lr)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.steps(1e-6, "adam"), "method='adam' must be one of gd, momentum"),
        (lambda c: c.steps(2), "tolerance=2 must be between 0 and 1"),
        (lambda c: c.steps("small"), "tolerance='small' must be"),
        (lambda c: c.largest_lr_momentum(1.0), "beta=1.0 must be at least 0 and below 1"),
        (lambda c: c.largest_lr_momentum(True), "beta=True must be"),
    ],
)
def test_misuse_is_told(call, message):
    with pytest.raises(sg.UsageError, match=message):
        call(sg.Objective("x**2").curvature(x=0))


# ---- directions ----------------------------------------------------------------------------------------------------


def test_directions_have_names():
    c = sg.Objective("x**2 + (y - 2*z)**2 + 3*z**2").curvature(x=0, y=0, z=0)
    assert c.directions[1] == "x"
    assert in_names(("a", "b", "c"), np.array([1.0, -4200.0, 1e-9])) == "b - 0.0002381*a"
    assert in_names(tuple("abcde"), np.ones(5)) == "a + b + c + d + ..."
    assert in_names(("a",), np.zeros(1)) == "0"


def test_names_are_made_when_they_are_asked_for():
    f = sg.Objective("sum(W**2) + b**2 + sum(v)", params={"b": (), "W": (3, 4), "v": 2})
    names = Names(f.params, f.model.shapes.values())
    assert tuple(names) == f.names
    assert names[2:4] == list(f.names[2:4])
    assert names[-1] == "v[1]"
    with pytest.raises(IndexError):
        names[15]


COLUMN = np.linspace(0, 1, 12)
GROUPS = np.eye(3)[np.arange(12) % 3]


@pytest.mark.parametrize(
    ("text", "at", "data", "messages"),
    [
        ("(a + b - 1)**2 + (c - 2)**2", [0.5, 0.5, 2], None,
         ["of a and b only a + b is determined: along a - b the value"]),
        ("(a + 2*b - 1)**2", [1, 0], None, ["only a + 2*b is determined: along 2*a - b the value does not change"]),
        ("(a*b - 1)**2", [1, 1], None, [r"only a\*b is determined: the value stays as a grows and b shrinks, along a"]),
        ("(a**2*b - 4)**2", [2, 1], None, [r"only a\*\*2\*b is determined"]),
        ("(a + b + c - 1)**2", [1, 0, 0], None, [r"only a \+ b \+ c is determined: along a - b", "along b - c"]),
        ("(x - y)**2 + (y - z)**2", [1, 1, 1], None, ["only x - z and y - z are determined: along x + y + z"]),
        ("x**2 + 0*y", [0, 1], None, ["the value does not depend on y"]),
        ("x**4 + y**2", [0, 0], None, ["along x the curvature is 0, though the value changes further away"]),
        ("mean((y - a*exp(-b*x)*c)**2)", [1, 2, 3], {"x": COLUMN, "y": 3 * np.exp(-2 * COLUMN)},
         [r"only a\*c is determined: the value stays as a grows and c shrinks, along a - 3\*c"]),
        ("mean((y - (m + d0*p + d1*q + d2*r))**2)", [1, 0, 0, 0],
         {"d0": GROUPS[:, 0], "d1": GROUPS[:, 1], "d2": GROUPS[:, 2], "y": np.ones(12)},
         ["only m + p, m + q and m + r are determined: along m - p - q - r the value does not change"]),
    ],
)  # fmt: skip
def test_redundant_parameters_are_named(text, at, data, messages):
    c = sg.Objective(text, data=data).curvature(at)
    assert len(c.flat) == len(messages)
    for flat, message in zip(c.flat, messages, strict=True):
        pattern = message if "\\" in message else re.escape(message)
        assert re.search(pattern, flat.message)
        assert flat.message in c.explain()
        d = np.array([flat.direction.get(name, 0.0) for name in c.params])
        h = sg.Objective(text, data=data).hessian_at(at)
        assert np.abs(h @ d).max() <= 1e-13 * max(1.0, np.abs(h).max() * np.abs(d).max())
    assert math.isinf(c.condition)
    assert math.isinf(c.scaled_condition) or not c.scales


def test_many_redundant_directions_are_told_in_one():
    rng = np.random.default_rng(0)
    u, v = rng.standard_normal((4, 2)), rng.standard_normal((2, 4))
    f = sg.Objective("sum((U @ V - Y)**2)", data={"Y": u @ v}, params={"U": (4, 2), "V": (2, 4)})
    c = f.curvature(U=u, V=v)
    (flat,) = c.flat  # U @ G and inv(G) @ V do as well, for any 2 x 2 matrix
    assert flat.message.startswith("4 directions among U[0,0], U[0,1]")
    assert c.kind == "weak_minimum"


def test_parameters_that_are_barely_told_apart_are_named_with_numbers():
    c = sg.Objective("(a + b - 1)**2 + 1e-9*(a - b)**2").curvature(a=0.5, b=0.5)
    (flat,) = c.flat
    assert flat.message.startswith("a and b are barely told apart: along a - b the curvature is 1e-09 of the largest")
    assert (flat.relative, flat.scaled) == (pytest.approx(1e-9, rel=1e-6), pytest.approx(1e-9, rel=1e-6))
    assert not flat.exact
    # In parameters of very different size, what counts is what they do: u = 4200*v means the same as before.
    c = sg.Objective("(u/4200 + v - 1)**2 + 1e-9*(u/4200 - v)**2").curvature(u=2100, v=0.5)
    assert c.flat[0].direction == {"u": pytest.approx(1), "v": pytest.approx(-1 / 4200)}
    assert c.flat[0].scaled == pytest.approx(1e-9, rel=1e-5)


def test_units_are_told_from_what_the_data_do_not_determine():
    c = sg.Objective("x**2 + 1e-12*y**2").curvature(x=0, y=0)
    (flat,) = c.flat
    assert "a matter of units, and scaling the parameters cures it" in flat.message
    assert (flat.relative, flat.scaled) == (pytest.approx(1e-12), pytest.approx(1))
    assert c.condition == pytest.approx(1e12)
    assert c.scaled_condition == pytest.approx(1, rel=1e-14)
    assert c.scales["y"] / c.scales["x"] == pytest.approx(1e6)
    assert "y in units 1e+06 times those of x" in c.explain()
    assert not sg.Objective("x**2 + 1e-3*y**2").curvature(x=0, y=0).flat


def test_the_effect_of_standardising_is_foretold():
    x = np.linspace(1000, 1010, 50)
    f = sg.Objective("mean((y - (w*x + b))**2)", data={"x": x, "y": 2 * x})
    c = f.curvature(w=2, b=0)
    h = f.hessian_at(w=2, b=0)
    scaled = h / np.sqrt(np.outer(np.diag(h), np.diag(h)))
    # The condition of a matrix is known to its own size times the rounding of its entries.
    assert c.scaled_condition == pytest.approx(np.linalg.cond(scaled), rel=1e-7)
    assert "subtracting the means of the data (of y, x) may help" in c.explain()
    z = sg.Objective("mean((y - (w*x + b))**2)", data={"x": (x - x.mean()) / x.std(), "y": 2 * x})
    assert z.curvature(w=0, b=0).condition == pytest.approx(1, rel=1e-12)


def test_the_account_shows_itself():
    c = sg.Objective("(5*x**2 + y**2)/2").curvature(x=0, y=0)
    assert repr(c) == "Curvature(minimum, eigenvalues=[1, 5], condition=5, largest_lr=0.4)"
    assert "<th>momentum</th><td>fastest at 0.381966" in c._repr_html_()
    plain = c.to_dict()
    assert plain["eigenvectors"] == [{"x": 0.0, "y": 1.0}, {"x": 1.0, "y": 0.0}]
    assert (plain["best_lr"], plain["steps"]["gd"]) == (pytest.approx(1 / 3), 35)


# ---- many parameters -----------------------------------------------------------------------------------------------

MANY = DENSE + 188


def chain(n):
    """A Laplacian with fixed ends: curvatures 4*sin(k*pi/(2*(n + 1)))**2."""
    text = f"0.5*(x[0]**2 + x[{n - 1}]**2 + sum((x[1:] - x[:-1])**2))"
    return sg.Objective(text, params={"x": n}), 4 * np.sin(np.arange(1, n + 1) * np.pi / (2 * (n + 1))) ** 2


def test_tridiagonal_hessians_are_exact_at_both_ends():
    f, exact = chain(MANY)
    c = f.curvature(x=np.zeros(MANY))
    assert c.eigenvalues == pytest.approx([*exact[:3], *exact[-3:]], abs=1e-15)
    assert (np.abs(c.eigenvalues - [*exact[:3], *exact[-3:]]) <= c.errors).all()
    assert (c.kind, c.converged) == ("minimum", True)
    assert "tridiagonal" in c.note
    assert c.directions[0] == "x[349] + x[350] + x[348] + x[351] + ..."
    assert c.largest_lr == pytest.approx(2 / exact[-1], rel=1e-14)


def test_diagonal_hessians_are_read_off():
    f = sg.Objective("sum(d*x**2)/2", data={"d": np.arange(1.0, MANY + 1)}, params={"x": MANY})
    c = f.curvature(x=np.zeros(MANY))
    assert c.eigenvalues.tolist() == [1, 2, 3, MANY - 2, MANY - 1, MANY]
    assert c.directions[-1] == f"x[{MANY - 1}]"
    assert c.to_dict()["eigenvectors"][0]["x[0]"] == 1.0


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_lanczos_finds_both_ends(tier):
    rng = np.random.default_rng(3)
    n = DENSE + 8
    values = np.sort(np.concatenate([rng.uniform(1, 2, n - 6), [-3, 0.1, 0.5, 3, 5, 9]]))
    v = rng.standard_normal((n, 2))
    v /= np.linalg.norm(v, axis=0)
    # A diagonal, turned by two reflections.
    text = "0.5*sum(d*(x - 2*u*(u @ x) - 2*w*(w @ (x - 2*u*(u @ x))))**2)"
    f = sg.Objective(text, data={"d": values, "u": v[:, 0], "w": v[:, 1]}, params={"x": n}, tier=tier)
    c = f.curvature(x=np.zeros(n))
    expected = np.array([*values[:3], *values[-3:]])
    assert c.converged
    assert "Lanczos" in c.note
    # The error of an eigenvalue is the square of its bound over the gap; bounds are 1e-6 of it, and gaps 0.4 or more.
    assert c.eigenvalues == pytest.approx(expected, rel=1e-10)
    assert (np.abs(c.eigenvalues - expected) <= c.errors + 1e-13).all()
    assert (c.kind, c.best_lr) == ("saddle", None)
    assert np.abs(c.eigenvectors.T @ c.eigenvectors - np.eye(6)).max() < 1e-12


def test_what_has_not_converged_is_told_with_bounds():
    n = 4096
    exact = 4 * np.sin(np.arange(1, n + 1) * np.pi / (2 * (n + 1))) ** 2

    def product(v):
        out = 2 * v
        out[1:] -= v[:-1]
        out[:-1] -= v[1:]
        return out

    found = lanczos.lanczos(product, n, 2, 60)
    assert (found.converged, found.steps) == (False, 60)
    for value, error in zip(found.values, found.errors, strict=True):
        assert np.abs(exact - value).min() <= error
    known = spectrum._known(found, n)
    assert known.above <= exact[0] < known.values[0]
    assert "have not converged" in known.note


def test_copies_that_rounding_brings_up_again_are_left_out():
    d = np.concatenate([np.linspace(1, 2, 600), [100.0, 200.0, 1e-3]])
    found = lanczos.lanczos(lambda v: d * v, len(d), 3, 600)
    assert found.steps > 60  # long enough for the outer ones to come up again
    assert found.values[-2:] == pytest.approx([100, 200], rel=1e-12)
    assert found.values[0] == pytest.approx(1e-3, rel=1e-9)
    assert np.diff(found.values).min() > 1e-4


def test_lanczos_of_few_different_eigenvalues_ends_early():
    found = lanczos.lanczos(lambda v: 3.0 * v, 700, 3, 100)
    assert found.values == pytest.approx([3.0], rel=1e-15)
    d = np.where(np.arange(700) % 2, 5.0, -1.0)
    assert lanczos.lanczos(lambda v: d * v, 700, 3, 100).values == pytest.approx([-1, 5], rel=1e-13)


def test_ctrl_c_ends_lanczos_with_what_is_known():
    calls = []

    def product(v):
        calls.append(1)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return np.linspace(1, 2, len(v)) * v

    found = lanczos.lanczos(product, 1000, 2, 500)
    assert (found.interrupted, found.converged, found.steps) == (True, False, 29)
    assert "interrupted" in spectrum._known(found, 1000).note


def test_a_large_hessian_that_is_not_finite_is_data():
    f = sg.Objective("sum(x[1:]*x[:-1]) + sum(x)**2 + sum(sqrt(x))", params={"x": MANY})
    c = f.curvature(x=np.zeros(MANY))
    assert c.kind == "boundary"
    assert math.isnan(c.condition)
    json.dumps(c.to_dict(), allow_nan=False)


def test_kinds_of_large_points():
    d = np.linspace(1, 2, MANY)
    for ends, kind in (((1.0, 2.0), "minimum"), ((-1.0, 2.0), "saddle"), ((0.0, 2.0), "degenerate")):
        values = np.concatenate([ends[:1], d, ends[1:]])
        f = sg.Objective("sum(d*x**2) + 0.01*sum(d*x)**2", data={"d": values}, params={"x": len(values)})
        assert f.curvature(x=np.zeros(len(values))).kind == kind
    f = sg.Objective("-sum(d*x**2) - 0.01*sum(d*x)**2", data={"d": d}, params={"x": MANY})
    assert f.curvature(x=np.zeros(MANY)).kind == "maximum"


def test_runs_of_many_parameters_still_tell_their_kind():
    run = sg.Objective("sum(d*x**2)", data={"d": np.linspace(1, 2, MANY)}, params={"x": MANY}).minimize([1.0] * MANY)
    assert run.ok


@pytest.mark.slow
def test_a_million_parameters():
    n = 1_000_000
    f = sg.Objective("sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)", params={"x": n})
    c = f.curvature(x=np.ones(n))
    assert c.kind == "minimum"
    # The Hessian there has 1002 on its diagonal and -400 beside it; the ends differ, and give one eigenvalue below.
    assert c.eigenvalues[-1] == pytest.approx(1802, rel=1e-9)
    assert c.eigenvalues[1] == pytest.approx(202, rel=1e-9)
    small = sg.Objective(f.text, params={"x": 400}).curvature(x=np.ones(400))  # the first is of the end alone
    assert c.eigenvalues[0] == pytest.approx(small.eigenvalues[0], rel=1e-10)


# ---- leaving a saddle ----------------------------------------------------------------------------------------------

SADDLES = [
    "x**2 - y**2 + y**4", "x**3 - 3*x*y**2 + (x**2 + y**2)**2", "x**4 - y**4 + y**6", "x**2 - y**4 + y**6",
    "x**2 - y**2", "(y - x**2)*(y - 3*x**2)", "x**3", "1e4*x**4 + x**3", "x**6 - 1e-6*x**4",
    "(x + y)**4 - (x - 2*y)**4 + (x**2 + y**2)**3", "1e6*x**2 - 1e-6*y**2 + 1e-6*y**4", "-x**2 - y**2 + x**4 + y**4",
    "1e8 - 1e-3*x**2 + 1e-3*x**4", "x*y*z + (x**2 + y**2 + z**2)**2", "(y - x**3)*(y - 4*x**3) + x**8",
]  # fmt: skip


@pytest.mark.parametrize("text", SADDLES)
@pytest.mark.parametrize("tier", ["python", "auto"])
def test_a_step_leaves_a_point_that_is_no_minimum(text, tier):
    kernel = sg.Objective(text, tier=tier).kernel()
    x = np.zeros(kernel.n)
    f, g = kernel.slope(x)
    step = escape(kernel, x, f, g)
    assert kernel.value(x + step) < f
    assert (escape(kernel, x, f, g) == step).all()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("x**2 + y**2", [0, 0]), ("x**4 + y**4", [0, 0]), ("x**4", [1e-3]), ("(x + y)**2", [1, -1]),
        ("(a*b - 1)**2", [1, 1]), ("(1 - x)**2 + 100*(y - x**2)**2", [1, 1]), ("1e8 + (x - 1)**4", [1.001]),
        ("exp(x + y) - x - y", [0, 0]), ("x**2 + 1e-12*y**2", [0, 1e-4]), ("x**1.5", [0]), ("log(x)", [-1]),
    ],
)  # fmt: skip
def test_no_step_leaves_a_minimum(text, at):
    kernel = sg.Objective(text).kernel()
    x = np.array(at, float)
    assert escape(kernel, x, *kernel.slope(x)) is None


def test_steps_leave_saddles_of_many_dimensions():
    rng = np.random.default_rng(0)
    for values in ([-1, *np.linspace(0.1, 5, 19)], [*np.linspace(0.1, 5, 19), -1e-3], [-1e-2, *[0.0] * 9, *[1.0] * 10]):
        a = symmetric(rng, np.array(values))
        f = sg.Objective("x @ A @ x + sum(x**4)", data={"A": a}, params={"x": 20})
        kernel, x = f.kernel(), np.zeros(20)
        step = escape(kernel, x, *kernel.slope(x))
        assert kernel.value(step) < 0
    n = MANY
    d = np.concatenate([[-0.5], np.linspace(0.1, 5, n - 1)])
    kernel = sg.Objective("sum(d*x**2) + sum(x)**2 + sum(x**4)", data={"d": d}, params={"x": n}).kernel()
    assert kernel.value(escape(kernel, np.zeros(n), *kernel.slope(np.zeros(n)))) < -1e-3


def test_the_smaller_doors_stay_open():
    kernel = sg.Objective("abs(x) + y**2 + 2*x").kernel()
    verdict = corner(kernel, np.zeros(2))
    assert (verdict.kind, verdict.message) == ("kink", "the gradient jumps by 2 along x")
    smooth = sg.Objective("x**2").kernel()
    assert corner(smooth, np.zeros(1)) is None
    assert classify(smooth, np.zeros(1), *smooth.slope(np.zeros(1))).kind == "minimum"


# ---- command line --------------------------------------------------------------------------------------------------


def invoke(*args):
    return CliRunner().invoke(main, ["curvature", *args])


def test_the_command_explains_a_point():
    done = invoke("0.2*x1**2 + x2**2", "--at", "x1=9,x2=-3")
    assert done.exit_code == 0
    assert "not_stationary: the gradient's norm is 7" in done.output
    assert "gradient descent is stable here below 1" in done.output
    assert "condition  5; all eigenvalues" in done.output


def test_the_command_gives_json(tmp_path):
    file = tmp_path / "points.csv"
    file.write_text("x,y\n" + "\n".join(f"{x},{2 * x + 1}" for x in range(5)))
    done = invoke("mean((y - (w*x + b))**2)", "--data", str(file), "--at", "w=2,b=1", "--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["kind"]) == (0, "minimum")
    assert found["largest_lr"] == pytest.approx(2 / found["eigenvalues"][-1])
    h = np.array([[12.0, 4.0], [4.0, 2.0]])
    assert found["eigenvalues"] == pytest.approx(np.linalg.eigvalsh(h).tolist(), rel=1e-13)


def test_the_command_takes_arrays():
    done = invoke("sum(w**2) + b**2", "--at", "w=ones(3),b=1")
    assert done.exit_code == 0
    assert "condition  1" in done.output


def test_the_command_says_what_is_missing():
    done = invoke("x**2")
    assert done.exit_code == 2
    assert "a point is needed: --at x1=9,x2=-3" in done.stderr
    assert invoke("x**2 + y", "--at", "x=1").exit_code == 2
