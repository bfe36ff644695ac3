"""``symgd laws``."""

import json

import pytest
from click.testing import CliRunner

from symgd.cli import main


def call(*arguments):
    return CliRunner().invoke(main, ["laws", *arguments])


def test_a_rule_that_holds():
    done = call("momentum", "--examples", "3")
    assert done.exit_code == 0
    assert "momentum-polyak  holds" in done.output


def test_a_rule_that_fails_says_why():
    done = call("v = -beta*v - lr*g; x = x + v", "--hyper", "beta=0.9", "--law", "update")
    assert done.exit_code == 1
    assert "your momentum has the wrong sign" in done.output
    assert "optimizer = 'v = -beta*v - lr*g" in done.output or "optimizer = sg.Rule" in done.output


def test_json_is_one_object():
    done = call("adam", "--like", "rmsprop", "--json")
    assert done.exit_code == 1
    read = json.loads(done.output)
    assert read["ok"] is False
    assert {f["answer"] for f in read["findings"]} <= {"holds", "fails", "undecided"}


def test_a_method_is_checked_as_a_minimizer():
    assert call("lbfgs").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["adamm"], "did you mean 'adam'"),
        (["v = beta*v - lr*g; x = x + v"], "--hyper beta=0.9"),
        (["gd", "--law", "restt"], "did you mean 'rests'"),
        (["gd", "--like", "adamm"], "did you mean 'adam'"),
        (["gd", "--examples", "0"], "examples=0"),
        (["gd", "--lr", "auto"], "--lr auto"),
    ],
)
def test_a_faulty_call_says_what_to_do(arguments, message):
    done = call(*arguments)
    assert done.exit_code == 2
    assert message in done.output
