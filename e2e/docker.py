"""Debian's Docker, which is unpacked and not installed, with everything that it makes below one directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.cache import cached
from e2e.mirror.apt import Apt

TIMEOUT = 180
_SUITE = "bookworm"
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Docker:
    """A daemon that answers at `socket`; `path` is where its programs are."""

    socket: Path
    path: str

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs `docker ARGUMENTS`."""
        return subprocess.run(
            ["docker", "--host", f"unix://{self.socket}", *arguments],
            env={"PATH": self.path, "HOME": str(self.socket.parent)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
        )

    def run(self, image: str, *command: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Runs a command in a container of its own, without a network but loopback."""
        return self("run", "--rm", "--network", "none", *options, image, *command)


class NoDocker(Exception):
    """The daemon does not run on this machine; the text says why."""


@contextmanager
def docker() -> Iterator[Docker]:
    """A daemon, until the context ends. Raises NoDocker, and AptError when Debian is out of reach."""
    if os.geteuid() != 0:
        raise NoDocker("only root can start it")
    if shutil.which("runc") is None:
        raise NoDocker("there is no runc: apt-get install runc")
    programs = cached("docker", [_SUITE, "docker.io", "containerd"], _unpack)
    path = os.pathsep.join([f"{programs}/usr/sbin", f"{programs}/usr/bin", os.environ["PATH"]])
    # The path of a socket has at most 107 bytes, those of tests have more.
    directory = Path(tempfile.mkdtemp(prefix="docker-"))
    socket = directory / "docker.sock"
    command = ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false"]
    command += [f"--data-root={directory}/data", f"--exec-root={directory}/run"]
    command += [f"--host=unix://{socket}", f"--pidfile={directory}/docker.pid"]
    log = directory / "log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env={"PATH": path}, stdout=out, stderr=out) as daemon,
    ):
        try:
            engine = Docker(socket, path)
            _wait(daemon, engine, log)
            yield engine
        finally:
            daemon.terminate()
            daemon.wait(TIMEOUT)
            shutil.rmtree(directory, ignore_errors=True)


def _unpack(target: Path) -> None:
    target.mkdir(parents=True)
    work = target / ".apt"
    for package in ("docker.io", "containerd"):
        Apt(work / package, _SUITE, "amd64").unpack(target, package)
    shutil.rmtree(work)


def _wait(daemon: subprocess.Popen[bytes], engine: Docker, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while engine("info").returncode != 0:
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise NoDocker("\n".join(log.read_text(errors="replace").splitlines()[-3:]))
        time.sleep(0.1)
