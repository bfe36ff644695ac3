"""Saved runs: whole or not there, refused when altered, and gone on with bit for bit."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symgd as sg
from symgd import saving

ROOT = Path(__file__).parents[2]
TEXT = "(1 - a)**2 + 100*(b - a**2)**2"
START = {"a": -1.2, "b": 1.0}


@pytest.fixture(scope="module")
def objective():
    return sg.Objective(TEXT, tier="python")


@pytest.fixture(scope="module")
def half(objective):
    return objective.minimize(START, lr=1e-3, steps=20)


@pytest.mark.parametrize("suffix", saving.SUFFIXES)
def test_every_single_byte_counts(objective, half, tmp_path, suffix):
    path = half.save(tmp_path / f"run{suffix}")
    content = path.read_bytes()
    for place in random.Random(0).sample(range(len(content)), 150):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(sg.DataError, match=rf"run\{suffix}' is not a saved run: "):
            objective.resume(path, steps=30)


def test_what_is_wrong_is_told(objective, half, tmp_path):
    path = half.save(tmp_path / "run.npz")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x")
    with pytest.raises(sg.DataError, match="checksum is another than that of its content"):
        objective.resume(path)
    np.savez(path, x=[1.0])
    with pytest.raises(sg.DataError, match=r"does not end in the checksum that Run.save writes"):
        objective.resume(path)
    text = half.save(tmp_path / "run.json")
    text.write_text(text.read_text().replace(" ", "", 1))
    with pytest.raises(sg.DataError, match=r"does not begin with the checksum that Run.save writes"):
        objective.resume(text)
    half.save(path)
    with pytest.raises(sg.UsageError, match=r"run\.npz': the saved run is of '.*', not of 'a\*\*2'"):
        sg.Objective("a**2").resume(path)
    with pytest.raises(sg.UsageError, match=r"has the parameters .*'a', 'b'.*, and this objective b, a"):
        sg.Objective(TEXT, params=["b", "a"]).resume(path)


def test_other_data_are_told_by_name(tmp_path):
    data = {"x": np.arange(5.0), "y": np.ones(5)}
    text = "mean((y - w*x)**2)"
    path = sg.Objective(text, data).minimize(0, lr=0.01, steps=3).save(tmp_path / "run.npz")
    for other, told in (
        ({"y": np.r_[np.ones(4), 2]}, "'y' has other values"),
        ({"y": np.ones(5, int)}, r"'y' is \['int64', \[5\]\] here and was \['float64', \[5\]\]"),
        ({"x": np.arange(6.0), "y": np.ones(6)}, r"'[xy]' is \['float64', \[6\]\] here and was \['float64', \[5\]\]"),
        ({"x": 2.0}, r"'x' is \['number', \[\]\] here"),
    ):
        with pytest.raises(sg.UsageError, match=f"the saved run was made with other data: {told}"):
            sg.Objective(text, data | other).resume(path, steps=9)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("x", np.array([np.nan, 1.0]), "numbers that are not finite"), ("x", np.zeros(3), "shapes are not those"),
        ("x", np.zeros(2, int), "x' in it is no array of floats"), ("g", np.zeros(3), "do not go together"),
        ("f", "nan", "numbers that are not finite"), ("f", 1.0, "f is no text of a float"),
        ("records", np.zeros((4, 5)), "its history is none"), ("records", np.zeros((0, 5)), "its history is none"),
        ("t", -1, "t=-1 must be a whole number of at least 0"), ("stride", 0, "stride=0 must be a whole number"),
        ("batch", 7, "its point or its batches"), ("states", 10**30, "states=.* must be a whole number"),
        ("states", 3, "'state0'"), ("shuffle", 1, "shuffle is True or False"), ("hyper", np.zeros(4), "do not fit"),
        ("recipe", {"text": "x = y"}, "the saved rule is damaged"), ("recipe", [1], "the saved rule is damaged"),
        ("data", None, "does not say what its data were"), ("shapes", [[9**9]], "its shapes are not those"),
        ("tier", "Numba", "its tier is none of auto, python, numba"), ("tier", None, "its tier is none of"),
        ("seconds", "a", "seconds='a' must be at least 0"), ("tolerances", [1, 2], "damaged"),
    ],
)  # fmt: skip
def test_sealed_again_after_an_edit(objective, half, tmp_path, key, value, message):
    path = saving.write(tmp_path / "run.npz", {**half.state, key: value})
    with pytest.raises(sg.DataError, match=rf"run\.npz'.*{message}"):
        objective.resume(path, steps=30)


@pytest.mark.parametrize(("method", "place"), [("lbfgs", "state3"), ("bb", "state0")])
@pytest.mark.parametrize("number", [np.inf, np.nan, -1e300])
def test_a_memory_that_somebody_edited_ends_no_run(objective, method, place, number):
    state = objective.minimize(START, method=method, steps=3).state
    run = objective.minimize(START, steps=3)
    changed = {**state, place: np.full_like(state[place], number)}
    assert objective.resume(dataclasses.replace(run, state=changed), 9).steps >= 3


@pytest.mark.parametrize("options", [{"lr": 0.5}, {"method": "lbfgs"}])
def test_a_run_goes_on_in_its_own_tier(options):
    text, start = "mean(log1p(exp(x*w + b)) - y*(x*w + b))", {"w": 0.3, "b": -0.2}
    data = {"x": np.linspace(-2, 3, 37) ** 3, "y": np.arange(37) % 2}
    f = {tier: sg.Objective(text, data, tier=tier) for tier in ("python", "numba")}
    whole = {tier: g.minimize(start, steps=8, **options).x.tobytes() for tier, g in f.items()}
    assert whole["python"] != whole["numba"]  # the tiers round differently
    for tier, g in f.items():
        part = g.minimize(start, steps=4, **options)
        for other in f.values():
            assert other.resume(part, 8).x.tobytes() == whole[tier]


@given(
    st.dictionaries(st.text(max_size=4), st.none() | st.integers() | st.text(max_size=5) | st.booleans(), max_size=4)
)
def test_what_was_written_is_read(state):
    import tempfile

    arrays = {
        "é": np.array([np.nan, np.inf, -0.0, 5e-324]),
        "empty": np.zeros((0, 3)),
        "m": np.arange(6.0).reshape(2, 3),
    }
    state = {k: v for k, v in state.items() if k not in arrays}
    with tempfile.TemporaryDirectory() as folder:
        for suffix in saving.SUFFIXES:
            found = saving.read(saving.write(Path(folder, f"a{suffix}"), {**state, **arrays}))
            assert {k: v for k, v in found.items() if k not in arrays} == state
            for name, array in arrays.items():
                assert found[name].tobytes() == array.tobytes()
                assert found[name].shape == array.shape


# ---- while a run goes on -------------------------------------------------------------------------------------------


def same(a, b):
    assert a.x.tobytes() == b.x.tobytes()
    assert a.history.point.tobytes() == b.history.point.tobytes()
    assert (a.steps, a.evaluations, a.outcome) == (b.steps, b.evaluations, b.outcome)


X = np.random.default_rng(0).normal(size=(64, 3))
ROWS = sg.Objective("mean((y - X @ w)**2)", {"X": X, "y": X @ [1, 2, 3]}, tier="python")


@pytest.mark.parametrize("options", [{"batch": 16}, {"method": "adam"}, {"method": "noisy", "seed": 3}, {"batch": 10}])
@pytest.mark.parametrize("suffix", saving.SUFFIXES)
def test_each_save_on_the_way_goes_on_to_the_same_end(tmp_path, monkeypatch, options, suffix):
    monkeypatch.setattr("symgd.descent.loop.TICK", 1e-9)  # a look at the clock after every step or two
    start = {"w": np.zeros(3)}
    whole = ROWS.minimize(start, lr=0.01, steps=40, **options)
    path, kept, write = tmp_path / f"run{suffix}", [], saving.write

    def writing(target, state):
        write(target, state)
        kept.append(target.read_bytes())
        return target

    monkeypatch.setattr(saving, "write", writing)
    same(ROWS.minimize(start, lr=0.01, steps=40, save=path, save_every=0, **options), whole)
    assert len(kept) > 3
    for content in kept[:-1]:
        path.write_bytes(content)
        same(ROWS.resume(path), whole)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_how_often_and_where_is_checked(objective, half, tmp_path):
    for options, message in (
        ({"save_every": 5}, "save_every=5 needs a file to save to"),
        ({"save": tmp_path / "run.pkl"}, r"must end in \.npz or \.json"),
        ({"save": tmp_path / "none" / "run.npz"}, "there is no folder '.*none'"),
        ({"save": tmp_path / "run.npz", "save_every": "a"}, "save_every='a' must be a number of seconds, at least 0"),
        ({"save": 5}, "path=5 must be the name of a file"),
    ):
        with pytest.raises(sg.UsageError, match=message):
            objective.minimize(START, lr=1e-3, steps=9, **options)
        with pytest.raises(sg.UsageError, match=message):
            objective.resume(half, steps=30, **options)
    with pytest.raises(sg.UsageError, match="save is for a single run"):
        objective.minimize_many(box={"a": (0, 1), "b": (0, 1)}, save=tmp_path / "run.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(sg.DataError, match=r"folder\.npz' cannot be written"):
        objective.minimize(START, lr=1e-3, steps=9, save=tmp_path / "folder.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["folder.npz"]


RUN = """
import sys, signal, numpy as np, symgd as sg
{before}
X = np.random.default_rng(0).normal(size=(64, 3))
data = {{"X": X, "y": X @ [1, 2, 3] + X[:, 0]**2}} if "X" in {text!r} else None
f = sg.Objective({text!r}, data, tier={tier!r})
path, options = {path!r}, {options!r}
print("begun", flush=True)
import os
if os.path.exists(path):
    run = f.resume(path, save=path, save_every=0)
else:
    run = f.minimize({start!r}, save=path, save_every=0, **options)
print(run.steps, run.outcome, run.x.tobytes().hex(), flush=True)
"""


def begun(path, text=TEXT, start=START, tier="python", before="", **options):
    """Start a process that makes a run, or goes on with it where it has been saved."""
    code = RUN.format(text=text, start=start, path=str(path), tier=tier, options=options, before=before)
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "begun\n"
    return child


def wait_for(path, after=0.0):
    for _ in range(2400):
        if path.exists() and path.stat().st_mtime > after:
            return
        time.sleep(0.025)
    raise AssertionError("nothing is saved")


LOGISTIC = "mean((y - tanh(X @ w))**2) + 0.001*sum(w**2)"
RUNS = {
    "rule": {"method": "adam", "lr": 1e-4, "steps": 250_000},
    "draws": {"method": "noisy", "lr": 1e-6, "seed": 3, "steps": 120_000},
    "cauchy": {"method": "exact", "gtol": 1e-300, "steps": 60_000},
    "method": {"method": "armijo", "gtol": 1e-300, "steps": 8_000},
    "batches": {"text": LOGISTIC, "start": {"w": [0.1, 0.2, 0.3]}, "lr": 1e-3, "batch": 10, "epochs": 700},
    "compiled": {"text": LOGISTIC, "start": {"w": [0.1, 0.2, 0.3]}, "tier": "numba", "method": "momentum", "lr": 1e-6,
                 "steps": 3_000_000},
}  # fmt: skip


def killed(path, kills, salt, **options):
    """Kill a run so many times, at random moments, and let it end; gives how often it had come further, and its end."""
    rng, last, further = random.Random(salt), -1, 0
    for _ in range(kills):
        child = begun(path, **options)
        if not path.exists():
            wait_for(path)
        time.sleep(rng.uniform(0, 0.4))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        now = saving.read(path)["t"]  # it is whole
        assert now >= last
        further, last = further + (now > last), now
    child = begun(path, **options)
    end = child.stdout.read()
    child.wait()
    child.stdout.close()
    return further, end


@pytest.mark.parametrize(
    ("name", "kills"),
    [("rule", 2), ("batches", 1), *(pytest.param(name, 50, marks=pytest.mark.slow) for name in RUNS)],
)
def test_killed_at_any_moment_a_run_ends_as_if_it_had_not_been(tmp_path, name, kills):
    whole = begun(tmp_path / "whole.npz", **RUNS[name])
    wanted = whole.stdout.read()
    whole.wait()
    whole.stdout.close()
    further, found = killed(tmp_path / "run.npz", kills, salt=len(name), **RUNS[name])
    assert found == wanted
    assert further > kills // 10
    left = [p.name for p in tmp_path.iterdir()]
    assert {"run.npz", "whole.npz"} <= set(left)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_signals_save_and_then_do_what_they_do(tmp_path, objective, name):
    number = getattr(signal, name)
    path = tmp_path / "run.json"
    # Whoever runs the tests may have them ignored.
    handler = "signal.default_int_handler" if name == "SIGINT" else "signal.SIG_DFL"
    child = begun(path, method="adam", lr=1e-9, steps=10**9, before=f"signal.signal(signal.{name}, {handler})")
    wait_for(path)
    child.send_signal(number)
    out = child.stdout.read()
    child.stdout.close()
    assert child.wait(60) == (0 if name == "SIGINT" else -number)
    steps = saving.read(path)["t"]
    assert ("interrupted" in out) == (name == "SIGINT")
    assert not out or out.startswith(f"{steps} ")
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
    if name == "SIGINT":
        same(
            objective.resume(path, steps=steps + 9), objective.minimize(START, method="adam", lr=1e-9, steps=steps + 9)
        )


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_that_is_ignored_stays_ignored(tmp_path, name):
    path = tmp_path / "run.npz"
    child = begun(path, method="adam", lr=1e-9, steps=60_000, before=f"signal.signal(signal.{name}, signal.SIG_IGN)")
    child.send_signal(getattr(signal, name))
    out = child.stdout.read()
    child.stdout.close()
    assert child.wait(60) == 0
    assert out.startswith("60000 max_steps ")


@pytest.mark.parametrize("suffix", saving.SUFFIXES)
def test_a_full_disk_leaves_the_file_as_it_was(objective, half, tmp_path, suffix):
    resource = pytest.importorskip("resource")
    path = half.save(tmp_path / f"run{suffix}")
    content, former = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    longer = objective.minimize(START, lr=1e-3, steps=500)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, former[1]))
    try:
        with pytest.raises(sg.DataError, match=rf"run\{suffix}' cannot be written: File too large"):
            longer.save(path)
        with pytest.raises(sg.DataError, match=rf"run\{suffix}' cannot be written: File too large"):
            objective.minimize(START, lr=1e-3, steps=500, save=path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", saving.SUFFIXES)
def test_pipes_links_and_folders(objective, half, tmp_path, suffix):
    pipe = tmp_path / f"pipe{suffix}"
    os.mkfifo(pipe)
    with pytest.raises(sg.DataError, match=rf"pipe\{suffix}' is not a saved run: it is no ordinary file"):
        objective.resume(pipe)
    with pytest.raises(sg.DataError, match=rf"pipe\{suffix}' cannot be written: it is no ordinary file"):
        half.save(pipe)
    real, link = tmp_path / f"real{suffix}", tmp_path / f"link{suffix}"
    half.save(real)
    real.chmod(0o600)
    link.symlink_to(real)
    content = real.read_bytes()
    objective.minimize(START, lr=1e-3, steps=7).save(link)
    assert link.is_symlink()
    assert real.read_bytes() != content
    assert real.stat().st_mode & 0o777 == 0o600
    for bad in (tmp_path / "none" / f"a{suffix}", f"a\0{suffix}", tmp_path / ("a" * 300 + suffix)):
        with pytest.raises(sg.DataError, match="cannot be written"):
            half.save(bad)
        with pytest.raises(sg.DataError, match=r"there is no file|is not a saved run"):
            objective.resume(bad)


def test_another_version_is_told(objective, half, tmp_path, monkeypatch):
    paths = [tmp_path / f"run{suffix}" for suffix in saving.SUFFIXES]
    with monkeypatch.context() as patch:
        patch.setattr(saving, "VERSION", 7)
        patch.setattr(saving, "_SEAL", b"symgd 7 sha256 ")
        for path in paths:
            half.save(path)
    for path in paths:
        with pytest.raises(sg.DataError, match="it is of version 7 of saved runs, and this symgd reads 2"):
            objective.resume(path)


@pytest.mark.parametrize("stored", [False, True])
def test_every_row_of_the_data_counts(tmp_path, monkeypatch, stored):
    monkeypatch.setattr("symgd.data.owned.COPIED", 8)
    monkeypatch.setattr("symgd.data.owned.SAMPLE", 4)
    monkeypatch.setattr("symgd.data.owned.CHUNK", 64)
    x, path = np.arange(100.0), tmp_path / "run.npz"

    def objective(x):
        if not stored:
            return sg.Objective("mean((x - w)**2)", {"x": x})
        np.save(tmp_path / "x.npy", x)
        return sg.Objective("mean((x - w)**2)", {"x": tmp_path / "x.npy"})

    objective(x).minimize(0, lr=0.1, steps=3).save(path)
    assert objective(x.copy()).resume(path, 5).steps == 5
    for row in range(100):
        other = x.copy()
        other[row] += 1e-9
        with pytest.raises(sg.UsageError, match="'x' has other values"):
            objective(other).resume(path, 5)


def test_single_steps_of_batches_are_kept_and_go_on_where_they_stood(tmp_path):
    x = np.linspace(-2, 2, 40)
    f = sg.Objective("mean((y - w*x)**2)", {"x": x, "y": 3 * x + np.sin(9 * x)}, {"w": ()})
    whole = f.minimize([0], lr=0.1, batch=4, epochs=6, seed=3)
    single = whole.history.batches
    assert list(single.step) == list(range(61))
    assert single["w"][-1] == whole.point["w"]
    # Each step is that of its rows: what it changed is the learning rate times their gradient.
    np.testing.assert_allclose(np.abs(np.diff(single["w"])), 0.1 * single.gradient_norm[1:], rtol=1e-12)
    half = f.minimize([0], lr=0.1, batch=4, epochs=2, seed=3)
    again = f.resume(half.save(tmp_path / "half.npz"), steps=60)
    np.testing.assert_array_equal(again.history.batches.point, single.point)
    np.testing.assert_array_equal(again.history.batches.value, single.value)


@pytest.mark.parametrize("tier", ["python", pytest.param("numba", marks=pytest.mark.compiled)])
def test_many_single_steps_are_thinned(tier):
    x = np.linspace(-2, 2, 40)
    f = sg.Objective("mean((y - w*x)**2)", {"x": x, "y": 3 * x}, {"w": ()}, tier=tier)
    single = f.minimize([0], lr=0.01, batch=1, epochs=100).history.batches
    assert len(single) <= 2001
    assert set(np.diff(single.step)[:-1]) == {2} or set(np.diff(single.step)[:-1]) == {4}
    assert single.step[-1] == 4000
