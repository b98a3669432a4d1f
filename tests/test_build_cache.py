from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import no_files
from czscie import build_cache
from czscie.build_cache import Product, check, knowledge, mending, product
from czscie.errors import CzscieError
from czscie.filesystem import file_digest


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
        raise CzscieError("the disk is full")

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
