"""The inputs of the executable of one platform: pinned, and fetched on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from czscie.interpreters import PinnedInterpreter
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.lift import Lift
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.platforms import Platform


@dataclass(slots=True)
class PayloadPex:
    """The payload as a PEX.

    `name` is for messages, `digest` is the cache key. `make` fetches its parts and builds it; it is called
    once, when the PEX is needed. `local` are the projects, by their normalised names, that are built from
    directories of this machine.
    """

    name: str
    digest: str
    make: Callable[[], Path] = field(repr=False)
    local: frozenset[str] = frozenset()
    _made: Path | None = None

    @property
    def path(self) -> Path:
        """The PEX on this machine. Raises CzscieError when its parts cannot be fetched."""
        if self._made is None:
            self._made = self.make()
        return self._made


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one executable. `interpreters` are by their ids; `pex` is None where there is no payload;
    `files` are those that the executable contains, each with where it is. `provisions` are wheels that
    `lift.bare` adds to the payload, `script_launchers` is distlib's wheel, for scripts on Windows.
    `properties` are what the bill of materials says of the application. `launcher` and `fetcher` are the
    SHA-256 of these programs, None when they are not locked. `network` is where everything else is from.
    """

    lift: Lift
    platform: Platform
    interpreters: Mapping[str, PinnedInterpreter]
    pex: PayloadPex | None
    files: tuple[tuple[EmbeddedFile, Path], ...]
    provisions: tuple[Remote, ...]
    script_launchers: Remote | None
    properties: Mapping[str, str]
    launcher: str | None
    fetcher: str | None
    network: Network
