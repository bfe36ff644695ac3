"""Every example runs, quickly, and reaches what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Of each script, what it must print.
SHOWN = {
    "bowl": [
        r"condition 5, stable below lr = 1$",
        r"lr = 0.2: 0 of the first 19 steps cross the valley; f = 9.27e-07",
        r"lr = 0.8: 19 of the first 19",
    ],
    "cubic_regression": [r"from 0.5: a minimum at w = 10.0000, loss 0.0000", r"from -5: a minimum at w = -9\.\d+"],
    "danwood": [r"(?s)b1 = 0.768862\d+, b2 = 3.86040\d+.*b1 = 0.76886\d+, b2 = 3.8604\d+"],
    "digits_network": [
        r"d/dW2 = -relu\(X @ W1 \+ b1\)\.T @ ",
        r"^epoch  0  loss 2\.\d+\n(epoch .*\n){19}epoch 20  loss 0\.0\d+$",
        r"right on 9[5-9]\.\d% of those it has not$",
    ],
    "hills": [
        r"end at a minimum at \(-0.5 pi, 0.5 pi\), f = -1$",
        r"from \(1, 1\), on the diagonal: converged_gradient, but not a minimum",
        r"a maximum with f = 1$",
    ],
    "house_prices": [
        r"as they are: condition 283,503,.*\n  gd +4\d\d,\d{3} steps to within",
        r"standardised: condition 20,.*\n  gd +39 steps to within",
        r"one room more: \+10\.91 thousand$",
    ],
    "learning_rates": [r"stable below lr = 0.4$", r"lr = 0.6 .*diverged"],
    "line_fit": [
        r"step  10  loss 3\.2\d+",
        r"at the minimum:  w = 2.0182, b = 1.0405, .* minimum$",
        r"least squares:   w = 2.0182, b = 1.0405$",
    ],
    "linear_regression": [
        r"^d/dtheta = 2\*X\.T @ \(X @ theta - y\)/len\(X\)$",
        r"theta = \[ 1\.99368 -1\.00693  0\.48982\] after 107 steps, converged_gradient$",
        r"^least squares: \[ 1\.99368 -1\.00693  0\.48982\]$",
        r"just above the limit: diverged,",
    ],
    "logistic_regression": [
        r"^d/dw = 0\.002\*w \+ X\.T @ \(sigmoid\(X @ w \+ b\) - y\)/len\(X\)$",
        r"^gd .* held-out accuracy 9[6-9]\.\d%$",
        r"^adam .* held-out accuracy 9[6-9]\.\d%$",
    ],
    "matrix_factorisation": [
        r"always the mean +1\.022$",
        r"users and films +0\.\d+$",
        r"and their 5 traits +0\.4\d+$",
    ],
    "own_rule": [r"restart +converged_gradient at a minimum"],
    "parabola": [
        r"lr = 0.02 .* 0.00550209  max_steps: crawls",
        r"lr = 1.01 .* -1.65698  diverged: diverges",
        r"lr = 0.5 .* 2  converged_gradient: arrives in one step",
        r"lr = 1.0 .* -1  max_steps: flips",
    ],
    "plot_bias": [
        r"on a line +converged_gradient at a minimum: .* loss 0\.231$",
        r"on a parabola +converged_gradient at a minimum: .* loss 1\.526$",
        r"with a square .* loss 0\.225;",
    ],
    "plot_epochs_and_batches": [
        r"^batch +30 steps .* 0\.9934$",
        r"^mini-batch, 16 rows +480 steps .* 0\.000\d$",
        r"^stochastic, 1 row +7,680 steps .* 0\.01\d+$",
        r"^stochastic, lr falls +7,680 steps .* 0\.000\d$",
        r"^lr = 0\.0002 .*: crawls$",
        r"^lr = 0\.3 +diverged: ",
    ],
    "plot_landscapes": [r"^Run\(converged_gradient, minimum, .*\nRun\(converged_gradient, minimum"],
    "relu_regression": [
        r"^d/dw = .*X\.T @ where\(X @ w > 0, ",
        r"^  10    7\.946    9\.568     0\.0635   7 of 10$",
        r"in the end w = \[ ?8\. 10\.\] after \d+ steps more, converged_gradient$",
    ],
    "schedules": [r"cosine .*: mean of f over the last 200 steps 0.0\d+", r"signs alone, 1/t +: f = \d"],
    "word_vectors": [
        r"^queen \(royalty\) +((king|prince|princess|duke|duchess)(, |$)){4}",
        r"of the same category for 3[0-3] of 33$",
    ],
    "x_cos_x": [
        r"reach x =    9.529 with f =  -0.477",
        r"the lowest between 0 and 15 is at x = 9.529, reached from 6.5 to 12.5$",
    ],
}

# Whose data come from packages that symgd does without.
NEEDS = {"digits_network": "sklearn", "logistic_regression": "sklearn"}


def run(script):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    return subprocess.run(
        [sys.executable, "-W", "error", str(script)], env=environment, capture_output=True, text=True, timeout=120
    )


def test_every_example_is_looked_at():
    assert sorted(SHOWN) == sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_example_reaches_what_it_says(name, tmp_path, monkeypatch):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    monkeypatch.chdir(tmp_path)
    done = run(ROOT / "examples" / f"{name}.py")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for pattern in SHOWN[name]:
        assert re.search(pattern, done.stdout, re.MULTILINE), f"{pattern}\n{done.stdout}"
    assert list(tmp_path.iterdir()) == []
