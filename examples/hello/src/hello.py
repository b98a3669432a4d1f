"""A cow that tells where it runs."""

import platform
import sys

import cowsay


def main() -> None:
    greeting = " ".join(sys.argv[1:]) or "Hello!"
    cowsay.cow(f"{greeting} I am CPython {platform.python_version()} and came in one file.")


if __name__ == "__main__":
    main()
