"""Reads files in pieces, digests them, and writes them atomically."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from czscie.disk import full, is_full, writing
from czscie.errors import Code, CzscieError

_Written = TypeVar("_Written")

#: Bytes of a file that are in memory at a time where it is read in pieces.
PIECE = 1 << 20


# Reading.


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def did_you_mean(path: Path) -> str | None:
    """A hint that names the entry beside the missing `path` that was probably meant; None if there is none.

    Symbolic links to nothing are not suggested.
    """
    import difflib

    try:
        names = sorted(each.name for each in path.parent.iterdir() if each.exists())
    except OSError:
        return None
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {path.with_name(near[0])}?" if near else None


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file for reading.

    Refuses pipes, which may have no writer, and devices, which may never end. Raises OSError.
    """
    stream = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return stream


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def exists(path: Path) -> bool:
    """Whether there is something at `path`. That this was asked is an audit event (czscie.observation)."""
    sys.audit("czscie.exists", path)
    return path.exists()


def pieces(stream: Readable, size: int | None = None) -> Iterator[bytes]:
    """The rest of `stream`, or its next `size` bytes, in pieces: fewer than `size` at its end."""
    if size is None:
        yield from iter(lambda: stream.read(PIECE), b"")
        return
    while size > 0 and (piece := stream.read(min(size, PIECE))):
        yield piece
        size -= len(piece)


# Digests, in hexadecimal.


def sha256_of(chunks: Iterable[bytes]) -> str:
    """SHA-256 of what `chunks` are together."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file. Raises OSError, also for a pipe, a device or a directory."""
    with open_regular(path) as stream:
        return sha256_of(pieces(stream))


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of all files below a directory with their names and modes."""
    return sha256_of(_named(path))


def _named(path: Path) -> Iterator[bytes]:
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    for file in files:
        status = file.stat()
        head = f"{file.relative_to(path)}\0{status.st_mode & 0o100}\0{status.st_size}\0"
        yield head.encode("utf-8", "surrogateescape")
        with open_regular(file) as stream:
            yield from pieces(stream)


def path_digest(path: Path) -> str:
    """SHA-256 of a file, or of a directory's files with their names and modes. Raises CzscieError."""
    try:
        if path.is_dir():
            return digest_of(path)
        status = path.stat()
        return _unchanged_digest(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise CzscieError(
            f"cannot read {error.filename or path}",
            code=Code.FILE_UNREADABLE,
            why=error.strerror or str(error),
        ) from error


@functools.cache
def _unchanged_digest(path: Path, size: int, modified: int) -> str:
    """The digest of a file that did not change meanwhile: a PEX may be large, and each platform reads it."""
    return file_digest(path)


# Writing.


def umask() -> int:
    """The bits that files of this process are made without."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_output(path: Path) -> None:
    """Raises CzscieError when renaming a file to `path` would replace a device, or fail at a directory.

    Otherwise root's /dev/null would become a file. A link to a file is replaced, and its target stays.
    """
    try:
        mode = path.stat().st_mode
    except OSError:  # there is nothing, or a link to nothing; anything else shows when it is written
        return
    if stat.S_ISREG(mode) or (stat.S_ISDIR(mode) and path.is_symlink()):
        return
    kind = "a directory" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
    raise CzscieError(
        f"cannot write {path}",
        code=Code.OUTPUT_UNWRITABLE,
        why=f"it is {kind}",
        hint="choose the path of a regular file",
    )


def check_writable(path: Path, hint: str) -> None:
    """Raises CzscieError when no file can be made at `path`, whose directory need not exist yet."""
    directory = path.absolute().parent
    there = next(each for each in (directory, *directory.parents) if os.path.lexists(each))
    if not there.is_dir():
        why = f"{there} is not a directory"
    elif not os.access(there, os.W_OK | os.X_OK):
        why = f"{there}: {os.strerror(errno.EROFS if _is_read_only(there) else errno.EACCES)}"
    else:
        return
    raise CzscieError(f"cannot write into {path.parent}", code=Code.OUTPUT_UNWRITABLE, why=why, hint=hint)


def _is_read_only(directory: Path) -> bool:
    """Whether the file system is: `os.access` does not say why it refuses."""
    if sys.platform == "win32":
        return False
    return bool(os.statvfs(directory).f_flag & os.ST_RDONLY)


@contextmanager
def clearing_up(directory: Path) -> Iterator[None]:
    """When the context fails, removes `directory` and those above it that the context made and left empty."""
    missing = [*takewhile(lambda each: not os.path.lexists(each), (directory, *directory.parents))]
    try:
        yield
    except BaseException:
        for each in missing:
            with suppress(OSError):  # it was not made, or has files
                each.rmdir()
        raise


def write_atomically(
    path: Path, write: Callable[[BinaryIO], _Written], size: int | None = None, *, mode: int = 0o600
) -> _Written:
    """Writes a file that appears under its name only when it is complete. Returns the result of `write`,
    which can read what it wrote.

    `size` is its size in bytes, if known. `mode` is that of the cache's files unless it is for others to
    read, which the umask then restricts. Raises CzscieError when the file system is full or the directory is
    not writable, and what `write` raises; then no directory that it made is left.
    """
    check_output(path)
    with clearing_up(path.parent):
        return _write_and_rename(path, write, size, mode)


def _write_and_rename(
    path: Path, write: Callable[[BinaryIO], _Written], size: int | None, mode: int
) -> _Written:
    from czscie.leftovers import make_temporary

    with _naming(path), writing(path, size):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = make_temporary(path)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            written = write(file)
            file.flush()
            if mode != 0o600:  # which it is made with
                temporary.chmod(mode & ~umask())
            if os.name != "nt":  # while it is open, it is held
                with _naming(path):
                    temporary.replace(path)
        if os.name == "nt":
            with _naming(path):
                temporary.replace(path)
        return written
    except BaseException as error:
        reached = temporary.stat().st_size if temporary.exists() else None
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and is_full(error):
            raise full(path, error, size, reached) from error
        raise


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Makes an error name `path` instead of the temporary file."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise
        raise CzscieError(
            f"cannot write {path}",
            code=Code.OUTPUT_UNWRITABLE,
            why=error.strerror or str(error),
            hint="choose a directory that you can write to",
        ) from error
