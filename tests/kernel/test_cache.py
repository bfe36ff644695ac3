"""The cache's folder: what is trusted, what is refused, and what is left alone."""

import compileall
import os
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from symgd.kernel.machine import cache, shelf

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners, links and pipes as POSIX has them")

NAME = cache.key("a")


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMGD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "cache"


@pytest.mark.parametrize("text", ["off", "OFF", "Off ", "none", "No", "false", "0", ""])
def test_words_that_mean_no_cache(monkeypatch, text):
    monkeypatch.setenv("SYMGD_CACHE", text)
    assert cache.folder() is None
    cache.save(NAME, b"content")
    assert cache.load(NAME) is None
    assert cache.entries() == cache.prune(0) == []


def test_a_tilde_is_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SYMGD_CACHE", "~/kept")
    assert cache.folder() == tmp_path / "kept"
    monkeypatch.setenv("SYMGD_CACHE", "~nobody-of-this-name/kept")
    assert cache.folder() is None


def test_nobody_keeps_nothing_and_the_effective_user_counts(fresh, monkeypatch):
    cache.save(NAME, b"content")
    monkeypatch.setattr(os, "geteuid", lambda: shelf.NOBODY)
    assert cache.folder() is None
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert cache.folder() == fresh
    assert cache.load(NAME) is None  # the files are another's
    monkeypatch.undo()


def test_links_are_not_followed(fresh, tmp_path):
    cache.save(NAME, b"content")
    (fresh / NAME).rename(tmp_path / "elsewhere")
    (fresh / NAME).symlink_to(tmp_path / "elsewhere")
    assert cache.load(NAME) is None
    cache.save(NAME, b"anew")
    assert cache.load(NAME) == b"anew"
    assert (tmp_path / "elsewhere").read_bytes().endswith(b"content")
    fresh.rename(tmp_path / "moved")
    fresh.symlink_to(tmp_path / "moved")
    assert cache.load(NAME) is None
    assert cache.prune(0) == []


def test_a_pipe_is_not_waited_for(fresh):
    cache.save(NAME, b"content")
    (fresh / NAME).unlink()
    os.mkfifo(fresh / NAME)
    assert cache.load(NAME) is None
    (fresh / NAME).unlink()
    (fresh / NAME).mkdir()
    assert cache.load(NAME) is None
    cache.save(NAME, b"content")  # a folder is in the way
    assert cache.load(NAME) is None
    assert not list(fresh.glob(".new-*"))


def test_entries_are_of_bounded_size(fresh, monkeypatch):
    monkeypatch.setattr(shelf, "LARGEST", 1000)
    cache.save(NAME, b"x" * 2000)
    assert not fresh.exists()
    cache.save(NAME, b"x" * 500)
    with (fresh / NAME).open("r+b") as file:
        file.truncate(1 << 40)  # would not fit in memory
    assert cache.load(NAME) is None


def test_what_merely_belongs_to_the_user_is_not_trusted(fresh, tmp_path, monkeypatch):
    cache.save(NAME, b"content")
    key = tmp_path / "config" / "symgd" / "cache-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    shelf._key.cache_clear()
    assert cache.load(NAME) == b"content"  # the key is kept
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "of another"))
    assert cache.load(NAME) is None


@pytest.mark.parametrize("way", ["short", "long", "open", "link", "pipe"])
def test_a_key_that_cannot_be_used_is_made_anew(fresh, tmp_path, way):
    cache.save(NAME, b"content")
    key = tmp_path / "config" / "symgd" / "cache-key"
    old = key.read_bytes()
    if way in ("short", "long"):
        key.write_bytes(old[:-1] if way == "short" else old + b"x")
    elif way == "open":
        key.chmod(0o644)
    else:
        key.rename(tmp_path / "kept")
        key.symlink_to(tmp_path / "kept") if way == "link" else os.mkfifo(key)
    shelf._key.cache_clear()
    assert cache.load(NAME) is None
    assert len(key.read_bytes()) == shelf.BYTES
    assert key.read_bytes() != old
    assert not key.is_symlink()
    cache.save(NAME, b"anew")
    assert cache.load(NAME) == b"anew"
    assert [path.name for path in key.parent.iterdir()] == ["cache-key"]


def test_without_a_home_the_key_lies_beside_the_cache(fresh, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    cache.save(NAME, b"content")
    assert cache.load(NAME) == b"content"
    assert (tmp_path / ".symgd-cache-key").stat().st_size == shelf.BYTES


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs the superuser")
def test_the_superuser_makes_no_folders_in_the_home_of_another(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 1000, 1000)
    monkeypatch.setenv("HOME", str(home))
    for name in ("SYMGD_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    cache.save(NAME, b"content")
    assert cache.load(NAME) is None
    assert list(home.iterdir()) == []


def test_what_killed_writers_left_is_removed(fresh):
    cache.save(NAME, b"content")
    for name, age in ((".new-0000old", 2 * cache.STALE), (".new-0000now", 0)):
        (fresh / name).write_bytes(b"half")
        os.utime(fresh / name, (time.time() - age,) * 2)
    cache._written.clear()
    cache.save(cache.key("b"), b"content")  # the first of a process looks through the folder
    assert {path.name for path in fresh.iterdir()} == {NAME, cache.key("b"), ".new-0000now"}


@pytest.mark.parametrize("name", ["NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "LLVM_PROFILE_FILE"])
def test_what_the_environment_tells_the_compiler_is_in_the_key(fresh, monkeypatch, name):
    before = cache.generator()
    monkeypatch.setenv(name, "generic")
    assert cache.generator() != before


GENERATOR = """
import symgd as sg
from symgd.kernel.machine import cache
assert sg.Objective("x**2 + 1").value(x=3) == 10
print(cache.__file__, len(cache.sources()), cache.generator())
"""


@pytest.mark.parametrize("form", ["archive", "compiled"])
def test_without_sources(fresh, tmp_path, form):
    copy, archive = tmp_path / "copy", tmp_path / "symgd.zip"
    shutil.copytree(cache.PACKAGE, copy / "symgd", ignore=shutil.ignore_patterns("__pycache__"))
    place = archive if form == "archive" else copy

    def run(text):
        (copy / "symgd" / "added.py").write_text(text)
        if form == "archive":
            with zipfile.ZipFile(archive, "w") as made:
                for path in sorted(copy.rglob("*")):
                    made.write(path, path.relative_to(copy))
        else:
            assert compileall.compile_dir(copy, quiet=1, legacy=True, workers=1)
            for path in copy.rglob("*.py"):
                path.unlink()
        done = subprocess.run(
            [sys.executable, "-c", GENERATOR], capture_output=True, text=True, cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(place)},
        )  # fmt: skip
        assert not done.returncode, done.stderr
        return done.stdout.split()

    file, count, first = run("x = 1")
    assert str(place) in file
    assert int(count) == (1 if form == "archive" else len(cache.sources()) + 1)
    assert list(fresh.iterdir())
    assert run("x = 2")[2] != first


def test_a_file_in_the_way_is_no_error(tmp_path, monkeypatch):
    Path(tmp_path / "file").write_text("")
    monkeypatch.setenv("SYMGD_CACHE", str(tmp_path / "file" / "below"))
    cache.save(NAME, b"content")
    assert cache.load(NAME) is None
