# Runs in whatever Python of the host was given a scie to run, 2.7 and newer: `python3 app`.
"""The `__main__` of a scie's payload. It starts the scie, which has an interpreter of its own."""

import os
import sys


def main():
    scie = os.path.abspath(os.path.dirname(__file__))
    arguments = [scie] + sys.argv[1:]
    try:
        if os.name == "nt":
            import subprocess

            return subprocess.call(arguments)
        os.execv(scie, arguments)
    except OSError as error:
        return (
            "%s: error: this executable is for another platform, or its file system forbids execution: %s"
            % (
                os.path.basename(scie),
                error.strerror,
            )
        )


if __name__ == "__main__":
    sys.exit(main())
