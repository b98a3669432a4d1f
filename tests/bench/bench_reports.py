"""A run as contestants would have made it, for the tests of what is printed of it."""

from __future__ import annotations

from pathlib import Path

from bench.contestants import Entrant
from bench.interpreter import Interpreter
from bench.machine import Machine
from bench.measure import Outcome
from bench.report import Report
from czscie.implementation import CPYTHON, Implementation
from czscie.lift.interpreter import Host
from czscie.pbs.distribution import Distribution, Layout
from czscie.platforms import find_platform

DISTRIBUTION = Distribution(
    find_platform("linux-x86_64"),
    Layout(Implementation(CPYTHON, "3.13.9"), "bin/python3.13", "lib/python3.13"),
    (),
    None,
)
PYTHON = Interpreter(
    Path("root"),
    Path("root/python"),
    Host("cpython"),
    "3.13.9",
    "from a test",
    56,
    7,
    DISTRIBUTION,
    "ab" * 32,
)


def entrant(name: str) -> Entrant:
    return Entrant(name, f"about {name}", (f"/{name}",), 1_500_000, "", states=("cold",))


def report(*cold: Outcome) -> Report:
    return Report(
        scenario="cowsay",
        machine=Machine("Linux", 2, "ext4", (0.5, 1.5)),
        interpreter=PYTHON,
        entrants=tuple(entrant(outcome.name) for outcome in cold),
        left_out={"shiv": "shiv is not installed"},
        outcomes={"cold": cold},
    )


def columns(lines: list[str], name: str) -> str:
    """The row of `name`, a space between its columns."""
    (row,) = (line for line in lines if line.startswith(name))
    return " ".join(row.split())
