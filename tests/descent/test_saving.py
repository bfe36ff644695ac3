"""Saved runs: whole or not there, refused when altered, and gone on with bit for bit."""

import dataclasses
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
from benchmarks import fuzz_saves
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


def test_damaged_and_edited_files_are_refused_by_name(tmp_path):
    found = fuzz_saves.search(200, 12345, tmp_path)
    assert not [what for what in found if what.startswith("WRONG")]
    assert found["refused"] > 100


@pytest.mark.slow
def test_many_damaged_and_edited_files_are_refused_by_name(tmp_path):
    found = fuzz_saves.search(10_000, 1, tmp_path)
    assert not [what for what in found if what.startswith("WRONG")]


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
import sys, symgd as sg
f = sg.Objective({text!r}, tier="python")
print("begun", flush=True)
f.minimize({start!r}, lr=1e-4, steps=10**9, save={path!r}, save_every=0)
"""


def test_killed_at_any_moment_the_file_is_whole(objective, tmp_path):
    rng = random.Random(0)
    path = tmp_path / "run.npz"
    code = RUN.format(text=TEXT, start=START, path=str(path))
    reached = 0
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "begun\n"
        for _ in range(600):
            if path.exists():
                break
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 0.5))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        steps = saving.read(path)["t"]
        same(objective.resume(path, steps=steps + 50), objective.minimize(START, lr=1e-4, steps=steps + 50))
        reached = max(reached, steps)
        path.unlink()
    assert reached > 0


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
