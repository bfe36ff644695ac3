"""Rows that count and rows that do not, weights, and data of any size."""

import math

import numpy as np
import pytest

import symgd as sg
from symgd import DataError

X = np.linspace(0, 3, 12)
Y = 2 * np.exp(-X) + 0.1 * np.random.default_rng(0).normal(size=12) * (1 + X)
MODEL, START = "a*exp(-b*x)", {"a": 1, "b": 1}


@pytest.mark.parametrize("covariance", ["jacobian", "hessian", "robust"])
def test_rows_of_weight_0_do_not_count_whatever_is_in_them(covariance):
    alone = sg.fit(MODEL, {"x": X, "y": Y}, "y", START, covariance=covariance)
    more = {"x": np.r_[X, [np.nan, 5, np.inf]], "y": np.r_[Y, [1, np.nan, -np.inf]], "w": np.r_[np.ones(12), 0, 0, 0]}
    with_more = sg.fit(MODEL, more, "y", START, weights="w", covariance=covariance)
    assert with_more.ok
    assert with_more.x == pytest.approx(alone.x, rel=1e-13)
    assert list(with_more.stderr.values()) == pytest.approx(list(alone.stderr.values()), rel=1e-9)
    assert (with_more.n, with_more.dof) == (alone.n, alone.dof)
    assert with_more.r2 == pytest.approx(alone.r2, rel=1e-12)
    assert with_more.loglik == pytest.approx(alone.loglik, rel=1e-12)
    assert len(with_more.residuals) == 15


def test_robust_errors_are_those_of_the_rows_that_count():
    weights = np.r_[np.ones(12), np.zeros(12)]
    data = {"x": np.r_[X, X + 9], "y": np.r_[Y, 0 * Y + 5]}
    found = sg.fit(MODEL, data, "y", START, weights=weights, covariance="robust")
    a, b = found.x
    J = np.stack([np.exp(-b * X), -a * X * np.exp(-b * X)], 1)
    r, C = Y - a * np.exp(-b * X), np.linalg.inv(J.T @ J)
    expected = np.sqrt(np.diag(C @ (J.T * r**2) @ J @ C * 12 / 10))
    assert list(found.stderr.values()) == pytest.approx(expected, rel=1e-9)


def test_a_model_that_reads_all_rows_reads_those_of_weight_0_too():
    weights = np.r_[np.ones(11), 0]
    found = sg.fit("a*(x - mean(x)) + b", {"x": X, "y": Y}, "y", weights=weights)
    line = np.polyfit(X[:11] - X.mean(), Y[:11], 1)
    assert found.x == pytest.approx(line, rel=1e-10)
    with pytest.raises(DataError, match="'y' is nan in row 11"):
        sg.fit("a*(x - mean(x)) + b", {"x": X, "y": np.r_[Y[:11], np.nan]}, "y", weights=weights)


def test_single_values_of_a_matrix_may_be_left_out():
    R = np.outer([1.0, 2, 3, 4], [1, 2, 3.0])
    weights = np.ones((4, 3))
    weights[1, 1] = 0
    R[1, 1] = np.nan
    found = sg.fit("U @ V.T", {"R": R}, "R", {"U": np.ones((4, 1)), "V": np.ones((3, 1))}, weights=weights)
    assert found.rss < 1e-25
    assert found.fitted[1, 1] == pytest.approx(4, rel=1e-10)


def test_what_is_not_finite_in_a_row_that_counts_is_refused():
    with pytest.raises(DataError, match="'y' is nan in row 2; leave such rows out, or give them the weight 0"):
        sg.fit("a*x", {"x": X, "y": np.where(np.arange(12) == 2, np.nan, Y)})
    with pytest.raises(DataError, match="is nan in row 3"):
        sg.fit("a*x", {"x": X, "y": Y}, sigma=np.where(np.arange(12) == 3, np.nan, 1.0))


# ---- sizes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e-80, 1e80, 1e160, 1e200])
@pytest.mark.parametrize("given", ["y", "sigma", "weights"])
def test_data_and_weights_of_any_size_give_the_same_fit(size, given):
    plain = sg.fit(MODEL, {"x": X, "y": Y}, "y", START, sigma=np.ones(12))
    y, start, unit = Y, START, 1.0
    if given == "y":
        y, start, unit = Y * size, {"a": size, "b": 1}, size
    options = {} if given == "y" else {given: np.full(12, size)}
    found = sg.fit(MODEL, {"x": X, "y": y}, "y", start, **options)
    assert found.ok
    assert found.x / [unit, 1] == pytest.approx(plain.x, rel=1e-10)
    assert np.array(list(found.stderr.values())) / [unit, 1] == pytest.approx(list(plain.stderr.values()), rel=1e-8)
    assert found.r2 == pytest.approx(plain.r2, rel=1e-10)
    assert found.correlation[0, 1] == pytest.approx(plain.correlation[0, 1], rel=1e-8)
    if given != "weights":  # of residuals times a number, the likelihood is off by n times its logarithm
        shift = math.log(size) * 12 * (1 if given == "y" else 0)
        assert found.loglik + shift == pytest.approx(plain.loglik, rel=1e-9)


@pytest.mark.parametrize("size", [1e-160, 1e-20, 1e20, 1e160])
def test_absolute_errors_of_any_size(size):
    plain = sg.fit(MODEL, {"x": X, "y": Y}, "y", START, sigma=np.ones(12), absolute_sigma=True)
    found = sg.fit(MODEL, {"x": X, "y": Y}, "y", START, sigma=np.full(12, size), absolute_sigma=True)
    assert np.array(list(found.stderr.values())) / size == pytest.approx(list(plain.stderr.values()), rel=1e-8)


def test_columns_of_any_size():
    plain = sg.fit(MODEL, {"x": X, "y": Y})
    for size in (1e-200, 1e200):
        found = sg.fit(MODEL, {"x": X * size, "y": Y})
        assert found.ok
        assert found.point["b"] * size == pytest.approx(plain.point["b"], rel=1e-8)
        assert found.stderr["b"] * size == pytest.approx(plain.stderr["b"], rel=1e-6)


def test_bands_stay_where_some_parameters_are_not_determined():
    found = sg.fit("a*exp(-b*x) + 0*c", {"x": X, "y": Y}, "y", [1, 1, 1])
    same = sg.fit(MODEL, {"x": X, "y": Y}, "y", START)
    band, other = (fit.predict({"x": [1.0]}, "prediction") for fit in (found, same))
    assert band.upper == pytest.approx(other.upper, rel=1e-9)


# ---- names of columns ----------------------------------------------------------------------------------------------


def test_columns_of_any_name_are_written_in_backquotes(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"frequency (Hz)": X, "I [mA]": Y, "größe": X})
    plain = sg.fit(MODEL, {"x": X, "y": Y})
    frame.to_csv(tmp_path / "data.csv", index=False)
    for data in (frame, tmp_path / "data.csv"):
        for target in ("I [mA]", "`I [mA]`"):
            found = sg.fit("a*exp(-b*`frequency (Hz)`)", data, target)
            assert found.x == pytest.approx(plain.x, rel=1e-9)
    assert sg.fit("a*exp(-b*`größe`)", frame, "I [mA]").x == pytest.approx(plain.x, rel=1e-9)


@pytest.mark.parametrize(
    "model", ["a*frequency (Hz) + b", "a*Hz + b", "a*größe + b", "a*x 1 + b", "a*class + b", "a*other + b"]
)
def test_columns_that_need_backquotes_are_told(model):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"frequency (Hz)": X, "y": Y, "größe": X, "x 1": X, "class": X})
    with pytest.raises((sg.FormulaError, sg.UsageError), match="rename"):
        sg.fit(model, frame, "y", {"a": 1, "b": 0})


def test_the_cell_of_a_frame_that_is_no_number_is_named():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": [1.0, 2, "n.d.", 4], "y": [1.0, 2, 3, 4]})
    with pytest.raises(DataError, match=r"'x' must hold numbers; row 2 has 'n\.d\.'"):
        sg.fit("a*x", frame)


# ---- fixed parameters ----------------------------------------------------------------------------------------------


def test_fixed_parameters_are_numbers_of_the_model():
    data = {"x": X, "y": Y}
    found = sg.fit("a*exp(-b*x) + c", data, start={"a": 1, "b": 1}, fixed={"c": 0.1})
    same = sg.fit("a*exp(-b*x) + 0.1", data, start={"a": 1, "b": 1})
    assert found.x == pytest.approx(same.x, rel=1e-12)
    assert found.dof == same.dof
    assert list(found.stderr) == ["a", "b"]
    assert found.predict({"x": [0.5]}) == pytest.approx(same.predict({"x": [0.5]}), rel=1e-12)
    assert found.to_dict()["fixed"] == {"c": 0.1}
    assert "fixed      c = 0.1" in found.summary()


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"k": 1}, "fixed names 'k', which is no parameter of the model; its parameters are a, b"),
        ({"x": 1}, "fixed names 'x', which is a column of the data"),
        ({"a": 1}, "'a' is fixed and has a start as well"),
        ({"b": "1"}, "fixed\\['b'\\]='1' must be a number that the parameter keeps"),
        (3, "fixed=3 must be a mapping of parameters to numbers"),
    ],
)
def test_what_cannot_be_fixed_is_refused(fixed, message):
    with pytest.raises(sg.UsageError, match=message):
        sg.fit(MODEL, {"x": X, "y": Y}, start={"a": 1}, fixed=fixed)
    with pytest.raises(sg.UsageError, match=r"every name in .* is a column of the data or fixed"):
        sg.fit(MODEL, {"x": X, "y": Y}, fixed={"a": 1, "b": 1})
