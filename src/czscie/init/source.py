"""The source of a first manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.platforms import Platform

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


@dataclass(frozen=True, slots=True)
class ProgramSource:
    """A project, a PEX, a script or a requirements file.

    `source` is the payload's key in a manifest (`project`, `pex`, `script`, `requirements`) and `path` its
    value; that of `requirements` are the `requirements` of the file at `path`.
    `entry_point` is None if it is unknown or need not be named; `others` are further candidates. `starts` is
    whether there is any. `asks` is its requirement of a Python, in words, empty for none. `obstacles` returns
    why it cannot run with a CPython version on a platform, as far as that is known without a build: one line
    per reason. `keys` are more keys of the payload.
    """

    source: str
    path: Path
    name: str
    description: str | None
    entry_point: str | None
    others: tuple[str, ...]
    starts: bool
    asks: str
    obstacles: Callable[[Platform, str], tuple[str, ...]]
    requirements: tuple[str, ...] = ()
    keys: Mapping[str, bool | str | tuple[str, ...]] = field(default_factory=dict)


def requires_python(versions: SpecifierSet) -> str:
    """The requires-python of a project or a script, in its own words; empty for none."""
    return f'requires-python = "{versions}"' if str(versions) else ""
