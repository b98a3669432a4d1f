"""A file system that passes everything on to a directory, but for the faults that a test asks for (fuse(4)).

    python passthrough.py DIRECTORY POINT '{"errors": {"write": "EIO"}, "after": 9000, "folds": false}'

`errors` maps operations to errors; `write`, `create`, `rename` and `symlink` fail once `after` bytes have
been written. With `folds` names are the same in upper and lower case, and keep the case that they were
made with.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import mfusepy


class Passthrough(mfusepy.Operations):  # type: ignore[misc]
    use_ns = True

    def __init__(self, directory: str, errors: dict[str, str], after: int, folds: bool) -> None:
        self._directory = Path(directory)
        self._errors = {operation: getattr(errno, name) for operation, name in errors.items()}
        self._left = after
        self._folds = folds

    def _fail(self, operation: str, length: int = 0) -> None:
        self._left -= length
        if operation in self._errors and self._left <= 0:
            raise mfusepy.FuseOSError(self._errors[operation])

    def _path(self, path: str) -> Path:
        found = self._directory
        for part in filter(None, path.split("/")):
            names = [each.name for each in found.iterdir()] if self._folds and found.is_dir() else []
            found /= next((name for name in names if name.lower() == part.lower()), part)
        return found

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        status = self._path(path).lstat()
        fields = ("atime", "ctime", "gid", "mode", "mtime", "nlink", "size", "uid")
        return {f"st_{name}": getattr(status, f"st_{name}") for name in fields} | {
            f"st_{name}time": getattr(status, f"st_{name}time_ns") for name in "acm"
        }

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *(each.name for each in self._path(path).iterdir())]

    def readlink(self, path: str) -> str:
        return str(self._path(path).readlink())

    def mkdir(self, path: str, mode: int) -> None:
        self._path(path).mkdir(mode)

    def rmdir(self, path: str) -> None:
        self._path(path).rmdir()

    def unlink(self, path: str) -> None:
        self._path(path).unlink()

    def symlink(self, target: str, source: str) -> None:
        self._fail("symlink")
        self._path(target).symlink_to(source)

    def rename(self, old: str, new: str) -> None:
        self._fail("rename")
        self._path(old).rename(self._path(new))

    def chmod(self, path: str, mode: int) -> None:
        self._path(path).chmod(mode)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        os.utime(self._path(path), ns=times)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        os.truncate(self._path(path), length)

    def create(self, path: str, mode: int, fi: object = None) -> int:
        self._fail("create")
        return os.open(self._path(path), os.O_CREAT | os.O_RDWR, mode)

    def open(self, path: str, flags: int) -> int:
        return os.open(self._path(path), flags & ~os.O_EXCL)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        self._fail("read")
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._fail("write", len(data))
        return os.pwrite(fh, data, offset)

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    def statfs(self, path: str) -> dict[str, int]:
        status = os.statvfs(self._directory)
        return {
            name: getattr(status, name) for name in ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail")
        }


class Unlockable(Passthrough):
    """One that is asked for locks and has none."""

    def flock(self, path: str, fh: int, op: int) -> int:
        raise mfusepy.FuseOSError(self._errors["flock"])

    def lock(self, path: str, fh: int, cmd: int, lock: object) -> int:
        raise mfusepy.FuseOSError(self._errors["flock"])


if __name__ == "__main__":
    source, mountpoint, text = sys.argv[1:]
    faults = json.loads(text)
    kind = Unlockable if "flock" in faults.get("errors", {}) else Passthrough
    made = kind(source, faults.get("errors", {}), faults.get("after", 0), faults.get("folds", False))
    mfusepy.FUSE(made, mountpoint, foreground=True, nothreads=True, dev=False, suid=False)
