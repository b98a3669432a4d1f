"""Mach-O images for tests: the least that is one, and signing as a developer does."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

X86_64, ARM64 = 0x01000007, 0x0100000C
SIGNATURE_COMMAND = struct.pack("<II", 0x1D, 16)

#: One that a hardened runtime looks at, for what loads libraries of others.
ENTITLEMENTS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>com.apple.security.cs.disable-library-validation</key><true/>
</dict></plist>
"""


def image(cpu: int = ARM64, strings: int = 0x100, room: int = 0x300) -> bytes:
    """A bare image: two segments, a symbol table, and `room` where its first section begins."""
    length = 0x400 + strings
    text = struct.pack("<II16s4Q4I", 0x19, 152, b"__TEXT", 0, 0x400, 0, 0x400, 5, 5, 1, 0)
    section = struct.pack("<16s16s2Q8I", b"__text", b"__TEXT", 0, 16, room, 0, 0, 0, 0, 0, 0, 0)
    page = 0x4000 if cpu == ARM64 else 0x1000
    size = -(-strings // page) * page
    linkedit = struct.pack("<II16s4Q4I", 0x19, 72, b"__LINKEDIT", 0x4000, size, 0x400, strings, 1, 1, 0, 0)
    symtab = struct.pack("<6I", 2, 24, 0, 0, 0x400, strings)
    commands = text + section + linkedit + symtab
    header = struct.pack("<8I", 0xFEEDFACF, cpu, 0, 2, 3, len(commands), 0, 0)
    return (header + commands).ljust(length, b"\0")


def sign_as_developer(path: Path, output: Path) -> None:
    """Signs with a certificate of its own, the hardened runtime and an entitlement, by apple-codesign."""
    pytest.importorskip("apple_platform")
    from apple_platform import certificates, models, signing

    pem = certificates.generate_self_signed("czscie test").write_pem_bundle(path.with_suffix(".pem"))
    entitlements = path.with_suffix(".plist")
    entitlements.write_text(ENTITLEMENTS)
    signing.sign(
        path,
        output,
        signer=models.Signer(pem=models.PemKey(files=[pem])),
        binary_identifier="com.example.moo",
        code_signature_flags=["runtime"],
        entitlements_xml_file=entitlements,
        timestamp_url="none",
    )


def judge(path: Path) -> list[str]:
    """What apple-codesign finds wrong with a signature."""
    pytest.importorskip("apple_platform")
    from apple_platform import reading

    return [problem["description"] for problem in reading.verify_macho(path)]


def layout_is_right(path: Path) -> bool:
    """Whether lief finds the image's parts where dyld looks for them."""
    import lief

    binary = lief.MachO.parse(str(path))
    assert binary is not None
    right, _ = lief.MachO.check_layout(binary.at(0))
    return right
