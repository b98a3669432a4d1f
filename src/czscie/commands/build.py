"""`czscie build`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from czscie.lock.ensure import LockUse
    from czscie.network.network import Network


def build(
    manifest: Annotated[Path, typer.Argument(help="The lift manifest.")] = Path("lift.toml"),
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory to write to.")] = Path("dist"),
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Build for this platform only. Repeatable.")
    ] = None,
    locked: Annotated[bool, typer.Option("--locked", help="Fail when the lock is not up to date.")] = False,
    frozen: Annotated[
        bool,
        typer.Option("--frozen", help="Build from the lock; do not check that it is up to date."),
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Open no network connection.")] = False,
    vendor: Annotated[
        Path | None,
        typer.Option("--vendor", help="Use the files that `czscie vendor` wrote to this directory."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Build one executable per platform of the lift manifest.

    Each executable's path and SHA-256 go to standard output, everything else to standard error.
    """
    from czscie.build import build as build_lift
    from czscie.console import Console, write_json, write_result
    from czscie.network.network import go_offline
    from czscie.platforms import find_platform
    from czscie.report import as_json, print_contents

    console = Console()
    if offline:
        go_offline()
    platforms = [find_platform(name) for name in platform or ()]
    built = build_lift(manifest, output, platforms, console, lock_use(locked, frozen), _network(vendor))
    for contents in built:
        print_contents(contents, console.errors)
    if json:
        write_json([as_json(contents) for contents in built])
    else:
        for contents in built:
            write_result(f"{contents.path}  {contents.sha256}")


def _network(vendor: Path | None) -> Network:
    from czscie.network.network import Network
    from czscie.vendor.directory import open_vendor

    return Network.of(directories=() if vendor is None else open_vendor(vendor))


def lock_use(locked: bool, frozen: bool) -> LockUse:
    """What two options say. Raises typer.BadParameter when both are given."""
    from czscie.lock.ensure import LockUse

    if locked and frozen:
        raise typer.BadParameter("--locked looks whether the lock is up to date, --frozen does not")
    return LockUse.LOCKED if locked else LockUse.FROZEN if frozen else LockUse.UPDATE
