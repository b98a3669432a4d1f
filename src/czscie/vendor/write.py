"""Writes a vendor directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from czscie.container.paths import checked_path
from czscie.errors import Code, CzscieError
from czscie.filesystem import check_writable, path_digest, write_atomically
from czscie.lift.lift import Lift
from czscie.lock.builder import Builder
from czscie.lock.ensure import ensure_lock
from czscie.lock.inventory.input import Input
from czscie.lock.inventory.inventory import obtain
from czscie.lock.lock import Lock
from czscie.lock.use import LockUse
from czscie.platforms import Platform
from czscie.session import Session
from czscie.vendor.inputs import needs_of
from czscie.vendor.texts import bills, texts
from czscie.vendor_directory import NAME, read_checksums, write_checksums


def write_vendor(lift: Lift, targets: Sequence[Platform], directory: Path, session: Session) -> None:
    """Writes into `directory` everything that a build of `lift` for `targets` needs.

    The lock is brought up to date first. At last the parts of every executable are made of what was written,
    without a network: what is missing shows here and not where it is needed. Raises CzscieError.
    """
    _check(directory)
    check_writable(directory / NAME, "name another directory: czscie vendor DIR")
    lock = ensure_lock(lift, targets, LockUse.UPDATE, session)
    writer = _Writer(lift, lock, tuple(targets), directory, session)
    writer.write(needs_of(lift, lock, targets, session.provider))


def _check(directory: Path) -> None:
    """Files that czscie did not write stay."""
    if not directory.exists() or (directory / NAME).is_file():
        return
    if not directory.is_dir() or any(directory.iterdir()):
        raise CzscieError(
            f"{directory} is not empty, and czscie vendor did not write it",
            code=Code.OUTPUT_EXISTS,
            hint="name another directory",
        )


@dataclass(slots=True)
class _Writer:
    """`written` are the paths of what is in the directory now."""

    lift: Lift
    lock: Lock
    targets: tuple[Platform, ...]
    directory: Path
    session: Session
    written: set[str] = field(default_factory=set)

    def write(self, needs: Sequence[Input]) -> None:
        old = read_checksums(self.directory) if (self.directory / NAME).is_file() else {}
        builder = Builder.of(self.lift, self.session)
        for need in needs:
            need.prepare(builder)
        with self.session.console.phase(f"Writing {self.directory}", f"Wrote {self.directory}"):
            self._put_files(needs)
            for name, content in texts(self.lift, self.lock, self.targets, needs, self.directory).items():
                self._put(name, content)
            self._put_checksums()
        for name, content in bills(self.lift, self.targets, self.directory, self.session):
            self._put(name, content)
        self._put_checksums()
        for path in old.keys() - self.written:
            (self.directory / path).unlink(missing_ok=True)

    def _put_files(self, needs: Sequence[Input]) -> None:
        for need, path in zip(needs, obtain(needs, self.session.network, self.session.console), strict=True):
            self._copy(path, need.vendor_path)

    def _put_checksums(self) -> None:
        write_checksums(self.directory, {path: path_digest(self.directory / path) for path in self.written})

    def _put(self, name: str, content: bytes) -> None:
        self._write(name, lambda stream: stream.write(content))

    def _copy(self, path: Path, name: str) -> None:
        target = self.directory / checked_path(name, str(self.directory), windows=True)
        if target.is_file() and path_digest(target) == path_digest(path):
            self.written.add(name)
            return
        with path.open("rb") as source:
            size = path.stat().st_size
            self._write(name, lambda stream: shutil.copyfileobj(source, stream), size)

    def _write(self, name: str, write: Callable[[BinaryIO], object], size: int | None = None) -> None:
        path = self.directory / checked_path(name, str(self.directory), windows=True)
        write_atomically(path, write, size, mode=0o666)
        self.written.add(name)
