"""`czscie plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plan(
    manifest: Annotated[Path, typer.Argument(help="The lift manifest.")] = Path("lift.toml"),
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory to write to.")] = Path("dist"),
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Plan for this platform only. Repeatable.")
    ] = None,
    locked: Annotated[bool, typer.Option("--locked", help="Fail when the lock is not up to date.")] = False,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Plan from the lock; do not check that it is up to date.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Open no network connection.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON (docs/plan.md).")] = False,
) -> None:
    """Show what `czscie build` would do, download and write, and do nothing of it.

    The plan goes to standard output, everything else to standard error.
    """
    import msgspec

    from czscie.build_plan import plan_build
    from czscie.commands.build import lock_use
    from czscie.console import Console, write_json
    from czscie.network.network import go_offline
    from czscie.plan_report import print_plan
    from czscie.platforms import find_platform

    console = Console()
    if offline:
        go_offline()
    platforms = [find_platform(name) for name in platform or ()]
    planned = plan_build(manifest, output, platforms, console, lock_use(locked, frozen))
    if json:
        write_json(msgspec.to_builtins(planned))
    else:
        print_plan(planned, console.results)
