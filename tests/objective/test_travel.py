"""Objects travel: by pickle and copy, to processes that are spawned or forked, through joblib and Dask."""

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import symgd as sg
from symgd import language as fm

ROOT = Path(__file__).parents[2]
WAYS = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "oldest": lambda thing: pickle.loads(pickle.dumps(thing, 2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
DATA = {"X": X, "y": X @ [1, 2, 3] + RNG.normal(size=200), "u": RNG.integers(0, 4, 200)}
TEXTS = {
    "mean((y - X @ w - b)**2)": {"w": np.zeros(3), "b": 0.0},
    "mean((y - U[u])**2) + sum(U**2)": {"U": np.ones(4)},
    "0.2*a**2 + log(1 + b**2)": {"a": 3.0, "b": 1.0},
}


def same(a, b):
    assert a.x.tobytes() == b.x.tobytes()
    assert a.history.point.tobytes() == b.history.point.tobytes()
    assert (a.outcome, a.kind, a.steps, a.evaluations) == (b.outcome, b.kind, b.steps, b.evaluations)


def objective(text, **options):
    used = [name for name in DATA if name in fm.names(fm.parse(text))]
    return sg.Objective(text, {name: DATA[name] for name in used}, **options)


@pytest.mark.parametrize("tier", ["python", "numba"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("way", WAYS)
def test_an_objective_that_has_run_and_its_run(way, text, tier):
    go, start = WAYS[way], TEXTS[text]
    f = objective(text, tier=tier)
    run = f.minimize(start, lr=0.05, steps=20)
    g, again = go(f), go(run)
    assert repr(g) == repr(f)
    assert (g.params, g.columns, g.tier, g.workers, g.model.shapes) == (
        f.params, f.columns, f.tier, f.workers, f.model.shapes)  # fmt: skip
    assert g.jac(run.x).tobytes() == f.jac(run.x).tobytes()
    same(again, run)
    assert again.to_dict() == run.to_dict()  # the diagnosis is worked out where it arrives
    same(g.resume(again, steps=40), f.resume(run, steps=40))
    same(again.objective.minimize(start, lr=0.05, steps=20), run)


@pytest.mark.parametrize("way", WAYS)
def test_many_descents_fits_rules_and_what_they_are_made_of(way):
    go = WAYS[way]
    f = sg.Objective("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", tier="python")
    many = f.minimize_many(box={"x": (-5, 5), "y": (-5, 5)}, n=32)
    assert repr(go(many)) == repr(many)  # before and after the minima were told apart
    assert go(many).to_dict() == many.to_dict()
    assert len(go(many).to_frame()) == 32
    fit = sg.fit("a*exp(-b*x)", {"x": np.arange(5.0), "y": [5.1, 3.0, 2.1, 1.2, 0.8]}, start={"a": 1, "b": 1})
    assert go(fit).summary() == fit.summary()
    rule = sg.Rule("v = beta*v + g; x = x - lr*v", beta=0.9)
    assert go(rule) == rule
    assert go(rule.theory(smallest=1, largest=9, lr=0.1)).rate == rule.theory(smallest=1, largest=9, lr=0.1).rate
    assert dict(go(f.gradient).text()) == dict(f.gradient.text())
    assert go(f.curvature(x=3, y=2)).condition == f.curvature(x=3, y=2).condition


@pytest.mark.parametrize("way", WAYS)
def test_objectives_whose_shapes_are_open_or_declared(way):
    go = WAYS[way]
    for f in (
        sg.Objective("sum(x[1:]*x[:-1])"), sg.Objective("sum(x[1:]*x[:-1])").with_shapes({"x": 4}),
        sg.Objective("mean(a*x + pi)", data=("x",)), sg.Objective("b + a", params=["a", "b"], workers=2, tier="python"),
        sg.Objective("sum(w) + k*e", {"k": 2.0}, params={"w": (2,)}),
    ):  # fmt: skip
        g = go(f)
        assert repr(g) == repr(f)
        assert (g._declared, g._guessed, g.params, g.workers) == (f._declared, f._guessed, f.params, f.workers)
        assert (g._open and vars(g._open)) == (f._open and vars(f._open))


@pytest.mark.parametrize(
    "error",
    [
        lambda: sg.Objective("x + sinn(y)"), lambda: sg.Objective("x**2").gradient["y"],
        lambda: sg.Objective("x", workers=0), lambda: sg.Objective("mean(X)", {"X": {1}}),
    ],
)  # fmt: skip
def test_errors_travel_too(error):
    with pytest.raises(sg.SymgdError) as problem:
        error()
    again = pickle.loads(pickle.dumps(problem.value))
    assert (type(again), str(again)) == (type(problem.value), str(problem.value))


# ---- other processes -----------------------------------------------------------------------------------------------


def _descend(f, start):
    return f.minimize(start, lr=0.05, steps=20)


@pytest.mark.parametrize("how", ["spawn", "fork"])
def test_processes(how):
    if how not in multiprocessing.get_all_start_methods():
        pytest.skip("this system does not fork")
    code = f"""
        import multiprocessing, warnings
        import numpy as np, symgd as sg
        from symgd.kernel import threads
        threads.LARGE = 1  # so that rows go to threads
        text, start = "mean((y - X @ w - b)**2)", {{"w": np.zeros(3), "b": 0.0}}

        def work(given):
            f, run = given
            threads.LARGE = 1
            return f.minimize(start, lr=0.05, steps=5), f.resume(run, steps=9), run.diagnosis

        if __name__ == "__main__":
            warnings.simplefilter("ignore")  # of forking beside threads, which is what is tried
            X = np.random.default_rng(0).normal(size=(20_000, 3))
            f = sg.Objective(text, {{"X": X, "y": X @ [1, 2, 3]}}, tier="numba", workers=2)
            run = f.minimize(start, lr=0.05, steps=5)  # threads have run before the fork
            with multiprocessing.get_context({how!r}).Pool(2) as pool:
                found = pool.map_async(work, [(f, run)] * 2).get(timeout=120)
            for mine, longer, _ in found:
                assert mine.x.tobytes() == run.x.tobytes(), "another end"
                assert longer.x.tobytes() == f.resume(run, steps=9).x.tobytes(), "another end when resumed"
            print("done")
    """
    done = _in_a_file(code)
    assert done.stdout.strip() == "done", done.stderr


def _in_a_file(code):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "main.py")
        path.write_text(textwrap.dedent(code))
        path_of = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, path], capture_output=True, text=True, env=path_of, timeout=250)


def test_joblib():
    joblib = pytest.importorskip("joblib")
    f, start = objective("mean((y - X @ w - b)**2)", tier="python"), TEXTS["mean((y - X @ w - b)**2)"]
    wanted = _descend(f, start)
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(f.minimize)(start, lr=0.05, steps=20) for _ in range(2))
    for run in found:
        same(run, wanted)


def test_dask():
    distributed = pytest.importorskip("distributed")
    cloudpickle = pytest.importorskip("cloudpickle")
    f, start = objective("mean((y - X @ w - b)**2)", tier="python"), TEXTS["mean((y - X @ w - b)**2)"]
    wanted = _descend(f, start)
    same(cloudpickle.loads(cloudpickle.dumps(lambda: f.minimize(start, lr=0.05, steps=20)))(), wanted)
    code = """
        import numpy as np, symgd as sg
        from distributed import Client, LocalCluster

        if __name__ == "__main__":
            f = sg.Objective("mean((x - a)**2)", {"x": np.arange(9.0)}, tier="python")
            options = dict(n_workers=1, threads_per_worker=2, dashboard_address=None)
            with LocalCluster(**options) as cluster, Client(cluster) as client:
                runs = client.gather([client.submit(f.minimize, [k], lr=0.1, steps=9, pure=False) for k in (1.0, 2.0)])
            assert [r.x.tolist() for r in runs] == [f.minimize([k], lr=0.1, steps=9).x.tolist() for k in (1.0, 2.0)]
            print("done")
    """
    assert distributed
    done = _in_a_file(code)
    assert done.stdout.strip() == "done", done.stderr
