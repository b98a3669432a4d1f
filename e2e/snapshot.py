"""Directory trees compared: what is in them, and whether anything in them was touched."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path


def _entries(root: Path) -> Iterator[tuple[str, Path, os.stat_result]]:
    for directory, names, files in os.walk(root):
        for name in (*names, *files):
            path = Path(directory, name)
            yield path.relative_to(root).as_posix(), path, path.lstat()


def contents(root: Path) -> dict[str, tuple[int, str]]:
    """Mode and content of everything below a directory, wherever that directory is.

    Where a content names the directory itself, as the first line of a script does, the name is left out. The
    content of a link is its target.
    """
    own = os.fsencode(root)
    found = {}
    for name, path, status in _entries(root):
        if stat.S_ISLNK(status.st_mode):
            content = str(path.readlink()).replace(str(root), "")
        elif stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(path.read_bytes().replace(own, b"")).hexdigest()
        else:
            content = ""
        found[name] = (status.st_mode, content)
    return found


def stamps(root: Path) -> dict[str, tuple[int, ...]]:
    """What changes when anything below a directory is created, written, renamed, removed or chmodded."""
    return {
        name: (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        for name, _, status in _entries(root)
    }
