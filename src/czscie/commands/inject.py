"""`czscie inject`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from czscie.commands import candidates
from czscie.commands.options import AsJson, Offline, Quiet, Verbose, find_platforms, open_console
from czscie.container.level import DEFAULT_LEVEL


def inject(
    pex: Annotated[Path, typer.Argument(help="A PEX: a file, or a directory (packed or loose).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The CZEX to write. Default: beside the PEX.")
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform",
            metavar="NAME",
            autocompletion=candidates.platforms,
            help="Include a launcher for this platform. Repeatable. Default: the platforms of the wheels.",
        ),
    ] = None,
    compression_level: Annotated[
        int, typer.Option("--compression-level", min=1, max=22, help="The zstd compression level.")
    ] = DEFAULT_LEVEL,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="The number of threads. 0 uses all cores.")
    ] = 0,
    offline: Offline = False,
    json: AsJson = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Convert a PEX to a CZEX: smaller, faster to start, run by any Python of a host.

    Its path goes to standard output, everything else to standard error.
    """
    from czscie import api
    from czscie.console import write_json, write_result
    from czscie.czex.inject import Compression
    from czscie.session import Session

    session = Session.of(open_console(verbose, quiet), offline=offline)
    with session.console.command(f"Reading {pex}"):
        made = api.inject(
            pex,
            output,
            platforms=find_platforms(platform),
            compression=Compression(compression_level, jobs or None),
            session=session,
        )
    if made.is_zip64:
        session.console.warn(
            "CPython before 3.13 cannot start it: its zipimport cannot read zips of 4 GiB or more"
        )
    if json:
        write_json({"path": str(made.path), "size": made.size, "launchers": list(made.launchers)})
    else:
        write_result(str(made.path))
