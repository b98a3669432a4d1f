"""A PEX, for `czscie init`: its PEX-INFO, and the platforms of its wheels."""

from __future__ import annotations

from pathlib import Path

from czscie.czex.pex import Pex
from czscie.czex.resolve import resolve
from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.init.alternatives import PEX_SUFFIX
from czscie.init.source import ProgramSource
from czscie.platforms import Platform


def read_pex(path: Path) -> ProgramSource:
    """The PEX at `path`, a file or a directory. Raises CzscieError when it is not a PEX."""
    with Pex.open(path) as pex:
        starts = bool(pex.info.entry_point or pex.info.script)
        scripts = {name for wheel in pex.wheels for name in wheel.entry_points.console}
    return ProgramSource(
        source="pex",
        path=path,
        name=path.resolve().name.removesuffix(PEX_SUFFIX),
        description=None,
        entry_point=None,
        others=() if starts else tuple(sorted(scripts)),
        starts=starts,
        asks=" or ".join(pex.info.interpreter_constraints),
        obstacles=lambda platform, version: _obstacles(pex, platform, version),
    )


def _obstacles(pex: Pex, platform: Platform, version: str) -> tuple[str, ...]:
    """The errors that a build would report: it chooses the wheels in the same way."""
    try:
        resolve(pex, platform, Implementation(CPYTHON, version))
    except CzscieError as error:
        return (error.what, *error.why)
    return ()
