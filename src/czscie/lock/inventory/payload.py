"""The PEX or the script that a manifest names as its payload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from czscie.errors import Code, CzscieError
from czscie.filesystem import path_digest
from czscie.lift.lift import Lift
from czscie.lift.payload import Payload
from czscie.lock.inventory.input import Answer, Input, PlannedInput, Scope, planned_local
from czscie.lock.lock import LockedPayload
from czscie.lock.targets import target_of
from czscie.network.network import Network
from czscie.sbom.component import PAYLOAD

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.lock.inventory.comparison import Comparison, Evidence


@dataclass(frozen=True, slots=True)
class PayloadInput(Input):
    KIND: ClassVar[str] = "payload"
    SECTION: ClassVar[Literal["payload"]] = "payload"

    path: Path
    locked: LockedPayload | None

    @classmethod
    def current(cls, lift: Lift) -> Mapping[str, Any]:
        payload = lift.payload
        if payload is None:
            return {"payload": None}
        path = payload.pex or payload.lock or payload.script
        return {"payload": LockedPayload(sha256=None if path is None else _digest(path))}

    @classmethod
    def changes(cls, answer: Answer) -> Iterator[str]:
        locked, asked = answer.lock.payload, answer.now.requested.payload
        if asked is not None and locked is not None and locked.sha256 != answer.now.payload:
            yield f"{asked.pex or asked.lock or asked.script} differs from the lock"
        for platform in sorted(answer.lacking):
            if locked is None or platform not in locked.platforms:
                yield f"the payload is not locked for {platform}"

    @classmethod
    def of(cls, scope: Scope) -> Iterator[PayloadInput]:
        payload, locked = scope.lift.payload, scope.lock.payload
        if payload is None:
            return
        for platform in scope.targets if payload.pex is None else ():
            target = target_of(scope.lift, scope.lock, platform)
            if target is None or locked is None or platform.name not in locked.platforms:
                raise CzscieError(
                    f"the payload is not locked for {platform.name}",
                    code=Code.LOCK_OUT_OF_DATE,
                    hint="run czscie lock",
                )
        path = _named(payload)
        if path is not None:
            yield cls(path, locked)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def sha256(self) -> str | None:
        return None if self.locked is None else self.locked.sha256

    def digest(self) -> str:
        """Its SHA-256. Raises CzscieError when it differs from the lock."""
        digest = _digest(self.path)
        if digest != self.sha256:
            raise CzscieError(
                f"{self.path} differs from the lock", code=Code.LOCK_DIFFERS, hint="run czscie lock to pin it"
            )
        return digest

    def properties(self) -> Mapping[str, str]:
        return {PAYLOAD: self.digest()}

    def planned(self, network: Network) -> PlannedInput:
        self.digest()
        return planned_local(self.path)

    def obtain(self, network: Network, console: Console) -> Path:
        self.digest()
        return self.path

    @classmethod
    def compare(cls, found: Comparison, evidence: Evidence) -> None:
        asked, locked = evidence.lock.manifest.payload, evidence.lock.payload
        if asked is not None and (asked.pex or asked.script) and locked and locked.sha256:
            application = evidence.bill.get("application")
            digest = None if application is None else application.properties.get(PAYLOAD)
            found.digests(f"the payload {asked.pex or asked.script}", digest, locked.sha256)


def _named(payload: Payload) -> Path | None:
    return payload.pex or payload.script


def _digest(path: Path) -> str:
    if not path.exists():
        raise CzscieError(
            f"there is nothing at {path}", code=Code.FILE_MISSING, why="the manifest names it as the payload"
        )
    return path_digest(path)
