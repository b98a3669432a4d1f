"""`czscie lock`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def lock(
    manifest: Annotated[Path, typer.Argument(help="The lift manifest.")] = Path("lift.toml"),
    upgrade: Annotated[
        bool, typer.Option("--upgrade", "-U", help="Take the newest of all that the manifest allows.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--upgrade-only", "-P", metavar="ID", help="Of this interpreter or package only."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 and say what would change.")
    ] = False,
) -> None:
    """Pin all that the lift manifest asks for in the lock beside it.

    What is locked stays, unless the manifest has changed or an upgrade is asked for.
    """
    from czscie.console import Console, write_result
    from czscie.lock.command import check_lock, update_lock

    console = Console()
    if check:
        changes = check_lock(manifest, console)
        for change in changes:
            write_result(change)
        raise typer.Exit(1 if changes else 0)
    write_result(str(update_lock(manifest, upgrade, only or (), console)))
