"""The inputs of a lift as this machine sees them without a network: a lock is compared with them."""

from __future__ import annotations

from dataclasses import dataclass

from czscie import __version__
from czscie.lock.lock import Lock, RequestedLift

CREATED_BY = f"czscie {__version__}"


@dataclass(frozen=True, slots=True)
class CurrentInputs:
    """The state of a lift's inputs. `known` is a lock as far as this machine can write it without a network:
    its interpreters are those of this machine, its launchers have only a source. `extra_wheels` are the names
    of the projects that are added to the payload.
    """

    known: Lock
    extra_wheels: tuple[str, ...] = ()

    @property
    def requested(self) -> RequestedLift:
        return self.known.manifest

    @property
    def payload(self) -> str | None:
        """The SHA-256 of the payload's PEX, lock or script."""
        return None if self.known.payload is None else self.known.payload.sha256

    @property
    def is_resolved(self) -> bool:
        """Whether the payload is made of packages."""
        return self.requested.payload is not None and self.requested.payload.pex is None
