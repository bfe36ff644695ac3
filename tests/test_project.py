"""What holds for the project as a whole."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import symgd

ROOT = Path(__file__).parents[1]
HEAVY = ["sympy", "numba", "scipy", "matplotlib", "pandas", "hypothesis", "numpy"]


def test_version_is_the_one_of_pyproject():
    assert symgd.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_import_loads_nothing_heavy():
    code = f"import sys, symgd; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", symgd.__all__)
def test_public_name_is_there_and_listed(name):
    assert getattr(symgd, name) is not None
    assert name in dir(symgd)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonesuch"):
        symgd.nonesuch


def test_readme_has_exactly_two_setup_commands():
    blocks = re.findall(r"^```bash\s*\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    commands = [line for block in blocks for line in block.splitlines() if "install" in line]
    assert len(commands) == 2
    assert [block.strip() for block in blocks[:2]] == commands


# ---- how long things are ---------------------------------------------------------------------------------------------

LONGEST_FILE, LONGEST_FUNCTION = 400, 50
TABLES = {"language/functions.py"}


def sources():
    return {str(path.relative_to(ROOT / "symgd")): path.read_text() for path in (ROOT / "symgd").rglob("*.py")}


def code_lines(function):
    """The lines of a function without its docstring."""
    first = function.body[0]
    described = ast.get_docstring(function, clean=False) is not None
    return function.end_lineno - function.lineno + 1 - described * (first.end_lineno - first.lineno + 1)


def test_files_are_short():
    long = {name for name, text in sources().items() if text.count("\n") > LONGEST_FILE} - TABLES
    assert not long


def test_functions_are_short():
    long = set()
    for name, text in sources().items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and code_lines(node) > LONGEST_FUNCTION:
                long.add(f"{name} {node.name}")
    assert long == set()


@pytest.mark.parametrize(("options", "left"), [([], False), (["-m", "not compiled"], False), (["-m", "slow"], True)])
def test_slow_tests_run_where_they_are_asked_for(options, left):
    file = ROOT / "tests" / "views" / "test_sympy_road.py"
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", file, *options]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert ("::test_thousands_of" in told) is left
