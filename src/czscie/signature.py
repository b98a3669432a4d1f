"""Signatures of executables of all formats: where the payload ends, and which bytes signing changes.

ELF files have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from czscie import authenticode, mach_o, pe

#: What a signature covers ends on a multiple of it.
ALIGNMENT = max(mach_o.ALIGNMENT, pe.ALIGNMENT)

#: What reading a damaged executable raises.
DAMAGE = (mach_o.MachOError, pe.PeError)


def is_signable(head: bytes) -> bool:
    """Whether a file that begins with `head` is of a format that has signatures."""
    return mach_o.is_mach_o(head) or pe.is_pe(head)


def payload_end(file: BinaryIO, size: int) -> int:
    """One past the last byte of the payload of the executable in `file`, which is `size` bytes long."""
    signature = mach_o.signature_offset(file, size)
    if signature is not None:
        return signature
    table = pe.certificates(file, size)
    return size if table is None else table[0]


def bare_head_of(file: BinaryIO, size: int) -> bytes:
    """The first bytes of the launcher in `file`, which is `size` bytes long, as they are before signing:
    those that signing changes, and none of other formats. Raises one of DAMAGE.
    """
    return mach_o.bare_head_of(file, size) or pe.bare_head_of(file)


def signature_problems(file: BinaryIO, size: int) -> Iterator[str]:
    """The problems of the signature of the executable in `file`, which is `size` bytes long."""
    yield from mach_o.signature_problems(file, size)
    yield from authenticode.signature_problems(file, size)
