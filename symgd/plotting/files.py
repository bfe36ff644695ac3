"""How pictures become files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from symgd.errors import UsageError, safe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".png", ".svg", ".pdf")


def check_path(path: str | Path) -> Path:
    """Refuse a file that no picture can be written to, before any work is done.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        If its suffix is unknown, or its folder does not exist.
    """
    return checked(path, SUFFIXES, "the picture")


def checked(path: str | Path, suffixes: tuple[str, ...], what: str) -> Path:
    """Refuse a file of another kind, or in a folder that does not exist."""
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        raise UsageError(f"{what} '{safe(str(target))}' must end in {', '.join(suffixes[:-1])} or {suffixes[-1]}")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder '{safe(str(target.parent))}' for {what} '{safe(target.name)}'")
    return target


def save(picture: Axes | Figure, path: str | Path) -> Path:
    """Write a picture to a file.

    Parameters
    ----------
    picture : Axes or Figure
        What to write: a figure, or the one that an Axes stands in.
    path : str or Path
        A name ending in ``.png``, ``.svg`` or ``.pdf``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UsageError
        If the suffix is unknown, or the folder does not exist.
    """
    target = check_path(path)
    figure: Any = picture
    while not isinstance(figure, Figure):  # an Axes may stand in a figure within a figure
        figure = figure.figure
    figure.savefig(target, dpi=150)
    return target
