"""The comparison of an executable with a lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from czscie.lock.lock import Lock
from czscie.platforms import Platform, find_platform
from czscie.sbom.read import Recorded
from czscie.scie.inspect import Contents


@dataclass(frozen=True, slots=True)
class OwnLauncher:
    """The launcher that this czscie makes: the digest of its source and its own, None where it has none."""

    source: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an executable records about its inputs: its `contents` and its bill of materials.

    `lock` is the lock to compare it with, `own` the launcher of this czscie.
    """

    contents: Contents
    bill: Mapping[str, Recorded]
    lock: Lock
    own: OwnLauncher

    @property
    def platform(self) -> Platform:
        return find_platform(self.contents.manifest.scie.lift.platform)

    def sha256(self, reference: str) -> str | None:
        recorded = self.bill.get(reference)
        return None if recorded is None else recorded.sha256

    def listed(self, part: str) -> Iterator[tuple[str, Recorded]]:
        """The components of `part` in the bill, by their names there."""
        for reference, each in self.bill.items():
            head, _, rest = reference.partition("/")
            if head == part and rest:
                yield rest, each


@dataclass(slots=True)
class Comparison:
    """The result: `agreed` counts inputs that match, `differences` and `unknown` are lines for people."""

    agreed: int = 0
    differences: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def digests(self, what: str, found: str | None, locked: str) -> None:
        """Compares the digest of an input that the file records, if it does, with the locked one."""
        if found is None:
            self.unknown.append(f"{what}: the file does not record it")
        elif found != locked:
            self.differences.append(f"{what} differs from the lock: SHA-256 {found}, locked {locked}")
        else:
            self.agreed += 1

    def names(self, kind: str, there: Mapping[str, object], locked: Mapping[str, object]) -> None:
        """Records the names that are only in the file or only in the lock."""
        for name in sorted(there.keys() - locked.keys()):
            self.differences.append(f"{kind} {name} is not locked")
        for name in sorted(locked.keys() - there.keys()):
            self.differences.append(f"{kind} {name} is locked, but not in the file")
