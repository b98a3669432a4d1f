"""What a long-running service relies on: its process, its handles and its title are its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.build import Scie
from e2e.conftest import BuildScie
from e2e.pexes import SERVICE

#: As engines of containers forbid them: then programs are files in memory.
WITHOUT_NAMESPACES = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=unshare:error=EPERM")

Environment = dict[str, str]


@pytest.fixture(scope="module")
def service(build_scie: BuildScie) -> Path:
    return build_scie(Scie(SERVICE, "3.13"))


@pytest.fixture(params=["installed", "cold", "memory", "files in memory"])
def way(request: pytest.FixtureRequest, shared_base: Path, tmp_path: Path) -> tuple[list[str], Environment]:
    """Where it starts from: a command that it is started by, and its environment."""
    environment = {"CZSCIE_BASE": str(shared_base if request.param == "installed" else tmp_path / "base")}
    if "memory" in request.param:
        environment["CZSCIE_MEMORY"] = "always"
    if request.param == "memory" and os.geteuid() != 0:
        pytest.skip("this user may not make namespaces everywhere")
    return list(WITHOUT_NAMESPACES) if request.param == "files in memory" else [], environment


def start(service: Path, word: str, way: tuple[list[str], Environment], **options: Any) -> Any:
    """What a start with the word prints."""
    prefix, environment = way
    done = subprocess.run(
        [*prefix, service, word],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_has_no_children_that_it_did_not_start(service: Path, way: tuple[list[str], Environment]) -> None:
    assert start(service, "children", way) == []


def test_it_becomes_itself_again(service: Path, way: tuple[list[str], Environment]) -> None:
    assert start(service, "again", way) == {"times": 3, "same process": True, "scie": str(service)}


def test_its_title_is_the_scies_until_it_sets_another(
    service: Path, way: tuple[list[str], Environment]
) -> None:
    before, after = start(service, "title", way)
    assert before.endswith(f"/bin/python {service} title")
    assert after == "a service with a title"


def test_a_socket_that_was_handed_over_is_its_own(
    service: Path, way: tuple[list[str], Environment], tmp_path: Path
) -> None:
    """As systemd does it: the variable names the process, so it has to be the same one after all."""
    prefix, environment = way
    listening = socket.create_server(("127.0.0.1", 0))
    script = 'exec 3<&"$0"; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
    if prefix:  # of strace the service is a child, and has another number
        script = 'exec 3<&"$0"; export LISTEN_FDS=1; exec "$@"'
        prefix = [*prefix, "/bin/sh", "-c", 'export LISTEN_PID=$$; exec "$0" "$@"']
    with subprocess.Popen(
        ["/bin/bash", "-c", script, str(listening.fileno()), *prefix, service, "listen"],
        env=environment,
        stdout=subprocess.PIPE,
        pass_fds=[listening.fileno()],
        text=True,
    ) as process:
        with socket.create_connection(listening.getsockname(), timeout=120) as connection:
            assert connection.recv(16) == b"moo"
        assert process.stdout is not None
        assert json.load(process.stdout) == {"ours": True, "handed over": 1}


@pytest.mark.parametrize("closed", [(0,), (1, 2), (0, 1, 2)], ids=str)
def test_standard_handles_that_are_closed_stay_closed(
    service: Path, way: tuple[list[str], Environment], closed: tuple[int, ...], tmp_path: Path
) -> None:
    prefix, environment = way
    told = tmp_path / "told"
    redirections = " ".join(f"{number}>&-" for number in closed)
    subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", *prefix, service, "handles", told],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=True,
    )
    found = json.loads(told.read_text())
    assert found["open"] == [[number, stat.S_IFCHR] for number in range(3) if number not in closed]
    assert found["streams"] == [number not in closed for number in range(3)]


@pytest.fixture
def first_process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts commands as process 1 of a process namespace."""
    started: list[subprocess.Popen[str]] = []

    def start(*command: str | Path, environment: Environment) -> subprocess.Popen[str]:
        unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        unshare += [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        process = subprocess.Popen(
            [*unshare, *command],
            env={**environment, "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_signals_reach_it_as_the_first_process(
    service: Path, shared_base: Path, first_process: Callable[..., subprocess.Popen[str]]
) -> None:
    process = first_process(service, "term", environment={"CZSCIE_BASE": str(shared_base)})
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    [child] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGTERM)
    assert process.communicate(timeout=60)[0] == '"ended"\n'
    assert process.returncode == 0


def test_as_the_first_process_orphans_are_its_own_to_wait_for(
    service: Path, shared_base: Path, first_process: Callable[..., subprocess.Popen[str]]
) -> None:
    process = first_process(service, "orphan", environment={"CZSCIE_BASE": str(shared_base)})
    assert json.loads(process.communicate(timeout=60)[0]) == {"states": ["Z"], "status": 7}


def test_it_is_the_first_process_itself(
    service: Path, shared_base: Path, first_process: Callable[..., subprocess.Popen[str]]
) -> None:
    process = first_process(service, "process", environment={"CZSCIE_BASE": str(shared_base)})
    assert process.communicate(timeout=60)[0] == "1\n"


def test_it_answers_over_loopback(service: Path, way: tuple[list[str], Environment]) -> None:
    answered = start(service, "answer", way)
    assert (answered["status"], answered["cow"]) == (200, 7)
    assert start(service, "pool", way) == [0, 1, 4, 9]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_it_goes_on_as_another_user_that_root_has_become(service: Path, umask: int) -> None:
    """Without a setting root installs for all users, into a /var/cache that is the test's own."""
    mount = 'mount -t tmpfs -o mode=0755 tmpfs /var/cache; exec "$@"'
    own_cache = ["unshare", "--mount", "/bin/sh", "-ec", mount, "sh"]
    found = start(service, "drop", (own_cache, {"PATH": os.environ["PATH"]}), umask=umask)
    assert found == ["wave", "_sqlite3", "anyio.to_thread", "csv", ""]
