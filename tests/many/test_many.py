"""Many starts: the minima of functions whose minima are known, and each start as it would go alone."""

import json
import math
import signal
import threading
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

import symgd as sg
from symgd.cli import main
from symgd.errors import DataError, UsageError
from symgd.many import STRATEGIES
from symgd.many.block_code import WIDTH
from symgd.many.lanes import spread

ROSENBROCK = "(1 - x)**2 + 100*(y - x**2)**2"
HIMMELBLAU = "(x**2 + y - 11)**2 + (x + y**2 - 7)**2"
CAMEL = "(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (-4 + 4*y**2)*y**2"
RASTRIGIN = "20 + x**2 - 10*cos(2*pi*x) + y**2 - 10*cos(2*pi*y)"
SQUARE = {"x": (-5, 5), "y": (-5, 5)}
CAMEL_BOX = {"x": (-2, 2), "y": (-1.1, 1.1)}


def inside(many):
    return list(many.minima)


def places(many, digits=6):
    return {tuple(np.round(list(m.point.values()), digits) + 0.0) for m in inside(many)}


def rastrigin_minima():
    """In one dimension x + 10*pi*sin(2*pi*x) = 0, close to whole numbers; in two, the pairs."""
    line = [brentq(lambda x: x + 10 * math.pi * math.sin(2 * math.pi * x), k - 0.25, k + 0.25) for k in range(-5, 6)]
    return {(a, b) for a in np.round(line, 6) + 0.0 for b in np.round(line, 6) + 0.0}


# ---- minima that are known -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_rastrigin_all_121_and_none_twice(strategy):
    f = sg.Objective(RASTRIGIN, tier="numba")
    for seed in (0, 1):
        many = f.minimize_many(box={"x": (-5.12, 5.12), "y": (-5.12, 5.12)}, n=4096, strategy=strategy, seed=seed)
        assert len(inside(many)) == 121
        assert places(many) == rastrigin_minima()
        assert {m.kind for m in many.minima} == {sg.Kind.MINIMUM}
        every = [*many.minima, *many.outside]
        assert sum(m.count for m in every) + int((many.reached < 0).sum()) == 4096


@pytest.mark.parametrize("tier", ["python", "numba"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_himmelblau_and_camel(tier, strategy):
    many = sg.Objective(HIMMELBLAU, tier=tier).minimize_many(box=SQUARE, n=80, strategy=strategy, seed=3)
    assert places(many, 5) == {(3, 2), (-2.80512, 3.13131), (-3.77931, -3.28319), (3.58443, -1.84813)}
    many = sg.Objective(CAMEL, tier=tier).minimize_many(box=CAMEL_BOX, n=200, strategy=strategy)
    found = [tuple(m.point.values()) for m in many.minima]
    assert len(found) == 6
    assert many.best.value == pytest.approx(-1.0316284534898774, abs=1e-14)  # the function is even: pairs
    for x, y in found:
        assert min(math.hypot(x + a, y + b) for a, b in found) < 1e-9
    assert {m.kind for m in many.minima} == {sg.Kind.MINIMUM}


def test_minima_outside_the_box_are_marked():
    many = sg.Objective("x*cos(x) + 9", tier="python").minimize_many(box={"x": (-15, 15)}, n=150)
    slope = lambda x: math.cos(x) - x * math.sin(x)  # noqa: E731
    wanted = [brentq(slope, a, b) for a, b in ((-13, -12), (-7, -6), (-1, 0), (3, 4), (9, 10))]
    np.testing.assert_allclose(sorted(m.point["x"] for m in inside(many)), wanted, rtol=1e-12)
    assert many.outside
    assert all(abs(m.point["x"]) > 15 and not m.inside for m in many.outside)
    every = [*many.minima, *many.outside]
    counts = np.bincount(many.reached[many.reached >= 0], minlength=len(every))
    assert counts.tolist() == [m.count for m in every]
    assert [m.value for m in many.minima] == sorted(m.value for m in many.minima)


@settings(max_examples=15)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=4, unique=True))
def test_squares_of_products_have_their_roots_as_minima(roots):
    text = "*".join(f"(x - ({r}))**2" for r in roots)
    many = sg.Objective(text, tier="python").minimize_many(box={"x": (-10, 10)}, n=60, strategy="latin")
    # A root between others at a distance of 1 draws starts from one sixtieth of the box at the least.
    np.testing.assert_allclose(sorted(m.point["x"] for m in many.minima), sorted(roots), atol=1e-8)
    assert sum(m.count for m in many.minima) + int((many.reached < 0).sum()) == 60


def test_a_valley_is_one_weak_minimum():
    for text in ("(x**2 + y**2 - 1)**2", "(x - y)**2"):
        many = sg.Objective(text, tier="python").minimize_many(box={"x": (-2, 2), "y": (-2, 2)}, n=100)
        (only,) = many.minima
        assert only.kind == sg.Kind.WEAK_MINIMUM
        assert "flat" in only.message
        assert only.count == 100


def test_a_flat_minimum_is_one_and_two_of_them_are_two():
    many = sg.Objective("x**4", tier="python").minimize_many(box={"x": (-1, 1)}, n=20)
    assert [(m.kind, m.count) for m in many.minima] == [(sg.Kind.MINIMUM, 20)]
    many = sg.Objective("(x**2 - 1)**4", tier="python").minimize_many(box={"x": (-2, 2)}, n=20)
    assert len(many.minima) == 2


def test_saddles_and_tails_are_no_minima():
    many = sg.Objective("x**2 - y**2 + y**4", tier="python").minimize_many([[0.5, 0.0], [1.0, 0.0], [0.3, 0.2]])
    assert [m.kind for m in many.others] == [sg.Kind.SADDLE]
    assert many.others[0].count == 2
    assert many.reached.tolist() == [-1, -1, 0]
    many = sg.Objective("exp(-x)", tier="python").minimize_many(box={"x": (-2, 2)}, n=10)
    assert not many.minima
    assert many.best is None


def test_a_kink_is_told_as_one():
    many = sg.Objective("abs(x - 1)", tier="python").minimize_many({"x": [1.0, 1.0, 1.0]})
    assert [(m.kind, m.count) for m in many.minima] == [(sg.Kind.KINK_MINIMUM, 3)]


# ---- each start as it would go alone -------------------------------------------------------------------------------

CASES = [
    (ROSENBROCK, "gd", {"lr": 1e-3, "steps": 333}),
    (ROSENBROCK, "gd", {"lr": 2e-2, "steps": 50}),  # diverges from most starts
    (HIMMELBLAU, "adam", {"lr": 0.05, "steps": 3000, "gtol": 1e-6}),
    (HIMMELBLAU, "momentum", {"lr": "0.005/(1 + t/50)", "steps": 200, "ftol": 1e-6, "xtol": 1e-5}),
    ("x**2 - log(1 - x - y) + y**2", "gd", {"lr": 0.2, "steps": 40}),  # leaves the domain from some
    ("x**2 + cos(3*y) + exp(x*y/4)", "noisy", {"lr": 0.01, "steps": 60}),
]


@pytest.mark.parametrize(("text", "method", "options"), CASES)
def test_lanes_do_what_a_single_run_does(text, method, options):
    f = sg.Objective(text, tier="numba")
    starts = np.random.default_rng(3).uniform(-1.5, 1.5, (WIDTH + 7, 2))
    many = f.minimize_many(starts, method=method, seed=5, **options)
    for place in range(0, len(starts), 9):
        run = f.minimize(starts[place], method=method, seed=5 + place, **options)
        assert many.OUTCOMES[many.outcomes[place]] == run.outcome
        assert many.steps[place] == run.steps
        if run.outcome not in ("diverged", "left_domain"):
            # Contractions differ, by a unit in the last place a step; the paths are not chaotic.
            np.testing.assert_allclose(many.points[place], run.x, rtol=1e-10, atol=1e-12)
            assert many.gradient_norms[place] == pytest.approx(run.gradient_norm, rel=1e-6, abs=1e-10)


@pytest.mark.parametrize("options", [{"lr": 1e-3, "steps": 100}, {"method": "noisy", "lr": 1e-3, "steps": 50}, {}])
def test_the_bits_do_not_depend_on_the_workers(options):
    starts = np.random.default_rng(0).uniform(-1.5, 1.5, (5 * WIDTH + 3, 2))
    found = [
        sg.Objective(ROSENBROCK, tier="numba", workers=workers).minimize_many(starts, **options)
        for workers in (1, 2, 3, 5)
    ]
    for other in found[1:]:
        assert np.array_equal(other.points, found[0].points)
        assert np.array_equal(other.steps, found[0].steps)


@pytest.mark.parametrize("options", [{"lr": 1e-3, "steps": 60}, {"method": "adam", "steps": 60}, {"steps": 20}])
def test_both_tiers_agree(options):
    starts = np.random.default_rng(1).uniform(-1.5, 1.5, (20, 2))
    plain, compiled = (
        sg.Objective(ROSENBROCK, tier=tier).minimize_many(starts, **options) for tier in ("python", "numba")
    )
    np.testing.assert_allclose(plain.points, compiled.points, rtol=1e-9)  # rounding, over at most 60 steps
    assert plain.outcomes.tolist() == compiled.outcomes.tolist()


@pytest.mark.parametrize("tier", ["python", "numba"])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("momentum", {"lr": (0.01, 0.2), "beta": (0, 0.95), "steps": 300}),
        ("momentum", {"lr": 0.03, "beta": (0, 0.95), "gtol": 1e-8, "steps": 700}),
        ("adam", {"lr": (0.01, 0.2), "beta1": (0, 0.95), "steps": 90}),
        ("rprop", {"lr": (0.01, 0.2), "steps": 50}),  # what its state begins with
        ("momentum", {"beta": (0, 0.95), "steps": 50}),  # a rate read off each start
    ],
)
def test_numbers_of_a_rule_may_differ_from_start_to_start(method, options, tier):
    f = sg.Objective("x**4 - 3*x**2 + x + y**2", tier=tier)
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1.5, 1.5, (9, 2))
    given = {name: rng.uniform(*v, 9) if isinstance(v, tuple) else v for name, v in options.items()}
    many = f.minimize_many(starts, method=method, **given)
    for place, start in enumerate(starts):
        own = {name: v[place] if isinstance(v, np.ndarray) else v for name, v in given.items()}
        run = f.minimize(start, method=method, **own)
        assert many.OUTCOMES[many.outcomes[place]] == run.outcome
        if run.outcome != "diverged":
            np.testing.assert_allclose(many.points[place], run.x, rtol=1e-8, atol=1e-10)


def test_sines_of_large_arguments_are_computed_after_all():
    f = sg.Objective("sin(x) + 1e-9*x**2", tier="numba")
    starts = np.array([[3e7], [1.0], [-5e6]])  # beyond what vector registers reduce
    many = f.minimize_many(starts, lr=0.5, steps=20)
    for start, point in zip(starts, many.points, strict=True):
        np.testing.assert_allclose(point, f.minimize(start, lr=0.5, steps=20).x, rtol=1e-12)


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_arrays_and_data(tier):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.tanh(X @ [1, -2, 0.5])
    f = sg.Objective("mean((y - tanh(X @ w + b))**2)", data={"X": X, "y": y}, tier=tier)
    many = f.minimize_many(box={"w": (-1, np.ones(3)), "b": (-1, 1)}, n=6)
    assert many.minima == ()
    assert len(many.outside) == 1  # w[1] may not begin below -1, but end there
    np.testing.assert_allclose(many.best.point["w"], [1, -2, 0.5], atol=1e-9)
    assert many.starts.shape == (6, 4)
    again = f.minimize_many({"w": many.starts[:, :3], "b": many.starts[:, 3]}, lr=0.5, steps=10)
    run = f.minimize({"w": many.starts[2, :3], "b": many.starts[2, 3]}, lr=0.5, steps=10)
    np.testing.assert_allclose(again.points[2], run.x, rtol=1e-12)


def test_methods_that_are_no_recurrence():
    many = sg.Objective(HIMMELBLAU, tier="python").minimize_many(box=SQUARE, n=40, method="newton")
    assert len([m for m in many.minima if m.kind == sg.Kind.MINIMUM]) == 4


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_tasks_are_shared_by_threads(workers):
    done = []
    spread([partial(done.append, i) for i in range(50)], workers, lambda: False)
    assert sorted(done) == list(range(50))
    done.clear()
    spread([partial(done.append, i) for i in range(50)], workers, lambda: len(done) >= 5)
    assert 5 <= len(done) < 5 + workers  # what has begun is finished


@pytest.mark.parametrize("workers", [1, 2])
def test_what_fails_in_a_thread_is_heard_of(workers):
    barrier = threading.Barrier(workers)  # each thread fails, the caller's own and the other

    def fail():
        barrier.wait(10)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spread([fail] * workers, workers, lambda: False)


# ---- starts --------------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.sampled_from(list(STRATEGIES)), st.integers(1, 70), st.integers(0, 5))
def test_strategies_fill_the_box(strategy, n, seed):
    f = sg.Objective("x**2 + y**2", tier="python")
    box = {"x": (-3, -1), "y": (0, 10)}
    one, two = (f.minimize_many(box=box, n=n, strategy=strategy, seed=seed, steps=1).starts for _ in range(2))
    assert np.array_equal(one, two)
    assert one.shape == (n, 2)
    assert ((one >= [-3, 0]) & (one <= [-1, 10])).all()
    if strategy == "latin":  # one in each slice
        assert sorted(np.floor((one[:, 1] / 10) * n).astype(int).tolist()) == list(range(n))


def test_ways_to_give_starts():
    f = sg.Objective("x**2 + 2*y**2", tier="python")
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    given = [matrix, {"x": [1, 3], "y": [2, 4]}, [{"x": 1, "y": 2}, {"y": 4, "x": 3}], [(1, 2), (3, 4)]]
    for starts in given:
        assert np.array_equal(f.minimize_many(starts, steps=1).starts, matrix)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "got neither starts nor a box; give one of them, such as box="),
        ({"starts": [[1, 2]], "box": SQUARE}, "got both starts and a box"),
        ({"starts": [[1, 2]], "n": 3}, "n=3 is for a box"),
        ({"box": {"x": (-1, 1), "yy": (0, 1)}}, "'yy' is no parameter of the formula; did you mean 'y'"),
        ({"box": {"x": (-1, 1)}}, "no bounds for y"),
        ({"box": {"x": (1, 1), "y": (0, 1)}}, r"box\['x'\]=\(1, 1\) must have low below high"),
        ({"box": {"x": 3, "y": (0, 1)}}, r"box\['x'\]=3 must be \(low, high\)"),
        ({"box": {"x": (0, math.inf), "y": (0, 1)}}, "must be finite"),
        ({"box": [(-1, 1)]}, "must be a mapping of names"),
        ({"box": {"x": ([0, 0], [1, 1, 1]), "y": (0, 1)}}, "bounds of the shapes"),
        ({"box": SQUARE, "n": 0}, "n=0 must be a whole number of at least 1"),
        ({"box": SQUARE, "n": 2.5}, "n=2.5 must be a whole number"),
        ({"box": SQUARE, "n": 10**12}, "more than memory holds"),
        ({"box": SQUARE, "strategy": "sobl"}, "did you mean 'sobol'"),
        ({"box": SQUARE, "strategy": 7}, "take one of uniform, latin, sobol"),
        ({"box": SQUARE, "seed": -1}, "seed=-1 must be a whole number of at least 0"),
        ({"box": SQUARE, "stepz": 4}, "did you mean 'steps'"),
        (
            {"starts": [[1, 2], [3, 4]], "lr": [0.1]},
            r"lr has the shape \(1,\): lr must be a number, or have one for each",
        ),
        ({"starts": [[1, 2], [3, 4]], "lr": [0.1, -1]}, "lr=-1.0 must be a positive number"),
        ({"starts": [[1, 2], [3, 4]], "lr": [0.1, math.nan]}, "lr must be finite; 1 of its entries"),
        ({"starts": [[1, 2], [3, 4]], "lr": ["a", "b"]}, "lr must be a number, or have one for each of the 2 starts"),
        ({"starts": [[1, 2], [3, 4]], "lr": 0.1, "beta": [0.1, 0.2]}, "there is no option 'beta'"),
        ({"box": SQUARE, "callback": print}, "callback is for a single run"),
        ({"starts": {"x": [1, 2], "y": [1]}}, "as many for each parameter; got 2 of 'x', 1 of 'y'"),
        ({"starts": {"x": [1], "z": [1]}}, "'z' is no parameter"),
        ({"starts": [[1, 2, 3]]}, "starts has 3 columns for 2 numbers"),
        ({"starts": [[1, math.nan]]}, "starts must be finite; 1 of its entries"),
        ({"starts": "here"}, "must be a mapping of names to arrays, a matrix"),
        ({"starts": [["a", "b"]]}, "must be real numbers"),
    ],
)
def test_misuse_is_told_before_any_work(options, message):
    with pytest.raises(UsageError, match=message):
        sg.Objective("x**2 + y**2").minimize_many(**options)


def test_nothing_to_minimize():
    with pytest.raises(UsageError, match="nothing to minimize"):
        sg.Objective("mean(x)", data={"x": np.ones(3)}).minimize_many(box={}, n=2)
    with pytest.raises(DataError, match="no values"):
        sg.Objective("mean((x - m)**2)", data=("x",)).minimize_many(box={"m": (0, 1)}, n=2)


# ---- what comes back -----------------------------------------------------------------------------------------------


def test_the_account():
    many = sg.Objective(HIMMELBLAU, tier="python").minimize_many(box=SQUARE, n=32)
    assert len(many) == 32
    assert sum(many.counts.values()) == 32
    assert sum(m.share for m in many.minima) == pytest.approx(1)
    for place, minimum in enumerate(many.minima):
        assert (many.reached == place).sum() == minimum.count
        np.testing.assert_allclose(
            many.points[many.reached == place], np.tile(list(minimum.point.values()), (minimum.count, 1)), atol=1e-6
        )
        f = sg.Objective(HIMMELBLAU, tier="python")
        np.testing.assert_allclose(minimum.eigenvalues, np.linalg.eigvalsh(f.hessian_at(minimum.point)), rtol=1e-9)
    frame = many.to_frame()
    assert list(frame.columns) == [
        "x_start", "y_start", "x_end", "y_end", "value", "gradient_norm", "steps", "outcome", "reached",
    ]  # fmt: skip
    assert len(frame) == 32
    told = json.loads(json.dumps(many.to_dict(), allow_nan=False))
    assert [m["count"] for m in told["minima"]] == [m.count for m in many.minima]
    assert told["starts"] == 32
    assert "32 starts, 4 minima" in repr(many)
    assert "<table>" in many._repr_html_()
    assert "count=" in repr(many.best)


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_no_time_is_no_steps(tier):
    many = sg.Objective(ROSENBROCK, tier=tier).minimize_many(box=SQUARE, n=20, seconds=0, lr=1e-3, steps=100)
    assert many.counts == {"time_limit": 20}
    assert not many.steps.any()
    assert np.array_equal(many.points, many.starts)
    assert len(many.minima) <= 1  # only a start that lies next to the minimum may count for it


@pytest.mark.skipif(not hasattr(signal, "raise_signal"), reason="needs signals")
def test_an_interrupt_keeps_what_was_done():
    f = sg.Objective("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", tier="python")
    timer = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
    timer.start()
    many = f.minimize_many(box=SQUARE, n=5000, lr=1e-4, steps=100_000, gtol=1e-12)
    assert many.counts["interrupted"] > 4000
    assert np.isnan(many.values[-1])  # its turn did not come


@pytest.mark.slow
def test_a_million_starts():
    many = sg.Objective(CAMEL, tier="numba").minimize_many(box=CAMEL_BOX, n=1_000_000)
    assert len(inside(many)) == 6
    assert (many.reached >= 0).mean() > 0.999


# ---- the command line ----------------------------------------------------------------------------------------------


def call(*args):
    result = CliRunner().invoke(main, ["many", *args])
    return result.exit_code, result.output


def test_command():
    code, out = call("x*cos(x) + 9", "--box", "x=-15:15", "--starts", "100", "--tier", "python", "--json")
    told = json.loads(out)
    assert code == 0
    assert len(told["minima"]) == 5
    code, out = call(HIMMELBLAU, "--box", "x=-5:5,y=-5:5", "--starts", "50", "--tier", "python", "--lr", "0.01",
                     "--steps", "300", "--strategy", "latin", "--seed", "1")  # fmt: skip
    assert code == 0
    assert "50 starts, 4 minima" in out
    code, out = call("x - x", "--box", "x=0:1", "--starts", "3", "--quiet", "--tier", "python")
    assert out.startswith("x=")
    assert call("exp(-x)", "--box", "x=0:1", "--starts", "3", "--tier", "python")[0] == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--box", "x=3"), "--box x=3 must be name=low:high"),
        ((), "--box says where to start"),
        (("--box", "x=0:1,x=0:2"), "--box gives 'x' twice"),
        (("--box", "x=0:1", "--starts", "1.5"), "--starts 1.5 must be a whole number"),
    ],
)
def test_command_misuse(args, message):
    code, out = call("x**2", *args)
    assert code == 2
    assert message in out
