"""Run by the tests in a real CPython: works with what may not be missing, and imports whatever it finds."""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import json
import multiprocessing
import os
import pkgutil
import sqlite3
import ssl
import subprocess
import sys
import sysconfig
import tempfile
import threading
from pathlib import Path

#: Importing these opens a browser, or prints.
_NOT_IMPORTED = {"antigravity", "this"}


def square(number: int) -> int:
    return number * number


async def talk() -> str:
    """What a client hears from a server, both in one loop."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello\n")
    line = await reader.readline()
    writer.close()
    server.close()
    return line.decode()


def virtual_environment() -> str:
    """The prefix that the Python of a new one tells, relative to where it was made."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
        tell = (
            "import os, sys; print(os.path.relpath(sys.prefix, sys.argv[1]), sys.prefix != sys.base_prefix)"
        )
        python = Path(directory, "bin", "python")
        return subprocess.check_output([python, "-c", tell, directory], text=True).strip()


def works() -> dict[str, object]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        squares = pool.map(square, [1, 2, 3])
    database = sqlite3.connect(":memory:")
    sysconfig_says = subprocess.run([sys.executable, "-m", "sysconfig"], capture_output=True, check=True)
    return {
        "ssl": type(ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())).__name__,
        "sqlite3": database.execute("select json_extract('{\"a\": 42}', '$.a')").fetchone()[0],
        "ctypes": ctypes.CDLL(None).getpid() == os.getpid(),
        "asyncio": asyncio.run(talk()),
        "spawn": squares,
        "venv": virtual_environment(),
        "paths": {name: os.path.relpath(path, sys.prefix) for name, path in sysconfig.get_paths().items()},
        "suffix": sysconfig.get_config_vars()["EXT_SUFFIX"],
        "sysconfig": sysconfig_says.returncode,
        "threads": threading.active_count(),
    }


def importable() -> tuple[list[str], dict[str, str]]:
    """Which modules of the standard library are there and can be imported, and what the others say."""
    good, bad = [], {}
    for module in pkgutil.iter_modules():
        if module.name in _NOT_IMPORTED:
            continue
        try:
            importlib.import_module(module.name)
            good.append(module.name)
        except Exception as error:  # whatever a module does when it is imported
            bad[module.name] = str(error)
    return good, bad


def main() -> None:
    good, bad = importable()
    print(json.dumps({"works": works(), "good": good, "bad": bad}))


if __name__ == "__main__":
    main()
