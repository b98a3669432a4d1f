"""The wheels of a lock as files: downloaded, or built of what the lock has in their place."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.czex.target import Target
from czscie.errors import CzscieError
from czscie.lock.lock import Hashes, LockedPackage, LockedWheel, Sdist
from czscie.lock.packages import Chosen
from czscie.lock.pex_tool import build_wheel
from czscie.network.fetch import fetch, find
from czscie.network.network import Network
from czscie.network.remote import Remote

if TYPE_CHECKING:
    from czscie.console import Console

_KIND = "wheels"


def remote_of(wheel: LockedWheel | Sdist, directory: Path) -> Remote:
    """The file that the lock of the manifest in `directory` means; one that was built has no URL."""
    urls = [wheel.url] if wheel.url is not None else []
    if wheel.path is not None:
        urls.append((directory / wheel.path).resolve().as_uri())
    mend = f"czscie lock --upgrade {wheel.name.partition('-')[0]}"
    return Remote(wheel.name, wheel.hashes.sha256, tuple(urls), wheel.size, kind=_KIND, mend=mend)


def wheel_files(
    chosen: Sequence[Chosen], target: Target, directory: Path, network: Network, console: Console
) -> list[Path]:
    """Where the wheels are, in their order, each with the digest that the lock says.

    `directory` is the manifest's. Raises CzscieError when one cannot be had.
    """
    for each in chosen:
        if each.built and find(remote_of(each.wheel, directory), network) is None:
            _build_again(each, target, directory, network, console)
    return fetch([remote_of(each.wheel, directory) for each in chosen], network, console)


def built_wheel(source: Path, target: Target) -> LockedWheel:
    """The wheel that is built of `source` for `target`, kept in the cache. Raises CzscieError."""
    with tempfile.TemporaryDirectory(prefix="czscie-") as temporary:
        made = build_wheel(source, target, Path(temporary))
        content = made.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        wheel = LockedWheel(name=made.name, size=len(content), hashes=Hashes(sha256=sha256))
        kept = remote_of(wheel, Path()).path
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, kept.with_name(f".{kept.name}"))
        kept.with_name(f".{kept.name}").replace(kept)
        return wheel


def source_of(package: LockedPackage, directory: Path, network: Network, console: Console) -> Path:
    """What wheels of `package` are built of. Raises CzscieError when it cannot be had."""
    if package.directory is not None:
        return directory / package.directory.path
    assert package.sdist is not None
    [path] = fetch([remote_of(package.sdist, directory)], network, console)
    return path


def _build_again(chosen: Chosen, target: Target, directory: Path, network: Network, console: Console) -> None:
    package, wheel = chosen.package, chosen.wheel
    if network.offline:
        raise CzscieError(
            f"{wheel.name} is not in the cache, and nothing may be downloaded",
            why=f"it was built of the source of {package.name} {package.version}",
            mend="run czscie vendor where there is a network, and bring its directory along",
        )
    with console.phase(f"Built {wheel.name}"):
        again = built_wheel(source_of(package, directory, network, console), target)
    if again.sha256 != wheel.sha256:
        raise CzscieError(
            f"{package.name} {package.version} does not build the wheel that is locked",
            why=(
                f"locked {wheel.name}, SHA-256 {wheel.sha256}",
                f"built  {again.name}, SHA-256 {again.sha256}",
            ),
            mend="czscie lock takes what is built here; czscie vendor carries the wheel that is locked",
        )
