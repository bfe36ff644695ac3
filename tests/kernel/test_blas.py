"""Products of matrices in generated code: every layout, compiled and plain, alone and in threads."""

import ctypes
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from symgd.kernel.code import Argument
from symgd.kernel.code.forms import Call, Do, Function, Number, Return
from symgd.kernel.code.llvm import LLVM
from symgd.kernel.machine import cache, tiles
from symgd.kernel.machine import compile as native
from symgd.kernel.machine import gemm as blas

KINDS = [("a", "float64"), ("i", "whole"), ("p", "whole"), ("ta", "whole"), ("b", "float64"), ("j", "whole"),
         ("q", "whole"), ("tb", "whole"), ("c", "float64"), ("l", "whole"), ("r", "whole"), ("m", "whole"),
         ("n", "whole"), ("k", "whole"), ("beta", "number")]  # fmt: skip


def function(kinds=KINDS):
    """Give a generated function that calls gemm with what it is given."""
    arguments = tuple(Argument(*kind) for kind in kinds)
    call = Do(Call("gemm", *(argument.name for argument in arguments)))
    return LLVM.text(Function("f", arguments, ("number",), "main", (call, Return((Number(0.0),)))))


# Around the sizes of tiles, panels and blocks: none, one, a whole one, one more.
SIZES = [
    (1, 1, 1),
    (3, 5, 2),
    (4, 12, 7),
    (5, 13, 9),
    (8, 24, 16),
    (9, 11, 256),
    (127, 4, 3),
    (130, 25, 257),
    (7, 3, 600),
]


def compiled(*, strict=False):
    return native.compile_function([function()], "f", strict=strict)


def problem(m, n, k, ta, tb, seed=0):
    """Give A, B and C as flat arrays in which they stand apart from the edges, and their views."""
    rng = np.random.default_rng(seed)
    flat, views, places = [], [], []
    for rows, columns in ((k, m) if ta else (m, k), (n, k) if tb else (k, n), (m, n)):
        before, gap = (int(x) for x in rng.integers(0, 4, 2))
        whole = rng.normal(size=before + rows * (columns + gap) + 3)
        view = whole[before : before + rows * (columns + gap)].reshape(rows, columns + gap)[:, :columns]
        flat.append(whole)
        views.append(view)
        places.append((before, columns + gap))
    return flat, views, places


def arguments(flat, places, m, n, k, ta, tb, beta):
    (i, p), (j, q), (l, r) = places
    a, b, c = flat
    return a, i, p, ta, b, j, q, tb, c, l, r, m, n, k, beta


@pytest.mark.parametrize(("ta", "tb"), [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_values(size, ta, tb):
    machine = compiled()
    for seed, beta in enumerate((0.0, 1.0, -0.5)):
        flat, (a, b, c), places = problem(*size, ta, tb, seed)
        old = [x.copy() for x in flat]
        expected = (a.T if ta else a) @ (b.T if tb else b) + beta * c
        bound = 1e-15 * (
            np.abs(a.T if ta else a) @ np.abs(b.T if tb else b) * (3 + np.sqrt(size[2])) + np.abs(beta * c)
        )
        plain = [x.tolist() for x in flat]
        machine(*arguments(flat, places, *size, ta, tb, beta))
        assert (np.abs(c - expected) <= bound).all()
        blas.gemm(*arguments(plain, places, *size, ta, tb, beta))
        np.testing.assert_allclose(plain[2], flat[2], rtol=1e-11, atol=1e-12)
        # Nothing but C has changed, neither the operands nor what stands around C.
        outside = np.ones(flat[2].size, dtype=bool)
        start, lead = places[2]
        for r in range(size[0]):
            outside[start + r * lead : start + r * lead + size[1]] = False
        for now, before in ((flat[0], old[0]), (flat[1], old[1]), (flat[2][outside], old[2][outside])):
            np.testing.assert_array_equal(now, before)


def test_strict_code_rounds_as_python_does():
    machine = compiled(strict=True)
    for ta, tb, beta in product((0, 1), (0, 1), (0.0, 0.3)):
        flat, _, places = problem(9, 14, 30, ta, tb)
        plain = [x.tolist() for x in flat]
        machine(*arguments(flat, places, 9, 14, 30, ta, tb, beta))
        blas.gemm(*arguments(plain, places, 9, 14, 30, ta, tb, beta))
        assert plain[2] == flat[2].tolist()


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_a_result_that_is_not_wanted_is_not_read(tier):
    gemm = blas.gemm if tier == "python" else compiled()
    for m, n in ((4, 12), (5, 3)):
        c = np.full(m * n, np.nan)
        gemm(np.ones(m * 2), 0, 2, 0, np.ones(2 * n), 0, n, 0, c, 0, n, m, n, 2, 0.0)
        assert (c == 2.0).all()


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_empty_products(tier):
    gemm = blas.gemm if tier == "python" else compiled()
    c = np.arange(6.0)
    for m, n in ((0, 3), (2, 0), (0, 0)):
        gemm(np.ones(6), 0, 1, 0, np.ones(6), 0, 1, 0, c, 0, 3, m, n, 2, 0.0)
        np.testing.assert_array_equal(c, np.arange(6.0))
    gemm(np.ones(6), 0, 1, 0, np.ones(6), 0, 3, 0, c, 0, 3, 2, 3, 0, 2.0)
    np.testing.assert_array_equal(c, 2 * np.arange(6.0))
    gemm(np.ones(6), 0, 1, 0, np.ones(6), 0, 3, 0, c, 0, 3, 2, 3, 0, 0.0)
    np.testing.assert_array_equal(c, np.zeros(6))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("tier", ["python", "numba"])
def test_what_is_no_finite_number_reaches_its_row_alone(tier, value):
    gemm = blas.gemm if tier == "python" else compiled()
    a = np.ones((7, 5))
    a[6, 3] = value
    c = np.zeros(7 * 13)
    gemm(a.ravel(), 0, 5, 0, np.ones(5 * 13), 0, 13, 0, c, 0, 13, 7, 13, 5, 1.0)
    c = c.reshape(7, 13)
    assert (c[:6] == 5.0).all()
    np.testing.assert_array_equal(c[6], value)


def test_regions_of_one_array():
    machine = compiled()
    rng = np.random.default_rng(1)
    work = rng.normal(size=100)
    a, b = work[:12].reshape(4, 3).copy(), work[12:27].reshape(3, 5).copy()
    machine(work, 0, 3, 0, work, 12, 5, 0, work, 30, 5, 4, 5, 3, 0.0)
    np.testing.assert_allclose(work[30:50].reshape(4, 5), a @ b, rtol=1e-13)


def test_bits_do_not_depend_on_threads():
    machine = compiled()
    m, n, k = 130, 37, 300
    flat, _, places = problem(m, n, k, 0, 0)

    def run(_):
        mine = [flat[0], flat[1], flat[2].copy()]
        machine(*arguments(mine, places, m, n, k, 0, 0, 0.5))
        return mine[2].tobytes()

    alone = run(0)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(run, range(64))) == {alone}


def test_bits_do_not_depend_on_the_rows_computed_at_once():
    """Entry by entry, so that blocks of rows may be cut anywhere."""
    machine = compiled()
    m, n, k = 21, 29, 300
    flat, _, places = problem(m, n, k, 0, 0)
    (i, p), right, (l, r) = places
    parts = flat[2].copy()
    machine(*arguments(flat, places, m, n, k, 0, 0, 0.0))
    for row in range(m):
        moved = ((i + row * p, p), right, (l + row * r, r))
        machine(*arguments([*flat[:2], parts], moved, 1, n, k, 0, 0, 0.0))
    np.testing.assert_array_equal(parts, flat[2])


def test_what_lies_in_the_cache_needs_no_numba(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMGD_CACHE", str(tmp_path))
    compiled()
    code = f"""if True:
        import sys
        import numpy as np
        from symgd.kernel.code import Argument, Text
        from symgd.kernel.machine import compile as native
        f = native.compile_function([{function()!r}], "f", strict=False)
        c = np.zeros(4)
        f(np.arange(4.0), 0, 2, 0, np.arange(4.0), 0, 2, 1, c, 0, 2, 2, 2, 2, 0.0)
        print(c.tolist(), "numba" in sys.modules)
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # The test before this one may have linked the function without writing it to this folder.
    assert run.stdout.split("]")[0] == "[1.0, 3.0, 3.0, 13.0"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == "[1.0, 3.0, 3.0, 13.0] False"


@pytest.mark.parametrize("shape", [(8, 8, 3), (4, 4, 3), (4, 2, 4)], ids=str)
def test_what_is_written_for_other_processors(shape):
    name = f"{tiles.SYMBOL}_{shape[0]}_{shape[1]}"
    text = tiles.source(*shape).replace(tiles.SYMBOL, name)
    address = native._link(blas._compile(text), name, blas.NEEDS)
    whole, place, number = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
    side = [place, whole, whole, whole]
    call = ctypes.CFUNCTYPE(None, *side, *side, *side, whole, whole, number)(address)
    for size in SIZES:
        for ta, tb, beta in product((0, 1), (0, 1), (0.0, 2.0)):
            flat, (a, b, c), places = problem(*size, ta, tb)
            expected = (a.T if ta else a) @ (b.T if tb else b) + beta * c
            passed = arguments(flat, places, *size, ta, tb, beta)
            call(*(x.ctypes.data if isinstance(x, np.ndarray) else x for x in passed))
            np.testing.assert_allclose(c, expected, rtol=1e-10, atol=1e-11)


def test_other_arrays_are_refused():
    with pytest.raises(TypeError, match="gemm takes double"):
        native.compile_function([function([("a", "int64"), *KINDS[1:]])], "f", strict=False)


def test_damaged_entries_are_compiled_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMGD_CACHE", str(tmp_path))
    first = blas.code()
    for entry in tmp_path.iterdir():
        entry.write_bytes(entry.read_bytes()[:-3] + b"???")
    assert blas.code() == first
    monkeypatch.setenv("SYMGD_CACHE", "off")
    assert cache.folder() is None
    assert blas.code() == first
