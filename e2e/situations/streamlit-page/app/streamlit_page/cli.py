import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request

from streamlit.testing.v1 import AppTest

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    logging.disable(logging.WARNING)  # they have times
    page = os.path.join(HERE, "page.py")
    app = AppTest.from_file(page).run(timeout=30)
    print([each.value for each in app.markdown], [each.message for each in app.exception])
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    options = [
        "--server.headless=true",
        f"--server.port={port}",
        "--browser.gatherUsageStats=false",
        "--server.fileWatcherType=poll",
    ]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", page, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for _ in range(600):
        try:
            print(urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).read())
            break
        except OSError:
            time.sleep(0.05)
    print("<title>" in urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read().decode())
    server.terminate()
    told = server.communicate()[0]
    print("Traceback" in told)
