"""`czscie eject`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def eject(
    czex: Annotated[Path, typer.Argument(help="A CZEX that `czscie inject` made.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The PEX to write; default: beside the CZEX.")
    ] = None,
) -> None:
    """Make a CZEX a plain PEX again, for pex's own tools."""
    from czscie.console import Console, megabytes, write_result
    from czscie.czex.eject import default_output
    from czscie.czex.eject import eject as eject_czex

    console = Console()
    target = output or default_output(czex)
    with console.phase(f"Ejected {czex}") as phase:
        eject_czex(czex, target)
        phase.become(f"Ejected {czex}: {megabytes(target.stat().st_size)}")
    write_result(str(target))
