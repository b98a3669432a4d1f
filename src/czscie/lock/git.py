"""What a git repository says of its commit and tags, without running git.

https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from czscie.filesystem import exists

_LINK = "gitdir: "
_REFERENCE = "ref: "


def state_of_git(path: Path) -> Iterator[tuple[str, Path]]:
    """The files that change with the commit and the tags of the repository around `path`, by their names.

    There are none outside a repository.
    """
    directory = _directory(path)
    if directory is None:
        return
    # A worktree shares all but its own HEAD with the repository that it belongs to.
    common = _linked(directory, "commondir") or directory
    head = directory / "HEAD"
    if _is_readable(head):
        yield "HEAD", head
        kind, _, reference = _text(head).partition(_REFERENCE)
        if not kind and _is_readable(common / reference):
            yield reference, common / reference
    if _is_readable(common / "packed-refs"):
        yield "packed-refs", common / "packed-refs"
    tags = (Path(place, name) for place, _, names in os.walk(common / "refs/tags") for name in names)
    for tag in sorted(filter(_is_readable, tags)):
        yield tag.relative_to(common).as_posix(), tag


def _directory(path: Path) -> Path | None:
    """The repository's directory: `.git`, or what a file of that name says in worktrees and submodules."""
    for each in (path, *path.absolute().parents):
        if os.path.isdir(each / ".git"):  # noqa: PTH112 of directories that this user may not search
            return each / ".git"
        if exists(each / ".git"):
            return _linked(each, ".git", _LINK)
    return None


def _linked(directory: Path, name: str, prefix: str = "") -> Path | None:
    """The directory that the file `name` names, relative to its own; None if there is no such file."""
    file = directory / name
    return directory / _text(file).removeprefix(prefix) if _is_readable(file) else None


def _is_readable(file: Path) -> bool:
    return os.path.isfile(file) and os.access(file, os.R_OK)  # noqa: PTH113


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="surrogateescape").strip()
