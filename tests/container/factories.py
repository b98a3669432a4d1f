"""Zips as czscie writes them, with anything changed and every length and checksum true of it again."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping

from czscie.container import zip as zip_records
from czscie.container.packer import compress


def contents_of(data: bytes) -> dict[str, bytes]:
    """The entries of a zip that ends where `data` does."""
    file = io.BytesIO(data)
    directory = zip_records.read_directory(file, len(data))
    return {entry.name: zip_records.read_entry(file, entry) for entry in directory.entries}


def rewritten(data: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """The zip with other contents for some entries, which go where they are None, and entries added."""
    file = io.BytesIO(data)
    directory = zip_records.read_directory(file, len(data))
    prefix = data[: min(entry.header_offset for entry in directory.entries)]
    old = {entry.name: (entry.method, zip_records.read_entry(file, entry)) for entry in directory.entries}
    methods = {name: method for name, (method, _) in old.items()}
    contents: dict[str, bytes | None] = {name: content for name, (_, content) in old.items()}
    out, entries = io.BytesIO(), []
    out.write(prefix)
    for name, content in {**contents, **changes}.items():
        if content is not None:
            entries.append(put(out, name, content, methods.get(name, zip_records.STORED)))
    out.write(zip_records.directory(entries, out.tell()))
    return out.getvalue()


def put(out: io.BytesIO, name: str, content: bytes, method: int) -> zip_records.Entry:
    packed = content
    if method == zip_records.ZSTD:
        packed = compress(content, 1)
    elif method == zip_records.DEFLATED:
        compressor = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = compressor.compress(content) + compressor.flush()
    entry = zip_records.Entry(name, method, zlib.crc32(content), len(packed), len(content), out.tell())
    out.write(entry.local_header())
    out.write(packed)
    return entry
