"""The entries of the cache, and which of them can be removed."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from czscie.cache import KINDS
from czscie.documents import learned
from czscie.errors import Code, CzscieError
from czscie.filesystem import open_regular

_UNITS = {"kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "b": 1, "": 1}
_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One entry of the cache: `paths` that belong together.

    `name` is for people, `size` in bytes, `used` the time of the last use in seconds since 1970. `left_over`
    entries are the unfinished files of killed processes.
    """

    kind: str
    name: str
    paths: tuple[Path, ...]
    size: int
    used: float
    left_over: bool


class _Described(msgspec.Struct):
    description: str = ""


class _Content(msgspec.Struct):
    known: _Described


class _Record(msgspec.Struct):
    """The part of a stored product (czscie.build_cache) that names it."""

    content: _Content


def read_entries(root: Path, kinds: Iterable[str] = KINDS) -> list[CacheEntry]:
    """All entries of the cache at `root`, most recently used first. Ignores files that are not czscie's."""
    entries = [entry for kind in kinds for entry in _read_kind(root / kind, kind)]
    return sorted(entries, key=lambda entry: (-entry.used, entry.name))


def choose_old(
    entries: Sequence[CacheEntry], now: float, older_than: float | None, max_size: float | None
) -> list[CacheEntry]:
    """The entries to remove: leftovers, those unused for `older_than` seconds, and the least recently used
    beyond `max_size` bytes.

    None means no limit.
    """
    chosen = [
        entry
        for entry in entries
        if entry.left_over or (older_than is not None and now - entry.used > older_than)
    ]
    staying = sorted((entry for entry in entries if entry not in chosen), key=lambda entry: entry.used)
    size = sum(entry.size for entry in staying)
    for entry in staying:
        if max_size is None or size <= max_size:
            break
        chosen.append(entry)
        size -= entry.size
    return chosen


def remove(entry: CacheEntry) -> bool:
    """Remove the entry. Returns whether all of it is gone."""
    for path in entry.paths:
        # Renamed first, so that a concurrent build finds all of it or nothing.
        hidden = path.with_name(f".{path.name.lstrip('.')}.removed")
        try:
            path.rename(hidden)
            if _is_directory(hidden):
                shutil.rmtree(hidden)
            else:
                hidden.unlink()
        except OSError:
            return False
    return True


def parse_size(text: str) -> float:
    """Bytes: `5GB`, `500 MiB`, `1000`. Raises CzscieError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?i?b|)\s*", text.lower())
    if match is None or match[2] not in _UNITS:
        raise CzscieError(
            f"{text!r} is not a size", code=Code.OPTION_INVALID, hint="write it as 5GB or 500MB"
        )
    return float(match[1]) * _UNITS[match[2]]


def parse_span(text: str) -> float:
    """Seconds: `30d`, `12h`, `2w`. Raises CzscieError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", text.lower())
    if match is None:
        raise CzscieError(
            f"{text!r} is not a duration", code=Code.OPTION_INVALID, hint="write it as 30d, 12h or 2w"
        )
    return float(match[1]) * _SPANS[match[2]]


def _read_kind(directory: Path, kind: str) -> Iterator[CacheEntry]:
    try:
        names = sorted(path.name for path in directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise CzscieError(
            f"cannot read {directory}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    groups: dict[str, list[Path]] = {}
    for name in names:
        # What is known of a packed product lies beside it under the same stem.
        stem = name.rpartition(".")[0] if kind == "packed" and not name.startswith(".") else name
        # So does the digest of a launcher and of an unpacked interpreter.
        stem = stem.removesuffix(".sha256") if kind in ("compilers", "launchers") else stem
        groups.setdefault(stem or name, []).append(directory / name)
    for stem, paths in groups.items():
        size, used = _measure(paths)
        hidden = stem.startswith(".")
        left_over = hidden and not stem.endswith(".partial")
        yield CacheEntry(kind, _name(stem, paths), tuple(paths), size, used, left_over)


def _name(stem: str, paths: Sequence[Path]) -> str:
    """The name for people: downloads by their file name, products by their description."""
    if stem.startswith("."):
        return "partial download" if stem.endswith(".partial") else "leftover"
    if len(paths) == 1 and _is_directory(paths[0]):
        inside = [path.name for path in paths[0].iterdir()]
        return inside[0] if len(inside) == 1 else stem
    for path in paths:
        if path.suffix == ".json":
            try:
                with open_regular(path) as file:
                    record = msgspec.json.decode(file.read(), type=learned(_Record))
                    return record.content.known.description or stem
            except (OSError, msgspec.MsgspecError):
                break
    return stem


def _measure(paths: Iterable[Path]) -> tuple[int, float]:
    """Bytes of all files, and the latest time of modification of anything."""
    size, used = 0, 0.0
    for path in paths:
        for each in (path, *path.rglob("*")) if _is_directory(path) else (path,):
            try:
                found = each.lstat()
            except FileNotFoundError:
                continue
            used = max(used, found.st_mtime)
            size += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return size, used


def _is_directory(path: Path) -> bool:
    """Whether it is one itself: what a link leads to is not the cache's."""
    return path.is_dir() and not path.is_symlink()
