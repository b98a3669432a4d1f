import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from flask_reloader import value


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def ask(port, other_than=None):
    for _ in range(400):
        try:
            text = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read().decode()
            if text != other_than:
                return text
        except OSError:
            pass
        time.sleep(0.05)
    return "the same"


def main():
    port = free_port()
    command = ["-m", "flask", "--app", "flask_reloader.site", "run", "--debug", "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    file = Path(value.__file__)
    try:
        first = ask(port)
        print(first.split()[0])
        time.sleep(1.5)  # the reloader looks once a second
        os.utime(file)
        print(ask(port, first).split()[0])
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
