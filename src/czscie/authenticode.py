"""Verifies the integrity of Authenticode signatures of Windows executables.

Sources: Microsoft's "Windows Authenticode Portable Executable Signature Format"; RFC 2315 (PKCS #7); X.690
(DER).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

from czscie import pe
from czscie.filesystem import pieces

_CERTIFICATE = struct.Struct("<IHH")
_PKCS_SIGNED_DATA = 2
#: Certificates of a signer take some kilobytes.
_TABLE_MAX = 16 << 20

_SEQUENCE, _OBJECT, _OCTETS, _FIRST = 0x30, 0x06, 0x04, 0xA0
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_INDIRECT_DATA = bytes.fromhex("2b060104018237020104")
_DIGESTS = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}


def signature_problems(file: BinaryIO, size: int) -> Iterator[str]:
    """The problems of the signature of the image in `file`, which is `size` bytes long.

    Compares its digest with the file. Does not check who signed it. An unsigned image has no problem.
    """
    found = pe.certificates(file, size)
    if found is None:
        return
    offset, length = found
    file.seek(offset)
    try:
        if length > _TABLE_MAX:
            raise ValueError
        for algorithm, digest in _signed(file.read(length)):
            if _digest(file, offset, algorithm) != digest:
                yield "the file differs from what was signed"
    except (ValueError, struct.error):
        yield "it is damaged"
    if offset + length < size:
        yield f"{size - offset - length} bytes follow it"


def _digest(file: BinaryIO, end: int, algorithm: str) -> bytes:
    digest = hashlib.new(algorithm)
    for start, stop in pe.signed_ranges(file, end):
        file.seek(start)
        for piece in pieces(file, stop - start):
            digest.update(piece)
    return digest.digest()


def _signed(table: bytes) -> Iterator[tuple[str, bytes]]:
    """The algorithm and the digest of each signature in a certificate table.

    Raises ValueError or struct.error on invalid data.
    """
    at = 0
    while at < len(table):
        length, _, kind = _CERTIFICATE.unpack_from(table, at)
        if kind != _PKCS_SIGNED_DATA or not _CERTIFICATE.size < length <= len(table) - at:
            raise ValueError
        yield _message_digest(table[at + _CERTIFICATE.size : at + length])
        at += -(-length // 8) * 8


def _message_digest(blob: bytes) -> tuple[str, bytes]:
    """The digest of the SpcIndirectDataContent in a PKCS #7 signature."""
    content_type, content = _fields(_value(blob, _SEQUENCE), _OBJECT, _FIRST)
    if content_type != _SIGNED_DATA:
        raise ValueError
    _, _, inner, *_ = _values(_value(content, _SEQUENCE))
    inner_type, inner_content = _fields(inner[1], _OBJECT, _FIRST)
    if inner_type != _INDIRECT_DATA:
        raise ValueError
    _, info = _fields(_value(inner_content, _SEQUENCE), _SEQUENCE, _SEQUENCE)
    algorithm, digest = _fields(info, _SEQUENCE, _OCTETS)
    if (name := _DIGESTS.get(_value(algorithm, _OBJECT))) is None:
        raise ValueError
    return name, digest


def _value(data: bytes, tag: int) -> bytes:
    """The content of the first value of `data`, which has this tag."""
    found, content = next(_values(data), (None, b""))
    if found != tag:
        raise ValueError
    return content


def _fields(data: bytes, *tags: int) -> tuple[bytes, ...]:
    """The contents of the first values of `data`, which have these tags."""
    values = list(_values(data))[: len(tags)]
    if [tag for tag, _ in values] != list(tags):
        raise ValueError
    return tuple(content for _, content in values)


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of the values that follow each other in `data`, up to zeros that fill it up."""
    at = 0
    while at + 2 <= len(data) and data[at]:
        tag, length = data[at], data[at + 1]
        at += 2
        if length > 0x80:
            octets = length - 0x80
            length = int.from_bytes(data[at : at + octets], "big")
            at += octets
        if at + length > len(data):
            raise ValueError
        yield tag, data[at : at + length]
        at += length
