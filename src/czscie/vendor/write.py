"""Writes a vendor directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from czscie import __version__
from czscie.build import making_parts
from czscie.console import Console
from czscie.container.packer import write_atomically
from czscie.container.paths import checked_path
from czscie.errors import CzscieError
from czscie.launchers.build import file_name
from czscie.launchers.provide import provide_launcher
from czscie.lift.lift import Lift
from czscie.lock.lock import Lock, LockedInterpreter, lock_path
from czscie.lock.now import path_digest
from czscie.lock.packages import Chosen, selected
from czscie.lock.settle import LockUse, settled_lock
from czscie.lock.targets import target_of
from czscie.lock.wheels import wheel_files
from czscie.network.fetch import fetch
from czscie.network.network import Network
from czscie.pbs.provider import Provider
from czscie.platforms import Platform
from czscie.products import mending
from czscie.vendor.checksums import NAME, read_checksums, write_checksums
from czscie.vendor.directory import open_vendor
from czscie.vendor.licences import licences_of_interpreter, licences_of_wheel
from czscie.vendor.needs import Need, needs_of
from czscie.vendor.page import Row, page

PAGE = "index.html"


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
    """`written` are the paths of what is in the directory now, `rows` what its page says of them."""

    lift: Lift
    lock: Lock
    targets: tuple[Platform, ...]
    directory: Path
    network: Network
    console: Console
    written: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)

    def write(self, needs: Sequence[Need]) -> None:
        old = read_checksums(self.directory) if (self.directory / NAME).is_file() else {}
        self._build_wheels()
        with self.console.phase(f"Wrote {self.directory}"):
            self._put_files(needs)
            self._put_launchers()
            self._put(lock_path(self.lift.path).name, self.lock.render().encode())
            self._put_checksums()
        self._put_sboms()
        self._put(PAGE, page(self.lift, self.targets, self.rows).encode())
        self._put_checksums()
        for path in old.keys() - self.written:
            (self.directory / path).unlink(missing_ok=True)

    def _build_wheels(self) -> None:
        """What is built of source is in the cache then, where it is looked for."""
        for platform in self.targets:
            target = target_of(self.lift, self.lock, platform)
            if target is not None and self.lock.packages:
                chosen = [each for each in selected(self.lock, target) if each.built]
                wheel_files(chosen, target, self.lift.path.parent.absolute(), self.network, self.console)

    def _put_files(self, needs: Sequence[Need]) -> None:
        paths = fetch([need.remote for need in needs], self.network, self.console)
        for need, path in zip(needs, paths, strict=True):
            name = f"{need.kind}/{need.remote.name}"
            self._copy(path, name)
            self.rows.append(_row(need, name, path, self._put_licences(need, path)))

    def _put_licences(self, need: Need, path: Path) -> list[str]:
        """Writes the licence texts of a file and returns their paths."""
        if isinstance(need.of, LockedInterpreter):
            of, found = f"cpython-{need.of.version}", licences_of_interpreter(path)
        elif isinstance(need.of, Chosen):
            of, found = f"{need.of.package.name}-{need.of.package.version}", licences_of_wheel(path)
        else:
            return []
        texts = {f"licences/{of}/{name}": text for name, text in found}
        for name, text in texts.items():
            self._put(name, text)
        return sorted(texts)

    def _put_launchers(self) -> None:
        for launcher in sorted({platform.launcher for platform in self.targets}):
            path = provide_launcher(launcher, self.console, self.network)
            name = f"launchers/{file_name(launcher)}"
            self._copy(path, name)
            self.rows.append(
                Row("launcher", launcher, __version__, name, path_digest(path), path.stat().st_size)
            )

    def _put_sboms(self) -> None:
        """The bills of materials of all executables, whose parts are made of what stands in the directory."""
        network = Network(offline=True, directories=open_vendor(self.directory), environ=self.network.environ)
        with making_parts(self.lift, self.targets, self.console, use=LockUse.FROZEN, network=network) as make:
            for target in self.targets:
                parts = mending(partial(make, target), self.console.warn)
                self._put(f"sbom/{self.lift.name}-{parts.platform.name}.cdx.json", parts.sbom)

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
            self._write(name, lambda stream: shutil.copyfileobj(source, stream))

    def _write(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        path = self.directory / checked_path(name, str(self.directory), windows=True)
        write_atomically(path, write)
        path.chmod(0o644)
        self.written.add(name)


def _row(need: Need, name: str, path: Path, licences: Sequence[str]) -> Row:
    kind, of, version = need.kind.removesuffix("s"), need.remote.name, ""
    if isinstance(need.of, LockedInterpreter):
        kind, of = "interpreter", f"{need.of.id} for {need.of.platform}"
        version = f"{need.of.version}+{need.of.release}"
    elif isinstance(need.of, Chosen):
        kind, of, version = "wheel", need.of.package.name, need.of.package.version
    return Row(kind, of, version, name, need.remote.sha256, path.stat().st_size, tuple(licences))
