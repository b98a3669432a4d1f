"""`czscie lock`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from czscie.commands.options import DEFAULT_MANIFEST, Files, Manifest, Offline, find_files


def lock(
    manifest: Manifest = DEFAULT_MANIFEST,
    upgrade: Annotated[
        bool,
        typer.Option(
            "--upgrade", "-U", help="Upgrade everything to the newest version that the manifest allows."
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--upgrade-only", "-P", metavar="ID", help="Upgrade this interpreter or package only."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Show what would change, and write nothing. Exit with 1 if anything would."
        ),
    ] = False,
    attest: Annotated[
        bool, typer.Option("--attest", help="Verify who built the interpreters (docs/attestations.md).")
    ] = False,
    attestations: Annotated[
        Path | None,
        typer.Option("--attestations", help="A directory or file of attestations, instead of GitHub's."),
    ] = None,
    trusted_root: Annotated[
        Path | None, typer.Option("--trusted-root", help="A file with Sigstore's trusted root.")
    ] = None,
    files: Files = None,
    offline: Offline = False,
) -> None:
    """Pin the inputs of the lift manifest in the lock beside it.

    What is locked stays, unless the manifest changed or an upgrade is requested.
    """
    from czscie import api
    from czscie.console import Console, write_result
    from czscie.lock.upgrade import Upgrade
    from czscie.session import Session

    session = Session.of(Console(), offline=offline, files=find_files(files))
    attestor = None
    if attest or attestations is not None or trusted_root is not None:
        from czscie.attestation.attestor import Attestor

        if check:
            raise typer.BadParameter(
                "--check compares the lock with the manifest, --attest verifies what it pins"
            )
        attestor = Attestor.of(session.network, session.console, attestations, trusted_root)
    if check:
        changes = api.check_lock(manifest, session=session)
        for change in changes:
            write_result(change)
        raise typer.Exit(1 if changes else 0)
    wanted = Upgrade(upgrade, frozenset(only or ()))
    write_result(str(api.lock(manifest, wanted, attestor=attestor, session=session)))
