import doctest
import subprocess
import sys

from doc_tests import sums


def main():
    print(doctest.testmod(sums))
    print(doctest.testfile("examples.txt", package="doc_tests"))
    print([each.name for each in doctest.DocTestFinder().find(sums)])
    done = subprocess.run(
        [sys.executable, "-m", "doctest", "-v", sums.__file__], capture_output=True, text=True
    )
    print(done.stdout.splitlines()[-4:], done.stderr)
    print(doctest.script_from_examples(sums.add.__doc__))
