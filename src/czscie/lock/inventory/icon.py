"""The icon of executables for Windows, which becomes a resource of their launchers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from czscie.errors import Code, CzscieError
from czscie.filesystem import path_digest
from czscie.lift.lift import Lift
from czscie.lock.inventory.input import Answer, Input, PlannedInput, Scope, planned_local
from czscie.lock.lock import LockedWindows
from czscie.network.network import Network

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.lock.inventory.comparison import Comparison, Evidence

_DIFFERS = "lift.windows.icon differs from the lock"


@dataclass(frozen=True, slots=True)
class IconInput(Input):
    KIND: ClassVar[str] = "icon"
    SECTION: ClassVar[Literal["launcher"]] = "launcher"

    path: Path
    locked: LockedWindows

    @classmethod
    def current(cls, lift: Lift) -> Mapping[str, Any]:
        return {"windows": _locked(lift)}

    @classmethod
    def changes(cls, answer: Answer) -> Iterator[str]:
        if answer.lock.windows != answer.now.known.windows:
            yield _DIFFERS

    @classmethod
    def of(cls, scope: Scope) -> Iterator[IconInput]:
        if scope.lock.windows != _locked(scope.lift):
            raise CzscieError(_DIFFERS, code=Code.LOCK_DIFFERS, hint="run czscie lock")
        if scope.lift.windows.icon is not None and scope.lock.windows is not None:
            yield cls(scope.lift.windows.icon, scope.lock.windows)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def sha256(self) -> str:
        return self.locked.icon

    def planned(self, network: Network) -> PlannedInput:
        return planned_local(self.path)

    def obtain(self, network: Network, console: Console) -> Path:
        return self.path

    @classmethod
    def compare(cls, found: Comparison, evidence: Evidence) -> None:
        """Compares nothing: the resources of a launcher do not record the icon's file."""


def _locked(lift: Lift) -> LockedWindows | None:
    """The digest of the icon; None without an icon. Raises CzscieError."""
    return None if lift.windows.icon is None else LockedWindows(icon=path_digest(lift.windows.icon))
