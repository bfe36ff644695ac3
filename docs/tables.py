"""Tables of the documentation that are made from the tables of the source, so that neither can lag behind."""

from symgd.functions import FUNCTIONS


def functions() -> str:
    """Every function of the formula language, as a MyST table; `language.md` includes it."""
    rows = {id(row): row for row in FUNCTIONS.values()}.values()  # an alias may be a key of its own
    header = ("function", "also written", "meaning", "domain", "at kinks", "smooth")
    return _table(
        header,
        [
            (
                f"`{row.name}`",
                ", ".join(f"`{alias}`" for alias in row.aliases),
                row.summary,
                row.domain,
                row.kink,
                row.smooth,
            )
            for row in rows
        ],
    )


def _table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value).replace("|", r"\|").replace("\n", " ")
