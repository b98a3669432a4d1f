"""`czscie build`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def build(
    manifest: Annotated[Path, typer.Argument(help="The lift manifest.")] = Path("lift.toml"),
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory to write to.")] = Path("dist"),
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Build for this platform only. Repeatable.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was built as JSON.")] = False,
) -> None:
    """Build one executable per platform of the lift manifest.

    Each executable's path and SHA-256 go to standard output, everything else to standard error.
    """
    from czscie.build import build as build_lift
    from czscie.console import Console, write_json, write_result
    from czscie.platforms import find_platform
    from czscie.report import as_json, print_contents

    console = Console()
    platforms = [find_platform(name) for name in platform or ()]
    built = build_lift(manifest, output, platforms, console)
    for contents in built:
        print_contents(contents, console.errors)
    if json:
        write_json([as_json(contents) for contents in built])
    else:
        for contents in built:
            write_result(f"{contents.path}  {contents.sha256}")
