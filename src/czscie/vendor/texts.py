"""What a vendor directory holds for people: the lock, licence texts, bills of materials and a page.

All of it follows from the lock and from the files that the lock pins. It is written from these, and compared
with what these give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from czscie.build import open_parts
from czscie.build_cache import mending
from czscie.lift.lift import Lift
from czscie.lock.inventory.input import Input
from czscie.lock.lock import Lock
from czscie.lock.use import LockUse
from czscie.platforms import Platform
from czscie.session import Session
from czscie.vendor.page import Row, page
from czscie.vendor_directory import open_vendor

PAGE = "index.html"


def sbom_path(lift: Lift, platform: Platform) -> str:
    """Where in a vendor directory the bill of materials of the executable for `platform` is."""
    return f"sbom/{lift.name}-{platform.name}.cdx.json"


def texts(
    lift: Lift, lock: Lock, targets: Sequence[Platform], needs: Sequence[Input], directory: Path
) -> dict[str, bytes]:
    """The lock, the licence texts and the page, by their paths in the vendor directory.

    The files of `needs` are in `directory`. Raises CzscieError when one cannot be read.
    """
    found = {lift.lock_path.name: lock.render().encode()}
    rows: list[Row] = []
    for need in needs:
        path = directory / need.vendor_path
        licences = {f"licences/{name}": text for name, text in need.licences(path)}
        found |= licences
        size = path.stat().st_size
        rows.append(
            Row(
                kind=need.KIND,
                name=need.name,
                version=need.version,
                path=need.vendor_path,
                sha256=need.sha256 or "",
                size=size,
                licences=tuple(sorted(licences)),
            )
        )
    found[PAGE] = page(lift, targets, rows).encode()
    return found


def bills(
    lift: Lift, targets: Sequence[Platform], directory: Path, session: Session
) -> Iterator[tuple[str, bytes]]:
    """The bills of materials by their paths in the vendor directory.

    The parts of the executables are made of what stands in `directory`, without a network. Raises CzscieError
    when something is missing.
    """
    network = replace(session.network, offline=True, directories=open_vendor(directory))
    alone = Session.on(session.console, network)
    with open_parts(lift, targets, alone, use=LockUse.FROZEN) as make:
        for target in targets:
            parts = mending(partial(make, target, session.console), session.console.warn)
            yield sbom_path(lift, target), parts.sbom
