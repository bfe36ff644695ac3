"""Arrays of every type, order, stride and alignment, handed to whatever takes them, in every tier: NumPy's answers."""

import tempfile
import warnings
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgd as sg
from symgd.kernel.code.forms import Argument
from symgd.kernel.code.module import Program
from symgd.kernel.machine.compile import compile_function

N, K = 6, 3
DTYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g", ">i2", ">i8", ">f4", ">f8", "O")
RNG = np.random.default_rng(0)
TEXT = "mean((y - X @ w)**2) + sum(w**4)/4 + sum(w[1:]*w[:-1])"


def column(a):
    wide = np.repeat(a[..., None], 3, axis=-1)
    return wide[..., 1]


def odd_bytes(a):
    room = np.zeros(a.nbytes + 3, np.uint8)
    found = room[3:].view() if a.dtype.hasobject else np.ndarray(a.shape, a.dtype, room, offset=3)
    if a.dtype.hasobject:
        return a.copy()
    found[...] = a
    return found


class Sub(np.ndarray):
    """An array that says nothing of itself."""


def mapped(a):
    if a.dtype.hasobject:
        return a
    with tempfile.TemporaryFile() as file:
        found = np.memmap(file, a.dtype, "w+", shape=a.shape)
    found[...] = a
    return found


def matrix(a):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(a) if a.ndim == 2 else a


def frozen(a):
    a = a.copy()
    a.flags.writeable = False
    return a


# Each gives the same numbers, laid out in another way.
LAYOUTS = {
    "as it is": lambda a: a.copy(), "column": column, "reversed": lambda a: a[::-1].copy()[::-1],
    "strided": lambda a: np.repeat(a, 2, axis=0)[::2], "fortran": np.asfortranarray, "odd bytes": odd_bytes,
    "odd bytes, strided": lambda a: odd_bytes(np.repeat(a, 2, axis=0))[::2], "frozen": frozen, "mapped": mapped,
    "subclass": lambda a: a.view(Sub), "masked, nothing": np.ma.array,
    "negative all": lambda a: np.flip(np.flip(a).copy()), "list": lambda a: a.tolist(),
    "matrix": matrix,
    "once for all": lambda a: np.broadcast_to(a[:1], a.shape),
}  # fmt: skip


def numbers(shape, seed=0, low=0):
    return np.random.default_rng(seed).integers(low, 3, shape).astype(float)


def variant(values, dtype, layout):
    array = values.astype(dtype)
    found = LAYOUTS[layout](array)
    return found, np.array(found, dtype=np.float64)


def oracle(X, y, w):
    r = y - X @ w
    shift = np.eye(K, k=1) + np.eye(K, k=-1)
    value = np.mean(r**2) + np.sum(w**4) / 4 + np.sum(w[1:] * w[:-1])
    slope = -2 * X.T @ r / N + w**3 + shift @ w
    return value, slope, 2 * X.T @ X / N + np.diag(3 * w**2) + shift


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def asked(f, w, v):
    """Ask everything that takes a point, in every way that it is given."""
    return {
        "value": [f.value(w=w), f.value({"w": w}), f.value([w]), f.fun(w)],
        "slope": [f.gradient_at(w=w)["w"], f.gradient_at({"w": w})["w"], f.jac(w)],
        "hessian": [f.hessian_at(w=w), f.hess(w)],
        "product": [f.hvp({"w": w}, {"w": v})["w"], f.hvp([w], [v])["w"], f.hessp(w, v)],
        "point": [f.vector({"w": w}), f.vector([w])],
        "start": [f.minimize({"w": w}, lr=1e-3, steps=1).history.point[0], f.maximize([w], steps=1).history.point[0]],
    }


@pytest.fixture(scope="module", params=["python", "numba"])
def tier(request):
    return request.param


@pytest.fixture(scope="module")
def objective(tier):
    return sg.Objective(TEXT, {"X": numbers((N, K)), "y": numbers(N, 1)}, tier=tier, params={"w": K})


@settings(max_examples=40)
@given(*[st.sampled_from(DTYPES), st.sampled_from(sorted(LAYOUTS))] * 2)
def test_points_and_directions(objective, kind, layout, other, order):
    X, y = numbers((N, K)), numbers(N, 1)
    w, plain = variant(numbers(K, 2, 1), kind, layout)
    v, along = variant(numbers(K, 3), other, order)
    value, slope, hessian = oracle(X, y, plain)
    wanted = {"value": value, "slope": slope, "hessian": hessian, "product": hessian @ along, "point": plain,
              "start": plain}  # fmt: skip
    for name, found in asked(objective, w, v).items():
        for each in found:
            close(each, wanted[name])


# What the code is compiled for: a type of each kind, and, where there is time for it, all of them.
FEW = ("?", "i2", "f4", ">f8", "g")


def data_of_any_kind(tier, kind, layout, order):
    X, plain = variant(numbers((N, K)), kind, layout)
    y, target = variant(numbers(N, 1), kind, order)
    f = sg.Objective(TEXT, {"X": X, "y": y}, tier=tier, params={"w": K})
    w = np.array([0.5, -1.0, 2.0])
    value, slope, hessian = oracle(plain, target, w)
    close(f.value(w=w), value)
    close(f.jac(w), slope)
    close(f.hess(w), hessian)
    run = f.minimize({"w": w}, lr=1e-2, batch=N - 1, steps=1, shuffle=False)
    r = target[:-1] - plain[:-1] @ w
    wanted = -2 * plain[:-1].T @ r / (N - 1) + slope + 2 * plain.T @ (target - plain @ w) / N
    close(run.x, w - 1e-2 * wanted)


@settings(max_examples=15)
@given(st.sampled_from(FEW), st.sampled_from(sorted(LAYOUTS)), st.sampled_from(sorted(LAYOUTS)))
def test_data(tier, kind, layout, order):
    data_of_any_kind(tier, kind, layout, order)


@pytest.mark.slow
@settings(max_examples=300)
@given(st.sampled_from(DTYPES), st.sampled_from(sorted(LAYOUTS)), st.sampled_from(sorted(LAYOUTS)))
def test_data_of_all_types(tier, kind, layout, order):
    data_of_any_kind(tier, kind, layout, order)


@settings(max_examples=15)
@given(st.sampled_from(FEW), st.sampled_from(sorted(LAYOUTS)), st.sampled_from(sorted(LAYOUTS)))
def test_large_data_that_are_read_in_place(tier, kind, layout, order):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("symgd.data.owned.COPIED", 8)
        data_of_any_kind(tier, kind, layout, order)


@cache
def cubes(tier, n):
    return sg.Objective(" + ".join(f"{i + 1}*a{i}**3" for i in range(n)), tier=tier)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_numbers_one_by_one(tier, layout):
    """Parameters that are single numbers, given as a vector; sixteen live in registers, and more in memory."""
    for n in (3, 20):
        f = cubes(tier, n)
        scale = np.arange(1.0, n + 1)
        for kind in DTYPES:
            x, plain = variant(numbers(n, 4, 1), kind, layout)
            v, along = variant(numbers(n, 5), kind, layout)
            for found in (f.fun(x), f.value(x)):
                close(found, scale @ plain**3)
            close(f.jac(x), 3 * scale * plain**2)
            close(f.hessp(x, v), 6 * scale * plain * along)
            close(list(f.hvp(x, v).values()), 6 * scale * plain * along)
            close(f.hess(x), np.diag(6 * scale * plain))


@settings(max_examples=8)
@given(st.sampled_from(DTYPES), st.sampled_from(sorted(LAYOUTS)))
def test_starts_and_boxes(objective, kind, layout):
    starts, plain = variant(numbers((4, K), 6), kind, layout)
    for given_ in (starts, {"w": starts}):
        many = objective.minimize_many(given_, lr=1e-3, steps=2, progress=False)
        single = [objective.minimize({"w": w}, lr=1e-3, steps=2).x for w in plain]
        np.testing.assert_allclose(many.points, single, rtol=1e-9, atol=1e-12)
    low, bottom = variant(numbers(K, 7) - (kind[-2:] not in ("u1", "u2", "u4", "u8", "?")), kind, layout)
    many = objective.minimize_many(box={"w": (low, bottom + 2)}, n=4, lr=1e-12, steps=1, progress=False)
    assert (many.starts >= bottom - 1e-9).all()
    assert (many.starts <= bottom + 2 + 1e-9).all()


@settings(max_examples=30)
@given(*[st.sampled_from(DTYPES), st.sampled_from(sorted(LAYOUTS))] * 3)
def test_fits(kind, layout, other, order, third, way):
    base = np.array([0.0, 1, 2, 1, 0, 2])
    x, plain = variant(base, kind, layout)
    y, target = variant(np.array([1.0, 2, 2, 2, 1, 1]), other, order)
    s, sigma = variant(np.array([1.0, 1, 2, 2, 1, 1]), third, way)
    if len(set(plain)) < 2:  # one place: the slope is anybody's
        return
    A = np.stack([np.ones(N), plain], axis=1) / sigma[:, None]
    wanted = np.linalg.lstsq(A, target / sigma, rcond=None)[0]
    fit = sg.fit("a + b*x", {"x": x, "y": y}, target="y", start={"a": 0, "b": 0}, sigma=s)
    close([fit.point["a"], fit.point["b"]], wanted)
    close(fit.predict({"x": x}), wanted[0] + wanted[1] * plain)
    again = sg.fit("a + b*x", {"x": x, "y": y, "s": 1 / sigma**2}, target="y", start={"a": 0, "b": 0}, weights="s")
    close([again.point["a"], again.point["b"]], wanted)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("kind", ["?", ">i8", "f2", "O"])
def test_indices(tier, kind, layout):
    U, (u, plain) = numbers(4, 8), variant(np.array([1.0, 0, 1, 1]), kind, layout)
    chosen = U[plain.astype(bool if kind == "?" else int)]  # truth values pick rows, as in NumPy
    f = sg.Objective("sum(U[u]*w**2)", {"U": U, "u": u}, tier=tier, params=["w"])
    close(f.value(w=3.0), 9 * chosen.sum())
    close(f.jac(column(np.array([3.0]))), 6 * chosen.sum())


REFUSED = (
    np.array([1j, 2, 3]), np.array(["2020-01-01"] * 3, "M8[D]"), np.array([1, 2, 3], "m8[s]"),
    np.array(["a", "b", "c"]),
    np.array([b"a", b"b", b"c"]), np.zeros(3, [("a", float)]), np.ma.array([1.0, 2, 3], mask=[0, 1, 0]),
    np.array([None, {}, print], object), np.zeros(3, "V8"), np.array([10**400, 1, 2], object),
)  # fmt: skip


@pytest.mark.parametrize("bad", REFUSED, ids=lambda a: str(a.dtype))
def test_what_is_no_array_of_real_numbers_is_refused(objective, bad):
    good = np.ones(K)
    starts = np.ma.stack([bad, bad]) if np.ma.isMaskedArray(bad) else np.stack([bad, bad])
    calls = [
        lambda: objective.value(w=bad), lambda: objective.gradient_at(w=bad), lambda: objective.hessian_at({"w": bad}),
        lambda: objective.fun(bad), lambda: objective.jac(bad), lambda: objective.hess(bad),
        lambda: objective.hessp(good, bad), lambda: objective.hessp(bad, good), lambda: objective.hvp([good], [bad]),
        lambda: objective.minimize({"w": bad}, steps=1), lambda: objective.minimize_many(starts),
        lambda: objective.curvature(w=bad), lambda: objective.minimize_many(box={"w": (bad, good)}),
        lambda: sg.Objective("sum(w*x)", {"x": bad}), lambda: sg.minimize_callable(lambda x: 0.0, lambda x: x, bad),
        lambda: sg.fit("a*x", {"x": bad, "y": good}, target="y", start={"a": 1}),
        lambda: sg.fit("a*x", {"x": good, "y": good}, target="y", start={"a": 1}, sigma=bad),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(sg.SymgdError):
            call()


@pytest.mark.parametrize("wrong", [np.ones(K - 1), np.ones(K + 1), np.ones((K, 1)), np.ones((1, K)), np.ones(())])
def test_other_lengths_are_refused(objective, wrong):
    good = np.ones(K)
    for call in (
        lambda: objective.fun(wrong), lambda: objective.jac(wrong), lambda: objective.hess(wrong),
        lambda: objective.hessp(good, wrong), lambda: objective.hessp(wrong, good),
        lambda: objective.hvp([good], [wrong]),
        # With two axes these are points side by side.
        *([lambda: objective.value(w=wrong)] if wrong.ndim < 2 else []),
        lambda: objective.minimize({"w": wrong}, steps=1),
    ):  # fmt: skip
        with pytest.raises(sg.UsageError):
            call()


def test_curvature_of_very_many_parameters_reads_no_foreign_memory(tier):
    n = 700
    x = column(np.ones(n))
    f = sg.Objective("sum((x - 1)**2*arange(1, 701)) + sum((x[1:] - x[:-1])**2)", params={"x": n}, tier=tier)
    found = f.curvature(x=x)
    assert found.kind == "minimum"
    exact = np.linalg.eigvalsh(f.hess(x))
    assert found.eigenvalues[-1] == pytest.approx(exact[-1], rel=1e-6)


# ---- the gate itself ----------------------------------------------------------------------------------------------


def test_nothing_else_passes_the_gate():
    f = sg.Objective(TEXT, {"X": numbers((N, K)), "y": numbers(N, 1)}, tier="numba", params={"w": K})
    program: Program = f.program
    entry = compile_function(program.written.functions, "slope", strict=program.strict)
    kinds = program.function("slope").arguments
    assert Argument("_x", "float64") in kinds
    inputs = f.kernel().inputs("numba")
    x, g = np.ones(K), np.zeros(K)
    entry(x, g, *inputs)
    _, slope, _ = oracle(numbers((N, K)), numbers(N, 1), x)
    close(g, slope)
    for bad in (column(x), x[::-1], x.astype("f4"), x.astype(">f8"), x[:, None], odd_bytes(x), x.astype(int)):
        for args in ((bad, g), (x, bad)):
            with pytest.raises(RuntimeError, match=r"'_\w+' of a compiled function is"):
                entry(*args, *inputs)
    kernel = f.kernel()
    for bad in (np.ones(K + 1), np.ones(K - 1)):
        for name in ("value", "slope", "hessian"):
            with pytest.raises(ValueError, match=r"generated code takes an array of 3 numbers; got the shape"):
                getattr(kernel, name)(bad)
