"""Attacks: odd arguments, damaged files, random texts, kills. Each runs in a child, so that a signal is seen as one.

The fast part belongs to the suite; ``SYMGD_ATTACK=20000 python -m pytest -m slow tests/attack`` is the long one, which
makes so many calls and reads so many texts, half as many damaged files, and a hundredth as many kills.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import arrays
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import symgd as sg
from symgd import saving
from symgd.kernel.machine import cache

ROOT = Path(__file__).parents[2]
LONG = int(os.environ.get("SYMGD_ATTACK", "2000"))


def found(module, *options):
    """Run one of the searches; gives how often what came."""
    command = [sys.executable, "-m", f"tests.attack.{module}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), f"{done.returncode}: {done.stderr[-3000:]}"
    counts = json.loads(done.stdout)
    wrong = {what: count for what, count in counts.items() if what.startswith("WRONG")}
    assert not wrong, f"{json.dumps(wrong, indent=1)}\n{done.stderr[-3000:]}"
    return counts


def test_odd_calls_give_errors_of_symgd_and_no_signal():
    assert sum(found("calls", "--calls", "300", "--seed", "7").values()) == 300


def test_every_public_function_takes_odd_arguments():
    counts = found("surface", "--calls", "400", "--seed", "3")
    assert sum(counts.values()) == 400
    assert counts["refused"] > 100
    assert counts["answered"] > 50


def test_damaged_and_edited_files_are_refused_by_name():
    assert found("saves", "--files", "200", "--seed", "12345")["refused"] > 100


def test_damaged_entries_of_the_cache_are_ignored():
    counts = found("entries", "--files", "500", "--seed", "1")
    assert counts["ignored"] > 400
    assert counts["used"] == 1


@pytest.mark.slow
def test_many_odd_calls():
    assert sum(found("calls", "--calls", str(LONG)).values()) == LONG


@pytest.mark.slow
def test_every_public_function_takes_many_odd_arguments():
    assert sum(found("surface", "--calls", str(LONG)).values()) == LONG


@pytest.mark.slow
def test_many_damaged_and_edited_files_are_refused_by_name():
    found("saves", "--files", str(LONG // 2), "--seed", "1")


@pytest.mark.slow
def test_many_damaged_entries_of_the_cache_are_ignored():
    assert found("entries", "--files", str(LONG // 2), "--seed", "2")["ignored"] > LONG // 3


# ---- texts ---------------------------------------------------------------------------------------------------------

QUICK = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.reuse, Phase.generate)
)


def same_as_numpy(case, tier):
    wanted = float(arrays.numpy_value(case))
    value = sg.Objective(case.text, case.data, params=list(case.point), tier=tier).value(case.point)
    if np.isfinite(wanted):
        try:
            error = float(arrays.exact(case, np.zeros((1, case.size))).value.e)
        except arrays.OutOfReachError:
            error = 1e3
        assert abs(value - wanted) <= 1e-12 * (error + abs(wanted)) + 1e-300
    else:
        assert np.isnan(wanted) or value == wanted


@pytest.mark.slow
@settings(QUICK, max_examples=LONG)
@given(case=arrays.cases())
def test_many_texts_have_the_value_of_numpy(case):
    same_as_numpy(case, "python")


@pytest.mark.slow
@settings(QUICK, max_examples=max(1, LONG // 100))  # each of them is compiled
@given(case=arrays.cases())
def test_many_compiled_texts_have_the_value_of_numpy(case):
    same_as_numpy(case, "numba")


# ---- kills ---------------------------------------------------------------------------------------------------------

SAVING = """
import symgd as sg
run = sg.Objective("(1 - a)**2 + 100*(b - a**2)**2", tier="python").minimize([-1.2, 1], lr=1e-3, steps={steps})
while True:
    run.save({path!r})
    print(end=".", flush=True)
"""


@pytest.mark.parametrize("suffix", saving.SUFFIXES)
@pytest.mark.parametrize("kills", [2, pytest.param(max(1, LONG // 200), marks=pytest.mark.slow)])
def test_a_kill_while_saving_leaves_a_whole_file(tmp_path, suffix, kills):
    rng = random.Random(kills)
    path = tmp_path / f"run{suffix}"
    f = sg.Objective("(1 - a)**2 + 100*(b - a**2)**2", tier="python")
    f.minimize([-1.2, 1], lr=1e-3, steps=7).save(path)
    for _ in range(kills):
        child = subprocess.Popen(
            [sys.executable, "-c", SAVING.format(path=str(path), steps=20_000)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert child.stdout.read(1) == b"."
        time.sleep(rng.uniform(0, 0.1))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert saving.read(path)["t"] == 20_000
    assert f.resume(path, 20_001).steps == 20_001


CACHING = """
from symgd.kernel.machine import cache
print(end=".", flush=True)
for i in range(10**9):
    cache.save(cache.key(str(i % 7)), str(i % 7).encode() * 300_000)
"""


@pytest.mark.parametrize("kills", [5, pytest.param(max(1, LONG // 100), marks=pytest.mark.slow)])
def test_a_kill_while_caching_leaves_whole_entries(tmp_path, monkeypatch, kills):
    monkeypatch.setenv("SYMGD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    rng = random.Random(kills)
    for _ in range(kills):
        child = subprocess.Popen([sys.executable, "-c", CACHING], cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout.read(1) == b"."
        time.sleep(rng.uniform(0, 0.05))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        for entry in cache.entries():
            if not entry.path.name.startswith(".new-"):
                content = cache.load(entry.path.name)
                assert content is not None
                assert cache.key(content[:1].decode()) == entry.path.name
                assert set(content) == {content[0]}
                assert len(content) == 300_000
    assert cache.load(cache.key("0")) is not None
