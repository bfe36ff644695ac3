"""Files of CSV as people have them."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import symgd as sg
from symgd import DataError
from symgd import language as fm
from symgd.cli import main
from symgd.data import load

ROWS = [(1.0, 3.1), (2.0, 4.9), (3.0, 7.2), (4.0, 9.0)]
PLAIN = "x,y\n" + "".join(f"{a},{b}\n" for a, b in ROWS)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (PLAIN, "utf-8"),
        (PLAIN.replace("\n", "\r\n"), "utf-8-sig"),
        (PLAIN, "utf-16"),
        (PLAIN.replace(",", ";"), "utf-8"),
        (PLAIN.replace(",", "\t"), "utf-8"),
        (PLAIN.replace(",", "   "), "utf-8"),
        (PLAIN.replace(",", ", "), "utf-8"),
        ("# measured in May\n\n# by hand\n" + PLAIN, "utf-8"),
        ("# measured in May\n" + PLAIN.replace(",", " "), "utf-8"),
        (PLAIN.replace("x,y\n", "x,y,T (°C)\n").replace(".1\n", ".1,20\n").replace(".9\n", ".9,20\n")
         .replace(".2\n", ".2,20\n").replace("9.0\n", "9.0,20\n"), "latin-1"),
    ],
)  # fmt: skip
def test_the_same_numbers_are_read(text, code, tmp_path):
    (tmp_path / "data.csv").write_bytes(text.encode(code))
    found = load(tmp_path / "data.csv")
    np.testing.assert_array_equal(np.column_stack([found["x"], found["y"]]), ROWS)


def test_columns_of_any_name_are_kept(tmp_path):
    (tmp_path / "data.csv").write_text("x 1,y\n1,2\n3,4\n")
    found = load(tmp_path / "data.csv")
    assert [fm.written(name) for name in found] == ["`x 1`", "y"]


def test_a_file_without_names_is_refused(tmp_path):
    (tmp_path / "data.csv").write_text("1,2\n3,4\n")
    with pytest.raises(DataError, match=r"line 1 of .* holds numbers; put a line above it that names the columns"):
        load(tmp_path / "data.csv")


@pytest.mark.parametrize("cell", ["", "NA", "n.d.", "--", "$1", "1%", "#N/A", "1,5"])
@pytest.mark.parametrize("start", [None, {"a": 1, "b": 0}])
def test_a_cell_that_is_no_number_is_named_with_its_line(cell, start, tmp_path):
    text = PLAIN.replace(",", ";").replace("3.0;", f"{cell};")
    (tmp_path / "data.csv").write_text("# above\n" + text)
    holds = f"has '{cell}' in line 5" if cell else "is empty in line 5"
    with pytest.raises(DataError, match="the column 'x' of") as caught:
        sg.fit("a*x + b", tmp_path / "data.csv", "y", start)
    assert holds in str(caught.value)
    assert ("decimal point" in str(caught.value)) == (cell == "1,5")
    arguments = ["fit", "a*x + b", "--data", str(tmp_path / "data.csv")]
    result = CliRunner().invoke(main, arguments + (["--start", "a=1,b=0"] if start else []))
    assert result.exit_code == 2
    assert holds in result.output


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("x,y,x\n1,2,3\n2,3,4\n", "several columns of '.*' are named 'x'; rename all but one"),
        ("x,α,alpha,y\n1,2,3,4\n", "several columns of '.*' are named 'alpha'"),
        ("x,z,z,y\n1,2,3,4\n", "named 'z'"),
        ("x,y\n1,2\n2,\n", "the column 'y' of '.*' is empty in line 3"),
        ("x,y\n1,2\n2,NA\n", "the column 'y' of '.*' has 'NA' in line 3"),
        ("x,y\n1,2\n2,$1\n", r"the column 'y' of '.*' has '\$1' in line 3"),
        ("x,y\n1,2\n2,1%\n", "the column 'y' of '.*' has '1%' in line 3"),
        ("x,y\n1,2\n2,1_0\n", "the column 'y' of '.*' has '1_0' in line 3"),
        ("x;y\n1,5;2\n2;3,5\n", "has '1,5' in line 2, where a number must be; numbers have a decimal point"),
        ('x,y\n"1,5",2\n2,3\n', "the column 'x' of '.*' has '1,5' in line 2, .*; numbers have a decimal point"),
        ("x,y\n1,2\n# note\n2,3\n", "line 3 of '.*' has 1 fields; its first line 2; comments stand above the names"),
        ("# x,y\n1,2\n2,3\n", "line 2 of '.*' holds numbers; put a line above it that names the columns, without a #"),
        ("x,y\n1,2\n2,3\n".encode("utf-16-le"), "zero bytes, as UTF-16 without a mark has.*; save it as UTF-8"),
        (bytes(range(256)) * 4, "zero bytes"),
    ],
)
def test_what_is_not_read_is_told_with_the_remedy(tmp_path, content, told):
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=told):
        sg.Objective("mean((y - w*x)**2)", path)
    with pytest.raises(DataError, match=told):
        sg.fit("w*x", path, target="y", start={"w": 1})


def test_names_that_are_given_twice_are_refused_everywhere(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_arrays([pa.array([1.0, 2]), pa.array([3.0, 4])], names=["x", "x"])
    pq.write_table(table, tmp_path / "a.parquet")
    np.savez(tmp_path / "a.npz", α=[1.0, 2], alpha=[3.0, 4])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the format, which is new for letters beyond ASCII
        np.save(tmp_path / "a.npy", np.zeros(2, [("α", float), ("alpha", float)]))
    frame = pd.DataFrame({"α": [1.0, 2], "alpha": [3.0, 4]})
    for source in (*(tmp_path / f"a.{kind}" for kind in ("parquet", "npz", "npy")), {"α": [1], "alpha": [2]}, frame):
        with pytest.raises(DataError, match=r"several columns.* named '(x|alpha)'"):
            load(source)
    with pytest.raises(sg.UsageError, match="under two spellings"):
        sg.Objective("α + b").value({"α": 1, "alpha": 2, "b": 3})


def test_series_in_other_orders_are_refused():
    x, y = pd.Series([1.0, 2], index=["a", "b"]), pd.Series([2.0, 1], index=["b", "a"])
    with pytest.raises(DataError, match=r"same labels in different orders.*y\.loc\[x\.index\]"):
        sg.Objective("sum((y - w*x)**2)", {"x": x, "y": y})
    assert sg.Objective("sum((y - w*x)**2)", {"x": x, "y": y.loc[x.index]}).value(w=1.0) == 0


def test_pipes_are_read_once(tmp_path):
    command = [sys.executable, "-m", "symgd", "fit", "a + b*x", "--data", "/dev/stdin", "--target", "y", "--json"]
    good = subprocess.run(command, input=PLAIN, capture_output=True, text=True, check=False)
    assert json.loads(good.stdout)["point"]["b"] == pytest.approx(2.0, abs=0.1)
    for text in (PLAIN + "5,NA\n", PLAIN + "5,\n"):
        bad = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert bad.returncode == 2
        assert "the column 'y' of '/dev/stdin'" in bad.stdout + bad.stderr
    for kind in ("npz", "npy", "parquet"):
        os.mkfifo(tmp_path / f"a.{kind}")
        with pytest.raises(DataError, match="it is no ordinary file"):
            load(tmp_path / f"a.{kind}")
