"""A sample of the mutation test: equal spellings are proved, planted errors found and named."""

from benchmarks.check_mutations import run


def test_equal_spellings_and_planted_errors():
    found = run(40, seed=1)
    assert found["called wrong"] == 0, found["failures"]
    assert found["proved"] >= 0.9, found["failures"]
    assert found["found"] == 1, found["failures"]
    assert found["named"] >= 0.9, found["failures"]
