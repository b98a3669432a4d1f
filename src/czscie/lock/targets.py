"""The targets of a payload's wheels: platforms, with a lock's interpreters."""

from __future__ import annotations

from collections.abc import Sequence

from czscie.czex.target import Target
from czscie.lift.lift import Lift
from czscie.lock.lock import Lock
from czscie.lock.pex_tool import default_glibc
from czscie.platforms import Platform


def target_of(lift: Lift, lock: Lock, platform: Platform) -> Target | None:
    """The target of the payload's wheels on `platform`; None when its interpreter is not locked."""
    payload = lift.payload
    locked = None if payload is None else lock.interpreter(payload.interpreter, platform.name)
    if payload is None or locked is None:
        return None
    return Target(platform, locked.implementation, payload.glibc or default_glibc(platform))


def targets_of(lift: Lift, lock: Lock, platforms: Sequence[Platform]) -> list[Target]:
    """The same for each of `platforms` whose interpreter is locked."""
    found = (target_of(lift, lock, platform) for platform in platforms)
    return [target for target in found if target is not None]
