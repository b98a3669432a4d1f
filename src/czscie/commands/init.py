"""`czscie init`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from czscie.commands import candidates
from czscie.commands.options import (
    DEFAULT_MANIFEST,
    EntryPoint,
    ExtraIndexes,
    Extras,
    FindLinks,
    Groups,
    Index,
    NoIndex,
    Offline,
    Quiet,
    Requirements,
    Verbose,
    find_platforms,
    named,
    open_console,
    payload_options,
)


def init(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="A directory with a pyproject.toml, a PEX, or a script (PEP 723). Default: this directory.",
            show_default=False,
        ),
    ] = None,
    requirement: Requirements = None,
    entry_point: EntryPoint = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")] = DEFAULT_MANIFEST,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform",
            metavar="NAME",
            autocompletion=candidates.platforms,
            help="Add this platform. Repeatable. Default: this machine's.",
        ),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            "--python",
            metavar="VERSION",
            help="The CPython version, or its beginning: 3.13. Default: newest.",
        ),
    ] = None,
    extra: Extras = None,
    group: Groups = None,
    find_links: FindLinks = None,
    index: Index = None,
    extra_index: ExtraIndexes = None,
    no_index: NoIndex = False,
    pbs_release: Annotated[
        str | None,
        typer.Option(
            "--pbs-release", metavar="DATE", help="The python-build-standalone release. Default: newest."
        ),
    ] = None,
    release: Annotated[str | None, typer.Option("--release", metavar="DATE", hidden=True)] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing manifest.")] = False,
    offline: Offline = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Write a first lift manifest for a project, a PEX, a script or requirements.

    Its path goes to standard output, everything else to standard error.
    """
    import shlex

    from czscie.console import write_result

    if source is not None and requirement:
        raise typer.BadParameter(f"--requirement cannot be used with {source}")
    if source is None and not requirement:
        source = Path()
    if release is not None and pbs_release is not None:
        raise typer.BadParameter("--release is the old name of --pbs-release")
    console = open_console(verbose, quiet)
    if release is not None:
        console.warn(
            "--release is the old name of --pbs-release: in other commands, --release compresses harder"
        )
    with console.command(f"Reading {named(source, requirement)}"):
        from czscie import api
        from czscie.init.choice import PythonRequest
        from czscie.init.program import Program
        from czscie.session import Session

        request = PythonRequest.parse(python, find_platforms(platform))
        if (chosen := pbs_release or release) is not None:
            request = dataclasses.replace(request, release=chosen)
        options = payload_options(extra, group, find_links, index, extra_index, no_index)
        program = Program(source, tuple(requirement or ()), entry_point, request, options, "init")
        api.init(program, output, force=force, session=Session.of(console, offline=offline))
    manifest = "" if output == DEFAULT_MANIFEST else f" {shlex.quote(str(output))}"
    console.line(f"Next: czscie build{manifest}")
    write_result(str(output))
