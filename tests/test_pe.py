from __future__ import annotations

import io
import random
import struct

import pytest

from czscie import pe, signature
from czscie.errors import CzscieError
from pe_image import image

PAYLOAD = random.Random(1).randbytes(5001)
RSRC = b"resources" * 100
HEADERS = 0x200


def sealed(data: bytes) -> bytes:
    file = io.BytesIO(data)
    pe.seal(file)
    return file.getvalue()


def with_certificates(data: bytes, offset: int, length: int) -> bytes:
    out = bytearray(data)
    struct.pack_into("<II", out, 0x78 + 24 + 112 + 32, offset, length)
    return bytes(out)


@pytest.mark.parametrize("windowed", [False, True])
@pytest.mark.parametrize("rsrc", [b"x", RSRC, RSRC * 20])
def test_shaping_is_undone(rsrc: bytes, windowed: bool) -> None:
    for code in (b"\xc3", b"\x90" * 5000):
        compiled = image(code)
        shaped = pe.shaped(compiled, rsrc, windowed=windowed)
        assert len(shaped) % 0x200 == 0
        assert pe.compiled(shaped) == compiled
        assert pe.compiled(sealed(shaped + PAYLOAD))[: len(compiled)] == compiled
    assert pe.compiled(image()) == image()


def test_what_cannot_be_shaped_says_why() -> None:
    shaped = pe.shaped(image(), RSRC, windowed=False)
    with pytest.raises(pe.PeError, match="it has resources already"):
        pe.shaped(shaped, RSRC, windowed=False)
    with pytest.raises(pe.PeError, match="data follows its sections"):
        pe.shaped(image() + b"x", RSRC, windowed=False)
    with pytest.raises(pe.PeError, match="no room for a section"):
        pe.shaped(image(headers=0x78 + 24 + 240 + 40), RSRC, windowed=False)
    for data in (b"", b"MZ", b"MZ" * 500, b"\x7fELF" * 500, image()[:0x180]):
        with pytest.raises(pe.PeError):
            pe.shaped(data, RSRC, windowed=False)


@pytest.mark.parametrize("tail", [b"", b"x", b"\xff" * 3_000_001, PAYLOAD])
def test_the_checksum_is_what_imagehlp_computes(tail: bytes) -> None:
    data = sealed(image() + tail)
    at = 0x78 + 24 + 64
    zeroed = data[:at] + bytes(4) + data[at + 4 :]
    words = zeroed + b"\0" * (len(zeroed) % 2)
    total = sum(struct.unpack(f"<{len(words) // 2}H", words))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    assert pe.stored_checksum(io.BytesIO(data)) == total + len(data)
    assert sealed(data) == data


def test_the_certificate_table_ends_the_payload_and_the_headers_come_back() -> None:
    data = sealed(image() + PAYLOAD)
    signed = with_certificates(data + b"certificates", len(data), 12)
    file = io.BytesIO(signed)
    assert signature.payload_end(file, len(signed)) == len(data)
    assert signature.payload_end(io.BytesIO(data), len(data)) == len(data)
    assert pe.bare_head_of(file) == image()[: len(pe.bare_head_of(file))]
    beyond = with_certificates(data, len(data) + 1, 12)
    assert signature.payload_end(io.BytesIO(beyond), len(data)) == len(data)


def test_what_windows_does_not_start_is_refused_by_name() -> None:
    pe.check_size((1 << 32) - 1, "moo")
    with pytest.raises(CzscieError, match="moo is too large for Windows: 4294967296 bytes"):
        pe.check_size(1 << 32, "moo")


def test_a_damaged_header_is_an_error_and_never_more() -> None:
    data = sealed(pe.shaped(image(), RSRC, windowed=True) + PAYLOAD)
    for length in range(HEADERS):
        assert not pe.is_pe(data[:length])
    for place in range(HEADERS):
        for byte in (0, 1, 0x7F, 0xFF):
            changed = bytearray(data)
            changed[place] = byte
            file = io.BytesIO(changed)
            assert signature.payload_end(file, len(data)) <= len(data)
            try:
                pe.bare_head_of(file)
                pe.compiled(bytes(changed))
                list(signature.signature_problems(file, len(data)))
            except pe.PeError:
                pass
