"""Which files a build of a lift needs besides what stands beside its manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from czscie.errors import CzscieError
from czscie.lift.embedded_file import FromUrl
from czscie.lift.libc import NEVER
from czscie.lift.lift import Lift
from czscie.lock.builder import remote_of
from czscie.lock.lock import Lock, LockedInterpreter
from czscie.lock.packages import Chosen, selected
from czscie.lock.provisions import locked_provisions
from czscie.lock.sources import LockedSources
from czscie.lock.targets import target_of
from czscie.network.remote import Remote
from czscie.pbs.provider import Provider
from czscie.platforms import Platform, find_platform
from czscie.scie import files


@dataclass(frozen=True, slots=True)
class Need:
    """A file that goes into `kind` (czscie.vendor.directory.KINDS), and what the lock says of it."""

    kind: str
    remote: Remote
    of: LockedInterpreter | Chosen | None = None


def needs_of(lift: Lift, lock: Lock, targets: Sequence[Platform], provider: Provider) -> list[Need]:
    """What building `lift` for `targets` takes, each file once. Raises CzscieError for what is not locked.

    Interpreters of this machine (Host, Local) are not among them, nor is what the manifest's directory holds.
    """
    found: dict[tuple[str, str], Need] = {}
    for need in (
        *_interpreters(lift, lock, targets, provider),
        *_wheels(lift, lock, targets),
        *_files(lift),
        *_packages(lift, targets),
    ):
        known = found.setdefault((need.kind, need.remote.name), need)
        if known.remote.sha256 != need.remote.sha256:
            raise CzscieError(
                f"two files called {need.remote.name} are needed, which one directory cannot hold",
                why=(known.remote.sha256, need.remote.sha256),
                mend="vendor each platform in a directory of its own: czscie vendor --platform …",
            )
    return list(found.values())


def _interpreters(lift: Lift, lock: Lock, targets: Sequence[Platform], provider: Provider) -> Iterator[Need]:
    """Those for `targets`, and those that pack modules for them on other machines."""
    sources = LockedSources(lock, provider)
    names = {platform.name for platform in targets}
    for interpreter in lift.interpreters:
        if interpreter.OF_THIS_MACHINE:
            continue
        for locked in lock.interpreters:
            if locked.id == interpreter.id and (locked.platform in names or locked.helper):
                source = sources.resolve(interpreter, find_platform(locked.platform))
                assert source.remote is not None
                yield Need("archives", source.remote, locked)


def _wheels(lift: Lift, lock: Lock, targets: Sequence[Platform]) -> Iterator[Need]:
    directory = lift.path.parent.absolute()
    for platform in targets:
        target = target_of(lift, lock, platform)
        if target is not None and lock.packages:
            for chosen in selected(lock, target):
                yield Need("wheels", remote_of(chosen.wheel, directory), chosen)
        for chosen in locked_provisions(lift, lock, platform):
            yield Need("wheels", remote_of(chosen.wheel, directory), chosen)


def _files(lift: Lift) -> Iterator[Need]:
    for file in lift.files:
        if isinstance(file.source, FromUrl):
            yield Need("files", files.remote_of(file))


def _packages(lift: Lift, targets: Sequence[Platform]) -> Iterator[Need]:
    """All that the C library may be taken from: which of them it is is found out when parts are made."""
    if lift.libc.bundle == NEVER:
        return
    from czscie.libc.library import optional_libraries, packages_of
    from czscie.libc.packages import PackageTable

    settings = lift.libc
    table = PackageTable.builtin() if settings.packages is None else PackageTable.read(settings.packages)
    for platform in targets:
        if platform.os == "linux":
            for package in packages_of(table, platform, optional_libraries(platform)):
                yield Need("debian", table.remote(package))
