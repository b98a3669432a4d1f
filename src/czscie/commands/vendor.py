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
    find_files,
    find_platforms,
)


def vendor(
    directory: Annotated[Path, typer.Argument(help="The directory to write to.")],
    manifest: Manifest = DEFAULT_MANIFEST,
    platform: Platforms = None,
    files: Files = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Write nothing; check the directory against the lock.")
    ] = False,
    offline: Offline = False,
) -> None:
    """Write all that building a lift takes into a directory, for `czscie build --offline --vendor DIRECTORY`.

    Interpreters, wheels, launchers, the lock, licence texts, bills of materials, and a page to read.
    """
    from czscie import api
    from czscie.console import Console, write_result
    from czscie.errors import CzscieError
    from czscie.session import Session

    session = Session.of(Console(), offline=offline, files=find_files(files))
    platforms = find_platforms(platform)
    if verify:
        if found := api.verify_vendor(manifest, directory, platforms=platforms, session=session):
            raise CzscieError(
                f"{directory} is not what {manifest} and its lock ask for",
                why=found,
                hint=f"czscie vendor {directory} {manifest} on a machine with network access",
            )
        session.console.line(f"{directory} is what {manifest} and its lock ask for")
        return
    api.vendor(manifest, directory, platforms=platforms, session=session)
    write_result(str(directory))
