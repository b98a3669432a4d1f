from __future__ import annotations

import gzip
import io
import os
import random

import pytest

from czscie.image.gzip import GzipWriter

NOISE = random.Random(0).randbytes(5_000_000)
TEXT = b"a line that comes again\n" * 200_000


def compressed(data: bytes, step: int = 100_000) -> bytes:
    out = io.BytesIO()
    with GzipWriter(out) as writer:
        for at in range(0, len(data), step):
            writer.write(data[at : at + step])
    return out.getvalue()


@pytest.mark.parametrize("data", [b"", b"x", TEXT, NOISE, TEXT[: 1 << 20]], ids=len)
def test_what_is_written_is_what_is_read(data: bytes) -> None:
    assert gzip.decompress(compressed(data)) == data


def test_the_bytes_depend_neither_on_the_cores_nor_on_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    first = compressed(NOISE[:2_000_000] + TEXT)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert compressed(NOISE[:2_000_000] + TEXT, 1 << 30) == first


def test_repetitions_are_found_across_pieces() -> None:
    assert len(compressed(TEXT)) < 20_000


def test_an_error_passes_and_ends_the_work() -> None:
    out = io.BytesIO()
    with pytest.raises(KeyError), GzipWriter(out) as writer:
        writer.write(NOISE)
        raise KeyError
    with pytest.raises(EOFError):
        gzip.decompress(out.getvalue())
