"""What a lift is made of as this machine sees it now: all that a lock is compared with, without a network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from czscie import __version__
from czscie.czex.inline_metadata import InlineMetadata
from czscie.errors import CzscieError
from czscie.filesystem import path_digest
from czscie.interpreters import traits_of
from czscie.launchers.build import source_digest
from czscie.lift.embedded_file import EmbeddedFile, FromUrl
from czscie.lift.interpreter import Interpreter
from czscie.lift.libc import NEVER
from czscie.lift.lift import Lift
from czscie.lock.lock import LockedFile, LockedInterpreter, LockedLibc, LockedWindows, Question
from czscie.lock.provisions import wanted_provisions
from czscie.lock.question import question_of
from czscie.pbs.provider import Provider
from czscie.platforms import Platform

CREATED_BY = f"czscie {__version__}"


@dataclass(frozen=True, slots=True)
class Now:
    """The state of a lift's inputs. `payload` is the SHA-256 of its PEX, lock or script, `launcher` that of
    the launcher's source; `interpreters` are those of this machine, by id and platform. `provisions` are the
    names of the projects that are added to the payload.
    """

    created_by: str
    launcher: str
    question: Question
    files: tuple[LockedFile, ...]
    payload: str | None
    interpreters: Mapping[tuple[str, str], LockedInterpreter]
    libc: LockedLibc | None = None
    provisions: tuple[str, ...] = ()
    windows: LockedWindows | None = None

    @classmethod
    def of(
        cls, lift: Lift, targets: Sequence[Platform], provider: Provider, requires: tuple[str, ...] | None
    ) -> Now:
        """`requires` is what the lift's project is known to require. Raises CzscieError for what is missing
        or cannot be read.
        """
        if lift.payload is not None and lift.payload.script is not None:
            requires = InlineMetadata.read(lift.payload.script).requirements
        return cls(
            CREATED_BY,
            source_digest(),
            question_of(lift, requires),
            tuple(_file(file) for file in lift.files),
            _payload_digest(lift),
            {
                (each.id, platform.name): _local(each, platform, provider)
                for each in lift.interpreters
                for platform in targets
                if each.OF_THIS_MACHINE
            },
            libc_of(lift),
            wanted_provisions(lift),
            windows_of(lift),
        )

    @property
    def is_resolved(self) -> bool:
        """Whether the payload is made of packages."""
        return self.question.payload is not None and self.question.payload.pex is None


def libc_of(lift: Lift) -> LockedLibc | None:
    """What pins the C library that comes along, None when none does. Raises CzscieError."""
    if lift.libc.bundle == NEVER:
        return None
    if lift.libc.packages is not None:
        return LockedLibc(table=path_digest(lift.libc.packages))
    from czscie.libc.packages import builtin_table

    return LockedLibc(table=hashlib.sha256(builtin_table()).hexdigest())


def windows_of(lift: Lift) -> LockedWindows | None:
    """What pins the icon of executables for Windows, None when there is none. Raises CzscieError."""
    return None if lift.windows.icon is None else LockedWindows(icon=path_digest(lift.windows.icon))


def _payload_digest(lift: Lift) -> str | None:
    payload = lift.payload
    path = None if payload is None else payload.pex or payload.lock or payload.script
    if path is None:
        return None
    if not path.exists():
        raise CzscieError(f"there is nothing at {path}", why="the manifest names it as the payload")
    return path_digest(path)


def _file(file: EmbeddedFile) -> LockedFile:
    if isinstance(file.source, FromUrl) and file.digest is not None and file.digest.fingerprint is not None:
        return LockedFile(id=file.id, sha256=file.digest.fingerprint, size=file.digest.size)
    if not file.path.exists():
        raise CzscieError(f"the lift's file {file.name} is missing", why=f"there is nothing at {file.path}")
    size = None if file.path.is_dir() else file.path.stat().st_size
    return LockedFile(id=file.id, sha256=path_digest(file.path), size=size)


def _local(interpreter: Interpreter, platform: Platform, provider: Provider) -> LockedInterpreter:
    source = provider.resolve(interpreter, platform)
    python = traits_of(source, platform).layout.implementation
    return LockedInterpreter.of(interpreter, platform, source.pin, str(python))
