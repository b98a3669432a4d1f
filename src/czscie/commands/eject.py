"""`czscie eject`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def eject(
    czex: Annotated[Path, typer.Argument(help="A CZEX that `czscie inject` wrote.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The PEX to write. Default: beside the CZEX.")
    ] = None,
) -> None:
    """Convert a CZEX back to a plain PEX, for pex's own tools."""
    from czscie import api
    from czscie.console import Console, write_result
    from czscie.session import Session

    write_result(str(api.eject(czex, output, session=Session.of(Console()))))
