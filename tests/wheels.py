"""Wheels that real applications are made of here, small enough to make on the spot."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def make_wheel(
    directory: Path,
    name: str,
    files: Mapping[str, bytes | str],
    *,
    version: str = "1.0",
    tag: str = "py2.py3-none-any",
    requires: Iterable[str] = (),
    extras: Iterable[str] = (),
    requires_python: str = "",
    entry_points: str = "",
    programs: Iterable[str] = (),
) -> Path:
    """Writes the wheel of `name` into `directory`; `programs` are those of `files` that may be executed."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    metadata += [f"Requires-Dist: {each}\n" for each in requires]
    metadata += [f"Provides-Extra: {extra}\n" for extra in extras]
    metadata += [f"Requires-Python: {requires_python}\n"] if requires_python else []
    interpreters, abis, platforms = tag.split("-")
    tags = "".join(
        f"Tag: {interpreter}-{abi}-{platform}\n"
        for interpreter in interpreters.split(".")
        for abi in abis.split(".")
        for platform in platforms.split(".")
    )
    pure = str(platforms == "any").lower()
    members: dict[str, bytes] = {path: _bytes(data) for path, data in files.items()}
    members[f"{info}/METADATA"] = "".join(metadata).encode()
    members[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\n{tags}".encode()
    )
    if entry_points:
        members[f"{info}/entry_points.txt"] = entry_points.encode()
    rows = [f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in members.items()]
    members[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"]).encode()
    path = directory / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            entry = zipfile.ZipInfo(member)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if member in set(programs) else 0o100644) << 16
            archive.writestr(entry, data)
    return path


def _bytes(data: bytes | str) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
