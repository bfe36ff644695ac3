"""The documentation is true: the blocks of a page run in order, and print what stands below them."""

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\w+)[ \t]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
# `...` stands for what differs from run to run, such as seconds.
CHECKER = doctest.OutputChecker()


def programs(page):
    """(line, language, code, expected output) of every block that runs, in order; the output stands right below."""
    text = page.read_text(encoding="utf-8")
    blocks = list(FENCE.finditer(text))
    for block, following in zip_longest(blocks, blocks[1:]):
        if block[1] in ("python", "bash"):
            below = following and following[1] == "text" and not text[block.end() : following.start()].strip()
            yield text.count("\n", 0, block.start()) + 1, block[1], block[2], following[2] if below else ""


def shell(code):
    """What the commands of symgd in a block write, errors included."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    written = ""
    for line in code.splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "symgd"
        done = subprocess.run(
            [sys.executable, "-m", "symgd", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        written += done.stdout
    return written


def python(code, page, line, space):
    """What a block prints, run in the namespace of its page."""
    with contextlib.redirect_stdout(io.StringIO()) as written:
        exec(compile("\n" * line + code, page.name, "exec"), space)
    return written.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_print_what_the_page_says(page, tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    space = {"__name__": "__main__"}
    for line, language, code, expected in programs(page):
        got = shell(code) if language == "bash" else python(code, page, line, space)
        assert CHECKER.check_output(expected, got, doctest.ELLIPSIS), (
            f"{page.name}, line {line}, says\n{expected}\nbut prints\n{got}"
        )


def test_quickstart_and_language_show_code():
    shown = {page.stem: len(list(programs(page))) for page in PAGES}
    assert shown["quickstart"] >= 5
    assert shown["language"] >= 2


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
