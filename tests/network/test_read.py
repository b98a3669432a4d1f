from __future__ import annotations

import gzip

import pytest

from czscie.errors import CzscieError
from czscie.network.client import Client
from czscie.network.network import Network, Patience
from czscie.network.read import read_small
from czscie.network.retry import Failure, Unreachable
from czscie.progress import Progress
from network.server import MirrorServer, Reply

QUICK = Network(Patience(attempts=3, first_wait=0.01))


def read(url: str, largest: int = 100, attempts: int | None = None) -> bytes | None:
    failure = Failure("cannot read the list", "ask again")
    with Client(QUICK) as client:
        return read_small(client, url, failure, largest, Progress(), attempts)


def test_a_small_file_is_read_whole_and_none_is_none(server: MirrorServer) -> None:
    server.files["/x"] = b"moo"
    assert read(f"{server.url}/x") == b"moo"
    assert read(f"{server.url}/y") is None


def test_what_breaks_off_is_read_again(server: MirrorServer) -> None:
    server.files["/x"] = b"moo"
    server.replies["/x"] = [Reply(cut=1), Reply(503, body=b"")]
    assert read(f"{server.url}/x") == b"moo"


def test_a_large_file_is_refused(server: MirrorServer) -> None:
    server.files["/x"] = bytes(101)
    with pytest.raises(CzscieError) as caught:
        read(f"{server.url}/x")
    assert str(caught.value) == f"error: {server.url}/x is too large\n  it is larger than 100 bytes"


def test_a_gzip_bomb_is_not_unpacked(server: MirrorServer) -> None:
    server.replies["/x"] = [Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(bytes(1 << 24)))]
    with pytest.raises(CzscieError) as caught:
        read(f"{server.url}/x", largest=1 << 30)
    assert str(caught.value) == (
        f"error: the server compressed {server.url}/x although czscie did not ask for it\n"
        "  the server sent Content-Encoding: gzip"
    )


@pytest.mark.parametrize(("attempts", "asked"), [(None, 3), (1, 1), (9, 3)])
def test_it_is_asked_for_as_often_as_patience_lasts(
    server: MirrorServer, attempts: int | None, asked: int
) -> None:
    server.replies["/x"] = [Reply(503, body=b"")] * 9
    with pytest.raises(Unreachable) as caught:
        read(f"{server.url}/x", attempts=attempts)
    assert len(server.requests) == asked
    assert str(caught.value) == (
        "error: cannot read the list\n"
        f"  {server.url}/x: the server returned 503 Service Unavailable\n"
        f"  gave up after attempt {asked}\n"
        "hint: ask again"
    )
