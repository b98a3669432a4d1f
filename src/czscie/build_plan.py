"""What a build would do, download and write. It uses the build's own functions, and changes nothing.

The structs are the schema of `czscie plan --json`, which docs/reference/plan.md describes. Sizes are in
bytes, digests SHA-256 in hexadecimal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from czscie.build import bundle_path, output_paths
from czscie.errors import CzscieError
from czscie.launchers.provide import find_provided
from czscie.lift.lift import Lift
from czscie.lift.payload import SOURCES
from czscie.loader import load_lift
from czscie.lock.builder import UNBUILT, Builder, remote_of
from czscie.lock.ensure import EnsuredLock, resolve_lock
from czscie.lock.inventory.input import Input, PlannedInput, Scope
from czscie.lock.inventory.interpreter import InterpreterInput
from czscie.lock.inventory.inventory import inventory, of_kind
from czscie.lock.inventory.libc import LibcInput
from czscie.lock.lock import Lock
from czscie.lock.sources import LockedSources
from czscie.lock.use import LockUse
from czscie.platforms import Platform, current_platform
from czscie.preflight import check_build, check_output
from czscie.session import Session

#: Changes when a key of the schema is removed or changes its meaning; new keys do not count.
PLAN_VERSION = 1

#: Whether the build would write the lock; `unchecked` is --frozen.
LockState = Literal["current", "new", "changed", "unchecked"]


class PlannedInterpreter(msgspec.Struct, frozen=True, kw_only=True):
    """A CPython; `release` and `flavor` are python-build-standalone's. `archive` may be a directory."""

    id: str
    platform: str
    provider: str
    version: str
    release: str | None
    flavor: str | None
    attested: str | None
    archive: PlannedInput


class PlannedLauncher(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    state: Literal["ready", "compile"]


class PlannedPayload(msgspec.Struct, frozen=True, kw_only=True):
    """`source` is the manifest's key, `files` the PEX, or the wheels and the script."""

    source: str
    entry_point: str | None
    interpreter: str
    files: tuple[PlannedInput, ...]


class PlannedLibc(msgspec.Struct, frozen=True, kw_only=True):
    """A bundled C library from packages of a Debian `release`: those that are always needed.

    The payload may need more of its libraries, which is known only once it is unpacked.
    """

    release: str
    packages: tuple[PlannedInput, ...]


class PlannedExecutable(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle` is the path of an application bundle for macOS; None where there is none."""

    platform: str
    path: str
    bundle: str | None
    launcher: PlannedLauncher
    interpreters: tuple[PlannedInterpreter, ...]
    libc: PlannedLibc | None
    payload: PlannedPayload | None
    files: tuple[PlannedInput, ...]

    @property
    def inputs(self) -> Iterator[PlannedInput]:
        yield from (interpreter.archive for interpreter in self.interpreters)
        yield from () if self.libc is None else self.libc.packages
        yield from () if self.payload is None else self.payload.files
        yield from self.files


class PlannedLock(msgspec.Struct, frozen=True, kw_only=True):
    """`changes` are lines for people: what the build would resolve again and write."""

    path: str
    state: LockState
    changes: tuple[str, ...]


class Downloads(msgspec.Struct, frozen=True, kw_only=True):
    """`size` is that of the files whose size is known; of `unknown` it is not."""

    files: int
    size: int
    unknown: int


class PlannedBuild(msgspec.Struct, frozen=True, kw_only=True):
    """A project without a wheel, whose build backend would run.

    `source` is the name of its source. Unless `requires_known`, its requirements are known only after it is
    built, and the plan leaves them out. `again` is whether the cache has the wheel of the lock, but none of
    the files as they are now.
    """

    project: str
    version: str | None
    source: str
    requires_known: bool
    again: bool = False


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
    session: Session,
    use: LockUse = LockUse.UPDATE,
) -> BuildPlan:
    """What `czscie.build.build` would do with the same arguments. Raises CzscieError where that would, too.

    It reads the same indexes as the build, but it downloads no archive, writes no lock and runs no build
    backend: the metadata of a source describes a project without a wheel.
    """
    lift, targets = load_lift(manifest, platforms, session.files, session.inverted)
    return plan_lift(lift, targets, output, session, use)


def plan_lift(
    lift: Lift,
    targets: Sequence[Platform],
    output: Path,
    session: Session,
    use: LockUse = LockUse.UPDATE,
    *,
    as_file: bool = False,
) -> BuildPlan:
    """The same for a lift that is checked, as `czscie.build.build_into` would build it."""
    path_of = output_paths(lift, targets, output, as_file=as_file)
    outputs = {target: path_of(target) for target in targets}
    check_output(list(outputs.values()))
    builder = Builder.of(lift, session, runs=False)
    settled = resolve_lock(lift, targets, use, session, builder)
    check_build(lift, settled.lock, targets, session, outputs, fetches=False)
    planner = _Planner(lift, settled.lock, session)
    executables = tuple(planner.executable(platform, path) for platform, path in outputs.items())
    helpers = tuple(planner.helpers(targets))
    inputs = [each for executable in executables for each in executable.inputs]
    return BuildPlan(
        version=PLAN_VERSION,
        manifest=str(lift.path),
        lock=_lock(lift, settled, use),
        executables=executables,
        helpers=helpers,
        builds=tuple(_builds(builder, settled, inputs)),
        downloads=_downloads([*inputs, *(helper.archive for helper in helpers)]),
    )


def _builds(builder: Builder, settled: EnsuredLock, inputs: Sequence[PlannedInput]) -> Iterator[PlannedBuild]:
    """What locking or building would build: what the builder skipped, and built wheels missing from the
    cache.
    """
    for name, each in sorted(builder.unbuilt.items()):
        yield PlannedBuild(
            project=name,
            version=each.version,
            source=each.source,
            requires_known=each.requires_known,
            again=_was_built(name, settled.before, builder.directory),
        )
    missing = {file.sha256 for file in inputs if file.state == "build"} - {UNBUILT}
    for package in settled.lock.packages:
        if package.name not in builder.unbuilt and any(each.sha256 in missing for each in package.built):
            yield PlannedBuild(
                project=package.name, version=package.version, source=package.source, requires_known=True
            )


def _was_built(name: str, lock: Lock | None, directory: Path) -> bool:
    """Whether the wheel that `lock` has of the directory of `name` is in the cache."""
    packages = () if lock is None else lock.packages
    built = [wheel for each in packages if each.name == name and each.directory for wheel in each.built]
    return any(remote_of(wheel, directory).path.is_file() for wheel in built)


def _lock(lift: Lift, settled: EnsuredLock, use: LockUse) -> PlannedLock:
    path = str(lift.lock_path)
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
    session: Session

    def executable(self, platform: Platform, path: Path) -> PlannedExecutable:
        bundle = bundle_path(self.lift, platform, path.parent)
        inputs = inventory(Scope(self.lift, self.lock, (platform,), self.session.provider))
        pin = self.lock.launcher.sha256(platform.launcher)
        launcher = find_provided(platform.launcher, self.session.network, pin)
        interpreters = tuple(map(self._interpreter, of_kind(inputs, InterpreterInput)))
        libc = of_kind(inputs, LibcInput)
        return PlannedExecutable(
            platform=platform.name,
            path=str(path),
            bundle=None if bundle is None else str(bundle),
            launcher=PlannedLauncher(
                name=platform.launcher, state="compile" if launcher is None else "ready"
            ),
            interpreters=interpreters,
            libc=PlannedLibc(release=libc[0].table.release, packages=self._files(libc)) if libc else None,
            payload=self._payload(inputs),
            files=self._files(each for each in inputs if each.SECTION == "files"),
        )

    def helpers(self, targets: Sequence[Platform]) -> Iterator[PlannedInterpreter]:
        """The interpreters for this machine, where nothing is built for it but modules are packed."""
        try:
            here = current_platform()
        except CzscieError:
            return
        if here in targets or not self.lift.pack.stdlib:
            return
        sources = LockedSources(self.lock, self.session.provider)
        for interpreter in self.lift.interpreters:
            locked = self.lock.interpreter(interpreter.id, here.name)
            if locked is not None and not interpreter.OF_THIS_MACHINE:
                yield self._interpreter(InterpreterInput(interpreter, locked, sources))

    def _interpreter(self, interpreter: InterpreterInput) -> PlannedInterpreter:
        locked = interpreter.locked
        return PlannedInterpreter(
            id=locked.id,
            platform=locked.platform,
            provider=locked.provider,
            version=locked.version,
            release=locked.release,
            flavor=locked.flavor,
            attested=locked.attested,
            archive=interpreter.planned(self.session.network),
        )

    def _payload(self, inputs: Sequence[Input]) -> PlannedPayload | None:
        payload = self.lift.payload
        if payload is None:
            return None
        return PlannedPayload(
            source=next(source for source in SOURCES if getattr(payload, source) is not None),
            entry_point=payload.entry_point,
            interpreter=payload.interpreter,
            files=self._files(each for each in inputs if each.SECTION == "payload"),
        )

    def _files(self, inputs: Iterable[Input]) -> tuple[PlannedInput, ...]:
        return tuple(each.planned(self.session.network) for each in inputs)


def _downloads(files: Sequence[PlannedInput]) -> Downloads:
    missing = {file.sha256: file for file in files if file.state == "download"}.values()
    sizes = [file.size for file in missing]
    return Downloads(
        files=len(sizes), size=sum(size or 0 for size in sizes), unknown=sum(size is None for size in sizes)
    )
