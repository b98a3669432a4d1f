"""The options that several commands have, each spelt once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from czscie.lock.use import LockUse
    from czscie.platforms import Platform

Manifest = Annotated[Path, typer.Argument(help="The lift manifest.")]
Executable = Annotated[Path, typer.Argument(help="An executable that czscie built.")]
OutputDirectory = Annotated[Path, typer.Option("--output", "-o", help="The directory to write to.")]
Platforms = Annotated[
    list[str] | None,
    typer.Option("--platform", help="Use this platform of the manifest only. Repeatable. Default: all."),
]
Locked = Annotated[bool, typer.Option("--locked", help="Fail if the lock is out of date.")]
Frozen = Annotated[bool, typer.Option("--frozen", help="Use the lock; do not check that it is up to date.")]
Offline = Annotated[bool, typer.Option("--offline", help="Run without network access.")]
Vendor = Annotated[
    Path | None,
    typer.Option("--vendor", help="Use the files that `czscie vendor` wrote to this directory."),
]
Files = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="ID=PATH",
        help="Take this file for the manifest's file of this key or name. Repeatable.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

DEFAULT_MANIFEST = Path("lift.toml")
DEFAULT_OUTPUT = Path("dist")


def lock_use(locked: bool, frozen: bool) -> LockUse:
    """What two options say. Raises typer.BadParameter when both are given."""
    from czscie.lock.use import LockUse

    if locked and frozen:
        raise typer.BadParameter("--locked checks the lock, and --frozen skips that check")
    return LockUse.LOCKED if locked else LockUse.FROZEN if frozen else LockUse.UPDATE


def find_platforms(names: Sequence[str] | None) -> list[Platform]:
    """The platforms of these names. Raises CzscieError for one that is unknown."""
    from czscie.platforms import find_platform

    return [find_platform(name) for name in names or ()]


def find_files(texts: Sequence[str] | None) -> dict[str, Path]:
    """The absolute paths that `ID=PATH` say, by ids. Raises typer.BadParameter for what says none."""
    files: dict[str, Path] = {}
    for text in texts or ():
        identifier, _, path = text.partition("=")
        if not identifier or not path:
            raise typer.BadParameter(f"--file takes ID=PATH, not {text!r}")
        files[identifier] = Path(path).absolute()
    return files
