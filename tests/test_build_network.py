"""A whole build by the command line in a company's network: what is said, kept and built holds no secret."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import czscie
from building import Project
from network.conftest import authority, authority_file, proxy, tls_server
from network.proxy import Proxy
from network.server import MirrorServer, Reply

__all__ = ["authority", "authority_file", "proxy", "tls_server"]

SECRET = "Hunter2-and-more"
BASIC = base64.b64encode(f"builder:{SECRET}".encode()).decode()


def test_a_build_leaves_no_secret_anywhere(
    project: Project,
    server: MirrorServer,
    tls_server: MirrorServer,
    proxy: Proxy,
    authority_file: Path,
    tmp_path: Path,
) -> None:
    tls_server.files = server.files
    tls_server.wants = f"Basic {BASIC}"
    proxy.hosts["mirror.test"] = tls_server.port
    proxy.wants = f"Basic {BASIC}"
    project.manifest(platforms=("windows-x86_64",))
    outside = tmp_path.parent / f"{tmp_path.name}.netrc"
    outside.write_text(f"machine mirror.test login builder password {SECRET}\n")
    done = subprocess.run(
        [sys.executable, "-m", "czscie", "build"],
        cwd=project.directory,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(czscie.__file__).parents[1]),
            "CZSCIE_PBS_URL": "https://mirror.test",
            "CZSCIE_TRACEBACK": "1",
            "HTTPS_PROXY": proxy.url.replace("//", f"//builder:{SECRET}@"),
            "SSL_CERT_FILE": str(authority_file),
            "NETRC": str(outside),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert set(tls_server.authorizations) == {f"Basic {BASIC}"}
    assert project.built == ["moo.exe"]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {project.directory / "dist" / "moo.exe", project.directory / "lift.toml"} <= set(written)
    secrets = [SECRET.encode(), BASIC.encode()]
    told = {"what it said": done.stdout + done.stderr} | {str(path): path.read_bytes() for path in written}
    assert [name for name, data in told.items() for secret in secrets if secret in data] == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_is_orderly(project: Project, server: MirrorServer, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    project.manifest(platforms=("windows-x86_64",))
    [path] = [path for path in server.files if "windows" in path]
    # The first request is for its size.
    server.replies[path] = [Reply(), Reply(cut=100, stalls=True)]
    process = subprocess.Popen(
        [sys.executable, "-m", "czscie", "build"],
        cwd=project.directory,
        env={**os.environ, "PYTHONPATH": str(Path(czscie.__file__).parents[1])},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while len(server.asked(path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "stopped: run it again to resume"
    assert "Traceback" not in told
    assert [part.stat().st_size for part in (cache / "archives").iterdir()] == [100]
