"""The differences between a lock and its manifest: in words, and as what must be resolved again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from czscie.errors import Code, CzscieError
from czscie.lift.lift import Lift
from czscie.lock.current_inputs import CurrentInputs
from czscie.lock.inventory.input import Answer
from czscie.lock.inventory.inventory import changes
from czscie.lock.lock import Lock
from czscie.lock.requested import changed_keys
from czscie.network.network import Network


@dataclass(frozen=True, slots=True)
class Differences:
    """`words` are lines for people, empty when the lock is up to date.

    `interpreters` (ids and platforms) and `payload` (platforms) are the parts that must be resolved.
    """

    words: tuple[str, ...]
    interpreters: frozenset[tuple[str, str]]
    payload: frozenset[str]


def differences(lock: Lock | None, now: CurrentInputs, platforms: Sequence[str]) -> Differences:
    """How `lock` differs from `now` for the `platforms` of these names; everything differs when there is no
    lock.
    """
    every = {(identifier, name) for identifier in now.requested.interpreters for name in platforms}
    if lock is None:
        resolved = platforms if now.is_resolved else ()
        return Differences(("there is no lock yet",), frozenset(every), frozenset(resolved))
    stale = {each for each in every if _is_stale(lock, now, *each)}
    payload = {name for name in platforms if _lacks_payload(lock, now, name, stale)}
    answer = Answer(lock, now, platforms, stale, payload)
    words = (*_of_czscie(lock, now), *changed_keys(lock.manifest, now.requested), *changes(answer))
    return Differences(words, frozenset(stale), frozenset(payload))


def _of_czscie(lock: Lock, now: CurrentInputs) -> Iterator[str]:
    if lock.created_by != now.known.created_by:
        yield f"it was written by {lock.created_by}, this is {now.known.created_by}"
    elif not lock.libraries:
        yield "the versions of the libraries are not locked"
    if lock.launcher.source != now.known.launcher.source:
        yield "the source of the launcher changed"


def _is_stale(lock: Lock, now: CurrentInputs, identifier: str, platform: str) -> bool:
    asked = now.requested.interpreters[identifier]
    locked = lock.interpreter(identifier, platform)
    if locked is None or locked.helper or lock.manifest.interpreters.get(identifier) != asked:
        return True
    here = now.known.interpreter(identifier, platform)
    return here is not None and here != locked


def _lacks_payload(lock: Lock, now: CurrentInputs, platform: str, stale: set[tuple[str, str]]) -> bool:
    if not now.is_resolved or now.requested.payload is None:
        return False
    return (
        lock.payload is None
        or platform not in lock.payload.platforms
        or lock.manifest.payload != now.requested.payload
        or (now.requested.payload.lock is not None and lock.payload.sha256 != now.payload)
        or (now.requested.payload.interpreter, platform) in stale
    )


def check_online(lift: Lift, network: Network, found: Differences) -> None:
    """Raises CzscieError when czscie is offline and `found` needs the network."""
    if network.offline:
        raise CzscieError(
            f"{lift.lock_path} is out of date, and czscie is offline",
            code=Code.LOCK_OUT_OF_DATE,
            why=found.words,
            hint=f"run czscie lock {lift.path} on a machine with network access",
            option="run it once with network access",
        )
