import signal
import subprocess
import sys
import threading

CHILD = """
import os, signal
signal.signal(signal.SIGUSR1, lambda *_: (os.write(1, b"handled"), os._exit(4)))
print("ready", flush=True)
signal.pause()
"""


def main():
    for name in ("SIGUSR1", "SIGTERM", "SIGINT", "SIGKILL"):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        child.stdout.readline()
        child.send_signal(getattr(signal, name))
        told, error = child.communicate()
        print(name, told, error.splitlines()[-1:], child.returncode)
    caught = threading.Event()
    signal.signal(signal.SIGALRM, lambda *_: caught.set())
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    print(caught.wait(5), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
    print(signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN)
