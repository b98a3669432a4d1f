"""`czscie vendor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def vendor(
    directory: Annotated[Path, typer.Argument(help="The directory to write to.")],
    manifest: Annotated[Path, typer.Argument(help="The lift manifest.")] = Path("lift.toml"),
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Vendor for this platform only. Repeatable.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Write nothing; check the directory against the lock.")
    ] = False,
) -> None:
    """Write all that building a lift takes into a directory, for `czscie build --offline --vendor DIRECTORY`.

    Interpreters, wheels, launchers, the lock, licence texts, bills of materials, and a page to read.
    """
    from czscie.console import Console, write_result
    from czscie.errors import CzscieError
    from czscie.loader import load_lift
    from czscie.platforms import find_platform
    from czscie.vendor.verify import verify_vendor
    from czscie.vendor.write import write_vendor

    console = Console()
    platforms = [find_platform(name) for name in platform or ()]
    lift, targets = load_lift(manifest, platforms)
    if verify:
        if found := verify_vendor(lift, targets if platforms else (), directory, console):
            raise CzscieError(
                f"{directory} is not what {manifest} and its lock ask for",
                why=found,
                hint=f"czscie vendor {directory} {manifest} on a machine with network access",
            )
        console.line(f"{directory} is what {manifest} and its lock ask for")
        return
    write_vendor(lift, targets, directory, console)
    write_result(str(directory))
