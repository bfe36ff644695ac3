"""Both tiers, the disk cache, and threads."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symgd as sg
from symgd.kernel.code import Argument, Text
from symgd.kernel.loading import load_python
from symgd.kernel.machine import cache, target
from symgd.kernel.machine import compile as native

ROWS = 600_000 + 12_345  # enough for threads
FORMULAS = [
    "mean((y - (w*x + b))**2)",
    "logsumexp(w*x) + 0.1*b**2 + std(x*w + b*y)",
    "max(w*x + b*y) - min(w*x)",
    "mean((y - mean(w*y))**2) + b*sum(exp(-x**2*w**2))",
]


@pytest.fixture(scope="module")
def columns():
    rng = np.random.default_rng(1)
    return {"x": rng.normal(size=ROWS), "y": rng.normal(size=ROWS)}


@pytest.mark.parametrize("text", FORMULAS)
def test_any_number_of_threads_gives_the_same_bits(text, columns):
    point, v = np.array([0.3, -0.7]), np.array([1.0, 2.0])
    results = []
    for workers in (1, 2, 3, 5):
        kernel = sg.Objective(text, data=columns, tier="numba", workers=workers, params=("w", "b")).kernel()
        f, g = kernel.slope(point)
        results.append((f, g.tobytes(), kernel.product(point, v).tobytes(), kernel.hessian(point).tobytes()))
    assert len(set(results)) == 1


@pytest.mark.parametrize("text", FORMULAS)
def test_many_rows_agree_with_numpy_and_with_finite_differences(text, columns):
    objective = sg.Objective(text, data=columns, tier="numba", params=("w", "b"))
    point = {"w": 0.3, "b": -0.7}
    space = {**vars(np), **columns, "logsumexp": np.logaddexp.reduce}
    for name in ("max", "min", "sum"):
        space[name] = getattr(np, name)

    def value(w, b):
        return eval(text, space | {"w": w, "b": b})  # the test's own text

    assert objective.value(point) == pytest.approx(value(0.3, -0.7), rel=1e-12)
    h = 1e-5
    slope = objective.gradient_at(point)
    # Central differences: h**2 of truncation and rounding/h of noise, both under 1e-6 of these sizes.
    assert slope["w"] == pytest.approx((value(0.3 + h, -0.7) - value(0.3 - h, -0.7)) / (2 * h), rel=1e-6, abs=1e-6)
    assert slope["b"] == pytest.approx((value(0.3, -0.7 + h) - value(0.3, -0.7 - h)) / (2 * h), rel=1e-6, abs=1e-6)


def test_a_descent_over_many_rows_is_the_one_over_few(columns):
    few = {k: c[:1000] for k, c in columns.items()}
    many = {k: np.tile(c, 600) for k, c in few.items()}
    assert sg.Objective("mean((y - (w*x + b))**2)", data=many).kernel().large
    runs = [
        sg.Objective("mean((y - (w*x + b))**2)", data=d, tier="numba").minimize(start=[1, 1], lr=0.1, steps=20)
        for d in (few, many)
    ]
    assert runs[0].history.point == pytest.approx(runs[1].history.point, rel=1e-11)


def test_many_parameters_over_many_rows(columns):
    names = [f"a{i}" for i in range(18)]
    text = "mean((y - (" + " + ".join(f"{n}*x**{i}/10**{i}" for i, n in enumerate(names)) + "))**2)"
    few = {k: c[:500] for k, c in columns.items()}
    point = np.linspace(-1, 1, 18)
    kernels = [sg.Objective(text, data=few, tier=t).kernel() for t in ("python", "numba")]
    big = sg.Objective(text, data={k: np.tile(c, 300) for k, c in few.items()}, tier="numba").kernel()
    values = [k.slope(point) for k in (*kernels, big)]
    for f, g in values[1:]:
        assert f == pytest.approx(values[0][0], rel=1e-12)
        assert g == pytest.approx(values[0][1], rel=1e-11, abs=1e-13)
    products = [k.product(point, point) for k in (*kernels, big)]
    assert products[1] == pytest.approx(products[0], rel=1e-11, abs=1e-13)
    assert products[2] == pytest.approx(products[0], rel=1e-11, abs=1e-13)


# ---- the same in both tiers ----------------------------------------------------------------------------------------


SPECIAL = [0.0, -0.0, 1.0, -1.0, 800.0, -800.0, 1e308, -1e308, 5e-324]


@pytest.mark.parametrize(
    "text",
    ["exp(x) - exp(x)", "(exp(x) + x) - exp(x)", "1/x", "log(x)", "x**0.5", "x**-2", "(x + 1e308) - x", "sinh(x)",
     "gamma(x)", "lgamma(x)", "arcsin(x) + arctanh(x)", "sqrt(x)*tan(x)", "mod(x, 3) + cbrt(x)", "x**x",
     "x*1e308*10 - 1e300*x*x", "arccosh(x)/x"],
)  # fmt: skip
def test_both_tiers_meet_the_same_infinities(text):
    python, numba = (sg.Objective(text, tier=t).kernel() for t in ("python", "numba"))
    for x in SPECIAL:
        # Value and gradient: nan where the other is nan, infinite where the other is, of one sign.
        a, b = (np.array([f, *g]) for f, g in (k.slope(np.array([x])) for k in (python, numba)))
        assert np.isnan(a).tolist() == np.isnan(b).tolist(), (x, a, b)
        assert a[np.isinf(a)].tolist() == b[np.isinf(b)].tolist(), (x, a, b)


def test_generated_code_sees_nothing_but_the_table():
    def written(body):
        return Text("f", (Argument("_x0", "number"),), ("number",), "main", (), f"    return {body}\n")

    assert load_python([written("exp(_x0)")], "f")(0.0) == 1.0
    with pytest.raises(NameError):
        load_python([written("open('x')")], "f")(0.0)


@pytest.mark.parametrize("name", ["E", "I", "N", "S", "O", "Q", "beta", "gamma", "zeta", "lambda_", "x", "np", "math",
                                  "_t1", "_x0", "range", "min", "exp_", "int", "print", "self", "symgd"])  # fmt: skip
def test_parameters_may_be_called_anything(name):
    objective = sg.Objective(f"({name} - 2)**2 + exp(0*{name})", params=[name], tier="python")
    run = objective.minimize(start={name: 0.0})
    assert run.point == pytest.approx({name: 2.0})
    assert objective.gradient_at({name: 3.0}) == {name: 2.0}


# ---- the cache -----------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("SYMGD_CACHE", str(folder))
    return folder


def test_entries_come_back_and_the_folder_is_the_owners_alone(fresh):
    name = cache.key("a", "b")
    assert cache.load(name) is None
    cache.save(name, b"content")
    assert cache.load(name) == b"content"
    assert oct(fresh.stat().st_mode)[-3:] == "700"
    assert oct((fresh / name).stat().st_mode)[-3:] == "600"
    assert not list(fresh.glob(".new-*"))


@pytest.mark.parametrize("damage", [b"", b"symgd1 ", b"garbage" * 50, None])
def test_damaged_entries_are_ignored_and_replaced(fresh, damage):
    name = cache.key("a")
    cache.save(name, b"content")
    whole = (fresh / name).read_bytes()
    (fresh / name).write_bytes(whole[:-1] if damage is None else damage)
    assert cache.load(name) is None
    cache.save(name, b"content")
    assert cache.load(name) == b"content"


def test_an_entry_under_another_name_is_ignored(fresh):
    cache.save(cache.key("a"), b"content")
    (fresh / cache.key("a")).rename(fresh / cache.key("b"))
    assert cache.load(cache.key("b")) is None


def test_foreign_files_are_ignored(fresh):
    name = cache.key("a")
    cache.save(name, b"content")
    (fresh / name).chmod(0o666)
    assert cache.load(name) is None
    (fresh / name).chmod(0o600)
    assert cache.load(name) == b"content"
    fresh.chmod(0o777)
    assert cache.load(name) is None


def test_without_a_folder_all_works(monkeypatch, tmp_path):
    monkeypatch.setenv("SYMGD_CACHE", "off")
    assert cache.folder() is None
    assert sg.Objective("x**2", tier="numba").value(x=3) == 9
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SYMGD_CACHE", str(tmp_path / "file"))
    assert sg.Objective("x**2 + 1", tier="numba").value(x=3) == 10


def test_damaged_machine_code_is_compiled_again(fresh):
    assert sg.Objective("x**2 + 7", tier="numba").value(x=3) == 16
    for entry in fresh.iterdir():
        entry.write_bytes(entry.read_bytes()[:-5])
    assert sg.Objective("x**2 + 7", tier="numba").value(x=3) == 16


SCRIPT = """
import json, sys
import numpy as np
import symgd as sg
from symgd.language.functions import FUNCTIONS
run = sg.Objective("(a - 3)**2 + cosh(b)", tier="numba").minimize(start=[0, 2], lr=0.1, steps=50)
# Every function that compiled code may call outside of itself must be found without Numba.
calls = [r.name for r in FUNCTIONS.values() if r.kind == "map" and r.least == 1 and not r.boolean]
every = " + ".join(f"{name}(c/{i + 2})" for i, name in enumerate(calls)) + " + polygamma(2, c) + arctan2(c, 2)*c**c"
f, g = sg.Objective(every, tier="numba").kernel().slope(np.array([0.7]))
loaded = sorted(m for m in ("numba", "sympy", "scipy", "llvmlite") if m in sys.modules)
print(json.dumps([[*run.x.tolist(), f, *g.tolist()], loaded]))
"""


@pytest.mark.skipif(native.CHECKED, reason="what looks at bounds needs Numba's own helpers, and is compiled anew")
def test_the_second_process_needs_neither_numba_nor_sympy(fresh):
    environment = os.environ | {"SYMGD_CACHE": str(fresh)}
    command = [sys.executable, "-c", SCRIPT]
    # Two at once, writing the same entries; then one that finds them.
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    first = [json.loads(p.communicate(timeout=120)[0]) for p in both]
    second = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert first[0][0] == first[1][0] == second[0]
    assert second[1] == ["llvmlite"]


def test_short_runs_load_neither_numba_nor_llvm(fresh):
    script = SCRIPT.partition("# Every")[0].replace(', tier="numba"', "")
    script += 'print(json.dumps([m for m in ("numba", "llvmlite", "scipy", "sympy") if m in sys.modules]))'
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, env=os.environ)
    assert set(json.loads(done.stdout)) <= {"sympy"}


def test_the_callers_own_threads_do_not_disturb_each_other():
    rng = np.random.default_rng(0)
    data = {"X": rng.normal(size=(3_000, 10)), "T": np.eye(4)[rng.integers(0, 4, 3_000)]}
    f = sg.Objective("-mean(sum(T*logsoftmax(X @ W), axis=1))", data=data, params={"W": (10, 4)}, tier="numba")
    points = [rng.normal(size=(10, 4)) for _ in range(40)]
    alone = [f.gradient_at(W=point)["W"].tobytes() for point in points]
    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            assert list(pool.map(lambda point: f.gradient_at(W=point)["W"].tobytes(), points)) == alone


def test_any_number_of_sums_beside_those_over_the_rows():
    frequencies = np.arange(1, 81)  # more than any fixed room for sums would be taken for
    text = "mean((x - a)**2) + " + " + ".join(f"sum(sin({k}*w + a))" for k in frequencies)
    x = np.random.default_rng(0).standard_normal(3 * ROWS)
    w = np.array([0.3, -1.2, 0.7])
    f = sg.Objective(text, data={"x": x}, params={"a": (), "w": 3}, tier="numba")
    assert f.kernel().large
    angles = frequencies[:, None] * w + 0.25
    # 240 sines, each within an ulp of its own.
    assert f.value(a=0.25, w=w) == pytest.approx(np.mean((x - 0.25) ** 2) + np.sin(angles).sum(), abs=1e-12)
    slope = f.gradient_at(a=0.25, w=w)
    assert slope["a"] == pytest.approx(-2 * np.mean(x - 0.25) + np.cos(angles).sum(), abs=1e-11)
    assert slope["w"] == pytest.approx((frequencies[:, None] * np.cos(angles)).sum(axis=0), abs=1e-10)


# ---- what the key of an entry is made of ---------------------------------------------------------------------------

TRACED = """
import json, sys
from pathlib import Path

import numpy as np
import symgd as sg
from symgd.kernel.machine import compile as native

ran = set()


def watch(frame, event, _):
    if event == "call":
        ran.add(frame.f_code.co_filename)


def unwatched(*args, compile=native._compile, **more):  # Numba's own work takes ten times as long when it is watched
    sys.setprofile(None)
    try:
        return compile(*args, **more)
    finally:
        ran.update(m.__file__ for n, m in list(sys.modules.items()) if n.startswith("symgd"))
        sys.setprofile(watch)


native._compile = unwatched
sys.setprofile(watch)
X = np.ones((30, 9))
sg.Objective("0.2*a**2 + exp(-b)*digamma(2 + b**2)", tier="numba").minimize(start=[1, 1], method="adam", steps=3)
data, shapes = {"X": X, "y": X[:, 0]}, {"W": (9, 9), "w": 9}
f = sg.Objective("mean((y - tanh(X @ W) @ w)**2)", data=data, params=shapes, tier="numba")
f.minimize(start={"W": np.ones((9, 9)), "w": np.ones(9)}, lr="0.1/t", batch=10, epochs=1)
sg.Objective("a**2 + b**2", tier="numba").minimize_many(box=dict(a=(-1, 1), b=(-1, 1)), n=20, lr=0.1, steps=5)
sys.setprofile(None)
from symgd.kernel.machine import gemm as blas, cache, compile as native

known = set(map(str, cache.sources()))
package = str(cache.PACKAGE)
files = sorted(file for file in ran if not file.startswith("<"))
missing = [file for file in files if file.startswith(package) and file not in known]
others = {Path(file).parts[Path(file).parts.index("site-packages") + 1] for file in files if "site-packages" in file}
print(json.dumps([missing, sorted(others), len([f for f in files if f in known])]))
"""


@pytest.mark.compiled
def test_all_that_runs_while_code_is_made_is_in_the_key(fresh):
    done = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True, env=os.environ)
    assert not done.returncode, done.stderr
    missing, others, count = json.loads(done.stdout.splitlines()[-1])
    assert not missing
    assert count > 30  # the trace saw the package at work
    # The descents' linear algebra and progress bar, and setuptools' hook of imports, which make no code.
    beside = {"scipy", "tqdm", "_distutils_hack"}
    assert set(others) - beside <= set(cache.DISTRIBUTIONS), "name them there, or keep them out of making code"


STEPS = """
import symgd as sg
rule = sg.Rule("x = x - lr*g")
print(sg.Objective("a**2", tier="numba").minimize(start=[1.0], method=rule, lr=0.25, steps=1).point["a"])
"""


@pytest.mark.compiled
def test_another_version_does_not_run_what_this_one_left_in_the_cache(fresh, tmp_path):
    copy = tmp_path / "package"
    shutil.copytree(cache.PACKAGE, copy / "symgd", ignore=shutil.ignore_patterns("__pycache__"))
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}

    def steps():
        return subprocess.run(
            [sys.executable, "-c", STEPS], capture_output=True, text=True, check=True, env=environment, cwd=tmp_path
        ).stdout

    assert float(steps()) == 0.5
    assert float(steps()) == 0.5  # from the cache
    lowering = copy / "symgd" / "rules" / "lowering.py"
    text = lowering.read_text()
    old = 'return Lowered(graph, known["x"], states'
    assert old in text
    lowering.write_text(text.replace(old, 'return Lowered(graph, graph.negate(known["x"]), states'))
    assert float(steps()) == -0.5


@pytest.mark.compiled
def test_the_key_names_versions_flags_and_the_processor(monkeypatch):
    assert {f"{name} {__import__(name).__version__}" for name in ("numpy", "numba", "llvmlite")} <= set(
        cache.versions().split(", ")
    )
    before = native._machine()
    assert target.processor() in before
    monkeypatch.setenv("NUMBA_OPT", "1")
    assert native._machine() != before


def test_a_touched_source_is_read_again(fresh, tmp_path, monkeypatch):
    package = tmp_path / "symgd"
    package.mkdir()
    (package / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(cache, "PACKAGE", package)
    key = cache._generator.__wrapped__
    first = key(fresh)
    assert key(fresh) == first
    (package / "a.py").write_text("x = 2\n")  # as long as before
    second = key(fresh)
    assert second != first
    (package / "b.py").write_text("")
    assert key(fresh) not in (first, second)


# ---- the size of the cache -----------------------------------------------------------------------------------------


def test_the_oldest_unused_entries_make_room(fresh, monkeypatch):
    monkeypatch.setenv("SYMGD_CACHE_SIZE", "0.1")
    names = [cache.key(str(i)) for i in range(12)]
    now = time.time()
    for age, name in enumerate(names[:9]):
        cache.save(name, b"x" * 9_900)
        os.utime(fresh / name, (now - 1000 + age,) * 2)
    assert cache.load(names[0]) is not None  # it is the oldest, and was used now
    (fresh / "foreign").write_bytes(b"y" * 500_000)
    cache.save(names[9], b"x" * 9_900)
    left = {entry.path.name for entry in cache.entries()}
    assert names[0] in left
    assert names[9] in left
    assert names[1] not in left
    assert sum(entry.size for entry in cache.entries()) <= 100_000
    assert (fresh / "foreign").exists()


def test_what_is_used_again_and_again_is_not_written_to_each_time(fresh):
    name = cache.key("a")
    cache.save(name, b"content")
    stamp = time.time() - cache.RECENT / 2
    os.utime(fresh / name, (stamp, stamp))
    cache.load(name)
    assert (fresh / name).stat().st_mtime == pytest.approx(stamp, abs=1e-3)
    os.utime(fresh / name, (stamp - cache.RECENT, stamp - cache.RECENT))
    cache.load(name)
    assert (fresh / name).stat().st_mtime > stamp


def test_clearing_removes_entries_and_nothing_else(fresh):
    cache.save(cache.key("a"), b"content")
    (fresh / ".new-left").write_bytes(b"half")
    (fresh / "notes.txt").write_text("mine")
    assert len(cache.prune(0)) == 2
    assert [path.name for path in fresh.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("size", ["x", "-1", "1e3", "inf", "5 MB"])
def test_a_size_that_is_none_is_told(fresh, monkeypatch, size):
    monkeypatch.setenv("SYMGD_CACHE_SIZE", size)
    with pytest.raises(sg.UsageError, match=rf"SYMGD_CACHE_SIZE={size} must be a number of megabytes"):
        sg.Objective("x**2").value(x=1)


# ---- versions of Numba ---------------------------------------------------------------------------------------------


@pytest.mark.compiled
@pytest.mark.parametrize("version", ["0.60.0", "0.59.1rc1"])
def test_a_numba_that_would_crash_is_told(fresh, monkeypatch, version):
    import numba

    monkeypatch.setattr(numba, "__version__", version)
    with pytest.raises(sg.SymgdError, match=rf"cannot compile with Numba {version}; it knows 0\.61 to .*tier='python'"):
        sg.Objective("digamma(x)", tier="numba").value(x=1)


@pytest.mark.compiled
def test_a_numba_without_the_parts_that_are_used_is_told(fresh, monkeypatch):
    from numba.core import codegen

    monkeypatch.setattr(codegen.CPUCodeLibrary, "_get_module_for_linking", None)
    monkeypatch.delattr(codegen.CPUCodeLibrary, "_get_module_for_linking")
    with pytest.raises(sg.SymgdError, match="cannot compile with Numba"):
        sg.Objective("digamma(x)", tier="numba").value(x=1)
