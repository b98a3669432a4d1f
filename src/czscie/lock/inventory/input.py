"""What every input has: a pin, where its bytes are, and what commands ask of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from czscie.filesystem import path_digest
from czscie.lift.lift import Lift
from czscie.lock.lock import Lock
from czscie.network.fetch import fetch, find
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.network.url import is_file, without_secrets
from czscie.pbs.provider import Provider
from czscie.platforms import Platform

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.lock.builder import Builder
    from czscie.lock.current_inputs import CurrentInputs
    from czscie.lock.inventory.comparison import Comparison, Evidence

#: `cached` is in the user's cache, `local` elsewhere on this machine; `build` is made of a source by pex.
State = Literal["cached", "local", "download", "build"]


class PlannedInput(msgspec.Struct, frozen=True, kw_only=True):
    """An input of the build. `size` is None where no index tells it, `url` where it comes from none."""

    name: str
    state: State
    sha256: str
    size: int | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What an inventory is of: the executables of `lift` for `targets`, as `lock` pins them.

    `anywhere` asks for what building them may take besides: what packs modules on machines of other kinds,
    and what is found out to be needed when parts are made.
    """

    lift: Lift
    lock: Lock
    targets: Sequence[Platform]
    provider: Provider
    anywhere: bool = False

    @property
    def directory(self) -> Path:
        """The manifest's, absolute."""
        return self.lift.path.parent.absolute()


@dataclass(frozen=True, slots=True)
class Answer:
    """What `lock` answers of `now` for `platforms`, by their names.

    `stale` are the ids and platforms of interpreters, `lacking` the platforms whose payload it does not
    answer (any more).
    """

    lock: Lock
    now: CurrentInputs
    platforms: Sequence[str]
    stale: Collection[tuple[str, str]]
    lacking: Collection[str]


class Input(ABC):
    """One thing that goes into executables.

    `KIND` is what people are told that it is. `SECTION` is the list of a plan that shows it, `DIRECTORY` the
    one of a vendor directory that it is in.
    """

    KIND: ClassVar[str]
    SECTION: ClassVar[Literal["interpreters", "libc", "payload", "files", "launcher"]] = "files"
    DIRECTORY: ClassVar[str] = "files"

    # How it is locked.

    @classmethod
    def current(cls, lift: Lift) -> Mapping[str, Any]:
        """The keys of a lock that this machine alone tells, and their values. Raises CzscieError."""
        return {}

    @classmethod
    def changes(cls, answer: Answer) -> Iterator[str]:
        """A line for each thing of this kind that the lock does not say."""
        yield from ()

    # What goes in.

    @classmethod
    @abstractmethod
    def of(cls, scope: Scope) -> Iterator[Input]:
        """The inputs of this kind. Raises CzscieError for what is not locked."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call it."""

    @property
    def version(self) -> str:
        return ""

    @property
    @abstractmethod
    def sha256(self) -> str | None:
        """What pins it; None when it is not locked."""

    @property
    def remote(self) -> Remote | None:
        """What is downloaded; None when its bytes are, or come to be, on this machine."""
        return None

    @property
    def file_name(self) -> str | None:
        """What it is called in a vendor directory; None when none has to hold it."""
        return None if self.remote is None else self.remote.name

    # What commands do with it.

    def planned(self, network: Network) -> PlannedInput:
        """Where it is now, for a plan."""
        assert self.remote is not None
        return planned_remote(self.remote, network)

    def prepare(self, builder: Builder) -> None:  # noqa: B027 (there is nothing to make of most kinds)
        """Makes what is not downloaded, so that it is in the cache. Raises CzscieError."""

    def obtain(self, network: Network, console: Console) -> Path:
        """Its bytes, as they are pinned. Raises CzscieError."""
        assert self.remote is not None
        [path] = fetch([self.remote], network, console)
        return path

    def licences(self, path: Path) -> Iterator[tuple[str, bytes]]:
        """The licence texts in its file at `path`, by their paths below `licences`. Raises CzscieError."""
        yield from ()

    def properties(self) -> Mapping[str, str]:
        """What a bill of materials says of it besides what it lists in its part. Raises CzscieError."""
        return {}

    # Whether it is in an executable.

    @classmethod
    @abstractmethod
    def compare(cls, found: Comparison, evidence: Evidence) -> None:
        """Compares what an executable tells of this kind with what its lock says."""


def planned_remote(remote: Remote, network: Network, otherwise: State = "download") -> PlannedInput:
    """Where a file that can be downloaded is now; `otherwise` when that is nowhere here."""
    found = find(remote, network)
    size = remote.size if found is None else found.stat().st_size
    if found is not None:
        state: State = "cached"
    else:
        state = "local" if any(map(is_file, remote.urls)) else otherwise
    url = without_secrets(remote.urls[0]) if remote.urls else None
    return PlannedInput(name=remote.name, state=state, sha256=remote.sha256, size=size, url=url)


def planned_local(path: Path) -> PlannedInput:
    """A file or directory of this machine."""
    size = None if path.is_dir() else path.stat().st_size
    return PlannedInput(name=path.name, state="local", sha256=path_digest(path), size=size)
