"""README is true: its commands run and its example prints what it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def blocks():
    """(language, content) of every fenced block of README, in order."""
    return re.findall(r"^```(\w+)[ \t]*\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def commands(number):
    """The parts of README's bash block of that number, which is one line of parts joined by &&."""
    block = [content for language, content in blocks() if language == "bash"][number]
    (line,) = block.splitlines()
    return [part.strip() for part in line.split("&&")]


@pytest.fixture
def run(tmp_path):
    """Run Python as a reader would at the top of the project, but in a folder that may be written to."""
    (tmp_path / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
        )

    return run


def test_first_command_installs_and_minimises(run):
    install, minimise = commands(0)
    assert install.startswith("pip install ")
    assert minimise.startswith("symgd minimize ")
    done = run("-m", *shlex.split(minimise))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


def test_second_command_installs_and_tests():
    install, test = commands(1)
    assert install.startswith("pip install ")
    assert "[test]" in install
    assert test.split()[0] == "pytest"


def test_python_example_prints_what_readme_says(run):
    content = blocks()
    example = next(number for number, (language, _) in enumerate(content) if language == "python")
    expected = next(text for language, text in content[example:] if language == "text")
    done = run("-c", content[example][1])
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected
