import os
import subprocess
import sys
import time
from pathlib import Path

from reloading import value


def times():
    files = [module.__file__ for name, module in list(sys.modules.items()) if name.startswith("reloading")]
    return {file: os.stat(file).st_mtime_ns for file in files}


def serve():
    print("value", value.VALUE, flush=True)
    before = times()
    print(sorted(os.path.basename(file) for file in before), flush=True)
    for _ in range(500):
        if times() != before:
            print("changed", flush=True)
            return 3
        time.sleep(0.01)
    return 1


def main():
    code = "import sys, reloading.cli as cli; sys.exit(cli.serve())"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    print(child.stdout.readline(), child.stdout.readline())
    path = Path(value.__file__)
    source = path.read_text()
    path.touch()
    print(child.communicate()[0], child.returncode, source)
