"""Wheels made by hand, for tests."""

from __future__ import annotations

from pathlib import Path

from czex.factories import metadata, record, write_zip


def distlib_file(directory: Path, version: str = "1.0") -> Path:
    """distlib's wheel, with launchers that start nothing."""
    launchers = {
        f"distlib/{name}.exe": f"MZ {name}\n".encode() for name in ("t64", "w64", "t64-arm", "w64-arm")
    }
    path = f"distlib-{version}.dist-info/RECORD"
    found = {**metadata("distlib", version), **launchers}
    name = f"distlib-{version}-py2.py3-none-any.whl"
    return write_zip(directory / name, {**found, path: record(found, path)})


def wheel_file(directory: Path, filename: str, **fields: object) -> Path:
    """A wheel of nothing but its metadata; `fields` are those of `metadata`."""
    name, version = filename.split("-")[:2]
    found = metadata(name, version, **fields)  # type: ignore[arg-type]
    path = f"{name}-{version}.dist-info/RECORD"
    return write_zip(directory / filename, {**found, path: record(found, path)})
