"""Small ELF files for tests: correct in what a loader reads, with no code in them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

X86_64 = 62
AARCH64 = 183
S390X = 22
GNU_LOADER = "/lib64/ld-linux-x86-64.so.2"
MUSL_LOADER = "/lib/ld-musl-x86_64.so.1"

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
BASE = 0x10000


def elf_image(
    *,
    bits: int = 64,
    big_endian: bool = False,
    machine: int = X86_64,
    interpreter: str | None = GNU_LOADER,
    needed: Sequence[str] = (),
    rpath: str | None = None,
    runpath: str | None = None,
    versions: Mapping[str, Sequence[str]] | None = None,
    weak: Sequence[str] = (),
    note: bool = True,
    spare_slots: int = 2,
    extra: bytes = b"",
) -> bytes:
    """An ELF file whose one PT_LOAD holds it whole. `weak` are those of `versions` that it can do without."""
    order = ">" if big_endian else "<"
    wide = bits == 64
    strings = bytearray(b"\0")

    def name(text: str) -> int:
        strings.extend(text.encode() + b"\0")
        return len(strings) - len(text.encode()) - 1

    entries = [(1, name(library)) for library in needed]
    entries += [(15, name(rpath))] if rpath is not None else []
    entries += [(29, name(runpath))] if runpath is not None else []
    table = _version_table(order, versions or {}, weak, name)

    header_size = 64 if wide else 52
    entry_size = 56 if wide else 32
    count = 2 + (interpreter is not None) + note
    loader = (interpreter or "").encode() + b"\0"
    places, at = {}, header_size + count * entry_size
    for part, content in (("interp", loader), ("note", bytes(32)), ("strings", strings), ("versions", table)):
        at += -at % 8
        places[part] = (at, bytes(content))
        at += len(content)
    at += -at % 8
    entries += [(5, BASE + places["strings"][0]), (10, len(strings))]
    if versions:
        entries += [(0x6FFFFFFE, BASE + places["versions"][0]), (0x6FFFFFFF, len(versions))]
    slots = entries + [(0, 0)] * (1 + spare_slots)
    dynamic = b"".join(struct.pack(order + ("qQ" if wide else "iI"), *slot) for slot in slots)
    places["dynamic"] = (at, dynamic)
    size = at + len(dynamic) + len(extra)

    segments = [(PT_INTERP, *_span(places, "interp"))] if interpreter is not None else []
    segments += [(PT_LOAD, 0, size), (PT_DYNAMIC, *_span(places, "dynamic"))]
    segments += [(PT_NOTE, *_span(places, "note"))] if note else []
    image = bytearray(size)
    for offset, content in places.values():
        image[offset : offset + len(content)] = content
    image[size - len(extra) :] = extra
    ident = b"\x7fELF" + bytes([2 if wide else 1, 2 if big_endian else 1, 1]) + bytes(9)
    fields = (3, machine, 1, 0, header_size, 0, 0, header_size, entry_size, len(segments), 0, 0, 0)
    image[:header_size] = ident + struct.pack(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"), *fields)
    for index, (kind, offset, length) in enumerate(segments):
        address, align = BASE + offset, 0x1000 if kind == PT_LOAD else 8
        if wide:
            packed = struct.pack(order + "IIQQQQQQ", kind, 4, offset, address, address, length, length, align)
        else:
            packed = struct.pack(order + "IIIIIIII", kind, offset, address, address, length, length, 4, align)
        start = header_size + index * entry_size
        image[start : start + entry_size] = packed
    return bytes(image)


def _span(places: Mapping[str, tuple[int, bytes]], part: str) -> tuple[int, int]:
    offset, content = places[part]
    return offset, len(content)


def _version_table(order: str, versions: Mapping[str, Sequence[str]], weak: Sequence[str], name) -> bytes:  # type: ignore[no-untyped-def]
    table = b""
    for index, (library, names) in enumerate(versions.items()):
        last = index == len(versions) - 1
        table += struct.pack(
            order + "HHIII", 1, len(names), name(library), 16, 0 if last else 16 + 16 * len(names)
        )
        for number, version in enumerate(names):
            flags = 2 if version in weak else 0
            step = 0 if number == len(names) - 1 else 16
            table += struct.pack(order + "IHHII", 0, flags, number + 2, name(version), step)
    return table
