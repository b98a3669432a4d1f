"""One command a promise: each prints what a program may expect of the Python that runs it."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def files() -> None:
    """Data beside a module, data below the prefix, the metadata of the installed distributions."""
    print((importlib.resources.files("toolbox") / "words.txt").read_text().split())
    print(Path(__file__).with_name("words.txt").read_text().split())
    print((Path(sys.prefix) / "share/toolbox/quote.txt").read_text(), end="")
    print(sorted(distribution.metadata["Name"] for distribution in importlib.metadata.distributions()))
    print(sorted(point.name for point in importlib.metadata.entry_points(group="console_scripts")))


def extra() -> None:
    import cowsay

    print(cowsay.get_output_string("cow", "extra"))


def sources() -> None:
    """Modules that came as sources beside the wheels."""
    from workbench import drawers

    print(drawers.contents())


def children() -> None:
    """`sys.executable` is this very environment, in a child and in a child's child."""
    code = "import sys, toolbox; print(sys.prefix, toolbox.__file__)"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    sys.stdout.flush()
    subprocess.run([sys.executable, "-c", code], check=True)
    subprocess.run([sys.executable, "-c", nested], check=True)
    subprocess.run([sys.executable, "-m", "toolbox.world", "executable"], check=True)


def scripts() -> None:
    """The scripts in the environment's `bin`, started as programs."""
    programs = Path(sys.prefix) / "bin"
    for name in ("toolbox-where", "toolbox"):
        subprocess.run([programs / name, *(["files"] if name == "toolbox" else ["a", "b"])], check=True)


def pool() -> None:
    with multiprocessing.get_context("spawn").Pool(2) as workers:
        results = workers.map(square, range(8), chunksize=1)
    print([number for number, _ in results])
    print(os.getpid() not in {process for _, process in results})


COMMANDS = {command.__name__: command for command in (files, extra, sources, children, scripts, pool)}


def main() -> None:
    for name in sys.argv[1:]:
        COMMANDS[name]()


if __name__ == "__main__":
    main()
