"""The files that a lift embeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from czscie.container.manifest import FILES
from czscie.errors import Code, CzscieError
from czscie.filesystem import path_digest
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.laziness import Laziness
from czscie.lift.lift import Lift
from czscie.lock.inventory.input import Answer, Input, PlannedInput, Scope, planned_local, planned_remote
from czscie.lock.lock import LockedFile
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.network.url import without_secrets
from czscie.scie.files import local_path, locate, remote_of

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.lock.inventory.comparison import Comparison, Evidence


@dataclass(frozen=True, slots=True)
class FileInput(Input):
    KIND: ClassVar[str] = "file"

    file: EmbeddedFile
    locked: LockedFile | None
    #: Whether the executable fetches it at a start, so that the build does not need it.
    lazy: bool = False

    @classmethod
    def current(cls, lift: Lift) -> Mapping[str, Any]:
        return {"files": tuple(filter(None, map(_locked, lift.files)))}

    @classmethod
    def changes(cls, answer: Answer) -> Iterator[str]:
        before = {each.id: each for each in answer.lock.files}
        now = {each.id: each for each in answer.now.known.files}
        for identifier in sorted({*before, *now}):
            if identifier not in before or identifier not in now:
                yield f"the file {identifier} is {'new' if identifier not in before else 'gone'}"
            elif before[identifier] != now[identifier]:
                yield f"the file {identifier} differs from the lock"

    @classmethod
    def of(cls, scope: Scope) -> Iterator[FileInput]:
        lazy = frozenset.intersection(*(Laziness.of(scope.lift, each).files for each in scope.targets))
        for file in scope.lift.files:
            yield cls(file, scope.lock.file(file.id), file.name in lazy)

    @property
    def name(self) -> str:
        return self.file.name.rpartition("/")[2]

    @property
    def sha256(self) -> str | None:
        return None if self.locked is None else self.locked.sha256

    @property
    def remote(self) -> Remote | None:
        return None if self.lazy else remote_of(self.file)

    def planned(self, network: Network) -> PlannedInput:
        if self.lazy:
            return self._planned_lazily()
        remote = self.remote
        return planned_local(self.file.path) if remote is None else planned_remote(remote, network)

    def obtain(self, network: Network, console: Console) -> Path:
        path = locate(self.file, network, console)
        if path_digest(path) != self.sha256:
            raise CzscieError(
                f"the lift's file {self.file.name} differs from the lock",
                code=Code.LOCK_DIFFERS,
                hint="run czscie lock to pin it",
            )
        return path

    def _planned_lazily(self) -> PlannedInput:
        digest, url = self.file.digest, self.file.url
        return PlannedInput(
            name=self.name,
            state="lazy",
            sha256=self.sha256 or "",
            size=None if digest is None else digest.size,
            url=None if url is None else without_secrets(url),
        )

    @classmethod
    def compare(cls, found: Comparison, evidence: Evidence) -> None:
        there = dict(evidence.listed(FILES))
        locked = {each.id: each.sha256 for each in evidence.lock.files}
        found.names("the file", there, locked)
        for name in there.keys() & locked.keys():
            found.digests(f"the file {name}", there[name].sha256, locked[name])


def _locked(file: EmbeddedFile) -> LockedFile | None:
    """None for a file that a binding prints, if the manifest has no digest of it."""
    if file.is_bound:
        digest = file.digest
        if digest is None or digest.fingerprint is None:
            return None
        return LockedFile(id=file.id, sha256=digest.fingerprint, size=digest.size)
    remote = remote_of(file)
    if remote is not None:
        return LockedFile(id=file.id, sha256=remote.sha256, size=remote.size)
    path = local_path(file)
    size = None if path.is_dir() else path.stat().st_size
    return LockedFile(id=file.id, sha256=path_digest(path), size=size)
