"""The sources of packed modules as open files. Runs in the shipped interpreter: CPython 3.9 to 3.15.

Before 3.13 exceptions that nobody catches are printed in C; in 3.13 still are those that nobody can, in a
`__del__`. That asks `io.open` for the files of a traceback's lines, and needs descriptors of them.
"""

import _io
import contextlib
import io
import os


@contextlib.contextmanager
def opened(source):
    """Lets `io.open` open what is no file but has a source: `source` tells the bytes of a path, or None."""
    before = io.open
    if before is not _io.open:  # another thread is at it, or somebody else
        yield
        return

    def open_source(path, *arguments):
        try:
            return before(path, *arguments)
        except FileNotFoundError:
            text = source(path) if arguments == ("rb",) else None
            if text is None:
                raise
            return _file(text)

    io.open = open_source
    try:
        yield
    finally:
        io.open = before


def _file(text):
    if hasattr(os, "memfd_create"):
        file = open(os.memfd_create("source"), "w+b")  # noqa: SIM115 (it is for the caller)
    else:
        from tempfile import TemporaryFile

        file = TemporaryFile()  # noqa: SIM115
    file.write(text)
    file.seek(0)
    return file
