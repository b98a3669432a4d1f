from __future__ import annotations

import hashlib
import io
import os
import random
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from czscie.container import packer as packing
from czscie.container.content import Content, Data, File, OnDisk
from czscie.container.packer import GROUP, LARGE, Packer
from czscie.container.plan import ENTRY_NAME, Plan, PlannedEntry, PlannedFile, Slice, parse
from czscie.container.zip import STORED, ZSTD, Entry, read_directory, read_entry, stream_entry
from czscie.errors import CzscieError
from czscie.filesystem import write_atomically
from czscie.live import BYTES

LEVEL = 3


@dataclass(frozen=True)
class Slow:
    """Content whose reading takes some time, to let threads finish in another order than they started."""

    data: bytes
    seconds: float

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self) -> bytes:
        time.sleep(self.seconds)
        return self.data


@dataclass(frozen=True)
class Unreadable:
    size: int = 100

    def read(self) -> bytes:
        raise OSError("the disk is gone")


@dataclass(frozen=True)
class Packed:
    """A zip that was written: its bytes, and what is where."""

    data: bytes
    plan: Plan
    slices: dict[str, Slice]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return read_directory(io.BytesIO(self.data), len(self.data)).entries

    def entry(self, name: str) -> bytes:
        found = read_directory(io.BytesIO(self.data), len(self.data)).entry(name)
        return read_entry(io.BytesIO(self.data), found)

    def slice(self, path: str) -> bytes:
        where = self.slices[path]
        return self.entry(where.entry)[where.offset :][: where.size]


def files(contents: dict[str, bytes | Content], programs: Sequence[str] = ()) -> list[File]:
    return [
        File(path, Data(content) if isinstance(content, bytes) else content, path in programs)
        for path, content in contents.items()
    ]


def pack(members: Sequence[File], directory: str = "", whole: str | None = None) -> Packed:
    packer = Packer(LEVEL)
    slices = packer.add(directory, members, whole=whole)
    planned = tuple(PlannedFile(path, where) for path, where in slices.items())
    stream = io.BytesIO()
    plan = packer.write(stream, lambda entries: Plan(entries, planned))
    return Packed(stream.getvalue(), plan, slices)


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress."""
    return random.Random(seed).randbytes(size)


def test_small_files_become_one_group_that_the_standard_library_opens() -> None:
    contents: dict[str, bytes | Content] = {"b/x.py": b"x = 1\n", "a.txt": b"", "ä": b"\xff", "tool": b"#!"}
    packed = pack(files(contents, programs=["tool"]))
    assert [entry.name for entry in packed.entries] == [".group-000.zip", ENTRY_NAME]
    group = zipfile.ZipFile(io.BytesIO(packed.entry(".group-000.zip")))
    assert group.testzip() is None
    assert {name: group.read(name) for name in group.namelist()} == contents
    assert group.namelist() == sorted(contents)
    assert {info.compress_type for info in group.infolist()} == {zipfile.ZIP_STORED}
    assert group.getinfo("tool").external_attr >> 16 == 0o100755
    assert group.getinfo("a.txt").external_attr >> 16 == 0o100644


def test_slices_point_at_the_bytes_of_their_files() -> None:
    contents: dict[str, bytes | Content] = {f"small/{n}": noise(n, n) for n in range(300)}
    contents |= {"large/a": noise(LARGE, 1), "large/b": noise(LARGE + 1, 2), "nearly": noise(LARGE - 1, 3)}
    packed = pack(files(contents), "below/")
    assert {path: packed.slice(path) for path in contents} == contents


def test_a_large_file_is_an_entry_of_its_own_under_its_own_name() -> None:
    packed = pack(files({"lib/big.so": noise(LARGE), "lib/small.so": noise(LARGE - 1, 1)}), "d/")
    assert packed.slices["lib/big.so"] == Slice("d/lib/big.so", 0, LARGE)
    assert packed.slices["lib/small.so"].entry == "d/.group-000.zip"


def test_no_group_is_larger_than_4_mib() -> None:
    contents: dict[str, bytes | Content] = {f"{n:02}": noise(LARGE - 100 * n, n) for n in range(1, 20)}
    contents |= {f"e{n:05}": b"" for n in range(50_000)}  # whose headers are all they have
    packed = pack(files(contents))
    groups = [entry for entry in packed.plan.entries if entry.name.startswith(".group-")]
    assert len(groups) > 4
    assert all(group.size <= GROUP + 200 for group in groups)
    assert sum(len(zipfile.ZipFile(io.BytesIO(packed.entry(g.name))).namelist()) for g in groups) == len(
        contents
    )


def test_a_small_wheel_is_one_entry_and_a_wheel() -> None:
    wheel: dict[str, bytes | Content] = {
        "moo/__init__.py": b"",
        "moo-1.dist-info/METADATA": b"Name: moo\n",
        "moo-1.dist-info/RECORD": b"",
    }
    packed = pack(files(wheel), ".deps/moo.whl/", whole=".deps/moo.whl")
    assert [entry.name for entry in packed.entries] == [".deps/moo.whl", ENTRY_NAME]
    archive = zipfile.ZipFile(io.BytesIO(packed.entry(".deps/moo.whl")))
    assert {name: archive.read(name) for name in archive.namelist()} == wheel


def test_a_wheel_whose_files_are_large_together_is_a_folder_of_entries() -> None:
    wheel: dict[str, bytes | Content] = {f"moo/{n}.py": noise(LARGE - 1, n) for n in range(6)}
    wheel["moo/big.so"] = noise(2 * LARGE)
    packed = pack(files(wheel), ".deps/moo.whl/", whole=".deps/moo.whl")
    names = {entry.name for entry in packed.entries}
    assert names == {
        ".deps/moo.whl/moo/big.so",
        ".deps/moo.whl/.group-000.zip",
        ".deps/moo.whl/.group-001.zip",
        ENTRY_NAME,
    }
    assert {path: packed.slice(path) for path in wheel} == wheel


def test_equal_wheels_are_equal_entries_in_whatever_zip() -> None:
    def entry_of(order: int, *others: str) -> bytes:
        packer = Packer(LEVEL)
        wheel = files({f"{n}": f"{n}".encode() * n for n in range(100)})[::order]
        packer.add("", wheel, whole="a.whl")
        for other in others:
            packer.add("", files({other: b"other"}), whole=other)
        stream = io.BytesIO()
        packer.write(stream, lambda entries: Plan(entries, ()))
        data = stream.getvalue()
        found = read_directory(stream, len(data)).entry("a.whl")
        start = found.header_offset + len(found.local_header())
        return data[start : start + found.compressed_size]

    assert entry_of(1) == entry_of(-1, "b.whl", "c.whl")


def test_equal_inputs_give_equal_bytes_whatever_the_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    def written(seed: int, cores: int) -> bytes:
        monkeypatch.setattr(os, "cpu_count", lambda: cores)
        delays = random.Random(seed)
        contents: dict[str, bytes | Content] = {
            f"{n:02}": Slow(noise(LARGE + n % 3, n), delays.random() / 50) for n in range(12)
        }
        return pack(files(contents)).data

    first = written(1, 1)
    assert [written(seed, cores) for seed, cores in ((2, 2), (3, 8))] == [first, first]


def test_the_largest_entries_come_first_and_the_plan_last() -> None:
    contents: dict[str, bytes | Content] = {
        "a": noise(LARGE),
        "b": noise(3 * LARGE),
        "c": noise(2 * LARGE),
        "d": noise(2 * LARGE, 1),
        "small": b"x",
    }
    packed = pack(files(contents))
    assert [entry.name for entry in packed.entries] == ["b", "c", "d", "a", ".group-000.zip", ENTRY_NAME]


def test_the_plan_knows_size_and_digests_of_every_entry() -> None:
    packed = pack(files({"big": noise(LARGE), "small": b"x"}))
    expected = []
    for name in ("big", ".group-000.zip"):
        content = packed.entry(name)
        expected.append(
            PlannedEntry(name, len(content), zlib.crc32(content), hashlib.sha256(content).hexdigest())
        )
    assert list(packed.plan.entries) == expected
    assert parse(packed.entry(ENTRY_NAME)).render() == packed.plan.render()


def test_every_entry_is_one_frame_that_tells_its_size() -> None:
    import zstandard

    packed = pack(files({"big": noise(LARGE) * 5, "small": b"x"}))
    for entry in packed.entries:
        start = entry.header_offset + len(entry.local_header())
        frame = packed.data[start : start + entry.compressed_size]
        assert entry.method == ZSTD
        assert zstandard.frame_content_size(frame) == entry.size
        decoder = zstandard.ZstdDecompressor().decompressobj()
        assert len(decoder.decompress(frame)) == entry.size
        assert decoder.unused_data == b""


def test_some_entries_stay_stored_for_readers_that_know_no_zstd() -> None:
    packer = Packer(LEVEL)
    packer.add("", files({"a": b"aaa"}))
    stream = io.BytesIO()
    plan = packer.write(stream, lambda entries: Plan(entries, ()), [("__main__.py", b"print('moo')\n")])
    archive = zipfile.ZipFile(stream)
    assert archive.namelist()[0] == "__main__.py"
    assert archive.getinfo("__main__.py").compress_type == STORED
    assert archive.read("__main__.py") == b"print('moo')\n"
    assert [entry.name for entry in plan.entries] == [".group-000.zip"]


def test_offsets_count_from_where_the_zip_begins() -> None:
    written = []
    for before in (b"", b"before"):
        packer = Packer(LEVEL)
        packer.add("", files({"a": b"aaa"}))
        stream = io.BytesIO()
        stream.write(before)
        packer.write(stream, lambda entries: Plan(entries, ()))
        written.append(stream.getvalue()[len(before) :])
    assert written[0] == written[1]


def test_nothing_to_pack_is_a_zip_with_a_plan() -> None:
    packed = pack([])
    assert [entry.name for entry in packed.entries] == [ENTRY_NAME]
    assert packed.plan == Plan((), ())


def test_few_entries_are_in_memory_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    read: list[str] = []

    @dataclass(frozen=True)
    class Counted:
        name: str
        size: int = LARGE

        def read(self) -> bytes:
            read.append(self.name)
            return bytes(LARGE)

    class Watched(io.BytesIO):
        most = 0
        frames = 0

        def write(self, data: Any) -> int:
            if bytes(data[:4]) == b"\x28\xb5\x2f\xfd":
                Watched.most = max(Watched.most, len(read) - self.frames)
                self.frames += 1
                time.sleep(0.002)
            return super().write(data)

    packer = Packer(LEVEL)
    packer.add("", files({f"{n:03}": Counted(f"{n}") for n in range(60)}))
    watched = Watched()
    packer.write(watched, lambda entries: Plan(entries, ()))
    assert len(read) == 60
    assert watched.frames >= 60
    assert Watched.most <= 2 * 2 + 1


@pytest.mark.parametrize("cores", [1, 3])
def test_a_file_in_pieces_is_compressed_as_in_one_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    import zstandard

    monkeypatch.setattr(packing, "_HUGE", 5 * LARGE)
    monkeypatch.setattr(packing, "_FRAME_IN_MEMORY", LARGE)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    content = noise(2 * LARGE) + bytes(3 * LARGE) + noise(LARGE + 1)
    (tmp_path / "large").write_bytes(content)
    packed = pack(files({"large": OnDisk(tmp_path / "large"), "small": b"small"}))
    [entry, *_] = packed.entries
    start = entry.header_offset + len(entry.local_header())
    whole = zstandard.ZstdCompressor(level=LEVEL, threads=1).compress(content)
    assert packed.data[start : start + entry.compressed_size] == whole
    assert packed.slice("large") == content
    [planned, *_] = packed.plan.entries
    assert planned == PlannedEntry(
        "large", len(content), zlib.crc32(content), hashlib.sha256(content).hexdigest()
    )


def test_memory_does_not_grow_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    size = 256 * LARGE
    with (tmp_path / "large").open("wb") as file:
        for number in range(16):
            file.write(noise(16 * LARGE, number))
    packer = Packer(LEVEL)
    packer.add("", files({"large": OnDisk(tmp_path / "large")}))
    tracemalloc.start()
    try:
        write_atomically(
            tmp_path / "packed", lambda stream: packer.write(stream, lambda entries: Plan(entries, ()))
        )
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < size // 2
    with (tmp_path / "packed").open("rb") as file:
        entry = read_directory(file, (tmp_path / "packed").stat().st_size).entry("large")
        assert sum(map(len, stream_entry(file, entry))) == size


@pytest.mark.parametrize("told", [5 * LARGE - 1, 5 * LARGE + 1])
def test_a_file_that_changes_its_size_is_refused(monkeypatch: pytest.MonkeyPatch, told: int) -> None:
    monkeypatch.setattr(packing, "_HUGE", 4 * LARGE)

    @dataclass(frozen=True)
    class Growing:
        size: int = told

        def read(self) -> bytes:
            return bytes(5 * LARGE)

    with pytest.raises(CzscieError, match="large changed while it was packed"):
        pack(files({"large": Growing()}))


def test_a_file_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    packer = Packer(LEVEL)
    packer.add("", files({"good": b"x", "bad": Unreadable(), "large": Unreadable(2 * LARGE)}))
    target = tmp_path / "out" / "packed.zip"
    with pytest.raises(OSError, match="the disk is gone"):
        write_atomically(target, lambda stream: packer.write(stream, lambda entries: Plan(entries, ())))
    assert not (tmp_path / "out").exists()


def test_a_write_that_fails_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "packed.zip"
    write_atomically(target, lambda stream: stream.write(b"old"))

    def fail(stream: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, fail)
    assert [path.name for path in tmp_path.iterdir()] == ["packed.zip"]
    assert target.read_bytes() == b"old"


def test_a_file_appears_under_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "packed.zip"
    seen: list[bool] = []

    def write(stream: BinaryIO) -> None:
        stream.write(b"whole")
        stream.flush()
        seen.append(target.exists())

    write_atomically(target, write)
    assert seen == [False]
    assert target.read_bytes() == b"whole"


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
def test_only_files_are_replaced(tmp_path: Path) -> None:
    pipe, directory, link = tmp_path / "pipe", tmp_path / "directory", tmp_path / "link"
    os.mkfifo(pipe)
    directory.mkdir()
    link.symlink_to(pipe)  # as /dev/stdout is
    for path in (pipe, directory, link):
        with pytest.raises(CzscieError, match="cannot write"):
            write_atomically(path, lambda stream: stream.write(b"new"))
    assert pipe.is_fifo() and link.is_symlink()
    assert sorted(tmp_path.iterdir()) == sorted((pipe, directory, link))


def test_a_link_to_a_file_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    write_atomically(tmp_path / "link", lambda stream: stream.write(b"new"))
    assert (tmp_path / "file").read_bytes() == b"old"
    assert (tmp_path / "link").read_bytes() == b"new" and not (tmp_path / "link").is_symlink()


def test_bytes_are_counted_as_they_are_compressed() -> None:
    counts: list[tuple[int, int | None, str]] = []
    packer = Packer(LEVEL, count=lambda *count: counts.append(count))
    packer.add("", files({"large": noise(LARGE), "small": b"moo"}))
    packer.write(io.BytesIO(), lambda entries: Plan(entries, ()))
    total = packer.size
    assert counts[0] == (0, total, BYTES) and counts[-1] == (total, total, BYTES)
    assert [done for done, _, _ in counts] == sorted(done for done, _, _ in counts)
    assert len(counts) == 3


def test_what_stops_the_counting_stops_the_packing() -> None:
    class Stopped(BaseException):
        pass

    def count(done: int, total: int | None, unit: str) -> None:
        if done:
            raise Stopped

    packer = Packer(LEVEL, count=count)
    packer.add("", files({f"{number}": noise(LARGE, number) for number in range(20)}))
    with pytest.raises(Stopped):
        packer.write(io.BytesIO(), lambda entries: Plan(entries, ()))
