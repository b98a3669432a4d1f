"""Writes a vendor directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from czscie.console import Console
from czscie.container.paths import checked_path
from czscie.errors import CzscieError
from czscie.filesystem import path_digest, write_atomically
from czscie.launchers.provide import provide_launcher
from czscie.lift.lift import Lift
from czscie.lock.builder import Builder
from czscie.lock.lock import Lock
from czscie.lock.packages import selected
from czscie.lock.settle import LockUse, settled_lock
from czscie.lock.targets import target_of
from czscie.lock.wheels import wheel_files
from czscie.network.fetch import fetch
from czscie.network.network import Network
from czscie.pbs.provider import Provider
from czscie.platforms import Platform
from czscie.vendor.checksums import NAME, read_checksums, write_checksums
from czscie.vendor.needs import Need, needs_of
from czscie.vendor.texts import bills, launcher_names, launcher_path, need_path, texts


def write_vendor(lift: Lift, targets: Sequence[Platform], directory: Path, console: Console) -> None:
    """Writes into `directory` everything that a build of `lift` for `targets` needs.

    The lock is brought up to date first. At last the parts of every executable are made of what was written,
    without a network: what is missing shows here and not where it is needed. Raises CzscieError.
    """
    _check(directory)
    network = Network.of()
    provider = Provider(console, network)
    lock = settled_lock(lift, targets, LockUse.UPDATE, provider, network, console)
    writer = _Writer(lift, lock, tuple(targets), directory, network, console)
    writer.write(needs_of(lift, lock, targets, provider))


def _check(directory: Path) -> None:
    """Whatever somebody else put there stays there."""
    if not directory.exists() or (directory / NAME).is_file():
        return
    if not directory.is_dir() or any(directory.iterdir()):
        raise CzscieError(
            f"{directory} is not empty, and not what czscie vendor wrote", mend="name another directory"
        )


@dataclass(slots=True)
class _Writer:
    """`written` are the paths of what is in the directory now."""

    lift: Lift
    lock: Lock
    targets: tuple[Platform, ...]
    directory: Path
    network: Network
    console: Console
    written: set[str] = field(default_factory=set)

    def write(self, needs: Sequence[Need]) -> None:
        old = read_checksums(self.directory) if (self.directory / NAME).is_file() else {}
        self._build_wheels()
        with self.console.phase(f"Wrote {self.directory}"):
            self._put_files(needs)
            self._put_launchers()
            for name, content in texts(self.lift, self.lock, self.targets, needs, self.directory).items():
                self._put(name, content)
            self._put_checksums()
        for name, content in bills(self.lift, self.targets, self.directory, self.network, self.console):
            self._put(name, content)
        self._put_checksums()
        for path in old.keys() - self.written:
            (self.directory / path).unlink(missing_ok=True)

    def _build_wheels(self) -> None:
        """What is built of source is in the cache then, where it is looked for."""
        for platform in self.targets:
            target = target_of(self.lift, self.lock, platform)
            if target is not None and self.lock.packages:
                chosen = [each for each in selected(self.lock, target) if each.built]
                builder = Builder.of(self.lift, self.network, self.console)
                wheel_files(chosen, self.lift.path.parent.absolute(), self.network, self.console, builder)

    def _put_files(self, needs: Sequence[Need]) -> None:
        paths = fetch([need.remote for need in needs], self.network, self.console)
        for need, path in zip(needs, paths, strict=True):
            self._copy(path, need_path(need))

    def _put_launchers(self) -> None:
        for name in launcher_names(self.targets):
            path = provide_launcher(name, self.console, self.network, self.lock.launcher.sha256(name))
            self._copy(path, launcher_path(name))

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
        write_atomically(path, write, size)
        path.chmod(0o644)
        self.written.add(name)
