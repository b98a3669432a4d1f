"""What a build would do, download and write: found out with the build's own means, and nothing of it done.

The structs are the schema of `czscie plan --json`, which docs/plan.md describes. Sizes are in bytes, digests
SHA-256 in hexadecimal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from czscie.build import bundle_path, executable_path, read_order
from czscie.cache import cache_directory
from czscie.console import Console
from czscie.czex.target import Target
from czscie.errors import CzscieError
from czscie.filesystem import path_digest
from czscie.launchers.build import find_launcher
from czscie.leftovers import scratch
from czscie.libc.library import optional_libraries, packages_of
from czscie.libc.packages import PackageTable
from czscie.lift.embedded_file import EmbeddedFile, FromUrl
from czscie.lift.interpreter import Interpreter
from czscie.lift.libc import NEVER
from czscie.lift.lift import Lift
from czscie.lift.payload import SOURCES
from czscie.lock.builder import UNBUILT, Builder
from czscie.lock.builder import remote_of as remote_of_wheel
from czscie.lock.lock import Lock, LockedPackage, lock_path
from czscie.lock.packages import Chosen, selected
from czscie.lock.payload import locked_payload
from czscie.lock.provisions import locked_provisions
from czscie.lock.settle import LockUse, Settled, settle
from czscie.lock.sources import LockedSources
from czscie.lock.targets import target_of
from czscie.network.fetch import find
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.network.url import is_file, without_secrets
from czscie.pbs.provider import Provider
from czscie.platforms import Platform, current_platform
from czscie.scie.files import remote_of as remote_of_file

#: What changes when a key of the schema goes or means something else; new keys do not count.
PLAN_VERSION = 1

#: `cached` is in the user's cache, `local` elsewhere on this machine; `build` is made of a source by pex.
State = Literal["cached", "local", "download", "build"]
#: Whether the build would write the lock; `unchecked` is --frozen, which does not look.
LockState = Literal["current", "new", "changed", "unchecked"]


class PlannedFile(msgspec.Struct, frozen=True, kw_only=True):
    """An input of the build. `size` is None where no index tells it, `url` where it comes from none."""

    name: str
    state: State
    sha256: str
    size: int | None = None
    url: str | None = None


class PlannedInterpreter(msgspec.Struct, frozen=True, kw_only=True):
    """A CPython; `release` and `flavor` are python-build-standalone's. `archive` may be a directory."""

    id: str
    platform: str
    provider: str
    version: str
    release: str | None
    flavor: str | None
    attested: str | None
    archive: PlannedFile


class PlannedLauncher(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    state: Literal["ready", "compile"]


class PlannedPayload(msgspec.Struct, frozen=True, kw_only=True):
    """`source` is the manifest's key, `files` the PEX, or the wheels and the script."""

    source: str
    entry_point: str | None
    interpreter: str
    files: tuple[PlannedFile, ...]


class PlannedLibc(msgspec.Struct, frozen=True, kw_only=True):
    """A C library that comes along, of packages of a Debian `release`: those that are needed in any case.

    Which more of its libraries the payload is linked with is known when that is unpacked.
    """

    release: str
    packages: tuple[PlannedFile, ...]


class PlannedExecutable(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle` is the path of an application bundle for macOS; None where there is none."""

    platform: str
    path: str
    bundle: str | None
    launcher: PlannedLauncher
    interpreters: tuple[PlannedInterpreter, ...]
    libc: PlannedLibc | None
    payload: PlannedPayload | None
    files: tuple[PlannedFile, ...]

    @property
    def inputs(self) -> Iterator[PlannedFile]:
        yield from (interpreter.archive for interpreter in self.interpreters)
        yield from () if self.libc is None else self.libc.packages
        yield from () if self.payload is None else self.payload.files
        yield from self.files


class PlannedLock(msgspec.Struct, frozen=True, kw_only=True):
    """`changes` are lines for people: what the build would find out again and write."""

    path: str
    state: LockState
    changes: tuple[str, ...]


class Downloads(msgspec.Struct, frozen=True, kw_only=True):
    """`size` is that of the files whose size is known; of `unknown` it is not."""

    files: int
    size: int
    unknown: int


class PlannedBuild(msgspec.Struct, frozen=True, kw_only=True):
    """A project without a wheel, whose build backend would run. `source` is the name of its source; unless
    `requires_known`, only the build tells what else it requires, and the plan goes without that.
    """

    project: str
    version: str | None
    source: str
    requires_known: bool


class BuildPlan(msgspec.Struct, frozen=True, kw_only=True):
    """`helpers` are interpreters that pack modules on this machine and are not shipped."""

    version: int
    manifest: str
    lock: PlannedLock
    executables: tuple[PlannedExecutable, ...]
    helpers: tuple[PlannedInterpreter, ...]
    builds: tuple[PlannedBuild, ...]
    downloads: Downloads


def plan_build(
    manifest: Path,
    output: Path,
    platforms: Sequence[Platform],
    console: Console,
    use: LockUse = LockUse.UPDATE,
    network: Network | None = None,
) -> BuildPlan:
    """What `czscie.build.build` would do with the same arguments. Raises CzscieError where that would, too.

    Indexes are asked as the build would ask them, but no archive, no lock is written, and no build backend
    runs: what has no wheel is what its source says of itself.
    """
    lift, targets = read_order(manifest, platforms)
    network = network or Network.of()
    provider = Provider(console, network)
    builder = Builder.of(lift, network, console, runs=False)
    settled = settle(lift, targets, use, provider, network, console, builder)
    planner = _Planner(lift, settled.lock, provider, network, console)
    executables = tuple(planner.executable(platform, output) for platform in targets)
    helpers = tuple(planner.helpers(targets))
    inputs = [each for executable in executables for each in executable.inputs]
    return BuildPlan(
        version=PLAN_VERSION,
        manifest=str(manifest),
        lock=_lock(lift, settled, use),
        executables=executables,
        helpers=helpers,
        builds=tuple(_builds(builder, settled.lock, inputs)),
        downloads=_downloads([*inputs, *(helper.archive for helper in helpers)]),
    )


def _builds(builder: Builder, lock: Lock, inputs: Sequence[PlannedFile]) -> Iterator[PlannedBuild]:
    """What locking or building would build: what the builder had to do without, and wheels that are gone."""
    for name, each in sorted(builder.unbuilt.items()):
        yield PlannedBuild(
            project=name, version=each.version, source=each.source, requires_known=each.requires_known
        )
    missing = {file.sha256 for file in inputs if file.state == "build"} - {UNBUILT}
    for package in lock.packages:
        if package.name not in builder.unbuilt and any(each.sha256 in missing for each in package.built):
            yield PlannedBuild(
                project=package.name, version=package.version, source=_source(package), requires_known=True
            )


def _source(package: LockedPackage) -> str:
    if package.sdist is not None:
        return package.sdist.name
    return "" if package.directory is None else package.directory.path


def _lock(lift: Lift, settled: Settled, use: LockUse) -> PlannedLock:
    path = str(lock_path(lift.path))
    if use is LockUse.FROZEN:
        return PlannedLock(path=path, state="unchecked", changes=())
    if settled.before is None:
        return PlannedLock(path=path, state="new", changes=settled.changes)
    state: LockState = "changed" if settled.changes else "current"
    return PlannedLock(path=path, state=state, changes=settled.changes)


@dataclass(frozen=True, slots=True)
class _Planner:
    lift: Lift
    lock: Lock
    provider: Provider
    network: Network
    console: Console

    def executable(self, platform: Platform, output: Path) -> PlannedExecutable:
        launcher = find_launcher(platform.launcher, cache_directory("launchers"))
        bundle = bundle_path(self.lift, platform, output)
        return PlannedExecutable(
            platform=platform.name,
            path=str(executable_path(self.lift, platform, output)),
            bundle=None if bundle is None else str(bundle),
            launcher=PlannedLauncher(
                name=platform.launcher, state="compile" if launcher is None else "ready"
            ),
            interpreters=tuple(self._interpreter(each, platform) for each in self.lift.interpreters),
            libc=self._libc(platform),
            payload=self._payload(platform),
            files=tuple(map(self._file, self.lift.files)),
        )

    def helpers(self, targets: Sequence[Platform]) -> Iterator[PlannedInterpreter]:
        """The interpreters for this machine, where nothing is built for it but modules are packed."""
        try:
            here = current_platform()
        except CzscieError:
            return
        if here in targets or not self.lift.pack.stdlib:
            return
        for interpreter in self.lift.interpreters:
            known = self.lock.interpreter(interpreter.id, here.name)
            if known is not None and not interpreter.OF_THIS_MACHINE:
                yield self._interpreter(interpreter, here)

    def _interpreter(self, interpreter: Interpreter, platform: Platform) -> PlannedInterpreter:
        source = LockedSources(self.lock, self.provider).resolve(interpreter, platform)
        locked = self.lock.interpreter(interpreter.id, platform.name)
        assert locked is not None  # else there is no source
        if source.remote is not None:
            archive = self._remote(source.remote)
        else:
            archive = PlannedFile(
                name=source.description, state="local", sha256=source.digest, size=source.size, url=source.url
            )
        return PlannedInterpreter(
            id=locked.id,
            platform=locked.platform,
            provider=locked.provider,
            version=locked.version,
            release=locked.release,
            flavor=locked.flavor,
            attested=locked.attested,
            archive=archive,
        )

    def _libc(self, platform: Platform) -> PlannedLibc | None:
        settings = self.lift.libc
        if settings.bundle == NEVER or platform.os != "linux":
            return None
        table = PackageTable.of(settings)
        wanted = [name for name in optional_libraries(platform) if name in settings.libraries]
        remotes = (table.remote(package) for package in packages_of(table, platform, wanted))
        return PlannedLibc(release=table.release, packages=tuple(map(self._remote, remotes)))

    def _payload(self, platform: Platform) -> PlannedPayload | None:
        payload = self.lift.payload
        if payload is None:
            return None
        with scratch() as directory:
            # For what it refuses: the PEX itself is not asked for.
            locked_payload(self.lift, self.lock, platform, directory, self.network, self.console)
        files = [_local(path) for path in (payload.pex, payload.script) if path is not None]
        target = target_of(self.lift, self.lock, platform)
        if payload.pex is None and target is not None:
            files += self._wheels(target)
        files += map(self._wheel, locked_provisions(self.lift, self.lock, platform))
        return PlannedPayload(
            source=next(source for source in SOURCES if getattr(payload, source) is not None),
            entry_point=payload.entry_point,
            interpreter=payload.interpreter,
            files=tuple(files),
        )

    def _wheels(self, target: Target) -> Iterator[PlannedFile]:
        yield from map(self._wheel, selected(self.lock, target))

    def _wheel(self, chosen: Chosen) -> PlannedFile:
        if chosen.wheel.sha256 == UNBUILT:
            sha256 = UNBUILT if chosen.package.sdist is None else chosen.package.sdist.hashes.sha256
            return PlannedFile(name=_source(chosen.package), state="build", sha256=sha256)
        remote = remote_of_wheel(chosen.wheel, self.lift.path.parent.absolute())
        return self._remote(remote, "build" if chosen.built else "download")

    def _file(self, file: EmbeddedFile) -> PlannedFile:
        if isinstance(file.source, FromUrl):
            return self._remote(remote_of_file(file))
        return _local(file.path)

    def _remote(self, remote: Remote, otherwise: State = "download") -> PlannedFile:
        found = find(remote, self.network)
        size = remote.size if found is None else found.stat().st_size
        if found is not None:
            state: State = "cached"
        else:
            state = "local" if any(map(is_file, remote.urls)) else otherwise
        url = without_secrets(remote.urls[0]) if remote.urls else None
        return PlannedFile(name=remote.name, state=state, sha256=remote.sha256, size=size, url=url)


def _local(path: Path) -> PlannedFile:
    size = None if path.is_dir() else path.stat().st_size
    return PlannedFile(name=path.name, state="local", sha256=path_digest(path), size=size)


def _downloads(files: Sequence[PlannedFile]) -> Downloads:
    missing = {file.sha256: file for file in files if file.state == "download"}.values()
    sizes = [file.size for file in missing]
    return Downloads(
        files=len(sizes), size=sum(size or 0 for size in sizes), unknown=sum(size is None for size in sizes)
    )
