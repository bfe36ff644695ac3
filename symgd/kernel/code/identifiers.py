"""Names and comments of modules in other languages: nothing that a user typed is ever code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from symgd.language.quoted import unquoted

_INSIDE = re.compile(r"_([a-z]+?)_?(\d+)(?:_+\w+)?")
# What the names of generated code are for, for people.
WORDS = {
    "_x": "point", "_v": "direction", "_mem": "memory", "_buf": "buffer", "_n": "rows", "_lo": "low", "_hi": "high",
    "_a": "first", "_g": "gradient", "_e": "trial", "_w": "product", "_h": "numbers", "_q": "squared",
    "_r": "size", "_c": "curved", "_tf": "step", "_value": "here", "_unit": "unit", "_n_p": "new",
}  # fmt: skip
_COUNTED = {"f": "total", "b": "part", "i": "given", "u": "last", "s": "sum", "v": "at", "g": "scale", "n": "next"}


def identifier(name: str) -> str:
    """Give a name of ASCII letters, digits and underscores.

    Parameters
    ----------
    name : str
        What was typed.

    Returns
    -------
    str

    Examples
    --------
    >>> identifier("α1"), identifier("x"), identifier("größe")
    ('alpha1', 'x', 'grosse')
    """
    plain = unquoted(name)
    spelt = "".join(map(_letter, name if plain is None else plain))
    found = re.sub(r"[^A-Za-z0-9]+", "_", spelt).strip("_") if plain is not None else re.sub(r"\W", "_", spelt)
    return found if found[:1].isalpha() else f"column_{found}" if plain is not None else f"n{found}"


def _letter(sign: str) -> str:
    if sign.isascii():
        return sign
    known = unicodedata.name(sign, "").split()
    if known[:1] == ["GREEK"] and "LETTER" in known:
        word = known[known.index("LETTER") + 1].lower()
        return word.capitalize() if "CAPITAL" in known else word
    found = unicodedata.normalize("NFKD", sign.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return found or "_"


def comment(text: str) -> str:
    """Give a text as one that no comment ends in, nor a line: what a formula holds is data.

    Parameters
    ----------
    text : str
        A formula.

    Returns
    -------
    str

    Examples
    --------
    >>> comment("a */ b")
    'a * / b'
    """
    flat = " ".join(text.split())
    safe = "".join(c if c.isascii() and c.isprintable() else _letter(c) for c in flat)
    # Nor does it end a page's script, and no backslash or, in C, its spelling by question marks joins it to the next.
    return re.sub(r"(\*(?=/)|/(?=\*)|<(?=[/!])|\?(?=\?)|=(?=#)|#(?==))", r"\1 ", safe.replace("\\", "/"))


class Names:
    """The names of a module: one for each that generated code or a user has, and none that is taken.

    Parameters
    ----------
    taken : iterable of str
        Reserved words, and what else the module calls by name.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self.reserved = set(taken)
        self.taken = set(taken)
        self.apart = False
        self.known: dict[str, str] = {}  # everywhere
        self.local: dict[str, str] = {}  # in the function that is being written
        self._counts: dict[str, int] = {}

    def give(self, name: str, wanted: str, *, function: bool = False) -> str:
        """Give a name for the whole module."""
        self.known[name] = self.free(wanted)
        self.reserved |= {self.known[name]} if function else set()
        return self.known[name]

    def free(self, wanted: str) -> str:
        """Take a name that is free."""
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def begin(self, fixed: dict[str, str], *, apart: bool) -> None:
        """Begin a function, in which some names are fixed; ``apart`` is one that stands outside of the data's reach."""
        self.local, self._counts, self.apart = dict(fixed), {}, apart

    def __call__(self, name: str) -> str:
        """Give the name in the text."""
        found = self.known.get(name) or self.local.get(name)
        if found is None:
            found = self.local[name] = self._make(name)
        return found

    def _make(self, name: str) -> str:
        match = _INSIDE.fullmatch(name)
        used = (self.reserved if self.apart else self.taken) | set(self.local.values())
        if match and name not in WORDS:
            word = _COUNTED.get(match[1], match[1])
            while True:
                self._counts[word] = self._counts.get(word, 0) + 1
                wanted = f"{word}{self._counts[word]}"
                if wanted not in used:
                    return wanted
        wanted = WORDS.get(name) or name.strip("_") or "unused"
        while wanted in used:
            wanted += "_"
        return wanted
