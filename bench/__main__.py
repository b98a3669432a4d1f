"""Compares our scie with its peers and with the limits, in one run: `python -m bench`.

Everybody runs the same program on the same CPython: our scie and scie-jump hold a copy of it, PEXes, shiv and
the virtual environment are started with it, PyInstaller and Nuitka build from it. Everybody is built from the
same wheels.

    python -m bench                                    cowsay on the CPython that runs this
    python -m bench --scenario cowsay web numpy-pandas torch --only czex pex pex-venv venv
    python -m bench --scenario numpy-pandas --rounds 40
    python -m bench --interpreter cpython-….tar.gz     one of python-build-standalone's
    python -m bench --only pex-venv limit              our scie and these
    python -m bench --warm-cost                        what the launcher adds to a warm start

How it is measured:

- Contestants take turns (A B C, A B C, …) after a first round that is not counted. A turn is a cold start and
  two warm ones. Figures are medians, with minimum and maximum. Nothing is asserted: figures are for people.
- A cold start finds none of the contestant's own caches: they are deleted before each turn, which is not
  timed, and the disk is let finish (sync) then and before the warm starts. The page cache stays warm: the
  file itself and the CPython of those that need one have been read before, and that CPython's own bytecode
  is there. A warm start is the second and every later one.
- Of a scenario no round is begun after --seconds, so slow ones have fewer samples; the tables say how many.
  A program that does not end within half an hour is killed and told of.
- Everybody has a home, a cache and a temporary directory to itself, below one scratch directory (--scratch,
  or one in TMPDIR that is deleted) on one file system, and an environment with nothing else in it. Where the
  deletions between the turns slow down what comes after them, everybody's cold starts are several times as
  slow: an ext4 without a journal passes over the inodes of deleted files for minutes, and one that is mounted
  with `discard` gives blocks back meanwhile. Put the scratch directory on another file system then. torch
  needs 25 GB of it for the five of the second line above; without --scratch a scenario's files are deleted
  before the next one begins.
- Wall time is from the spawn to the end; CPU time is user and system time, and peak memory that of the
  largest process, as wait4(2) reports them for the program and the children that it waited for. Peak memory
  is never less than that of the process which starts the programs, about ten megabytes.
- The limit writes as many bytes into as many files and directories as our scie installs, on one thread and on
  as many as there are cores. `python -m` in a plain virtual environment is what everybody knows, warm.

--warm-cost takes turns between our scie and an exec of the very Python that it becomes, with the same
arguments and environment, 300 times each or as often as is said, and counts the system calls before the
execve if there is a strace. Nobody else takes part. It needs Linux.

PyInstaller and shiv take part when they are installed (`pip install '.[bench]'`), Nuitka when it is named and
installed (with a C compiler and patchelf), PyApp when it is named and there is a cargo, scie-jump when one is
given. Whoever fails is reported and does not stop the others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich.console import Console as RichConsole
from rich.progress import Progress

from bench import warm_cost
from bench.contestants import CONTESTANTS, OURS, SLOW, Entrant, Start
from bench.interpreter import unpack
from bench.machine import Machine
from bench.measure import Outcome, take_turns
from bench.report import Report
from bench.scenarios import SCENARIOS
from bench.summary import Summary
from bench.warm_cost import WarmCost
from bench.workshop import LeftOut, Workshop
from czscie.console import Console
from czscie.errors import Code, CzscieError

#: Cold starts are slow and spread little.
_WARM_STARTS = 2

#: After them no round of a scenario is begun.
_SECONDS = 900

#: What the launcher adds is less than one start differs from the next.
_WARM_COST_RUNS = 300


def main() -> int:
    options = _parse(sys.argv[1:])
    console = Console()
    try:
        with _scratch(options.scratch) as scratch:
            report = _run(options, Path(scratch).resolve(), console)
    except CzscieError as error:
        console.fail(error)
        return 1
    report.print(RichConsole(highlight=False))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(), indent=2) + "\n")
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--scenario",
        nargs="+",
        choices=SCENARIOS,
        default=["cowsay"],
        metavar="NAME",
        help=", ".join(SCENARIOS),
    )
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument("--seconds", type=int, default=_SECONDS, metavar="N", help=f"default: {_SECONDS}")
    python = parser.add_mutually_exclusive_group()
    python.add_argument("--python", type=Path, metavar="PATH", help="a CPython or its directory")
    python.add_argument("--interpreter", type=Path, metavar="ARCHIVE", help="a CPython as an archive")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, metavar="NAME", help=", ".join(CONTESTANTS))
    parser.add_argument(
        "--warm-cost", type=int, nargs="?", const=_WARM_COST_RUNS, metavar="N", help="see above"
    )
    parser.add_argument("--scie-jump", type=Path, metavar="PATH", help="a scie-jump to compare with")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="a new directory, which is kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to FILE")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds has to be 1 or more")
    if options.warm_cost is not None and (options.warm_cost < 1 or len(options.scenario) > 1):
        parser.error("--warm-cost has to be 1 or more, of one scenario")
    return options


def _scratch(path: Path | None) -> AbstractContextManager[str]:
    """A directory of our own: `path`, which must be new, or a temporary one."""
    if path is None:
        return tempfile.TemporaryDirectory(prefix="czscie-bench-")
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise CzscieError(
            f"cannot make the scratch directory {path}", code=Code.PROGRAM_FAILED, why=error.strerror or ""
        ) from error
    return nullcontext(str(path))


def _run(options: argparse.Namespace, scratch: Path, console: Console) -> Summary | WarmCost:
    with console.phase("Unpacking the CPython", "Unpacked the CPython"):
        chosen = options.interpreter or options.python
        interpreter = unpack(chosen and chosen.absolute(), scratch / "cpython")
    scie_jump = options.scie_jump and options.scie_jump.absolute()
    reports = []
    for name in options.scenario:
        shop = Workshop(scratch / name, interpreter, SCENARIOS[name], scie_jump)
        with console.phase(f"Collecting the wheels of {name}", f"Collected the wheels of {name}"):
            wheels = shop.wheels
        console.line(", ".join(sorted(wheel.name for wheel in wheels.iterdir())))
        if options.warm_cost is not None:
            return _measure_warm_cost(shop, options.warm_cost, console)
        reports.append(_compare(shop, options, console))
        # At once: a run takes long, and what comes next may fail.
        reports[-1].print(RichConsole(highlight=False))
        if options.scratch is None:
            shutil.rmtree(shop.directory)
    return Summary(tuple(reports))


def _compare(shop: Workshop, options: argparse.Namespace, console: Console) -> Report:
    load = os.getloadavg()[0]
    names = [name for name in CONTESTANTS if name not in SLOW or options.only]
    if options.only:
        names = [name for name in names if name in {OURS, *options.only}]
    entrants, left_out = _build(shop, names, console)
    states = [(entrant, state) for entrant in entrants for state in entrant.states]
    starts = [
        Start(entrant, shop.sandbox(entrant.name), state == "cold", 1 if state == "cold" else _WARM_STARTS)
        for entrant, state in states
    ]
    errors = console.errors
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(shop.scenario.name, total=len(starts) * (options.rounds + 1))
        turns = take_turns(starts, options.rounds, lambda: progress.advance(task), options.seconds)
    outcomes: dict[str, list[Outcome]] = {"cold": [], "warm": []}
    for (_, state), outcome in zip(states, turns, strict=True):
        outcomes[state].append(outcome)
    machine = Machine.find(shop.directory, load)
    return Report(shop.scenario.name, machine, shop.interpreter, tuple(entrants), left_out, outcomes)


def _build(shop: Workshop, names: list[str], console: Console) -> tuple[list[Entrant], dict[str, str]]:
    """Those that could be built, in the order of `names`, and of the others why not."""
    entrants: dict[str, Entrant] = {}
    left_out: dict[str, str] = {}
    # PEXes first: others are made of them, and pex needs more room than anybody.
    for name in sorted(names, key=lambda name: not name.startswith("pex")):
        try:
            with console.phase(f"Building {name}", f"Built {name}"):
                entrants[name] = CONTESTANTS[name](shop)
        except LeftOut as reason:
            left_out[name] = str(reason)
        except (CzscieError, OSError) as error:
            left_out[name] = f"it could not be built: {error}"
    shop.discard_caches()
    return [entrants[name] for name in names if name in entrants], left_out


def _measure_warm_cost(shop: Workshop, rounds: int, console: Console) -> WarmCost:
    with console.phase(f"Building {OURS}", f"Built {OURS}"):
        entrant = CONTESTANTS[OURS](shop)
    errors = console.errors
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("warm starts", total=2 * (rounds + 1))
        return warm_cost.measure(entrant, shop.sandbox(OURS), rounds, lambda: progress.advance(task))


if __name__ == "__main__":
    sys.exit(main())
