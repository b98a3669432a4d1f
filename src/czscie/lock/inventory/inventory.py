"""The one list of inputs: build fetches it, plan prints it, vendor copies it, verify compares it, and a lock
pins it.

A new kind of input is a class and its place in KINDS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from czscie.lift.lift import Lift
from czscie.lock.inventory.file import FileInput
from czscie.lock.inventory.icon import IconInput
from czscie.lock.inventory.input import Answer, Input, Scope
from czscie.lock.inventory.interpreter import InterpreterInput
from czscie.lock.inventory.launcher import LauncherInput
from czscie.lock.inventory.libc import LibcInput
from czscie.lock.inventory.payload import PayloadInput
from czscie.lock.inventory.wheel import WheelInput
from czscie.network.fetch import fetch
from czscie.network.network import Network

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.lock.inventory.comparison import Comparison, Evidence

_Kind = TypeVar("_Kind", bound=Input)

#: In the order of messages and reports.
KINDS: tuple[type[Input], ...] = (
    InterpreterInput,
    FileInput,
    LibcInput,
    IconInput,
    PayloadInput,
    WheelInput,
    LauncherInput,
)


def inventory(scope: Scope) -> tuple[Input, ...]:
    """All inputs of the executables of `scope`. Raises CzscieError when one is not locked."""
    return tuple(each for kind in KINDS for each in kind.of(scope))


def of_kind(inputs: Iterable[Input], kind: type[_Kind]) -> list[_Kind]:
    """The `inputs` of one kind."""
    return [each for each in inputs if isinstance(each, kind)]


def current(lift: Lift) -> Mapping[str, Any]:
    """The keys of a lock of `lift` that this machine knows without a network, and their values. Raises
    CzscieError.
    """
    return {key: value for kind in KINDS for key, value in kind.current(lift).items()}


def changes(answer: Answer) -> Iterator[str]:
    """A line for each input that the lock lacks."""
    for kind in KINDS:
        yield from kind.changes(answer)


def compare(found: Comparison, evidence: Evidence) -> None:
    """Compares what an executable records about its inputs with its lock."""
    for kind in KINDS:
        kind.compare(found, evidence)


def obtain(inputs: Sequence[Input], network: Network, console: Console) -> list[Path]:
    """The files of `inputs`, in their order, downloaded in parallel. Raises CzscieError."""
    remotes = [remote for each in inputs if (remote := each.remote) is not None]
    fetched = iter(fetch(remotes, network, console))
    return [next(fetched) if each.remote is not None else each.obtain(network, console) for each in inputs]
