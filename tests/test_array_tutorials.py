"""Array formulas and batches: the runs that tutorials print, PyTorch's training loops, and loops written by hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import symgd as sg

RUNS = json.loads((Path(__file__).parent / "known" / "tutorial_runs.json").read_text())
tiers = pytest.mark.parametrize("tier", ["python", "numba"])


def same(found, expected):
    """Whether two runs ended at the same bits."""
    np.testing.assert_equal(found.point, expected.point)
    assert (found.steps, found.value, found.gradient_norm) == (expected.steps, expected.value, expected.gradient_norm)
    return True


def same_history(found, expected):
    """Whether two runs recorded the same bits."""
    for column in ("step", "value", "gradient_norm", "point"):
        np.testing.assert_array_equal(getattr(found.history, column), getattr(expected.history, column))
    return True


# ---- traces --------------------------------------------------------------------------------------------------------


@tiers
def test_relu_regression_takes_the_steps_of_the_original(tier):
    case, run = RUNS["relu"], RUNS["relu"]["runs"][0]
    data = {name: np.array(values) for name, values in case["data"].items()}
    found = sg.Objective(case["formula"], data=data, tier=tier).minimize(
        start=run["start"], lr=run["lr"], steps=run["steps"]
    )
    assert found.history.step.tolist() == list(range(run["steps"] + 1))
    for row in run["trace"]:
        step = row["step"]
        # Printed to three decimals by a float32 program, whose own rounding is of the same size.
        assert found.history["w"][step] == pytest.approx(row["w_after"], abs=1.5e-3)
        assert found.history.value[step - 1] == pytest.approx(row["loss_before"], abs=1.5e-3)


@pytest.fixture(scope="module")
def regression():
    case = RUNS["linear_regression"]
    return {name: np.array(values) for name, values in case["data"].items()}


@tiers
def test_linear_regression_stops_where_the_original_stopped(regression, tier):
    case, run = RUNS["linear_regression"], RUNS["linear_regression"]["runs"][0]
    f = sg.Objective(case["formula"], data=regression, tier=tier)
    found = f.minimize(start=run["start"], lr=run["lr"], steps=run["steps"], gtol=run["gtol"])
    assert found.outcome == "converged_gradient"
    assert found.kind == "minimum"
    assert found.steps == run["converged_at_step"]
    # What is left is the order of additions, over a hundred steps that contract.
    assert found.point["theta"] == pytest.approx(run["theta"], rel=1e-10)
    assert found.history.value[0] == pytest.approx(run["loss_first"], rel=1e-12)
    assert found.value == pytest.approx(run["loss_last"], rel=1e-10)
    assert found.gradient_norm <= run["gtol"] < found.history.gradient_norm[-2]

    X, y, theta = regression["X"], regression["y"], np.array(run["start"]["theta"])
    for step in range(found.steps + 1):
        assert found.history["theta"][step] == pytest.approx(theta, rel=1e-10, abs=1e-12)
        theta = theta - run["lr"] * (2 / 100) * X.T @ (X @ theta - y)


@tiers
def test_linear_regression_ends_at_the_other_two_tests(regression, tier):
    case, run = RUNS["linear_regression"], RUNS["linear_regression"]["runs"][0]
    f = sg.Objective(case["formula"], data=regression, tier=tier)
    limited = f.minimize(start=run["start"], lr=run["lr"], steps=50, gtol=run["gtol"])
    assert (limited.outcome, limited.steps) == ("max_steps", 50)
    settled = f.minimize(start=run["start"], lr=run["lr"], steps=run["steps"], ftol=1e-9)
    assert settled.outcome == "converged_value"
    falls = -np.diff(settled.history.value)
    assert falls[-1] <= 1e-9
    assert (falls[:-1] > 1e-9 * np.maximum(1, settled.history.value[:-2])).all()


@tiers
def test_the_gradient_is_the_one_by_hand(regression, tier):
    case = RUNS["linear_regression"]
    f = sg.Objective(case["formula"], data=regression, tier=tier)
    theta = np.array([0.3, -2.0, 5.0])
    by_hand = eval(case["hand_gradient"], {**regression, "theta": theta})
    assert f.gradient_at(theta=theta)["theta"] == pytest.approx(by_hand, rel=1e-12)
    shown = eval(str(f.gradient["theta"]), {**regression, "theta": theta, "len": len})
    assert shown == pytest.approx(by_hand, rel=1e-12)


# ---- PyTorch -------------------------------------------------------------------------------------------------------

STEPS = 100
METHODS = {
    "gd": ("SGD", {"lr": 0.05}, {"lr": 0.05}),
    "momentum": ("SGD", {"lr": 0.02, "momentum": 0.9}, {"lr": 0.02, "beta": 0.9}),
    "nesterov": ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}, {"lr": 0.02, "beta": 0.9}),
    "adam": ("Adam", {"lr": 0.01, "eps": 1e-8}, {"lr": 0.01, "eps": 1e-8}),
}
NETWORK = "-mean(sum(T*logsoftmax(relu(X @ W1 + b1) @ W2 + b2), axis=1))"


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def network():
    """Forty points in three bands of the plane, and where a network begins that tells them apart."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    label = np.digitize(X @ [1, 2], [-1, 1])
    start = {"W1": rng.normal(size=(2, 5)), "b1": rng.normal(size=5)}
    start |= {"W2": rng.normal(size=(5, 3)), "b2": np.zeros(3)}
    return {"X": X, "label": label, "T": np.eye(3)[label]}, start


def train(torch, loss, start, rows, optimizer, options, batch):
    """Train as PyTorch's tutorials do, with the rows as they lie."""
    point = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in start.items()}
    steps = getattr(torch.optim, optimizer)(list(point.values()), **options)
    begin = 0
    for _ in range(STEPS):
        steps.zero_grad()
        loss(point, slice(begin, begin + batch)).backward()
        steps.step()
        begin = begin + batch if begin + batch < rows else 0
    return {name: value.detach().numpy() for name, value in point.items()}


def agree(f, start, expected, method, options, batch):
    run = f.minimize(start=start, method=method, steps=STEPS, batch=batch, shuffle=False, **options)
    assert run.steps == STEPS
    for name, value in expected.items():
        # A hundred steps, each of which rounds otherwise; float64 has 16 digits.
        assert run.point[name] == pytest.approx(value, rel=1e-9, abs=1e-9)


@tiers
@pytest.mark.parametrize("batch", [100, 16])
@pytest.mark.parametrize("method", METHODS)
def test_linear_regression_is_trained_as_by_pytorch(torch, regression, method, batch, tier):
    X, y = (torch.tensor(regression[name]) for name in "Xy")
    start = {"theta": np.array([-0.5, 0.5, 1.0])}
    optimizer, theirs, ours = METHODS[method]
    expected = train(
        torch, lambda at, rows: torch.mean((X[rows] @ at["theta"] - y[rows]) ** 2), start, 100, optimizer, theirs, batch
    )
    f = sg.Objective("mean((X @ theta - y)**2)", data=regression, tier=tier)
    agree(f, start, expected, method, ours, batch)


@tiers
@pytest.mark.parametrize(("method", "batch"), [("gd", 40), ("gd", 16), ("momentum", 16), ("adam", 16)])
def test_a_network_is_trained_as_by_pytorch(torch, network, method, batch, tier):
    data, start = network
    X, label = torch.tensor(data["X"]), torch.tensor(data["label"])

    def loss(at, rows):
        hidden = torch.relu(X[rows] @ at["W1"] + at["b1"])
        return torch.nn.functional.cross_entropy(hidden @ at["W2"] + at["b2"], label[rows])

    optimizer, theirs, ours = METHODS[method]
    expected = train(torch, loss, start, 40, optimizer, theirs, batch)
    f = sg.Objective(NETWORK, data={"X": data["X"], "T": data["T"]}, tier=tier)
    agree(f, start, expected, method, ours, batch)


# ---- batches -------------------------------------------------------------------------------------------------------


@tiers
@pytest.mark.parametrize("batch", [1, 7, 16, 50, 99])
def test_batches_are_those_of_a_loop_by_hand(regression, batch, tier):
    X, y = regression["X"], regression["y"]
    f = sg.Objective("mean((X @ theta - y)**2)", data=regression, tier=tier)
    run = f.minimize(start={"theta": np.zeros(3)}, lr=0.02, batch=batch, epochs=3, shuffle=False)
    theta, seen = np.zeros(3), [np.zeros(3)]
    for _ in range(3):
        for begin in range(0, 100, batch):
            rows = slice(begin, begin + batch)  # the last one may be smaller
            theta = theta - 0.02 * 2 * X[rows].T @ (X[rows] @ theta - y[rows]) / len(y[rows])
        seen.append(theta)
    assert run.steps == 3 * -(-100 // batch)
    assert run.history.epoch.tolist() == [0, 1, 2, 3]
    # As many roundings as there are steps, each of 1e-16.
    assert run.history["theta"] == pytest.approx(np.array(seen), rel=1e-12, abs=1e-12)
    assert run.history.value == pytest.approx([np.mean((X @ t - y) ** 2) for t in seen], rel=1e-12)


def visited(run_options, rows=20, tier="python"):
    """Give the rows in the order in which batches of one row come: each step lands on the row's own value."""
    f = sg.Objective("mean((a - y)**2)", data={"y": np.arange(1.0, rows + 1)}, tier=tier)
    seen = []
    f.minimize(
        start={"a": 0}, lr=0.5, batch=1, callback=lambda step, point, value: seen.append(point["a"]), **run_options
    )
    return np.array(seen).reshape(-1, rows)


@tiers
def test_an_epoch_visits_every_row_once_in_an_order_of_its_own(tier):
    plain = visited({"epochs": 3, "shuffle": False}, tier=tier)
    assert (plain == np.arange(1, 21)).all()
    shuffled = visited({"epochs": 3, "seed": 5}, tier=tier)
    assert (np.sort(shuffled) == np.arange(1, 21)).all()
    assert len({tuple(epoch) for epoch in [*shuffled, plain[0]]}) == 4
    assert (visited({"epochs": 3, "seed": 5}, tier=tier) == shuffled).all()
    assert (visited({"epochs": 3, "seed": 6}, tier=tier) != shuffled).any(axis=1).all()


@tiers
def test_the_last_batch_is_what_is_left(tier):
    f = sg.Objective("mean((a - y)**2)", data={"y": [1.0, 2.0, 3.0, 10.0]}, tier=tier)
    run = f.minimize(start={"a": 0}, lr=0.5, batch=3, epochs=1, shuffle=False)
    assert run.point["a"] == 10  # with this learning rate each step ends at the mean of its batch
    assert f.minimize(start={"a": 0}, lr=0.5, batch=3, steps=1, shuffle=False).point["a"] == 2
    for batch in (4, 5, 1000):
        assert f.minimize(start={"a": 0}, lr=0.5, batch=batch, epochs=1).point["a"] == 4


@tiers
def test_the_seed_decides(regression, tier):
    f = sg.Objective("mean((X @ theta - y)**2)", data=regression, tier=tier)
    options = {"start": {"theta": np.zeros(3)}, "method": "adam", "lr": 0.05, "batch": 16, "epochs": 4}
    runs = [f.minimize(**options, seed=seed) for seed in (0, 0, 1)]
    assert same(runs[1], runs[0])
    assert same_history(runs[1], runs[0])
    assert (runs[2].point["theta"] != runs[0].point["theta"]).all()


@tiers
@pytest.mark.parametrize("method", ["gd", "momentum", "adam", "noisy"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_a_run_that_is_taken_up_within_an_epoch_ends_as_if_never_left(regression, tmp_path, method, shuffle, tier):
    f = sg.Objective("mean((X @ theta - y)**2)", data=regression, tier=tier)
    start = {"theta": np.zeros(3)}
    options = {"start": start, "method": method, "lr": 0.01, "batch": 16, "shuffle": shuffle, "seed": 3}
    whole = f.minimize(**options, epochs=6)
    assert whole.steps == 42  # seven batches an epoch
    for stop in (14, 17):
        part = f.minimize(**options, steps=stop)
        assert same(f.resume(part, steps=42), whole)
        for suffix in ("npz", "json"):
            assert same(f.resume(part.save(tmp_path / f"run{stop}.{suffix}"), steps=42), whole)
    twice = f.resume(f.resume(f.minimize(**options, steps=3), steps=19), steps=42)
    assert same(twice, whole)


@pytest.mark.parametrize("stop", [14, 17])
def test_the_history_of_a_run_that_is_taken_up_is_that_of_one_never_left(regression, stop):
    f = sg.Objective("mean((X @ theta - y)**2)", data=regression)
    options = {"start": {"theta": np.zeros(3)}, "lr": 0.01, "batch": 16}
    resumed = f.resume(f.minimize(**options, steps=stop), steps=42)
    assert same_history(resumed, f.minimize(**options, steps=42))


@tiers
def test_the_loss_of_an_epoch_is_that_of_all_rows(network, tier):
    data, start = network
    f = sg.Objective(NETWORK, data={"X": data["X"], "T": data["T"]}, tier=tier)
    run = f.minimize(start=start, method="adam", lr=0.02, batch=16, epochs=5, seed=0)
    assert run.history.epoch.tolist() == [0, 1, 2, 3, 4, 5]
    for row in range(6):
        point = {name: run.history[name][row] for name in f.params}
        slope = np.concatenate([np.ravel(g) for g in f.gradient_at(point).values()])
        # The same sums, which may be compiled into another order.
        assert run.history.value[row] == pytest.approx(f.value(point), rel=1e-13)
        assert run.history.gradient_norm[row] == pytest.approx(np.linalg.norm(slope), rel=1e-12)
    assert run.value == run.history.value[-1]
    assert run.history.value[-1] < run.history.value[0] / 2


# ---- sources -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x1, x2 = rng.normal(size=(2, 1000))
    return {"x1": x1, "x2": x2, "y": (x1 - 2 * x2 + rng.normal(size=1000) > 0).astype(float)}


def kept(kind, arrays, folder):
    """Give arrays as data of a kind, files among them."""
    path = folder / f"table.{kind}"
    if kind == "npz":
        np.savez(path, **arrays)
    elif kind in ("npy", "mmap"):
        paths = {name: folder / f"{name}.npy" for name in arrays}
        for name, place in paths.items():
            np.save(place, arrays[name])
        return {n: np.load(p, mmap_mode="r") if kind == "mmap" else str(p) for n, p in paths.items()}
    else:
        frame = pd.DataFrame({name: list(values) for name, values in arrays.items()})
        if kind == "frame":
            return frame
        if kind == "csv":
            frame.to_csv(path, index=False, float_format="%.17g")
        else:
            pytest.importorskip("pyarrow")
            frame.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", ["frame", "csv", "parquet", "npz", "mmap", "npy"])
def test_columns_give_the_same_bits_wherever_they_come_from(table, tmp_path, kind):
    options = {"start": {"a": 0, "b": 0, "c": 0}, "method": "adam", "lr": 0.05, "epochs": 3}
    found = []
    for data in (table, kept(kind, table, tmp_path)):
        f = sg.Objective("mean((y - sigmoid(a*x1 + b*x2 + c))**2)", data, ["a", "b", "c"], tier="numba")
        found.append([f.minimize(**options), f.minimize(**options, batch=64, shuffle=False)])
    for one, other in zip(*found, strict=True):
        assert same(other, one)
        assert same_history(other, one)


@pytest.mark.parametrize("kind", ["parquet", "npz", "mmap", "npy"])
def test_matrices_give_the_same_bits_wherever_they_come_from(table, tmp_path, kind):
    rng = np.random.default_rng(1)
    arrays = {"X": rng.normal(size=(1000, 8)), "y": table["y"]}
    options = {"start": {"w": np.zeros(8), "b": 0}, "method": "adam", "lr": 0.05, "epochs": 3}
    found = []
    for data in (arrays, kept(kind, arrays, tmp_path)):
        f = sg.Objective("mean((y - sigmoid(X @ w + b))**2)", data=data, tier="numba")
        found.append([f.minimize(**options), f.minimize(**options, batch=64, shuffle=False)])
    for one, other in zip(*found, strict=True):
        assert same(other, one)
        assert same_history(other, one)


def test_arrays_on_disk_give_the_same_values_and_runs_that_agree(table, tmp_path):
    arrays = {"X": np.random.default_rng(1).normal(size=(1000, 8)), "y": table["y"]}
    point = {"w": np.linspace(-1, 1, 8), "b": 0.5}
    options = {"start": point, "method": "adam", "lr": 0.05, "epochs": 3}
    found = []
    for data in (arrays, kept("npy", arrays, tmp_path)):
        f = sg.Objective("mean((y - sigmoid(X @ w + b))**2)", data=data, tier="numba")
        runs = [f.minimize(**options), f.minimize(**options, batch=64, shuffle=False)]
        found.append(([f.value(point), f.gradient_at(point)], runs))
    np.testing.assert_equal(found[1][0], found[0][0])
    for one, other in zip(found[0][1], found[1][1], strict=True):
        # The rule itself rounds otherwise, in each of at most 48 steps.
        assert other.history.point == pytest.approx(one.history.point, rel=1e-13, abs=1e-13)


# ---- threads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_disk", [False, True])
def test_the_number_of_threads_changes_no_bit(tmp_path, on_disk):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200_003, 8))
    y = (X @ rng.normal(size=8) + rng.normal(size=len(X)) > 0).astype(float)
    data = {"X": X, "y": y}
    if on_disk:
        data = kept("npy", data, tmp_path)
    options = {"start": {"w": np.zeros(8), "b": 0}, "lr": 1.0}
    runs = []
    for workers in (1, 2, 3, 5):
        f = sg.Objective("mean(softplus(X @ w + b) - y*(X @ w + b))", data=data, workers=workers)
        assert f.kernel().large
        numbers = [f.value(w=np.ones(8), b=1), f.gradient_at(w=np.ones(8), b=1)]
        batched = f.minimize(**options, batch=1024, epochs=1, seed=0)
        runs.append((f.minimize(**options, steps=10), batched, numbers))
    for whole, batched, numbers in runs[1:]:
        for found, expected in zip((whole, batched), runs[0], strict=False):
            assert same(found, expected)
            assert same_history(found, expected)
        np.testing.assert_equal(numbers, runs[0][2])
