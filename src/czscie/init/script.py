"""A single file, for `czscie init`: its inline metadata (PEP 723) and its docstring."""

from __future__ import annotations

import ast
from pathlib import Path

from czscie.czex.inline_metadata import InlineMetadata, read_source
from czscie.errors import Code, CzscieError
from czscie.init.source import ProgramSource, requires_python


def read_script(path: Path) -> ProgramSource:
    """The script at `path`. Raises CzscieError when it is not Python or its metadata is invalid."""
    source = read_source(path)
    versions = InlineMetadata.parse(source, path).requires_python
    return ProgramSource(
        source="script",
        path=path,
        name=path.stem,
        description=_first_line(source, path),
        entry_point=None,
        others=(),
        starts=True,
        asks=requires_python(versions),
        obstacles=lambda platform, version: (
            () if versions.contains(version) else (requires_python(versions),)
        ),
    )


def _first_line(source: str, path: Path) -> str | None:
    """The first line of the docstring, without a full stop."""
    try:
        docstring = ast.get_docstring(ast.parse(source))
    except (SyntaxError, ValueError) as error:
        raise CzscieError(
            f"{path} is not a Python file", code=Code.PROGRAM_UNKNOWN, why=str(error)
        ) from error
    return docstring.splitlines()[0].strip().removesuffix(".") or None if docstring else None
