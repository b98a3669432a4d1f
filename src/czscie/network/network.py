"""The network settings of this process: time limits, and whether it may use the network at all."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.network.clock import Clock

#: Anything but nothing, 0, no and false: no socket is opened, as with `--offline`.
OFFLINE = "CZSCIE_OFFLINE"
#: The longest silence of a server, in seconds.
TIMEOUT = "CZSCIE_NET_TIMEOUT"
#: The most that a whole download may take, in seconds, waits and further attempts included.
DEADLINE = "CZSCIE_NET_DEADLINE"

_NO = ("", "0", "no", "false")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server, in seconds, and how often to retry.

    `read` is the longest silence, `deadline` the limit for one file with all attempts. The wait before the
    second attempt is `first_wait` and doubles before each further one; if a server asks for more than
    `longest_wait`, czscie gives up. `clock` is the source of time.
    """

    connect: float = 15.0
    read: float = 30.0
    deadline: float = 3600.0
    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0
    clock: Clock = field(default_factory=Clock, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Network:
    """The settings for all downloads.

    `directories` may contain files that would be downloaded, by their own names; they are searched first.
    `parallel` is the number of simultaneous downloads.
    """

    patience: Patience = field(default_factory=Patience)
    offline: bool = False
    directories: tuple[Path, ...] = ()
    parallel: int = 6
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @classmethod
    def of(
        cls,
        environ: Mapping[str, str] = os.environ,
        directories: Sequence[Path] = (),
        *,
        offline: bool = False,
    ) -> Network:
        """The settings of the environment. Raises CzscieError when one is invalid."""
        patience = Patience()
        silence = _seconds(environ, TIMEOUT)
        deadline = _seconds(environ, DEADLINE)
        return cls(
            patience=Patience(
                connect=min(patience.connect, silence or patience.connect),
                read=silence or patience.read,
                deadline=deadline or patience.deadline,
            ),
            offline=offline or environ.get(OFFLINE, "").lower() not in _NO,
            directories=tuple(directories),
            environ=environ,
        )

    def without_directories(self) -> Network:
        """The same, which takes nothing of a directory that somebody carried here."""
        return replace(self, directories=())


def _seconds(environ: Mapping[str, str], variable: str) -> float | None:
    text = environ.get(variable)
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise CzscieError(
            f"{variable} is {text!r}, which is not a number of seconds",
            code=Code.NETWORK_SETTING,
            hint=f"set {variable}=60",
        )
    return seconds
