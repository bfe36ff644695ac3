"""What every test run shares: Hypothesis profiles, a cache of its own, no windows."""

import os
import shutil
import tempfile

from hypothesis import HealthCheck, settings

# Compiling inside a property takes seconds on a cold cache, so neither single examples nor their generation are timed.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2_000)
settings.load_profile("default")  # `pytest --hypothesis-profile=thorough` comes later and wins


def pytest_configure(config):
    os.environ["MPLBACKEND"] = "Agg"
    if not hasattr(config, "workerinput"):  # the workers of xdist inherit the folder of the session
        config.symgd_cache = os.environ["SYMGD_CACHE"] = tempfile.mkdtemp(prefix="symgd-tests-")


def pytest_unconfigure(config):
    if folder := getattr(config, "symgd_cache", None):
        shutil.rmtree(folder, ignore_errors=True)
