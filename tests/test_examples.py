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
        r"condition 5, stable below lr = 1, fastest at 0\.8333$",
        r"lr = 0.2: 0 of the first 19 steps cross the valley; f = 9.27e-07",
        r"  rate 0\.9200 measured, 0\.9200 predicted\n\n",
        r"lr = 0.8: 19 of the first 19 .*\n  rate 0\.6800 measured, 0\.6800 predicted\n  zigzag: .* along x2",
        r"lr = 0\.8333, the fastest +51  rate 0\.6667$",
        r"lr = 0\.9549, beta = 0\.1459 +2\d  rate 0\.3820$",
        r"Newton +\d$",
    ],
    "conditioning": [
        r"^Features as they are\n(.*\n)*?condition +3\.72\de\+05",
        r"^gradient descent: max_steps after 1,000 steps, .*\n  scaling: The features (.*\n)+?  crawling: ",
        r"^Features standardised\n(.*\n)*?gradient descent: converged_gradient after \d steps, loss 62\.8793\nNewton",
        r"^gradient descent +8,635 +8,635$",
        r"^momentum +326 +326$",
        r"^adam +\d{2,3} +\d,\d{3}$",
        r"^newton +\d +\d$",
        r"^askew: condition 2,500, with parameters scaled one by one 2,500$",
    ],
    "critical_points": [
        r"^3\*x\*\*4.*\n  x = -1 .* minimum: .*\n  x = 0 .* maximum: .*\n  x = 2 .* minimum: ",
        r"^x\*\*4: .*\n  x = 0 .* minimum: no lower value is near",
        r"^x\*\*3: .*\n  x = 0 .* degenerate: the curvature is 0 but the value falls",
        r"  x = -1, y = 2 +curvature -6, 12 +saddle: the curvature is negative along x$",
        r"(  a minimum at .*\n  a maximum at .*\n){5}",
        r"  a minimum at x = +9\.5293, where the second derivative is +9\.6860$",
        r"^  gd +converged_gradient at a saddle .*\n  saddle: .* along y the curvature is -2",
        r"^  newton converged_gradient at a minimum with f = -0\.25 after \d+ steps$",
    ],
    "cubic_regression": [r"from 0.5: a minimum at w = 10.0000, loss 0.0000", r"from -5: a minimum at w = -9\.\d+"],
    "danwood": [r"(?s)b1 = 0.768862\d+, b2 = 3.86040\d+.*b1 = 0.76886\d+, b2 = 3.8604\d+"],
    "digits_network": [
        r"d/dW2 = -relu\(X @ W1 \+ b1\)\.T @ ",
        r"^epoch  0  loss 2\.\d+\n(epoch .*\n){19}epoch 20  loss 0\.0\d+$",
        r"right on 9[5-9]\.\d% of those it has not$",
    ],
    "epochs": [
        r"^loss 23\.0624 at the start, 0\.1880 at the minimum$",
        r"^16 rows, lr = 0\.02 +480 .* 0\.188\d$",
        r"^the same, another seed +480 .* 0\.188\d$",
        r"^16 rows, lr = 0\.0002, crawling: .* an epoch leaves 0\.97\d* of what is above the minimum",
        r"^16 rows, lr = 0\.3, diverged: .* over the limit 2/lambda_max = 0\.277251 of the 16 rows ",
        r"^  remedy: Take lr=0\.138: 480 steps end at 0\.20\d* instead of 2\.09\d*e\+65",
        r"^1 row, lr = 0\.02, noise_floor: .* 0\.018\d* above the lowest value 0\.188005",
    ],
    "gradient_vector": [
        r"^df/dx = 2\*x \+ y$",
        r"at \(1, -2, 2\) it is \[ 0\. -7\.  7\.\], of length 9\.8995$",
        r"climbs by 9\.\d{4} a unit",
        r"f = 9 -> 8\.0\d+$",
    ],
    "hills": [
        r"end at a minimum at \(-0.5 pi, 0.5 pi\), f = -1$",
        r"from \(1, 1\), on the diagonal: converged_gradient, but not a minimum",
        r"^  saddle: .* along x - y the curvature is -1",
        r"^by Newton's method from there: a minimum with f = -1$",
        r"a maximum with f = 1$",
    ],
    "house_prices": [
        r"as they are: condition 283,503,.*\n  gd +4\d\d,\d{3} steps to within",
        r"standardised: condition 20,.*\n  gd +39 steps to within",
        r"one room more: \+10\.91 thousand$",
    ],
    "learning_rates": [
        r"gradient descent is stable here below 0\.4$",
        r"^for any largest eigenvalue L the limit is 2/L$",
        r"^lr = 0\.02, slow: (.*\n)+?  rate 0\.980 in theory, 0\.980 measured\n  crawling: ",
        r"^lr = 0\.3, good: converged(.*\n)+?  rate 0\.700 in theory, 0\.700 measured\n$",
        r"^lr = 0\.398, .*(.*\n)+?  rate 0\.990 in theory, 0\.990 measured\n  zigzag: ",
        r"^lr = 0\.6, above the limit: diverged, x = 5\.76e\+18(.*\n)+?  diverged: .* 2/lambda_max = 0\.4 ",
    ],
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
    "many_starts": [
        r"^a convex bowl: .*\n100 starts, 1 minimum",
        r"^Himmelblau's function, 4 minima: .*\n500 starts, 4 minima; (.*\n){6}\n",
        r"^the six-hump camel: .*\n500 starts, 6 minima; ",
        r"^Rastrigin's function: 121 points found, all of kind minimum$",
        r"^\d\d of 4,096 starts reach the lowest, f = 0; 39 were expected$",
    ],
    "matrix_factorisation": [
        r"always the mean +1\.022$",
        r"users and films +0\.\d+$",
        r"and their 5 traits +0\.4\d+$",
    ],
    "moments": [
        r"^10,000 steps; the data entered through 15 moments of 200,000 rows\n\{'a': 2\.0, 'b': -1\.0, 'c': 0\.5, ",
        r"^a loss of another kind: \d+ steps, 0 moments$",
    ],
    "own_rule": [r"restart +converged_gradient at a minimum"],
    "parabola": [
        r"there the curvature is 2: stable below lr = 1$",
        r"^lr = 0.2 .* 1\.98186  max_steps\n  a step leaves 0\.6000 of the gradient; theory says 0\.6000\n\n",
        r"^lr = 0.02 .* 0\.00550209  max_steps\n.*\n  crawling: .* 486 more steps",
        r"^lr = 0.8 .* 1\.98186  max_steps\n.*\n  zigzag: ",
        r"^lr = 1.01 .* -1\.65698  diverged\n.*\n  diverged: .* 2/lambda_max = 1 at x = 2",
        r"^lr = 0.5 .* 2  converged_gradient\n\n",
        r"^lr = 1.0 .* -1  max_steps\n.*\n  flips: .* x = 5 and x = -1",
    ],
    "pitfalls": [
        r"^Learning rate too high: .*\n  diverged .*\n  diverged: (.*\n)+?  - below .* converged_gradient.* none$",
        r"^Learning rate too low: .*\n  max_steps .*\n  crawling: (.*\n)+?  - larger .* converged_gradient.* none$",
        r"^Local minimum: .*\n  converged_gradient .*\n  local_minimum: (.*\n)+?  - momentum: conv.* f = \d\S*e-1\d;",
        r"^Badly scaled features: .*\n  max_steps (.*\n)+?  scaling: (.*\n)+?  - standardised, .* after \d steps, ",
        r"^Saddle point: .*\n  converged_gradient .*\n  saddle: (.*\n)+?  - second order, newton: .* f = -0\.25;",
    ],
    "bias": [
        r"on a line +converged_gradient at a minimum: .* loss 0\.231$",
        r"on a parabola +converged_gradient at a minimum: .* loss 1\.526$",
        r"with a square .* loss 0\.225;",
    ],
    "epochs_and_batches": [
        r"^batch +30 steps .* 0\.9934$",
        r"^mini-batch, 16 rows +480 steps .* 0\.000\d$",
        r"^stochastic, 1 row +7,680 steps .* 0\.01\d+$",
        r"^stochastic, lr falls +7,680 steps .* 0\.000\d$",
        r"^lr = 0\.0002 .*: crawls$",
        r"^lr = 0\.3 +diverged: ",
    ],
    "maps": [
        r"^  fastest  steps = 20 at lr = 0\.2\d+, beta = 0\.3\d+$",
        r"^x = -1\.3008 is stable up to lr = 0\.1398\nx = 1\.1309 is stable up to lr = 0\.2140$",
        r"^3\d% of the cells reach the left minimum, \d% the right\n3 minima, ",
    ],
    "landscapes": [r"^Run\(converged_gradient, minimum, .*\nRun\(converged_gradient, minimum"],
    "relu_regression": [
        r"^d/dw = .*X\.T @ where\(X @ w > 0, ",
        r"^  10    7\.946    9\.568     0\.0635   7 of 10$",
        r"in the end w = \[ ?8\. 10\.\] after \d+ steps more, converged_gradient$",
    ],
    "remedies": [
        r"local_minimum: This is a worse local minimum, 3\.76897 at x = 5\.976",
        r"^gradient descent +0%   4\.00, 5\.98$",
        r"^noise, fading slowly +[5-9]\d%   0\.00, ",
        r"^lr up to 1\.5, in cycles +[89]\d%   0\.00, ",
        r"^momentum, beta = 0\.9 +[78]\d%   0\.00, 5\.98$",
        r"^20 starts, \d minima(.*\n)+?0 +0 ",
    ],
    "schedules": [
        r"constant .*\n.* last 4,500 steps 0\.2[67]\d, 0\.275 in theory;",
        r"cosine .*\n.* last 100 steps 0\.00\d+$",
        r"signs alone, 1/t +: f = \d",
    ],
    "word_vectors": [
        r"^queen \(royalty\) +((king|prince|princess|duke|duchess)(, |$)){4}",
        r"of the same category for 3[0-3] of 33$",
    ],
    "x_cos_x": [
        r"^from x = 5: converged_gradient at x = 3\.4256, f = 5\.7116\n  local_minimum: ",
        r"^121 starts, 6 minima; 121 converged_gradient$",
        r"^x =    9\.529, f =  -0\.477: from   6\.50 to  12\.50$",
        r"the lowest between 0 and 15 is at x = 9\.529, reached from 6\.5 to 12\.5$",
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
