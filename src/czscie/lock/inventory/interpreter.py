"""The interpreters of a lift."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from czscie.implementation import CPYTHON, PYPY
from czscie.interpreters import PinnedInterpreter
from czscie.lift.interpreter import Interpreter
from czscie.lock.inventory.input import Answer, Input, PlannedInput, Scope, planned_remote
from czscie.lock.inventory.licences import licences_of_interpreter
from czscie.lock.lock import LockedInterpreter
from czscie.lock.sources import LockedSources
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.pbs.provider import Source
from czscie.platforms import find_platform

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.lock.inventory.comparison import Comparison, Evidence


@dataclass(frozen=True, slots=True)
class InterpreterInput(Input):
    """An interpreter for one platform, which is shipped unless it is a helper."""

    KIND: ClassVar[str] = "interpreter"
    SECTION: ClassVar[Literal["interpreters"]] = "interpreters"
    DIRECTORY: ClassVar[str] = "archives"

    wanted: Interpreter
    locked: LockedInterpreter
    sources: LockedSources

    @classmethod
    def of(cls, scope: Scope) -> Iterator[InterpreterInput]:
        sources = LockedSources(scope.lock, scope.provider)
        names = [platform.name for platform in scope.targets]
        for wanted in scope.lift.interpreters:
            for name in names:
                sources.locked(wanted, name)
            for locked in scope.lock.interpreters:
                shipped = locked.platform in names
                if locked.id == wanted.id and (shipped or (scope.anywhere and locked.helper)):
                    yield cls(wanted, locked, sources)

    @classmethod
    def changes(cls, answer: Answer) -> Iterator[str]:
        for identifier, platform in sorted(answer.stale):
            locked = answer.lock.interpreter(identifier, platform)
            if locked is None or locked.helper:
                yield f"the interpreter {identifier} is not locked for {platform}"
            elif answer.now.known.interpreter(identifier, platform) is not None:
                yield f"the interpreter {identifier} of this machine changed"

    @property
    def name(self) -> str:
        return f"{self.locked.id} for {self.locked.platform}"

    @property
    def version(self) -> str:
        return f"{self.locked.implementation.full_version}+{self.locked.release}"

    @property
    def sha256(self) -> str:
        return self.locked.sha256

    @property
    def source(self) -> Source:
        """Raises CzscieError when the interpreter of this machine differs from the lock."""
        return self.sources.resolve(self.wanted, find_platform(self.locked.platform))

    @property
    def remote(self) -> Remote | None:
        return None if self.wanted.OF_THIS_MACHINE else self.source.remote

    def pinned(self, console: Console) -> PinnedInterpreter:
        """The interpreter, as a build uses it. Raises CzscieError."""
        platform = find_platform(self.locked.platform)
        return PinnedInterpreter.resolve(self.wanted, platform, self.sources, console)

    def planned(self, network: Network) -> PlannedInput:
        source = self.source
        if source.remote is not None:
            return planned_remote(source.remote, network)
        return PlannedInput(
            name=source.description, state="local", sha256=source.digest, size=source.size, url=source.url
        )

    def licences(self, path: Path) -> Iterator[tuple[str, bytes]]:
        python = self.locked.implementation
        for name, text in licences_of_interpreter(path, self.source.root):
            yield f"{python.name}-{python}/{name}", text

    @classmethod
    def compare(cls, found: Comparison, evidence: Evidence) -> None:
        there = {
            part.part.name: next(
                filter(None, (evidence.sha256(f"{part.part.name}/{name}") for name in (CPYTHON, PYPY))), None
            )
            for part in evidence.contents.parts
            if part.part.kind == "interpreter"
        }
        lazy = evidence.contents.manifest.scie.lift.lazy
        there |= {part.name: part.hash for part in lazy if part.kind == "interpreter"}
        platform = evidence.platform.name
        locked = {
            each.id: each.sha256
            for each in evidence.lock.interpreters
            if each.platform == platform and not each.helper
        }
        found.names("the interpreter", there, locked)
        for name in there.keys() & locked.keys():
            found.digests(f"the interpreter {name}", there[name], locked[name])
