import code
import rlcompleter
import subprocess
import sys


def main():
    completer = rlcompleter.Completer(
        {"interactive": sys.modules["json.decoder"] if "json.decoder" in sys.modules else sys}
    )
    print(completer.complete("interactive.__na", 0))
    code.interact("hello", local={"__name__": "console"}, exitmsg="bye")
    for options in ([], ["-i", "-c", "x = 3"], ["-q", "-i"]):
        done = subprocess.run(
            [sys.executable, *options], input="print(__name__)\n2 +\n", capture_output=True, text=True
        )
        print(done.stdout, done.stderr.partition("on linux")[2] or done.stderr)
