from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from czscie.pbs.assets import Asset
from czscie.platforms import find_platform

TAG = "20260101"
PLATFORMS = ("linux-x86_64", "linux-aarch64", "musl-linux-x86_64", "macos-aarch64", "windows-x86_64")
#: What the release of these tests has; the newest is no final one and the second newest not for Windows.
VERSIONS = ("3.10.19", "3.11.14", "3.12.12", "3.13.9", "3.14.2", "3.15.0rc1")

MakeMirror = Callable[[], str]


@pytest.fixture(autouse=True)
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror with one release, which is the one that is asked; and a host that is always the same."""
    directory = tmp_path / "mirror"
    (directory / TAG).mkdir(parents=True)
    (directory / "latest-release.json").write_text(json.dumps({"tag": TAG}))
    names = [
        Asset(version, TAG, find_platform(name).triple, flavor).name
        for version in VERSIONS
        for name in PLATFORMS
        for flavor in ("install_only", "install_only_stripped")
        if (version, name) != ("3.14.2", "windows-x86_64")
    ]
    lines = [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names]
    (directory / TAG / "SHA256SUMS").write_text("".join(lines))
    monkeypatch.setenv("CZSCIE_PBS_URL", directory.as_uri())
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("czscie.init.choice.current_platform", lambda: find_platform("linux-x86_64"))
    return directory
