import os
import re
import subprocess
import sys


def main():
    here = os.path.dirname(__file__)
    for words in (
        ["--pyargs", "pytest_inside.tests"],
        [os.path.join(here, "tests", "test_own.py"), "-k", "fails"],
        ["test_here.py", "-p", "pytest_inside.extra"],
        ["test_here.py", "--setup-show", "-k", "nothing"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rN", "--no-header", "-p", "no:cacheprovider", *words],
            capture_output=True,
            text=True,
        )
        print(done.returncode, re.sub(r"in [\d.]+s", "in …", done.stdout), done.stderr)
