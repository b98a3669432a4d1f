"""RECORD: the files of a distribution with their digests, in a wheel and in an installation.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from czscie.container.content import Content, File, pieces_of

#: A digest (`sha256=` and unpadded URL-safe base64) and a size in bytes, both as RECORD spells them.
Row = tuple[str, str]

#: For the RECORD itself, and for what is written only where it is installed.
UNKNOWN: Row = ("", "")


def parse_record(text: str) -> dict[str, Row]:
    """The rows of a RECORD by path. Broken rows are left out: what they would say can be computed."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=None)))
    except csv.Error:
        return {}
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3 and row[0]}


def render_record(rows: Iterable[tuple[str, Row]]) -> bytes:
    """A RECORD with these rows, in this order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows((path, *row) for path, row in rows)
    return text.getvalue().encode()


def digest_row(content: Content) -> Row:
    """The digest and the size of `content`, which is read for it."""
    sha256, size = hashlib.sha256(), 0
    for piece in pieces_of(content):
        sha256.update(piece)
        size += len(piece)
    digest = base64.urlsafe_b64encode(sha256.digest()).rstrip(b"=").decode()
    return f"sha256={digest}", str(size)


@dataclass(frozen=True, eq=False)
class WheelRecord:
    """The content of a wheel's RECORD, made again because paths or bytes of its files changed.

    Known rows (by path, and with the right size) are not computed again: a PEX that keeps its RECORDs is not
    read twice.
    """

    path: str
    files: tuple[File, ...]
    known: Mapping[str, Row]

    @cached_property
    def _data(self) -> bytes:
        rows = [(file.path, self._row(file)) for file in self.files]
        return render_record([*rows, (self.path, UNKNOWN)])

    def _row(self, file: File) -> Row:
        known = self.known.get(file.path, UNKNOWN)
        if known[0] and known[1] == str(file.content.size):
            return known
        return digest_row(file.content)

    @property
    def size(self) -> int:
        return len(self._data)

    def read(self) -> bytes:
        return self._data
