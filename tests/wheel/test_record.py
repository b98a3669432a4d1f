from __future__ import annotations

from dataclasses import dataclass

from czex.factories import digest
from czscie.container.content import Data, File
from czscie.wheel.record import UNKNOWN, WheelRecord, digest_row, parse_record, render_record


@dataclass(frozen=True)
class Unreadable:
    size: int = 3

    def read(self) -> bytes:
        raise AssertionError("read although its digest is known")


def test_rows_are_read_and_written_with_the_quotes_of_csv() -> None:
    rows = {'a "b",c.py': ("sha256=x", "1"), "d/RECORD": UNKNOWN}
    text = render_record(rows.items())
    assert text == b'"a ""b"",c.py",sha256=x,1\nd/RECORD,,\n'
    assert parse_record(text.decode()) == rows


def test_broken_rows_are_left_out() -> None:
    assert parse_record("a.py,sha256=x,1\r\nno commas\n\n,sha256=x,1\n") == {"a.py": ("sha256=x", "1")}


def test_a_digest_is_that_of_the_wheel_format() -> None:
    assert digest_row(Data(b"moo")) == (digest(b"moo"), "3")


def test_known_rows_are_not_computed_again() -> None:
    files = (File("a.py", Unreadable()), File("b.py", Data(b"moo")))
    record = WheelRecord("x/RECORD", files, {"a.py": ("sha256=known", "3")})
    assert parse_record(record.read().decode()) == {
        "a.py": ("sha256=known", "3"),
        "b.py": (digest(b"moo"), "3"),
        "x/RECORD": UNKNOWN,
    }
    assert record.size == len(record.read())


def test_a_row_with_another_size_is_not_believed() -> None:
    record = WheelRecord("x/RECORD", (File("a.py", Data(b"moo")),), {"a.py": ("sha256=stale", "4")})
    assert parse_record(record.read().decode())["a.py"] == (digest(b"moo"), "3")
