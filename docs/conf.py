"""Settings of the documentation: `sphinx-build -W docs docs/_build`."""

import shutil
import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
GENERATED = DOCS / "_generated"
sys.path[:0] = [str(DOCS), str(ROOT)]  # tables.py, and the source that the documentation stands beside

import figures  # noqa: E402
import tables  # noqa: E402

project = "symgd"
author = "symgd contributors"
copyright = "2026, symgd contributors"  # noqa: A001
release = version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_generated/*.md", "_generated/examples", "sg_execution_times.rst"]
suppress_warnings = ["config.cache"]  # the gallery's settings cannot be pickled, which only costs a rebuild

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # autosummary lists them
numpydoc_class_members_toctree = False

html_theme = "furo"
html_title = f"symgd {release}"

# What is made from the source on every build.
GENERATED.mkdir(exist_ok=True)
for name, page in tables.PAGES.items():
    (GENERATED / f"{name}.md").write_text(page(), encoding="utf-8")
figures.write(GENERATED / "images")

# The gallery reads a copy of the examples, since it would take the README beside the data for a chapter of its own.
shutil.rmtree(GENERATED / "examples", ignore_errors=True)
shutil.copytree(
    ROOT / "examples", GENERATED / "examples", ignore=shutil.ignore_patterns("README*", "__pycache__", "*.pyc")
)
(GENERATED / "examples" / "GALLERY_HEADER.rst").write_text(
    "Examples\n========\n\nEach of these is a script in ``examples/`` that runs as it stands.\n", encoding="utf-8"
)
sphinx_gallery_conf = {
    "examples_dirs": [str(GENERATED / "examples")],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"\.py$",  # all are executed
    "capture_repr": ("_repr_html_",),  # films, and no names of Axes
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": float("inf"),
}
