import os
import sys


def main():
    word = sys.argv[1]
    print(word, flush=True)
    if word == "first":
        os.execv(sys.executable, [sys.executable, "-c", "import exec_self, sys; sys.exit(exec_self.last())"])
    if word == "named":
        os.execvp("exec-self", ["exec-self", "second"])
    if word == "second":
        return last()


def last():
    print("last", __name__, os.path.basename(__file__))
    return 5
