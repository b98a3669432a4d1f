"""The lock that a build uses: the existing one, updated as far as the options allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from czscie.console import Detail
from czscie.errors import Code, CzscieError
from czscie.lift.lift import Lift
from czscie.lock.builder import Builder
from czscie.lock.lock import Lock, read_lock, write_lock
from czscie.lock.locker import Locker
from czscie.lock.use import LockUse
from czscie.platforms import Platform
from czscie.session import Session


@dataclass(frozen=True, slots=True)
class EnsuredLock:
    """The lock to use, and the existing one. `changes` are lines about how they differ."""

    lock: Lock
    before: Lock | None
    changes: tuple[str, ...]


def ensure_lock(
    lift: Lift,
    targets: Sequence[Platform],
    use: LockUse,
    session: Session,
) -> Lock:
    """The lock of `lift` for `targets`, written beside the manifest if it changed. Raises CzscieError."""
    builder = Builder.of(lift, session)
    settled = resolve_lock(lift, targets, use, session, builder)
    lock = settled.lock
    if lock is not settled.before:
        path = lift.lock_path
        lock = Locker(lift, session, builder).with_launchers(lock, targets)
        # In the cache, or for one build, it is no result.
        is_result = lift.own_lock is None and use is not LockUse.ONCE
        detail = Detail.NORMAL if is_result else Detail.VERBOSE
        with session.console.phase(f"Writing {path}", f"Wrote {path}", detail=detail):
            write_lock(path, lock)
        if settled.before is not None:
            for change in settled.changes:
                session.console.note(change)
    return lock


def resolve_lock(
    lift: Lift,
    targets: Sequence[Platform],
    use: LockUse,
    session: Session,
    builder: Builder | None = None,
) -> EnsuredLock:
    """The lock of `lift` for `targets`, without writing it. Raises CzscieError.

    `builder` handles projects without a wheel. By default it builds them.
    """
    path = lift.lock_path
    lock = read_lock(path)
    if use is LockUse.FROZEN:
        return EnsuredLock(_there(lock, path, lift), lock, ())
    builder = builder or Builder.of(lift, session)
    locker = Locker(lift, session, builder)
    changes = locker.changes(lock, targets)
    if not changes and lock is not None:
        # Of what was not built, the lock gets stand-ins, which needs no resolving.
        current = locker.lock(lock, targets, prune=False) if builder.unbuilt else lock
        return EnsuredLock(current, lock, ())
    if use is LockUse.LOCKED:
        raise CzscieError(
            f"{path} is not up to date" if lock is not None else f"there is no lock {path}",
            code=Code.LOCK_MISSING if lock is None else Code.LOCK_OUT_OF_DATE,
            why=changes if lock is not None else (),
            hint=f"czscie lock {lift.path}",
        )
    return EnsuredLock(locker.lock(lock, targets, prune=False), lock, changes)


def _there(lock: Lock | None, path: Path, lift: Lift) -> Lock:
    if lock is None:
        raise CzscieError(f"there is no lock {path}", code=Code.LOCK_MISSING, hint=f"czscie lock {lift.path}")
    return lock
