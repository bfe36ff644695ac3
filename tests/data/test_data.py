"""Data: arrays from wherever they are kept, with their dtypes, and not copied without need."""

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from symgd import data
from symgd.data import DTYPES, Stored, load
from symgd.errors import DataError, SymgdError, UsageError
from symgd.language.quoted import quoted

ROOT = Path(__file__).parents[2]
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, max_side=5)


def arrays(shape=SHAPES, orders="<>"):
    dtypes = st.sampled_from([np.dtype(d).newbyteorder(order) for d in DTYPES for order in orders])
    return dtypes.flatmap(lambda dtype: hnp.arrays(dtype, shape))


def same(found, expected):
    """Whether values and dtype are the same, and the array is as kernels read it."""
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype.newbyteorder("=")
    assert found.dtype.isnative
    assert found.flags.c_contiguous
    return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


def saved(path, array):
    np.save(path, array)
    return Path(path)


# Mappings


@given(arrays(), st.booleans())
def test_arrays_keep_values_and_dtype(array, transposed):
    array = array.T if transposed else array
    found = load({"x": array})["x"]
    assert same(found, array)
    if array.flags.c_contiguous and array.dtype.isnative:
        assert found is array


def test_numbers_become_floats():
    found = load({"a": 2, "b": True, "c": np.float32(0.5), "d": np.array(3), "e_": Fraction(1, 4), "f": 2**70})
    assert found == {"a": 2.0, "b": 1.0, "c": 0.5, "d": 3.0, "e_": 0.25, "f": 2.0**70}
    assert all(type(value) is float for value in found.values())
    assert load(None) == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], np.array([1, 2])), ([1, 2.5], np.array([1, 2.5])), ([True, False], np.array([True, False])),
        ([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]])), (np.array([1, 2], "u8"), np.array([1, 2])),
        (np.array([2**63, 1], "u8"), np.array([2.0**63, 1])), (np.array([0.5], "f2"), np.array([0.5])),
        (np.array([0.5], np.longdouble), np.array([0.5])), ([2**70, 1], np.array([2.0**70, 1])),
        ([Decimal("0.5"), None], np.array([0.5, np.nan])), ([np.nan, np.inf], np.array([np.nan, np.inf])),
        (range(3), np.arange(3)), (np.arange(6)[::2], np.array([0, 2, 4])),
        (np.ma.array([1, 2]), np.array([1, 2])), (np.ma.array([1, 2], mask=[False, False]), np.array([1, 2])),
    ],
)  # fmt: skip
def test_what_else_becomes_an_array(values, expected):
    assert same(load({"x": values})["x"], expected)


def test_lengths_may_differ_and_arrays_may_be_shared():
    x = np.arange(3.0)
    found = load({"x": x, "y": [1, 2], "λ": x})
    assert list(found) == ["x", "y", "lambda_"]
    assert found["x"] is found["lambda_"] is x


def test_a_memory_map_stays_one(tmp_path):
    mapped = np.load(saved(tmp_path / "x.npy", np.arange(12.0).reshape(3, 4)), mmap_mode="r")
    for given_array in (mapped, mapped[1:], np.asarray(mapped)):
        assert np.shares_memory(load({"x": given_array})["x"], given_array)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "b"], r"^'x' must hold numbers; got \['a', 'b'\]"), (["1", "2"], "'x' must hold numbers"),
        (np.array(["a"], object), "'x' must hold numbers; got 'a'"), (None, "'x' must hold numbers; got None"),
        (pd.Series(["1", "2"]), "'x' must hold numbers; got '1'"), ([b"1"], "'x' must hold numbers"),
        ([object()], "'x' must hold numbers; float"), ([[1, 2], [3]], "'x' must hold numbers; .*inhomogeneous"),
        (np.datetime64("2020-01-01"), "'x' must hold numbers"), (np.array([1], "m8[s]"), "'x' must hold numbers"),
        ([1j], "'x' has complex values; data must be real"), (10**400, "'x' must hold numbers; int too large"),
        (np.array([np.finfo(np.longdouble).max]), "'x' must hold numbers; overflow"),
        (np.zeros(2, [("a", float), ("b", int)]), "'x' has the fields a, b; give them one by one"),
        ([], "'x' has no rows; an array needs at least one"), (np.zeros((0, 3)), "'x' has no rows"),
        (np.zeros((3, 0)), r"'x' has no values, its shape is \(3, 0\); every axis needs at least one"),
        (np.zeros((1, 2, 3, 4)), r"'x' has 4 axes, its shape is \(1, 2, 3, 4\); arrays have at most 3"),
        ("3.5", r"'x' must hold numbers, or be the path of a \.npy file; got '3\.5'"),
        (Path("x.csv"), "or be the path of a .npy file; got 'x.csv'"),
        ("nowhere.npy", "there is no file '.*nowhere.npy'"),
        ("\0.npy", "cannot be read as .npy"),
    ],
)  # fmt: skip
def test_values_that_are_refused(values, message):
    with pytest.raises(DataError, match=message):
        load({"x": values})


@pytest.mark.parametrize("source", [5, [1, 2], np.zeros(3), object()])
def test_sources_that_are_refused(source):
    with pytest.raises(
        DataError, match=r"data must be a mapping of names to arrays, a DataFrame, or a file of CSV, \.parquet"
    ):
        load(source)


def test_names_are_checked():
    for name in ("x y", "__class__", 1, ""):
        with pytest.raises(SymgdError):
            load({name: [1.0]})
    assert data.names(("x", "λ")) == ["x", "lambda_"]
    assert data.names({"x": 1}) is None


# DataFrames


def test_of_a_frame_the_columns_of_numbers_are_taken():
    frame = pd.DataFrame({
        "x": [1.5, 2.5], "n": [1, 2], "flag": [True, False], "text": ["a", "b"],
        "day": pd.to_datetime(["2020", "2021"]),
        "two words": [1, 2], 7: [1, 2], "missing": pd.array([1, None], "Int64"), "whole": pd.array([1, 2], "Int8"),
        "maybe": pd.array([True, None], "boolean"), "small": np.float32([1, 2]), "money": [Decimal(1), None],
        "kind": pd.Categorical([3, 4]), "numeral": ["1", "2"],
    })  # fmt: skip
    found = load(frame)
    kinds = {"x": "f8", "n": "i8", "flag": "?", "missing": "f8", "whole": "i1", "maybe": "f8", "small": "f4"}
    kinds |= {"money": "f8", "kind": "i8", quoted("two words"): "i8", quoted("7"): "i8"}
    assert {name: values.dtype for name, values in found.items()} == kinds
    np.testing.assert_array_equal(found["missing"], [1, np.nan])
    np.testing.assert_array_equal(found["maybe"], [1, np.nan])
    assert same(load({"s": frame["n"]})["s"], np.array([1, 2]))


def test_a_frame_under_a_name_is_a_matrix():
    frame = pd.DataFrame({"a": [1.0, 2, 3], "b": [4, 5, 6]})
    assert same(load({"X": frame})["X"], np.array([[1.0, 4], [2, 5], [3, 6]]))
    assert same(load({"X": frame.astype(int)})["X"], np.array([[1, 4], [2, 5], [3, 6]]))
    gaps = pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [True, False]})
    assert same(load({"X": gaps})["X"], np.array([[1.0, 1], [np.nan, 0]]))
    with pytest.raises(DataError, match="'X' must hold numbers; got 'u'"):
        load({"X": frame.assign(c=["u", "v", "w"])})


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"x": []}), "the DataFrame has no rows"), (pd.DataFrame(), "the DataFrame has no rows"),
        (pd.DataFrame({"x": ["a"], "y": ["b"]}), "the DataFrame has no column of numbers"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "several columns named 'x'; rename all but one"),
    ],
)  # fmt: skip
def test_frames_that_are_refused(frame, message):
    with pytest.raises(DataError, match=message):
        load(frame)


# CSV


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats()), min_size=1))
def test_csv_gives_back_what_was_written(folder, rows):
    path = folder / "rows.csv"
    path.write_text("n,x,note\n" + "".join(f"{n}, {x!r},a\n" for n, x in rows))
    found = load(path)
    assert list(found) == ["n", "x"]
    assert same(found["n"], np.array([n for n, _ in rows]))
    np.testing.assert_array_equal(found["x"], [x for _, x in rows])
    assert found["x"].dtype == np.float64


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [("1 2", "i8"), ("+1 -2", "i8"), ("1 2.0", "f8"), ("1 nan", "f8"), ("1 1e3", "f8"), (f"1 {2**63}", "f8")],
)
def test_csv_columns_are_integers_if_every_cell_is(cells, dtype, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("x\n" + "\n".join(cells.split()))
    assert load(path)["x"].dtype == dtype


def test_a_gap_makes_a_csv_column_text(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("x,y\n1,1\n,2\n")
    assert list(load(path)) == ["y"]


# Files of several arrays


@given(st.dictionaries(st.sampled_from(["x", "y", "λ", "not usable"]), arrays(), min_size=1), st.booleans())
def test_npz_gives_back_what_was_saved(folder, content, compressed):
    path = folder / "arrays.npz"
    (np.savez_compressed if compressed else np.savez)(path, **content)
    usable = {name.replace("λ", "lambda_"): array for name, array in content.items() if " " not in name}
    if not usable:
        with pytest.raises(DataError, match="no array of numbers with a usable name"):
            load(path)
        return
    found = load(str(path))
    assert list(found) == list(usable)
    assert all(same(found[name], array) for name, array in usable.items())


def test_of_npz_text_and_objects_are_left_out(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, x=[1, 2], text=["a"], scale=2, objects=np.array([{}], object), records=np.zeros(2, [("a", float)]))
    found = load(path)
    assert list(found) == ["x", "scale"]
    assert found["scale"] == 2.0
    np.savez(path, x=[1j])
    with pytest.raises(DataError, match="'x' has complex values"):
        load(path)


def test_a_npy_file_of_records_gives_its_fields(tmp_path):
    records = np.zeros(3, [("x", "<f4"), ("n", ">i2"), ("text", "U3"), ("v", "f8", (2,)), ("no name", "f8")])
    records["x"], records["n"], records["v"] = [1, 2, 3], [4, 5, 6], [[1, 2], [3, 4], [5, 6]]
    found = load(saved(tmp_path / "many.npy", records))
    assert list(found) == ["x", "n", "v"]
    assert all(same(found[name], records[name]) for name in found)
    with pytest.raises(DataError, match=r"many\.npy' has no array of numbers with a usable name"):
        load(saved(tmp_path / "many.npy", records[["text"]]))
    with pytest.raises(DataError, match=r"many\.npy' cannot be read as \.npy: .*objects"):
        load(saved(tmp_path / "many.npy", np.zeros(3, [("x", float), ("y", object)])))


def test_a_npy_file_of_one_array_gives_it_its_own_name(tmp_path):
    found = load(saved(tmp_path / "weights.npy", np.arange(4)))
    assert list(found) == ["weights"]
    assert same(found["weights"].whole(), np.arange(4))
    assert load({"a": saved(tmp_path / "one.npy", np.array(2))}) == {"a": 2.0}
    with pytest.raises(
        DataError, match=r"""'my-file' is no name for a formula; give one: data=\{"x": ".*my-file.npy"\}"""
    ):
        load(saved(tmp_path / "my-file.npy", np.arange(4)))


@given(arrays(orders="<"), st.integers(-400, 400), st.integers(0, 255), st.sampled_from([".npy", ".npz", ".parquet"]))
def test_damaged_files_are_refused_or_read(folder, array, place, byte, suffix):
    path = folder / f"damaged{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    elif suffix == ".npz":
        np.savez(path, x=array)
    else:
        pd.DataFrame({"x": array.reshape(-1)}).to_parquet(path)
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content if byte % 2 else content[:place])
    try:
        for values in load(path).values():
            assert not isinstance(values, Stored) or values.whole().shape == values.shape
    except DataError as problem:
        assert "\n" not in str(problem)  # noqa: PT017


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".npz", ".parquet"])
def test_files_that_cannot_be_read(suffix, tmp_path):
    path = tmp_path / f"x{suffix}"
    with pytest.raises(DataError, match=f"there is no file '.*x{suffix}'"):
        load(path)
    path.mkdir()
    with pytest.raises(DataError, match="cannot be read as"):
        load(path)
    path = tmp_path / f"y{suffix}"
    for content in (b"", b"\x93NUMPY", b"PK\x03\x04", b"PAR1\0\0\0\0PAR1"):
        path.write_bytes(content)
        with pytest.raises(DataError):
            load(path)
    with pytest.raises(DataError, match="cannot be read as"):
        load(f"\0{suffix}")


# Parquet


@given(st.data())
def test_parquet_gives_back_what_was_saved(folder, data):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    array = data.draw(arrays(orders="="))
    path = folder / "columns.parquet"
    column = pa.array(array.reshape(-1))
    for k in array.shape[:0:-1]:
        fixed = data.draw(st.booleans())
        starts = pa.array(np.arange(0, len(column) + 1, k, dtype=np.int32))
        column = pa.FixedSizeListArray.from_arrays(column, k) if fixed else pa.ListArray.from_arrays(starts, column)
    pq.write_table(pa.table({"x": column, "no name": column}), path, row_group_size=data.draw(st.integers(1, 6)))
    found = load(path)
    assert list(found) == ["x"]
    assert same(found["x"], array)


def test_of_parquet_what_is_missing_is_nan_and_what_is_no_number_is_left_out(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    columns = {
        "n": pa.array([1, None, 3]), "small": pa.array([1, None, 3], pa.float32()),
        "flag": pa.array([True, None, False]), "money": pa.array([Decimal("1.50"), None, Decimal(2)]),
        "coded": pa.array([7, 7, None]).dictionary_encode(), "text": pa.array(["a", "b", "c"]),
        "word": pa.array(["a", "b", "c"]).dictionary_encode(), "day": pa.array([1, 2, 3], pa.date32()),
        "pairs": pa.array([[1, None], None, [5, 6]]),
        "fixed": pa.array([[1, 2], None, [5, 6]], pa.list_(pa.float32(), 2)),
        "ragged": pa.array([[1], [2, 3], []]), "empty": pa.array([[], [], []], pa.list_(pa.int8())),
        "deep": pa.array([[[1], [2]], [[3], [4]], None]), "half": pa.array(np.float16([1, 2, 3])),
        "words": pa.array([["a"], ["b"], ["c"]]), "record": pa.array([{"a": 1}] * 3),
    }  # fmt: skip
    pq.write_table(pa.table(columns), path)
    found = load(path)
    nan = np.nan
    expected = {
        "n": [1, nan, 3], "small": np.float32([1, nan, 3]), "flag": [1, nan, 0], "money": [1.5, nan, 2],
        "coded": [7, 7, nan], "pairs": [[1, nan], [nan, nan], [5, 6]],
        "fixed": np.float32([[1, 2], [nan, nan], [5, 6]]), "deep": [[[1], [2]], [[3], [4]], [[nan], [nan]]],
        "half": [1.0, 2, 3],
    }  # fmt: skip
    assert list(found) == list(expected)
    assert all(same(found[name], np.asarray(values)) for name, values in expected.items())


def test_parquet_files_that_are_refused(tmp_path, monkeypatch):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": pa.array([], pa.float64())}), path)
    with pytest.raises(DataError, match="has no rows; it needs at least one"):
        load(path)
    pq.write_table(pa.table({"x": ["a"]}), path)
    with pytest.raises(DataError, match="no array of numbers with a usable name"):
        load(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"a Parquet file needs pyarrow: pip install 'symgd\[parquet\]'"):
        load(path)


# Arrays that stay on disk


@given(arrays(), st.data())
def test_rows_are_those_of_the_array(folder, array, data):
    stored = load({"x": saved(folder / "stored.npy", np.ascontiguousarray(array))})["x"]
    assert isinstance(stored, Stored)
    assert (stored.shape, stored.ndim, stored.nbytes, len(stored)) == (
        array.shape,
        array.ndim,
        array.nbytes,
        len(array),
    )
    assert stored.dtype == array.dtype.newbyteorder("=")
    low = data.draw(st.integers(0, len(array)))
    high = data.draw(st.integers(low, len(array)))
    assert same(stored.rows(low, high), array[low:high])
    assert same(stored.whole(), array)
    count = data.draw(st.integers(0, 7))
    sample = stored.sample(count)
    assert len(sample) == min(count, len(array))
    if count >= len(array):
        assert same(sample, array)
    elif count > 1:
        np.testing.assert_array_equal(sample[[0, -1]], array[[0, -1]])


def test_a_stored_array_is_shown_and_passed_on(tmp_path, monkeypatch):
    path = saved(tmp_path / "x.npy", np.zeros((2000, 512), np.float32))
    monkeypatch.chdir(tmp_path)
    stored = load({"x": "x.npy"})["x"]
    assert repr(stored) == "Stored('x.npy', float32, 2,000 x 512, 3.9 MB)"
    assert load({"y": stored})["y"] is stored
    assert stored == Stored.open(path)
    assert hash(stored) == hash(Stored.open(path))
    monkeypatch.chdir("/")
    assert stored.rows(1, 3).shape == (2, 512)


def test_rows_that_are_not_there_or_do_not_fit(tmp_path):
    stored = Stored.open(saved(tmp_path / "x.npy", np.zeros((10, 2))))
    for low, high in ((-1, 2), (8, 11), (3, 2)):
        with pytest.raises(UsageError, match=rf"rows {low} to {high} of Stored\(.*\): they must lie between 0 and 10"):
            stored.rows(low, high)
    frozen = np.zeros((3, 2))
    frozen.flags.writeable = False
    for out in (np.zeros((2, 2)), np.zeros((3, 2), np.float32), np.zeros((2, 3)).T, frozen):
        with pytest.raises(
            UsageError, match=r"out must be a writeable C-contiguous array of float64 of shape \(3, 2\)"
        ):
            stored.read_into(0, 3, out)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3), order="F"), r"is in Fortran order.*np\.save\(path, np\.ascontiguousarray\(array\)\)"),
        (np.zeros(2, np.float16), r"has dtype float16; an array on disk must be of float64, .* or bool: np\.save"),
        (np.zeros(2, complex), "has complex values; data must be real"), (np.array(["a"]), "has dtype <U1"),
        (np.array([None]), "has dtype object"), (np.zeros(0), "'x' has no rows"),
        (np.zeros((1, 1, 1, 1)), "'x' has 4 axes"),
    ],
)  # fmt: skip
def test_stored_arrays_that_are_refused(array, message, tmp_path):
    with pytest.raises(DataError, match=message):
        load({"x": saved(tmp_path / "x.npy", array)})


def test_a_file_that_is_cut_short(tmp_path):
    path = saved(tmp_path / "x.npy", np.zeros(1000))
    stored = Stored.open(path)
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    with pytest.raises(DataError, match="is cut short: it has 8,120 bytes, and 8,128 belong there"):
        Stored.open(path)
    with pytest.raises(DataError, match="became shorter while it was read"):
        stored.whole()
    path.unlink()
    with pytest.raises(DataError, match="there is no file"):
        stored.rows(0, 1)


def test_threads_read_at_the_same_time(tmp_path):
    array = np.arange(40_000).reshape(4_000, 10)
    stored = Stored.open(saved(tmp_path / "x.npy", array))
    start = threading.Barrier(4)

    def read(first):
        start.wait()
        return all(np.array_equal(stored.rows(i, i + 7), array[i : i + 7]) for i in range(first, 3_900, 97))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(4)))


def test_a_file_may_be_larger_than_the_memory(tmp_path):
    pytest.importorskip("resource")
    path = tmp_path / "x.npy"
    rows = 2**30  # 64 GB of zeros that take no room, and a last row that is not zero
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (rows, 8)})
        file.seek((rows - 1) * 64, 1)
        file.write(np.arange(8.0).tobytes())
    code = f"""
        import resource
        from symgd.data import load
        stored = load({{"x": {str(path)!r}}})["x"]
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
        print(len(stored), stored.rows({rows} - 2, {rows}).tolist(), stored.sample(3).sum(axis=1).tolist())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{rows} {[[0.0] * 8, [*map(float, range(8))]]} [0.0, 0.0, 28.0]\n"
