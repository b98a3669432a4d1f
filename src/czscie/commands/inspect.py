"""`czscie inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect(
    file: Annotated[Path, typer.Argument(help="An executable that czscie built.")],
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what is inside an executable: parts, sizes packed and unpacked, digests, commands."""
    from czscie.console import Console, write_json
    from czscie.report import as_json, print_contents, print_digests
    from czscie.scie.inspect import read_scie

    contents = read_scie(file)
    if json:
        write_json(as_json(contents))
    else:
        console = Console()
        print_contents(contents, console.results)
        print_digests(contents, console.results)
