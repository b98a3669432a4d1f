"""`czscie inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from czscie.commands.options import AsJson, Executable


def inspect(
    file: Executable,
    json: AsJson = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="PAGE", help="Write a page that shows every file in it by its size."),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", metavar="OLDER", help="With --html: show what changed since this file."),
    ] = None,
) -> None:
    """Show what is inside an executable: parts, sizes packed and unpacked, digests, commands."""
    from czscie import api
    from czscie.console import Console, write_json, write_result
    from czscie.report import as_json, print_contents, print_digests

    if html is not None:
        if json:
            raise typer.BadParameter("--json cannot be used with --html")
        api.inspect_page(file, html, older=compare)
        write_result(str(html))
        return
    if compare is not None:
        raise typer.BadParameter("--compare needs --html PAGE, which it writes")
    contents = api.inspect(file)
    if json:
        write_json(as_json(contents))
    else:
        console = Console()
        print_contents(contents, console.results)
        print_digests(contents, console.results)
