"""A table of Debian's packages of the C library, and a mirror of just these.

    python -m e2e.debian OUT

    OUT/debian.json     the table, as src/czscie/libc/debian.json: to renew that, copy this
    OUT/pool/…          the packages

apt verifies the signature of Debian's index, and the packages by it. The table's URL is the archive that
keeps every version, at the date of the index.
"""

from __future__ import annotations

import datetime
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from czscie.libc.packages import ARCHITECTURES, PackageTable, PinnedPackage
from e2e.cache import cached
from e2e.mirror.apt import Apt, AptError, run

SUITE = "trixie"
NAMES = ("libc6", "libc-bin", "libgcc-s1", "libstdc++6", "libatomic1", "libcrypt1", "gcc-14-base", "musl")
_ARCHIVE = "https://snapshot.debian.org/archive/debian"


def table() -> Path:
    """The table of a mirror on this machine's disk, made once and kept, for the architectures of tests."""

    def make(out: Path) -> None:
        write_mirror(out, ["amd64", "arm64"])
        # The mirror gets another name when it is whole.
        target = out.with_name(out.name.removeprefix(".").removesuffix(".partial"))
        local = msgspec.structs.replace(PackageTable.read(out / "debian.json"), url=target.as_uri())
        (out / "local.json").write_bytes(msgspec.json.encode(local))

    return cached("debian", [SUITE, *NAMES], make) / "local.json"


def write_mirror(out: Path, architectures: Sequence[str]) -> None:
    """Writes table and packages of `architectures`, as Debian calls them, into `out`, which is made.

    Raises AptError.
    """
    packages: list[PinnedPackage] = []
    with tempfile.TemporaryDirectory() as work:
        for architecture in architectures:
            apt = Apt(Path(work), SUITE, architecture)
            places = apt.places(*NAMES)
            for path in apt.download(*NAMES):
                package = _pin(path, places[path.name], architecture)
                packages.append(package)
                target = out / package.path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        version, date = apt.release()
    # A day later the archive has what the index of that day names.
    taken = (date + datetime.timedelta(days=1)).strftime("%Y%m%dT000000Z")
    table = PackageTable(f"Debian {version} ({SUITE})", f"{_ARCHIVE}/{taken}", tuple(packages))
    text = msgspec.json.format(msgspec.json.encode(table), indent=1)
    (out / "debian.json").write_bytes(text + b"\n")


def _pin(path: Path, place: tuple[str, int, str], architecture: str) -> PinnedPackage:
    fields = run("dpkg-deb", "--field", path, "Package", "Version", "Source")
    values = dict(re.findall(r"(?m)^(\w+): (\S+)", fields))
    return PinnedPackage(
        name=values["Package"],
        version=values["Version"],
        architecture=architecture,
        source=values["Source"] if "Source" in values else values["Package"],
        path=place[0],
        size=place[1],
        sha256=place[2],
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m e2e.debian OUT")
    try:
        write_mirror(Path(sys.argv[1]), [debian for debian, _ in ARCHITECTURES.values()])
    except AptError as error:
        sys.exit(f"error: {error}")
