"""Inline script metadata: the requirements of a single file, in a comment block (PEP 723).

https://packaging.python.org/en/latest/specifications/inline-script-metadata/
"""

from __future__ import annotations

import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.documents import DocumentError, parse_toml
from czscie.errors import Code, CzscieError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_TYPE = "script"
#: The specification's own expression: a block ends with the last `# ///` of its run of comment lines.
_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(?:^#(?:| .*)$\s)+)^# ///$")


@dataclass(frozen=True, slots=True)
class InlineMetadata:
    """`requirements` as PEP 508 writes them; `requires_python` accepts everything by default."""

    requirements: tuple[str, ...]
    requires_python: SpecifierSet

    @classmethod
    def read(cls, path: Path) -> InlineMetadata:
        """The metadata of the script at `path`; empty without a block.

        Raises CzscieError when the file is unreadable, or has two blocks or an invalid one.
        """
        return cls.parse(read_source(path), path)

    @classmethod
    def parse(cls, source: str, path: Path) -> InlineMetadata:
        """The same for `source`, which messages call `path`."""
        blocks = [match for match in _BLOCK.finditer(source) if match["type"] == _TYPE]
        if len(blocks) > 1:
            raise _nonsense(path, "there is more than one")
        lines = blocks[0]["content"].splitlines() if blocks else ()
        try:
            table = parse_toml("\n".join(line.removeprefix("#").removeprefix(" ") for line in lines))
        except DocumentError as error:
            raise _nonsense(path, str(error)) from error
        return cls(_requirements(table, path), _requires_python(table, path))


def has_metadata(path: Path) -> bool:
    """Whether the file at `path` has such a block; False when it cannot be read."""
    try:
        source = read_source(path)
    except CzscieError:
        return False
    return any(match["type"] == _TYPE for match in _BLOCK.finditer(source))


def read_source(path: Path) -> str:
    """The text of a Python file in whatever encoding it declares. Raises CzscieError."""
    try:
        with tokenize.open(path) as file:
            return file.read()
    except FileNotFoundError:
        raise CzscieError(f"there is no script {path}", code=Code.PROGRAM_UNKNOWN) from None
    except (SyntaxError, UnicodeDecodeError) as error:
        raise CzscieError(
            f"{path} is not a Python file", code=Code.PROGRAM_UNKNOWN, why=str(error)
        ) from error
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error


def _requirements(table: dict[str, object], path: Path) -> tuple[str, ...]:
    from packaging.requirements import InvalidRequirement, Requirement

    value = table.get("dependencies", [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _nonsense(path, "dependencies is not an array of strings")
    try:
        return tuple(str(Requirement(each)) for each in value)
    except InvalidRequirement as error:
        raise _nonsense(path, str(error)) from error


def _requires_python(table: dict[str, object], path: Path) -> SpecifierSet:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    value = table.get("requires-python", "")
    if not isinstance(value, str):
        raise _nonsense(path, "requires-python is not a string")
    try:
        return SpecifierSet(value)
    except InvalidSpecifier as error:
        raise _nonsense(path, str(error)) from error


def _nonsense(path: Path, why: str) -> CzscieError:
    return CzscieError(f'the "# /// {_TYPE}" block of {path} is invalid', code=Code.PROJECT_INVALID, why=why)
