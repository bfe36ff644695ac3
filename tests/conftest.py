"""What every test run shares: Hypothesis profiles, a cache of its own, no windows."""

import inspect
import os
import re
import shutil
import sys
import tempfile

import pytest
from hypothesis import HealthCheck, settings

# Compiling inside a property takes seconds on a cold cache, so neither single examples nor their generation are timed.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2_000)
settings.load_profile("default")  # `pytest --hypothesis-profile=thorough` comes later and wins


def pytest_configure(config):
    os.environ["MPLBACKEND"] = "Agg"
    if not hasattr(config, "workerinput"):  # the workers of xdist inherit the folder of the session
        config.symgd_cache = os.environ["SYMGD_CACHE"] = tempfile.mkdtemp(prefix="symgd-tests-")
        # The cache's key is kept there too, and not in the home of whoever runs the tests.
        os.environ["XDG_CONFIG_HOME"] = f"{config.symgd_cache}/config"


def pytest_unconfigure(config):
    if folder := getattr(config, "symgd_cache", None):
        shutil.rmtree(folder, ignore_errors=True)


# ---- what compiles -------------------------------------------------------------------------------------------------

# Files most of whose tests compile, if only in a process of their own.
COMPILED = {"test_blas.py", "test_vector.py", "test_many.py", "test_streams.py", "test_docs.py", "test_examples.py",
            "test_readme.py", "test_tutorials.py", "test_array_tutorials.py"}  # fmt: skip
NAMED = re.compile(r"""["']numba["']|minimize_many|workers=""")
UNMARKED = pytest.StashKey[list]()


def pytest_collection_modifyitems(config, items):
    for item in items:
        if compiles(item):
            item.add_marker("compiled")
    if "slow" not in config.option.markexpr:  # here, since an `-m` in pytest's own settings gives way to any other
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("slow")])
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


def compiles(item):
    """Tell whether a test compiles: its file says so, its parameters, or its text."""
    if item.path.name in COMPILED:
        return True
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    tiers = {"python", "numba"} & {value for value in given if isinstance(value, str)}
    if tiers:
        return "numba" in tiers
    function = getattr(item, "function", None)
    return function is not None and bool(NAMED.search(inspect.getsource(function)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    before = linked()
    try:
        return (yield)
    finally:
        if linked() > before and not item.get_closest_marker("compiled"):
            item.config.stash.setdefault(UNMARKED, []).append(item.nodeid)


def linked():
    """Count the compiled functions that this process has loaded."""
    native = sys.modules.get("symgd.kernel.machine.compile")
    return len(native._engines) if native else 0


def pytest_terminal_summary(terminalreporter, config):
    if "not compiled" in config.option.markexpr and (found := config.stash.get(UNMARKED, [])):
        terminalreporter.section("these compile, and should be marked")
        for name in found:
            terminalreporter.line(name)
