from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import no_files
from czscie.cache_contents import CacheEntry, choose_old, parse_size, parse_span, read_entries, remove
from czscie.errors import CzscieError

DAY = 86400.0
NOW = 1_800_000_000.0
#: What czscie.build_cache keeps of a product, as far as it matters here.
RECORD = b'{"sha256": "", "content": {"size": 3, "known": {"description": "cpython 3.13.9", "layout": {}}}}'


def put(path: Path, content: bytes = b"", days: float = 0) -> Path:
    """A file that was last of use so many days before NOW, as were the directories that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    for each in (path, path.parent):
        os.utime(each, (NOW - days * DAY, NOW - days * DAY))
    return path


def entry(name: str, size: int = 1, days: float = 0, *, left_over: bool = False) -> CacheEntry:
    return CacheEntry("packed", name, (), size, NOW - days * DAY, left_over)


def names(entries: list[CacheEntry]) -> list[str]:
    return [each.name for each in entries]


def test_a_download_is_known_by_the_name_of_its_file(tmp_path: Path) -> None:
    digest = "0" * 64
    put(tmp_path / "archives" / digest / "cpython.tar.gz", b"moo", days=3)
    [found] = read_entries(tmp_path)
    assert found == CacheEntry(
        "archives", "cpython.tar.gz", (tmp_path / "archives" / digest,), 3, NOW - 3 * DAY, left_over=False
    )


def test_a_product_and_what_is_known_of_it_are_one(tmp_path: Path) -> None:
    product = put(tmp_path / "packed" / "key.zip", b"moo", days=1)
    known = put(tmp_path / "packed" / "key.json", RECORD, days=2)
    put(tmp_path / "packed" / "other.czex", b"moo", days=5)
    put(tmp_path / "packed" / "other.json", b"not JSON", days=5)
    first, second = read_entries(tmp_path)
    assert (first.name, set(first.paths), first.size) == (
        "cpython 3.13.9",
        {product, known},
        3 + len(RECORD),
    )
    assert first.used == NOW - DAY
    assert second.name == "other"


def test_what_is_not_the_caches_is_not_looked_at(tmp_path: Path) -> None:
    put(tmp_path / "mine" / "letter.txt")
    put(tmp_path / "letter.txt")
    put(tmp_path / "known" / "key")
    assert names(read_entries(tmp_path)) == ["key"]
    assert read_entries(tmp_path, ["archives"]) == []
    assert read_entries(tmp_path / "nowhere") == []


def test_what_a_killed_process_left_is_told_from_parts_that_are_gone_on_with(tmp_path: Path) -> None:
    put(tmp_path / "archives" / f".{'0' * 64}.0.partial")
    put(tmp_path / "packed" / ".key.zip.x7f3")
    assert {(each.name, each.left_over) for each in read_entries(tmp_path)} == {
        ("partial download", False),
        ("leftover", True),
    }


def test_what_was_not_used_lately_goes() -> None:
    entries = [entry("new"), entry("old", days=31), entry("left", left_over=True)]
    assert names(choose_old(entries, NOW, 30 * DAY, None)) == ["old", "left"]
    assert names(choose_old(entries, NOW, None, None)) == ["left"]


def test_the_longest_unused_go_until_the_rest_is_small_enough() -> None:
    entries = [entry("a", 50, days=1), entry("b", 40, days=3), entry("c", 30, days=2), entry("d", 9, days=9)]
    assert names(choose_old(entries, NOW, 8 * DAY, 80)) == ["d", "b"]
    assert names(choose_old(entries, NOW, None, 79)) == ["d", "b", "c"]
    assert choose_old(entries, NOW, None, 129) == []


def test_all_of_an_entry_is_taken_away_and_nothing_that_a_link_leads_to(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / "letter.txt").parent
    put(tmp_path / "compilers" / "digest" / "bin" / "python")
    (tmp_path / "compilers" / "digest" / "link").symlink_to(outside)
    (tmp_path / "compilers" / "link").symlink_to(outside)
    assert all(map(remove, read_entries(tmp_path)))
    assert list((tmp_path / "compilers").iterdir()) == []
    assert (outside / "letter.txt").exists()


def test_what_is_gone_already_is_no_success(tmp_path: Path) -> None:
    path = put(tmp_path / "known" / "key")
    [found] = read_entries(tmp_path)
    path.unlink()
    assert not remove(found)


@pytest.mark.parametrize(
    ("text", "size"), [("5GB", 5e9), ("500 mb", 5e8), ("1.5KiB", 1536), ("7b", 7), ("1000", 1000)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: float) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 30 * DAY), ("12h", DAY / 2), ("2W", 14 * DAY), ("1.5m", 90)]
)
def test_spans_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "big", "-5GB", "5TBB", "5 G B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(CzscieError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["", "30", "d", "-3d", "3 months"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(CzscieError, match="is not a duration"):
        parse_span(text)


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
@pytest.mark.parametrize("damage", no_files.KINDS)
def test_a_record_that_is_no_file_is_listed(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    record = tmp_path / "packed" / "key.json"
    record.parent.mkdir()
    record.touch()
    damage(record)
    [entry] = read_entries(tmp_path)
    assert entry.paths == (record,)
