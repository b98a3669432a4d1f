"""How a lock and what it is for have come apart: in words, and as what there is to find out again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from czscie.errors import CzscieError
from czscie.lift.lift import Lift
from czscie.lock.lock import Lock, LockedFile, lock_path
from czscie.lock.now import Now
from czscie.lock.provisions import SCRIPT_LAUNCHERS
from czscie.lock.question import changed_keys
from czscie.network.network import Network
from czscie.platforms import find_platform


@dataclass(frozen=True, slots=True)
class Differences:
    """`words` are lines for people, none when the lock is up to date.

    `interpreters` are the ids and platforms, `payload` the platforms for which it has no answer (any more).
    """

    words: tuple[str, ...]
    interpreters: frozenset[tuple[str, str]]
    payload: frozenset[str]


def differences(lock: Lock | None, now: Now, platforms: Sequence[str]) -> Differences:
    """What `lock` does not answer of `now` for the `platforms` of these names; all when there is no lock."""
    every = {(identifier, name) for identifier in now.question.interpreters for name in platforms}
    if lock is None:
        resolved = platforms if now.is_resolved else ()
        return Differences(("there is no lock yet",), frozenset(every), frozenset(resolved))
    stale = {each for each in every if _is_stale(lock, now, *each)}
    payload = {name for name in platforms if _lacks_payload(lock, now, name, stale)}
    words = (
        *_of_czscie(lock, now),
        *changed_keys(lock.manifest, now.question),
        *_of_interpreters(lock, now, stale),
        *_of_files(lock.files, now.files),
        *_of_libc(lock, now),
        *_of_windows(lock, now),
        *_of_provisions({each.name for each in lock.provisions}, set(now.provisions)),
        *_of_payload(lock, now, payload),
        *_of_launchers(lock, now, platforms),
    )
    return Differences(tuple(words), frozenset(stale), frozenset(payload))


def _of_czscie(lock: Lock, now: Now) -> Iterator[str]:
    if lock.created_by != now.created_by:
        yield f"it was written by {lock.created_by}, this is {now.created_by}"
    elif not lock.libraries:
        yield "the versions of the libraries are not locked"
    if lock.launcher.source != now.launcher:
        yield "the source of the launcher is another one"


def _of_launchers(lock: Lock, now: Now, platforms: Sequence[str]) -> Iterator[str]:
    for name in dict.fromkeys(find_platform(platform).launcher for platform in platforms):
        if lock.launcher.source == now.launcher and lock.launcher.sha256(name) is None:
            yield f"the launcher for {name} is not locked"


def _is_stale(lock: Lock, now: Now, identifier: str, platform: str) -> bool:
    asked = now.question.interpreters[identifier]
    locked = lock.interpreter(identifier, platform)
    if locked is None or locked.helper or lock.manifest.interpreters.get(identifier) != asked:
        return True
    here = now.interpreters.get((identifier, platform))
    return here is not None and here != locked


def _of_interpreters(lock: Lock, now: Now, stale: set[tuple[str, str]]) -> Iterator[str]:
    for identifier, platform in sorted(stale):
        locked = lock.interpreter(identifier, platform)
        if locked is None or locked.helper:
            yield f"the interpreter {identifier} is not locked for {platform}"
        elif (identifier, platform) in now.interpreters:
            yield f"the interpreter {identifier} of this machine is another one"


def _of_libc(lock: Lock, now: Now) -> Iterator[str]:
    if lock.libc != now.libc:
        yield "the table of packages with a C library is another one, or not used any more"


def _of_windows(lock: Lock, now: Now) -> Iterator[str]:
    if lock.windows != now.windows:
        yield "lift.windows.icon differs from the lock"


def _of_files(locked: Sequence[LockedFile], there: Sequence[LockedFile]) -> Iterator[str]:
    before, now = ({each.id: each for each in files} for files in (locked, there))
    for identifier in sorted({*before, *now}):
        if identifier not in before or identifier not in now:
            yield f"the file {identifier} is {'new' if identifier not in before else 'gone'}"
        elif before[identifier] != now[identifier]:
            yield f"the file {identifier} differs from the lock"


def _of_provisions(locked: set[str], wanted: set[str]) -> Iterator[str]:
    for name in sorted(locked ^ wanted):
        if name == SCRIPT_LAUNCHERS:
            yield f"scripts on Windows {'' if name in wanted else 'do not '}need {name}"
        else:
            yield f"lift.bare {'adds' if name in wanted else 'does not add'} {name}"


def _lacks_payload(lock: Lock, now: Now, platform: str, stale: set[tuple[str, str]]) -> bool:
    if not now.is_resolved or now.question.payload is None:
        return False
    return (
        lock.payload is None
        or platform not in lock.payload.platforms
        or lock.manifest.payload != now.question.payload
        or (now.question.payload.lock is not None and lock.payload.sha256 != now.payload)
        or (now.question.payload.interpreter, platform) in stale
    )


def _of_payload(lock: Lock, now: Now, lacking: set[str]) -> Iterator[str]:
    locked = lock.payload
    asked = now.question.payload
    if asked is not None and locked is not None and locked.sha256 != now.payload:
        yield f"{asked.pex or asked.lock or asked.script} differs from the lock"
    for platform in sorted(lacking):
        if locked is None or platform not in locked.platforms:
            yield f"the payload is not locked for {platform}"


def check_online(lift: Lift, network: Network, found: Differences) -> None:
    """Raises CzscieError when somebody has to be asked for what was `found`, and nobody may be."""
    if network.offline:
        raise CzscieError(
            f"{lock_path(lift.path)} is out of date, and czscie is offline",
            why=found.words,
            mend=f"run czscie lock {lift.path} on a machine with network access",
        )
