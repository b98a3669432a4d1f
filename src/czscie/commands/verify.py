"""`czscie verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from czscie.commands.options import (
    AsJson,
    Files,
    Offline,
    Quiet,
    Release,
    Vendor,
    Verbose,
    find_files,
    open_console,
)


def verify(
    file: Annotated[Path, typer.Argument(help="An executable that czscie built, for any platform.")],
    lock: Annotated[
        Path | None, typer.Option("--lock", help="Check what it was built from against this lock.")
    ] = None,
    rebuild: Annotated[
        Path | None,
        typer.Option("--rebuild", help="Rebuild this manifest and compare byte for byte."),
    ] = None,
    files: Files = None,
    offline: Offline = False,
    vendor: Vendor = None,
    release: Release = False,
    json: AsJson = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Check every digest of an executable, and that it contains nothing else."""
    from czscie import api
    from czscie.console import write_json, write_result
    from czscie.errors import Code, CzscieError
    from czscie.session import Session

    session = Session.of(
        open_console(verbose, quiet), offline=offline, vendor=vendor, files=find_files(files), release=release
    )
    with session.console.command(f"Verifying {file}"):
        found = api.verify(file, lock=lock, manifest=rebuild, session=session)
    if json:
        write_json(found.as_json())
        if found.problems:
            raise typer.Exit(1)
        return
    for line in () if found.lock is None else found.lock.unknown:
        session.console.warn(f"unknown: {line}")
    if found.file.problems:
        raise CzscieError(
            f"{file} was changed after it was built",
            code=Code.EXECUTABLE_DAMAGED,
            why=found.problems,
            hint="copy or download the file again",
        )
    if found.problems:
        raise CzscieError(
            f"{file} differs from its lock or manifest",
            code=Code.LOCK_DIFFERS,
            why=found.problems,
            hint="build it again, or run czscie lock",
        )
    write_result(f"{file}: {found.file.entries} entries, all intact")
    if found.lock is not None:
        write_result(f"{file}: {found.lock.agreed} recorded inputs match the lock")
    if found.rebuilt is not None:
        write_result(f"{file}: a rebuild gives the same bytes")
