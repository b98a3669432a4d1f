from __future__ import annotations

import io
import random
import struct

import pytest

from czscie import mach_o
from czscie.errors import CzscieError
from mach_o_image import ARM64, X86_64, image

PAYLOAD = random.Random(1).randbytes(5 << 12)


def signed(bare: bytes, payload: bytes = PAYLOAD) -> bytes:
    return mach_o.signed(bare + payload, "moo")


def problems(data: bytes) -> list[str]:
    return list(mach_o.signature_problems(io.BytesIO(data), len(data)))


@pytest.mark.parametrize("cpu", [X86_64, ARM64])
def test_the_signature_follows_the_payload_and_covers_all_before_it(cpu: int) -> None:
    bare = image(cpu)
    data = signed(bare)
    end = len(bare) + len(PAYLOAD)
    assert mach_o.signature_offset(io.BytesIO(data), len(data)) == end
    assert data[len(bare) : end] == PAYLOAD
    assert problems(data) == []
    for place in (5, len(bare) - 1, len(bare), end - 1):
        changed = bytearray(data)
        changed[place] ^= 1
        assert problems(bytes(changed)) == ["1 pages differ from the signed ones"]


@pytest.mark.parametrize("cpu", [X86_64, ARM64])
def test_the_header_comes_back_after_signing(cpu: int) -> None:
    bare = image(cpu)
    head = mach_o.bare_head_of(io.BytesIO(signed(bare)), len(bare))
    assert head == bare[: len(head)]
    assert mach_o.bare(signed(bare, b"")) == bare
    assert mach_o.bare(bare) == bare


def test_a_bare_image_ends_on_a_multiple_of_16() -> None:
    odd = image(strings=0x101)
    bare = mach_o.bare(odd)
    assert len(bare) == len(odd) + 15
    assert problems(signed(bare)) == []


def test_other_files_have_no_signature_and_no_head() -> None:
    for data in (b"", b"\x7fELF" * 100, b"MZ" * 100):
        file = io.BytesIO(data)
        assert not mach_o.is_mach_o(data)
        assert mach_o.signature_offset(file, len(data)) is None
        assert mach_o.bare_head_of(file, len(data)) == b""
        assert problems(data) == []


def test_what_cannot_be_signed_says_why() -> None:
    with pytest.raises(mach_o.MachOError, match="no room"):
        mach_o.bare(image(room=0x120))
    with pytest.raises(mach_o.MachOError, match="follows its string table"):
        mach_o.bare(image() + b"more")
    with pytest.raises(mach_o.MachOError, match="already signed"):
        mach_o.signed(signed(image()) + b"x" * 16, "moo")
    with pytest.raises(mach_o.MachOError, match="multiple of 16"):
        mach_o.signed(image() + b"x", "moo")
    with pytest.raises(mach_o.MachOError, match="not a 64-bit Mach-O"):
        mach_o.bare(b"\x7fELF" * 100)


def test_what_32_bit_offsets_do_not_reach_is_refused_by_name() -> None:
    mach_o.check_size(3 << 30, "moo")
    with pytest.raises(CzscieError, match="moo is too large for macOS: 4294967000 bytes"):
        mach_o.check_size(4294967000, "moo")


def test_signatures_that_are_not_whole_are_told() -> None:
    bare = image()
    data = signed(bare)
    at = len(bare) + len(PAYLOAD)
    assert problems(bare) == ["it is not signed, and Apple silicon does not start it"]
    assert problems(data + b"x") == ["1 bytes follow it"]
    assert problems(data[:-1]) == ["it is not signed, and Apple silicon does not start it"]
    for offset in (at, at + 4, at + 8, at + 16, at + 20 + 28, at + 20 + 32, at + 20 + 36):
        changed = bytearray(data)
        struct.pack_into(">I", changed, offset, 0xFFFFFFF0)
        assert problems(bytes(changed)) == ["it is damaged"], offset - at


def test_a_damaged_header_is_an_error_and_never_more() -> None:
    data = signed(image())
    head = 32 + 152 + 72 + 24 + 16
    for length in range(32, head):
        with pytest.raises(mach_o.MachOError):
            mach_o.bare_head(data[:length], len(data))
    for size in (0, 0x3FF, 1 << 32, 1 << 60):
        with pytest.raises(mach_o.MachOError, match="its string table does not begin"):
            mach_o.bare_head(data, size)
    for place in range(head):
        for byte in (0, 1, 0x7F, 0xFF):
            changed = bytearray(data)
            changed[place] = byte
            file = io.BytesIO(changed)
            end = mach_o.signature_offset(file, len(data))
            assert end is None or end <= len(data)
            problems(bytes(changed))
            try:
                mach_o.bare_head_of(file, len(image()))
                mach_o.bare(bytes(changed))
            except mach_o.MachOError:
                pass
