"""Compares imports of the standard library from files and from a pack, in one run: `python -m bench.imports`.

The same CPython imports the same modules: from its files, with bytecode there already; from a pack; and with
no finder at all, the same code unmarshalled and executed. Each is started with `-I`, by turns.

    python -m bench.imports                                    the CPython that runs this
    python -m bench.imports --interpreter cpython-….tar.gz     one of python-build-standalone's
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.interpreter import unpack, write_tree
from bench.machine import Machine
from bench.measure import Sample, Spread, start, take_turns
from czscie.console import Console
from czscie.errors import Code, CzscieError
from czscie.lift.pack import PackSettings
from czscie.pack.python import own_compiler
from czscie.pack.standard_library import pack_library
from czscie.pbs.distribution import Distribution
from czscie.pbs.prune import prune

_PROGRAMS = Path(__file__).with_name("programs")


@dataclass(frozen=True, slots=True)
class Import:
    """One way of importing; nothing is cold about it."""

    name: str
    command: tuple[str, ...]
    directory: Path
    times: int = 1

    def prepare(self) -> None:
        """Nothing."""

    def run(self) -> Sample:
        return start(self.command, {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, self.directory)[0]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.imports",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=40, metavar="N")
    parser.add_argument("--interpreter", type=Path, metavar="PATH", help="a CPython: archive or executable")
    options = parser.parse_args()
    console = Console()
    try:
        with tempfile.TemporaryDirectory(prefix="czscie-bench-") as scratch:
            _compare(options.interpreter, options.runs, Path(scratch), console)
    except CzscieError as error:
        console.fail(error)
        return 1
    return 0


def _compare(chosen: Path | None, runs: int, scratch: Path, console: Console) -> None:
    load = os.getloadavg()[0]
    interpreter = unpack(chosen and chosen.absolute(), scratch / "files")
    distribution = prune(interpreter.distribution, ()).distribution
    _replace(scratch / "files", distribution)
    _replace(scratch / "packed", _packed(distribution, interpreter.digest))
    layout = distribution.layout
    files, packed = scratch / "files" / layout.python, scratch / "packed" / layout.python
    # Bytecode is there for whoever has files.
    _ask(files, "-m", "compileall", "-q", str(scratch / "files" / layout.stdlib))
    modules = _ask(files, str(_PROGRAMS / "list_modules.py")).split()
    program, code = scratch / "program.py", scratch / "code"
    program.write_text(f"import {', '.join(modules)}\n")
    _ask(files, str(_PROGRAMS / "collect_code.py"), str(program), str(code))
    quiet = ("-I", "-W", "ignore")
    contestants = [
        Import("files", (str(files), *quiet, str(program)), scratch),
        Import("packed", (str(packed), *quiet, str(program)), scratch),
        Import(
            "no finder",
            (str(files), *quiet, str(_PROGRAMS / "without_finder.py"), str(code), str(program)),
            scratch,
        ),
        Import("files, nothing imported", (str(files), "-I", "-c", "pass"), scratch),
        Import("packed, nothing imported", (str(packed), "-I", "-c", "pass"), scratch),
    ]
    outcomes = take_turns(contestants, runs)
    print(f"import of {len(modules)} modules by CPython {layout.version}, {runs} runs by turns, medians")
    print(Machine.find(scratch, load))
    for outcome in outcomes:
        if outcome.failure is not None:
            print(f"{outcome.name:26} {outcome.failure}")
            continue
        print(
            f"{outcome.name:26} wall {_milliseconds(outcome.wall, outcomes[0].wall)}   "
            f"CPU {_milliseconds(outcome.processor, outcomes[0].processor)}"
        )


def _milliseconds(spread: Spread, first: Spread) -> str:
    return (
        f"{spread.median * 1e3:6.1f} ms x {spread.median / first.median:.2f} (least {spread.least * 1e3:.1f})"
    )


def _packed(distribution: Distribution, digest: str) -> Distribution:
    compiler = own_compiler(digest, distribution.layout, lambda: distribution)
    if compiler is None:
        raise CzscieError("the CPython does not run here", code=Code.PROGRAM_FAILED)
    return pack_library(distribution, compiler, PackSettings()).distribution


def _replace(root: Path, distribution: Distribution) -> None:
    import shutil

    shutil.rmtree(root, ignore_errors=True)
    write_tree(distribution, root)


def _ask(python: Path, *arguments: str) -> str:
    done = subprocess.run(
        [str(python), "-I", "-W", "ignore", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise CzscieError(
            f"{arguments[0]} failed", code=Code.PROGRAM_FAILED, why=done.stderr.strip().splitlines()[-5:]
        )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
