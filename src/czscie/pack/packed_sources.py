"""The sources of packed modules as open files. Runs in the shipped interpreter: CPython 3.9 to 3.15.

Before 3.13 exceptions that nobody catches are printed in C; in 3.13 still are those that nobody can, in a
`__del__`. That asks `io.open` for the files of a traceback's lines, and needs descriptors of them.

Nothing is imported that evaluates a string, as `collections` does: then CPython forgets that the exception
was a KeyboardInterrupt, after which it ends by the signal SIGINT.
"""

import _io
import io
import os


class opened:
    """Lets `io.open` open what is no file but has a source: `source` tells the bytes of a path, or None."""

    def __init__(self, source):
        self._source = source
        self._alone = False

    def __enter__(self):
        self._alone = io.open is _io.open  # or another thread is at it, or somebody else
        if self._alone:
            io.open = self._open

    def __exit__(self, *exception):
        if self._alone:
            io.open = _io.open

    def _open(self, path, *arguments):
        try:
            return _io.open(path, *arguments)
        except FileNotFoundError:
            text = self._source(path) if arguments == ("rb",) else None
            if text is None:
                raise
            return _io.open(descriptor_of(text), "rb")


def descriptor_of(text):
    """A new descriptor of a file with these bytes. Raises OSError where none can be."""
    descriptor = _descriptor()
    try:
        left = memoryview(text)
        while left:
            left = left[os.write(descriptor, left) :]
        os.lseek(descriptor, 0, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _descriptor():
    """A descriptor of a new file without a name. Raises OSError if it cannot be made."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("source")
    places = [os.environ[name] for name in ("TMPDIR", "TEMP", "TMP") if name in os.environ]
    path = os.path.join((*places, "/tmp")[0], f"czscie-{os.getpid()}-{os.urandom(8).hex()}")  # noqa: S108
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_TEMPORARY", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o600)
    if not hasattr(os, "O_TEMPORARY"):
        os.unlink(path)
    return descriptor
