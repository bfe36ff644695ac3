"""Tables of the documentation that are made from the source, and by symgd itself, so that they cannot lag behind."""

import math
import re
import warnings
from collections.abc import Mapping

import numpy as np
from scipy import special

from symgd import FormulaError, Objective
from symgd.graph.exact import LARGEST_EXPONENT
from symgd.insight.findings import CODES
from symgd.language import tokens
from symgd.language.functions import CONSTANTS, FUNCTIONS
from symgd.rules import RULES
from symgd.rules.schedules import SCHEDULES
from symgd.testing import problems as known
from symgd.testing.laws import LAWS
from symgd.testing.problem_set import TAGS
from symgd.verdict import MEANINGS

# Spellings that overflow or lose digits, and a point at which they do.
SPELLINGS = (
    ("log(1 + exp(x))", {"x": 800.0}),
    ("log(exp(x) + exp(y))", {"x": 800.0, "y": 799.0}),
    ("1/(1 + exp(-x)) - 1", {"x": 50.0}),
    ("exp(x)/(1 + exp(x))", {"x": 800.0}),
    ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", {"x": 800.0}),
    ("log(cosh(x))", {"x": 800.0}),
    ("log(sinh(x))", {"x": 800.0}),
    ("1 - tanh(x)**2", {"x": 20.0}),
    ("exp(x) - 1", {"x": 1e-18}),
    ("log(1 + x)", {"x": 1e-18}),
    ("1 - cos(x)", {"x": 1e-9}),
    ("cosh(x) - 1", {"x": 1e-9}),
    ("sqrt(1 + x**2) - 1", {"x": 1e-9}),
    ("sqrt(x**2 + y**2)", {"x": 3e200, "y": 4e200}),
    ("log(x**2)", {"x": 1e-200}),
    ("1 - erf(x)", {"x": 10.0}),
    ("log(erfc(x))", {"x": 40.0}),
    ("log(gamma(x))", {"x": 200.0}),
)

# Mistakes, each of which has a message of its own.
MISTAKES = (
    "x + sinn(y)",
    "2x + 1",
    "x(y + 1)",
    "sin^2(x)",
    "|x - 1|",
    "f = x**2",
    "x if x > 0 else 0",
    "x > 0 & y > 0",
    "3×x",
    "2 or x",
    "1,5*x",
    "log(-1)*x",
    "x**20000",
)


def functions(kind: str) -> str:
    """Every function of one kind, as a MyST table; `language.md` includes it."""
    rows = [row for row in dict.fromkeys(FUNCTIONS.values()) if row.kind == kind]
    columns = {
        "function": [_code(row.name) for row in rows],
        "also written": [", ".join(map(_code, row.aliases)) for row in rows],
        "meaning": [row.summary for row in rows],
    }
    if kind == "alias":
        columns["stands for"] = [_code(row.definition) for row in rows]
    columns |= {
        "domain": [row.domain for row in rows],
        "derivative at kinks": [row.kink for row in rows],
        "smooth": [row.smooth for row in rows],
    }
    if kind in ("reduction", "array"):
        del columns["domain"]
    if kind == "array":
        del columns["derivative at kinks"], columns["smooth"]
    return _table(tuple(columns), list(zip(*columns.values(), strict=True)))


def constants() -> str:
    """The constants that a formula may name."""
    return _table(("name", "value"), [(_code(n), repr(v)) for n, v in CONSTANTS.items() if math.isfinite(v)])


def greek() -> str:
    """The Greek letters that names may hold, and how each is spelt out."""
    return ", ".join(f"{letter} {name}" for letter, name in tokens.GREEK.items()) + ".\n"


def limits() -> str:
    """What a formula may measure at most."""
    return _table(
        ("what", "at most"),
        [
            ("characters of a formula", f"{tokens.MAX_CHARACTERS:,}"),
            ("names, numbers and signs", f"{tokens.MAX_TOKENS:,}"),
            ("brackets, signs and exponents inside each other", f"{tokens.NESTING:,}"),
            ("characters of a name", f"{tokens.MAX_NAME:,}"),
            ("characters of a number", f"{tokens.MAX_NUMBER:,}"),
            ("size of a constant exponent", f"{LARGEST_EXPONENT:,}"),
        ],
    )


def spellings() -> str:
    """What symgd computes for spellings that lose digits or overflow, beside what NumPy gives for them."""
    rows = []
    for text, point in SPELLINGS:
        objective = Objective(text)
        at = ", ".join(f"{name} = {value:g}" for name, value in point.items())
        rows.append(
            (_code(text), _code(objective.numpy()), at, f"{_numpy(text, point):.6g}", f"{objective.value(point):.6g}")
        )
    return _table(("you write", "symgd computes", "at", "NumPy, as written", "symgd"), rows)


def mistakes() -> str:
    """Formulas that are none, each with its message."""
    blocks = []
    for text in MISTAKES:
        try:
            Objective(text)
        except FormulaError as problem:
            blocks.append(f"```text\n{problem}\n```\n")
        else:
            message = f"{text!r} is a formula after all"
            raise ValueError(message)
    return "\n".join(blocks)


def rules() -> str:
    """Every update rule that has a name: a table, then the recurrences."""
    overview = _table(
        ("method", "what it is", "hyperparameters", "`lr` when none is given"),
        [(_code(name), row.summary, _numbers(row.hyper), _code(f"{row.lr}")) for name, row in RULES.items()],
    )
    peers = _table(("method", "PyTorch", "optax"), [(_code(name), row.torch, row.optax) for name, row in RULES.items()])
    told = (
        "What PyTorch and optax call them. The steps are equal, but for what stands behind the colon; where a number is"
        " named there, it is theirs. Where the two differ from each other, ours is PyTorch's, and of `nadam` optax's,"
        " which has the paper's bias corrections and no second schedule; `lion` has no decay unless it is asked for,"
        " since a decay moves the minimum. Rates that are taken when none is given are symgd's own: ten times PyTorch's"
        " of `adagrad`, `adam`, `adamw` and `amsgrad`, since formulas are mostly smaller than networks; optax has"
        " none.\n"
    )
    recurrences = []
    for name, row in RULES.items():
        begins = [f"{state} starts at {text}" for state, text in row.init.items()]
        heading = _code(name) + (f" ({', '.join(begins)})" if begins else "")
        statements = "\n".join(row.text.split("; "))
        recurrences.append(f"{heading}\n\n```text\n{statements}\n```\n")
    return "\n".join([overview, told, peers, *recurrences])


def kinds() -> str:
    """Every kind of point."""
    return _table(("kind", "what it is"), [(_code(str(kind)), meaning) for kind, meaning in MEANINGS.items()])


def findings() -> str:
    """Every finding about a run."""
    return _table(
        ("code", "what it says", "what to do"), [(_code(code), says, cure) for code, (says, cure) in CODES.items()]
    )


def schedules() -> str:
    """Every schedule that has a name."""
    return _table(
        ("schedule", "lr at step `t`", "numbers", "what it is"),
        [
            (_code(name), _code(text if len(text) < 150 else text[:90] + " ..."), _numbers(defaults), summary)
            for name, (text, defaults, summary) in SCHEDULES.items()
        ],
    )


def problems() -> str:
    """Every problem with known answers."""
    rows = []
    for name, problem in known.items():
        count = len(problem.minima)
        minima = f"{problem.minimum:.12g}" + (f", {count - 1} more" if count > 1 else "") if count else "none"
        rows.append((_code(name), problem.n, minima, ", ".join(problem.tags), problem.source))
    return _table(("problem", "numbers", "minimum", "tags", "source"), rows)


def tags() -> str:
    """What the tags of problems mean."""
    return _table(("tag", "meaning"), [(_code(tag), meaning) for tag, meaning in TAGS.items()])


def laws(*, false: bool = False) -> str:
    """Every law, or those that are known not to hold."""
    chosen = [law for law in LAWS.values() if law.false == false]
    return _table(
        ("law", "of", "what holds", "under which assumptions", "attained", "source"),
        [
            (
                _code(law.name), ", ".join(map(_code, sorted(law.methods))) or "any", _code(law.claim), law.assumes,
                "yes" if law.tight else "", law.source,
            )
            for law in chosen
        ],
    )  # fmt: skip


PAGES = {
    "problems": problems,
    "tags": tags,
    "functions": lambda: functions("map"),
    "aliases": lambda: functions("alias"),
    "reductions": lambda: functions("reduction"),
    "arrays": lambda: functions("array"),
    "constants": constants,
    "greek": greek,
    "limits": limits,
    "kinds": kinds,
    "findings": findings,
    "spellings": spellings,
    "mistakes": mistakes,
    "rules": rules,
    "schedules": schedules,
    "laws": laws,
    "false_laws": lambda: laws(false=True),
}


def _numpy(text: str, point: dict[str, float]) -> float:
    """What NumPy gives for a text of `SPELLINGS`."""
    names = {name: getattr(np, name) for name in ("exp", "log", "cos", "cosh", "sinh", "tanh", "sqrt")}
    names |= {name: getattr(special, name) for name in ("erf", "erfc", "gamma")}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        return float(eval(text, names | {k: np.float64(v) for k, v in point.items()}))  # noqa: S307 - our own texts


def _table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value).replace("\n", " ").replace("|", r"\|")
    # Outside code, signs of formulas must not be read as Markdown.
    return "".join(part if part.startswith("`") else re.sub(r"([*_<])", r"\\\1", part) for part in _CODE.split(text))


_CODE = re.compile(r"(`[^`]*`)")


def _numbers(values: Mapping[str, float]) -> str:
    return ", ".join(_code(f"{name}={value:g}") for name, value in values.items())


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
