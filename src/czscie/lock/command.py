"""The steps of `czscie lock`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from czscie.attestation.attestor import Attestor
from czscie.attestation.provenance import WORKFLOW
from czscie.console import Console
from czscie.errors import Code, CzscieError
from czscie.lift.interpreter import PythonBuildStandalone
from czscie.lift.lift import Lift
from czscie.lift.problem import nearest
from czscie.loader import load_lift
from czscie.lock.builder import Builder
from czscie.lock.lock import Lock, LockedInterpreter, read_lock, write_lock
from czscie.lock.locker import Locker
from czscie.lock.upgrade import OWN, Upgrade
from czscie.session import Session


def check_lock(manifest: Path, session: Session) -> tuple[str, ...]:
    """What locking would change, a line per change. Raises CzscieError."""
    lift, targets = load_lift(manifest, (), session.files, session.inverted)
    lock = read_lock(lift.lock_path)
    return (*_locker(lift, session).changes(lock, targets), *_too_many(lift, lock))


def update_lock(manifest: Path, upgrade: Upgrade, session: Session, attestor: Attestor | None = None) -> Path:
    """Writes the lock for all platforms of the manifest, and returns its path.

    `upgrade` resolves everything again, `names` the interpreters and packages of these names. `attestor`
    verifies who built the interpreters. Raises CzscieError.
    """
    lift, targets = load_lift(manifest, (), session.files, session.inverted)
    path = lift.lock_path
    old = read_lock(path)
    _check_names(sorted(upgrade.names), lift, old, path)
    locker = _locker(lift, session)
    lock = locker.lock(old, targets, upgrade, prune=True)
    lock = locker.with_launchers(lock, targets)
    if attestor is not None:
        lock = attested(lock, attestor, session.console)
    for line in _news(old, lock):
        session.console.line(f"  {line}")
    write_lock(path, lock)
    return path


def _too_many(lift: Lift, lock: Lock | None) -> list[str]:
    """A line for each locked platform that the manifest no longer has."""
    if lock is None:
        return []
    locked = {each.platform for each in lock.interpreters if not each.helper}
    locked |= set(() if lock.payload is None else lock.payload.platforms)
    gone = sorted(locked - {platform.name for platform in lift.platforms})
    return [f"{platform} is no longer a platform of the manifest" for platform in gone]


def _locker(lift: Lift, session: Session) -> Locker:
    return Locker(lift, session, Builder.of(lift, session))


def _check_names(names: Sequence[str], lift: Lift, lock: Lock | None, path: Path) -> None:
    known = [OWN, *(each.id for each in lift.interpreters)]
    known += () if lock is None else [each.name for each in (*lock.packages, *lock.provisions)]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise CzscieError(
                f"{path} has no interpreter and no package named {name}",
                code=Code.NAME_UNKNOWN,
                why=f"it has: {', '.join(dict.fromkeys(known))}",
                hint=None if near is None else f"did you mean {near}?",
            )


def _news(old: Lock | None, new: Lock) -> list[str]:
    """A line for each version that differs from the lock before."""
    before = _versions(old)
    news = []
    for name, versions in _versions(new).items():
        if (was := before.get(name, "")) != versions:
            news.append(f"{name} {was} → {versions}" if was else f"{name} {versions}")
    return [*news, *(f"{name} is gone" for name in before if name not in _versions(new))]


def _versions(lock: Lock | None) -> dict[str, str]:
    """The versions of everything, as text: an interpreter's with its release."""
    if lock is None:
        return {}
    found: dict[str, list[str]] = {}
    for each in lock.interpreters:
        found.setdefault(each.id, []).append(each.version + (f"+{each.release}" if each.release else ""))
    for package in (*lock.packages, *lock.provisions):
        found.setdefault(package.name, []).append(package.version)
    return {name: ", ".join(dict.fromkeys(versions)) for name, versions in found.items()}


def attested(lock: Lock, attestor: Attestor, console: Console) -> Lock:
    """`lock` with the workflow that built each of python-build-standalone's archives.

    Raises CzscieError when one has no valid attestation.
    """
    interpreters = tuple(_attested(each, attestor, console) for each in lock.interpreters)
    return msgspec.structs.replace(lock, interpreters=interpreters)


def _attested(locked: LockedInterpreter, attestor: Attestor, console: Console) -> LockedInterpreter:
    if locked.provider != PythonBuildStandalone.PROVIDER:
        return locked
    with console.phase(f"Attesting {locked.name}", f"Attested {locked.name}") as phase:
        provenance = attestor.attest(locked.sha256, locked.name or locked.id)
        phase.become(f"Attested {locked.name}: {provenance.run or WORKFLOW}")
    return msgspec.structs.replace(locked, attested=WORKFLOW)
