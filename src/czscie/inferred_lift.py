"""The lift of a program that has no manifest: what `czscie init` would write, with its lock in the cache.

The lock is named by what the command line says of the program. It also keeps the choice of a CPython, so a
second build contacts no server.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

from czscie.cache import cache_directory, mark_used
from czscie.errors import CzscieError
from czscie.init.choice import PythonChoice
from czscie.init.generate import ask_release, choose_python
from czscie.init.manifest import render_manifest
from czscie.init.program import Program
from czscie.init.source import ProgramSource
from czscie.lift.lift import Lift
from czscie.lift.manifest import parse_manifest
from czscie.lock.builder import Builder
from czscie.lock.lock import Lock, read_lock, write_lock
from czscie.lock.locker import Locker
from czscie.lock.moved import moved
from czscie.platforms import Platform, current_platform, find_platform
from czscie.session import Session

#: Seconds. A lock whose time changed has changed, for a build that asks whether anything did.
_DAY = 24 * 60 * 60.0


def infer_lift(program: Program, session: Session) -> Lift:
    """The lift of `program`. Raises CzscieError when it is none, or no CPython runs it."""
    subject = program.read()
    if subject.source != "requirements":  # their scripts are known when they are resolved (czscie.preflight)
        program.check_starts(subject)
    lock = _lock_path(program)
    choice = _locked_choice(program, subject, _read(lock), session)
    if choice is None:
        choice = choose_python(subject, program.python, session)
    path = program.path
    lift = parse_manifest(render_manifest(subject, choice, path.parent), path)
    return dataclasses.replace(lift, own_lock=lock)


def keep_lock(program: Program, lift: Lift, session: Session) -> None:
    """Writes the lock of `lift`, the first manifest of `program`, as a build without one has locked it.

    Nothing is written if there is a lock already, or if the one in the cache is not up to date. Raises
    CzscieError.
    """
    lock = None if lift.lock_path.exists() else _read(_lock_path(program))
    if lock is None:
        return
    lock = moved(lock, program.path.parent, lift.path.parent.absolute())
    if not Locker(lift, session, Builder.of(lift, session, runs=False)).changes(lock, lift.platforms):
        write_lock(lift.lock_path, lock)
        session.console.line(f"Wrote {lift.lock_path} with the versions of the last build")


def _lock_path(program: Program) -> Path:
    return cache_directory("locks") / f"{_key(program)}.lock"


def _key(program: Program) -> str:
    """A digest of what names the program and its CPython. Platforms do not count: a lock has several."""
    places = [program.path, *(each.absolute() for each in program.requirements)]
    asked = [program.python.version or "", program.python.release or ""]
    return hashlib.sha256(
        "\0".join([*map(str, places), *asked]).encode("utf-8", "surrogateescape")
    ).hexdigest()


def _read(path: Path) -> Lock | None:
    """The lock at `path`; None when there is none that this czscie can read: it is made again."""
    try:
        lock = read_lock(path)
    except CzscieError:
        path.unlink(missing_ok=True)
        return None
    if lock is not None:
        mark_used(path, within=_DAY)
    return lock


def _locked_choice(
    program: Program, subject: ProgramSource, lock: Lock | None, session: Session
) -> PythonChoice | None:
    """The CPython of `lock`; None when there is none, the program does not run with it any more, or there is
    no such one for a further platform.
    """
    shipped = [] if lock is None else [each for each in lock.interpreters if not each.helper]
    if lock is None or not shipped or shipped[0].release is None:
        return None
    version, release = shipped[0].version, shipped[0].release
    locked = {find_platform(each.platform) for each in lock.interpreters}
    for platforms in (
        program.python.platforms or _here(),
        () if program.python.platforms else tuple(find_platform(each.platform) for each in shipped),
    ):
        if not platforms or any(subject.obstacles(platform, version) for platform in platforms):
            continue
        if locked.issuperset(platforms) or _has(release, version, platforms, session):
            return PythonChoice(version, release, tuple(platforms), ())
    return None


def _has(release: str, version: str, platforms: Sequence[Platform], session: Session) -> bool:
    """Whether the release has the version for all of the platforms. Raises CzscieError."""
    versions, _ = ask_release(release, session)
    return versions.get(version, frozenset()).issuperset(platforms)


def _here() -> Sequence[Platform]:
    try:
        return (current_platform(),)
    except CzscieError:
        return ()
