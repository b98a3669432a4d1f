"""What goes into the executable of one platform: pinned and at hand, nothing of it packed yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from czscie.console import Console
from czscie.interpreters import PinnedInterpreter
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.lift import Lift
from czscie.pbs.provider import Provider
from czscie.platforms import Platform


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one executable. `interpreters` are by their ids; `pex` is None where there is no payload;
    `files` are those that the lift embeds, each with where it is.
    """

    lift: Lift
    platform: Platform
    interpreters: Mapping[str, PinnedInterpreter]
    pex: Path | None
    files: tuple[tuple[EmbeddedFile, Path], ...]

    @classmethod
    def gather(
        cls, lift: Lift, platform: Platform, provider: Provider, directory: Path, console: Console
    ) -> Inputs:
        """`directory` is for what is made for this build alone. Raises CzscieError for what cannot be had."""
        interpreters = {
            each.id: PinnedInterpreter.resolve(each, platform, provider, console)
            for each in lift.interpreters
        }
        pex = _pex(lift, platform, interpreters, directory, console)
        return cls(lift, platform, interpreters, pex, _files(lift, console))


def _pex(
    lift: Lift,
    platform: Platform,
    interpreters: Mapping[str, PinnedInterpreter],
    directory: Path,
    console: Console,
) -> Path | None:
    """The payload's PEX, made by pex if it has to be."""
    payload = lift.payload
    if payload is None or payload.pex is not None:
        return None if payload is None else payload.pex
    from czscie.czex.payload import make_pex

    layout = interpreters[payload.interpreter].traits().layout
    made = directory / f"pex-{platform.name}"
    made.mkdir()
    with console.phase("Resolved the payload with pex"):
        return make_pex(payload, platform, layout, payload.glibc, made)


def _files(lift: Lift, console: Console) -> tuple[tuple[EmbeddedFile, Path], ...]:
    from czscie.scie.files import locate

    return tuple((file, locate(file, console)) for file in lift.files)
