import faulthandler
import signal
import subprocess
import sys


def deep():
    with open("dumped", "w") as stream:
        faulthandler.dump_traceback(stream, all_threads=False)


def crash():
    signal.raise_signal(signal.SIGSEGV)


def main():
    deep()
    print(open("dumped").read().splitlines()[:3])
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", "import fault_handler; fault_handler.crash()"],
        stderr=subprocess.PIPE,
        text=True,
    )
    print(done.returncode, done.stderr.partition("Extension modules")[0].partition("Current thread's")[0])
