"""Verifies a vendor directory against the lock beside the manifest, without trusting its list of digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.lift.lift import Lift
from czscie.lock.current_inputs import CREATED_BY
from czscie.lock.lock import read_lock
from czscie.platforms import Platform
from czscie.session import Session
from czscie.vendor.inputs import needs_of
from czscie.vendor.texts import bills, sbom_path, texts
from czscie.vendor_directory import faults, read_checksums


def verify_vendor(
    lift: Lift, platforms: Sequence[Platform], directory: Path, session: Session
) -> tuple[str, ...]:
    """A line for each file that is not what the lock of `lift` gives; none when all are.

    `platforms` are those that the directory has to be for; when there are none, those that it says it is for.
    What is for people is derived again from the files that the lock pins; for the bills of materials the
    parts of the executables are made, as a build makes them. Raises CzscieError when there is no lock, or no
    vendor directory.
    """
    lock = read_lock(lift.lock_path)
    if lock is None:
        raise CzscieError(
            f"there is no lock {lift.lock_path}",
            code=Code.LOCK_MISSING,
            why="the lock lists what the directory must contain",
            hint=f"copy it from where {directory} was written",
        )
    if damaged := faults(directory):
        return tuple(damaged)
    listed = read_checksums(directory)
    targets = list(platforms) or [each for each in lift.platforms if sbom_path(lift, each) in listed]
    alone = Session.on(session.console, replace(session.network, offline=True))
    needs = needs_of(lift, lock, targets, alone.provider)
    pinned = {need.vendor_path: need.sha256 for need in needs}
    if wrong := tuple(_wrong(pinned, listed)):
        return wrong
    if lock.created_by != CREATED_BY:
        return (f"the rest cannot be compared: {lock.created_by} wrote the lock, and this is {CREATED_BY}",)
    derived = texts(lift, lock, targets, needs, directory)
    derived |= bills(lift, targets, directory, alone)
    return (*_other(derived, directory, listed), *_foreign({*pinned, *derived}, listed))


def _wrong(pinned: Mapping[str, str | None], listed: Mapping[str, str]) -> Iterator[str]:
    for path, digest in pinned.items():
        if digest is None:
            yield f"{path} is not locked"
        elif path not in listed:
            yield f"{path} is missing"
        elif listed[path] != digest:
            yield f"{path} differs from the lock"


def _other(derived: Mapping[str, bytes], directory: Path, listed: Mapping[str, str]) -> Iterator[str]:
    for path, content in derived.items():
        if path not in listed:
            yield f"{path} is missing"
        elif (directory / path).read_bytes() != content:
            yield f"{path} differs from what the locked files produce"


def _foreign(known: set[str], listed: Mapping[str, str]) -> Iterator[str]:
    for path in sorted(listed.keys() - known):
        yield f"{path} is not in the lock"
