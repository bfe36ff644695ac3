"""Names in backquotes: those of columns that are no names of a formula, such as ```frequency (Hz)```."""

from __future__ import annotations

import re
import zlib

MARK = "quoted_"  # what such names begin with inside, where they are made of letters and digits
MOST = 60  # characters of such a name
_ENCODED = "_([0-9a-f]+)_"


def quoted(name: str) -> str:
    """Give what stands for a name in backquotes: letters and digits as they are, all else by its number.

    Parameters
    ----------
    name : str
        The name, without its backquotes.

    Returns
    -------
    str
        A name of ASCII letters, digits and underscores; of a very long one the beginning and a checksum.

    Examples
    --------
    >>> quoted("x 1"), unquoted(quoted("frequency (Hz)"))
    ('quoted_x_20_1', 'frequency (Hz)')
    """
    found = MARK + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in name)
    if len(found) <= MOST:
        return found
    return f"{found[: MOST - 9].rstrip('_')}_{zlib.crc32(name.encode('utf-8', 'replace')):08x}"


def unquoted(name: str) -> str | None:
    """Give the name that was in backquotes; ``None`` for one that was not.

    Parameters
    ----------
    name : str
        What stands for it.

    Returns
    -------
    str or None
    """
    if not name.startswith(MARK):
        return None
    return re.sub(_ENCODED, lambda match: chr(int(match[1], 16)), name.removeprefix(MARK))


def written(name: str) -> str:
    """Give a name as it is written in a formula.

    Parameters
    ----------
    name : str
        What stands for it.

    Returns
    -------
    str

    Examples
    --------
    >>> written("x"), written("quoted_x_20_1")
    ('x', '`x 1`')
    """
    plain = unquoted(name)
    return name if plain is None else f"`{plain}`"
