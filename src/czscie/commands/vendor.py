"""`czscie vendor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def vendor(
    directory: Annotated[Path, typer.Argument(help="The directory to write to.")],
    manifest: Annotated[Path, typer.Argument(help="The lift manifest.")] = Path("lift.toml"),
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="For this platform only. Repeatable.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Write nothing; check what the directory holds.")
    ] = False,
) -> None:
    """Write all that building a lift takes into a directory, for `czscie build --offline --vendor DIRECTORY`.

    Interpreters, wheels, launchers, the lock, licence texts, bills of materials, and a page to read.
    """
    from czscie.build import read_order
    from czscie.console import Console, write_result
    from czscie.errors import CzscieError
    from czscie.platforms import find_platform
    from czscie.vendor.checksums import faults
    from czscie.vendor.write import write_vendor

    console = Console()
    if verify:
        if found := faults(directory):
            raise CzscieError(f"{directory} is damaged", why=found, mend=f"czscie vendor {directory}")
        console.line(f"{directory} is whole")
        return
    lift, targets = read_order(manifest, [find_platform(name) for name in platform or ()])
    write_vendor(lift, targets, directory, console)
    write_result(str(directory))
