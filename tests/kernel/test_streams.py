"""Rows on disk, and rows handed to threads: the same bits, wherever they are and whoever works on them."""

import numpy as np
import pytest

import symgd as sg
from symgd.data import Stored
from symgd.kernel import streams
from symgd.kernel.code import arrays

ROWS, WIDTH = 60_000, 20
TEXT = "mean(softplus(X @ w) - 0.1*y*(X @ w)) + log(sum(exp(y*w[0]))) + max(y*w[1]) + sum(mean(X*w, axis=0)**2)"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, WIDTH))
    return {"X": X, "y": X @ rng.normal(size=WIDTH) + rng.normal(size=ROWS)}


@pytest.fixture
def files(data, tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "SMALL", 0)  # so that even these stay on disk
    for name, values in data.items():
        np.save(tmp_path / f"{name}.npy", values)
    return tmp_path


def bits(data, workers, tier="numba", **options):
    f = sg.Objective(TEXT, data=data, tier=tier, workers=workers, **options)
    assert f.kernel().large
    w = np.linspace(-0.3, 0.3, WIDTH)
    direction = np.cos(np.arange(WIDTH))
    parts = [f.gradient_at(w=w)["w"], f.hvp({"w": w}, {"w": direction})["w"], np.array(f.value(w=w))]
    return b"".join(part.tobytes() for part in parts)


def test_threads_memory_maps_and_files_give_the_same_bits(data, files):
    expected = bits(data, 1)
    assert bits(data, 2) == expected
    assert bits(data, 5) == expected
    mapped = {name: np.load(files / f"{name}.npy", mmap_mode="r") for name in data}
    assert bits(mapped, 2) == expected
    stored = {name: files / f"{name}.npy" for name in data}
    assert bits(stored, 1) == expected
    assert bits(stored, 5) == expected
    assert bits({"X": stored["X"], "y": data["y"]}, 2) == expected


def test_statements_of_numpy_read_files_block_by_block(data, files, monkeypatch):
    expected = bits(data, 1, "python")
    stored = {name: files / f"{name}.npy" for name in data}
    read, whole = [], Stored.rows

    def count(self, low, high):
        read.append(self.width * (high - low))
        return whole(self, low, high)

    monkeypatch.setattr(Stored, "rows", count)
    assert bits(stored, 1, "python") == expected
    assert 1 < max(read) <= arrays.READ < ROWS * WIDTH / 4
    shifted = "mean((X[1:] - a*X[:-1])**2) + b*sum(y[::7])"
    point = {"a": 0.3, "b": -2.0}
    values = [sg.Objective(shifted, data=d, tier="python").gradient_at(point) for d in (data, stored)]
    assert values[0] == values[1]


def test_parquet_gives_the_same_bits(data, tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {"y": pa.array(data["y"]), "X": pa.FixedSizeListArray.from_arrays(pa.array(data["X"].ravel()), WIDTH)}
    parquet.write_table(pa.table(columns), tmp_path / "rows.parquet")
    assert bits(tmp_path / "rows.parquet", 2) == bits(data, 2)


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_a_descent_on_files_is_that_on_arrays(data, files, tier):
    runs = [
        sg.Objective(TEXT, data=d, tier=tier).minimize({"w": np.zeros(WIDTH)}, steps=5)
        for d in (data, {name: files / f"{name}.npy" for name in data})
    ]
    assert runs[0].x.tobytes() == runs[1].x.tobytes()


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_batches_come_from_files(data, files, tier):
    options = {"method": "adam", "lr": 0.01, "batch": 5_000, "epochs": 2, "shuffle": False}
    stored = {name: files / f"{name}.npy" for name in data}
    runs = [
        sg.Objective("mean((X @ w - y)**2)", data=d, tier=tier).minimize({"w": np.zeros(WIDTH)}, **options)
        for d in (data, stored)
    ]
    # Beside files the rule itself runs in plain Python, which rounds once more in a sum of products.
    np.testing.assert_allclose(runs[0].x, runs[1].x, rtol=1e-12)
    shuffled = sg.Objective("mean((X @ w - y)**2)", data=stored).minimize(
        {"w": np.zeros(WIDTH)}, **{**options, "shuffle": True}
    )
    assert shuffled.value < 1.1 * runs[0].value
    assert shuffled.x.tolist() != runs[1].x.tolist()


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_single_precision_and_whole_numbers_are_read_as_they_are(tmp_path, monkeypatch, tier):
    monkeypatch.setattr(streams, "SMALL", 0)
    rng = np.random.default_rng(1)
    X, k = rng.normal(size=(3_000, 3)).astype(np.float32), rng.integers(0, 4, 3_000).astype(np.int16)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "k.npy", k)
    text, point = "mean((X @ w - b[k])**2) + mean(k*w[0])", {"w": np.ones(3), "b": np.arange(4.0)}
    expected = np.mean((X.astype(float) @ point["w"] - point["b"][k]) ** 2) + k.mean()
    for source in ({"X": X, "k": k}, {"X": tmp_path / "X.npy", "k": tmp_path / "k.npy"}):
        f = sg.Objective(text, data=source, params={"w": 3, "b": 4}, tier=tier)
        assert f.value(point) == pytest.approx(expected, rel=1e-13)
