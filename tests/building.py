"""Projects whose interpreters and launchers are fakes, built from a mirror on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from czex.factories import metadata, write_zip
from czscie.build import build
from czscie.console import Console
from czscie.launchers import build as launchers
from czscie.lock.use import LockUse
from czscie.pbs.assets import Asset
from czscie.platforms import find_platform
from czscie.scie.inspect import Contents
from czscie.session import Session
from network.server import MirrorServer, mirror_server
from pbs.factories import AARCH64_PYTHON, MACOS_PYTHON, cpython, members, tar_gz, windows_cpython
from pe_image import image

RELEASE = "20260101"
REDIRECTOR = {
    "Lib/venv/scripts/nt/venvlauncher.exe": b"MZ redirector",
    "Lib/venv/scripts/nt/venvwlauncher.exe": b"MZ redirector without a console",
}
#: Interpreters that nobody runs, by platform.
INTERPRETERS = {
    "linux-x86_64": cpython(),
    "linux-aarch64": cpython(python=AARCH64_PYTHON),
    "macos-aarch64": cpython(python=MACOS_PYTHON),
    "windows-x86_64": {**windows_cpython(), **REDIRECTOR},
}
STANDALONE = f'provider = "PythonBuildStandalone"\nrelease = "{RELEASE}"\nversion = "3.13"'

MOO = "import sys\nimport cow\ndef main(): print(cow.SAYS, sys.argv[1:]); sys.exit(3)\nother = x = main\n"


@dataclass(frozen=True)
class Project:
    """A directory with a manifest and a PEX."""

    directory: Path

    def manifest(
        self,
        interpreter: str = STANDALONE,
        platforms: tuple[str, ...] = ("linux-x86_64",),
        lift: str = "",
        payload: str = 'pex = "moo.pex"',
        rest: str = "",
    ) -> Path:
        """Payloads that are resolved take no launchers of scripts for Windows: there is no index."""
        path = self.directory / "lift.toml"
        if not payload.startswith("pex") and "[lift.windows]" not in rest:
            rest += "[lift.windows]\nscripts = false\n"
        path.write_text(
            f'[lift]\nname = "moo"\nplatforms = {json.dumps(platforms)}\n{lift}\n'
            f'[[lift.interpreters]]\nid = "cpython"\n{interpreter}\n'
            + (f"[lift.payload]\n{payload}\n" if payload else "")
            + rest
        )
        return path

    def build(self, *platforms: str, output: str = "dist", use: LockUse = LockUse.UPDATE) -> list[Contents]:
        targets = [find_platform(name) for name in platforms]
        return build(
            self.directory / "lift.toml", self.directory / output, targets, Session.of(Console()), use
        )

    @property
    def built(self) -> list[str]:
        return sorted(path.name for path in (self.directory / "dist").iterdir())


def pex(
    path: Path, says: str = "moo", source: str = MOO, files: Mapping[str, bytes] = MappingProxyType({})
) -> Path:
    """A PEX of a wheel, which has `files` too, and a module, made by hand."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in {**metadata("cow"), "cow.py": f"SAYS = {says!r}\n".encode(), **files}.items():
            archive.writestr(name, data)
    info = {
        "deps_are_wheel_files": True,
        "distributions": {"cow-1.0-py3-none-any.whl": "00" * 32},
        "requirements": ["cow"],
        "entry_point": "moo:main",
    }
    entries = {
        "PEX-INFO": json.dumps(info).encode(),
        ".deps/cow-1.0-py3-none-any.whl": stream.getvalue(),
        "moo.py": source.encode(),
    }
    return write_zip(path, entries)


@pytest.fixture
def server() -> Iterator[MirrorServer]:
    """A mirror with an interpreter for each platform."""
    with mirror_server() as mirror:
        mirror.files["/latest-release.json"] = json.dumps({"tag": RELEASE}).encode()
        lines = []
        for name, files in INTERPRETERS.items():
            asset = Asset("3.13.9", RELEASE, find_platform(name).triple, "install_only_stripped")
            data = tar_gz(members(files))
            mirror.files[f"/{RELEASE}/{asset.url_name}"] = data
            lines.append(f"{hashlib.sha256(data).hexdigest()}  {asset.name}\n")
        mirror.files[f"/{RELEASE}/SHA256SUMS"] = "".join(lines).encode()
        yield mirror


@pytest.fixture
def project(tmp_path: Path, server: MirrorServer, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose interpreters and launchers are fakes, with a cache of its own."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    cache = tmp_path / "cache"
    monkeypatch.setenv("CZSCIE_CACHE", str(cache))
    monkeypatch.setenv("CZSCIE_PBS_URL", server.url)
    monkeypatch.setenv("CZSCIE_PBS_DIGESTS", "none")
    (cache / "launchers").mkdir(parents=True)
    programs = [each for name in launchers.TARGETS for each in (name, launchers.fetcher_of(name))]
    for launcher in programs:
        code = f"launcher {launcher}\n".encode()
        data = image(code) if "windows-" in launcher else code
        (cache / "launchers" / launchers.file_name(launcher)).write_bytes(data)
    directory = tmp_path / "project"
    directory.mkdir()
    pex(directory / "moo.pex")
    return Project(directory)
