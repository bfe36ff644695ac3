"""Data belong to the objective: arrays and files that change afterwards change no answer and end no process."""

import mmap
import os
import pickle

import numpy as np
import pandas as pd
import pytest

import symgd as sg
from symgd import language as fm
from symgd.data import Owned, Stored, owned

TIERS = ("python", "numba")
N = 5000


def columns(seed=0):
    rng = np.random.default_rng(seed)
    return {"u": rng.integers(-5, 5, N), "U": rng.normal(size=5), "y": rng.normal(size=N), "b": rng.random(N) > 0.5}


def answers(f, point):
    run = f.minimize(point, lr=0.05, steps=5)
    return f.value(point), f.jac(f.vector(point)).tolist(), f.hess(f.vector(point)).tolist(), run.x.tolist()


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    "text", ["mean((y - U[u]*w)**2)", "mean((y - b*w)**2)", "sum(U[abs(u) - 1]*w*y + w**2)", "sum((U[u + 0] - w)**2)"]
)
def test_arrays_that_change_afterwards_change_nothing(text, tier):
    data, point = columns(), {"w": 0.5}
    f = sg.Objective(text, data, tier=tier, params=["w"])
    before = answers(f, point)
    for name in data:
        data[name][...] = ~data[name] if name == "b" else 10**9
    assert answers(f, point) == before
    with pytest.raises(ValueError, match="read-only"):
        f.data[next(iter(f.data))][0] = 1
    with pytest.raises(TypeError):
        f.data["y"] = 1


@pytest.mark.parametrize("tier", TIERS)
def test_large_arrays_are_read_in_place_but_indices_never(monkeypatch, tier):
    monkeypatch.setattr(owned, "COPIED", 8)
    data = columns()
    f = sg.Objective("mean((y - U[u]*w)**2)", data, tier=tier, params=["w"])
    assert np.shares_memory(f.data["y"], data["y"])
    assert not np.shares_memory(f.data["u"], data["u"])
    assert not f.data["y"].flags.writeable
    assert data["y"].flags.writeable
    before = f.value(w=0.5)
    data["u"][...] = 10**15
    assert f.value(w=0.5) == before
    assert pickle.loads(pickle.dumps(f)).data.fingerprint(data) == f.data.fingerprint(data)
    # What was copied once is not copied again, and what was not is looked at anew.
    again = sg.Objective("sum((y - U[u]*w)**2)", f.data, params=["w"])
    assert again.data["u"] is f.data["u"]
    assert set(sg.Objective("sum(y*w)", f.data).data) == {"y"}


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_a_large_mapped_array_is_read_from_its_file(monkeypatch, tmp_path, mode):
    monkeypatch.setattr(owned, "COPIED", 8)
    values = np.random.default_rng(0).normal(size=(40, 3))
    np.save(tmp_path / "X.npy", values)
    mapped = np.load(tmp_path / "X.npy", mmap_mode=mode)
    f = sg.Objective("mean((X @ w)**2)", {"X": mapped[10:]})
    assert isinstance(f.data["X"], Stored)
    assert np.array_equal(f.data["X"].whole(), values[10:])
    assert f.value([1, 2, 3]) == pytest.approx(np.mean((values[10:] @ [1, 2, 3]) ** 2))
    # A copy on write holds what the file does not.
    changed = np.load(tmp_path / "X.npy", mmap_mode="c")
    changed[0] = 5.0
    with (tmp_path / "X.npy").open("rb") as file:
        raw = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), offset=128).reshape(40, 3)
    for array in (changed, raw):  # what cannot be read again is copied: no look at it may end the process
        kept = Owned({"X": array})["X"]
        assert np.array_equal(kept, array)
        assert not np.shares_memory(kept, array)
    (tmp_path / "X.npy").write_bytes(b"")
    with pytest.raises(sg.DataError, match=r"X\.npy"):
        f.data["X"].whole()


def on_disk(folder, text="mean((y - U[u]*w)**2)"):
    rng = np.random.default_rng(0)
    np.save(folder / "u.npy", rng.integers(0, 5, N))
    np.save(folder / "y.npy", rng.normal(size=N))
    paths = {name: folder / f"{name}.npy" for name in ("u", "y")}
    return sg.Objective(text, {**paths, "U": np.arange(5.0)}, params=["w"])


@pytest.mark.parametrize("name", ["u", "y"])
def test_files_that_change_are_refused_by_name(monkeypatch, tmp_path, name):
    monkeypatch.setattr("symgd.kernel.streams.SMALL", 8)  # so that rows are read whenever they are needed
    f = on_disk(tmp_path)
    assert np.isfinite(f.value(w=0.5))
    np.save(tmp_path / f"{name}.npy", np.full(N, 10**12))
    with pytest.raises(sg.DataError, match=rf"{name}\.npy' has changed since it was opened"):
        f.value(w=0.5)
    with pytest.raises(sg.DataError, match=rf"{name}\.npy' has changed"):
        f.minimize(0.5, lr=0.1, steps=2)
    (tmp_path / f"{name}.npy").unlink()
    with pytest.raises(sg.DataError, match=rf"there is no file '.*{name}\.npy'"):
        f.value(w=0.5)


def test_an_index_on_disk_is_held_to_its_bounds_whatever_the_clock_says(monkeypatch, tmp_path):
    monkeypatch.setattr("symgd.kernel.streams.SMALL", 8)
    f = on_disk(tmp_path)
    path = tmp_path / "u.npy"
    kept = path.stat()
    np.save(path, np.full(N, 10**12))
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    with pytest.raises(sg.DataError, match=r"u\.npy' has changed since it was opened: an index in it is out of bounds"):
        f.value(w=0.5)
    # An index that is computed is read at once, and what becomes of the file does not matter.
    f = on_disk(tmp_path, "mean((y - U[4 - u]*w)**2)")
    before = f.value(w=0.5)
    np.save(path, np.full(N, 10**12))
    assert f.value(w=0.5) == before


# ---- truth values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("kind", ["array", "list", "csv", "parquet", "npy", "frame"])
def test_truth_values_are_0_and_1(tmp_path, monkeypatch, tier, kind):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=N), rng.random(N) > 0.5
    frame = pd.DataFrame({"x": x, "y": y})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    np.save(tmp_path / "y.npy", y)
    if kind == "npy":
        monkeypatch.setattr("symgd.kernel.streams.SMALL", 8)
    data = {"array": {"x": x, "y": y}, "list": {"x": x, "y": y.tolist()}, "csv": tmp_path / "a.csv", "frame": frame,
            "parquet": tmp_path / "a.parquet", "npy": {"x": x, "y": tmp_path / "y.npy"}}[kind]  # fmt: skip
    text = "mean((y - sigmoid(w*x + b))**2) + mean(where(y, x, 0))*b + sum(y*x)*w"
    found, wanted = (sg.Objective(text, d, tier=tier) for d in (data, {"x": x, "y": y * 1.0}))
    point = {"w": 0.3, "b": 0.1}
    assert found.value(point) == pytest.approx(wanted.value(point), rel=1e-14)
    assert found.hess([0.3, 0.1]) == pytest.approx(wanted.hess([0.3, 0.1]), rel=1e-12)
    runs = [f.minimize(point, lr=0.01, batch=16, epochs=2, shuffle=False).x for f in (found, wanted)]
    assert runs[0] == pytest.approx(runs[1], rel=1e-12)


@pytest.mark.parametrize("b", [True, np.True_, np.array(False), np.array([True, False])])
def test_truth_values_are_no_index(b):
    with pytest.raises(
        sg.SymgdError,
        match=r"a condition (is no index|has one truth value for each place)|is (True|False), and serves as an index",
    ):
        sg.Objective("w*sum(U[b])", {"U": np.arange(3.0), "b": b})
    with pytest.raises(sg.FormulaError, match="unexpected 'True'"):
        sg.Objective("w*U[True]", {"U": np.arange(3.0)})


# ---- travelling ----------------------------------------------------------------------------------------------------


def test_data_travel_and_files_as_paths(tmp_path):
    f = on_disk(tmp_path)
    again = pickle.loads(pickle.dumps(f))
    assert again.value(w=0.5) == f.value(w=0.5)
    assert again.data["u"] == f.data["u"]
    assert not again.data["U"].flags.writeable
    assert again.data.fingerprint(["u", "y", "U"]) == f.data.fingerprint(["u", "y", "U"])
    np.save(tmp_path / "y.npy", np.zeros(N))
    with pytest.raises(sg.DataError, match=r"y\.npy' has changed"):
        pickle.loads(pickle.dumps(f)).value(w=0.5)


# ---- threads -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("max(abs(y - w*b)) + min((y - w)**2)", {"w": 0.5}), ("logsumexp(y*w) + std(y*w)", {"w": 0.5}),
        ("mean((y - U[u])**2) + sum(U**2)", {"U": np.ones(5)}),
        pytest.param(
            "mean((tanh(X @ W) @ v - y)**2) + sum(max(X @ W, axis=0))", {"W": np.ones((3, 9)) / 7, "v": np.ones(9)},
            marks=pytest.mark.slow,
        ),
        ("sum(logsumexp(X*v, axis=0)**2) + norm(X @ v)", {"v": np.array([0.1, 0.2, 0.3])}),
    ],
)  # fmt: skip
def test_the_bits_are_those_of_one_worker(monkeypatch, text, point):
    from symgd.kernel import threads

    monkeypatch.setattr(threads, "LARGE", 1)
    monkeypatch.setattr(threads, "SHARE", 1 << 10)
    data = columns() | {"X": np.random.default_rng(1).normal(size=(N, 3))}
    used = {name: data[name] for name in data if name in fm.names(fm.parse(text)) and name not in point}
    found = set()
    for workers in (1, 2, 3, 5):
        f = sg.Objective(text, used, tier="numba", workers=workers)
        kernel, x = f._ready(point)
        v = np.linspace(1, 2, len(x))
        runs = [f.minimize(point, steps=3, **options).x for options in ({"lr": 1e-4}, {"method": "lbfgs"}, {})]
        parts = (np.array(kernel.value(x)), kernel.slope(x)[1], kernel.product(x, v), kernel.hessian(x), *runs)
        found.add(b"".join(part.tobytes() for part in parts))
        if workers == 1:
            assert kernel.large
    assert len(found) == 1
