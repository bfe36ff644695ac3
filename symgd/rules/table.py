"""The update rules that have names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from symgd.records import dataclass


@dataclass(frozen=True)
class Row:
    """One row of the table of update rules.

    Parameters
    ----------
    text : str
        The recurrence.
    summary : str
        What it is for, and its source.
    hyper : dict
        Default hyperparameters.
    init : dict
        States that do not start at 0, as formulas of ``x`` and ``lr``.
    lr : float or str
        The learning rate that is taken when none is given; ``"auto"`` for one read off the curvature.
    torch, optax : str
        What PyTorch and optax call it, and after a colon in what theirs differs, with the numbers of ours; empty where
        they have none.
    """

    text: str
    summary: str
    hyper: Mapping[str, float] = field(default_factory=dict)
    init: Mapping[str, str] = field(default_factory=dict)
    lr: float | str = "auto"
    torch: str = ""
    optax: str = ""


_MOMENTS = "m = beta1*m + (1 - beta1)*g; v = beta2*v + (1 - beta2)*g**2; "
_ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}

# ITEM's A_{k+1} of A_k, which a state holds.
_ITEM = "((1 + q)*a + 2*(1 + sqrt((1 + a)*(1 + q*a))))/(1 - q)**2"

RULES: dict[str, Row] = {
    "gd": Row(
        "x = x - lr*g",
        "gradient descent (Cauchy 1847)",
        torch="SGD",
        optax="sgd",
    ),
    "momentum": Row(
        "v = beta*v - lr*g; x = x + v",
        "heavy ball: a velocity that builds up along the valley (Polyak 1964)",
        {"beta": 0.9},
        torch="SGD with momentum: a new rate counts for the whole velocity, not for what is added from then on",
        optax="sgd with momentum: as PyTorch's",
    ),
    "nesterov": Row(
        "v = beta*v + g; x = x - lr*(g + beta*v)",
        "Nesterov's momentum in the form of Sutskever et al. 2013",
        {"beta": 0.9},
        torch="SGD with nesterov",
        optax="sgd with nesterov",
    ),
    "nesterov_convex": Row(
        "z = x - lr*g; x = z + (t - 1)/(t + 2)*(z - y); y = z",
        "Nesterov's momentum for convex objectives, growing with t (Nesterov 1983; Su, Boyd and Candes 2016)",
        init={"y": "x"},
    ),
    "fista": Row(
        "z = x - lr*g; u = (1 + sqrt(4*s**2 + 1))/2; x = z + (s - 1)/u*(z - y); y = z; s = u",
        "the same with the weights of Beck and Teboulle 2009",
        init={"y": "x", "s": "1"},
    ),
    "ogm": Row(
        "z = x - lr*g; u = (1 + sqrt(where(t < last, 4, 8)*s**2 + 1))/2; "
        "x = z + (s - 1)/u*(z - y) + s/u*(z - x); y = z; s = u",
        "the optimized gradient method, best for `last` steps on convex objectives (Kim and Fessler 2016)",
        {"last": 1e9},
        {"y": "x", "s": "1"},
    ),
    "triple": Row(
        "r = 1 - sqrt(q); a = (1 + r**2/(2 - r))*z - r**2/(2 - r)*y - lr*(1 + r)*g; "
        "x = a + r**2/((1 + r)*(2 - r))*(a - z); y = z; z = a",
        "the triple momentum method, for a known q = mu/L and lr = 1/L (Van Scoy, Freeman and Lynch 2018)",
        {"q": 0.01},
        {"y": "x", "z": "x"},
    ),
    "item": Row(  # A_k is cut off where only its ratio to the next one matters any more
        f"b = {_ITEM}; d = ((1 - q)**2*b - (1 + q)*a)/(2*(1 + q + q*a)); z = z - q*d*(z - x) - lr*d*g; "
        f"y = x - lr*g; a = minimum(b, 1e100); b = {_ITEM}; x = z + a/((1 - q)*b)*(y - z)",
        "the information-theoretic exact method, for a known q = mu/L and lr = 1/L (Taylor and Drori 2022)",
        {"q": 0.01},
        {"z": "x"},
    ),
    "adagrad": Row(
        "s = s + g**2; x = x - lr*g/(sqrt(s) + eps)",
        "steps shrink with the sum of squared gradients, each parameter its own (Duchi et al. 2011)",
        {"eps": 1e-10},
        lr=0.1,
        torch="Adagrad: lr=0.01 by default",
        optax="adagrad: sums start at 0.1, and eps=1e-7 stands under the root",
    ),
    "rmsprop": Row(
        "s = beta*s + (1 - beta)*g**2; x = x - lr*g/(sqrt(s) + eps)",
        "Adagrad with a fading memory (Hinton, lecture 6e, 2012)",
        {"beta": 0.99, "eps": 1e-8},
        lr=0.01,
        torch="RMSprop",
        optax="rmsprop: decay=0.9, and eps stands under the root",
    ),
    "adadelta": Row(
        "s = rho*s + (1 - rho)*g**2; d = g*sqrt(u + eps)/sqrt(s + eps); u = rho*u + (1 - rho)*d**2; x = x - lr*d",
        "steps in the units of the parameters (Zeiler 2012, algorithm 1)",
        {"rho": 0.9, "eps": 1e-6},
        lr=1.0,
        torch="Adadelta",
        optax="adadelta",
    ),
    "adam": Row(
        _MOMENTS + "x = x - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps)",
        "momentum over RMSProp, both corrected for their start at 0 (Kingma and Ba 2015, algorithm 1)",
        _ADAM,
        lr=0.01,
        torch="Adam: lr=0.001 by default",
        optax="adam",
    ),
    "adamw": Row(
        _MOMENTS + "x = x - lr*((m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps) + decay*x)",
        "Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2)",
        {**_ADAM, "decay": 0.01},
        lr=0.01,
        torch="AdamW: lr=0.001 by default",
        optax="adamw: weight_decay=1e-4",
    ),
    "amsgrad": Row(
        _MOMENTS + "u = maximum(u, v); x = x - lr*(m/(1 - beta1**t))/(sqrt(u/(1 - beta2**t)) + eps)",
        "Adam whose steps never grow again (Reddi et al. 2018)",
        _ADAM,
        lr=0.01,
        torch="Adam with amsgrad: lr=0.001 by default",
        optax="amsgrad: the largest is taken of the corrected averages",
    ),
    "nadam": Row(
        _MOMENTS
        + "d = beta1*m/(1 - beta1**(t + 1)) + (1 - beta1)*g/(1 - beta1**t); "
        + "x = x - lr*d/(sqrt(v/(1 - beta2**t)) + eps)",
        "Adam with Nesterov's look ahead (Dozat 2016)",
        _ADAM,
        lr=0.01,
        torch="NAdam: its momentum grows from step to step (momentum_decay=0.004), lr=0.002 by default",
        optax="nadam",
    ),
    "lion": Row(
        "x = x - lr*(sign(beta1*m + (1 - beta1)*g) + decay*x); m = beta2*m + (1 - beta2)*g",
        "the sign of a momentum (Chen et al. 2023, algorithm 2)",
        {"beta1": 0.9, "beta2": 0.99, "decay": 0.0},
        lr=0.001,
        optax="lion: weight_decay=1e-3, which moves the minimum",
    ),
    "rprop": Row(
        "s = minimum(maximum(s*where(g*p > 0, up, where(g*p < 0, down, 1)), smallest), largest); "
        "p = where(g*p < 0, 0, g); x = x - s*sign(p)",
        "a step of its own for each parameter, from signs alone (Riedmiller and Braun 1993, iRprop-)",
        {"up": 1.2, "down": 0.5, "largest": 50.0, "smallest": 1e-6},
        {"s": "lr"},
        lr=0.01,
        torch="Rprop",
        optax="rprop: each step is the one that was due a step earlier",
    ),
    "signgd": Row(
        "x = x - lr*sign(g)",
        "steps of one size, from signs alone",
        lr=0.001,
        optax="sign_sgd",
    ),
    "noisy": Row(
        "x = x - lr*(g + noise/t**0.275*normal())",
        "gradient descent with fading noise, which leaves saddles and shallow minima (Neelakantan et al. 2015)",
        {"noise": 0.1},
        lr=0.01,
        optax="noisy_sgd: its eta is the square of noise",
    ),
}
