"""The loop: outcomes, stopping, history, callbacks, interruption, resuming."""

import math
import os
import signal
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symgd as sg
from symgd.descent import state
from symgd.errors import DataError, UsageError
from symgd.kernel import Kernel

TIERS = pytest.mark.parametrize("tier", ["python", "numba"])
ROSENBROCK = "(1 - x)**2 + 100*(y - x**2)**2"
START = {"x": -1.2, "y": 1.0}


@pytest.fixture(scope="module", params=["python", "numba"])
def rosenbrock(request):
    return sg.Objective(ROSENBROCK, tier=request.param)


# ---- no false success ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["auto", "exact", "newton"])
@pytest.mark.parametrize("start", [3, 1.5, -3])
def test_a_power_that_underflows_is_as_low_as_its_bound_where_it_is_small(start, method):
    run = sg.Objective("(x - 1)**100").minimize([start], method=method)
    assert run.ok
    assert run.kind == "weak_minimum"
    assert run.x == pytest.approx([1.0], abs=1e-3)


@TIERS
@pytest.mark.parametrize(
    ("text", "start", "kind"),
    [
        ("x**2 - y**2", [0, 0], "saddle"),
        ("x**2 - y**2 + y**4", [1, 0], "saddle"),
        ("x**3 - 3*x*y**2", [0, 0], "degenerate"),
        ("-x**2", [0], "maximum"),
        ("cos(x)", [0], "maximum"),
        ("exp(-x**2)", [0], "maximum"),
        ("x**3", [0], "degenerate"),
        ("x**3", [1], "degenerate"),
        ("x**2 + y**3", [1, 1], "degenerate"),
        ("floor(x)", [0.5], "degenerate"),
        ("exp(-x)", [0], "degenerate"),
        ("tanh(x)", [0], "degenerate"),
        ("1/x", [1], "degenerate"),
        ("exp(-x**2)", [1], "degenerate"),
        ("1/(1 + x**2)", [1], "degenerate"),
        ("softplus(x)", [0], "degenerate"),
        ("softplus(-x) + 0*y", [0, 1], "degenerate"),
        ("x**2 - y**512", [1, 0.1], "degenerate"),
        ("-abs(x)", [0], "kink"),
    ],
)
def test_success_is_not_reported_where_there_is_no_minimum(text, start, kind, tier):
    run = sg.Objective(text, tier=tier).minimize(start=start, method="exact")
    assert not run.ok
    assert run.kind == kind
    words = ("at a kink",) if kind == "kink" else ("not a minimum", "falls for ever")
    assert any(word in run.message for word in words)


@pytest.mark.parametrize(
    ("text", "start", "kind"),
    [
        ("(x + y)**2", [1, 2], "weak_minimum"),
        ("(x*y)**2", [1, 1.5], "weak_minimum"),
        ("x**2*y**2", [2, 1], "weak_minimum"),
        ("(a*b - 3)**2", [1, 1], "weak_minimum"),
        ("(x**2 + y**2 - 1)**2", [2, 1], "weak_minimum"),
        ("0*x", [1], "weak_minimum"),
        ("relu(x)", [-1], "weak_minimum"),
        ("abs(x)", [1], "kink_minimum"),
        ("abs(x - 2) + abs(y + 1)", [5, 5], "kink_minimum"),
        ("maximum(x, -x) + y**2", [1, 1], "kink_minimum"),
        ("-20*exp(-0.2*sqrt((x**2 + y**2)/2)) - exp((cos(2*pi*x) + cos(2*pi*y))/2) + 20 + e", [0.3, 0.2],
         "kink_minimum"),
        ("sqrt((x - 1)**2 + (y - 2)**2)", [0, 0], "kink_minimum"),
        ("1e-12*x**2", [1], "minimum"),
        ("1e12*(x - 0.3)**2", [7], "minimum"),
        ("x**4", [3], "minimum"),
    ],
)  # fmt: skip
def test_weak_and_kinked_minima_are_minima(text, start, kind):
    f = sg.Objective(text, tier="python")
    run = f.minimize(start=start)
    assert run.kind == kind, run.message
    assert run.ok
    other = sg.Objective(f"-({text})", tier="python").maximize(start=start)
    assert other.ok
    assert other.kind == kind.replace("minimum", "maximum")


def test_the_edge_of_the_domain_is_told_as_such():
    run = sg.Objective("sqrt(x) + x", tier="python").minimize({"x": 1})
    assert run.kind == "boundary"
    assert "the domain ends there, along x, and no lower value is near" in run.message


@TIERS
@pytest.mark.parametrize("method", ["exact", "newton"])
@pytest.mark.parametrize(
    ("text", "start"), [("x", [0]), ("-x**2", [1]), ("-x**4", [1]), ("log(x)", [1]), ("-exp(x)", [0])]
)
def test_a_function_without_a_bound_diverges(text, start, method, tier):
    run = sg.Objective(text, tier=tier).minimize(start=start, method=method)
    assert not run.ok
    assert run.outcome == "diverged"


@TIERS
@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("x**2 - 4*x + 5", [-1]), ("x**4", [1]), ("cosh(x)", [3]), ("log(1 + x**2)", [30]), ("x*log(x)", [1]),
        ("sin(x)*sin(y)", [0.3, 0.4]), ("1e12*(x - 1)**2", [0]), ("(x - 1)**2 + 1e-6*(y - 1)**2", [0, 0]),
        (ROSENBROCK, [-1.2, 1]), ("exp(x) - x", [3]), ("x*cos(x) + 9", [12]), ("1e6 + (x - 3)**2", [0]),
    ],
)  # fmt: skip
def test_minima_are_reported_as_such(text, start, tier):
    run = sg.Objective(text, tier=tier).minimize(start=start)
    assert run.ok, run.summary()
    assert run.kind == "minimum"


def test_maximize_mirrors_minimize(rosenbrock):
    down = rosenbrock.minimize(start=START, lr=1e-3, steps=50)
    up = sg.Objective(f"-({ROSENBROCK})", tier=rosenbrock.tier).maximize(start=START, lr=1e-3, steps=50)
    assert up.history.point.tolist() == down.history.point.tolist()
    assert up.history.value.tolist() == (-down.history.value).tolist()
    top = sg.Objective("-(x - 2)**2", tier=rosenbrock.tier).maximize(start=[0])
    assert top.ok
    assert top.kind == "maximum"
    assert top.point["x"] == pytest.approx(2)
    assert not sg.Objective("x**2").maximize(start=[0]).ok


# ---- leaving the domain --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "start", "options", "where"),
    [
        ("exp(800 - x)", [0], {}, r"exp\(800 - x\) is inf where x = 0 at the start"),
        ("x + log(x)", [-1], {}, r"log\(x\) is nan where x = -1 at the start"),
        ("log(x)", [1], {"lr": 2, "steps": 9}, r"log\(x\) is nan where x = -1 at step 1"),
        ("1/x", [0], {}, r"1/x is inf where x = 0"),
        ("x**y", [-1, 0.5], {}, r"x\*\*y is nan where x = -1, y = 0.5"),
        ("sqrt(x)*3", [-4], {}, r"sqrt\(x\) is nan"),
        ("sqrt(x)", [0], {}, r"the derivative of sqrt\(x\) is inf"),
        ("arcsin(x) + y", [2, 0], {}, r"arcsin\(x\) is nan where x = 2"),
        ("where(x > 0, log(x), 1/x)", [0], {}, r"1/x is (inf|nan)"),
    ],
)
def test_leaving_the_domain_names_the_subexpression_in_both_tiers(text, start, options, where):
    for tier in ("python", "numba"):
        run = sg.Objective(text, tier=tier).minimize(start=start, **options)
        assert run.outcome == "left_domain"
        assert not run.ok
        assert __import__("re").search(where, run.message), run.message


def test_zero_to_the_zero_is_one_in_both_tiers():
    for tier in ("python", "numba"):
        assert sg.Objective("x**y", tier=tier).value(x=0, y=0) == 1.0


def test_the_row_that_leaves_the_domain_is_named():
    data = {"x": [1.0, 2.0, -3.0], "y": [1.0, 1.0, 1.0]}
    for tier in ("python", "numba"):
        run = sg.Objective("mean((y - a*log(x))**2)", data=data, tier=tier).minimize(start={"a": 1})
        assert run.outcome == "left_domain"
        assert "log(x) is nan in row 2 where x = -3" in run.message


# ---- stopping ------------------------------------------------------------------------------------------------------


def test_steps_alone_asks_for_exactly_that_many(rosenbrock):
    run = sg.Objective("x**2", tier=rosenbrock.tier).minimize(start=[1], lr=0.5, steps=10)
    assert run.steps == 10
    assert run.outcome == "converged_gradient"


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({"gtol": 1e-3}, "converged_gradient"),
        ({"ftol": 1e-6, "gtol": 0}, "converged_value"),
        ({"xtol": 1e-6, "gtol": 0}, "converged_step"),
        ({"seconds": 0.0}, "time_limit"),
        ({}, "max_steps"),
    ],
)
def test_each_test_ends_the_run(rosenbrock, options, outcome):
    run = rosenbrock.minimize(start=START, lr=1e-3, steps=20_000, **options)
    assert run.outcome == outcome
    assert (run.steps < 20_000) == (outcome != "max_steps")
    last = run.history
    if outcome == "converged_gradient":
        assert last.gradient_norm[-1] <= 1e-3 < last.gradient_norm[-2]
    if outcome == "converged_step":
        assert np.linalg.norm(last.point[-1] - last.point[-2]) <= 1e-6


def test_steps_and_evaluations_are_counted_where_they_happen():
    # The exact step's search written once more, over the functions that are handed out.
    objective = sg.Objective(ROSENBROCK, tier="python")
    run = objective.minimize(start=START, method="exact", steps=40)
    function, product = objective.lambdify("slope"), objective.kernel().tiers["python"].function("product")
    x = objective.vector(START).tolist()
    f, *g = function(*x)
    count, lr = 1, min(1.0, 1.0 / math.hypot(*g))
    for _ in range(run.steps):
        q = sum(v * v for v in g)
        c = sum(a * b for a, b in zip(g, product(*x, *g), strict=True))
        lr = q / c if c > 0 else 4 * lr
        while True:
            trial = [a - lr * b for a, b in zip(x, g, strict=True)]
            new, *slope = function(*trial)
            count += 1
            if new <= f - 1e-4 * lr * q:
                break
            lr /= 2
        x, f, g = trial, new, slope
    assert run.evaluations == count
    assert list(run.point.values()) == pytest.approx(x, rel=1e-9)


# ---- history -------------------------------------------------------------------------------------------------------


def test_history_is_complete_while_it_fits_and_thinned_evenly_after(rosenbrock, monkeypatch):
    monkeypatch.setattr(state, "RECORDS", 64)
    short = rosenbrock.minimize(start=START, lr=1e-3, steps=60)
    assert short.history.step.tolist() == list(range(61))
    long = rosenbrock.minimize(start=START, lr=1e-3, steps=1001)
    steps = long.history.step
    assert 32 <= len(steps) <= 65
    gaps = set(np.diff(steps[:-1]).tolist())
    assert len(gaps) == 1
    assert steps[-1] == 1001
    full = dict(zip(short.history.step.tolist(), short.history.point.tolist(), strict=True))
    for step, point in zip(steps.tolist(), long.history.point.tolist(), strict=True):
        if step in full:
            assert point == full[step]


def test_history_as_a_frame(rosenbrock):
    run = rosenbrock.minimize(start=START, lr=1e-3, steps=5)
    frame = run.history.to_frame()
    assert list(frame.columns) == ["step", "value", "gradient_norm", *rosenbrock.params]
    assert frame["x"].tolist() == run.history["x"].tolist()
    with pytest.raises(KeyError, match="the history has no 'z'; it has: step, value, gradient_norm"):
        run.history["z"]


# ---- callbacks and interruption ------------------------------------------------------------------------------------


def test_callback_sees_every_step_and_may_end_the_run(rosenbrock):
    seen = []
    run = rosenbrock.minimize(start=START, lr=1e-3, steps=20, callback=lambda t, p, v: seen.append((t, p["x"], v)))
    assert [t for t, *_ in seen] == list(range(1, 21))
    assert [x for _, x, _ in seen] == run.history["x"][1:].tolist()
    assert [v for *_, v in seen] == run.history.value[1:].tolist()
    stopped = rosenbrock.minimize(start=START, lr=1e-3, steps=20, callback=lambda t, p, v: t == 7)
    assert (stopped.steps, stopped.outcome) == (7, "interrupted")
    every = []
    rosenbrock.minimize(start=START, lr=1e-3, steps=20, every=6, callback=lambda t, p, v: every.append(t))
    assert every == [6, 12, 18, 20]


def test_ctrl_c_keeps_what_was_done(rosenbrock):
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    rosenbrock.minimize(start=START, lr=1e-4, steps=10)  # compiled beforehand
    timer.start()
    run = rosenbrock.minimize(start=START, lr=1e-9, steps=10**11, gtol=0)  # hours, if it went on
    assert run.outcome == "interrupted"
    assert run.steps > 0
    assert run.history.step[-1] == run.steps
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_keyboard_interrupt_in_a_callback_keeps_what_was_done(rosenbrock):
    def press(step, point, value):
        if step == 5:
            raise KeyboardInterrupt

    run = rosenbrock.minimize(start=START, lr=1e-3, steps=20, callback=press)
    assert (run.steps, run.outcome) == (5, "interrupted")


# ---- saving and resuming -------------------------------------------------------------------------------------------


def same(a, b):
    assert a.history.step.tolist() == b.history.step.tolist()
    assert a.history.point.tobytes() == b.history.point.tobytes()
    assert a.history.value.tobytes() == b.history.value.tobytes()
    assert (a.steps, a.evaluations, a.outcome, a.kind) == (b.steps, b.evaluations, b.outcome, b.kind)
    assert a.x.tobytes() == b.x.tobytes()


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize(
    "options",
    [
        {"lr": 1e-3},
        {"lr": "0.001/(1 + t/100)", "method": "momentum"},
        {"lr": 0.01, "method": "adam"},
        {"method": "rprop", "lr": 0.01},
        {"method": "noisy", "lr": 1e-3, "noise": 0.1, "seed": 7},
        {"method": "exact", "gtol": 1e-30},
    ],
)
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(rosenbrock, options, suffix, tmp_path):
    whole = rosenbrock.minimize(start=START, steps=300, **options)
    half = rosenbrock.minimize(start=START, steps=130, **options)
    path = half.save(tmp_path / f"half{suffix}")
    again = sg.Objective(ROSENBROCK, tier=rosenbrock.tier)
    same(again.resume(path, steps=300), whole)
    same(again.resume(half, steps=300), whole)


@pytest.mark.compiled
def test_resuming_after_an_interruption_across_both_tiers(monkeypatch, tmp_path):
    monkeypatch.setattr(Kernel, "budget", lambda self: 5000)  # hand over to compiled code after some 60 steps
    objective = sg.Objective(ROSENBROCK)
    assert 20 < objective.kernel().switch() < 200
    whole = objective.minimize(start=START, lr=1e-3, steps=400)
    cut = objective.minimize(start=START, lr=1e-3, steps=400, callback=lambda t, p, v: t == 37)
    same(objective.resume(cut.save(tmp_path / "run.npz")), whole)


def test_a_thinned_history_resumes_too(monkeypatch, tmp_path):
    monkeypatch.setattr(state, "RECORDS", 32)
    objective = sg.Objective(ROSENBROCK, tier="python")
    whole = objective.minimize(start=START, lr=1e-3, steps=500)
    half = objective.minimize(start=START, lr=1e-3, steps=233)
    same(objective.resume(half.save(tmp_path / "run.json"), steps=500), whole)


def test_bad_files_are_refused(rosenbrock, tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        rosenbrock.resume(tmp_path / "nothing.npz")
    for name in ("broken.npz", "broken.json"):
        (tmp_path / name).write_bytes(b"not a run")
        with pytest.raises(DataError, match="is not a saved run"):
            rosenbrock.resume(tmp_path / name)
    run = sg.Objective("x**2").minimize(start=[1], lr=0.1, steps=3)
    with pytest.raises(UsageError, match="the saved run is of 'x\\*\\*2', not of"):
        rosenbrock.resume(run)
    with pytest.raises(UsageError, match=r"must end in \.npz or \.json"):
        run.save(tmp_path / "run.pkl")
    ended = sg.Objective("x**2").minimize(start=[1])
    with pytest.raises(UsageError, match="the saved run had ended"):
        sg.Objective("x**2").resume(ended)


# ---- misuse --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "options", "message"),
    [
        ({"x": 1}, {}, r"no value for y; give every parameter one: \{'x': 1.0, 'y': 1.0\}"),
        ({"x": 1, "y": 1, "z": 1}, {}, "'z' is no parameter of the formula; the parameters are x, y"),
        ([1], {}, "the point has 1 value for 2 parameters: x, y"),
        (5, {}, "a point must be a mapping or a sequence; got"),
        ({"x": "one", "y": 1}, {}, "x='one'.*must be a real number"),
        ({"x": math.nan, "y": 1}, {}, "x=nan must be finite"),
        ({"x": [1, 2], "y": 1}, {}, r"must be one number, but this has the shape \(2,\)"),
        ({"x": 1j, "y": 1}, {}, "must be a real number"),
        (START, {"lr": -1}, "lr=-1 must be a positive number"),
        (START, {"lr": 0}, "lr=0 must be a positive number"),
        (START, {"lr": "0.1*"}, "nothing to the right of"),
        (START, {"lr": "0.1*u"}, "unknown name 'u'"),
        (START, {"steps": 0}, "steps=0 must be a whole number of at least 1"),
        (START, {"steps": 2.5}, "steps=2.5 must be a whole number"),
        (START, {"steps": True}, "steps=True must be a whole number"),
        (START, {"gtol": -1.0}, "gtol=-1.0 must be a number of at least 0"),
        (START, {"gtol": math.nan}, "gtol=nan must be"),
        (START, {"method": "adma"}, "method='adma' is not known; did you mean 'adam'"),
        (START, {"method": "adam", "beta3": 1}, "there is no option 'beta3'; did you mean 'beta"),
        (START, {"step": 10}, "there is no option 'step'; did you mean 'steps'"),
        (START, {"momentum": 0.9}, "there is no option 'momentum'"),
    ],
)
def test_misuse_is_refused_before_any_work(start, options, message):
    objective = sg.Objective(ROSENBROCK)
    with pytest.raises(sg.SymgdError, match=message):
        objective.minimize(start=start, **options)


@given(st.integers(1, 40), st.floats(0.01, 0.9))
def test_a_quadratic_contracts_as_the_algebra_says(steps, lr):
    run = sg.Objective("x**2/2", tier="python").minimize(start=[1.0], lr=lr, steps=steps)
    assert run.point["x"] == pytest.approx((1 - lr) ** steps, rel=1e-12)


def test_a_saved_run_holds_no_code(rosenbrock, tmp_path):
    run = rosenbrock.minimize(start=START, lr=0.01, method="adam", steps=3)
    text = run.save(tmp_path / "run.json").read_text()
    assert "def " not in text
    assert "import" not in text
    bad = dict(run.state) | {"recipe": dict(run.state["recipe"]) | {"text": "__import__('os').system('true')"}}
    with pytest.raises(sg.SymgdError):
        rosenbrock.resume(sg.Run(**{**vars_of(run), "state": bad}))
    for key in ("x", "records", "tolerances", "state0"):
        cut = {k: v for k, v in run.state.items() if k != key}
        with pytest.raises(DataError, match="damaged"):
            rosenbrock.resume(sg.Run(**{**vars_of(run), "state": cut}), steps=5)


def vars_of(run):
    return {name: getattr(run, name) for name in run.__dataclass_fields__}


def test_a_run_that_swings_ever_wider_diverges():
    # Two poles just outside of the unit circle: values dip between ever higher peaks.
    rule = sg.Rule("u = 0.5*u + g; v = 0.3*v + u; x = x - lr*v")
    limit = rule.theory(largest=4.0).stable_lr
    f = sg.Objective("2*x**2 + y**2/2", tier="python")
    above, below = (f.minimize([1, 1], method=rule, lr=c * limit, steps=3000) for c in (1.01, 0.99))
    assert above.outcome == "diverged"
    assert below.outcome != "diverged"
    assert above.history.value[-100:].min() < above.history.value[:1000].max()  # no steady rise
