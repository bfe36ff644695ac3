"""Modules for other languages give symgd's numbers, and hold nothing that a user typed but as data."""

import math
import re

import numpy as np
import pytest
import targets
from arrays import Case, exact
from oracles import EPS

import symgd as sg
from symgd.graph import Graph, calculus
from symgd.kernel.code.functions import Output
from symgd.kernel.code.identifiers import comment, identifier
from symgd.kernel.code.layout import layout
from symgd.kernel.code.module import Derived
from symgd.kernel.code.targets import TARGETS, module
from symgd.language import scalar
from symgd.language.functions import FUNCTIONS
from symgd.language.quoted import quoted

needs_node = pytest.mark.skipif(targets.NODE is None, reason="needs node: JavaScript is not run")
needs_gcc = pytest.mark.skipif(targets.GCC is None, reason="needs gcc: C is not run")
RUNNERS = [
    pytest.param(targets.javascript, "javascript", marks=needs_node, id="javascript"),
    pytest.param(targets.c, "c", marks=needs_gcc, id="c"),
]
runners = pytest.mark.parametrize(("run", "target"), RUNNERS)
slow = [pytest.mark.slow, pytest.mark.skipif(not targets.HAS["jax"], reason="needs jax: its modules are not run")]
torch = pytest.mark.skipif(not targets.HAS["torch"], reason="needs torch: modules of PyTorch are not run")
# Those that compute, and have no descents.
TENSORS = [
    pytest.param(targets.jax, "jax", marks=slow, id="jax"),
    pytest.param(targets.pytorch, "pytorch", marks=torch, id="pytorch"),
]
computing = pytest.mark.parametrize(("run", "target"), RUNNERS + TENSORS)

FORMULAS = [
    ("(1 - a)**2 + 100*(b - a**2)**2", "a() b()"),
    ("0*a + 3", "a()"),
    ("where(a > b, sin(a), b**3) + digamma(a + 3) + erf(a)*lgamma(b + 4)", "a() b()"),
    ("mean((y - (a*exp(-b*x) + c))**2)", "a() b() c() | x(40) y(40)"),
    ("mean((y - X @ w - b)**2) + 0.1*sum(w**2)", "w(3) b() | X(20,3) y(20)"),
    ("mean(logsumexp(X @ W, axis=1) - sum(Y*(X @ W), axis=1))", "W(3,4) | X(12,3) Y(12,4)"),
    ("mean((Y - tanh(X @ V) @ W)**2)", "V(9,10) W(10,8) | X(70,9) Y(70,8)"),
    ("sum((y - sum(U[u]**2, axis=1))**2)", "U(5,2) | u(9)<5 y(9)"),
    ("log(sum(exp(y*a + z*b))) + std(a*y)", "a() b() | y(9) z(9)"),
    ("max(a*y) + min(b*y) + prod(1 + a*y*0.1)", "a() b() | y(7)"),
    ("sum(r[1:]*r[:-1]) + sum(r[::2]**3) + sum(r*r[::-1])", "r(7)"),
    ("sum(inv(A @ A.T + 3*eye(3)) @ w) + slogdet(A + 4*eye(3))[1]", "A(3,3) w(3)"),
    ("sum(cumsum(x)**2) + sum(diff(x)**2) + sum(softmax(x)*y)", "x(5) y(5)"),
    ("sum(w*X[u])", "w(3) | X(3) u(1)<3"),
    ("sum(w[u]*arange(4))", "w(1) | u(4)<1"),
    ("sum(w*y)*sum(arange(2)[u] - t[:2, None])", "w(2) | y(2) u(2,1)<2 t(4)"),
    ("sum(where((X > 0) & (X < 1), w, w**2)) + sum((X > 0.2)*w)", "w(3) | X(4,3)"),
]  # fmt: skip


def objective(case):
    shapes = {name: v.shape for name, v in case.point.items()}
    return sg.Objective(case.text, data=case.data or None, params=shapes, tier="python")


def agree(cases, run, target, folder):
    """Hold modules of many formulas against the first tier: within 4 units of what each formula's rounding adds up to.

    The bound is that of the running error analysis of the formula as written (`arrays.exact`): the sum of all rounding
    errors of one half unit, as they reach the result. An exact comparison would ask for the same library functions.
    """
    objectives = [objective(case) for case in cases]
    places = [(case.flat(case.point), case.flat(case.direction())) for case in cases]
    jobs = [(f.code(target), case.data | {"rows": f.kernel().rows}, [place], [])
            for f, case, place in zip(objectives, cases, places, strict=True)]  # fmt: skip
    for f, case, (x, v), (answers, _) in zip(objectives, cases, places, run(jobs, folder), strict=True):
        value, again, gradient, hessian, product = answers[0]
        kernel = f.kernel()
        wanted, slope = kernel.slope(x, "python")
        full = kernel.hessian(x, "python")
        assert value == again, case
        size, sizes = magnitudes(case, x, v, slope, full)
        np.testing.assert_array_less(abs(again - wanted), 4 * EPS * (size + abs(wanted)) + 1e-290, str(case))
        np.testing.assert_array_less(abs(gradient - slope), 4 * EPS * (sizes + abs(slope)) + 1e-290, str(case))
        size = 1e-13 * (1 + abs(full).max())
        np.testing.assert_allclose(hessian.reshape(full.shape), full, rtol=0, atol=size, err_msg=str(case))
        np.testing.assert_allclose(product, kernel.product(x, v, "python"), rtol=0, atol=10 * size, err_msg=str(case))


def magnitudes(case, x, v, slope, full):
    """What rounding adds up to in value and gradient; without an oracle, what a unit in each parameter does."""
    try:
        bound = exact(case, v)
    except (NameError, AttributeError, TypeError):
        return 4 + abs(x) @ abs(slope), 4 + abs(full) @ abs(x)
    return float(bound.value.e), np.asarray(bound.gradient.e, float).reshape(-1)


@computing
def test_modules_give_value_gradient_hessian_and_product(run, target, tmp_path):
    # Statements of whole arrays have no rows that are fewer than a column's.
    chosen = [case for case in FORMULAS if "t[:2" not in case[0] or target in ("c", "javascript")]
    agree([Case(text, shapes) for text, shapes in chosen], run, target, tmp_path)


# ---- every function of the table -----------------------------------------------------------------------------------

ENDS = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-10, 1e10, -745.2, 1e300, math.inf, -math.inf, math.nan, 0.3, 0.99, -0.4, 3.0]
INSIDE = [0.25, 0.7, -0.6, 1.4616, 2.5, -2.3, 5.25, 20.0, 30.5]
# Where symgd's own value has fewer digits than 4 units: CPython's lgamma near its zeros, and what goes through it;
# and a difference whose parts are other libraries' exponentials.
ROUGH = {"expm1invbend": 1e-15, "lgamma": 1e-15, "lngamma": 1e-15, "digamma": 1e-15, "polygamma": 1e-15}


def points_of(row):
    if row.name == "polygamma":
        return [[float(k), b] for k in range(5) for b in INSIDE] + [[0.5, 1.0], [-1.0, 2.0], [25.0, 3.0]]
    if row.most == 1:
        return [[a] for a in ENDS + INSIDE]
    if row.most == 2:
        return [[a, b] for a in ENDS for b in ENDS] + [[a, b] for a in INSIDE for b in INSIDE]
    return [[a, b, c] for a in ENDS for b in (1.5, -0.0) for c in (-2.5, math.nan)]


def condition(row, point, wanted):
    """What moving the arguments by a unit does to the value: no library can be held to less."""
    moved = [scalar.evaluate(row.name, [*point[:i], math.nextafter(a, end), *point[i + 1 :]])
             for i, a in enumerate(point) for end in (-math.inf, math.inf)]  # fmt: skip
    return max((abs(m - wanted) for m in moved if math.isfinite(m)), default=0.0)


def module_of(rows, target):
    """One module for functions of the table: the value of the one that is chosen."""
    graph = Graph()
    a, b, c = (graph.leaf("parameter", name) for name in "abc")
    chosen = graph.leaf("data", "chosen")
    root = graph.const(0)
    for place, row in enumerate(rows):
        value = graph.raw("add", graph.raw(row.name, *(a, b, c)[: row.most]), graph.const(0))
        root = graph.raw("where", graph.raw("equal", chosen, graph.const(place)), value, root)
    outputs = {"value": Output((root,)), "slope": Output((root,), (), True), "product": Output((), (), True)}
    inputs = layout(list("abc"), [a, b, c, chosen])
    return module(target, Derived(graph, inputs, outputs, calculus.Vector(()), ()), "rows", "0")


@computing
def test_every_function_of_the_table_is_spelt_in_every_target(run, target, tmp_path):
    rows = [row for row in FUNCTIONS.values() if row.kind == "map"]
    whole = module_of(rows, target) if target in ("c", "javascript") else None  # lazily, the others all at once
    jobs = []
    for place, row in enumerate(rows):
        points = [((*p, 0.0, 0.0)[:3], (0.0,) * 3) for p in points_of(row)]
        jobs.append((whole or module_of([row], target), {"chosen": float(place) if whole else 0.0}, points, []))
    for row, (answers, _) in zip(rows, run(jobs, tmp_path), strict=True):
        for point, ((found,), *_) in zip(points_of(row), answers, strict=True):
            wanted = scalar.evaluate(row.name, point)
            if not math.isfinite(wanted):
                assert str(found) == str(wanted), (row.name, point)
                continue
            size = 4 * math.ulp(wanted) + 4 * condition(row, point, wanted) + ROUGH.get(row.name, 0.0)
            assert abs(found - wanted) <= size, (row.name, point, found, wanted)


# ---- descents ------------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(1)
X = RNG.normal(size=(40, 3))
DATA = {"X": X, "y": X @ [1, -2, 0.5] + 0.1 * RNG.normal(size=40)}
DESCENTS = [
    ("(1 - a)**2 + 100*(b - a**2)**2", None, {"a": -1.0, "b": 1.5}, 1e-4),
    ("mean((y - X @ w - b)**2)", DATA, {"w": np.zeros(3), "b": 0.0}, 0.05),
]
RULES = ["gd", "momentum", "nesterov", "adam", "fista", "rprop", "v = 0.8*v + g; x = x - lr*v"]


@runners
def test_a_thousand_steps_end_where_symgds_do(run, target, tmp_path):
    jobs, wanted = [], []
    for text, data, start, lr in DESCENTS:
        f = sg.Objective(text, data, {name: np.shape(v) for name, v in start.items()})
        for rule in RULES:
            for rate in (lr, f"{lr}/(1 + t/50)") if rule != "rprop" else (lr,):
                jobs.append((f.code(target, rule=rule, lr=rate), data or {}, [], [(f.vector(start), 1000, {})]))
                method = sg.Rule(rule) if "=" in rule else rule
                wanted.append((f, f.minimize(start, method=method, lr=rate, steps=1000)))
    for (f, known), (_, [(point, value, steps)]) in zip(wanted, run(jobs, tmp_path), strict=True):
        np.testing.assert_allclose(point, f.vector(known.point), rtol=1e-9, atol=1e-9, err_msg=str(known))
        assert value == pytest.approx(known.value, rel=1e-9, abs=1e-12)
        assert steps == known.steps == 1000


@needs_node
def test_a_descent_goes_on_from_where_it_stood(tmp_path):
    code = sg.Objective("(1 - a)**2 + 100*(b - a**2)**2").code("javascript", rule=["gd", "adam"], lr=1e-3)
    (tmp_path / "m.mjs").write_text(code)
    (tmp_path / "go.mjs").write_text("""
import { objective } from "./m.mjs";
const f = objective();
const whole = f.minimize([-1, 1], 50, { method: "adam", lr: 0.05 });
const half = f.minimize([-1, 1], 20, { method: "adam", lr: 0.05 });
const rest = f.minimize(half, 30);
const other = f.minimize([-1, 1], 50);
console.log(JSON.stringify([[...whole.point], [...rest.point], rest.steps, [...other.point], f.parameters, f.methods]));
""")
    done = targets.node(tmp_path / "go.mjs")
    whole, rest, steps, other, parameters, methods = done
    assert whole == rest
    assert steps == 50
    assert other != whole
    assert parameters == [["a", []], ["b", []]]
    assert methods["adam"]["numbers"] == {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}


@needs_node
def test_data_may_be_embedded_and_are_checked(tmp_path):
    f = sg.Objective("mean((y - a*x)**2)", {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, math.nan]})
    ((answers, _),) = targets.javascript([(f.code("javascript", embed=True), None, [([0.5], [1.0])], [])], tmp_path)
    assert math.isnan(answers[0][1][0])
    for data, what in (({"x": [1.0]}, "data has no y"), ({"x": [1.0], "y": [1.0, 2.0]}, "and needs")):
        with pytest.raises(AssertionError, match=what):
            targets.javascript([(f.code("javascript"), data, [([0.5], [1.0])], [])], tmp_path)


# ---- what a user typed is data -------------------------------------------------------------------------------------


def test_names_and_comments():
    assert identifier("α1") == "alpha1"
    assert identifier("größe") == "grosse"
    assert identifier(quoted("frequency (Hz)")) == "frequency_Hz"
    assert identifier(quoted("1")) == "column_1"
    for text in ("a */ b", "a /* b", "</script>", "<!-- a", "a\n b\\", "a ??/", "a\u2028b", "#= =#"):
        safe = comment(text)
        assert not re.search(r"\*/|/\*|</|<!|\n|\\|\?\?|=#", safe)
        assert safe.isascii()
        assert safe.isprintable()


NAMED = [
    ("mean((let - delete_*rows - flat)**2) + value", ["let", "rows"]),
    ("mean((column - a*exp(-point*x))**2)*new + int", ["column", "x"]),
    ("mean((double - numbers*t)**2) + objective + f + gradient*memory", ["double"]),
    ("(function - 1)**2 + NaN_*Math + struct*α + restrict  # */ </script> ", []),
    ("mean((`column */ (Hz)` - a*main)**2) + printf", [quoted("column */ (Hz)")]),
]


@runners
def test_names_that_the_language_has_itself_are_renamed(run, target, tmp_path):
    jobs, wanted = [], []
    for text, columns in NAMED:
        f = sg.Objective(text, {name: [0.1, 0.2, 0.4] for name in columns} or None)
        x = np.linspace(0.3, 0.9, len(f.params))
        given = {name if name != quoted("column */ (Hz)") else "column */ (Hz)": [0.1, 0.2, 0.4] for name in columns}
        jobs.append((f.code(target, rule="adam"), given, [(x, x)], [(x, 3, {})]))
        wanted.append((f, x))
    for (f, x), (answers, runs) in zip(wanted, run(jobs, tmp_path), strict=True):
        np.testing.assert_allclose(answers[0][2], f.jac(x), rtol=1e-13, atol=1e-13)
        assert runs[0][2] == 3


# ---- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"target": "javscript"}, "did you mean 'javascript'"),
        ({"target": 3}, "must be one of numpy"),
        ({"target": "javascript", "rule": "adm", "lr": 0.1}, "did you mean 'adam'"),
        ({"target": "javascript", "lr": 0.1}, "give rule= too"),
        ({"target": "javascript", "rule": "gd"}, "needs lr="),
        ({"target": "javascript", "rule": "gd", "lr": -1}, "must be"),
        ({"target": "javascript", "rule": "momentum", "lr": 0.1, "bta": 0.9}, "did you mean 'beta'"),
        ({"target": "javascript", "rule": "noisy", "lr": 0.1}, "draws normal numbers"),
        ({"target": "javascript", "rule": "rprop", "lr": "0.1/t"}, "needs a fixed lr"),
        ({"target": "javascript", "rule": ["gd", "gd"], "lr": 0.1}, "twice"),
        ({"target": "jax", "rule": "gd", "lr": 0.1}, "rule='gd' is for c, javascript"),
        ({"target": "numpy", "embed": True}, "embed=True is for javascript"),
    ],
)
def test_what_cannot_be_written_is_said(given, message):
    with pytest.raises(sg.UsageError, match=re.escape(message)):
        sg.Objective("x**2 + y**2").code(**given)


def test_the_targets_are_those_that_the_table_speaks_of():
    spoken = {target for row in FUNCTIONS.values() for target in row.library}
    assert spoken & set(TARGETS)
