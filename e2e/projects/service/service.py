"""A service: what one does from its first process to its last request, a word each. Prints JSON."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

LISTEN_FDS_START = 3  # sd_listen_fds(3)


def answer() -> object:
    """Asks itself over loopback, as another process of the same namespace would."""
    import uvicorn
    from fastapi import FastAPI

    application = FastAPI()

    @application.get("/cows/{number}")
    def cow(number: int) -> dict[str, int]:
        return {"cow": number, "process": os.getpid()}

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    connection = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=30)
    connection.request("GET", "/cows/7")
    answered = connection.getresponse()
    body = json.loads(answered.read())
    server.should_exit = True
    thread.join()
    return {"status": answered.status, **body}


def square(number: int) -> int:
    return number * number


def pool() -> object:
    with multiprocessing.get_context("spawn").Pool(2) as workers:
        return workers.map(square, range(4))


def title() -> object:
    """What others see this process called."""
    import setproctitle

    before = Path("/proc/self/cmdline").read_bytes().partition(b"\0")[0].decode()
    setproctitle.setproctitle("a service with a title")
    return [before, Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").decode()]


def again() -> object:
    """Becomes the executable anew, three times."""
    times = int(os.environ.get("TIMES", "0"))
    if times < 3:
        os.environ["TIMES"] = str(times + 1)
        os.environ["FIRST"] = os.environ.get("FIRST", str(os.getpid()))
        os.execv(os.environ["SCIE"], [os.environ["SCIE"], "again"])
    return {
        "times": times,
        "same process": os.environ["FIRST"] == str(os.getpid()),
        "scie": os.environ["SCIE"],
    }


def listen() -> object:
    """Takes a connection from the socket that a supervisor handed over."""
    ours = os.environ.get("LISTEN_PID") == str(os.getpid())
    with socket.socket(fileno=LISTEN_FDS_START) as listening:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"moo")
    return {"ours": ours, "handed over": int(os.environ["LISTEN_FDS"])}


def handles() -> object:
    """Which descriptors are open, but for those below /dev/fd that are memory's."""
    found = []
    for number in range(256):
        try:
            kind = os.fstat(number).st_mode
        except OSError:
            continue
        name = str(Path(f"/proc/self/fd/{number}").readlink())
        if not name.startswith("/memfd:") and not name.endswith(".lock"):
            found.append([number, stat.S_IFMT(kind)])
    return {"open": found, "streams": [stream is not None for stream in (sys.stdin, sys.stdout, sys.stderr)]}


def children() -> object:
    """Which processes are this one's."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def orphan() -> object:
    """Whether a grandchild whose parent ended stays a zombie until somebody waits for it."""
    child = os.fork()
    if child == 0:
        grandchild = os.fork()
        if grandchild:
            os._exit(0)
        time.sleep(0.2)
        os._exit(7)
    os.waitpid(child, 0)
    time.sleep(0.5)
    state = [Path(f"/proc/{each}/stat").read_text().rpartition(") ")[2][0] for each in children()]  # type: ignore[attr-defined]
    return {"states": state, "status": os.waitstatus_to_exitcode(os.wait()[1])}


def term() -> object:
    """Says when it can be ended, and ends in its own way."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
    print("ready", flush=True)
    while not ended.wait(0.05):
        pass
    return "ended"


def drop() -> object:
    """What a service still can do that root started and that became another user: imports, and a child."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    import _sqlite3  # an extension module of the standard library
    import wave

    import anyio.to_thread

    child = subprocess.run(
        [sys.executable, "-c", "import csv; print(csv.__name__)"], capture_output=True, text=True
    )
    return [wave.__name__, _sqlite3.__name__, anyio.to_thread.__name__, child.stdout.strip(), child.stderr]


def process() -> object:
    return os.getpid()


ACTIONS: dict[str, Callable[[], object]] = {
    action.__name__: action
    for action in (answer, pool, title, again, listen, handles, children, orphan, term, drop, process)
}


def main() -> None:
    text = json.dumps(ACTIONS[sys.argv[1]]())
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
