"""Writes the page of a file."""

from __future__ import annotations

from pathlib import Path

from czscie.composition.composition import Composition
from czscie.composition.czex import czex_composition, is_czex
from czscie.composition.executable import executable_composition
from czscie.composition.page import page
from czscie.errors import Code, CzscieError
from czscie.filesystem import check_output, write_atomically


def write_page(path: Path, output: Path, older: Path | None = None) -> None:
    """Writes the page of the file at `path` to `output`, compared with `older` if that is given.

    Raises CzscieError when one of them is not a file of czscie's or is damaged, and when `output` cannot be
    written.
    """
    check_output(output)
    for read in filter(None, (path, older)):
        if output.exists() and read.exists() and output.samefile(read):
            raise CzscieError(
                f"cannot write {output}",
                code=Code.OUTPUT_UNWRITABLE,
                why="it is the file to read",
                hint="choose another path",
            )
    now = composition(path)
    was = None if older is None else composition(older)
    text = page(now, was).encode()
    write_atomically(output, lambda file: file.write(text), len(text), mode=0o666)


def composition(path: Path) -> Composition:
    """What the executable or the CZEX at `path` is made of. Raises CzscieError."""
    return czex_composition(path) if is_czex(path) else executable_composition(path)
