from __future__ import annotations

import gzip
import hashlib
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import no_files
from czscie.cache import cache_directory
from czscie.console import Console
from czscie.errors import CzscieError
from czscie.network.fetch import fetch
from czscie.network.network import Network, Patience
from czscie.network.remote import Remote, WrongContent
from network.clock import HandClock
from network.server import MirrorServer, Reply, mirror_server

CONTENT = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = "cpython-3.13.17+20261021-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"
PATH = f"/{NAME}"
QUICK = Network(Patience(attempts=3, first_wait=0.01, longest_wait=1))
MEND = "name another mirror"


class Lines(Console):
    """Keeps what is shown where there is no terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def line(self, text: str) -> None:
        took = text.startswith(("Downloaded ", "Copied "))
        self.said.append(text.partition(" in ")[0] if took else text)


def remote(server: MirrorServer, digest: str = DIGEST, size: int | None = None) -> Remote:
    return Remote(NAME, digest, (f"{server.url}{PATH}",), size, hint=MEND)


def get(file: Remote, console: Console | None = None, network: Network = QUICK) -> Path:
    [path] = fetch([file], network, console)
    return path


def chunked(content: bytes) -> bytes:
    """RFC 9112, 7.1."""
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)


def leave_part(content: bytes, digest: str = DIGEST) -> Path:
    """A part as a process that was killed leaves it."""
    part = cache_directory("archives") / f".{digest}.0.partial"
    part.write_bytes(content)
    return part


def kept(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "archives").iterdir())


def test_a_file_gets_its_name_beginning_with_its_digest(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    path = get(remote(server))
    assert path == cache / "archives" / DIGEST / NAME
    assert path.read_bytes() == CONTENT
    assert kept(cache) == [DIGEST]
    assert stat.S_IMODE((cache / "archives").stat().st_mode) == 0o700


def test_no_server_is_invited_to_compress_what_is_compressed(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    get(remote(server))
    assert server.encodings == ["identity"]


def test_what_the_cache_has_is_not_asked_for(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    first = get(remote(server))
    assert get(remote(server)) == first
    assert len(server.requests) == 1


def test_what_the_disk_lost_is_downloaded_again(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    path = get(remote(server))
    path.write_bytes(CONTENT[:-1] + b"?")
    assert get(remote(server)).read_bytes() == CONTENT


def test_a_truncated_body_is_resumed(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=100_000), Reply(cut=50_000)]
    lines = Lines()
    assert get(remote(server), lines).read_bytes() == CONTENT
    assert server.asked(PATH) == [None, "bytes=100000-", "bytes=150000-"]
    assert lines.said == [
        "the connection was lost: retrying in 0.01 s",
        f"Downloaded {NAME} ({len(CONTENT) / 1e6:.1f} MB)",
    ]


def test_a_body_that_is_always_truncated_is_given_up_and_its_part_kept(
    server: MirrorServer, cache: Path
) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=1000)] * 3
    with pytest.raises(CzscieError) as caught:
        get(remote(server))
    assert str(caught.value) == (
        f"error: cannot download {NAME}\n"
        f"  {server.url}{PATH}: the connection was lost\n"
        "  gave up after attempt 3\n"
        f"hint: {MEND}"
    )
    assert kept(cache) == [f".{DIGEST}.0.partial"]
    assert (cache / "archives" / f".{DIGEST}.0.partial").read_bytes() == CONTENT[:3000]


def test_a_part_that_a_killed_process_left_is_resumed(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    leave_part(CONTENT[:300_000])
    assert get(remote(server)).read_bytes() == CONTENT
    assert server.asked(PATH) == ["bytes=300000-"]
    assert kept(cache) == [DIGEST]


def test_a_part_that_is_whole_only_gets_its_name(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    leave_part(CONTENT)
    assert get(remote(server)).read_bytes() == CONTENT
    assert server.asked(PATH) == [f"bytes={len(CONTENT)}-"]


@pytest.mark.parametrize("size", [1000, len(CONTENT), len(CONTENT) + 1000])
def test_a_part_of_something_else_is_replaced(server: MirrorServer, size: int) -> None:
    server.files[PATH] = CONTENT
    leave_part(b"?" * size)
    assert get(remote(server)).read_bytes() == CONTENT
    assert server.asked(PATH) == [f"bytes={size}-", None]


def test_a_server_that_ignores_ranges_starts_again(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(ranges=False)]
    leave_part(CONTENT[:300_000])
    assert get(remote(server)).read_bytes() == CONTENT
    assert server.asked(PATH) == ["bytes=300000-"]


def test_a_server_that_sends_another_range_starts_again(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(headers={"Content-Range": "bytes 5-10/11"})]
    leave_part(CONTENT[:300_000])
    assert get(remote(server)).read_bytes() == CONTENT
    assert server.asked(PATH) == ["bytes=300000-", None]


def test_a_wrong_digest_is_said_and_nothing_is_kept(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    (cache / "archives").mkdir(parents=True)
    (cache / "archives" / "mine").write_text("the user's")
    expected = "0" * 64
    with pytest.raises(WrongContent) as caught:
        get(remote(server, expected))
    assert str(caught.value) == (
        f"error: {NAME} has the wrong SHA-256 or size and was discarded\n"
        f"  expected SHA-256 {expected}\n"
        f"  received SHA-256 {DIGEST}\n"
        f"  from {server.url}{PATH}\n"
        f"hint: {MEND}"
    )
    assert len(server.requests) == 1
    assert kept(cache) == ["mine"]


def test_a_wrong_digest_of_a_file_on_this_machine_leaves_that_file_alone(tmp_path: Path, cache: Path) -> None:
    original = tmp_path / NAME
    original.write_bytes(CONTENT)
    with pytest.raises(WrongContent):
        get(Remote(NAME, "0" * 64, (original.as_uri(),)))
    assert original.read_bytes() == CONTENT
    assert kept(cache) == []


def test_a_missing_file_is_not_asked_for_twice(server: MirrorServer, cache: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        get(remote(server))
    assert str(caught.value) == (
        f"error: cannot download {NAME}\n  there is nothing at {server.url}{PATH}\nhint: {MEND}"
    )
    assert len(server.requests) == 1
    assert kept(cache) == []


def test_the_next_url_counts_where_the_first_has_nothing(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    encoded = PATH.replace("+", "%2B")
    urls = (f"{server.url}{encoded}", f"{server.url}{PATH}")
    assert get(Remote(NAME, DIGEST, urls)).read_bytes() == CONTENT
    assert [path for path, _ in server.requests] == [encoded, PATH]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_asked_again(server: MirrorServer, status: int) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(status, body=b"busy")]
    lines = Lines()
    assert get(remote(server), lines).read_bytes() == CONTENT
    assert lines.said[0].startswith(f"the server returned {status} ")
    assert lines.said[0].endswith(": retrying in 0.01 s")


def test_a_server_error_that_stays_is_said(server: MirrorServer) -> None:
    server.replies[PATH] = [Reply(500, body=b"broken")] * 3
    with pytest.raises(CzscieError) as caught:
        get(remote(server))
    assert caught.value.why == (
        f"{server.url}{PATH}: the server returned 500 Internal Server Error",
        "gave up after attempt 3",
    )
    assert len(server.requests) == 3


def test_a_server_that_asks_to_wait_is_waited_for(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(429, {"Retry-After": "7"}, b"")]
    lines, clock = Lines(), HandClock()
    assert get(remote(server), lines, Network(Patience(clock=clock))).read_bytes() == CONTENT
    assert clock.waited == [7]
    assert lines.said[0] == "the server returned 429 Too Many Requests: retrying in 7 s"


def test_a_server_that_asks_to_wait_too_long_is_not_waited_for(server: MirrorServer) -> None:
    server.replies[PATH] = [Reply(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(CzscieError) as caught:
        get(remote(server))
    assert caught.value.why == (
        f"{server.url}{PATH}: the server returned 429 Too Many Requests",
        "the server asks to retry in 3600 s",
    )
    assert len(server.requests) == 1


def test_a_date_to_come_back_at_is_understood(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"")]
    assert get(remote(server)).read_bytes() == CONTENT


@pytest.mark.parametrize("cut", [0, 200_000])
def test_a_server_that_stalls_is_asked_again(server: MirrorServer, cut: int) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=cut, stalls=True)]
    lines = Lines()
    network = Network(Patience(read=2, first_wait=0.01))
    assert get(remote(server), lines, network).read_bytes() == CONTENT
    assert server.asked(PATH) == [None, f"bytes={cut}-" if cut else None]
    assert lines.said[0] == "the server sent nothing for 2 s: retrying in 0.01 s"


def test_a_server_that_is_not_there_is_named(cache: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        get(Remote(NAME, DIGEST, (f"http://127.0.0.1:1{PATH}",)))
    assert caught.value.what == f"cannot download {NAME}"
    assert caught.value.why[0].startswith(f"http://127.0.0.1:1{PATH}: no connection to 127.0.0.1: ")
    assert caught.value.why[1] == "gave up after attempt 3"
    assert kept(cache) == []


def test_a_server_that_wants_a_password_is_not_asked_again(server: MirrorServer) -> None:
    server.replies[PATH] = [Reply(401, body=b"")]
    with pytest.raises(CzscieError) as caught:
        get(remote(server))
    assert str(caught.value) == (
        f"error: cannot read {server.url}{PATH}\n"
        "  the server returned 401 Unauthorized\n"
        "hint: set CZSCIE_AUTH_127_0_0_1_BEARER, or CZSCIE_AUTH_127_0_0_1_BASIC_USER and _BASIC_PASS, "
        "or add the host to ~/.netrc"
    )
    assert len(server.requests) == 1


def test_the_password_of_netrc_is_sent(server: MirrorServer, tmp_path: Path) -> None:
    server.files[PATH] = CONTENT
    (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    get(remote(server))
    assert server.authorizations == ["Basic bWU6c2VjcmV0"]


def test_the_password_of_a_url_is_sent_and_never_shown(
    server: MirrorServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    url = f"{server.url.replace('//', '//me:secret@')}{PATH}"
    lines = Lines()
    server.replies[PATH] = [Reply(500, body=b"")] * 3
    with pytest.raises(CzscieError) as caught:
        get(Remote(NAME, DIGEST, (url,)), lines)
    assert server.authorizations == ["Basic bWU6c2VjcmV0"] * 3
    for shown in (str(caught.value), *lines.said, caplog.text):
        assert "secret" not in shown


def test_a_redirect_is_followed(server: MirrorServer) -> None:
    server.files["/elsewhere"] = CONTENT
    server.replies[PATH] = [Reply(302, {"Location": "/elsewhere"}, b"")]
    assert get(remote(server)).read_bytes() == CONTENT


def test_a_body_without_end_does_not_fill_the_disk(
    server: MirrorServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("czscie.network.transfer.LARGEST", 100_000)
    server.files[PATH] = CONTENT
    with pytest.raises(CzscieError) as caught:
        get(remote(server))
    assert str(caught.value) == (
        f"error: {NAME} is larger than any file that czscie fetches\n  the server sent more than 100000 bytes"
    )
    assert kept(cache) == []


def test_a_file_of_another_size_than_is_known_is_not_downloaded(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    with pytest.raises(WrongContent) as caught:
        get(remote(server, size=len(CONTENT) - 1))
    assert str(caught.value) == (
        f"error: {NAME} has the wrong SHA-256 or size and was discarded\n"
        f"  expected {len(CONTENT) - 1} bytes\n"
        f"  received {len(CONTENT)} bytes\n"
        f"  from {server.url}{PATH}\n"
        f"hint: {MEND}"
    )
    assert kept(cache) == []


def test_a_file_that_goes_on_after_its_size_is_left(server: MirrorServer, cache: Path) -> None:
    """A server that does not say how long it is."""
    size = len(CONTENT) - 1000
    server.replies[PATH] = [Reply(headers={"Transfer-Encoding": "chunked"}, body=chunked(CONTENT))]
    with pytest.raises(WrongContent) as caught:
        get(remote(server, size=size))
    assert caught.value.why[:2] == (f"expected {size} bytes", "received more")
    assert kept(cache) == []


def test_a_file_that_ends_before_its_size_is_gone_on_with(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    half = CONTENT[: len(CONTENT) // 2]
    server.replies[PATH] = [Reply(headers={"Transfer-Encoding": "chunked"}, body=chunked(half))]
    assert get(remote(server, size=len(CONTENT))).read_bytes() == CONTENT
    assert server.asked(PATH)[-1] == f"bytes={len(half)}-"


def test_what_a_server_compressed_unasked_is_not_unpacked(server: MirrorServer, cache: Path) -> None:
    bomb = gzip.compress(bytes(1 << 24))
    server.replies[PATH] = [Reply(headers={"Content-Encoding": "gzip"}, body=bomb)]
    with pytest.raises(WrongContent) as caught:
        get(remote(server))
    assert caught.value.why[1] == f"received SHA-256 {hashlib.sha256(bomb).hexdigest()}"
    assert kept(cache) == []


def test_the_next_mirror_counts_where_the_first_cannot_be_reached(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    lines = Lines()
    urls = (f"http://127.0.0.1:1{PATH}", f"{server.url}{PATH}")
    assert get(Remote(NAME, DIGEST, urls), lines).read_bytes() == CONTENT
    assert lines.said == [f"Downloaded {NAME} ({len(CONTENT) / 1e6:.1f} MB)"]


def test_a_mirror_that_cannot_be_reached_is_asked_for_one_spelling_at_a_time(server: MirrorServer) -> None:
    server.replies[PATH] = [Reply(503, body=b"")] * 3
    server.replies["/other"] = [Reply(503, body=b"")] * 3
    with pytest.raises(CzscieError):
        get(Remote(NAME, DIGEST, (f"{server.url}{PATH}", f"{server.url}/other")))
    assert [path for path, _ in server.requests] == [PATH] * 3


def test_the_error_names_every_mirror_that_was_tried_and_why(server: MirrorServer) -> None:
    broken = f"http://127.0.0.1:1{PATH}"
    with pytest.raises(CzscieError) as caught:
        get(Remote(NAME, DIGEST, (broken, f"{server.url}{PATH}"), hint=MEND))
    assert caught.value.why[0].startswith(f"{broken}: no connection to 127.0.0.1: ")
    assert caught.value.why[1:] == (f"there is nothing at {server.url}{PATH}", "gave up after attempt 3")
    assert caught.value.hint == MEND


def test_a_mirror_with_another_file_is_not_passed_over(server: MirrorServer) -> None:
    """That would hide that somebody changed it."""
    server.files["/first"] = b"somebody's"
    server.files["/second"] = CONTENT
    with pytest.raises(WrongContent):
        get(Remote(NAME, DIGEST, (f"{server.url}/first", f"{server.url}/second")))
    assert [path for path, _ in server.requests] == ["/first"]


def test_a_mirror_that_goes_away_midway_is_gone_on_with_at_the_next(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=100_000)]
    with mirror_server() as other:
        other.files[PATH] = CONTENT
        urls = (f"{server.url}{PATH}", f"{other.url}{PATH}")
        assert get(Remote(NAME, DIGEST, urls)).read_bytes() == CONTENT
        assert other.asked(PATH) == ["bytes=100000-"]


def test_a_download_that_trickles_ends_at_its_deadline(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    patience = Patience(deadline=600, attempts=3, clock=HandClock(step=100))
    with pytest.raises(CzscieError) as caught:
        get(remote(server), network=Network(patience))
    assert str(caught.value) == (
        f"error: cannot download {NAME}\n"
        "  it did not finish within 600 s\n"
        "hint: raise CZSCIE_NET_DEADLINE (seconds)"
    )
    assert server.asked(PATH) == [None]
    assert kept(cache) == [f".{DIGEST}.0.partial"]


def test_the_deadline_counts_the_waits(server: MirrorServer) -> None:
    server.replies[PATH] = [Reply(503, body=b"")] * 3
    clock = HandClock()
    with pytest.raises(CzscieError) as caught:
        get(remote(server), network=Network(Patience(deadline=30, attempts=5, first_wait=20, clock=clock)))
    assert caught.value.why == (
        f"{server.url}{PATH}: the server returned 503 Service Unavailable",
        "it did not finish within 30 s",
    )
    assert clock.waited == [20, 10]
    assert len(server.requests) == 2


def several(server: MirrorServer, number: int) -> list[Remote]:
    """So many files, each a different one."""
    files = []
    for index in range(number):
        content = CONTENT + bytes([index])
        server.files[f"/{index}"] = content
        digest = hashlib.sha256(content).hexdigest()
        files.append(Remote(f"file-{index}.whl", digest, (f"{server.url}/{index}",), len(content), "wheels"))
    return files


def test_several_files_come_at_once_and_in_their_order(server: MirrorServer, cache: Path) -> None:
    files = several(server, 9)
    lines = Lines()
    paths = fetch([*files, files[0]], QUICK, lines)
    assert [path.name for path in paths] == [*(f"file-{index}.whl" for index in range(9)), "file-0.whl"]
    assert [path.read_bytes()[-1] for path in paths[:9]] == list(range(9))
    assert {path.parents[1] for path in paths} == {cache / "wheels"}
    assert len(server.requests) == 9
    assert [line.partition(" (")[0] for line in lines.said] == ["Downloaded 9 files"]


def test_one_that_stalls_holds_up_none_of_the_others(server: MirrorServer, cache: Path) -> None:
    files = several(server, 4)
    server.replies["/0"] = [Reply(cut=10, stalls=True)]
    patience = Patience(read=1, attempts=2, first_wait=0.01)
    assert len(fetch(files, Network(patience, parallel=2))) == 4
    assert [path for path, _ in server.requests][-1] == "/0"


def test_one_that_cannot_be_had_ends_the_others(server: MirrorServer) -> None:
    files = several(server, 3)
    del server.files["/1"]
    server.replies["/0"] = [Reply(cut=10, stalls=True)] * 2
    started = time.monotonic()
    with pytest.raises(CzscieError, match=re.escape("cannot download file-1.whl")):
        fetch(files, Network(Patience(read=10, attempts=2), parallel=2))
    assert time.monotonic() - started < 5


def test_offline_all_that_is_missing_is_named_and_nobody_asked(server: MirrorServer) -> None:
    files = several(server, 3)
    fetch(files[:1], QUICK)
    asked = len(server.requests)
    with pytest.raises(CzscieError) as caught:
        fetch(files, Network(offline=True))
    assert str(caught.value) == (
        "error: 2 files are not in the cache, and czscie is offline\n"
        f"  file-1.whl, SHA-256 {files[1].sha256}\n"
        f"  file-2.whl, SHA-256 {files[2].sha256}\n"
        "  --offline or CZSCIE_OFFLINE is set\n"
        "hint: run it once online, or build with --vendor"
    )
    assert [path.name for path in fetch(files[:1], Network(offline=True))] == ["file-0.whl"]
    assert len(server.requests) == asked


def test_offline_a_vendor_directory_that_lacks_a_file_is_to_be_written_again(tmp_path: Path) -> None:
    file = Remote(NAME, DIGEST, ("http://127.0.0.1:1/x",))
    with pytest.raises(CzscieError) as caught:
        fetch([file], Network(offline=True, directories=(tmp_path,)))
    assert str(caught.value) == (
        "error: a file is not in the vendor directory or the cache, and czscie is offline\n"
        f"  {NAME}, SHA-256 {DIGEST}\n"
        "  --offline or CZSCIE_OFFLINE is set\n"
        "hint: run czscie vendor on a machine with network access, and copy its directory here"
    )


def test_offline_a_file_of_this_machine_is_read(tmp_path: Path) -> None:
    original = tmp_path / NAME
    original.write_bytes(CONTENT)
    file = Remote(NAME, DIGEST, ("http://127.0.0.1:1/x", original.as_uri()))
    assert get(file, network=Network(offline=True, patience=QUICK.patience)).read_bytes() == CONTENT


def test_a_file_of_this_machine_is_copied_and_not_downloaded(tmp_path: Path) -> None:
    original = tmp_path / NAME
    original.write_bytes(CONTENT)
    lines = Lines()
    get(Remote(NAME, DIGEST, (original.as_uri(),)), lines)
    assert lines.said == [f"Copied {NAME} ({len(CONTENT) / 1e6:.1f} MB)"]


def test_a_directory_with_the_file_comes_before_everybody(server: MirrorServer, tmp_path: Path) -> None:
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / NAME).write_bytes(b"another")
    (tmp_path / "right").mkdir()
    (tmp_path / "right" / NAME).write_bytes(CONTENT)
    network = Network(offline=True, directories=(tmp_path / "wrong", tmp_path / "right"))
    assert get(remote(server), network=network) == tmp_path / "right" / NAME


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "a\0"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(CzscieError, match="is not the name of a file"):
        Remote(name, DIGEST, ())


@pytest.mark.parametrize("digest", ["", "0" * 63, "../" + "0" * 61, "A" * 64])
def test_what_is_no_digest_is_refused(digest: str) -> None:
    with pytest.raises(CzscieError, match="is not a SHA-256"):
        Remote(NAME, digest, ())


FETCH = """
import sys
from czscie.network.fetch import fetch
from czscie.network.network import Network, Patience
from czscie.network.remote import Remote
name, digest, url = sys.argv[1:]
print(*fetch([Remote(name, digest, (url,))], Network(Patience(read=10, attempts=2, first_wait=0.01))))
"""


def start_process(server: MirrorServer) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FETCH, NAME, DIGEST, f"{server.url}{PATH}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_requests(server: MirrorServer, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(server.requests) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(server.requests) >= count


def start_process_that_stalls(server: MirrorServer, cache: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has received a part of the file and waits for more, and where the part is."""
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=400_000, stalls=True)]
    process = start_process(server)
    wait_for_requests(server, 1)
    part = cache / "archives" / f".{DIGEST}.0.partial"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    return process, part


def test_two_processes_at_once_do_not_disturb_one_another(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=1000, stalls=True)]
    first = start_process(server)
    wait_for_requests(server, 1)
    # The first stands still with its part in hand; the second must neither wait for it nor write into it.
    second = start_process(server)
    path, errors = second.communicate(timeout=20)
    assert second.returncode == 0, errors
    assert Path(path.strip()).read_bytes() == CONTENT
    assert server.asked(PATH) == [None, None]
    server.stopped.set()
    path, errors = first.communicate(timeout=20)
    assert first.returncode == 0, errors
    assert Path(path.strip()).read_bytes() == CONTENT
    assert kept(cache) == [DIGEST]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_process_that_is_killed_leaves_a_part_to_go_on_with(server: MirrorServer, cache: Path) -> None:
    process, part = start_process_that_stalls(server, cache)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    there = part.stat().st_size
    assert there > 0
    assert get(remote(server)).read_bytes() == CONTENT
    assert server.asked(PATH) == [None, f"bytes={there}-"]
    assert kept(cache) == [DIGEST]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_ends_at_once_and_keeps_what_has_arrived(server: MirrorServer, cache: Path) -> None:
    process, _ = start_process_that_stalls(server, cache)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - started < 5
    assert process.returncode != 0
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert get(remote(server)).read_bytes() == CONTENT
    assert server.asked(PATH)[1] is not None


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
@pytest.mark.parametrize("damage", no_files.KINDS)
def test_what_is_no_file_is_downloaded_again(
    server: MirrorServer, cache: Path, damage: Callable[[Path], None]
) -> None:
    server.files[PATH] = CONTENT
    path = get(remote(server))
    damage(path)
    part = path.parent.with_name(f".{DIGEST}.0.partial")
    part.touch()
    damage(part)
    assert get(remote(server)).read_bytes() == CONTENT
    assert kept(cache) == [DIGEST]


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
@pytest.mark.parametrize("damage", no_files.KINDS)
def test_what_is_no_file_in_a_directory_is_named(
    server: MirrorServer, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    (tmp_path / NAME).touch()
    damage(tmp_path / NAME)
    with pytest.raises(CzscieError, match=re.escape(f"{tmp_path / NAME} differs from the lock")):
        fetch([remote(server)], Network(directories=(tmp_path,)))
