"""A mirror of interpreters: what builds without a network take in place of the provider's own releases.

It has the indexes that czscie reads and those that science reads (czscie.pbs.asset_list).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from czscie.errors import CzscieError
from czscie.filesystem import write_atomically
from czscie.lift.interpreter import PythonBuildStandalone
from czscie.network.fetch import fetch
from czscie.pbs.asset_list import AssetList, list_names
from czscie.pbs.assets import Asset
from czscie.platforms import Platform
from czscie.session import Session

_CHECKSUMS = "SHA256SUMS"
_LATEST = "latest-release.json"


def mirror_url(directory: Path) -> str:
    """What names the mirror below `directory` as a `base_url`."""
    return _mirror(directory).absolute().as_uri()


def download_interpreters(
    wanted: Sequence[PythonBuildStandalone],
    platforms: Sequence[Platform],
    directory: Path,
    session: Session,
    *,
    all_needed: bool,
) -> list[Path]:
    """Adds the archives of `wanted` for `platforms` to the mirror below `directory`, and returns their paths.

    Without `all_needed`, platforms for which there is none are skipped with a warning. Raises CzscieError.
    """
    mirror = _mirror(directory)
    paths = []
    for interpreter in wanted:
        for platform in platforms:
            try:
                source = session.provider.resolve(interpreter, platform)
            except CzscieError as error:
                if all_needed:
                    raise
                session.console.warn(f"{error.what}: skipped")
                continue
            assert (
                source.remote is not None and source.pin.release is not None
            )  # the provider's are published
            [path] = fetch([source.remote], session.network, session.console)
            release = mirror / "download" / source.pin.release
            target = release / source.remote.name
            _copy(path, target)
            _add_checksum(release / _CHECKSUMS, source.remote.sha256, target.name)
            _list_for_science(release, interpreter, target, source.remote.sha256)
            if interpreter.release is None:
                latest = mirror / "latest" / "download"
                _list_for_science(latest, interpreter, target, source.remote.sha256)
            _name_newest(mirror)
            paths.append(target)
    return paths


def _mirror(directory: Path) -> Path:
    return directory / "providers" / PythonBuildStandalone.PROVIDER


def _copy(path: Path, target: Path) -> None:
    with path.open("rb") as file:
        size = path.stat().st_size
        write_atomically(target, lambda stream: shutil.copyfileobj(file, stream), size, mode=0o666)


def _add_checksum(path: Path, digest: str, name: str) -> None:
    """Lists the file `name` in a `SHA256SUMS` as that of a release does, beside those of earlier runs."""
    earlier = path.read_text().splitlines() if path.exists() else []
    lines = {line for line in earlier if not line.endswith(f" {name}")} | {f"{digest}  {name}"}
    _write(path, "".join(f"{line}\n" for line in sorted(lines)).encode())


def _list_for_science(
    directory: Path, interpreter: PythonBuildStandalone, archive: Path, digest: str
) -> None:
    """Lists `archive` in science's list of what `interpreter` asks for, beside those of earlier runs."""
    asset = Asset.parse(archive.name)
    for name in list_names(interpreter.version.rstrip("td"), [asset.flavor]):
        if "\\" in name and os.name == "nt":
            continue  # no name of a file there, so science cannot read it either
        path = directory / name
        assets = AssetList.of(asset.release)
        if path.exists():
            earlier = AssetList.parse(path.read_bytes(), str(path))
            assets = earlier if earlier.release == asset.release else assets
        _write(path, assets.with_asset(asset, digest, archive.stat().st_size).rendered())


def _name_newest(mirror: Path) -> None:
    """Says, as the project does, which release a build takes that names none."""
    newest = max(path.name for path in (mirror / "download").iterdir())
    _write(mirror / _LATEST, json.dumps({"tag": newest}).encode() + b"\n")


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda stream: stream.write(content), mode=0o666)
