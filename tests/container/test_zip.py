from __future__ import annotations

import io
import struct
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
import zstandard

from czscie.container import zip as zip_records
from czscie.container.zip import STORED, ZSTD, Entry, directory, read_directory, read_entry
from czscie.errors import CzscieError
from fuzz import formats

GIB = 1 << 30


def put(stream: BinaryIO, name: str, data: bytes, method: int = STORED, executable: bool = False) -> Entry:
    """Writes one entry at the position of `stream`."""
    raw = data if method == STORED else zstandard.ZstdCompressor().compress(data)
    entry = Entry(name, method, zlib.crc32(data), len(raw), len(data), stream.tell(), executable)
    stream.write(entry.local_header() + raw)
    return entry


def a_zip(*entries: tuple[str, bytes, int], comment: bytes = b"") -> bytes:
    stream = io.BytesIO()
    written = [put(stream, name, data, method) for name, data, method in entries]
    stream.write(directory(written, stream.tell(), comment))
    return stream.getvalue()


def contents(data: bytes) -> dict[str, bytes]:
    """What czscie's own reader makes of a zip."""
    file = io.BytesIO(data)
    return {entry.name: read_entry(file, entry) for entry in read_directory(file, len(data)).entries}


def fields(infos: Iterable[zipfile.ZipInfo]) -> list[tuple[str, int, int, int]]:
    return [(info.filename, info.compress_type, info.file_size, info.CRC) for info in infos]


EVERY_KIND = (("a.txt", b"stored", STORED), ("ä/b", b"zstd " * 400, ZSTD), ("empty", b"", ZSTD))


def test_the_standard_library_lists_what_is_written() -> None:
    archive = zipfile.ZipFile(io.BytesIO(a_zip(*EVERY_KIND)))
    assert fields(archive.infolist()) == [
        (name, method, len(data), zlib.crc32(data)) for name, data, method in EVERY_KIND
    ]


def test_the_standard_library_reads_stored_entries() -> None:
    archive = zipfile.ZipFile(io.BytesIO(a_zip(("a", b"1", STORED), ("b/c", b"22", STORED))))
    assert archive.testzip() is None
    assert archive.read("b/c") == b"22"


@pytest.mark.skipif(sys.version_info < (3, 14), reason="zipfile reads zstd since Python 3.14")
def test_the_standard_library_reads_zstd_entries() -> None:
    archive = zipfile.ZipFile(io.BytesIO(a_zip(*EVERY_KIND)))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {
        name: data for name, data, _ in EVERY_KIND
    }


def test_every_method_is_read_back() -> None:
    assert contents(a_zip(*EVERY_KIND)) == {name: data for name, data, _ in EVERY_KIND}


def test_no_time_of_the_build_is_written_and_modes_are_two() -> None:
    stream = io.BytesIO()
    entries = [put(stream, "data", b""), put(stream, "program", b"", executable=True)]
    end = stream.tell() + stream.write(directory(entries, stream.tell()))
    plain, program = zipfile.ZipFile(stream).infolist()
    assert plain.date_time == program.date_time == (1980, 1, 1, 0, 0, 0)
    assert (plain.external_attr >> 16, program.external_attr >> 16) == (0o100644, 0o100755)
    assert plain.create_system == 3
    assert [entry.executable for entry in read_directory(stream, end).entries] == [False, True]


def test_an_empty_zip_is_one_too() -> None:
    assert zipfile.ZipFile(io.BytesIO(directory([], 0))).namelist() == []


def test_a_moved_zip_counts_from_the_start_of_the_file() -> None:
    first = a_zip(("a", b"first", STORED))
    found = read_directory(io.BytesIO(first), len(first))
    file = io.BytesIO()
    file.write(b"launcher" * 100 + first[: found.offset])
    moved = [entry.moved(800) for entry in found.entries]
    file.write(directory(moved, file.tell()))
    whole = file.getvalue()
    assert moved[0].header_offset == 800
    assert contents(whole) == {"a": b"first"}
    assert zipfile.ZipFile(io.BytesIO(whole)).read("a") == b"first"
    # The standard library would forgive wrong offsets; the records themselves are right.
    assert whole[struct.unpack_from("<L", whole, len(whole) - 6)[0] :].startswith(b"PK\1\2")


def test_a_zip_that_something_follows_is_read_up_to_its_end() -> None:
    first = a_zip(("a", b"first", STORED))
    file = io.BytesIO(first + a_zip(("b", b"second", STORED)))
    assert [entry.name for entry in read_directory(file, len(first)).entries] == ["a"]


def test_sizes_and_offsets_above_4_gib_are_told(tmp_path: Path) -> None:
    entries = [
        Entry("near", STORED, 1, 5, 5, 0),
        Entry("large", ZSTD, 2, 5 * GIB, 6 * GIB, 100),
        Entry("well packed", ZSTD, 3, 7, 8 * GIB, 6 * GIB),
        Entry("far", STORED, 4, 9, 9, 7 * GIB),
    ]
    path = tmp_path / "sparse.zip"
    with path.open("wb") as file:
        file.seek(10 * GIB)
        file.write(directory(entries, 10 * GIB))
    with zipfile.ZipFile(path) as archive:
        found = [(i.filename, i.compress_size, i.file_size, i.header_offset) for i in archive.infolist()]
    assert found == [(e.name, e.compressed_size, e.size, e.header_offset) for e in entries]
    with path.open("rb") as file:
        assert read_directory(file, path.stat().st_size).entries == tuple(entries)


def test_an_entry_beyond_4_gib_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.zip"
    with path.open("wb") as file:
        file.seek(5 * GIB)
        entries = [put(file, "far", b"away"), put(file, "packed", b"away too", ZSTD)]
        file.write(directory(entries, file.tell()))
    with zipfile.ZipFile(path) as archive:
        assert archive.read("far") == b"away"
    with path.open("rb") as file:
        found = read_directory(file, path.stat().st_size)
        assert [read_entry(file, entry) for entry in found.entries] == [b"away", b"away too"]


def test_zip64_begins_where_32_bits_end() -> None:
    assert Entry("a", STORED, 0, 0, 0, 0xFFFFFFFE).directory_header().endswith(b"\xfe\xff\xff\xffa")
    extra = struct.pack("<2HQ", 1, 8, 0xFFFFFFFF)
    assert Entry("a", STORED, 0, 0, 0, 0xFFFFFFFF).directory_header().endswith(b"\xff\xff\xff\xffa" + extra)


def test_a_local_header_tells_both_sizes_when_one_is_large() -> None:
    """APPNOTE 4.5.3: in a local header the zip64 field holds both."""
    header = Entry("a", ZSTD, 0, 7, 8 * GIB, 0).local_header()
    assert header[18:26] == b"\xff" * 8
    assert header.endswith(struct.pack("<2H2Q", 1, 16, 8 * GIB, 7))


@pytest.fixture(scope="module")
def many() -> tuple[bytes, list[Entry]]:
    """65,536 entries, and what lies before their directory."""
    stream = io.BytesIO()
    entries = [put(stream, f"{n:x}", b"") for n in range(0x10000)]
    return stream.getvalue(), entries


@pytest.mark.parametrize("count", [0xFFFE, 0xFFFF, 0x10000])
def test_as_many_entries_as_one_likes(many: tuple[bytes, list[Entry]], count: int) -> None:
    content, entries = many
    data = content + directory(entries[:count], len(content))
    assert (b"PK\6\6" in data) == (count >= 0xFFFF), "readers take 65535 for: see zip64"
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert (len(names), names[-1]) == (count, f"{count - 1:x}")
    assert len(read_directory(io.BytesIO(data), len(data)).entries) == count


def test_a_comment_of_65535_bytes_is_the_longest() -> None:
    longest = b"x" * 65_535
    assert zipfile.ZipFile(io.BytesIO(directory([], 0, longest))).comment == longest
    with pytest.raises(CzscieError) as caught:
        directory([], 0, longest + b"x")
    assert str(caught.value) == (
        "error: the manifest of this lift takes 65536 bytes, and the limit is 65535\n"
        "hint: shorten the commands and their environment in the lift manifest"
    )


def test_a_missing_entry_is_named() -> None:
    data = a_zip(("a", b"", STORED))
    with pytest.raises(zipfile.BadZipFile, match="'b' is missing"):
        read_directory(io.BytesIO(data), len(data)).entry("b")


def test_every_altered_byte_of_an_entry_is_found() -> None:
    for name, data, method in (("a", b"stored", STORED), ("b", b"packed " * 9, ZSTD)):
        whole = a_zip((name, data, method))
        entry = read_directory(io.BytesIO(whole), len(whole)).entry(name)
        start = zip_records.data_offset(io.BytesIO(whole), entry)
        for place in range(start, start + entry.compressed_size):
            altered = bytearray(whole)
            altered[place] ^= 0xFF
            with pytest.raises(zipfile.BadZipFile):
                contents(bytes(altered))


def test_a_damaged_zip_is_never_more_than_a_bad_zip() -> None:
    whole = a_zip(*EVERY_KIND)
    damaged = [whole[:length] for length in range(len(whole))]
    for bit in range(8 * len(whole)):
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(altered))
    refused = 0
    for each in damaged:
        try:
            contents(each)
        except zipfile.BadZipFile:
            refused += 1
    assert refused > len(whole)


def test_an_entry_that_reaches_into_the_directory_is_refused() -> None:
    data = directory([Entry("a", STORED, 0, 1 << 62, 1 << 62, 0)], 0)
    with pytest.raises(zipfile.BadZipFile, match="'a' does not lie before the directory"):
        read_directory(io.BytesIO(data), len(data))


def test_a_frame_of_another_size_is_not_unpacked() -> None:
    """A damaged length must not make us ask for terabytes."""
    frame = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 50) + b"\x01\x00\x00"
    file = io.BytesIO()
    entry = Entry("bomb", ZSTD, 0, len(frame), 3, 0)
    file.write(entry.local_header() + frame)
    with pytest.raises(zipfile.BadZipFile, match="'bomb' is damaged"):
        read_entry(file, entry)


def test_a_method_that_is_not_ours_is_named() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a", b"packed" * 10)
    with pytest.raises(zipfile.BadZipFile, match="'a' is compressed by method 12"):
        contents(stream.getvalue())


def test_a_deflated_entry_is_read() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"deflated" * 10)
    assert contents(stream.getvalue()) == {"a": b"deflated" * 10}


def lying(*entries: formats.Entry, **lies: int) -> bytes:
    out = io.BytesIO()
    formats.Zip(list(entries), lies).write(out)
    return out.getvalue()


A = formats.Entry(b"a", STORED, b"first")
B = formats.Entry(b"b", STORED, b"second")
HUGE = (1 << 33, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (lying(A, replace(B, name=b"a")), "'a' occurs twice"),
        (lying(A, replace(B, lies={"offset": 0})), "overlaps"),
        (lying(A, replace(B, lies={"offset": 3})), "overlaps"),
        (lying(replace(A, lies={"packed": 40, "size": 40}), B), "overlaps"),
        (lying(A, replace(B, lies={"flags": 1})), "'b' is encrypted"),
        (lying(A, replace(B, lies={"size": 5})), "its two sizes differ"),
        (lying(A, replace(B, name=b"\xff")), "not UTF-8"),
        (lying(A, B, count=1), "longer than its entries"),
        (lying(A, B, count=3), "damaged|before its end"),
        (lying(A, B, length=10), "before its end|damaged"),
        *(
            (lying(A, B, **{where: size}, zip64=1), None)
            for size in HUGE
            for where in ("count", "length", "offset")
        ),
        *(
            (lying(A, replace(B, lies={where: size, "zip64": 1})), None)
            for size in HUGE
            for where in ("size", "packed", "offset")
        ),
    ],
)
def test_a_zip_that_says_what_is_not_so_is_refused(data: bytes, why: str | None) -> None:
    """native/src/zip.zig refuses the same."""
    with pytest.raises(zipfile.BadZipFile, match=why):
        contents(data)


def test_data_that_a_local_header_moves_into_the_next_entry_is_refused() -> None:
    data = lying(replace(A, lies={"local_extra": 2}), B)
    with pytest.raises(zipfile.BadZipFile, match="'a' overlaps the next entry"):
        contents(data)


@pytest.mark.parametrize("size", HUGE)
def test_memory_is_not_taken_for_a_size_that_is_told(size: int) -> None:
    frame = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", size) + b"\x01\x00\x00"
    data = lying(formats.Entry(b"a", ZSTD, b"", packed=frame, lies={"size": size, "zip64": 1}))
    tracemalloc.start()
    try:
        with pytest.raises(zipfile.BadZipFile):
            contents(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_document_is_no_larger_than_documents_are() -> None:
    entry = Entry("a", ZSTD, 0, 10, zip_records.DOCUMENT_MAX + 1, 0)
    with pytest.raises(zipfile.BadZipFile, match="larger than 256 MiB"):
        zip_records.read_document(io.BytesIO(), entry)
