"""``symgd cache``: what is kept on disk."""

from __future__ import annotations

import click

from symgd.cli import options
from symgd.cli.group import GOOD, Command, print_json


@click.command(cls=Command, epilog="Exit code: 0; 2 when the call is at fault.")
@click.option("--clear", is_flag=True, help="Remove all entries; they are made anew when they are needed.")
@options.with_options(options.JSON)
def cache(*, clear: bool, as_json: bool) -> int:
    """Show where derived and compiled code is kept, and how much of it.

    The environment variable SYMGD_CACHE names another folder, or is "off"; SYMGD_CACHE_SIZE says how many megabytes it
    may take. Beyond them, what was not used for longest is removed.
    """
    from symgd.kernel.machine import cache as kept
    from symgd.kernel.machine import shelf

    limit = kept.limit()
    removed = kept.prune(0) if clear else []
    left = kept.entries()
    size, freed = (sum(entry.size for entry in found) for found in (left, removed))
    folder = shelf.folder()
    if as_json:
        counts = {"entries": len(left), "bytes": size, "limit": limit, "removed": len(removed), "freed": freed}
        print_json({"folder": str(folder) if folder else None, **counts})
        return GOOD
    click.echo(f"folder   {folder or 'none: SYMGD_CACHE says so'}")
    click.echo(f"entries  {len(left)}")
    click.echo(f"size     {size / 1e6:.1f} MB of {limit / 1e6:g} MB")
    if clear:
        click.echo(f"removed  {len(removed)} entries, {freed / 1e6:.1f} MB")
    return GOOD
