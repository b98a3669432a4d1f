from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from czscie.documents import DocumentError, decode_json, parse_json, parse_toml


class Point(msgspec.Struct):
    x: int
    rest: Any = None


BAD_JSON = [
    b"",
    b"{",
    b'{"x": 1} 2',
    b'{"x": NaN}',
    b'{"x": \xff}',
    b'{"x": "\xff"}',
    b'{"x": "\\ud800"}',
    b'{"x": "\\udc00\\ud800"}',
    b'{"x": %b}' % (b"9" * 5000),
    b'{"x": 1, "rest": %b%b}' % (b"[" * 100_000, b"]" * 100_000),
    b'{"x": 1, "rest": %b}' % (b"[" * 100_000),
    b'{"rest": %b1%b}' % (b'{"a":' * 100_000, b"}" * 100_000),
]


@pytest.mark.parametrize("text", BAD_JSON, ids=lambda text: text[:20].decode("latin-1"))
@pytest.mark.parametrize("read", [parse_json, lambda text: decode_json(text, Point)], ids=["plain", "typed"])
def test_whatever_is_wrong_with_json_is_one_kind_of_error(read: Callable[[bytes], Any], text: bytes) -> None:
    with pytest.raises(DocumentError):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a = ",
        f"a = {'9' * 5000}",
        f"a = [0x{'f' * 5000}]",
        f"a = {'[' * 100_000}",
        f"a = {'[' * 900}{']' * 900}",
        "a = 9999-99-99",
    ],
    ids=lambda text: text[:20],
)
def test_whatever_is_wrong_with_toml_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(DocumentError):
        parse_toml(text)


def test_documents_as_they_are_written_are_read() -> None:
    assert parse_json(b'{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}
    assert decode_json(b'{"x": 1}', Point) == Point(1)
    assert parse_json(b'"\\ud83d\\udc04"') == "\N{COW}"
    assert parse_toml("a.b = [1]") == {"a": {"b": [1]}}


@pytest.mark.parametrize("text", [b'"\xed\xa0\x80"', '"\ud800"', '"a"'.encode("utf-16")])
def test_json_is_utf_8(text: bytes | str) -> None:
    with pytest.raises(DocumentError):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a = 1\nb = "x\nc = 2\n', 'line 2, column 7): b = "x'),
        ("a = 1\nb = [1,\n  2,\n", "(opened at line 2): b = [1,"),
        ('a = """\n\nx\n', '(opened at line 1): a = """'),
        ("[a\n", "line 1, column 3): [a"),
        ('a = [\nb = "https://me:secret@a.example"\n', 'b = "https://a.example"'),
        (f"a = {'x' * 500}\n", f": a = {'x' * 96}"),
        ('a = "\u2028"\nb = x\nc = 2\n', "line 2, column 5): b = x"),
        ("a = 1\r\nb = x\r\n", "line 2, column 5): b = x"),
        (f"a = {'9' * 5000}", "an integer has too many digits"),
        (f"a = 0x{'f' * 5000}", "an integer has too many digits"),
    ],
)
def test_an_error_in_toml_shows_the_line(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse_toml(text)
    assert str(error.value).endswith(message)


def test_threads_decode_a_type_that_none_has_decoded_before() -> None:
    """msgspec 0.22 crashes without czscie.documents.learned."""
    program = """
import sys, threading, msgspec
from czscie.documents import decode_json
sys.setswitchinterval(1e-6)
for number in range(100):
    inner = msgspec.defstruct("Inner", [(f"a{i}", "int | None", None) for i in range(8)], namespace={})
    outer = msgspec.defstruct("Outer", [("x", inner)])
    threads = [threading.Thread(target=decode_json, args=('{"x": {"a1": 1}}', outer)) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
