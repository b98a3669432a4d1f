"""What a program on Windows may do with its process, a word each."""

# /// script
# requires-python = ">=3.13"
# dependencies = [
#     "cryptography==50.0.2",
#     "pydantic==2.14.3",
#     "uvicorn==0.54.0",
# ]
# ///

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path


def show() -> None:
    """How it was started."""
    print(
        json.dumps(
            {
                "argv": sys.argv,
                "executable": sys.executable,
                "prefix": sys.prefix,
                "base_prefix": sys.base_prefix,
                "path": sys.path,
                "file": __file__,
                "directory": str(Path.cwd()),
                "environment": dict(os.environ),
            }
        )
    )


def leave() -> None:
    sys.exit(int(sys.argv[2]))


def abort() -> None:
    """An exit code that Unix does not have."""
    os._exit(-1073741510)  # STATUS_CONTROL_C_EXIT


def copy() -> None:
    """Standard input, byte for byte, to both outputs."""
    content = sys.stdin.buffer.read()
    sys.stdout.buffer.write(content)
    sys.stderr.buffer.write(content[::-1])


def wheels() -> None:
    """Extension modules of wheels, one of them of the stable interface."""
    from cryptography.fernet import Fernet
    from pydantic import BaseModel

    class Cow(BaseModel):
        number: int

    key = Fernet(Fernet.generate_key())
    print(json.dumps({"cow": Cow(number="7").number, "secret": key.decrypt(key.encrypt(b"moo")).decode()}))


def answer() -> None:
    """A server's answer to a request over loopback."""
    import uvicorn

    async def application(scope: dict[str, str], receive: object, send: object) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    connection = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=30)
    connection.request("GET", "/cows/7")
    answered = connection.getresponse()
    print(answered.status, answered.read().decode())
    server.should_exit = True
    thread.join()


def square(number: int) -> int:
    return number * number


def pool() -> None:
    with multiprocessing.get_context("spawn").Pool(2) as workers:
        print(workers.map(square, range(5)))


def child() -> None:
    """The same environment, in a child."""
    code = "import sys, pydantic_core; print(sys.prefix)"
    prefix = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    print(prefix.strip() == sys.prefix)


def wait() -> None:
    """Until Ctrl-C, or for a minute."""
    print("waiting", os.getpid(), flush=True)
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(42)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
