"""Fits: the certified digits of NIST, the errors of parameters against closed forms, and what is refused."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import curve_fit

import symgd as sg
from symgd import DataError, FormulaError, UsageError
from symgd.cli import main
from symgd.fitting import solve
from symgd.squares import residuals

NIST = Path(__file__).parents[1] / "known" / "nist"
PROBLEMS = json.loads((NIST / "problems.json").read_text())


def digits(found, certified):
    """Count the digits that agree."""
    error = abs(found - certified) / abs(certified)
    return 11.0 if error < 1e-11 else -math.log10(error)


def decay(n=30, noise=0.1):
    rng = np.random.default_rng(1)
    x = np.linspace(0, 4, n)
    return {"x": x, "y": 2 * np.exp(-1.3 * x) + noise * rng.normal(size=n), "s": rng.uniform(0.05, 0.3, n)}


# ---- the reference problems ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["start1", "start2"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_certified_values_from_both_starts(name, start):
    problem = PROBLEMS[name]
    found = sg.fit(problem["model"], NIST / f"{name}.csv", problem["target"], problem[start])
    assert found.ok, found.message
    # Eleven digits are certified, so that ten can agree whatever the eleventh was rounded to.
    for parameter, value in problem["certified"].items():
        assert digits(found.point[parameter], value) >= 10, parameter
    for parameter, value in problem["stderr"].items():
        assert digits(found.stderr[parameter], value) >= 10, parameter
    assert digits(found.rss, problem["rss"]) >= 10
    assert digits(found.rsd, problem["rsd"]) >= 10


@pytest.mark.parametrize("name", ["Misra1a", "DanWood", "Chwirut2", "Rat42", "Nelson"])
def test_certified_values_without_a_start(name):
    problem = PROBLEMS[name]
    found = sg.fit(problem["model"], NIST / f"{name}.csv", problem["target"])
    assert found.ok
    assert min(digits(found.point[k], v) for k, v in problem["certified"].items()) >= 10
    assert "no start was given" in found.message


# ---- against closed forms and other libraries ----------------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(1, 4), st.booleans())
@settings(max_examples=15, deadline=None)
def test_a_linear_model_is_a_linear_regression(seed, n, weighted):
    rng = np.random.default_rng(seed)
    X, y, w = rng.normal(size=(12, n)), rng.normal(size=12), rng.uniform(0.1, 3, 12)
    w = w if weighted else np.ones(12)
    found = sg.fit("X @ b", {"X": X, "y": y}, "y", {"b": rng.normal(size=n)}, weights=w if weighted else None)
    root = np.sqrt(w)[:, None]
    best = np.linalg.lstsq(X * root, y * root[:, 0])[0]
    rss = float(w @ (y - X @ best) ** 2)
    covariance = np.linalg.inv(X.T @ (w[:, None] * X)) * rss / (12 - n)
    # Conditions of such matrices are below 100: all but some digits of sixteen.
    np.testing.assert_allclose(found.point["b"], best, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-9, atol=1e-14)
    assert found.rss == pytest.approx(rss, rel=1e-12)
    assert found.ok


def test_a_straight_line_has_the_statistics_of_linregress():
    data = decay()
    found = sg.fit("a + b*x", data)
    line = stats.linregress(data["x"], data["y"])
    assert found.point["b"] == pytest.approx(line.slope, rel=1e-12)
    assert found.stderr["a"] == pytest.approx(line.intercept_stderr, rel=1e-12)
    assert found.r2 == pytest.approx(line.rvalue**2, rel=1e-12)
    assert found.pvalues["b"] == pytest.approx(line.pvalue, rel=1e-9)
    # Bands by the formula for a line: s*sqrt(1/n + (x - mean)**2/sum of squares).
    x0, mean = 1.7, data["x"].mean()
    width = stats.t(28).ppf(0.975) * found.rsd
    share = 1 / 30 + (x0 - mean) ** 2 / ((data["x"] - mean) ** 2).sum()
    band = found.predict({"x": [x0]}, "confidence")
    assert band.upper[0] - band.value[0] == pytest.approx(width * math.sqrt(share), rel=1e-10)
    wider = found.predict({"x": [x0]}, "prediction")
    assert wider.value[0] - wider.lower[0] == pytest.approx(width * math.sqrt(1 + share), rel=1e-10)
    low, high = found.interval(0.9)["b"]
    assert high - low == pytest.approx(2 * stats.t(28).ppf(0.95) * line.stderr, rel=1e-10)


@pytest.mark.parametrize("absolute", [False, True])
def test_sigma_means_what_it_means_in_scipy(absolute):
    data = decay()
    found = sg.fit(
        "a*exp(-b*x)", data, "y", {"a": 1, "b": 1}, sigma="s", absolute_sigma=absolute
    )  # fmt: skip
    point, covariance = curve_fit(
        lambda x, a, b: a * np.exp(-b * x), data["x"], data["y"], [1, 1], data["s"], absolute, xtol=1e-14, ftol=1e-14
    )
    # SciPy's Jacobian is made of differences, and good to half of the digits.
    np.testing.assert_allclose(found.x, point, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-5)
    same = sg.fit("a*exp(-b*x)", data, "y", {"a": 1, "b": 1}, weights="1/s**2")
    assert same.x == pytest.approx(found.x, rel=1e-12)
    assert same.rss == pytest.approx(found.rss, rel=1e-12)


def test_arrays_of_weights_are_taken_as_columns_are():
    data = decay()
    by_name = sg.fit("a*exp(-b*x)", data, "y", [1, 1], sigma="s")
    given_ = sg.fit("a*exp(-b*x)", {k: data[k] for k in "xy"}, "y", [1, 1], sigma=data["s"])
    assert given_.x.tolist() == by_name.x.tolist()
    left_out = sg.fit("a*exp(-b*x)", data, "y", [1, 1], weights=(np.arange(30) > 4).astype(float))
    fewer = sg.fit("a*exp(-b*x)", {k: v[5:] for k, v in data.items()}, "y", [1, 1])
    assert left_out.dof == fewer.dof == 23
    assert left_out.x == pytest.approx(fewer.x, rel=1e-12)
    assert left_out.r2 == pytest.approx(fewer.r2, rel=1e-12)
    assert left_out.loglik == pytest.approx(fewer.loglik, rel=1e-12)


def test_likelihoods_are_those_of_normal_residuals():
    data = decay()
    found = sg.fit("a*exp(-b*x)", data, "y", [1, 1])
    best = math.sqrt(found.rss / found.n)
    assert found.loglik == pytest.approx(stats.norm(0, best).logpdf(found.residuals).sum(), rel=1e-12)
    assert found.aic == pytest.approx(2 * 3 - 2 * found.loglik)
    assert found.bic == pytest.approx(3 * math.log(30) - 2 * found.loglik)
    absolute = sg.fit("a*exp(-b*x)", data, "y", [1, 1], sigma="s", absolute_sigma=True)
    assert absolute.loglik == pytest.approx(stats.norm(0, data["s"]).logpdf(absolute.residuals).sum(), rel=1e-12)
    assert absolute.aic == pytest.approx(2 * 2 - 2 * absolute.loglik)


@pytest.mark.parametrize("model", ["a*exp(-b*x)", "a*exp(-b*x) - mean(a*exp(-b*x)) + 1"])
def test_the_covariance_of_the_hessian_is_that_of_its_inverse(model):
    data = decay()
    found = sg.fit(model, data, "y", [1, 1], covariance="hessian")
    hessian = sg.Objective(f"sum((y - ({model}))**2)", data, ["a", "b"]).hessian_at(found.point)
    np.testing.assert_allclose(found.covariance, 2 * found.variance * np.linalg.inv(hessian), rtol=1e-9)


def test_the_robust_covariance_is_whites():
    data = decay()
    found = sg.fit("a + b*x", data, covariance="robust")
    X = np.column_stack([np.ones(30), data["x"]])
    inverse = np.linalg.inv(X.T @ X)
    expected = inverse @ (X.T @ (found.residuals[:, None] ** 2 * X)) @ inverse * 30 / 28
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-10)


def test_arrays_of_parameters_have_arrays_of_errors():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    data = {"X": X, "y": X @ [1, 2, 3] + 0.1 * rng.normal(size=40)}
    found = sg.fit("X @ w + b", data)
    assert found.stderr["w"].shape == (3,)
    assert found.names == ("w[0]", "w[1]", "w[2]", "b")
    assert found.interval()["w"][0].shape == (3,)
    assert found.fitted + found.residuals == pytest.approx(data["y"])
    json.dumps(found.to_dict(), allow_nan=False)


def test_targets_may_be_formulas_and_matrices():
    rng = np.random.default_rng(0)
    x = np.arange(1, 9.0)
    data = {"x": x, "y": np.exp(0.3 * x + 0.01 * rng.normal(size=8)), "R": rng.normal(size=(5, 3))}
    found = sg.fit("a*x", data, "log(y)")
    assert found.point["a"] == pytest.approx(x @ np.log(data["y"]) / (x @ x), rel=1e-12)
    matrix = sg.fit("U @ V.T", {"R": data["R"]}, "R", {"U": np.ones((5, 1)), "V": np.ones((3, 1))})
    left = np.linalg.svd(data["R"], compute_uv=False)[1:]
    assert matrix.rss == pytest.approx(left @ left, rel=1e-8)  # Eckart and Young
    assert matrix.fitted.shape == (5, 3)


# ---- trouble -------------------------------------------------------------------------------------------------------


def test_redundant_parameters_have_no_errors_and_are_named():
    found = sg.fit("a*b*exp(-c*x)", decay(), "y", {"a": 1, "b": 1, "c": 1})
    assert not found.ok
    assert found.kind == sg.Kind.DEGENERATE
    assert found.stderr["a"] == found.stderr["b"] == math.inf
    other = sg.fit("a*exp(-c*x)", decay(), "y", {"a": 1, "c": 1})
    # The same curve: that it is written with one parameter more takes no degree of freedom.
    assert found.dof == other.dof == 28
    assert found.stderr["c"] == pytest.approx(other.stderr["c"], rel=1e-6)
    assert "do not change along the direction a - b" in found.message
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["stderr"]["a"] is None
    assert "inf" in found.summary()


def test_a_parameter_that_does_not_matter_is_named():
    found = sg.fit("a*exp(-b*x) + 0*c", decay(), "y", [1, 1, 1])
    assert not found.ok
    assert "do not determine c" in found.message


def test_a_start_outside_of_the_domain_is_left_for_another_or_told():
    data = decay()
    rising = {"x": data["x"], "y": np.log(1.7 * data["x"] + 1) + 0.02 * np.sin(9 * data["x"])}
    found = sg.fit("log(a*x + 1)", rising, "y", {"a": -1})
    assert found.ok
    assert found.point["a"] == pytest.approx(1.7, abs=0.05)
    never = sg.fit("sqrt(-1 - a**2)*x", decay(), "y", {"a": 1})
    assert not never.ok
    assert never.outcome == sg.Outcome.LEFT_DOMAIN
    assert "sqrt(-1 - a**2) is nan where a = 1" in never.message
    assert math.isnan(never.stderr["a"])


def test_an_overflowing_start_is_got_over():
    found = sg.fit("a*exp(b*x)", decay(), "y", {"a": 1, "b": 400})
    assert found.ok
    assert found.point["b"] == pytest.approx(-1.3, abs=0.2)


def test_exact_data_give_no_residuals():
    x = np.arange(10) / 4
    found = sg.fit("a + b*x", {"x": x, "y": 1 + 2 * x}, "y", {"a": 5, "b": 5})
    assert found.ok
    assert found.point == pytest.approx({"a": 1, "b": 2}, rel=1e-15)
    assert found.rss < 1e-28


def test_as_many_rows_as_parameters_leave_no_errors():
    found = sg.fit("a*exp(-b*x)", {"x": [0, 1], "y": [2, 1]}, "y", [1, 1])
    assert found.point == pytest.approx({"a": 2, "b": math.log(2)}, rel=1e-12)
    assert math.isnan(found.stderr["a"])
    assert math.isnan(found.rsd)
    found.summary()


def test_the_same_fit_comes_out_the_same_every_time():
    problem = PROBLEMS["Misra1b"]
    first, second = (sg.fit(problem["model"], NIST / "Misra1b.csv", "y") for _ in "ab")
    assert first.x.tolist() == second.x.tolist()
    assert first.message == second.message


def test_what_was_found_before_ctrl_c_is_kept(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(solve.Search, "_finish", interrupted)
    found = sg.fit("a*exp(-b*x)", decay(), "y", [1, 1])
    assert found.outcome == sg.Outcome.INTERRUPTED
    assert not found.ok
    assert found.point["b"] == pytest.approx(1.3, abs=0.1)


BAD = (
    ({"target": "z"}, DataError, "target='z' is no column of the data; the columns are x, y, s"),
    ({"target": "log(yy)"}, FormulaError, "'yy' is no column of the data"),
    ({"target": 3}, UsageError, "target=3 must be the name of a column"),
    ({"model": "a*exp(-b*xx)"}, UsageError, "'xx' is no column of the data and has no start; did you mean 'x'"),
    ({"model": "a*exp(-b*x"}, FormulaError, "is never closed"),
    ({"model": "2*x"}, UsageError, "nothing to fit"),
    ({"start": {"a": 1, "b": 1, "k": 2}}, UsageError, "'k' is no parameter"),
    ({"start": {"a": "1", "b": 1}}, UsageError, "must be a real number"),
    ({"start": [1]}, UsageError, "1 value for 2 parameters"),
    ({"level": 95}, UsageError, "level=95 must be a probability"),
    ({"covariance": "exact"}, UsageError, "must be one of jacobian, hessian, robust"),
    ({"weights": "w"}, DataError, "weights='w' is no column"),
    ({"weights": "s", "sigma": "s"}, UsageError, "give one"),
    ({"weights": [1, 2, 3]}, DataError, r"weights has the shape \(3,\), and the target \(30,\)"),
    ({"weights": "x - 1"}, DataError, "weights is -1 in row 0; weights are not negative"),
    ({"weights": "0*x"}, DataError, "all weights are 0"),
    ({"sigma": "x"}, DataError, "sigma is 0 in row 0; a standard deviation is positive"),
    ({"absolute_sigma": True}, UsageError, "give sigma"),
    ({"target": "log(y - y)"}, DataError, "is -inf in row 0"),
    ({"data": {"x": [1.0], "y": [2.0]}}, UsageError, "1 row cannot determine 2 parameters"),
    ({"data": {"x": [1.0, 2, 3], "y": [2.0, math.nan, math.nan]}}, DataError, "'y' is nan in row 1, and 1 more row"),
    ({"data": {"x": [1.0, 2, math.inf], "y": [2.0, 1, 1]}}, DataError, "'x' is inf in row 2"),
    ({"data": None}, UsageError, "a fit needs data"),
    ({"data": ("x", "y")}, DataError, "data must be a mapping"),
)


@pytest.mark.parametrize(("changed", "error", "message"), BAD)
def test_what_cannot_be_fitted_is_refused(changed, error, message):
    call = {"model": "a*exp(-b*x)", "data": decay(), "target": "y", "start": {"a": 1, "b": 1}}
    with pytest.raises(error, match=message):
        sg.fit(**(call | changed))


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(UsageError, match="must be the same"):
        sg.fit("a*X", {"X": np.ones((3, 3)), "y": np.ones(3)}, "y", {"a": 1})


def test_predictions_need_the_columns_of_the_model():
    found = sg.fit("a*exp(-b*x)", decay(), "y", [1, 1])
    np.testing.assert_allclose(found.predict({"x": [0.0]}), found.point["a"])
    np.testing.assert_array_equal(found.predict(), found.fitted)
    with pytest.raises(DataError, match="the model reads 'x'"):
        found.predict({"y": [0.0]})
    with pytest.raises(UsageError, match="band='wide' must be"):
        found.predict(band="wide")
    with pytest.raises(UsageError, match="level=2 must be"):
        found.interval(2)


def test_a_constant_is_predicted_for_every_row():
    found = sg.fit("b", decay())
    assert found.point["b"] == pytest.approx(decay()["y"].mean(), rel=1e-13)
    assert found.predict({"x": [1.0, 2.0]}).shape == (2,)
    assert found.fitted.shape == (30,)


# ---- the account ---------------------------------------------------------------------------------------------------


def test_the_summary_is_a_table():
    found = sg.fit("b1*(1 - exp(-b2*x))", NIST / "Misra1a.csv", start={"b1": 500, "b2": 1e-4})
    lines = found.summary().splitlines()
    assert lines[0] == "fitted y = b1*(1 - exp(-b2*x))"
    row = next(line for line in lines if line.startswith("  b1 ")).split()
    assert row[:3] == ["b1", "238.9421292", "2.70701"]
    assert "correlated b1 and b2 -0.99878" in found.summary()
    assert "238.942 ± 2.7" in repr(found)
    assert "<table>" in found._repr_html_()
    assert "b1*(1 - exp(-b2*x))" in found._repr_html_()


def test_the_run_leads_from_the_start_to_the_end():
    found = sg.fit("a*exp(-b*x)", decay(), "y", {"a": 1, "b": 1})
    assert found.run.history["a"][0] == 1
    assert found.run.history["a"][-1] == found.point["a"]
    assert found.run.value == found.rss
    assert found.run.ok
    assert (np.diff(found.run.history.value) <= 1e-12).all()


def test_a_fit_draws_its_descent():
    pytest.importorskip("matplotlib").use("agg")
    axes = sg.fit("a*exp(-b*x)", decay(), "y", {"a": 1, "b": 1}).plot(kind="path")
    assert axes.get_xlabel()


def test_formulas_may_end_in_comments():
    found = sg.fit("a*x + b  # a line", decay(), "y  # measured")
    assert found.x.tolist() == sg.fit("a*x + b", decay()).x.tolist()
    assert found.predict({"x": [0.0]}) == pytest.approx(found.point["b"])


def test_many_rows_are_fitted_in_blocks(monkeypatch, tmp_path):
    data = decay(3000)
    whole = sg.fit("a*exp(-b*x)", data, "y", [1, 1])
    monkeypatch.setattr(residuals, "BLOCK", 1000)
    for name in "xy":
        np.save(tmp_path / f"{name}.npy", data[name])
    stored = {name: str(tmp_path / f"{name}.npy") for name in "xy"}
    for columns in (data, stored):
        parts = sg.fit("a*exp(-b*x)", columns, "y", [1, 1])
        assert parts.ok
        # Other sums of 3,000 terms: the gradient is 0 to some 1e-14 of its terms.
        np.testing.assert_allclose(parts.x, whole.x, rtol=1e-11)
        np.testing.assert_allclose(parts.covariance, whole.covariance, rtol=1e-9)


def test_dataframes_are_data():
    pd = pytest.importorskip("pandas")
    found = sg.fit("a*exp(-b*x)", pd.DataFrame(decay()), "y", [1, 1])
    assert found.x.tolist() == sg.fit("a*exp(-b*x)", decay(), "y", [1, 1]).x.tolist()


# ---- the command line ----------------------------------------------------------------------------------------------


def command(*args):
    return CliRunner().invoke(main, ["fit", *map(str, args)])


def test_the_command_prints_the_table():
    result = command(
        "b1*(1 - exp(-b2*x))", "--data", NIST / "Misra1a.csv", "--target", "y", "--start", "b1=500,b2=0.0001"
    )
    assert result.exit_code == 0
    assert "238.9421292" in result.output


def test_the_command_prints_json():
    result = command("b1 - b2*x1*exp(-b3*x2)", "--data", NIST / "Nelson.csv", "--target", "log(y)",
                     "--start", "b1=2,b2=0.0001,b3=-0.01", "--level", 0.9, "--json")  # fmt: skip
    assert result.exit_code == 0
    found = json.loads(result.output)
    assert digits(found["point"]["b1"], PROBLEMS["Nelson"]["certified"]["b1"]) >= 10
    assert {"point", "stderr", "rss"} <= found.keys()
    assert found["level"] == 0.9


def test_the_exit_code_tells_findings_from_faults():
    assert command("b1*b2*x", "--data", NIST / "Misra1a.csv", "--start", "b1=1,b2=1").exit_code == 1
    fault = command("b1*x", "--data", NIST / "Misra1a.csv", "--target", "z")
    assert fault.exit_code == 2
    assert "--target 'z' is no column" in fault.output
    assert command().exit_code == 2
    weighted = command("b1*x", "--data", NIST / "Misra1a.csv", "--weights", "1/x", "--covariance", "robust", "--json")
    assert weighted.exit_code == 0
