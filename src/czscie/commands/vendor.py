"""`czscie vendor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from czscie.commands.options import (
    DEFAULT_MANIFEST,
    Files,
    Manifest,
    Offline,
    Platforms,
    Quiet,
    Verbose,
    find_files,
    find_platforms,
    open_console,
)


def vendor(
    directory: Annotated[Path, typer.Argument(help="The directory to write to.")],
    manifest: Manifest = DEFAULT_MANIFEST,
    platform: Platforms = None,
    files: Files = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the directory against the lock, and write nothing.")
    ] = False,
    offline: Offline = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Write all inputs of a build into a directory, for `czscie build --offline --vendor DIRECTORY`.

    Interpreters, wheels, launchers, the lock, licence texts, bills of materials, and a page to read.
    """
    from czscie.console import write_result

    console = open_console(verbose, quiet)
    with console.command(f"{'Verifying' if verify else 'Writing'} {directory}"):
        from czscie import api
        from czscie.errors import Code, CzscieError
        from czscie.session import Session

        session = Session.of(console, offline=offline, files=find_files(files))
        platforms = find_platforms(platform)
        if not verify:
            api.vendor(manifest, directory, platforms=platforms, session=session)
        elif found := api.verify_vendor(manifest, directory, platforms=platforms, session=session):
            raise CzscieError(
                f"{directory} does not match {manifest} and its lock",
                code=Code.VENDOR_UNUSABLE,
                why=found,
                hint=f"czscie vendor {directory} {manifest} on a machine with network access",
            )
    if verify:
        console.line(f"{directory} matches {manifest} and its lock")
    else:
        write_result(str(directory))
