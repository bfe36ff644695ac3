"""Value and gradient of one formula in symgd, JAX, PyTorch and NumPy, on the same arrays.

No benchmark by itself: the scripts that compare these import it. Everybody computes in float64, may use two processors,
and gets the form that suits it best: symgd its compiled kernel on a flat point, JAX ``jit(value_and_grad(...))`` with
all arrays on its device beforehand, PyTorch the faster of its autograd and of ``torch.compile``, NumPy a gradient
written by hand. Before any of them is timed, all must give the same numbers.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from interleave import PROCESSORS, Row, Skip, clock, compare, ratio_row

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read where NumPy and PyTorch are loaded
    os.environ.setdefault(name, str(PROCESSORS))

import numpy as np  # noqa: E402

from symgd import Objective  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Arrays = Mapping[str, Any]
    Slope = Callable[[], tuple[Any, Sequence[Any]]]

TOLERANCE = 1e-9  # of the largest partial derivative
REPEATS = 11


def symgd_slope(text: str, point: Arrays, data: Arrays) -> Slope:
    """Give symgd's value and gradient, the gradient flat."""
    shapes = {name: np.shape(p) for name, p in point.items()}
    kernel = Objective(text, data=data, params=shapes, tier="numba", workers=PROCESSORS).kernel()
    x = np.concatenate([np.ravel(p) for p in point.values()])

    def slope():
        value, gradient = kernel.slope(x)
        return value, [gradient]

    return slope


def jax_slope(loss: Callable[..., Any], point: Arrays, data: Arrays) -> Slope:
    """Give value and gradient of ``loss(jax, point, data)`` in JAX."""
    try:
        import jax
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from None
    jax.config.update("jax_enable_x64", True)
    run = jax.jit(jax.value_and_grad(lambda p, d: loss(jax, p, d)))
    p, d = ({k: jax.device_put(np.asarray(v)) for k, v in part.items()} for part in (point, data))

    def slope():
        value, gradient = jax.block_until_ready(run(p, d))
        return value, [gradient[name] for name in point]

    return slope


def torch_slopes(loss: Callable[..., Any], point: Arrays, data: Arrays) -> list[Slope]:
    """Give value and gradient of ``loss(torch, point, data)`` in PyTorch, as it stands and compiled."""
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    try:
        import torch
    except ImportError as error:
        raise Skip(f"{error.name} is not installed") from None
    torch.set_num_threads(PROCESSORS)
    p = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in point.items()}
    d = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in data.items()}

    def slope_of(run):
        def slope():
            value = run(p, d)
            return value.detach(), torch.autograd.grad(value, list(p.values()))

        return slope

    def plain(p, d):
        return loss(torch, p, d)

    found = [slope_of(plain)]
    compiled = slope_of(torch.compile(plain))
    try:
        compiled()
    except Exception as error:  # noqa: BLE001  # it needs a compiler, and does not know every version of everything
        print(f"torch.compile: {type(error).__name__}")
    else:
        found.append(compiled)
    return found


def rows(what: str, ours: Slope, peers: Mapping[str, Slope | list[Slope]], targets: Mapping[str, float]) -> list[Row]:
    """Compare symgd with each of its peers, of several forms of one with the fastest."""
    expected = _flat(ours())
    found = []
    for name, forms in peers.items():
        every = forms if isinstance(forms, list) else [forms]
        for form in every:
            _agree(name, expected, _flat(form()))
        best = min(every, key=lambda form: min(clock(form) for _ in range(3)))
        ratio = compare(ours, best, REPEATS)
        found.append(ratio_row(f"{what} / {name}", ratio, targets.get(name)))
    return found


def available(**makers: Callable[[], Any]) -> dict[str, Any]:
    """Give the peers that are installed; without a single one there is nothing to compare."""
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except Skip as missing:
            print(f"without {name}: {missing}")
    if not found:
        raise Skip("no peer is installed")
    return found


def _flat(result: tuple[Any, Sequence[Any]]) -> np.ndarray:
    value, gradient = result
    return np.concatenate([np.ravel(np.asarray(part, dtype=np.float64)) for part in (value, *gradient)])


def _agree(name: str, ours: np.ndarray, peer: np.ndarray) -> None:
    """A benchmark of programs that compute different things would mean nothing."""
    for part in (slice(0, 1), slice(1, None)):
        error, scale = np.abs(ours[part] - peer[part]).max(), np.abs(peer[part]).max()
        if not error <= TOLERANCE * scale:
            raise SystemExit(f"symgd and {name} differ by {error!r}, in numbers as large as {scale!r}")
