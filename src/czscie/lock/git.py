"""What a git repository says of its commit and tags, without running git.

https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

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
    if head.is_file():
        yield "HEAD", head
        kind, _, reference = _text(head).partition(_REFERENCE)
        if not kind and (common / reference).is_file():
            yield reference, common / reference
    if (common / "packed-refs").is_file():
        yield "packed-refs", common / "packed-refs"
    for tag in sorted((common / "refs/tags").rglob("*")):
        if tag.is_file():
            yield tag.relative_to(common).as_posix(), tag


def _directory(path: Path) -> Path | None:
    """The repository's directory: `.git`, or what a file of that name says in worktrees and submodules."""
    for each in (path, *path.absolute().parents):
        if (each / ".git").is_dir():
            return each / ".git"
        if exists(each / ".git"):
            return _linked(each, ".git", _LINK)
    return None


def _linked(directory: Path, name: str, prefix: str = "") -> Path | None:
    """The directory that the file `name` names, relative to its own; None if there is no such file."""
    file = directory / name
    if not file.is_file():
        return None
    return directory / _text(file).removeprefix(prefix)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="surrogateescape").strip()
