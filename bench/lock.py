"""How long a lock takes to answer: `python -m bench.lock` resolves a hundred locked interpreters.

The lock is read, compared with the manifest, and asked for the source of each; no network is opened.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from czscie import __version__, toolchain
from czscie.console import Console
from czscie.launchers.build import TARGETS, source_digest
from czscie.lift.manifest import read_manifest
from czscie.lock.builder import Builder
from czscie.lock.lock import Lock, LockedInterpreter, LockedLauncher, LockedLaunchers, read_lock, write_lock
from czscie.lock.locker import Locker
from czscie.lock.requested import requested_by
from czscie.lock.sources import LockedSources
from czscie.network.network import Network
from czscie.pbs.assets import Asset
from czscie.platforms import PLATFORMS
from czscie.session import Session

_RELEASE, _FLAVOR = "20260101", "install_only_stripped"
_IDS = 9  # times twelve platforms


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="czscie-bench-") as name:
        manifest = Path(name) / "lift.toml"
        manifest.write_text(_manifest())
        path = manifest.with_suffix(".lock")
        write_lock(path, _lock(manifest))
        started, used = time.perf_counter(), time.process_time()
        resolved = _resolve(manifest, path)
        wall, processor = time.perf_counter() - started, time.process_time() - used
        print(
            f"{resolved} locked interpreters in {wall * 1000:.0f} ms, {processor * 1000:.0f} ms of processor"
        )


def _manifest() -> str:
    platforms = ", ".join(f'"{platform.name}"' for platform in PLATFORMS)
    interpreters = "".join(
        f'[[lift.interpreters]]\nid = "cpython{number}"\nprovider = "PythonBuildStandalone"\n'
        f'release = "{_RELEASE}"\nversion = "3.13.{number}"\n'
        for number in range(_IDS)
    )
    return (
        f'[lift]\nname = "many"\nplatforms = [{platforms}]\n{interpreters}'
        '[[lift.commands]]\nname = "python"\nexe = "#{cpython0:python}"\n'
    )


def _lock(manifest: Path) -> Lock:
    lift = read_manifest(manifest)
    assets = {
        (number, platform): Asset(f"3.13.{number}", _RELEASE, platform.triple, _FLAVOR)
        for number in range(_IDS)
        for platform in PLATFORMS
    }
    binaries = tuple(LockedLauncher(name=name, sha256="0" * 64, size=1) for name in TARGETS)
    return Lock(
        created_by=f"czscie {__version__}",
        launcher=LockedLaunchers(source=source_digest(), binaries=binaries),
        libraries=dict(toolchain.libraries()),
        manifest=requested_by(lift),
        interpreters=tuple(
            LockedInterpreter(
                id=f"cpython{number}",
                platform=platform.name,
                provider="PythonBuildStandalone",
                version=asset.version,
                release=_RELEASE,
                flavor=_FLAVOR,
                name=asset.name,
                url=f"https://mirror.example/{asset.url_name}",
                sha256="0" * 64,
            )
            for (number, platform), asset in assets.items()
        ),
    )


def _resolve(manifest: Path, path: Path) -> int:
    """How many there were."""
    lift = read_manifest(manifest)
    lock = read_lock(path)
    assert lock is not None
    session = Session.on(Console(), Network(offline=True))
    changes = Locker(lift, session, Builder.of(lift, session)).changes(lock, lift.platforms)
    assert not changes, changes
    sources = LockedSources(lock, session.provider)
    return len([sources.resolve(each, platform) for each in lift.interpreters for platform in lift.platforms])


if __name__ == "__main__":
    main()
