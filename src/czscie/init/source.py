"""What a first manifest is written for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.platforms import Platform

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


@dataclass(frozen=True, slots=True)
class ProgramSource:
    """A project, a PEX or a script, as `czscie init` sees it.

    `source` is the payload's key in a manifest (`project`, `pex`, `script`) and `path` what that key names.
    `entry_point` is what starts, None where that is not known or needs no word; `others` are more that could.
    `starts` is whether anything does. `asks` is what it wants of a Python, in words, empty for nothing.
    `obstacles` are why it cannot run with a CPython of a whole version on a platform, as far as that is known
    without trying: a line each, none where it can.
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


def requires_python(versions: SpecifierSet) -> str:
    """What a project or a script asks for, in its own words; empty when it asks for nothing."""
    return f'requires-python = "{versions}"' if str(versions) else ""
