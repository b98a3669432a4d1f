"""The mirror and the CPythons in it, each made once and kept."""

from __future__ import annotations

import importlib
import tarfile
from pathlib import Path

from e2e import mirror
from e2e.cache import cached, sources
from e2e.mirror import release


def mirror_directory() -> Path:
    """The mirror, kept between runs as long as what makes it stays the same."""
    makers = sources(Path(mirror.__file__).parent, "*.py")
    makers += [Path(str(importlib.import_module(name).__file__)).read_bytes() for name in release.USES]
    return cached("mirror", makers, release.write_mirror)


def unpack_interpreters(mirror_directory: Path) -> dict[str, Path]:
    """The mirror's CPythons for this host, unpacked: `3.13` to the path of `bin/python3.13`."""
    checksums = (mirror_directory / release.TAG / "SHA256SUMS").read_text()
    native = [asset for asset in release.read_assets(mirror_directory) if asset.triple.startswith("x86_64-")]

    def unpack(target: Path) -> None:
        for asset in native:
            with tarfile.open(mirror_directory / release.TAG / asset.name) as archive:
                archive.extractall(target / asset.minor)

    root = cached("interpreters", [checksums], unpack)
    return {asset.minor: root / asset.minor / "python/bin" / f"python{asset.minor}" for asset in native}
