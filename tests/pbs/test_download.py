from __future__ import annotations

import hashlib
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.pbs.download import Download, WrongDigest
from czscie.pbs.progress import Progress
from czscie.pbs.transfer import Patience
from pbs.server import MirrorServer, Reply

CONTENT = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = "cpython-3.13.17+20261021-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"
PATH = f"/{NAME}"
QUICK = Patience(connect=2, read=0.2, attempts=3, first_wait=0.01, longest_wait=1)


class Lines(Progress):
    """Keeps what would be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def line(self, text: str) -> None:
        self.said.append(text)


def download(server: MirrorServer, digest: str = DIGEST) -> Download:
    return Download(NAME, digest, (f"{server.url}{PATH}",))


def leave_part(content: bytes, digest: str = DIGEST) -> Path:
    """A part as a process that was killed leaves it."""
    final = Download(NAME, digest, ()).path
    part = final.with_name(f".{final.name}.0.partial")
    part.write_bytes(content)
    return part


def kept(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "archives").iterdir())


def test_a_file_gets_its_name_beginning_with_its_digest(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    path = download(server).fetch(QUICK)
    assert path == cache / "archives" / f"{DIGEST}-{NAME}"
    assert path.read_bytes() == CONTENT
    assert kept(cache) == [path.name]
    assert stat.S_IMODE((cache / "archives").stat().st_mode) == 0o700


def test_no_server_is_invited_to_compress_what_is_compressed(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    download(server).fetch(QUICK)
    assert server.encodings == ["identity"]


def test_what_the_cache_has_is_not_asked_for(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    first = download(server).fetch(QUICK)
    assert download(server).fetch(QUICK) == first
    assert len(server.requests) == 1


def test_what_the_disk_lost_is_downloaded_again(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    path = download(server).fetch(QUICK)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert download(server).fetch(QUICK).read_bytes() == CONTENT


def test_a_truncated_body_is_resumed(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=100_000), Reply(cut=50_000)]
    lines = Lines()
    assert download(server).fetch(QUICK, lines).read_bytes() == CONTENT
    assert server.asked(PATH) == [None, "bytes=100000-", "bytes=150000-"]
    assert lines.said == [
        f"downloading {NAME}",
        "the connection broke off: trying again in 0.01 s",
        "the connection broke off: trying again in 0.02 s",
    ]


def test_a_body_that_is_always_truncated_is_given_up_and_its_part_kept(
    server: MirrorServer, cache: Path
) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=1000)] * 3
    with pytest.raises(CzscieError) as caught:
        download(server).fetch(QUICK)
    assert str(caught.value) == (
        f"error: cannot download {NAME}\n"
        f"  {server.url}{PATH}\n"
        "  gave up after attempt 3: the connection broke off\n"
        "hint: try again later, or set CZSCIE_PBS_URL to a mirror"
    )
    assert kept(cache) == [f".{DIGEST}-{NAME}.0.partial"]
    assert (cache / "archives" / f".{DIGEST}-{NAME}.0.partial").read_bytes() == CONTENT[:3000]


def test_a_part_that_a_killed_process_left_is_resumed(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    leave_part(CONTENT[:300_000])
    assert download(server).fetch(QUICK).read_bytes() == CONTENT
    assert server.asked(PATH) == ["bytes=300000-"]
    assert kept(cache) == [f"{DIGEST}-{NAME}"]


def test_a_part_that_is_whole_only_gets_its_name(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    leave_part(CONTENT)
    assert download(server).fetch(QUICK).read_bytes() == CONTENT
    assert server.asked(PATH) == [f"bytes={len(CONTENT)}-"]


@pytest.mark.parametrize("size", [1000, len(CONTENT), len(CONTENT) + 1000])
def test_a_part_of_something_else_is_replaced(server: MirrorServer, size: int) -> None:
    server.files[PATH] = CONTENT
    leave_part(b"?" * size)
    assert download(server).fetch(QUICK).read_bytes() == CONTENT
    assert server.asked(PATH) == [f"bytes={size}-", None]


def test_a_server_that_ignores_ranges_starts_again(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(ranges=False)]
    leave_part(CONTENT[:300_000])
    assert download(server).fetch(QUICK).read_bytes() == CONTENT
    assert server.asked(PATH) == ["bytes=300000-"]


def test_a_server_that_sends_another_range_starts_again(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(headers={"Content-Range": "bytes 5-10/11"})]
    leave_part(CONTENT[:300_000])
    assert download(server).fetch(QUICK).read_bytes() == CONTENT
    assert server.asked(PATH) == ["bytes=300000-", None]


def test_a_wrong_digest_is_said_and_nothing_is_kept(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    (cache / "archives").mkdir(parents=True)
    (cache / "archives" / "mine").write_text("the user's")
    expected = "0" * 64
    with pytest.raises(WrongDigest) as caught:
        download(server, expected).fetch(QUICK)
    assert str(caught.value) == (
        f"error: {NAME} has the wrong SHA-256; nothing of it was kept\n"
        f"  expected {expected}\n"
        f"  received {DIGEST}\n"
        f"  from     {server.url}{PATH}\n"
        "hint: set CZSCIE_PBS_URL to a mirror that has the right file"
    )
    assert len(server.requests) == 1
    assert kept(cache) == ["mine"]


def test_a_wrong_digest_of_a_file_on_this_machine_leaves_that_file_alone(tmp_path: Path, cache: Path) -> None:
    original = tmp_path / NAME
    original.write_bytes(CONTENT)
    with pytest.raises(WrongDigest):
        Download(NAME, "0" * 64, (original.as_uri(),)).fetch(QUICK)
    assert original.read_bytes() == CONTENT
    assert kept(cache) == []


def test_a_missing_file_is_not_asked_for_twice(server: MirrorServer, cache: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        download(server).fetch(QUICK)
    assert str(caught.value) == (
        f"error: cannot download {NAME}\n"
        f"  there is nothing at {server.url}{PATH}\n"
        "hint: set CZSCIE_PBS_URL to a mirror that has it"
    )
    assert len(server.requests) == 1
    assert kept(cache) == []


def test_the_next_url_counts_where_the_first_has_nothing(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    encoded = PATH.replace("+", "%2B")
    urls = (f"{server.url}{encoded}", f"{server.url}{PATH}")
    assert Download(NAME, DIGEST, urls).fetch(QUICK).read_bytes() == CONTENT
    assert [path for path, _ in server.requests] == [encoded, PATH]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_asked_again(server: MirrorServer, status: int) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(status, body=b"busy")]
    lines = Lines()
    assert download(server).fetch(QUICK, lines).read_bytes() == CONTENT
    assert lines.said[1].startswith(f"the server answered {status} ")
    assert lines.said[1].endswith(": trying again in 0.01 s")


def test_a_server_error_that_stays_is_said(server: MirrorServer) -> None:
    server.replies[PATH] = [Reply(500, body=b"broken")] * 3
    with pytest.raises(CzscieError) as caught:
        download(server).fetch(QUICK)
    assert caught.value.why[1] == "gave up after attempt 3: the server answered 500 Internal Server Error"
    assert len(server.requests) == 3


def test_a_server_that_asks_to_wait_is_waited_for(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(429, {"Retry-After": "1"}, b"")]
    lines = Lines()
    started = time.monotonic()
    assert download(server).fetch(QUICK, lines).read_bytes() == CONTENT
    assert time.monotonic() - started >= 1
    assert lines.said[1] == "the server answered 429 Too Many Requests: trying again in 1 s"


def test_a_server_that_asks_to_wait_too_long_is_not_waited_for(server: MirrorServer) -> None:
    server.replies[PATH] = [Reply(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(CzscieError) as caught:
        download(server).fetch(QUICK)
    assert caught.value.why[1] == (
        "the server answered 429 Too Many Requests and asks to come back in 3600 s"
    )
    assert len(server.requests) == 1


def test_a_date_to_come_back_at_is_understood(server: MirrorServer) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"")]
    assert download(server).fetch(QUICK).read_bytes() == CONTENT


@pytest.mark.parametrize("cut", [0, 200_000])
def test_a_server_that_stalls_is_asked_again(server: MirrorServer, cut: int) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=cut, stalls=True)]
    lines = Lines()
    assert download(server).fetch(QUICK, lines).read_bytes() == CONTENT
    assert server.asked(PATH) == [None, f"bytes={cut}-" if cut else None]
    assert lines.said[1] == "the server sent nothing for 0.2 s: trying again in 0.01 s"


def test_a_server_that_is_not_there_is_named(cache: Path) -> None:
    with pytest.raises(CzscieError) as caught:
        Download(NAME, DIGEST, (f"http://127.0.0.1:1{PATH}",)).fetch(QUICK)
    assert caught.value.what == f"cannot download {NAME}"
    assert caught.value.why[1].startswith("gave up after attempt 3: no connection to 127.0.0.1: ")
    assert kept(cache) == []


def test_a_server_that_wants_a_password_is_not_asked_again(server: MirrorServer) -> None:
    server.replies[PATH] = [Reply(401, body=b"")]
    with pytest.raises(CzscieError) as caught:
        download(server).fetch(QUICK)
    assert str(caught.value) == (
        f"error: cannot read {server.url}{PATH}\n"
        "  the server answered 401 Unauthorized\n"
        "hint: put the server's user and password into ~/.netrc"
    )
    assert len(server.requests) == 1


def test_the_password_of_netrc_is_sent(server: MirrorServer, tmp_path: Path) -> None:
    server.files[PATH] = CONTENT
    (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    download(server).fetch(QUICK)
    assert server.authorizations == ["Basic bWU6c2VjcmV0"]


def test_the_password_of_a_url_is_sent_and_never_shown(
    server: MirrorServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    url = f"{server.url.replace('//', '//me:secret@')}{PATH}"
    lines = Lines()
    server.replies[PATH] = [Reply(500, body=b"")] * 3
    with pytest.raises(CzscieError) as caught:
        Download(NAME, DIGEST, (url,)).fetch(QUICK, lines)
    assert server.authorizations == ["Basic bWU6c2VjcmV0"] * 3
    for shown in (str(caught.value), *lines.said, caplog.text):
        assert "secret" not in shown


def test_a_redirect_is_followed(server: MirrorServer) -> None:
    server.files["/elsewhere"] = CONTENT
    server.replies[PATH] = [Reply(302, {"Location": "/elsewhere"}, b"")]
    assert download(server).fetch(QUICK).read_bytes() == CONTENT


def test_a_body_without_end_does_not_fill_the_disk(
    server: MirrorServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("czscie.pbs.download.LARGEST_ARCHIVE", 100_000)
    server.files[PATH] = CONTENT
    with pytest.raises(CzscieError) as caught:
        download(server).fetch(QUICK)
    assert str(caught.value) == (
        f"error: {NAME} is larger than any archive of python-build-standalone\n"
        "  the server sent more than 100000 bytes"
    )
    assert kept(cache) == []


FETCH = """
import sys
from czscie.pbs.download import Download
from czscie.pbs.transfer import Patience
name, digest, url = sys.argv[1:]
print(Download(name, digest, (url,)).fetch(Patience(read=10, attempts=2, first_wait=0.01)))
"""


def start_process(server: MirrorServer) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FETCH, NAME, DIGEST, f"{server.url}{PATH}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_requests(server: MirrorServer, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(server.requests) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(server.requests) >= count


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
    assert kept(cache) == [f"{DIGEST}-{NAME}"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_process_that_is_killed_leaves_a_part_to_go_on_with(server: MirrorServer, cache: Path) -> None:
    server.files[PATH] = CONTENT
    server.replies[PATH] = [Reply(cut=400_000, stalls=True)]
    process = start_process(server)
    wait_for_requests(server, 1)
    part = cache / "archives" / f".{DIGEST}-{NAME}.0.partial"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    there = part.stat().st_size
    assert there > 0
    assert download(server).fetch(QUICK).read_bytes() == CONTENT
    assert server.asked(PATH) == [None, f"bytes={there}-"]
    assert kept(cache) == [f"{DIGEST}-{NAME}"]
