import os
import re
import subprocess
import sys
import unittest


def main():
    here = os.path.dirname(__file__)
    top = os.path.dirname(here)
    for words in (
        ["unit_tests.tests.test_one", "-v"],
        ["discover", "-v", "-s", "unit_tests.tests"],
        ["discover", "-v", "-s", os.path.join(here, "tests"), "-t", top],
        ["discover", "-s", "local"],
    ):
        done = subprocess.run([sys.executable, "-m", "unittest", *words], capture_output=True, text=True)
        print(done.returncode, re.sub(r"in [\d.]+s", "in …", done.stderr))
    print(unittest.TestLoader().discover("unit_tests.tests").countTestCases())
    print(unittest.defaultTestLoader.loadTestsFromName("unit_tests.tests").countTestCases())
