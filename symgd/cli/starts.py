"""Points: numbers and arrays, spelt out, filled, drawn, or read from files; and as ``--start`` takes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symgd.cli import values
from symgd.errors import DataError, SymgdError, UsageError, safe

if TYPE_CHECKING:
    from numpy.random import Generator

    from symgd.cli.options import Options
    from symgd.objective import Objective

_MOST = 1 << 30  # numbers that an array may be filled with
_FACTOR = r"(?P<{}>[^()\[\]*/]+)"
# zeros(3), 0.1*normal(64,32), normal((64,32))/8
_FILLED = (
    rf"\s*(?:{_FACTOR.format('factor')}\*)?\s*(?P<what>zeros|ones|normal)\s*"
    rf"\(\s*\(?(?P<sizes>[\d\s,]+)\)?\s*\)\s*(?:/{_FACTOR.format('divisor')})?"
)


def read(texts: Iterable[str], option: str, seed: float | None = None) -> Any:
    """Read a point.

    Parameters
    ----------
    texts : iterable of str
        What was typed, once for each time that the option was given.
    option : str
        The option, for messages.
    seed : float, optional
        Of the arrays that are drawn: ``normal(2,3)`` is what NumPy's ``default_rng(seed).normal(size=(2, 3))`` gives,
        one array after the other, in the order in which they were typed.

    Returns
    -------
    dict or list
        The values by name; or in the order of the parameters.

    Raises
    ------
    UsageError
        For what is no value, and a name that is given twice.
    DataError
        For a file that cannot be read.
    """
    typed = list(texts)
    files = [text.strip() for text in typed if _is_file(text)]
    draw = _drawing(seed)
    found, unnamed = values.named([text for text in typed if not _is_file(text)], option, draw)
    if files and unnamed:
        raise UsageError(f"{option} must give all values by name, or all by position; got both")
    for path in files:
        for name, value in _from_file(Path(path)).items():
            if name in found:
                raise UsageError(f"{option} gives '{safe(name)}' twice")
            found[name] = value
    return unnamed or found


def _is_file(text: str) -> bool:
    return "=" not in Path(text).name and Path(text.strip()).suffix in (".npz", ".json")


def written(point: Mapping[str, Any]) -> str:
    """Give a point as ``--start`` takes it.

    Parameters
    ----------
    point : mapping of str to float or ndarray
        The point.

    Returns
    -------
    str
    """
    return ",".join(
        f"{name}={value!r}"
        if isinstance(value, float)
        else f"{name}={json.dumps(value.tolist(), separators=(',', ':'))}"
        for name, value in point.items()
    )


# ---- arrays that are filled, drawn or read -------------------------------------------------------------------------


def _drawing(seed: float | None) -> values.ReadValue[object]:
    """Give what reads one value, and draws from one generator after the other."""
    generators: list[Generator] = []

    def read_one(option: str, name: str, text: str) -> object:
        filled = re.fullmatch(_FILLED, text)
        if filled:
            if filled["what"] == "normal" and not generators:
                import numpy as np

                generators.append(np.random.default_rng(_seed(seed)))
            return _fill(option, name, filled, generators[0] if generators else None)
        if text.strip().endswith(".npy") and name:
            return _array(Path(text.strip()))
        return values.value(option, name, text)

    return read_one


def _seed(seed: float | None) -> int:
    if seed is None:
        return 0
    if seed < 0 or not seed.is_integer():
        raise UsageError(f"seed={seed:g} must be a whole number of at least 0")
    return int(seed)


def _fill(option: str, name: str, filled: re.Match[str], generator: Generator | None) -> object:
    import numpy as np

    shape = tuple(int(size) for size in filled["sizes"].split(",") if size.strip())
    if not shape or math.prod(shape) > _MOST:
        raise UsageError(f"{values.place(option, name, filled[0])}: give the lengths of the axes, such as zeros(2,3)")
    factor = values.number(option, name, filled["factor"]) if filled["factor"] else 1.0
    divisor = values.number(option, name, filled["divisor"]) if filled["divisor"] else 1.0
    if divisor == 0:
        raise UsageError(f"{values.place(option, name, filled[0])}: division by zero")
    what = filled["what"]
    base = generator.normal(size=shape) if generator and what == "normal" else getattr(np, what)(shape)
    return factor * base / divisor


def _array(path: Path) -> Any:
    """Read a ``.npy`` file."""
    from symgd.data import Stored, column

    found = column(path.stem if path.stem.isidentifier() else "start", path)
    return found.whole() if isinstance(found, Stored) else found


def _from_file(path: Path) -> dict[str, object]:
    """Read all parameters: a mapping of names, the JSON account of a run, or a saved run."""
    if path.suffix == ".json":
        return _from_json(path)
    from symgd.data import load

    found: dict[str, object] = dict(load(path))
    return _of_saved(path) if "array_x" in found else found


def _from_json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"there is no file '{safe(str(path), 200)}'") from None
    except (OSError, ValueError, RecursionError) as problem:
        raise DataError(f"'{safe(str(path), 200)}' cannot be read as JSON: {safe(str(problem), 160)}") from None
    if isinstance(found, dict) and "state" in found and "arrays" in found:
        return _of_saved(path)
    if isinstance(found, dict) and isinstance(found.get("point"), dict):
        found = found["point"]
    if not isinstance(found, dict):
        raise DataError(f"'{safe(str(path), 200)}' must hold an object of names and values")
    return found


def _of_saved(path: Path) -> dict[str, object]:
    """Give the point at which a saved run stands."""
    from symgd import saving

    state = saving.read(path)
    try:
        x, point = state["x"], {}
        for name, shape in zip(state["params"], state.get("shapes") or [()] * len(state["params"]), strict=True):
            count = math.prod(shape)
            point[str(name)] = x[:count].reshape(shape) if shape else float(x[0])
            x = x[count:]
    except (LookupError, TypeError, ValueError) as problem:
        raise DataError(f"the saved run is damaged: {safe(repr(problem))}") from None
    return point


# ---- where a value is missing --------------------------------------------------------------------------------------


def complete(options: Options, objective: Objective) -> Any:
    """Read ``--start``, and see to it that it says something of every parameter.

    Parameters
    ----------
    options : dict
        Those of the command.
    objective : Objective
        The objective.

    Returns
    -------
    dict or list
        As `read` gives it.

    Raises
    ------
    UsageError
        If a value is missing; shows the call with it.
    """
    found = read(options["start"], "--start", options["seed"])
    given = found if isinstance(found, dict) else {}
    missing = [p for p in objective.params if p not in given]
    if isinstance(found, list) or not missing or set(given) - set(objective.params):
        return found  # what is wrong with these, the objective says
    count, listed = len(missing), ", ".join(missing[:8]) + (", ..." if len(missing) > 8 else "")
    raise UsageError(f"--start gives no value for {'the parameter' if count == 1 else 'the parameters'} {listed}"
                     f"{objective.lacking(missing)}; "
                     f"try:\n  {_example(options, objective, given)}")  # fmt: skip


def _example(options: Options, objective: Objective, given: Mapping[str, object]) -> str:
    """Write the call with a start for every parameter."""
    import shlex

    formula = objective.text if len(objective.text) <= 80 else "FORMULA"
    quoted = f'"{formula}"' if not set(formula) & set('"\\$`!') else shlex.quote(formula)
    data = "".join(f" --data {shlex.quote(safe(path))}" for path in options["data"])
    start = ",".join(f"{p}={_proposal(objective, p, given)}" for p in objective.params[:8])
    start = shlex.quote(start) if set(start) & set("()[]") else start
    more = ",..." if len(objective.params) > 8 else ""
    return f"symgd {click.get_current_context().info_name} {safe(quoted, 100)}{data} --start {start}{more}"


def _proposal(objective: Objective, name: str, given: Mapping[str, object]) -> str:
    value = given.get(name)
    if isinstance(value, float):
        return f"{value:g}"
    if value is not None:
        return "..."
    try:
        shape = objective.model.shapes[name]
    except SymgdError:  # an array, and nobody knows how long: what is indexed or multiplied by @ is one
        indexed = re.search(rf"\b{name}\s*[\[@.]|@\s*{name}\b", objective.text)
        shape = (3,) if indexed else ()
    return f"zeros({','.join(map(str, shape))})" if shape else "1"
