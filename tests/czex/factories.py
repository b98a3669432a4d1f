"""Wheels and PEXes made by hand, for what the real pex no longer makes or never would."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from czscie.container.content import Data, File
from czscie.czex.pex import Pex
from czscie.implementation import CPYTHON, Implementation
from czscie.pbs.distribution import Layout
from czscie.wheel.wheel import Wheel

CPYTHON_313 = Layout(Implementation(CPYTHON, "3.13.9"), "bin/python3.13", "lib/python3.13")
CPYTHON_313T = Layout(Implementation(CPYTHON, "3.13.9", True), "bin/python3.13t", "lib/python3.13t")
CPYTHON_311 = Layout(Implementation(CPYTHON, "3.11.14"), "bin/python3.11", "lib/python3.11")
WINDOWS_313 = Layout(Implementation(CPYTHON, "3.13.9"), "python.exe", "Lib")


def files(contents: Mapping[str, bytes], programs: Iterable[str] = ()) -> tuple[File, ...]:
    return tuple(File(path, Data(data), path in programs) for path, data in sorted(contents.items()))


def contents(members: Iterable[File]) -> dict[str, bytes]:
    return {member.path: member.content.read() for member in members}


def metadata(
    name: str,
    version: str = "1.0",
    *,
    requires: Iterable[str] = (),
    requires_python: str | None = None,
    purelib: bool = True,
    entry_points: str = "",
) -> dict[str, bytes]:
    """The metadata directory of a wheel, without RECORD."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    directory = f"{name}-{version}.dist-info"
    found = {
        f"{directory}/METADATA": "".join(f"{line}\n" for line in lines).encode(),
        f"{directory}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: {str(purelib).lower()}\n".encode(),
    }
    if entry_points:
        found[f"{directory}/entry_points.txt"] = entry_points.encode()
    return found


def record(rows: Mapping[str, bytes], path: str) -> bytes:
    lines = [f"{name},{digest(data)},{len(data)}\n" for name, data in rows.items()]
    return "".join([*lines, f"{path},,\n"]).encode()


def digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def wheel(filename: str, members: Mapping[str, bytes] | None = None, **fields: object) -> Wheel:
    """A wheel that is a file, with `members` beside its metadata."""
    name, version = filename.split("-")[:2]
    return Wheel.read(
        filename,
        files({**metadata(name, version, **fields), **(members or {})}),  # type: ignore[arg-type]
        spread=False,
        label="test.pex",
    )


def pex(*wheels: Wheel, sources: Mapping[str, bytes] | None = None, **info: object) -> Pex:
    """A PEX of these wheels, as if it had been opened."""
    from czscie.czex.info import PexInfo

    parsed = PexInfo.parse(json.dumps(info).encode(), "test.pex")
    return Pex(Path("test.pex"), parsed, wheels, files(sources or {}), None)


def write_zip(path: Path, entries: Mapping[str, bytes], prefix: bytes = b"") -> Path:
    """A zip of `entries`, in their order, behind `prefix`."""
    path.write_bytes(prefix)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path
