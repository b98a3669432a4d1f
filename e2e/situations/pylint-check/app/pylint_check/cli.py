import os
import subprocess
import sys


def main():
    here = os.path.dirname(__file__)
    for words in (["script.py"], ["pylint_check.checked"], [os.path.join(here, "checked.py")]):
        done = subprocess.run(
            [sys.executable, "-m", "pylint", "--score=n", "--persistent=n", *words],
            capture_output=True,
            text=True,
        )
        print(done.returncode, done.stdout, done.stderr)
