"""One release of the mirror: archives, checksums and the pointer to the latest, under PBS's names."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import stat
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from e2e.mirror.tree import Interpreter, Tree

#: A day on which PBS released nothing, so that no asset here can be taken for a real one.
TAG = "20260101"

FLAVOR = "install_only_stripped"

INTERPRETERS = (
    Interpreter("3.11", "bookworm", "amd64"),
    Interpreter("3.13", "trixie", "amd64"),
    Interpreter("3.11", "bookworm", "arm64"),
)

#: Modules outside this package that the mirror depends on.
USES = ("czscie.elf", "czscie.pbs.search_path")

_RELEASES = "https://github.com/astral-sh/python-build-standalone/releases"

#: pythonbuild/utils.py: DEFAULT_MTIME, 2024-01-01T00:00:00Z.
_TIMESTAMP = 1704067200


@dataclass(frozen=True, slots=True)
class Asset:
    """One archive of the release: `cpython-<version>+<tag>-<triple>-<flavor>.tar.gz`."""

    version: str
    triple: str

    @property
    def minor(self) -> str:
        return self.version.rpartition(".")[0]

    @property
    def name(self) -> str:
        return f"cpython-{self.version}+{TAG}-{self.triple}-{FLAVOR}.tar.gz"


def write_mirror(out: Path, report: Callable[[str], None] = lambda line: None) -> None:
    """Build every interpreter and write the release below `out`. Raises AptError, SurgeryError."""
    work, apt = out / "work", out / "apt"
    for interpreter in INTERPRETERS:
        report(f"CPython {interpreter.minor} for {interpreter.triple}")
        tree = Tree(interpreter, work, apt)
        tree.build()
        add_asset(out, Asset(tree.version, interpreter.triple), tree.directory)
        shutil.rmtree(work)
    shutil.rmtree(apt)
    write_index(out)


def add_asset(out: Path, asset: Asset, tree: Path) -> None:
    """Pack the directory `tree` as one archive of the release below `out`."""
    archive = out / TAG / asset.name
    archive.parent.mkdir(parents=True, exist_ok=True)
    _pack(tree, archive)


def write_index(out: Path) -> None:
    """Write the checksums of the release below `out` and the pointer to it."""
    archives = sorted((out / TAG).glob("*.tar.gz"))
    lines = [f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.name}\n" for archive in archives]
    (out / TAG / "SHA256SUMS").write_text("".join(lines))
    (out / "latest-release.json").write_text(
        json.dumps(
            {
                "version": 1,
                "tag": TAG,
                "release_url": f"{_RELEASES}/tag/{TAG}",
                "asset_url_prefix": f"{_RELEASES}/download/{TAG}",
            },
            indent=2,
        )
    )


def read_assets(mirror: Path) -> list[Asset]:
    """The assets that a mirror written by `write_mirror` holds."""
    names = [line.split("  ")[1] for line in (mirror / TAG / "SHA256SUMS").read_text().splitlines()]
    assets: list[Asset] = []
    for name in names:
        version, _, rest = name.removeprefix("cpython-").partition("+")
        assets.append(Asset(version, rest.removeprefix(f"{TAG}-").removesuffix(f"-{FLAVOR}.tar.gz")))
    return assets


def _pack(tree: Path, archive: Path) -> None:
    """Write a `.tar.gz` as PBS does: sorted, no entries for directories, one owner, one time."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in sorted(tree.rglob("*")):
            member = tarfile.TarInfo(f"python/{path.relative_to(tree).as_posix()}")
            member.mtime, member.uname, member.gname = _TIMESTAMP, "root", "root"
            if path.is_symlink():
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
                tar.addfile(member)
            elif path.is_file():
                content = path.read_bytes()
                member.size = len(content)
                member.mode = 0o775 if path.stat().st_mode & stat.S_IXUSR else 0o664
                tar.addfile(member, io.BytesIO(content))
