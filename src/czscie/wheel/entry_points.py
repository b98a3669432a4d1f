"""Entry points: the `entry_points.txt` of a wheel, and the one a payload starts with.

https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from czscie.container.paths import path_fault
from czscie.errors import Code, CzscieError

_NAME = r"[^\W\d]\w*"
_DOTTED = rf"{_NAME}(?:\.{_NAME})*"
_OBJECT = re.compile(rf"(?P<module>{_DOTTED})(?:\s*:\s*(?P<attribute>{_DOTTED}))?")


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A module to run, or a callable in it: `attribute` is a dotted path or None."""

    module: str
    attribute: str | None

    @classmethod
    def parse(cls, text: str) -> EntryPoint:
        """Read `module` or `module:function`; extras in brackets are of the past and are ignored.

        Raises ValueError when it is neither.
        """
        match = _OBJECT.fullmatch(text.partition("[")[0].strip())
        if match is None:
            raise ValueError(f"{text!r} is neither module nor module:function")
        return cls(match["module"], match["attribute"])

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}" if self.attribute else self.module


@dataclass(frozen=True, slots=True)
class EntryPoints:
    """The scripts that an installer makes for a wheel, by name."""

    console: Mapping[str, EntryPoint]
    gui: Mapping[str, EntryPoint]

    @classmethod
    def parse(cls, text: str, label: str) -> EntryPoints:
        """Read an `entry_points.txt`. Raises CzscieError, which calls the wheel `label`, for a bad line."""
        groups: dict[str, dict[str, EntryPoint]] = {"console_scripts": {}, "gui_scripts": {}}
        group = ""
        for raw in text.splitlines():
            line = raw.strip()
            if not line or line.startswith(("#", ";")):
                continue
            if line.startswith("[") and line.endswith("]"):
                group = line[1:-1].strip()
            elif group in groups:
                name, entry_point = _parse_script(line, label)
                groups[group][name] = entry_point
        return cls(groups["console_scripts"], groups["gui_scripts"])

    def __contains__(self, name: str) -> bool:
        return name in self.console or name in self.gui

    def get(self, name: str) -> EntryPoint | None:
        return self.console.get(name) or self.gui.get(name)


def _parse_script(line: str, label: str) -> tuple[str, EntryPoint]:
    """`name = module:function`. The name becomes a file name."""
    name, _, value = (part.strip() for part in line.partition("="))
    if fault := "is not a plain name" if "/" in name else path_fault(name):
        raise CzscieError(
            f"{label} declares a script with an unsafe name: {name!r} {fault}", code=Code.WHEEL_INVALID
        )
    try:
        return name, EntryPoint.parse(value)
    except ValueError as error:
        raise CzscieError(
            f"{label} declares an invalid entry point: {name}", code=Code.WHEEL_INVALID, why=str(error)
        ) from error


NO_ENTRY_POINTS = EntryPoints({}, {})
