"""Whatever is handed to the public functions: an error of symgd's own, short, and before any work is done."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import symgd as sg

TWO = sg.Objective("x**2 + y")
ONE = sg.Objective("x**2")


class Hostile:
    def __repr__(self):
        raise RuntimeError("no repr")


def damaged(folder, text):
    path = folder / "run.json"
    path.write_text(text)
    return path


CALLS = {
    "flat vectors": [
        lambda: ONE.fun(b"x"), lambda: TWO.fun([1, 2, 3]), lambda: TWO.jac("ab"), lambda: TWO.hess([1]),
        lambda: TWO.hessp([1, 2], [1]), lambda: ONE.fun([10**400]), lambda: ONE.value(b"x"),
        lambda: ONE.value(Hostile()),
    ],
    "callbacks": [lambda: ONE.minimize([1], callback=b"x"), lambda: ONE.minimize([1], callback=0)],
    "schedules": [
        lambda: sg.schedule(None, 0.1), lambda: sg.schedule("inverse", None), lambda: sg.schedule((), 0.1),
        lambda: sg.schedule("inverse", 0.1, decay="a"), lambda: sg.schedule("inverse", math.nan),
        lambda: sg.schedule("cosine", 0.1, steps=0), lambda: ONE.minimize([1], lr="-0.1"),
        lambda: ONE.minimize([1], lr="0"), lambda: sg.Rule("x = x - lr*g", default_lr=None),
    ],
    "files": [
        lambda: ONE.minimize([1]).save(None), lambda: ONE.resume(None), lambda: ONE.resume(b""), lambda: ONE.resume(1),
        lambda: sg.Objective("x", data="\x00"),
    ],
    "objectives": [
        lambda: sg.Objective("x", params=5), lambda: sg.Objective("x", tier=np.array([1, 2])),
        lambda: sg.Objective("x", tier="x" * 100_000), lambda: sg.Objective("x", workers="a"),
        lambda: sg.Objective("x", workers=0), lambda: ONE.lambdify(np.array([1, 2])), lambda: sg.Objective(5),
        lambda: sg.Objective("x + y", data={"y": None}), lambda: sg.Objective("x + y", data={"y": 10**400}),
        lambda: sg.Objective("x + y", data={"y": np.datetime64("2020-01-01")}),
    ],
    "options": [
        lambda: ONE.minimize(None), lambda: ONE.minimize("1"), lambda: ONE.minimize([1], lr=10**400),
        lambda: ONE.minimize([1], gtol=10**400), lambda: ONE.minimize([1], seed=10**400),
        lambda: ONE.minimize([1], method=5), lambda: ONE.minimize([1], method=Hostile()),
        lambda: ONE.minimize([1], steps=Hostile()), lambda: ONE.resume(ONE.minimize([1], lr=0.1, steps=3), steps=-1),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "index"), [(k, i) for k, calls in CALLS.items() for i in range(len(calls))])
def test_misuse_is_answered_by_an_error_of_symgd(kind, index):
    with pytest.raises(sg.SymgdError) as problem:
        CALLS[kind][index]()
    assert len(str(problem.value)) < 400


@pytest.mark.parametrize(
    "text", ["[1]", "[" * 100_000, '{"state": {}, "arrays": []}', '{"state": {"params": null}, "arrays": {}}', ""]
)
def test_damaged_saves_are_refused(text, tmp_path):
    with pytest.raises(sg.SymgdError):
        ONE.resume(damaged(tmp_path, text))


def test_a_truncated_archive_is_refused(tmp_path):
    path = ONE.minimize([1], lr=0.1, steps=3).save(tmp_path / "run.npz")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(sg.DataError, match="is not a saved run"):
        ONE.resume(path, steps=9)


@pytest.mark.parametrize("rule", ["x = x - lr*max(g)", "x = x - lr*mean(g)*logsumexp(g)", "x = x > 0", "x = x - f"])
def test_unusual_rules_run(rule):
    for start in ([1.0, 2.0], np.ones(20)):
        text = " + ".join(f"p{i}**2" for i in range(len(start)))
        runs = [
            sg.Objective(text, tier=t).minimize(start, method=sg.Rule(rule), lr=0.1, steps=3)
            for t in ("python", "numba")
        ]
        assert runs[0].history.point == pytest.approx(runs[1].history.point, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("x**2 + y**2 - 5*relu(minimum(x, y))", [-1, -0.5]), ("x**2 - 10*(x > 0)", [-1]), ("x**2 + floor(x)", [0.5]),
        ("x**2 + sign(x)", [0.5]), ("1e4*x**4 + x**3", [1]), ("1e4*x**4 + x**3", [0]), ("x**6 - 1e-6*x**4", [0]),
        ("(y - x**2)*(y - 3*x**2)", [0, 0]), ("tanh(x)**2", [20]),
    ],
)  # fmt: skip
def test_what_curvature_alone_would_miss(text, start):
    assert not sg.Objective(text).minimize(start=start, method="exact").ok


class Named(NamedTuple):
    b: float
    a: float


def test_labels_say_which_value_is_whose():
    f = sg.Objective("a + 10*b**2")
    record = np.array([(1.0, 2.0)], [("b", float), ("a", float)])[0]
    for point in (pd.Series({"b": 1.0, "a": 2.0}), Named(b=1, a=2), record, {"b": 1, "a": 2}):
        assert f.value(point) == 12
        assert f.minimize(point, lr=1e-9, steps=1).history.point[0].tolist() == [2, 1]
    assert f.value(pd.Series([2.0, 1.0])) == 12  # positions, which are no labels
    frame = pd.DataFrame({"b": [1.0, 5.0], "a": [2.0, 6.0]})
    assert f.minimize_many(frame, lr=1e-9, steps=1, progress=False).starts.tolist() == [[2, 1], [6, 5]]
    for bad, told in (
        (frame, r"a DataFrame holds a point in each row; give one of them: frame\.iloc\[0\]"),
        (pd.Series({"b": 1.0, "c": 2.0}), "'c' is no parameter"), ({1.0, 2.0}, "a set, which has no order"),
    ):  # fmt: skip
        with pytest.raises(sg.UsageError, match=told):
            f.value(bad)
    with pytest.raises(sg.UsageError, match="a vector is read by position"):
        f.fun(pd.Series({"b": 1.0, "a": 2.0}))
    data = {"x": [0, 1, 2.0], "y": [1, 3, 5.0]}
    fit = sg.fit("a + b*x", data, target="y", start=pd.Series({"b": 1.0, "a": 2.0}))
    assert fit.point["b"] == pytest.approx(2)
