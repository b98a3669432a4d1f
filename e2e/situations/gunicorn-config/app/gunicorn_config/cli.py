import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))


def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"served"]


def main():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    config = (
        os.path.join(HERE, "configured.py") if sys.argv[1] == "file" else "python:gunicorn_config.configured"
    )
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        config,
        "-b",
        f"127.0.0.1:{port}",
        "gunicorn_config.cli:app",
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(400):
        try:
            print(urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read())
            break
        except OSError:
            time.sleep(0.05)
    server.send_signal(signal.SIGTERM)
    told, errors = server.communicate()
    print(server.returncode, told, "Booting worker" in errors, errors if "Traceback" in errors else "")
