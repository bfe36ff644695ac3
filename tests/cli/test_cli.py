"""The command line: what it prints, and where, and the code with which it leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import symgd
from symgd.cli import main

ROOT = Path(__file__).parents[2]
BOWL = "0.2*x1**2 + x2**2"
DANWOOD = str(ROOT / "tests" / "known" / "nist" / "DanWood.csv")


def call(*arguments):
    return CliRunner().invoke(main, list(arguments), prog_name="symgd")


def ask(*arguments, code=0):
    """The one JSON object that a command prints."""
    done = call(*arguments[:1], "--json", *arguments[1:])
    assert done.exit_code == code, done.output
    assert done.stderr == ""
    return json.loads(done.stdout)  # fails if there is anything else


def fails(*arguments):
    """What a faulty call says on stderr."""
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    return done.stderr


def process(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "symgd", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, **options
    )


# ---- a run -----------------------------------------------------------------------------------------------------------


def test_minimize_prints_the_account():
    done = call("minimize", BOWL, "--start", "x1=9,x2=-3", "--lr", "0.2", "--steps", "100")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"minimized {BOWL}\n")
    assert "100 of gd" in done.stdout
    assert done.stderr == ""


def test_json_has_the_keys_that_machines_rely_on():
    account = ask("minimize", BOWL, "--start", "x1=9,x2=-3", "--lr", "0.2", "--steps", "250")
    assert {"point", "value", "outcome", "steps", "gradient_norm", "diagnosis"} <= set(account)
    assert account["outcome"] == "converged_gradient"
    assert account["steps"] == 250
    # each step multiplies x1 by 1 - 0.2*0.4; floating point adds at most two roundings
    assert account["point"]["x1"] == pytest.approx(9 * 0.92**250, rel=500 * 1.2e-16)


def test_maximize_goes_up():
    account = ask("maximize", "-x**2 + 4*x", "--start", "x=-1")
    assert account["maximized"]
    assert account["point"]["x"] == pytest.approx(2, abs=1e-8)  # gtol over the curvature


@pytest.mark.parametrize(
    "start",
    [
        ("--start", "-1.5,2e-1"),
        ("--start=-1.5,.2",),
        ("--start", "x=-1.5,y=0.2"),
        ("--start", "x = -1.5", "--start", "y = 2E-1"),
        ("--start", "x=-3/2,y=1/5"),
    ],
)
def test_start_may_be_written_in_many_ways(start):
    account = ask("minimize", "x**2 + y**2", *start, "--lr", "0.1", "--steps", "1", "--trace")
    assert account["trace"][0]["point"] == {"x": -1.5, "y": 0.2}


@pytest.mark.parametrize(
    "arguments",
    [
        ("-x**2", "--start", "1"),
        ("--start", "-1", "-x**2"),
        ("--start", "-1", "--", "-x**2"),
        ("-h*x + h**2 + x**2", "--start", "1,1"),
        ("-lr_*2 + lr_**2", "--start", "1"),
    ],
)
def test_a_formula_may_begin_with_a_minus(arguments):
    assert ask("minimize", "--lr", "0.1", "--steps", "2", *arguments)["steps"] == 2


def test_data_and_numbers():
    model = ("mean((y - b1*x**b2)**2)", "--data", DANWOOD)
    account = ask("minimize", *model, "--start", "b1=1,b2=5")
    assert account["point"]["b1"] == pytest.approx(0.76886226176, rel=1e-6)  # NIST; the run stops at gtol
    assert ask("minimize", "(x - a)**2", "--set", "a=3", "--start", "1")["point"]["x"] == pytest.approx(3, abs=1e-8)


def test_own_rule_is_the_built_in_one():
    start = ("minimize", BOWL, "--start", "9,-3", "--lr", "0.05", "--steps", "50")
    own = ask(*start, "--rule", "v = beta*v - lr*g; x = x + v", "--hyper", "beta=0.8")
    assert own["point"] == ask(*start, "--method", "momentum", "--hyper", "beta=0.8")["point"]


def test_learning_rates():
    start = ("minimize", BOWL, "--start", "9,-3", "--steps", "5")
    by_name = ask(*start, "--lr", "0.1", "--schedule", "inverse:decay=0.5")
    assert by_name["point"] == ask(*start, "--lr", "0.1/(1 + 0.5*(t - 1))")["point"]
    assert "exact steps" in ask("minimize", BOWL, "--start", "9,-3", "--lr", "auto")["method"]


def test_params_give_the_order():
    account = ask("minimize", "a**2 + 2*b**2", "--params", "b,a", "--start", "1,2", "--lr", "0.1", "--steps", "1")
    assert account["point"] == pytest.approx({"b": 0.6, "a": 1.6}, rel=1e-15)


def test_trace_shows_every_nth_step_and_the_last():
    done = call("minimize", "x**2", "--start", "8", "--lr", "0.25", "--steps", "7", "--trace", "3")
    table = [line.split() for line in done.stdout.split("\n\n")[0].splitlines()]
    assert table[0] == ["step", "value", "|gradient|", "x"]
    assert [row[0] for row in table[1:]] == ["0", "3", "6", "7"]
    assert table[2][1:] == ["1", "2", "1"]


def test_trace_chooses_about_twenty_steps():
    done = call("minimize", "--trace", "x**2", "--start", "8", "--lr", "0.1", "--steps", "1000")
    rows = done.stdout.split("\n\n")[0].splitlines()[1:]
    assert len(rows) == 21
    assert rows[-1].split()[0] == "1000"


def test_quiet_prints_a_point_that_start_takes():
    done = call("minimize", BOWL, "--start", "9,-3", "--lr", "0.2", "--steps", "3", "--quiet")
    account = ask("minimize", BOWL, "--start", done.stdout.strip(), "--lr", "0.2", "--steps", "3")
    assert account["point"] == ask("minimize", BOWL, "--start", "9,-3", "--lr", "0.2", "--steps", "6")["point"]


@pytest.mark.parametrize("suffix", ["npz", "json"])
def test_a_saved_run_goes_on(tmp_path, suffix):
    start = ("minimize", BOWL, "--start", "9,-3", "--lr", "0.2")
    saved = str(tmp_path / f"run.{suffix}")
    assert ask(*start, "--steps", "10", "--save", saved)["save"] == saved
    resumed = ask("minimize", "--resume", saved, "--steps", "30")
    assert resumed["steps"] == 30
    assert resumed["point"] == ask(*start, "--steps", "30")["point"]
    assert "symgd minimize; call that" in fails("maximize", "--resume", saved)
    assert "--lr is settled by the saved run" in fails("minimize", "--resume", saved, "--lr", "1")


def test_a_saved_run_with_data_wants_them_again(tmp_path):
    saved = str(tmp_path / "run.npz")
    model = ("mean((y - w*x)**2)", "--data", DANWOOD)
    ask("minimize", *model, "--start", "1", "--lr", "0.1", "--steps", "3", "--save", saved)
    assert "the saved run has data for 'y'; give them again by --data" in fails("minimize", "--resume", saved)
    assert ask("minimize", "--resume", saved, "--steps", "5", "--data", DANWOOD)["steps"] == 5


# ---- exit codes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "outcome", "code"),
    [
        (("x**2", "--start", "1"), "converged_gradient", 0),
        (("x**2", "--start", "1", "--lr", "0.1", "--steps", "3"), "max_steps", 0),
        (("x**2", "--start", "1", "--lr", "1e-9"), "max_steps", 1),
        (("x**4 + y**2", "--start", "9,1", "--steps", "3"), "max_steps", 1),
        (("x**2", "--start", "1", "--lr", "1.1", "--steps", "50"), "diverged", 1),
        (("log(x) + x", "--start", "1", "--lr", "0.5"), "left_domain", 1),
        (("x**2 - y**2", "--start", "1,0", "--lr", "0.1"), "converged_gradient", 1),  # a saddle
        (("x**2", "--start", "1", "--lr", "1e-9", "--steps", "1e9", "--seconds", "0"), "time_limit", 1),
    ],
)
def test_exit_code_tells_a_good_answer_from_a_finding(arguments, outcome, code):
    assert ask("minimize", *arguments, code=code)["outcome"] == outcome


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("minimize", "x + sinn(y)"),
            "unknown function 'sinn' at column 5\n  x + sinn(y)\n      ^^^^\ndid you mean 'sin'?",
        ),
        (
            ("minimize", "x**2 + y"),
            'no value for the parameters x, y; try:\n  symgd minimize "x**2 + y" --start x=1,y=1',
        ),
        (("minimize", "x**2 + y", "--start", "y=4"), 'parameter x; try:\n  symgd minimize "x**2 + y" --start x=1,y=4'),
        (("minimize", "x**2", "--start", "x=1,z=2"), "'z' is no parameter of the formula; the parameters are x"),
        (("minimize", "x**2", "--start", "1,2"), "the point has 2 values for 1 parameter: x"),
        (
            ("minimize", "x + y", "--start", "x=1,2"),
            "--start must give all values by name, or all by position; got both",
        ),
        (("minimize", "x**2", "--start", "x=1,x=2"), "--start gives 'x' twice"),
        (("minimize", "w**2", "--start", "w=[0,0,0]"), "the objective must be one number, but this has the shape (3,)"),
        (("minimize", "sum(w)", "--start", "w=[0,0"), "--start w=[0,0: a list must be written as [1,2,3]"),
        (("minimize", "sum(w)", "--start", "w=[0,one]"), "--start w=one: the value must be a number"),
        (("minimize", "sum(w)", "--start", "w=[[1,2],[3]]"), "must be real numbers, in an array of one shape"),
        (("minimize", "sum(w)", "--start", "w=zeros()"), "--start w=zeros(): the value must be a number"),
        (("minimize", "sum(w)", "--start", "w=normal(99999,99999)"), "give the lengths of the axes"),
        (("minimize", "sum(w)", "--start", "w=ones(2)/0"), "ones(2)/0: division by zero"),
        (("minimize", "sum(w)", "--start", "w=normal(2)", "--seed", "-1"), "--seed -1 must be a whole number"),
        (("minimize", "sum(w)", "--start", "nowhere.json"), "there is no file 'nowhere.json'"),
        (("minimize", "sum(w)", "--start", "nowhere.npz"), "there is no file 'nowhere.npz'"),
        (("minimize", "sum(w)", "--start", "w=nowhere.npy"), "nowhere.npy'"),
        (
            ("minimize", "sum(w)", "--start", "1", "--start", "w.npz"),
            "all values by name, or all by position; got both",
        ),
        (
            ("minimize", "sum(x[1:]*x[:-1]) + b", "--start", "b=2"),
            "no value for the parameter x; try:\n  symgd minimize \"sum(x[1:]*x[:-1]) + b\" --start 'x=zeros(3),b=2'",
        ),
        (("minimize", "x**2", "--start", "1", "--no-shuffle"), "shuffle is for batches; give --batch"),
        (("minimize", "x**2", "--start", "1", "--batch", "2"), "--batch 2 needs data with rows"),
        (("minimize", "x**2", "--start", "1", "--epochs", "0"), "--epochs 0 must be a whole number of at least 1"),
        (("minimize", "x**2", "--start", "1", "--epochs", "2", "--steps", "2"), "give one of them"),
        (("minimize", "mean(x*w)", "--data", DANWOOD, "--data", DANWOOD), "--data gives 'y' twice"),
        (("minimize", "mean(x*w)", "--data", f"x={DANWOOD}"), "'x' must hold numbers, or be the path of a .npy file"),
        (("minimize", "x**2", "--start", "x=one"), "--start x=one: the value must be a number; unknown name 'one'"),
        (("minimize", "x**2", "--start", "x=1e999"), "x=inf must be finite"),
        (("minimize", "x**2", "--start", "1", "--lr", "-1"), "--lr -1.0 must be a positive number"),
        (("minimize", "x**2", "--start", "1", "--lr", "0.1/(1 + q)"), "unknown name 'q' at column 10"),
        (("minimize", "x**2", "--start", "1", "--steps", "1.5"), "--steps 1.5 must be a whole number"),
        (("minimize", "x**2", "--start", "1", "--method", "adamm"), "did you mean 'adam'?"),
        (("minimize", "x**2", "--start", "1", "--hyper", "beta=1"), "gd has no hyperparameter 'beta'"),
        (("minimize", "x**2", "--start", "1", "--hyper", "beta"), "--hyper beta must be name=value"),
        (("minimize", "x**2", "--start", "1", "--rule", "x = x - lr*g", "--method", "gd"), "give one of the two"),
        (("minimize", "x**2", "--start", "1", "--rule", "x = x - b*g"), "give it a value: --hyper b=0.9"),
        (
            ("minimize", "x**2", "--start", "1", "--rule", "x = x - text*g", "--hyper", "text=1"),
            "cannot be called 'text'",
        ),
        (("minimize", "x**2", "--start", "1", "--schedule", "cosine"), "--schedule needs a number that it starts from"),
        (("minimize", "x**2", "--start", "1", "--lr", "1", "--schedule", "cosin"), "did you mean 'cosine'?"),
        (("minimize", "x**2", "--start", "1", "--lr", "1", "--schedule", "cosine:3"), "takes its numbers by name"),
        (("minimize", "x**2", "--start", "1", "--trace=-2"), "--trace -2 must be a whole number of at least 1"),
        (("minimize", "x**2", "--start", "1", "--save", "run.txt"), "--save run.txt must end in .npz or .json"),
        (("minimize", "x**2", "--start", "1", "--save", "nowhere/run.npz"), "there is no folder 'nowhere'"),
        (("minimize", "x**2", "--start", "1", "--plot", "run.gif"), "'run.gif' must end in .png, .svg or .pdf"),
        (("minimize", "x**2", "--start", "1", "--plot", "nowhere/run.png"), "there is no folder 'nowhere'"),
        (("fit", "a*x", "--data", "none.csv", "--plot", "fit.gif"), "'fit.gif' must end in .png, .svg or .pdf"),
        (("minimize", "x**2", "--start", "1", "--tier", "gpu"), "tier='gpu' must be one of"),
        (("minimize", "mean(x*w)", "--data", "nowhere.csv"), "there is no file 'nowhere.csv'"),
        (("minimize", "(x - a)**2", "--set", "3"), "--set takes name=value"),
        (("minimize", "mean(x*w)", "--data", DANWOOD, "--set", "x=3"), "--set x: the data have a column of that name"),
        (("minimize", "--resume", "nowhere.npz"), "there is no file 'nowhere.npz'"),
        (("minimize",), "there is no formula"),
        (("minimize", "x**2", "--strat", "1"), "No such option '--strat'"),
        (("minimize", "x**2", "-start", "1"), "Did you mean '--start'?"),
        (("minimise", "x**2"), "No such command 'minimise'"),
        (("derive", "x*y", "--data-names", "x", "--set", "y=1"), "give it without --data and --set"),
        (("derive", "mean(x*w)", "--data-names", "x", "--at", "w=1"), "--at needs values of x; give --data"),
        (("derive", "x*y", "--at", "x=1"), "no value for y"),
        (("derive", "sum(w**2)", "--shape", "w=3,w=4"), "--shape gives 'w' twice"),
        (("derive", "sum(w**2)", "--shape", "w"), "--shape w must be name=length or name=length x length"),
        (("derive", "sum(w**2)", "--shape", "w=0"), "--shape w=0 must be name=length"),
        (("derive", "sum(w**2)", "--shape", "v=3"), "'v' is no parameter of the formula"),
        (("derive", "sum(w**2)", "--shape", "w=3", "--at", "w=[1,2]"), "'w' has the shape (2,) here, and (3,)"),
        (("derive", "var(w)"), "'w' may be a number or an array, and var(w) depends on it; give the shapes of all"),
        (("derive", "x**2", "y"), "unexpected extra argument (y): put the formula in quotes"),
        (("check", "x**2", "2*x"), "derivatives are given by --grad 'w=2*w'"),
        (("gradient", "x**2"), "No such command 'gradient'. Did you mean 'derive'?"),
        (("derive", "sum(x[1:]*x[:-1])"), "'x' is an array whose shape is not known; give the shapes of all arrays:"),
        (
            ("derive", "sum((X @ w)**2)", "--data-names", "X", "--shape", "X=9x3,w=4"),
            "'X' with shape (9, 3) and 'w' with shape (4,) cannot be multiplied by '@'",
        ),
    ],
)
def test_a_faulty_call_says_what_to_do(arguments, message):
    assert message in fails(*arguments)
    error = ask(*arguments, code=2)["error"]
    assert error["type"] in ("FormulaError", "ShapeError", "UsageError", "DataError")
    assert error["message"]


def test_json_error_of_a_formula_has_its_place():
    error = ask("derive", "x +\n sinn(y)", code=2)["error"]
    assert (error["type"], error["line"], error["column"]) == ("FormulaError", 2, 2)
    assert error["formula"][error["start"] : error["end"]] == "sinn"
    assert error["hint"] == "did you mean 'sin'?"


def test_nothing_is_done_when_the_picture_cannot_be_written(tmp_path):
    saved = tmp_path / "run.npz"
    fails("minimize", "x**2", "--start", "1", "--save", str(saved), "--plot", str(tmp_path / "run.gif"))
    assert not saved.exists()


# ---- arrays and batches ----------------------------------------------------------------------------------------------


LOGISTIC = "mean(softplus(X @ w) - y*(X @ w))"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Twelve rows of three features and a label each, in all the ways in which they can be given."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 3))
    y = (X @ [1, -2, 0.5] + rng.normal(size=12) > 0).astype(float)
    np.savez(folder / "data.npz", X=X, y=y)
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)
    (folder / "y.csv").write_text("y\n" + "\n".join(map(str, y)))
    return folder, X, y


def logistic(files, *arguments):
    return ("minimize", LOGISTIC, "--data", str(files[0] / "data.npz"), *arguments)


def test_batches_are_those_of_python(files):
    _, X, y = files
    account = ask(
        *logistic(files, "--start", "w=[0,0,0]", "--batch", "5", "--epochs", "3", "--lr", "0.5", "--seed", "7")
    )
    run = symgd.Objective(LOGISTIC, data={"X": X, "y": y}).minimize(
        {"w": np.zeros(3)}, batch=5, epochs=3, lr=0.5, seed=7
    )
    assert account["point"] == {"w": run.point["w"].tolist()}
    assert (account["steps"], account["epochs"], account["batch"]) == (9, 3.0, 5)


def test_seed_and_no_shuffle_choose_the_order_of_the_rows(files):
    start = logistic(files, "--start", "w=[0,0,0]", "--batch", "5", "--epochs", "2", "--lr", "0.5")
    points = [ask(*start, *more)["point"]["w"] for more in ((), ("--seed", "0"), ("--seed", "1"), ("--no-shuffle",))]
    assert points[0] == points[1]
    assert len({tuple(point) for point in points}) == 3
    assert points[3] == ask(*start, "--no-shuffle", "--seed", "1")["point"]["w"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--batch", "5", "--epochs", "2"), 0),  # the epochs that were asked for
        (("--batch", "5", "--steps", "4"), 0),
        (("--epochs", "4", "--lr", "0.1"), 0),  # without a batch, an epoch is a step
        (("--batch", "5"), 1),  # it stopped after the epochs that are taken when none were asked for
        (("--batch", "5", "--epochs", "2", "--gtol", "1e-9"), 1),
        (("--epochs", "2"), 1),  # exact steps that have not converged
    ],
)
def test_exit_code_of_batches(files, arguments, code):
    assert ask(*logistic(files, "--start", "w=[0,0,0]", *arguments), code=code)["outcome"] == "max_steps"


@pytest.mark.parametrize("data", [("X=X.npy", "y=y.npy"), ("X.npy", "y.npy"), ("X.npy", "y.csv")])
def test_data_from_several_files(files, data, monkeypatch):
    monkeypatch.chdir(files[0])
    arguments = [part for path in data for part in ("--data", path)]
    found = ask("derive", LOGISTIC, *arguments)
    assert found["gradient"] == {"w": "X.T @ (sigmoid(X @ w) - y)/len(X)"}
    assert found["shapes"] == {"w": [3]}


def test_arrays_on_disk_are_read_in_place(files, monkeypatch):
    monkeypatch.chdir(files[0])
    stored = ("minimize", LOGISTIC, "--data", "X=X.npy", "--data", "y=y.npy")
    start = ("--start", "w=zeros(3)", "--lr", "0.5", "--steps", "5")
    # Other code adds the rows up in another order.
    expected = ask(*logistic(files, *start))["point"]["w"]
    assert ask(*stored, *start)["point"]["w"] == pytest.approx(expected, rel=1e-13)


def test_set_takes_lists():
    account = ask(
        "minimize", "x @ A @ x/2 - b @ x", "--set", "A=[[2,1],[1,3]]", "--set", "b=[1,2]", "--start", "x=[0,0]"
    )
    assert account["point"]["x"] == pytest.approx(np.linalg.solve([[2, 1], [1, 3]], [1, 2]), abs=1e-8)  # gtol


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1,-2,3e1]", [1, -2, 30]),
        ("[ .5, pi/4, 1/3 ]", [0.5, np.pi / 4, 1 / 3]),
        ("[[1,2],[.5,4]]", [[1, 2], [0.5, 4]]),
        ("zeros(2)", [0, 0]),
        ("0.5*ones(1,2)", [[0.5, 0.5]]),
        ("ones((2, 1))/4", [[0.25], [0.25]]),
        ("normal(2,3)", np.random.default_rng(5).normal(size=(2, 3)).tolist()),
        ("1/3*normal(2)/sqrt(2)", None),
    ],
)
def test_start_of_an_array_may_be_written_in_many_ways(text, value):
    call = ("minimize", "sum(w**2)", "--start", f"w={text}", "--seed", "5", "--lr", "0.1", "--steps", "1", "--trace")
    if value is None:
        assert "must be a number" in fails(*call)  # one factor, or one divisor, is a number
    else:
        assert ask(*call)["trace"][0]["point"]["w"] == value


def test_arrays_are_drawn_one_after_the_other():
    call = ("minimize", "sum(w**2) + sum(v**2)", "--lr", "0.1", "--steps", "1", "--trace")
    rng = np.random.default_rng(0)
    expected = {"w": rng.normal(size=2).tolist(), "v": (0.1 * rng.normal(size=(1, 2))).tolist()}
    assert ask(*call, "--start", "w=normal(2)", "--start", "v=0.1*normal(1,2)")["trace"][0]["point"] == expected


def test_positions_may_be_lists():
    account = ask("minimize", "a*sum(w**2) + a**2", "--start", "2,[1,3]", "--lr", "0.1", "--steps", "1", "--trace")
    assert account["trace"][0]["point"] == {"a": 2.0, "w": [1.0, 3.0]}


def test_start_from_files(tmp_path):
    call = ("minimize", "sum(w**2) + b**2", "--lr", "0.1", "--steps", "1")
    point = {"w": [1.0, 2.0], "b": 3.0}
    np.savez(tmp_path / "start.npz", **point)
    np.save(tmp_path / "w.npy", point["w"])
    (tmp_path / "start.json").write_text(json.dumps(point))
    starts = [(f"{tmp_path}/start.npz",), (f"{tmp_path}/start.json",), (f"w={tmp_path}/w.npy,b=3",)]
    for start in starts:
        assert ask(*call, "--start", *start, "--trace")["trace"][0]["point"] == point
    for name in ("saved.npz", "saved.json"):  # where a run ended, another may begin
        ended = ask(*call, "--start", "w=[1,2],b=3", "--save", f"{tmp_path}/{name}")["point"]
        assert ask(*call, "--start", f"{tmp_path}/{name}", "--trace")["trace"][0]["point"] == ended
    (tmp_path / "account.json").write_text(json.dumps({"point": point, "value": 1}))
    assert ask(*call, "--start", f"{tmp_path}/account.json", "--trace")["trace"][0]["point"] == point
    (tmp_path / "w.npz").write_bytes((tmp_path / "start.npz").read_bytes())
    assert "--start gives 'w' twice" in fails(*call, "--start", f"{tmp_path}/w.npz", "--start", "w=[0,0]")
    (tmp_path / "list.json").write_text("[1, 2]")
    assert "must hold an object of names and values" in fails(*call, "--start", f"{tmp_path}/list.json")
    (tmp_path / "text.json").write_text("w")
    assert "cannot be read as JSON" in fails(*call, "--start", f"{tmp_path}/text.json")


def test_missing_start_is_proposed_with_its_shape(files):
    said = fails(*logistic(files))
    assert f"--data {files[0]}/data.npz --start 'w=zeros(3)'" in said


def test_trace_of_batches_is_one_line_an_epoch(files):
    start = logistic(files, "--start", "w=[0,0,0]", "--batch", "5", "--epochs", "4", "--lr", "0.5")
    table = [line.split() for line in call(*start, "--trace").stdout.split("\n\n")[0].splitlines()]
    assert table[0] == ["step", "epoch", "value", "|gradient|", "w[0]", "w[1]", "w[2]"]
    assert [row[:2] for row in table[1:]] == [["0", "0"], ["3", "1"], ["6", "2"], ["9", "3"], ["12", "4"]]
    second = ask(*start, "--trace", "2")["trace"]
    assert [row["epoch"] for row in second] == [0.0, 2.0, 4.0]
    assert second[0]["value"] == pytest.approx(np.log(2), rel=1e-15)  # of all rows, not of a batch


def test_large_arrays_are_short_for_people_and_whole_for_machines():
    start = ("minimize", "sum(w**2)", "--start", "w=ones(40,50)", "--lr", "0.25", "--steps", "1")
    done = call(*start, "--trace")
    assert "w = array of 40 x 50, from 0.5 to 0.5" in done.stdout
    told = [line for line in done.stdout.splitlines() if not line.lstrip().startswith("finding")]
    assert max(map(len, told)) < 100
    assert ask(*start)["point"]["w"] == [[0.5] * 50] * 40
    many = ("minimize", "sum(w**2)", "--start", "w=ones(80,80)", "--lr", "0.25", "--steps", "1", "--trace")
    assert [set(row) for row in ask(*many)["trace"]] == [{"step", "value", "gradient_norm"}] * 2


def test_quiet_prints_arrays_that_start_takes(files):
    point = call(*logistic(files, "--start", "w=[0,0,0]", "--lr", "0.5", "--steps", "3", "--quiet")).stdout.strip()
    assert point.startswith("w=[")
    account = ask(*logistic(files, "--start", point, "--lr", "0.5", "--steps", "3"))
    assert account["point"] == ask(*logistic(files, "--start", "w=[0,0,0]", "--lr", "0.5", "--steps", "6"))["point"]


def test_a_saved_run_in_batches_goes_on(files, tmp_path):
    start = logistic(files, "--start", "w=[0,0,0]", "--batch", "5", "--lr", "0.5")
    saved = str(tmp_path / "run.json")
    ask(*start, "--epochs", "2", "--save", saved)
    data = ("--data", str(files[0] / "data.npz"))
    resumed = ask("minimize", "--resume", saved, "--epochs", "4", *data)
    assert resumed["steps"] == 12
    assert resumed["point"] == ask(*start, "--epochs", "4")["point"]
    assert "give one of them" in fails("minimize", "--resume", saved, "--epochs", "4", "--steps", "9", *data)
    assert "--no-shuffle is settled by the saved run" in fails("minimize", "--resume", saved, "--no-shuffle")


def test_derive_of_arrays_prints_numpy_text():
    model = ("derive", LOGISTIC, "--data-names", "X,y", "--shape", "X=9x3,w=3")
    assert call(*model).stdout == (f"f(w) = {LOGISTIC}\n  df/dw = X.T @ (sigmoid(X @ w) - y)/len(X)\n")
    assert call(*model, "--sympy").stdout.splitlines()[1].startswith("  df/dw[j] = Sum(")
    assert r"\frac{\partial f}{\partial w_{j}}" in call(*model, "--latex").stdout


def test_derive_of_slices_prints_statements():
    text = call("derive", "sum((x[1:] - x[:-1])**2) + b**2", "--shape", "x=5").stdout
    assert text == (
        "f(x, b) = sum((x[1:] - x[:-1])**2) + b**2\n"
        "  df/dx = g, after\n"
        "    g = zeros(5)\n"
        "    g[1:] += 2*(x[1:] - x[:-1])\n"
        "    g[:-1] -= 2*(x[1:] - x[:-1])\n"
        "  df/db = 2*b\n"
    )


def test_derive_of_arrays_at_a_point():
    arguments = ("derive", "sum(w**3) + b*w[0]", "--hessian", "--at", "w=[1,2],b=-1")
    found = ask(*arguments)
    assert found["shapes"] == {"w": [2], "b": []}
    assert found["at"] == {
        "point": {"w": [1.0, 2.0], "b": -1.0}, "value": 8.0, "gradient": {"w": [2.0, 12.0], "b": 1.0},
        "hessian": [[6.0, 0.0, 1.0], [0.0, 12.0, 0.0], [1.0, 0.0, 0.0]],
    }  # fmt: skip
    text = call(*arguments).stdout
    assert "at w = [1., 2.], b = -1\n" in text
    assert "  df/dw = [ 2., 12.]\n" in text
    assert "Hessian, in the order w[0], w[1], b:" in text
    flat = ask("derive", "sum(w**3) + b*w[0]", "--shape", "w=2", "--at", "1,2,-1")["at"]
    assert flat == {name: found["at"][name] for name in ("point", "value", "gradient")}
    assert "the Hessian has 20 rows" in call("derive", "sum(w**3)", "--hessian", "--at", "w=ones(20)").stdout


# ---- derive ----------------------------------------------------------------------------------------------------------


def test_derive_prints_sympy_text():
    done = call("derive", BOWL, "--hessian", "--at", "x1=9,x2=-3")
    assert done.exit_code == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["f(x1,", "x2)", "=", "x1**2/5", "+", "x2**2"]
    assert ["df/dx1", "=", "2*x1/5"] in lines
    assert ["d2f/dx2^2", "=", "2"] in lines
    assert not any("dx1 dx2" in line for line in done.stdout.splitlines())  # zeros are left out
    assert ["f", "=", "25.2"] in lines
    assert ["df/dx2", "=", "-6"] in lines


def test_derive_of_a_name_that_is_reduced():
    assert "df/dx = 2*(x - mean(x))/3" in call("derive", "var(x)", "--shape", "x=3").stdout
    assert "df/dx = 2*(x - mean(x))/3" in call("derive", "var(x)", "--at", "x=[1,2,4]").stdout
    assert "df/dx = 1" in call("derive", "mean(x)", "--shape", "x=()").stdout
    assert "df/dx = 1" in call("derive", "mean(x)", "--at", "x=2").stdout


def test_derive_hessians_of_arrays():
    model = ("derive", "mean(softplus(X @ w))", "--data-names", "X", "--shape", "X=9x3,w=3", "--hessian")
    assert "d2f/dw^2 = (X.T*sigmoid(X @ w)*sigmoid(-X @ w)) @ X/len(X)" in call(*model).stdout
    pasted = "d2f/dw^2 = (X.T*(1/(1 + exp(-X @ w)))*(1/(1 + exp(X @ w)))) @ X/len(X)"
    assert pasted in call(*model, "--numpy").stdout
    squares = ("derive", "sum((X @ w)**2)", "--data-names", "X", "--shape", "X=9x3,w=3", "--hessian", "--sympy")
    assert "d2f/dw[j] dw[k] = 2*Sum(X[i, j]*X[i, k], (i, 1, n))" in call(*squares).stdout
    lines = call("derive", "sum(x[1:]**3)", "--shape", "x=3", "--hessian").stdout
    assert "d2f/dx^2 = h, after\n    h = zeros((3, 3))\n    h[1:] += 6*x[1:, None]*eye(3)[1:]" in lines


def test_derive_numpy_and_latex():
    model = ("derive", "mean((y - w*x)**2)", "--data-names", "x,y", "--hessian")
    assert "df/dw    = -2*mean(x*(y - w*x))" in call(*model, "--numpy").stdout
    assert r"\frac{\partial f}{\partial w}" in call(*model, "--latex").stdout


def test_derive_json():
    found = ask("derive", "x**2*y", "--hessian", "--at", "3,-1")
    assert found["params"] == ["x", "y"]
    read_back = {name: symgd.Objective(text).sympy for name, text in found["gradient"].items()}
    assert read_back == dict(symgd.Objective("x**2*y").gradient)
    assert r"\partial x" in found["gradient_latex"]
    assert sorted(found["hessian"]) == [["x", "x", "2*y"], ["x", "y", "2*x"]]
    assert found["at"] == {
        "point": {"x": 3.0, "y": -1.0}, "value": -9.0, "gradient": {"x": -6.0, "y": 9.0},
        "hessian": [[-2.0, 6.0], [6.0, 0.0]],
    }  # fmt: skip


def test_derive_at_a_point_outside_the_domain_is_null():
    assert ask("derive", "log(x)", "--at", "-1")["at"]["value"] is None
    assert "not finite" in call("derive", "log(x)", "--at", "-1").stdout


# ---- as a process ----------------------------------------------------------------------------------------------------


def test_help_lists_commands_methods_and_schedules():
    assert {"minimize", "maximize", "derive"} <= set(call("--help").stdout.split())
    text = call("minimize", "--help").stdout
    assert all(word in text for word in ("--start", "nesterov", "[beta=0.9]", "cosine", "Exit code"))
    assert '\n  symgd minimize "0.2*x1**2 + x2**2" --start x1=9,x2=-3 --lr 0.2 --steps 100\n' in text
    assert call("--version").stdout == f"symgd, version {symgd.__version__}\n"


def test_import_loads_click_alone():
    heavy = ["numpy", "sympy", "scipy", "numba", "matplotlib", "tqdm"]
    code = f"import sys, symgd.cli; print(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_process_writes_the_picture_and_says_so(tmp_path):
    picture = tmp_path / "descent.png"
    done = process("minimize", BOWL, "--start", "9,-3", "--lr", "0.2", "--plot", str(picture))
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert str(picture) in done.stderr
    assert str(picture) not in done.stdout


def test_fit_writes_the_picture(tmp_path):
    picture = tmp_path / "fit.svg"
    done = call("fit", "b1*x**b2", "--data", DANWOOD, "--plot", str(picture))
    assert "the picture is in" in done.stderr
    text = picture.read_text()
    assert all(f'id="{gid}"' in text for gid in ("data", "curve", "confidence", "residuals"))
    assert json.loads(call("fit", "b1*x**b2", "--data", DANWOOD, "--plot", str(picture), "--json").stdout)["ok"]


def test_many_writes_the_picture(tmp_path):
    picture = tmp_path / "many.svg"
    call("many", "x*cos(x) + 9", "--box", "x=-15:15", "--starts", "20", "--plot", str(picture))
    assert 'id="starts 0"' in picture.read_text()


def test_process_of_a_faulty_formula_shows_no_traceback():
    done = process("minimize", "x + + sinn(", "--start", "1")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "^" in done.stderr
    assert "Traceback" not in done.stderr


def test_reader_that_has_seen_enough_is_no_error():
    code = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'symgd', 'minimize', 'x**2', '--start', "
        "'1', '--lr', '0.001', '--steps', '30000', '--trace', '1'], stdout=subprocess.PIPE, stderr=subprocess.PIPE); "
        "p.stdout.readline(); p.stdout.close(); print(p.stderr.read().decode()); p.wait()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="a console event, not a signal")
def test_ctrl_c_keeps_what_was_done():
    command = [
        sys.executable,
        "-m",
        "symgd",
        "minimize",
        "x**2",
        "--start",
        "1",
        "--lr",
        "1e-12",
        "--steps",
        "1e12",
        "--json",
    ]
    running = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | {"SYMGD_CACHE": "off"}
    )
    for _ in range(2):  # the first may come while Python is still starting
        time.sleep(4)
        running.send_signal(signal.SIGINT)
        try:
            stdout, _ = running.communicate(timeout=8)
            break
        except subprocess.TimeoutExpired:
            continue
    assert running.returncode == 1
    assert json.loads(stdout)["outcome"] == "interrupted"


# ---- the cache -----------------------------------------------------------------------------------------------------


def test_the_cache_is_shown_and_cleared(tmp_path, monkeypatch):
    from symgd.kernel.machine import cache

    monkeypatch.setenv("SYMGD_CACHE", str(tmp_path))
    cache.save(cache.key("a"), b"x" * 2_000_000)
    (entry,) = tmp_path.iterdir()
    size = entry.stat().st_size
    found = {"folder": str(tmp_path), "entries": 1, "bytes": size, "limit": 500_000_000, "removed": 0, "freed": 0}
    assert ask("cache") == found
    assert "size     2.0 MB of 500 MB" in call("cache").stdout
    cleared = call("cache", "--clear")
    assert "entries  0" in cleared.stdout
    assert "removed  1 entries, 2.0 MB" in cleared.stdout
    assert not list(tmp_path.iterdir())


def test_without_a_cache_that_is_said(monkeypatch):
    monkeypatch.setenv("SYMGD_CACHE", "off")
    assert "none: SYMGD_CACHE says so" in call("cache").stdout
    assert ask("cache")["folder"] is None


def test_a_size_of_the_cache_that_is_none_is_a_fault(monkeypatch):
    monkeypatch.setenv("SYMGD_CACHE_SIZE", "much")
    assert "SYMGD_CACHE_SIZE=much must be a number of megabytes, such as 500; 0 keeps nothing" in fails("cache")


# ---- code that stands alone ------------------------------------------------------------------------------------------


def test_code_prints_a_module():
    done = call("code", "mean((y - X @ w)**2)", "--data-names", "X,y", "--shape", "X=100x3,w=3")
    assert done.exit_code == 0
    space = {}
    exec(done.stdout, space)
    value, (slope,) = space["value_and_gradient"]([1, 0, 0], X=np.eye(3), y=[1, 2, 2])
    assert value == pytest.approx(8 / 3)
    np.testing.assert_allclose(slope, [0, -4 / 3, -4 / 3])
    found = ask("code", BOWL)
    assert found["target"] == "numpy"
    assert found["code"] == call("code", BOWL).stdout


def test_code_names_the_targets_that_it_knows():
    assert "--target 'jax' must be one of numpy" in fails("code", BOWL, "--target", "jax")
    assert "--shape" in fails("code", "mean((y - X @ w)**2)")


# ---- pictures and films ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("x*cos(x) + 9", "--range", "x=-5:5", "--at", "x=1"),
        ("x**2 - 4*x + 5", "--start", "x=-1", "--lrs", "0.2,1.01", "--steps", "5"),
        (BOWL, "--start", "9,-3", "--lr", "0.2", "--steps", "5", "--at", "end", "--field", "--frame", "2"),
        (BOWL, "--start", "9,-3", "--lr", "0.2", "--steps", "5", "--kind", "parameters", "--maximize"),
    ],
)
def test_plot_draws_landscapes_runs_and_panels(arguments, tmp_path):
    picture = tmp_path / "picture.png"
    done = call("plot", *arguments, "-o", str(picture))
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"the picture is in {picture}\n"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_animate_writes_a_film(tmp_path):
    film = tmp_path / "film.gif"
    found = ask("animate", BOWL, "--start", "9,-3", "--lr", "0.2", "--steps", "5", "--frames", "3", "-o", str(film))
    assert found["file"] == str(film)
    assert found["runs"][0]["steps"] == 5
    assert film.read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plot", "x**2", "-o", "a.png"), "say from where to where by --range"),
        (("plot", "x**2", "--lrs", "1,2", "-o", "a.png"), "--lrs compares descents; give --start too"),
        (("plot", "x**2", "--range", "x=1", "-o", "a.png"), "--range x=1 must be name=low:high"),
        (("plot", "x**2", "--start", "1", "--lr", "1", "--lrs", "1,2", "-o", "a.png"), "--lr is for one descent"),
        (("animate", "x**2", "--start", "1", "-o", "a.avi"), "'a.avi' must end in .mp4, .gif or .html"),
        (("animate", "x**2", "--range", "x=-1:1", "-o", "a.gif"), "nothing in this picture moves"),
    ],
)
def test_what_cannot_be_drawn_is_told(arguments, message):
    assert message in fails(*arguments)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
@pytest.mark.parametrize("arguments", [("minimize", "x**2", "--start", "x=1", "--json"), ("--help",)])
def test_an_answer_that_cannot_be_written_is_no_finding(arguments):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "symgd", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "Error: the answer cannot be written: No space left on device\n"
