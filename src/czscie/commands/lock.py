"""`czscie lock`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from czscie.commands import candidates
from czscie.commands.options import (
    DEFAULT_MANIFEST,
    Files,
    InvertLazy,
    Manifest,
    Offline,
    Quiet,
    Verbose,
    find_files,
    open_console,
)


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
        typer.Option(
            "--upgrade-only",
            "-P",
            metavar="ID",
            autocompletion=candidates.locked_names,
            help="Upgrade this interpreter or package only.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Show what would change, and write nothing. Exit with 1 if anything would."
        ),
    ] = False,
    attest: Annotated[
        bool,
        typer.Option("--attest", help="Verify who built the interpreters (docs/reference/attestations.md)."),
    ] = False,
    attestations: Annotated[
        Path | None,
        typer.Option("--attestations", help="A directory or file of attestations, instead of GitHub's."),
    ] = None,
    trusted_root: Annotated[
        Path | None, typer.Option("--trusted-root", help="A file with Sigstore's trusted root.")
    ] = None,
    files: Files = None,
    invert_lazy: InvertLazy = None,
    offline: Offline = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Pin the inputs of the lift manifest in the lock beside it.

    What is locked stays, unless the manifest changed or an upgrade is requested.
    """
    from czscie.console import write_result

    attests = attest or attestations is not None or trusted_root is not None
    if attests and check:
        raise typer.BadParameter("--check cannot be used with --attest")
    console = open_console(verbose, quiet)
    with console.command(f"{'Checking the lock of' if check else 'Locking'} {manifest}"):
        from czscie import api
        from czscie.session import Session

        session = Session.of(console, offline=offline, files=find_files(files), inverted=invert_lazy or ())
        if check:
            changes = api.check_lock(manifest, session=session)
        else:
            from czscie.lock.upgrade import Upgrade

            attestor = None
            if attests:
                from czscie.attestation.attestor import Attestor

                attestor = Attestor.of(session.network, console, attestations, trusted_root)
            wanted = Upgrade(upgrade, frozenset(only or ()))
            path = api.lock(manifest, wanted, attestor=attestor, session=session)
    if not check:
        write_result(str(path))
        return
    for change in changes:
        write_result(change)
    raise typer.Exit(1 if changes else 0)
