"""Data that enter through their moments: against a hundred digits, and as good as the sum over the rows."""

import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manydigits import DIGITS, Exact, mp

import symgd as sg
from symgd.kernel import moments, streams

EPS = 2.0**-53
# Factors with their derivatives by w and v, and features.
FACTORS = {
    "w": lambda w, v: (w, 1.0, 0.0),
    "v": lambda w, v: (v, 0.0, 1.0),
    "w*v": lambda w, v: (w * v, v, w),
    "w**2": lambda w, v: (w * w, 2 * w, 0.0),
    "exp(v)": lambda w, v: (np.exp(v), 0.0, np.exp(v)),
}
FEATURES = ("1", "x", "x**2", "x**3", "x*z", "sin(x)", "log(z)")


def problem(text, data, start):
    return types.SimpleNamespace(formula=text, name="test", data=data, start=start)


def kernels(text, data, point):
    f = sg.Objective(text, data=data, tier="python")
    model, x = f._at(point)
    whole = f.kernel(model=model)
    return whole, whole.reduced(), x


def errors(text, data, point):
    """Errors of value and gradient by rows and by moments, relative to the exact ones."""
    whole, reduced, x = kernels(text, data, point)
    exact = Exact(problem(text, data, {name: point[name] for name in whole.params}))
    value, gradient = exact.value(x), exact.gradient(x)
    found = []
    for f, g in (whole.slope(x), reduced.slope(x)):
        with mp.workdps(DIGITS):
            lengths = [
                mp.sqrt(sum(v * v for v in vector))
                for vector in (gradient, [a - b for a, b in zip(g, gradient, strict=True)])
            ]
            found.append((float(abs(f - value) / abs(value)), float(lengths[1] / lengths[0])))
    return found


@st.composite
def residuals(draw):
    terms = draw(st.lists(st.tuples(st.sampled_from([*FACTORS]), st.sampled_from(FEATURES)), min_size=1, max_size=4))
    rows = draw(st.integers(1, 25))
    scale, offset = 10.0 ** draw(st.integers(-15, 15)), 10.0 ** draw(st.integers(-3, 10))
    noise = 10.0 ** draw(st.integers(-12, 0))
    seed = draw(st.integers(0, 1000))
    point = {name: draw(st.floats(-3, 3).map(lambda v: round(v, 3))) for name in ("w", "v")}
    weights = draw(st.booleans())
    return terms, rows, scale, offset, noise, seed, point, weights


@settings(max_examples=40, deadline=None)
@given(residuals())
def test_moments_err_by_no_more_than_rounding_of_the_rows(drawn):
    terms, rows, scale, offset, noise, seed, point, weights = drawn
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=rows) + offset, rng.random(rows) + 0.5
    columns = {name: eval(name, {"x": x, "z": z, "sin": np.sin, "log": np.log}) * np.ones(rows) for name in FEATURES}
    known = [FACTORS[factor](point["w"], point["v"]) for factor, _ in terms]
    fitted = sum(known[i][0] * columns[feature] for i, (_, feature) in enumerate(terms))
    size = np.linalg.norm(fitted) / np.sqrt(rows) or 1.0
    s = rng.random(rows) * (rng.random(rows) > 0.3)
    y = (fitted + noise * size * rng.normal(size=rows)) * scale
    inner = " - ".join(["y", *(f"{factor}*{feature}*c" for factor, feature in terms)])
    text = f"sum(s*({inner})**2)" if weights else f"mean(({inner})**2)"
    text += " + 0*w + 0*v"
    data = {"x": x, "y": y, "z": z, "c": scale, "s": s}
    data = {
        name: values
        for name, values in data.items()
        if name in text.replace("sin", "").replace("exp", "").replace("mean", "").replace("sum", "")
    }
    whole, reduced, p = kernels(text, data, point)
    if reduced is None or not all(np.isfinite(whole.slope(p)[1])):
        return
    root = np.sqrt(s) if weights else np.full(rows, 1 / np.sqrt(rows))
    exact = Exact(problem(text, data, {name: point[name] for name in whole.params}))
    value, gradient = exact.value(p), exact.gradient(p)
    lengths = {feature: scale * np.linalg.norm(root * columns[feature]) for _, feature in terms}
    # What rounds in the rows: every product, and the sum of them.
    total = np.linalg.norm(root * y) + sum(abs(k[0]) * lengths[f] for k, (_, f) in zip(known, terms, strict=True))
    residual = float(mp.sqrt(value))
    f, g = reduced.slope(p)
    assert abs(f - value) <= 60 * EPS * (residual * total + EPS * total**2 + float(value))
    for place, name in enumerate(whole.params):
        at = 1 + ("w", "v").index(name)
        slopes = sum(abs(k[at]) * lengths[feature] for k, (_, feature) in zip(known, terms, strict=True))
        assert abs(g[place] - gradient[place]) <= 120 * EPS * slopes * total


CUBIC = "mean((y - (a*x**3 + b*x**2 + c*x + d))**2)"
LINE = "mean((y - (w*x + b))**2)"


@pytest.mark.parametrize("noise", [1.0, 1e-5, 1e-10])
def test_near_a_fit_they_keep_as_many_digits(noise):
    rng = np.random.default_rng(1)
    x = rng.normal(size=200)
    y = 2 * x**3 - x**2 + 0.5 * x + 1 + noise * rng.normal(size=200)
    a, b, c, d = np.polyfit(x, y, 3)
    for point in ({"a": a, "b": b, "c": c, "d": d}, {"a": 2.0, "b": -1.0, "c": 0.5, "d": 1.0}):
        (rows, slope_rows), (value, slope) = errors(CUBIC, {"x": x, "y": y}, point)
        assert value <= 8 * rows + 8 * EPS
        assert slope <= 16 * slope_rows + 8 * EPS


@pytest.mark.parametrize("offset", [1e6, 1e8, 1e10])
def test_data_far_from_0_lose_nothing(offset):
    rng = np.random.default_rng(2)
    x = np.round((offset + rng.normal(size=150)) * 64) / 64
    for a in (0.0, offset, offset + 0.3):
        (_, _), (value, slope) = errors("mean((x - a)**2)", {"x": x}, {"a": a})
        assert value <= 8 * EPS
        assert slope <= 8 * EPS
    y = 3 * (x - offset) + 1 + 0.1 * rng.normal(size=150)
    for w, b in ((3.0, offset), (2.9, offset - 1)):
        (_, _), (value, slope) = errors("mean((y - w*(x - b))**2)", {"x": x, "y": y}, {"w": w, "b": b})
        assert value <= 16 * EPS
        assert slope <= 16 * EPS
    # The rows themselves lose digits here, and at the fit more than moments do.
    slope, height = np.polyfit(x - offset, y, 1)
    for point in ({"w": 0.0, "b": 0.0}, {"w": slope, "b": height - slope * offset}):
        (rows, _), (value, _) = errors(LINE, {"x": x, "y": y}, point)
        assert value <= rows + 16 * EPS


def test_features_that_are_much_alike_lose_no_more_than_rows_do():
    rng = np.random.default_rng(3)
    t = rng.random(150)
    X = np.stack([t**i for i in range(9)], axis=1)
    y = np.sin(3 * t) + 1e-3 * rng.normal(size=150)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    for w in (np.zeros(9), best, best * (1 + 1e-7 * rng.normal(size=9)), rng.normal(size=9)):
        (rows, slope_rows), (value, slope) = errors("mean((y - X @ w)**2)", {"X": X, "y": y}, {"w": w})
        assert value <= rows + 32 * EPS
        assert slope <= slope_rows + 32 * EPS


@pytest.mark.parametrize("text", ["mean((y - (w*x + b))**4)", "mean((y - (w*x + b))**3)", "mean((x - w)**4) + b**2"])
@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_higher_degrees(text, offset):
    rng = np.random.default_rng(4)
    x = rng.normal(size=100)
    data = {"x": x + offset if "y" not in text else x, "y": 2 * x + rng.normal(size=100)}
    data = {name: values for name, values in data.items() if name in text}
    for point in ({"w": offset, "b": 0.0}, {"w": offset + 0.7, "b": 0.3}):
        (rows, slope_rows), (value, slope) = errors(text, data, point)
        assert value <= 4 * rows + 64 * EPS
        assert slope <= 4 * slope_rows + 64 * EPS


def test_products_of_features_that_are_much_alike_keep_their_rows():
    x = np.linspace(0, 1, 50)
    data = {"x": x + 1e7, "y": x}
    assert kernels("mean((y - (w*x + b))**4)", data, {"w": 1.0, "b": 1.0})[1] is None
    assert kernels(LINE, data, {"w": 1.0, "b": 1.0})[1] is not None


@pytest.mark.parametrize("scale", [1e-150, 1e-80, 1e80, 1e150])
def test_any_scale(scale):
    rng = np.random.default_rng(5)
    x = rng.normal(size=60)
    data = {"x": x * scale, "y": (2 * x + 0.1 * rng.normal(size=60)) * scale}
    for point in ({"w": 0.0, "b": 0.0}, {"w": 2.0, "b": scale}):
        whole, reduced, p = kernels(LINE, data, point)
        value = Exact(problem(LINE, data, point)).value(p)
        assert abs(reduced.slope(p)[0] - value) <= 16 * EPS * value
        assert np.allclose(reduced.slope(p)[1], whole.slope(p)[1], rtol=1e-13, atol=1e-323)


def test_weights_may_be_0_or_negative():
    rng = np.random.default_rng(6)
    x, y, s = rng.normal(size=80), rng.normal(size=80), rng.normal(size=80)
    s[::4] = 0.0
    for weights in (np.abs(s), s, np.zeros(80)):
        data = {"x": x, "y": y, "s": weights}
        whole, reduced, p = kernels("sum(s*(y - (w*x + b))**2) + w**2", data, {"w": 0.3, "b": 0.4})
        (f, g), (value, slope) = reduced.slope(p), whole.slope(p)
        assert f == pytest.approx(value, rel=1e-13)
        assert g == pytest.approx(slope, rel=1e-12, abs=1e-12)
        # With roots of the weights it is a sum of squares still.
        assert (reduced.squares() is not None) == bool((weights >= 0).all())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_row_that_is_no_number_is_left_to_the_rows(bad):
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=5000), rng.normal(size=5000)
    y[4321] = bad
    assert kernels(LINE, {"x": x, "y": y}, {"w": 0.0, "b": 0.0})[1] is None
    # Where it does not count, it does not count.
    text = "mean(where(k, (y - (w*x + b))**2, 0))"
    k = np.isfinite(y)
    whole, reduced, p = kernels(text, {"x": x, "y": y, "k": k}, {"w": 0.3, "b": 0.1})
    assert reduced.slope(p)[0] == pytest.approx(whole.slope(p)[0], rel=1e-14)
    f = sg.Objective(LINE, data={"x": x, "y": y})
    assert "row 4,321" in f.minimize({"w": 0, "b": 0}, lr=0.1, steps=10_000).message.replace("4321", "4,321")


def test_one_row_one_parameter_and_no_offset():
    for text, data, point in [
        (LINE, {"x": [2.0], "y": [3.0]}, {"w": 0.5, "b": 1.5}),
        ("mean((y - w)**2)", {"y": [1.0, 2.0, 4.0]}, {"w": 2.5}),
        ("mean((w*x)**2)", {"x": [1.0, 2.0]}, {"w": 2.5}),
        ("sum(w*x) + w**2", {"x": [1.0, 2.0]}, {"w": 2.5}),
        ("mean((1 - w*x)**2)", {"x": [1.0, 2.0]}, {"w": 0.75}),
        ("mean((y - 0*w)**2)", {"y": [1.0, 2.0]}, {"w": 2.5}),
    ]:
        whole, reduced, p = kernels(text, data, point)
        (f, g), (value, slope) = reduced.slope(p), whole.slope(p)
        assert f == pytest.approx(value, rel=1e-14, abs=1e-300)
        assert g == pytest.approx(slope, rel=1e-14, abs=1e-14)
        assert reduced.hessian(p) == pytest.approx(whole.hessian(p), rel=1e-14)


N = 120_000


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(N, 9))
    return {"X": X, "y": X @ np.linspace(-2, 2, 9) + rng.normal(size=N), "s": rng.random(N)}


TEXT = "sum(s*(y - X @ w - b)**2)/sum(s) + mean(y)*mean(X @ w) + 0.1*sum(w**2)"


def bits(data, workers):
    f = sg.Objective(TEXT, data=data, workers=workers, params={"w": (9,), "b": ()})
    return sorted((name, np.asarray(v).tobytes()) for name, v in f.kernel().reduced().data.items() if name[0] == "#")


def test_threads_memory_maps_and_files_give_the_same_bits(many, tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "SMALL", 0)  # so that even these stay on disk
    monkeypatch.setattr(streams, "CHUNK", 1 << 16)
    expected = bits(many, 1)
    assert len(expected) > 5
    assert bits(many, 2) == expected
    assert bits(many, 5) == expected
    for name, values in many.items():
        np.save(tmp_path / f"{name}.npy", values)
    stored = {name: tmp_path / f"{name}.npy" for name in many}
    assert bits(stored, 1) == expected
    assert bits(stored, 3) == expected


@pytest.mark.compiled
def test_compiled_triangles_are_those_of_lapack(many, monkeypatch):
    by_lapack = dict(bits(many, 1))
    monkeypatch.setattr(moments, "NATIVE", 0)
    compiled = bits(many, 1)
    assert bits(many, 3) == compiled
    rows = kernels(TEXT, many, {"w": np.ones(9), "b": 0.5})[0]
    f = sg.Objective(TEXT, data=many, params={"w": (9,), "b": ()})
    x = np.linspace(-1, 1, 10)
    assert f.kernel().reduced().value(x) == pytest.approx(rows.value(x), rel=1e-14)
    for name, found in compiled:
        a, b = (np.abs(np.frombuffer(v)) for v in (found, by_lapack[name]))
        assert np.allclose(a, b, rtol=1e-10, atol=1e-10 * a.max())


@pytest.mark.compiled
@pytest.mark.parametrize("scale", [1e-200, 1e-160, 1.0, 1e160])
def test_compiled_triangles_at_any_scale(scale):
    # Squares of such columns are 0, or infinite.
    room = np.random.default_rng(9).normal(size=(3, 500)) * np.array([[1.0], [scale], [1.0]])
    data = {"x": room[0], "y": room[2], "z": room[1]}
    f = sg.Objective("mean((y - w*x - v*z)**2)", data=data)
    found = {}
    for limit in (0, np.inf):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(moments, "NATIVE", limit)
            f = sg.Objective(f.text, data=data)
            found[limit] = f.kernel().reduced().slope(np.array([0.3, 0.4 / scale]))
    assert found[0][0] == pytest.approx(found[np.inf][0], rel=1e-13)
    assert found[0][1] == pytest.approx(found[np.inf][1], rel=1e-12)


@pytest.mark.compiled
def test_the_compiled_tier_agrees(many):
    w = np.linspace(-1, 2, 10)
    found = []
    for tier in ("python", "numba"):
        f = sg.Objective(TEXT, data=many, tier=tier, params={"w": (9,), "b": ()})
        reduced = f.kernel().reduced()
        found.append((*reduced.slope(w), reduced.product(w, w), reduced.hessian(w)))
        assert found[-1][0] == pytest.approx(f.kernel().value(w), rel=1e-13)
    for a, b in zip(*found, strict=True):
        assert np.allclose(a, b, rtol=1e-13)
