"""Files of CSV as people have them."""

import numpy as np
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
