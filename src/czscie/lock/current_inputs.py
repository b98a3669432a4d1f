"""The current inputs of a lift, as far as they are known without a network. A lock is compared with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from czscie import __version__
from czscie.lock.lock import Lock, RequestedLift

CREATED_BY = f"czscie {__version__}"


@dataclass(frozen=True, slots=True)
class CurrentInputs:
    """The current inputs of a lift.

    `known` is the part of a lock that needs no network: its interpreters are those of this machine, its
    launchers have only a source. `extra_wheels` are the projects that czscie adds to the payload, `programs`
    the names of compiled programs by those of platforms.
    """

    known: Lock
    extra_wheels: tuple[str, ...] = ()
    programs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def requested(self) -> RequestedLift:
        return self.known.manifest

    @property
    def payload(self) -> str | None:
        """The SHA-256 of the payload's PEX, lock or script."""
        return None if self.known.payload is None else self.known.payload.sha256

    @property
    def is_resolved(self) -> bool:
        """Whether the payload consists of packages."""
        return self.requested.payload is not None and self.requested.payload.pex is None
