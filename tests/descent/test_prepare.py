"""What two objectives may share of their loops."""

from __future__ import annotations

import symgd as sg


def test_loops_of_numbers_and_of_arrays_are_kept_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMGD_CACHE", str(tmp_path))
    start = {"x": [1.0, 2.0]}
    whole = sg.Objective("sum(x**2)", tier="python").minimize(start, lr=0.1, steps=3)
    # As many parameters in the same vector, and nothing that varies along it.
    first = sg.Objective("(x**2)[0]", tier="python").minimize(start, lr=0.1, steps=3)
    assert first.point["x"].tolist() == [whole.point["x"][0], 2.0]
