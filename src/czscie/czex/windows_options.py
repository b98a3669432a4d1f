"""The parts of an environment that only Windows gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from czscie.container.content import File


@dataclass(frozen=True, slots=True)
class WindowsOptions:
    """`redirectors` are the programs that stand for Python in `Scripts` (CPython's own).

    `script_launchers` is distlib's wheel, for the scripts of entry points. `dpi_awareness` is what the
    application says of its windows, as an application manifest calls it, None for nothing.
    """

    redirectors: Sequence[File] = ()
    script_launchers: Path | None = None
    dpi_awareness: str | None = None

    @property
    def start(self) -> dict[str, object]:
        """What `czscie_boot.Application` has of them, by name."""
        return {} if self.dpi_awareness is None else {"dpi_awareness": self.dpi_awareness}
