import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from uvicorn_reload import value


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def ask(port, accepted):
    for _ in range(600):
        try:
            text = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read().decode()
            if accepted(text):
                return text
        except OSError:
            pass
        time.sleep(0.05)
    return "never"


def main():
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "uvicorn_reload.service:app",
        "--port",
        str(port),
        "--no-access-log",
    ]
    file = Path(value.__file__)
    if sys.argv[1] == "reload":
        command += ["--reload", "--reload-dir", str(file.parent)]
    else:
        command += ["--workers", "2"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        first = ask(port, lambda text: text.startswith('{"value":1'))
        print(first.partition(",")[0])
        if sys.argv[1] == "reload":
            time.sleep(1)
            os.utime(file)
            print(ask(port, lambda text: text != first).partition(",")[0])
    finally:
        os.killpg(server.pid, signal.SIGINT)
        told = server.communicate()[1]
    print(
        server.returncode,
        "WatchFiles detected changes in 'value.py'" in told.replace(str(file), "value.py")
        or told.count("Started server process"),
    )
