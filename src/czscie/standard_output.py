"""Standard output whose errors name it instead of a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import TYPE_CHECKING

from czscie.errors import Code, CzscieError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: What such an OSError has in place of a file's name.
_NAME = "standard output"


class _Raw(FileIO):
    def write(self, data: ReadableBuffer, /) -> int:
        with _naming():
            return super().write(data)


@contextmanager
def _naming() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        error.filename = _NAME
        raise


def open_standard_output() -> None:
    """Makes `sys.stdout` name itself in its errors, and write file names, which are bytes.

    A terminal is left as it is: on Windows it is no file.
    """
    given = sys.stdout
    if not isinstance(given, TextIOWrapper):
        return
    given.reconfigure(errors="surrogateescape")
    if given.isatty():
        return
    sys.stdout = TextIOWrapper(
        BufferedWriter(_Raw(given.fileno(), "w", closefd=False)),
        encoding=given.encoding,
        errors="surrogateescape",
        line_buffering=given.line_buffering,
        write_through=given.write_through,
    )


def output_error(error: OSError) -> CzscieError | None:
    """The error about standard output; None when `error` is one of something else."""
    if error.filename != _NAME:
        return None
    from czscie.disk import is_full

    hint = "free some space there, or redirect it to another file system" if is_full(error) else None
    return CzscieError(
        f"cannot write to {_NAME}", code=Code.OUTPUT_UNWRITABLE, why=error.strerror or str(error), hint=hint
    )


def drop_standard_output() -> None:
    """Discards unwritten output. Otherwise Python would try again at exit, and complain."""
    if isinstance(sys.stdout, TextIOWrapper):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
