"""`czscie init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from czscie.commands.options import Offline, find_platforms


def init(
    source: Annotated[
        Path, typer.Argument(help="A directory with a pyproject.toml, a PEX, or a script (PEP 723).")
    ] = Path(),
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")] = Path(
        "lift.toml"
    ),
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", help="Add this platform. Repeatable. Default: this machine's."),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option("--python", help="The CPython version, or its beginning: 3.13. Default: newest."),
    ] = None,
    release: Annotated[
        str | None, typer.Option("--release", help="The python-build-standalone release. Default: newest.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing manifest.")] = False,
    offline: Offline = False,
) -> None:
    """Write a first lift manifest for a project, a PEX or a script.

    Its path goes to standard output, everything else to standard error.
    """
    from czscie import api
    from czscie.console import Console, write_result
    from czscie.init.choice import PythonRequest
    from czscie.session import Session

    session = Session.of(Console(), offline=offline)
    request = PythonRequest(python, release, tuple(dict.fromkeys(find_platforms(platform))))
    api.init(source, output, request, force=force, session=session)
    write_result(str(output))
