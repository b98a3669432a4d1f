"""What a lift is made of as this machine sees it now: all that a lock is compared with, without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from czscie import __version__
from czscie.czex.inline_metadata import InlineMetadata
from czscie.interpreters import traits_of
from czscie.launchers.build import source_digest
from czscie.lift.lift import Lift
from czscie.lock.inventory.inventory import current
from czscie.lock.lock import Launcher, Lock, LockedInterpreter, Question
from czscie.lock.provisions import wanted_provisions
from czscie.lock.question import question_of
from czscie.pbs.provider import Provider
from czscie.platforms import Platform

CREATED_BY = f"czscie {__version__}"


@dataclass(frozen=True, slots=True)
class Now:
    """The state of a lift's inputs. `told` is a lock as far as this machine tells it without a network: its
    interpreters are those of this machine, its launchers have only a source. `provisions` are the names of
    the projects that are added to the payload.
    """

    told: Lock
    provisions: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, lift: Lift, targets: Sequence[Platform], provider: Provider, requires: tuple[str, ...] | None
    ) -> Now:
        """`requires` is what the lift's project is known to require. Raises CzscieError for what is missing
        or cannot be read.
        """
        if lift.payload is not None and lift.payload.script is not None:
            requires = InlineMetadata.read(lift.payload.script).requirements
        told = Lock(
            created_by=CREATED_BY,
            launcher=Launcher(source=source_digest()),
            manifest=question_of(lift, requires),
            interpreters=tuple(_of_this_machine(lift, targets, provider)),
            **current(lift),
        )
        return cls(told, wanted_provisions(lift))

    @property
    def question(self) -> Question:
        return self.told.manifest

    @property
    def payload(self) -> str | None:
        """The SHA-256 of the payload's PEX, lock or script."""
        return None if self.told.payload is None else self.told.payload.sha256

    @property
    def is_resolved(self) -> bool:
        """Whether the payload is made of packages."""
        return self.question.payload is not None and self.question.payload.pex is None


def _of_this_machine(
    lift: Lift, targets: Sequence[Platform], provider: Provider
) -> Iterator[LockedInterpreter]:
    for interpreter in lift.interpreters:
        for platform in targets if interpreter.OF_THIS_MACHINE else ():
            source = provider.resolve(interpreter, platform)
            python = traits_of(source, platform).layout.implementation
            yield LockedInterpreter.of(interpreter, platform, source.pin, str(python))
