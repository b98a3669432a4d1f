"""A project with a pyproject.toml, for `czscie init`.

https://packaging.python.org/en/latest/specifications/pyproject-toml/
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.documents import DocumentError, parse_toml
from czscie.errors import Code, CzscieError
from czscie.init.source import ProgramSource, requires_python

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


def read_project(path: Path) -> ProgramSource:
    """The project of the pyproject.toml at `path`. Raises CzscieError when its `[project]` is invalid."""
    project = _read(path)
    name = project.get("name")
    if not isinstance(name, str) or not name:
        raise CzscieError(
            f"{path} does not name the project",
            code=Code.PROJECT_INVALID,
            why="there is no name in its [project] table",
            hint='add one: [project] name = "…"; or make a PEX and run czscie init app.pex',
        )
    description = project.get("description")
    versions = _versions(project, path)
    entry_points = _entry_points(project, name, path.parent)
    return ProgramSource(
        source="project",
        path=path.parent,
        name=name,
        description=description if isinstance(description, str) and description else None,
        entry_point=entry_points[0] if entry_points else None,
        others=tuple(entry_points[1:]),
        starts=bool(entry_points),
        asks=requires_python(versions),
        obstacles=lambda platform, version: (
            () if versions.contains(version) else (requires_python(versions),)
        ),
    )


def _read(path: Path) -> dict[str, object]:
    try:
        document = parse_toml(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except (DocumentError, UnicodeDecodeError) as error:
        raise CzscieError(f"{path} is not valid TOML", code=Code.PROJECT_INVALID, why=str(error)) from error
    project = document.get("project", {})
    return project if isinstance(project, dict) else {}


def _versions(project: dict[str, object], path: Path) -> SpecifierSet:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(str(project.get("requires-python", "")))
    except InvalidSpecifier as error:
        raise CzscieError(
            f"the requires-python of {path} is invalid", code=Code.PROJECT_INVALID, why=str(error)
        ) from error


def _entry_points(project: dict[str, object], name: str, directory: Path) -> list[str]:
    """The project's scripts, the one with its name first; without any, a package that can be run."""
    scripts = []
    for key in ("scripts", "gui-scripts"):
        table = project.get(key)
        scripts += list(table) if isinstance(table, dict) else []
    if scripts:
        return sorted(scripts, key=lambda script: _normalised(script) != _normalised(name))
    package = _normalised(name).replace("-", "_")
    places = (directory / "src", directory)
    # os.path: of a name that is longer than a file's may be, it says that there is none.
    starts = any(os.path.isfile(place / package / "__main__.py") for place in places)  # noqa: PTH113
    return [package] if starts else []


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
