"""Wheels made by hand, for tests."""

from __future__ import annotations

from pathlib import Path

from czex.making import metadata, record, write_zip


def wheel_file(directory: Path, filename: str, **fields: object) -> Path:
    """A wheel of nothing but its metadata; `fields` are those of `metadata`."""
    name, version = filename.split("-")[:2]
    found = metadata(name, version, **fields)  # type: ignore[arg-type]
    path = f"{name}-{version}.dist-info/RECORD"
    return write_zip(directory / filename, {**found, path: record(found, path)})
