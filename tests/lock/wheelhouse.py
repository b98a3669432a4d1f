"""Wheels made by hand, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

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


#: A build backend without requirements: a wheel of one module, and of the metadata beside it.
_BACKEND = """\
import base64, hashlib, pathlib, zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    [info] = pathlib.Path().glob("*.dist-info")
    name = info.name.partition("-")[0]
    paths = [pathlib.Path(f"{name}.py"), *sorted(info.iterdir())]
    files = {path.as_posix(): path.read_bytes() for path in paths}
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}\\n")
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\\n"]).encode()
    with zipfile.ZipFile(f"{wheel_directory}/{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, data in files.items():
            wheel.writestr(zipfile.ZipInfo(path), data)
    return f"{name}-1.0-py3-none-any.whl"
"""
_BUILD_SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def project_directory(
    directory: Path,
    source: str,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] = MappingProxyType({}),
    rest: str = "",
) -> Path:
    """A project of one module, `source`, called as `directory`, which a backend of its own builds.

    `rest` are more tables of its pyproject.toml.
    """
    name = directory.name
    entry_points = f"[console_scripts]\n{name} = {name}:main\n"
    optional = [f'{each}; extra == "{extra}"' for extra, found in extras.items() for each in found]
    files = metadata(name, requires=[*requires, *optional], entry_points=entry_points)
    for path, data in {**files, "backend.py": _BACKEND.encode(), f"{name}.py": source.encode()}.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(data)
    project = f'[project]\nname = "{name}"\nversion = "1.0"\nscripts = {{ {name} = "{name}:main" }}\n'
    project += f"dependencies = {json.dumps(requires)}\n"
    options = "".join(f"{extra} = {json.dumps(found)}\n" for extra, found in extras.items())
    tables = f"{project}[project.optional-dependencies]\n{options}{rest}"
    (directory / "pyproject.toml").write_text(f"{_BUILD_SYSTEM}{tables}")
    return directory
