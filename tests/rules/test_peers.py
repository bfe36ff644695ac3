"""Update rules beside PyTorch's and optax's of the same name: equal, or different in just what the table says.

Their paths are recorded in ``tests/known/rule_paths.json`` (``python tests/rules/test_peers.py`` writes it, where both
are installed), so that the comparison is made everywhere; where they are installed, the record is checked as well.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import symgd as sg
from symgd.rules import RULES

PATHS = Path(__file__).parents[1] / "known" / "rule_paths.json"
CURVATURE = np.array([[3.0, 1.0], [1.0, 2.0]])
TEXT = "(3*a**2 + 2*a*b + 2*b**2)/2"
START = np.array([1.5, -0.7])
LR, STEPS = 0.05, 40

# For each rule, what theirs is in our words: our own row, or the rule that the table's note describes.
ADAM = "m = b1*m + (1 - b1)*g; v = b2*v + (1 - b2)*g**2; "
NUMBERS = {"b1": 0.9, "b2": 0.999, "eps": 1e-8}
GROWING = "q = b1*(1 - 0.5*0.96**(t*psi)); n = b1*(1 - 0.5*0.96**((t + 1)*psi)); p = p*q; "
TORCH = {
    **{name: name for name in ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw",
                               "amsgrad", "rprop")},
    "nadam": sg.Rule(
        GROWING + ADAM + "x = x - lr*(n*m/(1 - p*n) + (1 - q)*g/(1 - p))/(sqrt(v/(1 - b2**t)) + eps)",
        init={"p": "1"}, psi=0.004, **NUMBERS,
    ),
}  # fmt: skip
OPTAX = {
    **{name: name for name in ("gd", "momentum", "nesterov", "adadelta", "adam", "nadam", "signgd")},
    "adagrad": sg.Rule("s = s + g**2; x = x - lr*g/sqrt(s + eps)", init={"s": "0.1"}, eps=1e-7),
    "rmsprop": sg.Rule("s = beta*s + (1 - beta)*g**2; x = x - lr*g/sqrt(s + eps)", beta=0.9, eps=1e-8),
    "adamw": ("adamw", {"decay": 1e-4}),
    "lion": ("lion", {"decay": 1e-3}),
    "amsgrad": sg.Rule(
        ADAM + "u = maximum(u, v/(1 - b2**t)); x = x - lr*(m/(1 - b1**t))/(sqrt(u) + eps)", **NUMBERS
    ),
    "rprop": sg.Rule(
        "k = g*p; s = where(k == 0, s, minimum(maximum(s*where(k > 0, up, down), smallest), largest)); "
        "x = x - where(k < 0, 0, p); p = where(k < 0, 0, s*sign(g))",
        init={"s": "lr"}, up=1.2, down=0.5, largest=50.0, smallest=1e-6,
    ),
}  # fmt: skip
PEERS = {"torch": TORCH, "optax": OPTAX}
CASES = [(peer, name) for peer, rules in PEERS.items() for name in rules]


def torch_path(name):
    """PyTorch's optimizer, with the defaults that it has itself."""
    import torch

    o = torch.optim
    made = {
        "gd": lambda p: o.SGD(p, LR), "momentum": lambda p: o.SGD(p, LR, momentum=0.9),
        "nesterov": lambda p: o.SGD(p, LR, momentum=0.9, nesterov=True), "adagrad": lambda p: o.Adagrad(p, LR),
        "rmsprop": lambda p: o.RMSprop(p, LR), "adadelta": lambda p: o.Adadelta(p, LR), "adam": lambda p: o.Adam(p, LR),
        "adamw": lambda p: o.AdamW(p, LR), "amsgrad": lambda p: o.Adam(p, LR, amsgrad=True),
        "nadam": lambda p: o.NAdam(p, LR), "rprop": lambda p: o.Rprop(p, LR),
    }  # fmt: skip
    x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer, path = made[name]([x]), [START.tolist()]
    for _ in range(STEPS):
        optimizer.zero_grad()
        (0.5 * x @ torch.tensor(CURVATURE) @ x).backward()
        optimizer.step()
        path.append(x.detach().numpy().tolist())
    return path


def optax_path(name):
    """The same of optax."""
    import jax
    import optax as o

    jax.config.update("jax_enable_x64", True)
    made = {
        "gd": o.sgd, "momentum": lambda lr: o.sgd(lr, momentum=0.9),
        "nesterov": lambda lr: o.sgd(lr, momentum=0.9, nesterov=True), "adagrad": o.adagrad, "rmsprop": o.rmsprop,
        "adadelta": o.adadelta, "adam": o.adam, "adamw": o.adamw, "amsgrad": o.amsgrad, "nadam": o.nadam,
        "lion": o.lion, "rprop": o.rprop, "signgd": o.sign_sgd,
    }  # fmt: skip
    optimizer, x = made[name](LR), jax.numpy.array(START)
    state, path = optimizer.init(x), [START.tolist()]
    for _ in range(STEPS):
        updates, state = optimizer.update(jax.numpy.array(CURVATURE) @ x, state, x)
        x = o.apply_updates(x, updates)
        path.append(np.asarray(x).tolist())
    return path


LIVE = {"torch": torch_path, "optax": optax_path}


@pytest.mark.parametrize(("peer", "name"), CASES)
def test_a_rule_is_theirs_or_differs_in_what_the_table_says(peer, name):
    theirs = np.array(json.loads(PATHS.read_text())[peer][name])
    rule = PEERS[peer][name]
    method, numbers = rule if isinstance(rule, tuple) else (rule, {})
    f = sg.Objective(TEXT, tier="python")
    ours = f.minimize(START, method=method, lr=LR, steps=STEPS, **numbers).history.point
    # The order of operations differs; the products of momenta of PyTorch's NAdam are single precision.
    tolerance = 1e-8 if (peer, name) == ("torch", "nadam") else 1e-12
    assert ours == pytest.approx(theirs, rel=tolerance, abs=tolerance)
    note = getattr(RULES[name], peer)
    assert note
    if rule != name:  # the difference is told, and there is one
        assert ":" in note
        plain = f.minimize(START, method=name, lr=LR, steps=STEPS).history.point
        assert np.abs(plain - theirs).max() > 1e-6


@pytest.mark.parametrize(("peer", "name"), CASES)
def test_the_record_is_what_they_do(peer, name):
    pytest.importorskip(peer, reason=f"{peer} is not installed: the recorded path alone is compared")
    theirs = np.array(json.loads(PATHS.read_text())[peer][name])
    assert np.array(LIVE[peer](name)) == pytest.approx(theirs, rel=1e-12, abs=1e-12)


def test_every_rule_says_what_others_call_it():
    for peer, rules in PEERS.items():
        named = {name for name, row in RULES.items() if getattr(row, peer)} - {"noisy"}
        assert named == set(rules)


def test_the_noise_is_that_of_the_paper():
    # Neelakantan et al. 2015, equation 1: a variance of eta/(1 + t)**0.55 with t from 0, and 0.01 the smallest eta.
    flat = sg.Objective("0*a + 0*b", tier="python")
    moved = []
    for seed in range(400):
        path = flat.minimize([0.0, 0.0], method="noisy", lr=1.0, steps=4, seed=seed).history.point
        moved.append(np.diff(path, axis=0))
    found = np.std(np.array(moved), axis=(0, 2))
    expected = 0.1 / np.arange(1, 5) ** 0.275
    # 800 draws each: five standard errors of a standard deviation.
    assert found == pytest.approx(expected, rel=5 / np.sqrt(2 * 800))


def test_step_sizes_of_rprop_stay_within_their_bounds_from_the_start():
    run = sg.Objective("a**2", tier="python").minimize([1e4], method="rprop", lr=1000.0, steps=1)
    assert run.history["a"].tolist() == [1e4, 1e4 - 50.0]


if __name__ == "__main__":
    paths = {peer: {name: LIVE[peer](name) for name in rules} for peer, rules in PEERS.items()}
    text = json.dumps(paths).replace('": {', '": {\n').replace(']], "', ']],\n"')
    sys.stdout.write(f"{PATHS}: {PATHS.write_text(text + chr(10))} characters\n")
