"""From options to the objective: its data, and the shapes of its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from symgd.cli import values
from symgd.errors import UsageError, safe

if TYPE_CHECKING:
    from symgd.cli.options import Options
    from symgd.data import Columns
    from symgd.objective import Objective

_NAMED = r"(?s)\s*(\w+)\s*=(.*)"  # of a path, what stands before = would hold a / or a dot


def objective(options: Options) -> Objective:
    """Make the objective.

    Parameters
    ----------
    options : dict
        Those of the command.

    Returns
    -------
    Objective

    Raises
    ------
    FormulaError
        If the formula is none.
    DataError
        If the data cannot be used.
    UsageError
        If options contradict each other.
    """
    from symgd.objective import Objective

    shapes = _shapes(options.get("shape", ()))
    data = _data(options, shapes)
    names = None if options["params"] is None else listed(options["params"])
    params: Any = names
    if names is not None and shapes:
        params = {name: shapes.pop(name, ()) for name in names}
    found = Objective(options["formula"], data, params, tier=options.get("tier") or "auto")
    return found.with_shapes(shapes) if shapes else found


def has_arrays(objective: Objective) -> bool:
    """Tell whether parameters are arrays.

    Parameters
    ----------
    objective : Objective
        The objective.

    Returns
    -------
    bool

    Raises
    ------
    UsageError
        If their shapes are not known.
    """
    try:
        return any(objective.shown.shapes.values())
    except UsageError as problem:
        what = str(problem).partition(";")[0]
        number = ", and x=() for a number" if "may be a number" in what else ""
        raise UsageError(
            f"{what}; give the shapes of all arrays: --shape x=3,W=64x32{number}; or name the columns: --data-names x,y"
        ) from None


def listed(text: str) -> list[str]:
    """Read names, with commas between them.

    Parameters
    ----------
    text : str
        What was typed.

    Returns
    -------
    list of str
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def _shapes(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Read ``w=3,W=64x32,b=()``; no length for a number."""
    found: dict[str, tuple[int, ...]] = {}
    for item in (item for text in texts for item in values.items(text)):
        name, _, text = (part.strip() for part in item.partition("="))
        if text in ("()", "[]") and name and name not in found:
            found[name] = ()
            continue
        sizes = text.strip("()[]").replace("×", "x").replace(",", "x").strip("x ").split("x")
        if not name or not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
            raise UsageError(f"--shape {safe(item)} must be name=length or name=length x length, such as W=64x32")
        if name in found:
            raise UsageError(f"--shape gives '{safe(name)}' twice")
        found[name] = tuple(int(size) for size in sizes)
    return found


# ---- data ----------------------------------------------------------------------------------------------------------


def columns(options: Options) -> Any:
    """Give the arrays and numbers that options name.

    Parameters
    ----------
    options : dict
        Those of the command.

    Returns
    -------
    dict or None
        ``None`` if there are none.

    Raises
    ------
    UsageError
        If a name is given twice.
    """
    return _data(options, {})


def _data(options: Options, shapes: dict[str, tuple[int, ...]]) -> Any:
    """Give arrays and numbers; or the names of columns alone, or what stands for them where they have shapes."""
    numbers, unnamed = values.named(options["numbers"], "--set", values.value)
    if unnamed:
        raise UsageError("--set takes name=value, such as --set n=3")
    if options.get("data_names") is not None:
        if numbers or options["data"]:
            raise UsageError("--data-names declares columns without values; give it without --data and --set")
        return _stand_ins(listed(options["data_names"]), shapes)
    found = _loaded(options["data"])
    for name in numbers:
        if name in found:
            raise UsageError(f"--set {safe(name)}: the data have a column of that name")
    found.update(numbers)
    return found or None


def _loaded(texts: Iterable[str]) -> Columns:
    """Read all files."""
    from symgd.data import Columns, column, load

    found = Columns()
    for text in texts:
        one = re.fullmatch(_NAMED, text)
        part: Mapping[str, object] = {one[1]: column(one[1], one[2].strip())} if one else load(text)
        for name, array in part.items():
            if name in found:
                raise UsageError(
                    f"--data gives '{safe(name)}' twice; name arrays yourself: --data {safe(name)}=FILE.npy"
                )
            found[name] = array
        found.left_out |= getattr(part, "left_out", {})
    return found


def _stand_ins(names: list[str], shapes: dict[str, tuple[int, ...]]) -> Any:
    """Give zeros for data of which only shapes are known: derivatives do not depend on the values."""
    shaped = {name: shapes.pop(name) for name in names if name in shapes}
    if not shaped:
        return tuple(names)
    import numpy as np

    rows = next(iter(shaped.values()))[:1]
    return {name: np.zeros(shaped.get(name, rows), dtype=np.int64) for name in names}
