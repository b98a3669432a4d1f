"""The bundled C library: Debian packages. A table pins them, and a lock pins the table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from czscie.container.manifest import LIBC
from czscie.errors import Code, CzscieError
from czscie.filesystem import path_digest
from czscie.lift.libc import NEVER
from czscie.lift.lift import Lift
from czscie.lock.inventory.input import Answer, Input, Scope
from czscie.lock.lock import LockedLibc
from czscie.network.remote import Remote

if TYPE_CHECKING:
    from czscie.libc.packages import PackageTable, PinnedPackage
    from czscie.lock.inventory.comparison import Comparison, Evidence


@dataclass(frozen=True, slots=True)
class LibcInput(Input):
    """A package of the C library: those that are always needed; for `anywhere` those that may be."""

    KIND: ClassVar[str] = "debian"
    SECTION: ClassVar[Literal["libc"]] = "libc"
    DIRECTORY: ClassVar[str] = "debian"

    table: PackageTable
    package: PinnedPackage

    @classmethod
    def current(cls, lift: Lift) -> Mapping[str, Any]:
        return {"libc": _table_of(lift)}

    @classmethod
    def changes(cls, answer: Answer) -> Iterator[str]:
        locked, now = answer.lock.libc, answer.now.known.libc
        if locked == now:
            return
        if locked is None:
            yield "a C library is bundled now"
        elif now is None:
            yield "no C library is bundled any more"
        else:
            yield "the table of C library packages changed"

    @classmethod
    def of(cls, scope: Scope) -> Iterator[LibcInput]:
        if scope.lock.libc != _table_of(scope.lift):
            raise CzscieError(
                "the bundled C library differs from the lock", code=Code.LOCK_DIFFERS, hint="run czscie lock"
            )
        settings = scope.lift.libc
        if settings.bundle == NEVER:
            return
        from czscie.libc.library import optional_libraries, packages_of
        from czscie.libc.packages import PackageTable

        table = PackageTable.of(settings)
        for platform in scope.targets:
            if platform.os == "linux":
                optional = optional_libraries(platform)
                wanted = [name for name in optional if scope.anywhere or name in settings.libraries]
                for package in packages_of(table, platform, wanted):
                    yield cls(table, package)

    @property
    def name(self) -> str:
        return self.package.file_name

    @property
    def sha256(self) -> str:
        return self.package.sha256

    @property
    def remote(self) -> Remote:
        return self.table.remote(self.package)

    @classmethod
    def compare(cls, found: Comparison, evidence: Evidence) -> None:
        """Compares the packages if the locked table is that of this czscie."""
        there = any(part.part.name == LIBC for part in evidence.contents.parts)
        # Whatever the host has: `bundle` says when it is used. Systems other than Linux are given none.
        locked = evidence.lock.libc if evidence.platform.os == "linux" else None
        if locked is None or not there:
            if there:
                found.differences.append("the C library is not locked")
            elif locked is not None:
                found.differences.append("the C library is locked, but not in the file")
            return
        _compare_packages(found, evidence, locked)


def _table_of(lift: Lift) -> LockedLibc | None:
    """The table that pins the bundled C library, None without one. Raises CzscieError."""
    if lift.libc.bundle == NEVER:
        return None
    if lift.libc.packages is not None:
        return LockedLibc(table=path_digest(lift.libc.packages))
    return LockedLibc(table=_own_table())


def _own_table() -> str:
    from czscie.libc.packages import builtin_table

    return hashlib.sha256(builtin_table()).hexdigest()


def _compare_packages(found: Comparison, evidence: Evidence, locked: LockedLibc) -> None:
    from czscie.libc.packages import ARCHITECTURES, PackageTable

    listed = {each.name: each for _, each in evidence.listed(LIBC)}
    if not listed:
        found.differences.append("the bill of materials does not list the C library")
    if locked.table != _own_table():
        found.unknown.append("the C library: the table that pins its packages differs from this czscie's")
        return
    architecture, _ = ARCHITECTURES[evidence.platform.arch]
    pinned = {
        package.name: package
        for package in PackageTable.builtin().packages
        if package.architecture == architecture
    }
    for name, each in sorted(listed.items()):
        what = f"the C library's package {name}"
        if name not in pinned:
            found.differences.append(f"{what} is not locked")
        elif each.version != pinned[name].version:
            found.differences.append(f"{what} is {each.version}, locked {pinned[name].version}")
        else:
            found.digests(what, each.sha256, pinned[name].sha256)
