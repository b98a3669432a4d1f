"""Source distributions and projects: unpacked, and their metadata without running them."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import compat32
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename

from czscie.container.content import OnDisk
from czscie.container.paths import checked_path
from czscie.container.untrusted_zip import open_zip
from czscie.documents import DocumentError, parse_toml
from czscie.errors import Code, CzscieError
from czscie.filesystem import exists
from czscie.lock.git import state_of_git
from czscie.scie.inspect import read_manifest
from czscie.signature import DAMAGE

#: Directories that are made of a project or beside it, and are no part of what builds it.
_NOT_SOURCE = {"__pycache__", "node_modules"}
#: Those that builds write to. Deeper ones are packages with such a name.
_OUTPUTS = {"build", "dist"}
#: What PKG-INFO may leave to the build (PEP 643): if these are not among that, they are what they will be.
_NEEDED = ("requires-dist", "provides-extra", "requires-python")


@dataclass(frozen=True, slots=True)
class Static:
    """The metadata of a source. `requires` is None when they are known only after building it."""

    name: str | None
    version: str | None
    requires: tuple[str, ...] | None = None
    requires_python: str | None = None

    def stub(self) -> dict[str, bytes]:
        """The files of a wheel that contains only this metadata, which must have a name and a version."""
        assert self.name is not None and self.version is not None
        directory = f"{escaped(self.name)}-{self.version}.dist-info"
        lines = ["Metadata-Version: 2.1", f"Name: {self.name}", f"Version: {self.version}"]
        if self.requires_python is not None:
            lines.append(f"Requires-Python: {self.requires_python}")
        lines += [f"Requires-Dist: {each}" for each in self.requires or ()]
        wheel = "Wheel-Version: 1.0\nGenerator: czscie\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        names = [f"{directory}/{name}" for name in ("METADATA", "WHEEL", "RECORD")]
        record = "".join(f"{name},,\n" for name in names)
        texts = ("\n".join((*lines, "")), wheel, record)
        return {name: text.encode() for name, text in zip(names, texts, strict=True)}


def escaped(name: str) -> str:
    """A project's name as it is spelled in the names of its files."""
    return canonicalize_name(name).replace("-", "_")


def static_metadata(source: Path) -> Static:
    """The metadata of the directory `source` in PKG-INFO or pyproject.toml. Runs nothing.

    Raises CzscieError when a pyproject.toml is invalid.
    """
    found = _of_pkg_info(source / "PKG-INFO")
    if found is not None and found.requires is not None:
        return found
    project = read_pyproject(source).get("project")
    if not isinstance(project, dict):
        return found or Static(None, None)
    name, version = project.get("name"), project.get("version")
    if found is not None:
        name, version = found.name, found.version
    python = project.get("requires-python")
    return Static(
        name if isinstance(name, str) else None,
        version if isinstance(version, str) else None,
        _requires(project),
        python if isinstance(python, str) else None,
    )


def named_by_file(name: str) -> Static:
    """The name and version in the file name of a source distribution."""
    try:
        project, version = parse_sdist_filename(name)
    except InvalidSdistFilename:
        return Static(None, None)
    return Static(project, str(version))


def read_pyproject(source: Path) -> Mapping[str, Any]:
    """The pyproject.toml in `source`, empty without one. Raises CzscieError when it is invalid."""
    path = source / "pyproject.toml"
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, DocumentError) as error:
        raise CzscieError(f"{path} cannot be read", code=Code.FILE_UNREADABLE, why=str(error)) from error


def _of_pkg_info(path: Path) -> Static | None:
    try:
        message = BytesHeaderParser(policy=compat32).parsebytes(path.read_bytes())
    except OSError:
        return None
    name, version = message.get("Name"), message.get("Version")
    if name is None or version is None:
        return None
    dynamic = {str(each).strip().lower() for each in message.get_all("Dynamic", ())}
    stated = tuple(map(int, str(message.get("Metadata-Version", "0")).split(".")[:2])) >= (2, 2)
    requires = tuple(map(str, message.get_all("Requires-Dist", ()))) if stated else None
    if not dynamic.isdisjoint(_NEEDED):
        requires = None
    return Static(str(name), str(version), requires, message.get("Requires-Python"))


def _requires(project: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The requirements of `[project]` (PEP 621), None when some are dynamic."""
    dynamic = project.get("dynamic", ())
    if "dependencies" in dynamic or "optional-dependencies" in dynamic:
        return None
    try:
        found = [str(Requirement(each)) for each in project.get("dependencies", ())]
        for extra, requirements in dict(project.get("optional-dependencies", {})).items():
            found += [_with_extra(Requirement(each), canonicalize_name(extra)) for each in requirements]
    except (InvalidRequirement, TypeError, ValueError):
        return None
    return tuple(found)


def _with_extra(requirement: Requirement, extra: str) -> str:
    text = str(requirement)
    if requirement.marker is None:
        return f'{text} ; extra == "{extra}"'
    before = text.rpartition(";")[0].strip()
    return f'{before} ; ({requirement.marker}) and extra == "{extra}"'


def unpacked(source: Path, directory: Path) -> Path:
    """The directory with the files of a source distribution, below `directory`.

    Raises CzscieError when it cannot be read or a member would leave the directory.
    """
    try:
        if source.name.endswith(".zip"):
            _unpack_zip(source, directory)
        else:
            _unpack_tar(source, directory)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
        raise CzscieError(
            f"{source.name} cannot be unpacked", code=Code.BUILD_FAILED, why=str(error)
        ) from error
    inside = [each for each in directory.iterdir() if each.is_dir()]
    if len(inside) != 1:
        raise CzscieError(
            f"{source.name} is not a source distribution",
            code=Code.BUILD_FAILED,
            why="its files are not in one top-level directory",
        )
    return inside[0]


def _unpack_zip(source: Path, directory: Path) -> None:
    with open_zip(source, source.name) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                executable = bool(info.external_attr >> 16 & stat.S_IXUSR)
                _write(directory, info.filename, archive.read(info), executable, source.name)


def _unpack_tar(source: Path, directory: Path) -> None:
    """Links are written as copies of what they mean in the archive."""
    with tarfile.open(source) as archive:
        for member in archive:
            if member.isdir():
                continue
            content = archive.extractfile(member) if not member.isdev() else None
            data = b"" if content is None else content.read()
            _write(directory, member.name, data, bool(member.mode & stat.S_IXUSR), source.name)


def _write(directory: Path, name: str, data: bytes, executable: bool, label: str) -> None:
    path = directory / checked_path(name.removeprefix("./"), label)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o755 if executable else 0o644)


def project_digest(path: Path, lock: Path) -> str:
    """SHA-256 of what the wheel of the project at `path` may be made of.

    That is all files that may belong to it, without `lock` and what builds wrote, and the commit and the tags
    of its git repository, from which it may take its version.
    """
    digest = hashlib.sha256()
    for file in sorted(_files(path)):
        if file.absolute() == lock.absolute():
            continue
        content = OnDisk(file).read()
        if not _is_output(file, content):
            _add(digest, file.relative_to(path).as_posix(), content)
    for name, file in state_of_git(path):
        _add(digest, f".git/{name}", OnDisk(file).read())
    return digest.hexdigest()


def _add(digest: hashlib._Hash, name: str, content: bytes) -> None:
    digest.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
    digest.update(content)


def _files(path: Path) -> Iterator[Path]:
    outputs = {path / name for name in _OUTPUTS}
    for directory, directories, files in os.walk(path):
        directories[:] = [
            name
            for name in directories
            if (each := Path(directory, name)) not in outputs and _is_source(each)
        ]
        yield from (file for name in files if (file := Path(directory, name)).is_file())


def _is_output(file: Path, content: bytes) -> bool:
    """Whether czscie wrote it: it may stand beside the sources that it was made from."""
    if file.suffix == ".czex":
        return True
    try:
        read_manifest(io.BytesIO(content), len(content), file.name)
    except (CzscieError, *DAMAGE):
        return False
    return True


def _is_source(directory: Path) -> bool:
    name = directory.name
    junk = name in _NOT_SOURCE or name.startswith(".") or name.endswith(".egg-info")
    return not junk and not exists(directory / "pyvenv.cfg")
