"""What a vendor directory holds for people: the lock, licence texts, bills of materials and a page.

All of it follows from the lock and from the files that the lock pins. It is written from these, and compared
with what these give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from czscie import __version__
from czscie.build import making_parts
from czscie.console import Console
from czscie.launchers.build import file_name
from czscie.lift.lift import Lift
from czscie.lock.lock import Lock, LockedInterpreter, lock_path
from czscie.lock.packages import Chosen
from czscie.lock.settle import LockUse
from czscie.network.network import Network
from czscie.platforms import Platform
from czscie.products import mending
from czscie.vendor.directory import open_vendor
from czscie.vendor.licences import licences_of_interpreter, licences_of_wheel
from czscie.vendor.needs import Need
from czscie.vendor.page import Row, page

PAGE = "index.html"


def need_path(need: Need) -> str:
    """Where in a vendor directory a file is that a build needs."""
    return f"{need.kind}/{need.remote.name}"


def launcher_path(name: str) -> str:
    """Where in a vendor directory the launcher called `name` is."""
    return f"launchers/{file_name(name)}"


def sbom_path(lift: Lift, platform: Platform) -> str:
    """Where in a vendor directory the bill of materials of the executable for `platform` is."""
    return f"sbom/{lift.name}-{platform.name}.cdx.json"


def launcher_names(targets: Sequence[Platform]) -> list[str]:
    """The launchers for `targets`."""
    return sorted({platform.launcher for platform in targets})


def texts(
    lift: Lift, lock: Lock, targets: Sequence[Platform], needs: Sequence[Need], directory: Path
) -> dict[str, bytes]:
    """The lock, the licence texts and the page, by their paths in the vendor directory.

    The files of `needs` and the launchers are in `directory`. Raises CzscieError when one cannot be read.
    """
    found = {lock_path(lift.path).name: lock.render().encode()}
    rows: list[Row] = []
    for need in needs:
        path = directory / need_path(need)
        licences = _licences(need, path)
        found |= licences
        rows.append(_row(need, path.stat().st_size, sorted(licences)))
    for name in launcher_names(targets):
        size = (directory / launcher_path(name)).stat().st_size
        digest = lock.launcher.sha256(name) or ""
        rows.append(Row("launcher", name, __version__, launcher_path(name), digest, size))
    found[PAGE] = page(lift, targets, rows).encode()
    return found


def bills(
    lift: Lift, targets: Sequence[Platform], directory: Path, network: Network, console: Console
) -> Iterator[tuple[str, bytes]]:
    """The bills of materials by their paths in the vendor directory.

    The parts of the executables are made of what stands in `directory`, without a network. Raises CzscieError
    when something is missing.
    """
    alone = Network(offline=True, directories=open_vendor(directory), environ=network.environ)
    with making_parts(lift, targets, console, use=LockUse.FROZEN, network=alone) as make:
        for target in targets:
            parts = mending(partial(make, target), console.warn)
            yield sbom_path(lift, target), parts.sbom


def _licences(need: Need, path: Path) -> dict[str, bytes]:
    """The licence texts of a file by their paths in the vendor directory."""
    if isinstance(need.of, LockedInterpreter):
        of, found = f"cpython-{need.of.version}", licences_of_interpreter(path)
    elif isinstance(need.of, Chosen):
        of, found = f"{need.of.package.name}-{need.of.package.version}", licences_of_wheel(path)
    else:
        return {}
    return {f"licences/{of}/{name}": text for name, text in found}


def _row(need: Need, size: int, licences: Sequence[str]) -> Row:
    kind, of, version = need.kind.removesuffix("s"), need.remote.name, ""
    if isinstance(need.of, LockedInterpreter):
        kind, of = "interpreter", f"{need.of.id} for {need.of.platform}"
        version = f"{need.of.version}+{need.of.release}"
    elif isinstance(need.of, Chosen):
        kind, of, version = "wheel", need.of.package.name, need.of.package.version
    return Row(kind, of, version, need_path(need), need.remote.sha256, size, tuple(licences))
