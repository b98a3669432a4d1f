"""Files taken apart and put together again: zips, tars, ar archives, executables.

Nothing of czscie's writes them, so that headers can say what is not true.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import zstandard

from fuzz.mutation import NUMBERS, Mutator

STORED, DEFLATED, ZSTD = 0, 8, 93

Change = Callable[[str, bytes], bytes]


@dataclass(frozen=True)
class Entry:
    """An entry of a zip, and what its headers say otherwise than is true."""

    name: bytes
    method: int
    content: bytes
    mode: int = 0o100644
    lies: dict[str, int] = field(default_factory=dict)
    packed: bytes | None = None

    def data(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method == ZSTD:
            return zstandard.ZstdCompressor(level=1).compress(self.content)
        if self.method == DEFLATED:
            compressor = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
            return compressor.compress(self.content) + compressor.flush()
        return self.content


def read_zip(data: bytes) -> tuple[bytes, list[Entry]]:
    """What stands before a sound zip, and its entries."""
    end = data.rindex(b"PK\5\6")
    count, _, at = struct.unpack_from("<HLL", data, end + 10)
    entries, first = [], len(data)
    for _ in range(count):
        (method,) = struct.unpack_from("<H", data, at + 10)
        packed, size, name, extra, comment = struct.unpack_from("<LLHHH", data, at + 20)
        attributes, offset = struct.unpack_from("<LL", data, at + 38)
        first = min(first, offset)
        local_name, local_extra = struct.unpack_from("<HH", data, offset + 26)
        start = offset + 30 + local_name + local_extra
        raw = data[start : start + packed]
        entries.append(
            Entry(data[at + 46 : at + 46 + name], method, _content(method, raw, size), attributes >> 16)
        )
        at += 46 + name + extra + comment
    return data[:first] if entries else b"", entries


def _content(method: int, raw: bytes, size: int) -> bytes:
    if method == ZSTD:
        return zstandard.ZstdDecompressor().decompress(raw, max_output_size=size)
    return zlib.decompress(raw, -zlib.MAX_WBITS) if method == DEFLATED else raw


@dataclass
class Zip:
    """A zip being written; offsets count from the start of `out`."""

    entries: list[Entry]
    lies: dict[str, int] = field(default_factory=dict)
    comment: bytes = b""

    def write(self, out: io.BytesIO) -> None:
        headers = [self._put(out, entry) for entry in self.entries]
        at = out.tell()
        body = b"".join(headers)
        out.write(body)
        values = {"count": len(headers), "length": len(body), "offset": at, "zip64": 0, **self.lies}
        if values["zip64"]:
            record = out.tell()
            numbers = (values["count"], values["count"], values["length"], values["offset"])
            masked = (number & (1 << 64) - 1 for number in numbers)
            out.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 63, 63, 0, 0, *masked))
            out.write(struct.pack("<4sLQL", b"PK\6\7", 0, record, 1))
            values |= {"count": 0xFFFF, "length": 0xFFFFFFFF, "offset": 0xFFFFFFFF}
        count, length, offset = values["count"], values["length"], values["offset"]
        out.write(
            struct.pack(
                "<4s4H2LH",
                b"PK\5\6",
                0,
                0,
                count & 0xFFFF,
                count & 0xFFFF,
                length & 0xFFFFFFFF,
                offset & 0xFFFFFFFF,
                len(self.comment),
            )
        )
        out.write(self.comment)

    def _put(self, out: io.BytesIO, entry: Entry) -> bytes:
        data = entry.data()
        says = {
            "crc": zlib.crc32(entry.content),
            "packed": len(data),
            "size": len(entry.content),
            "offset": out.tell(),
            "flags": 0,
            "method": entry.method,
            "local_name": len(entry.name),
            "local_extra": 0,
            "zip64": 0,
            **entry.lies,
        }
        small = {key: value & 0xFFFFFFFF for key, value in says.items()}
        out.write(
            struct.pack(
                "<4s5H3L2H",
                b"PK\3\4",
                63,
                small["flags"] & 0xFFFF,
                small["method"] & 0xFFFF,
                0,
                0x21,
                small["crc"],
                small["packed"],
                small["size"],
                small["local_name"] & 0xFFFF,
                small["local_extra"] & 0xFFFF,
            )
        )
        out.write(entry.name + data)
        extra = b""
        if says["zip64"]:
            numbers = (says["size"], says["packed"], says["offset"])
            extra = struct.pack("<2H3Q", 1, 24, *(number & (1 << 64) - 1 for number in numbers))
            small |= dict.fromkeys(("size", "packed", "offset"), 0xFFFFFFFF)
        return (
            struct.pack(
                "<4s4B4H3L5H2L",
                b"PK\1\2",
                63,
                3,
                63,
                0,
                small["flags"] & 0xFFFF,
                small["method"] & 0xFFFF,
                0,
                0x21,
                small["crc"],
                small["packed"],
                small["size"],
                len(entry.name),
                len(extra),
                0,
                0,
                0,
                entry.mode << 16 & 0xFFFFFFFF,
                small["offset"],
            )
            + entry.name
            + extra
        )


def change_entries(mutator: Mutator, entries: list[Entry], change: Change) -> list[Entry]:
    """The entries of a zip with one of them changed: its content by `change`, its name, or its headers."""
    changed = list(entries)
    at = mutator.random.randrange(len(changed) or 1)
    kind = mutator.random.randrange(12)
    if not changed:
        return [Entry(b"a", STORED, b"a")]
    entry = changed[at]
    if kind == 0:
        del changed[at]
    elif kind == 1:
        changed.insert(at, mutator.choose(changed))
    elif kind == 2:
        name = mutator.name(entry.name.decode("utf-8", "surrogateescape"))
        changed[at] = replace(entry, name=name.encode("utf-8", "surrogatepass")[:60_000])
    elif kind == 3:
        where = mutator.choose(
            ("crc", "packed", "size", "offset", "flags", "method", "local_name", "local_extra")
        )
        lies = {where: mutator.number(mutator.random.randrange(100)), "zip64": mutator.random.randrange(2)}
        changed[at] = replace(entry, lies=lies)
    elif kind == 4:
        changed[at] = replace(entry, method=mutator.choose((STORED, DEFLATED, ZSTD, 12, 14, 99)))
    elif kind == 5:
        changed[at] = replace(entry, packed=mutator.bytes(entry.data()))
    elif kind == 6:
        # Well packed zeros: many times what the file has.
        zeros = bytes(mutator.choose((1 << 10, 1 << 20, 16 << 20)))
        changed[at] = replace(entry, content=zeros, method=mutator.choose((DEFLATED, ZSTD)))
    elif kind == 7:
        size = mutator.choose(NUMBERS) & (1 << 64) - 1
        frame = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", size) + b"\x01\x00\x00"
        changed[at] = replace(entry, method=ZSTD, packed=frame, lies={"size": size, "zip64": 1})
    else:
        name = entry.name.decode("utf-8", "replace")
        changed[at] = replace(entry, content=change(name, entry.content))
    return changed


def change_zip(mutator: Mutator, data: bytes, change: Change) -> bytes:
    try:
        prefix, entries = read_zip(data)
    except (ValueError, struct.error, zlib.error, zstandard.ZstdError):
        return mutator.bytes(data)
    for _ in range(1 + mutator.random.randrange(2)):
        entries = change_entries(mutator, entries, change)
    lies = {}
    if mutator.chance(12):
        lies = {
            mutator.choose(("count", "length", "offset")): mutator.number(),
            "zip64": mutator.random.randrange(2),
        }
    out = io.BytesIO()
    out.write(prefix)
    Zip(entries, lies).write(out)
    return out.getvalue()


def change_scie(mutator: Mutator, data: bytes, change: Change) -> bytes:
    """An executable with a part or its manifest changed; digests, offsets and checksum are true again."""
    try:
        document = json.loads(data[data.rindex(b"PK\5\6") + 22 :])
        lift = document["scie"]["lift"]
        parts = []
        for file in lift["files"]:
            whole = data[: file["offset"] + file["size"]]
            parts.append(read_zip(whole)[1])
    except (ValueError, KeyError, TypeError, struct.error, zlib.error, zstandard.ZstdError):
        return mutator.bytes(data)
    what = mutator.random.randrange(6)
    if what < 4:
        at = mutator.random.randrange(len(parts))
        parts[at] = change_entries(mutator, parts[at], change)
    out = io.BytesIO()
    out.write(data[: document["scie"]["jump"]["size"]])
    del document["crc32"]
    for number, (file, entries) in enumerate(zip(lift["files"], parts, strict=True)):
        start = out.tell()
        made = Zip(entries)
        plans = [entry.content for entry in entries if entry.name == b".czscie/plan"]
        if plans:
            file["digest"] = hashlib.sha256(plans[0]).hexdigest()
        if number < len(parts) - 1:
            made.write(out)
            file["offset"], file["size"] = start, out.tell() - start
            continue
        trial = io.BytesIO()
        trial.write(bytes(start))
        made.write(trial)
        file["offset"], file["size"] = start, trial.tell() - start
        if what >= 4:
            document = mutator.document(document)
        if not isinstance(document, dict):
            document = {"scie": document}
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )[:-1]
        made.comment = (b'\n%b,"crc32":"%08x"}\n' % (body, zlib.crc32(body)))[:0xFFFF]
        made.write(out)
    return mutator.bytes(out.getvalue()) if mutator.chance(20) else out.getvalue()


@dataclass(frozen=True)
class Member:
    """A member of a tar: its header's fields, and what follows the header."""

    info: tarfile.TarInfo
    data: bytes


def read_tar(data: bytes) -> list[Member]:
    members = []
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for info in archive:
            file = archive.extractfile(info) if info.isreg() else None
            members.append(Member(info, file.read() if file else b""))
    return members


def write_tar(members: list[Member], size_lie: tuple[int, int] | None = None) -> bytes:
    out = bytearray()
    for number, member in enumerate(members):
        header = bytearray(member.info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
        if size_lie is not None and size_lie[0] == number:
            at = len(header) - 512
            header[at + 124 : at + 136] = _tar_number(size_lie[1])
            header[at + 148 : at + 156] = b" " * 8
            header[at + 148 : at + 155] = b"%06o\0" % sum(header[at : at + 512])
        out += header + member.data + bytes(-len(member.data) % 512)
    return bytes(out + bytes(1024))


def _tar_number(number: int) -> bytes:
    if 0 <= number < 8**11:
        return b"%011o\0" % number
    return (number & (1 << 96) - 1 | 1 << 95).to_bytes(12, "big")


def change_tar(mutator: Mutator, data: bytes, change: Change) -> bytes:
    try:
        members = read_tar(data)
        for _ in range(1 + mutator.random.randrange(3)):
            members = _change_members(mutator, members, change)
        lie = (mutator.random.randrange(len(members) + 1), mutator.number()) if mutator.chance(8) else None
        packed = write_tar(members, lie)
    except (tarfile.TarError, ValueError, struct.error, UnicodeError):
        return mutator.bytes(data)
    if mutator.chance(10):
        at = mutator.random.randrange(len(packed) // 512) * 512
        packed = packed[:at] + mutator.bytes(packed[at : at + 512]) + packed[at + 512 :]
    return packed


_TYPES = (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"S", b"L", b"K", b"x", b"g", b"V", b"\0")


def _change_members(mutator: Mutator, members: list[Member], change: Change) -> list[Member]:
    changed = list(members)
    if not changed:
        return changed
    at = mutator.random.randrange(len(changed))
    member, kind = changed[at], mutator.random.randrange(8)
    info = tarfile.TarInfo(member.info.name)
    info.mode, info.type, info.linkname, info.size = (
        member.info.mode,
        member.info.type,
        member.info.linkname,
        member.info.size,
    )
    content = member.data
    if kind == 0:
        del changed[at]
        return changed
    if kind == 1:
        changed.insert(at, mutator.choose(changed))
        return changed
    if kind == 2:
        info.name = mutator.name(info.name)
    elif kind == 3:
        info.type = mutator.choose(_TYPES)
        info.linkname = (
            mutator.choose(changed).info.name if mutator.chance(2) else mutator.name(info.linkname)
        )
    elif kind == 4:
        info.linkname = mutator.name(info.linkname)
    elif kind == 5:
        names = [each.info.name for each in changed]
        info.type, info.linkname = mutator.choose((b"1", b"2")), mutator.choose((*names, "..", "../..", "."))
    elif kind == 6:
        content = mutator.bytes(content)
    else:
        content = change(info.name, content)
    info.size = len(content)
    changed[at] = Member(info, content)
    return changed


_PACKED: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gz": (gzip.decompress, lambda data: gzip.compress(data, 1, mtime=0)),
    "xz": (lzma.decompress, lambda data: lzma.compress(data, preset=0)),
    "zst": (
        lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
        lambda data: zstandard.ZstdCompressor(level=1).compress(data),
    ),
}


def change_packed(mutator: Mutator, data: bytes, kind: str, change: Callable[[bytes], bytes]) -> bytes:
    """What is compressed in `kind` (gz, xz, zst), changed inside or outside."""
    unpack, pack = _PACKED[kind]
    if mutator.chance(10):
        return mutator.bytes(data)
    if mutator.chance(40):
        return pack(bytes(64 << 20))
    try:
        return pack(change(unpack(data)))
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError):
        return mutator.bytes(data)


def change_deb(mutator: Mutator, data: bytes, change: Change) -> bytes:
    members, at = [], 8
    try:
        while at < len(data):
            size = int(data[at + 48 : at + 58])
            members.append((data[at : at + 60], data[at + 60 : at + 60 + size]))
            at += 60 + size + size % 2
    except ValueError:
        return mutator.bytes(data)
    out = data[:8]
    chosen = mutator.random.randrange(len(members) + 2)
    for number, (header, content) in enumerate(members):
        name = header[:16].decode("latin-1").strip()
        if number == chosen or (chosen >= len(members) and name.startswith("data.tar")):
            kind = name.rpartition(".")[2]
            if kind in _PACKED:
                content = change_packed(mutator, content, kind, lambda tar: change_tar(mutator, tar, change))
            if mutator.chance(10):
                header = mutator.bytes(header)[:60].ljust(60)
        size = b"%-10d" % (mutator.number() if mutator.chance(40) else len(content))
        out += header[:48] + size[:10] + header[58:] + content + b"\n" * (len(content) % 2)
    return out


def change_oci(mutator: Mutator, data: bytes, change: Change) -> bytes:
    """An archive of an image with a member changed; blobs are called by their digests again."""
    try:
        members = {member.info.name: member.data for member in read_tar(data)}
    except (tarfile.TarError, ValueError):
        return mutator.bytes(data)
    names = list(members)
    renamed: dict[str, str] = {}
    chosen = mutator.choose(names)
    changed = change(chosen, members[chosen])
    members[chosen] = changed
    # From the leaves up: whatever names a blob names the changed one.
    for _ in range(4):
        for name in names:
            content = members[name]
            for old, new in renamed.items():
                content = content.replace(old.encode(), new.encode())
            members[name] = content
            if name.startswith("blobs/sha256/"):
                digest, original = hashlib.sha256(content).hexdigest(), name.rpartition("/")[2]
                if digest != renamed.get(original, original):
                    renamed[original] = digest
    infos = []
    for name, content in members.items():
        directory, _, last = name.rpartition("/")
        info = tarfile.TarInfo(f"{directory}/{renamed.get(last, last)}" if directory else name)
        info.size = len(content)
        infos.append(Member(info, content))
    packed = write_tar(infos)
    return change_tar(mutator, packed, change) if mutator.chance(4) else packed


def toml_value(value: Any) -> str:
    """A TOML value; what TOML cannot say is a string."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(str(key))} = {toml_value(each)}" for key, each in value.items())
            + "}"
        )
    return json.dumps(str(value))


def toml(document: Any) -> bytes:
    if not isinstance(document, dict):
        document = {"value": document}
    lines = (f"{json.dumps(str(key))} = {toml_value(value)}\n" for key, value in document.items())
    return "".join(lines).encode("utf-8", "surrogatepass")
