"""`czscie cache`."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from czscie.commands import candidates
from czscie.commands.failure import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from czscie.cache_contents import CacheEntry

cache = typer.Typer(help="Inspect and clean the build cache.", no_args_is_help=True)

_Kinds = Annotated[
    list[str] | None,
    typer.Argument(help="The kinds to include. Default: all.", autocompletion=candidates.kinds),
]
_Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")]


@cache.command("dir")
def show_directory() -> None:
    """Print where the cache is."""
    from czscie.cache import cache_root
    from czscie.console import write_result

    write_result(str(cache_root()))


@cache.command("list", cls=Command)
def list_entries(kinds: _Kinds = None, json: _Json = False) -> None:
    """List the size of each kind, or with kinds named, each entry."""
    from czscie.cache import cache_root
    from czscie.cache_contents import read_entries
    from czscie.console import write_json, write_result

    entries = read_entries(cache_root(), _checked(kinds))
    if json:
        write_json([_as_json(entry) for entry in entries])
    else:
        write_result(_details(entries) if kinds else _summary(entries))


@cache.command()
def prune(
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than", metavar="AGE", help="Remove entries unused for this long: 30d, 12h, 2w."
        ),
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(
            "--max-size",
            metavar="SIZE",
            help="Remove the least recently used entries until this much is left: 5GB.",
        ),
    ] = None,
    dry_run: _DryRun = False,
) -> None:
    """Remove what was not used for 30 days, or as the options say."""
    import time

    from czscie.cache_contents import choose_old, parse_size, parse_span

    span = parse_span(older_than or "30d") if older_than or not max_size else None
    size = parse_size(max_size) if max_size else None
    _take_away(_checked(()), lambda entries: choose_old(entries, time.time(), span, size), dry_run)


@cache.command()
def clean(kinds: _Kinds = None, dry_run: _DryRun = False) -> None:
    """Remove everything. The next build makes or downloads it again."""
    _take_away(_checked(kinds), list, dry_run)


def _checked(kinds: Sequence[str] | None) -> Sequence[str]:
    from czscie.cache import KINDS
    from czscie.errors import Code, CzscieError

    for kind in kinds or ():
        if kind not in KINDS:
            raise CzscieError(
                f"the cache has no {kind!r}", code=Code.NAME_UNKNOWN, why=f"its kinds are: {', '.join(KINDS)}"
            )
    return kinds or tuple(KINDS)


def _take_away(
    kinds: Sequence[str], choose: Callable[[list[CacheEntry]], list[CacheEntry]], dry_run: bool
) -> None:
    from czscie.cache import cache_root, nobody_using
    from czscie.cache_contents import read_entries, remove
    from czscie.console import Console, write_result

    console, root = Console(), cache_root()
    if not root.is_dir():
        write_result(f"there is no cache at {root}")
        return
    alone = nobody_using(root, lambda: console.line("waiting for other builds that use the cache"))
    with nullcontext() if dry_run else alone:
        chosen = choose(read_entries(root, kinds))
        gone = [entry for entry in chosen if dry_run or remove(entry)]
    for entry in chosen:
        if entry not in gone:
            console.warn(f"{entry.paths[0]} could not be removed")
    write_result(f"{'would remove' if dry_run else 'removed'} {_amount(gone)} from {root}")


def _summary(entries: Sequence[CacheEntry]) -> str:
    from czscie.cache import KINDS, cache_root

    lines = []
    for kind, what in KINDS.items():
        if of_kind := [entry for entry in entries if entry.kind == kind]:
            size, last = _size(of_kind), _ago(max(entry.used for entry in of_kind))
            lines.append(f"{kind:<10} {len(of_kind):>6} {size:>10}  {last:<13} {what}")
    return "\n".join([*lines, f"{_amount(entries)} in {cache_root()}"])


def _details(entries: Sequence[CacheEntry]) -> str:
    lines = (
        f"{entry.kind:<10} {_size([entry]):>10}  {_ago(entry.used):<13} {entry.name}" for entry in entries
    )
    return "\n".join([*lines, _amount(entries).rstrip(",")])


def _amount(entries: Sequence[CacheEntry]) -> str:
    number = len(entries)
    return f"{number} {'entry' if number == 1 else 'entries'}, {_size(entries)},"


def _size(entries: Sequence[CacheEntry]) -> str:
    from czscie.console import megabytes

    return megabytes(sum(entry.size for entry in entries))


def _ago(used: float) -> str:
    import time

    days = int((time.time() - used) // 86400)
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


def _as_json(entry: CacheEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "paths": [str(path) for path in entry.paths],
        "size": entry.size,
        "used": entry.used,
        "left_over": entry.left_over,
    }
