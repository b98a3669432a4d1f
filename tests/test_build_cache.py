from __future__ import annotations

import os
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

import no_files
from czscie import build_cache
from czscie.build_cache import (
    Product,
    check,
    compressed,
    knowledge,
    knowledge_of_each,
    knowledge_of_files,
    mending,
    product,
)
from czscie.errors import Code, CzscieError
from czscie.filesystem import file_digest
from czscie.observation import Observation


class Note(msgspec.Struct, frozen=True):
    description: str
    number: int = 0


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(build_cache, "_used", {})
    return tmp_path / "cache"


class Maker:
    """Makes products and knowledge, and counts how often."""

    def __init__(self, content: bytes = b"moo") -> None:
        self.content = content
        self.made = 0

    def __call__(self, path: Path | None = None) -> Note:
        self.made += 1
        if path is not None:
            path.write_bytes(self.content)
        return Note("a cow", 7)

    def product(self, key: str = "key") -> Product[Note]:
        return product(key, ".zip", Note, self)

    def knowledge(self) -> Note:
        return knowledge("key", Note, self)


def test_a_product_is_made_once_and_known_with_its_digest(cache: Path) -> None:
    maker = Maker()
    first, second = maker.product(), maker.product()
    assert first == second == Product(cache / "packed" / "key.zip", file_digest(first.path), Note("a cow", 7))
    assert maker.made == 1


def flipped(content: bytes) -> list[bytes]:
    """The content with one bit of each byte another one."""
    return [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in range(len(content))]


def test_no_bit_of_a_record_is_believed_that_was_not_written(cache: Path) -> None:
    maker = Maker()
    maker.product()
    record = cache / "packed" / "key.json"
    for content in (*flipped(record.read_bytes()), b"", record.read_bytes()[:-1], b"[]", b"[" * 100_000):
        record.write_bytes(content)
        assert maker.product().known == Note("a cow", 7)
    known = Maker()
    known.knowledge()
    path = cache / "known" / "key"
    for content in (*flipped(path.read_bytes()), b"", path.read_bytes()[:-1], b"{}"):
        path.write_bytes(content)
        assert known.knowledge() == Note("a cow", 7)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"mo")])
def test_a_product_of_another_size_is_made_again(damage: Callable[[Path], object]) -> None:
    maker = Maker()
    damage(maker.product().path)
    assert maker.product().path.read_bytes() == b"moo"
    assert maker.made == 2


def test_what_fails_for_a_damaged_product_is_done_again_without_it() -> None:
    maker, other = Maker(), Maker()
    other.product("other")
    maker.product().path.write_bytes(b"mop")
    told: list[str] = []

    def attempt() -> bytes:
        made = maker.product()
        check(made.path, made.sha256)
        return made.path.read_bytes()

    assert mending(attempt, told.append) == b"moo"
    assert told == ["a cow is damaged in the cache: making it again"]
    assert (maker.made, other.made) == (2, 1)


def test_whatever_the_failure_is_the_products_are_looked_at() -> None:
    """What reads a damaged file may fail in any way."""
    maker = Maker()
    maker.product().path.write_bytes(b"mop")
    told: list[str] = []
    assert mending(lambda: {b"moo": 1}[maker.product().path.read_bytes()], told.append) == 1
    assert len(told) == 1


def test_a_failure_without_a_damaged_product_stays_one() -> None:
    maker = Maker()

    def attempt() -> None:
        maker.product()
        raise CzscieError("the disk is full", code=Code.DISK_FULL)

    with pytest.raises(CzscieError, match="the disk is full"):
        mending(attempt, pytest.fail)
    assert maker.made == 1


def test_a_product_that_is_damaged_each_time_is_an_error_in_the_end() -> None:
    maker = Maker()
    told: list[str] = []

    def attempt() -> None:
        made = maker.product()
        made.path.write_bytes(b"mop")
        check(made.path, made.sha256)

    with pytest.raises(CzscieError, match="is damaged") as caught:
        mending(attempt, told.append)
    assert "CZSCIE_CACHE" in (caught.value.hint or "")
    assert 1 < len(told) < 10


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
@pytest.mark.parametrize("damage", no_files.KINDS)
def test_what_is_no_file_is_made_again(cache: Path, damage: Callable[[Path], None]) -> None:
    maker, known = Maker(), Maker()
    made = maker.product()
    known.knowledge()
    damage(made.path.with_suffix(".json"))
    damage(cache / "known" / "key")
    assert maker.product() == made
    assert known.knowledge() == Note("a cow", 7)
    damage(made.path)
    with pytest.raises(OSError):
        file_digest(made.path)
    assert maker.product() == made
    assert made.path.read_bytes() == b"moo"
    assert (maker.made, known.made) == (3, 2)


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
@pytest.mark.parametrize("damage", no_files.KINDS)
def test_a_product_that_becomes_no_file_is_damaged(damage: Callable[[Path], None]) -> None:
    maker = Maker()
    damages = [damage]
    told: list[str] = []

    def attempt() -> bytes:
        made = maker.product()
        while damages:
            damages.pop()(made.path)
        check(made.path, made.sha256)
        return made.path.read_bytes()

    assert mending(attempt, told.append) == b"moo"
    assert told == ["a cow is damaged in the cache: making it again"]


class Table:
    """Finds values for names, and remembers for which."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, *names: str) -> list[Note]:
        def make(missing: Sequence[int]) -> list[Note]:
            self.asked += [names[number] for number in missing]
            return [Note(names[number]) for number in missing]

        return knowledge_of_each("key", Note, names, make)


def test_a_table_finds_only_what_it_lacks() -> None:
    table = Table()
    assert table("a", "b") == [Note("a"), Note("b")]
    assert table("c", "a", "c") == [Note("c"), Note("a"), Note("c")]
    assert table("b", "c") == [Note("b"), Note("c")]
    assert table.asked == ["a", "b", "c", "c"]
    assert table() == []


def test_a_table_forgets_what_was_not_used_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_cache, "_TABLE", 3)
    table = Table()
    table("a", "b")
    table("c", "d")
    table.asked.clear()
    table("a", "c", "d")
    assert table.asked == []
    table("b")
    assert table.asked == ["b"]


DATA = b"moo" * (1 << 16)


def packed(method: str = "zlib", data: bytes = DATA, made: list[int] | None = None) -> bytes:
    def compress() -> bytes:
        if made is not None:
            made.append(len(data))
        return zlib.compress(data + method.encode())

    return compressed(data, method, compress)


def test_what_is_compressed_once_is_kept_by_its_content_and_the_method() -> None:
    made: list[int] = []
    first = packed(made=made)
    assert packed(made=made) == first == zlib.compress(DATA + b"zlib")
    assert len(made) == 1
    assert packed("other", made=made) != first
    assert packed(data=DATA + b"!", made=made) != first
    assert len(made) == 3


def test_what_is_small_is_not_kept(cache: Path) -> None:
    made: list[int] = []
    for _ in range(2):
        packed(data=b"moo", made=made)
    assert len(made) == 2
    assert not (cache / "compressed").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:10],
        lambda content: content[:-1],
        lambda content: content + b"!",
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    ],
)
def test_what_is_damaged_is_compressed_again(cache: Path, damage: Callable[[bytes], bytes]) -> None:
    first = packed()
    [path] = (cache / "compressed").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    made: list[int] = []
    assert packed(made=made) == first
    assert packed(made=made) == first
    assert len(made) == 1


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes in directories")
@pytest.mark.parametrize("make", [no_files.pipe, no_files.directory], ids=["a pipe", "a directory"])
def test_what_is_no_file_is_replaced(cache: Path, make: Callable[[Path], object]) -> None:
    first = packed()
    [path] = (cache / "compressed").iterdir()
    make(path)
    assert packed() == first
    assert path.is_file()


def test_what_was_found_in_files_is_known_until_one_changes(tmp_path: Path, cache: Path) -> None:
    directory = tmp_path / "farm"
    directory.mkdir()
    (directory / "cow").write_text("moo")
    time.sleep(0.06)  # longer than two changes of a file may have the same time
    found = []

    def make() -> Said:
        found.append(b" ".join(path.read_bytes() for path in sorted(directory.iterdir())).decode())
        return Said(found[-1])

    assert [knowledge_of_files("farm", Said, make).says for _ in range(3)] == ["moo"] * 3
    assert found == ["moo"]
    (directory / "cow").write_text("mu!")
    time.sleep(0.06)
    assert [knowledge_of_files("farm", Said, make).says for _ in range(2)] == ["mu!"] * 2
    (directory / "calf").write_text("ma")
    time.sleep(0.06)
    assert [knowledge_of_files("farm", Said, make).says for _ in range(2)] == ["ma mu!"] * 2
    assert len(found) == 3


def test_others_observe_what_is_known_of_files(tmp_path: Path, cache: Path) -> None:
    cow = tmp_path / "cow"
    cow.write_text("moo")
    time.sleep(0.06)
    for _ in range(2):
        observation = Observation()
        observation.start()
        assert knowledge_of_files("cow", Said, lambda: Said(cow.read_text())).says == "moo"
        observation.stop()
        states = observation.states()
        assert states is not None and str(cow) in states


class Said(msgspec.Struct, frozen=True):
    says: str


def test_what_two_threads_need_is_made_once(cache: Path) -> None:
    made: list[str] = []
    both = threading.Barrier(2)

    class Known(msgspec.Struct, frozen=True):
        name: str

    def make() -> Known:
        made.append("moo")
        time.sleep(0.05)  # lets the other come; without a lock it would make it, too
        return Known("moo")

    def need() -> None:
        both.wait()
        assert knowledge("key", Known, make).name == "moo"

    threads = [threading.Thread(target=need) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["moo"]
