"""The launchers, which are compiled instead of downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from czscie import __version__, pe
from czscie.errors import CzscieError
from czscie.filesystem import pieces
from czscie.launchers.build import fetcher_of, file_name
from czscie.launchers.provide import check_provided, provide_launcher
from czscie.lift.laziness import Laziness
from czscie.lift.lift import Lift
from czscie.lock.inventory.input import Answer, Input, Scope
from czscie.network.network import Network
from czscie.platforms import Platform, find_platform
from czscie.sbom.component import SOURCE

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.lock.inventory.comparison import Comparison, Evidence
    from czscie.scie.inspect import Contents


def programs_for(lift: Lift, platform: Platform) -> tuple[str, ...]:
    """The compiled programs in an executable: the launcher, and the fetcher if it has lazy parts."""
    needs_fetcher = Laziness.of(lift, platform).needs_fetcher(lift)
    return (platform.launcher, *((fetcher_of(platform.launcher),) if needs_fetcher else ()))


@dataclass(frozen=True, slots=True)
class LauncherInput(Input):
    KIND: ClassVar[str] = "launcher"
    SECTION: ClassVar[Literal["launcher"]] = "launcher"
    DIRECTORY: ClassVar[str] = "launchers"

    launcher: str
    pin: str | None

    @classmethod
    def changes(cls, answer: Answer) -> Iterator[str]:
        launcher = answer.lock.launcher
        if launcher.source != answer.now.known.launcher.source:
            return
        wanted = (
            answer.now.programs.get(each) or (find_platform(each).launcher,) for each in answer.platforms
        )
        for name in dict.fromkeys(chain.from_iterable(wanted)):
            if launcher.sha256(name) is None:
                yield f"the launcher for {name} is not locked"

    @classmethod
    def of(cls, scope: Scope) -> Iterator[LauncherInput]:
        for name in sorted(
            {each for platform in scope.targets for each in programs_for(scope.lift, platform)}
        ):
            yield cls(name, scope.lock.launcher.sha256(name))

    @property
    def name(self) -> str:
        return self.launcher

    @property
    def version(self) -> str:
        return __version__

    @property
    def sha256(self) -> str | None:
        return self.pin

    @property
    def file_name(self) -> str:
        return file_name(self.launcher)

    def is_missing(self, network: Network) -> bool:
        if any((directory / self.file_name).exists() for directory in network.directories):
            return False
        try:
            check_provided(self.launcher, network, self.pin)
        except CzscieError:
            return True
        return False

    def obtain(self, network: Network, console: Console) -> Path:
        return provide_launcher(self.launcher, console, network, self.pin)

    @classmethod
    def compare(cls, found: Comparison, evidence: Evidence) -> None:
        launcher, own = evidence.lock.launcher, evidence.own
        listed = evidence.bill.get("launcher/launcher")
        there = _compiled(evidence.contents)
        if listed is not None and listed.sha256 != there:
            found.differences.append("the bill of materials lists a different launcher")
        source = None if listed is None else listed.properties.get(SOURCE)
        found.digests("the launcher's source", source, launcher.source)
        locked = launcher.sha256(evidence.platform.launcher)
        if locked is not None:
            found.digests("the launcher", there, locked)
        elif own.source != launcher.source:
            found.unknown.append("the launcher: its source in this czscie differs from the lock")
        elif own.sha256 is None:
            found.unknown.append("the launcher: it cannot be compiled here to compare it")
        else:
            found.digests("the launcher", there, own.sha256)


def _compiled(contents: Contents) -> str:
    """The digest of the launcher as it was compiled: one for Windows has resources besides."""
    jump = contents.manifest.scie.jump
    with contents.path.open("rb") as file:
        if not pe.is_pe(file.read(pe.HEAD_MAX)):
            return jump.hash
        file.seek(0)
        image = b"".join(pieces(file, jump.size))
    return hashlib.sha256(pe.compiled(image)).hexdigest() if pe.is_pe(image) else jump.hash
