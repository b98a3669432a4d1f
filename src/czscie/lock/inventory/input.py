"""The interface of all inputs: their pin, the place of their bytes, and the operations of the commands."""

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
from czscie.network.fetch import fetch, find, is_here
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

#: `cached` is in the user's cache, `local` elsewhere on this machine; `build` is made of a source by pex;
#: `lazy` is fetched by the executable.
State = Literal["cached", "local", "download", "build", "lazy"]


class PlannedInput(msgspec.Struct, frozen=True, kw_only=True):
    """An input of the build.

    `size` is None if no index has it, `url` None if it is not downloaded.
    """

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
    """How far `lock` covers `now` for `platforms`, by their names.

    `stale` are the ids and platforms of interpreters, `lacking` the platforms whose payload the lock does not
    cover (any more).
    """

    lock: Lock
    now: CurrentInputs
    platforms: Sequence[str]
    stale: Collection[tuple[str, str]]
    lacking: Collection[str]


class Input(ABC):
    """One input of executables.

    `KIND` is its kind in messages. `SECTION` is its list in a plan, `DIRECTORY` its directory in a vendor
    directory.
    """

    KIND: ClassVar[str]
    SECTION: ClassVar[Literal["interpreters", "libc", "payload", "files", "launcher"]] = "files"
    DIRECTORY: ClassVar[str] = "files"

    # How it is locked.

    @classmethod
    def current(cls, lift: Lift) -> Mapping[str, Any]:
        """The keys of a lock that this machine knows without a network, and values. Raises CzscieError."""
        return {}

    @classmethod
    def changes(cls, answer: Answer) -> Iterator[str]:
        """A line for each input of this kind that the lock lacks."""
        yield from ()

    # What goes in.

    @classmethod
    @abstractmethod
    def of(cls, scope: Scope) -> Iterator[Input]:
        """The inputs of this kind. Raises CzscieError when one is not locked."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name in messages."""

    @property
    def version(self) -> str:
        return ""

    @property
    @abstractmethod
    def sha256(self) -> str | None:
        """The digest that pins it; None when it is not locked."""

    @property
    def remote(self) -> Remote | None:
        """The file to download; None when its bytes are, or are made, on this machine."""
        return None

    @property
    def file_name(self) -> str | None:
        """The name of its file in a vendor directory; None when it needs no file there."""
        return None if self.remote is None else self.remote.name

    @property
    def vendor_path(self) -> str:
        """Where its file is in a vendor directory."""
        return f"{self.DIRECTORY}/{self.file_name}"

    # What commands do with it.

    def planned(self, network: Network) -> PlannedInput:
        """Where it is now, for a plan."""
        assert self.remote is not None
        return planned_remote(self.remote, network)

    def is_missing(self, network: Network) -> bool:
        """Whether an offline build lacks its file. One that differs from the lock is not missing."""
        if self.remote is None or any(map(is_file, self.remote.urls)):
            return False
        return not is_here(self.remote, network)

    def prepare(self, builder: Builder) -> None:  # noqa: B027 (there is nothing to make of most kinds)
        """Makes an input that is not downloaded, and puts it into the cache. Raises CzscieError."""

    def obtain(self, network: Network, console: Console) -> Path:
        """The file with its bytes, as pinned. Raises CzscieError."""
        assert self.remote is not None
        [path] = fetch([self.remote], network, console)
        return path

    def licences(self, path: Path) -> Iterator[tuple[str, bytes]]:
        """The licence texts in its file at `path`, by their paths below `licences`. Raises CzscieError."""
        yield from ()

    def properties(self) -> Mapping[str, str]:
        """Properties that a bill of materials has about it beside the component. Raises CzscieError."""
        return {}

    # Whether it is in an executable.

    @classmethod
    @abstractmethod
    def compare(cls, found: Comparison, evidence: Evidence) -> None:
        """Compares what an executable records about this kind with its lock."""


def planned_remote(remote: Remote, network: Network, otherwise: State = "download") -> PlannedInput:
    """Where a file that can be downloaded is now; `otherwise` when it is not on this machine."""
    found = find(remote, network)
    size = remote.size if found is None else found.stat().st_size
    if found is not None:
        state: State = "cached"
    else:
        state = "local" if any(map(is_file, remote.urls)) else otherwise
    url = without_secrets(remote.urls[0]) if remote.urls else None
    return PlannedInput(name=remote.name, state=state, sha256=remote.sha256, size=size, url=url)


def planned_local(path: Path) -> PlannedInput:
    """A file or directory on this machine."""
    size = None if path.is_dir() else path.stat().st_size
    return PlannedInput(name=path.name, state="local", sha256=path_digest(path), size=size)
