import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request


def app(environ, start):
    import colorsys

    from gunicorn_user import late

    start("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getuid()} {colorsys.__name__} {late.NAME}".encode()]


def main():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--user",
        "65534",
        "--group",
        "65534",
        "--worker-tmp-dir",
        "/tmp",
    ]
    command += ["--no-control-socket", "-b", f"127.0.0.1:{port}", "gunicorn_user.cli:app"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd="/")
    for _ in range(200):
        try:
            print(urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read())
            break
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.05)
    server.send_signal(signal.SIGTERM)
    errors = server.communicate()[1]
    print(server.returncode, errors if "Traceback" in errors else "")
