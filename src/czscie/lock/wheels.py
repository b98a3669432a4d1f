"""The wheels of a lock as files: downloaded, or built from the locked source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.lock.builder import Builder, remote_of
from czscie.lock.packages import Chosen
from czscie.network.fetch import fetch, find


def wheel_files(chosen: Sequence[Chosen], directory: Path, builder: Builder) -> list[Path]:
    """The paths of the wheels, in their order, each with the locked digest.

    `directory` is the manifest's. Raises CzscieError when one is not available.
    """
    session = builder.session
    for each in chosen:
        if each.built and find(remote_of(each.wheel, directory), session.network) is None:
            _build_again(each, builder)
    return fetch([remote_of(each.wheel, directory) for each in chosen], session.network, session.console)


def _build_again(chosen: Chosen, builder: Builder) -> None:
    package, wheel = chosen.package, chosen.wheel
    if builder.session.network.offline:
        raise CzscieError(
            f"{wheel.name} is not in the cache, and czscie is offline",
            code=Code.OFFLINE,
            why=f"it was built from the source of {package.name} {package.version}",
            hint="run czscie vendor on a machine with network access, and copy its directory here",
        )
    [again] = builder.package(package).built
    if again.sha256 != wheel.sha256:
        raise CzscieError(
            f"{package.name} {package.version} builds a wheel that differs from the lock",
            code=Code.LOCK_DIFFERS,
            why=(
                f"locked {wheel.name}, SHA-256 {wheel.sha256}",
                f"built  {again.name}, SHA-256 {again.sha256}",
            ),
            hint="czscie lock pins what this machine builds; czscie vendor carries the locked wheel",
        )
