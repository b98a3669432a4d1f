"""What a program can expect of a root directory in which there is nothing but itself, as JSON."""

from __future__ import annotations

import ctypes
import importlib
import json
import locale
import multiprocessing
import os
import platform
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path


def square(number: int) -> int:
    return number * number


def child() -> str:
    code = "import sys; print(sys.executable)"
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()


def pool(method: str) -> list[int]:
    with multiprocessing.get_context(method).Pool(2) as workers:
        return workers.map(square, [1, 2, 3])


def environment() -> list[bool | str]:
    """A new virtual environment; nobody says `venv`, or ensurepip would come along."""
    directory = Path(tempfile.mkdtemp()) / "environment"
    importlib.import_module("".join(("ve", "nv"))).create(directory, symlinks=True)
    code = "import sys; print(sys.prefix)"
    python = str(directory / "bin/python")
    return [subprocess.check_output([python, "-c", code], text=True).strip() == str(directory)]


def threads() -> int:
    found: list[int] = []
    started = [threading.Thread(target=found.append, args=(number,)) for number in range(8)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return len(found)


def encrypted() -> str:
    """A TLS handshake with itself needs a certificate; a context and a digest need libssl and libcrypto."""
    ssl.create_default_context()
    return ssl.OPENSSL_VERSION.split()[0]


def database() -> list[str]:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table cows (name text)")
    connection.execute("insert into cows values ('moo')")
    return [name for (name,) in connection.execute("select name from cows")]


def called() -> list[bool | int]:
    return [ctypes.CDLL(None).getpid() == os.getpid(), ctypes.CDLL("libc.so.6").strlen(b"four")]


def addresses() -> list[str]:
    return sorted({address[4][0] for address in socket.getaddrinfo("127.0.0.1", 80)})


def own_program() -> str | None:
    """What debuggers take for the program; None without /proc."""
    try:
        return Path("/proc/self/exe").readlink().name
    except OSError:
        return None


def main() -> None:
    told: dict[str, object] = {
        "executable": sys.executable,
        "child": child(),
        "pools": [pool(method) for method in ("spawn", "forkserver", "fork")],
        "environment": environment(),
        "threads": threads(),
        "ssl": encrypted(),
        "sqlite": database(),
        "ctypes": called(),
        "addresses": addresses(),
        "locale": locale.setlocale(locale.LC_ALL, "C.UTF-8"),
        "encoding": locale.getpreferredencoding(False).lower(),
        "libc": platform.libc_ver()[0],
        "program": own_program(),
        "user": os.getuid(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
