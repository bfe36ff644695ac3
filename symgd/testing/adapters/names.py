"""Names that others use: of points, gradients, states, counters and hyperparameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from symgd.checks import is_number

POINTS = frozenset(
    [
        "x",
        "w",
        "theta",
        "p",
        "param",
        "params",
        "parameter",
        "parameters",
        "weights",
        "point",
        "position",
        "xk",
        "x_t",
        "xt",
        "variables",
        "vars",
        "x0",
        "weight",
    ]
)
GRADIENTS = frozenset(
    [
        "g",
        "grad",
        "grads",
        "gradient",
        "gradients",
        "dx",
        "dw",
        "df",
        "jac",
        "gt",
        "g_t",
        "gk",
        "grad_x",
        "nabla",
        "dtheta",
        "updates",
        "grad_fn",
        "gradient_fn",
        "jacobian",
        "fprime",
        "df_dx",
    ]
)
STATES = frozenset(["state", "s", "st", "memory", "mem", "cache", "opt_state", "states", "buffers", "slots", "aux"])
COUNTS = frozenset(
    [
        "t",
        "k",
        "i",
        "it",
        "iteration",
        "iter",
        "step",
        "epoch",
        "count",
        "iterations",
        "step_num",
        "n_iter",
        "num_steps_taken",
    ]
)
VALUES = frozenset(["f", "value", "loss", "fx", "fval"])
FUNCTIONS = frozenset(["fun", "func", "f", "function", "objective", "fn", "cost", "loss", "loss_fn", "value_fn"])
LIMITS = ("maxiter", "max_iter", "steps", "n_iter", "iterations", "niter", "num_steps", "max_steps", "n_steps",
          "max_iterations", "iters", "num_iterations", "maxit", "epochs", "n_iterations", "max_iters")  # fmt: skip

# What hyperparameters are called elsewhere, by the names of the table.
_HYPER = {
    "lr": "lr learning_rate step_size stepsize eta rate learningrate lrate step_length init_value",
    "beta": "beta momentum mu mom",
    "beta1": "beta1 b1 beta_1 rho1",
    "beta2": "beta2 b2 beta_2 rho2",
    "eps": "eps epsilon delta tiny",
    "decay": "decay weight_decay wd weightdecay l2",
    "rho": "rho",
}
OURS = {name: ours for ours, theirs in _HYPER.items() for name in theirs.split()}
OURS |= {"α": "lr", "η": "lr", "μ": "beta", "β": "beta", "β1": "beta1", "β2": "beta2", "ε": "eps"}


# Hyperparameters that are called otherwise, by method: where a name means two things, the method says which.
_BY_METHOD = {
    "rmsprop": {"beta": "alpha rho decay gamma discounting_factor beta_2 b2 beta2 beta", "momentum": "momentum"},
    "adadelta": {"rho": "rho decay gamma beta"},
    "asgd": {"decay": "lambd"},
    "nadam": {"psi": "momentum_decay"},
    "rprop": {"largest": "step_max max_step", "smallest": "step_min min_step", "up": "eta_plus", "down": "eta_minus"},
    "momentum": {"beta": "momentum beta mu mom gamma"},
    "nesterov": {"beta": "momentum beta mu mom gamma"},
}


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Give what of somebody's settings is a number.

    Parameters
    ----------
    values : mapping of str to object
        As somebody's code has them; ``betas=(0.9, 0.999)`` are two.

    Returns
    -------
    dict of str to float

    Examples
    --------
    >>> numbers({"lr": 0.1, "betas": (0.9, 0.999), "foreach": None})
    {'lr': 0.1, 'beta1': 0.9, 'beta2': 0.999}
    """
    found: dict[str, float] = {}
    for name, value in values.items():
        if name == "betas" and isinstance(value, tuple | list) and len(value) >= 2:
            found |= {f"beta{i}": float(b) for i, b in enumerate(value, 1)}
        elif is_number(value) and not isinstance(value, bool | np.bool_):
            found[name] = float(value)
    return found


def translated(method: str, hyper: Iterable[str], values: Mapping[str, float]) -> dict[str, float]:
    """Give a form's hyperparameters as far as somebody's settings say them.

    Parameters
    ----------
    method : str
        The method it is a form of.
    hyper : iterable of str
        The names of its hyperparameters.
    values : mapping of str to float
        Settings by somebody's names.

    Returns
    -------
    dict of str to float

    Examples
    --------
    >>> translated("rmsprop", ["beta", "eps"], {"alpha": 0.99, "momentum": 0.0, "epsilon": 1e-8})
    {'beta': 0.99, 'eps': 1e-08}
    """
    own = _BY_METHOD.get(method, {})
    found: dict[str, float] = {}
    for name in hyper:
        theirs = [*own[name].split(), name] if name in own else [name, *_HYPER.get(name, "").split()]
        value = next((values[other] for other in theirs if other in values), None)
        if value is not None:
            found[name] = value
    return found
