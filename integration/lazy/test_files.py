"""Lazy files: downloaded by the first start that needs them, over HTTPS, whatever the server does."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import trustme

from integration.lazy.app import LazyApp, digest
from network.proxy import Proxy
from network.server import MirrorServer, Reply

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts programs of Linux")

CONTENT = random.Random(1).randbytes(3_000_000)


def lift(url: str, content: bytes = CONTENT, name: str = "data.bin", rest: str = "") -> str:
    return f"""
[[lift.files]]
name = "{name}"
key = "data"
digest = {digest(content)}
source = {{ url = "{url}" }}
{rest}
[[lift.commands]]
exe = "/bin/sh"
args = ["-c", "sha256sum < $1 && echo started", "sh", "{{data}}"]

[[lift.commands]]
name = "other"
exe = "/bin/echo"
args = ["needs nothing"]
"""


@pytest.fixture
def made(app: LazyApp, server: MirrorServer) -> LazyApp:
    app.build(lift(f"{server.url}/data.bin"))
    server.files["/data.bin"] = CONTENT
    return app


def left(app: LazyApp) -> list[str]:
    """What is installed or half installed, but for the fetcher."""
    files = (app.base / "files").iterdir()
    return sorted(path.name for path in files if not (path / "czscie-fetch").exists())


def test_the_first_start_that_needs_a_file_downloads_it(made: LazyApp, server: MirrorServer) -> None:
    assert made.path.stat().st_size < 2_000_000
    assert made.output(SCIE_BOOT="other") == "needs nothing\n"
    assert server.requests == []
    for _ in range(2):
        assert made.output().endswith("started\n")
    assert server.asked("/data.bin") == [None]
    assert len(left(made)) == 1 and not list((made.base / "downloads").iterdir())


def test_a_filled_executable_is_offline(made: LazyApp, server: MirrorServer) -> None:
    made.output()
    server.files.clear()
    assert made.output(HTTPS_PROXY="http://127.0.0.1:9").endswith("started\n")
    assert len(server.requests) == 1


def test_install_fills_what_is_lazy(made: LazyApp, server: MirrorServer, tmp_path: Path) -> None:
    permanent = tmp_path / "permanent"
    assert made.output(str(permanent), SCIE="install").splitlines()[0] == f"{permanent}/bin/app"
    server.files.clear()
    assert made.output(path=permanent / "bin" / "app").endswith("started\n")
    assert len(server.requests) == 1
    assert not (permanent / "downloads").exists() and not left(made) if made.base.exists() else True


def test_a_truncated_response_is_resumed(made: LazyApp, server: MirrorServer) -> None:
    server.replies["/data.bin"] = [Reply(cut=1_000_000), Reply(503), Reply(cut=500_000)]
    assert made.output().endswith("started\n")
    spans = server.asked("/data.bin")
    assert spans[0] is None and len(spans) == 4
    assert spans[1:] == ["bytes=1000000-", "bytes=1000000-", "bytes=1500000-"]


def test_a_server_without_ranges_sends_it_again(made: LazyApp, server: MirrorServer) -> None:
    server.replies["/data.bin"] = [Reply(cut=1_000_000), Reply(ranges=False, body=CONTENT)]
    assert made.output().endswith("started\n")


def test_another_content_is_never_installed(made: LazyApp, server: MirrorServer) -> None:
    server.files["/data.bin"] = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    message = made.failure()
    assert message.startswith("app: error: cannot download data.bin\n  from https://localhost:")
    assert "its SHA-256 is " in message and "hint: " in message
    assert left(made) == []
    server.files["/data.bin"] = CONTENT
    assert made.output().endswith("started\n")
    assert server.asked("/data.bin") == [None, None]


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x"], ids=["shorter", "longer"])
def test_another_length_is_refused_at_once(made: LazyApp, server: MirrorServer, content: bytes) -> None:
    server.files["/data.bin"] = content
    assert f"the file has {len(content)} bytes on the server, and must have 3000000" in made.failure()
    assert len(server.requests) == 1


def test_a_missing_file_is_an_error_at_once(made: LazyApp, server: MirrorServer) -> None:
    del server.files["/data.bin"]
    message = made.failure()
    assert "the server responds 404" in message and f"from {server.url}/data.bin\n" in message
    assert len(server.requests) == 1


def test_a_stalled_server_is_given_up(made: LazyApp, server: MirrorServer) -> None:
    server.replies["/data.bin"] = [Reply(cut=1_000_000, stalls=True)]
    begun = time.monotonic()
    assert made.output(CZSCIE_FETCH_TIMEOUT="1").endswith("started\n")
    assert 1 < time.monotonic() - begun < 30
    assert server.asked("/data.bin")[1] == "bytes=1000000-"


def test_a_server_that_stalls_for_ever_is_an_error(made: LazyApp, server: MirrorServer) -> None:
    server.replies["/data.bin"] = [Reply(cut=0, stalls=True)] * 5
    message = made.failure(CZSCIE_FETCH_TIMEOUT="1")
    assert "nothing arrived for 1 seconds" in message and "hint: check the network" in message


def test_a_killed_download_is_resumed(made: LazyApp, server: MirrorServer) -> None:
    server.replies["/data.bin"] = [Reply(cut=2_000_000, stalls=True)]
    process = made.begin()
    deadline = time.monotonic() + 30
    while sum(path.stat().st_size for path in made.base.glob("downloads/*")) < 2_000_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert all(name.endswith(".partial") for name in left(made))
    assert made.output().endswith("started\n")
    assert server.asked("/data.bin") == [None, "bytes=2000000-"]
    assert len(left(made)) == 1


def test_the_beginning_of_another_file_is_not_trusted(made: LazyApp, server: MirrorServer) -> None:
    made.output(SCIE_BOOT="other")
    server.replies["/data.bin"] = [Reply(404)]
    made.failure()
    [download] = (made.base / "downloads").iterdir()
    download.write_bytes(b"x" * 1_000_000)
    assert made.output().endswith("started\n")
    assert server.asked("/data.bin")[1:] == ["bytes=1000000-", None]


def test_twenty_starts_at_once_download_once(made: LazyApp, server: MirrorServer) -> None:
    starts = [made.begin() for _ in range(20)]
    for each in starts:
        output, errors = each.communicate(timeout=120)
        assert output.endswith("started\n"), errors
    assert server.asked("/data.bin") == [None]


def test_a_proxy_leads_to_the_server(made: LazyApp, server: MirrorServer, proxy: Proxy) -> None:
    proxy.wants = "Basic YW5uOnNlY3JldA=="
    url = proxy.url.replace("//", "//ann:secret@")
    assert made.output(HTTPS_PROXY=url).endswith("started\n")
    assert proxy.asked == ["localhost"]


def test_a_proxy_is_not_used_for_excluded_hosts(made: LazyApp, proxy: Proxy) -> None:
    assert made.output(ALL_PROXY=proxy.url, NO_PROXY="example.org,localhost").endswith("started\n")
    assert proxy.asked == []


def test_a_proxy_that_refuses_is_an_error(made: LazyApp, proxy: Proxy) -> None:
    proxy.wants = "Basic"
    assert "the proxy 127.0.0.1 does not connect: 407" in made.failure(HTTPS_PROXY=proxy.url)


def test_credentials_are_those_of_the_host_in_netrc(made: LazyApp, server: MirrorServer) -> None:
    home = made.directory / "home"
    home.mkdir()
    (home / ".netrc").write_text("machine example.org login bob password b\n")
    server.wants = "Basic YW5uOnNlY3JldA=="
    assert "responds 401" in made.failure() and server.authorizations == [None]
    with (home / ".netrc").open("a") as file:
        file.write("machine localhost login ann password secret\n")
    assert made.output().endswith("started\n")
    assert server.authorizations[1:] == ["Basic YW5uOnNlY3JldA=="]


def test_an_unknown_authority_is_an_error(made: LazyApp, server: MirrorServer, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    message = made.failure(SSL_CERT_FILE=str(other))
    assert "cannot verify the certificate of localhost" in message and "hint: set SSL_CERT_FILE" in message
    assert server.requests == []


def test_a_directory_of_certificates_is_trusted(made: LazyApp, tmp_path: Path) -> None:
    directory = tmp_path / "certificates"
    directory.mkdir()
    made.certificates.rename(directory / "ca.pem")
    assert made.output(SSL_CERT_FILE="", SSL_CERT_DIR=str(directory)).endswith("started\n")


def archive(mode: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=f"w:{mode}") as tar:
        for name, content in (("tree/run", b"#!/bin/sh\necho ran\n"), ("tree/" + "n" * 120, b"long")):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("tree/link")
        link.type, link.linkname = tarfile.SYMTYPE, "run"
        tar.addfile(link)
    return made.getvalue()


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.zst"])
def test_an_archive_is_unpacked(app: LazyApp, server: MirrorServer, kind: str) -> None:
    content = archive("gz" if kind == "tar.gz" else "")
    if kind == "tar.zst":
        import zstandard

        content = zstandard.compress(content)
    server.files["/tools"] = content
    command = '[[lift.commands]]\nname = "run"\nexe = "{data}/tree/link"\n'
    app.build(lift(f"{server.url}/tools", content, f"tools.{kind}") + command)
    assert app.output(SCIE_BOOT="run") == "ran\n"


def test_an_archive_that_leads_out_of_its_directory_is_refused(app: LazyApp, server: MirrorServer) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../out"))
    server.files["/bad"] = made.getvalue()
    app.build(lift(f"{server.url}/bad", made.getvalue(), "bad.tar.gz"))
    assert "leads out of its directory" in app.failure()
    assert left(app) == [] and not list(app.base.rglob("out"))


def test_a_file_url_needs_no_server(app: LazyApp, tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(CONTENT)
    app.build(lift((tmp_path / "a b").as_uri()))
    assert app.output().endswith("started\n")


def test_a_thin_manifest_makes_a_fat_file_and_back(app: LazyApp, server: MirrorServer) -> None:
    server.files["/data.bin"] = CONTENT
    thin = lift(f"{server.url}/data.bin")
    os.environ["SSL_CERT_FILE"], before = str(app.certificates), os.environ.get("SSL_CERT_FILE")
    try:
        app.build(thin, "data")
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before
    requests = len(server.requests)
    assert app.path.stat().st_size > 3_000_000
    assert app.output().endswith("started\n") and len(server.requests) == requests
    app.build(thin.replace('data.bin" }', 'data.bin", lazy = false }'), "data")
    assert app.path.stat().st_size < 2_000_000


def test_uninstall_removes_what_was_fetched(made: LazyApp, server: MirrorServer) -> None:
    made.output()
    made.output(SCIE="uninstall")
    assert not list(made.base.glob("files/*"))
    server.replies["/data.bin"] = [Reply(cut=1_000_000), Reply(404)]
    made.failure()
    assert list((made.base / "downloads").iterdir())
    made.output(SCIE="uninstall")
    assert not (made.base / "downloads").exists()


def test_no_progress_is_shown_where_there_is_no_terminal(made: LazyApp) -> None:
    done = made.run()
    assert done.stderr == ""


def test_a_terminal_shows_how_much_has_arrived(made: LazyApp, server: MirrorServer) -> None:
    import pty

    server.replies["/data.bin"] = [Reply(cut=2_000_000, stalls=True)]
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [made.path],
        env={
            "HOME": str(made.directory),
            "CZSCIE_BASE": str(made.base),
            "SSL_CERT_FILE": str(made.certificates),
            "CZSCIE_FETCH_TIMEOUT": "1",
            "PATH": "/usr/bin:/bin",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    process.communicate(timeout=60)
    shown = os.read(main, 1 << 16).decode()
    os.close(main)
    assert "Downloading data.bin: " in shown and " of 3 MB" in shown and shown.endswith("\r\x1b[K")
