"""`czscie image`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from czscie.commands.options import (
    DEFAULT_MANIFEST,
    AsJson,
    Files,
    Frozen,
    Locked,
    Manifest,
    Offline,
    Platforms,
    Quiet,
    Release,
    Vendor,
    Verbose,
    find_files,
    find_platforms,
    lock_use,
    open_console,
)


def image(
    manifest: Manifest = DEFAULT_MANIFEST,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The archive to write, for `docker load` and `podman load`. Default: NAME.tar.",
        ),
    ] = None,
    oci: Annotated[Path | None, typer.Option("--oci", help="The OCI layout directory to write.")] = None,
    base: Annotated[
        list[Path] | None,
        typer.Option(
            "--base", metavar="FILE", help="The archive of a base image. Repeatable. Default: FROM scratch."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", "-t", metavar="NAME", help="The name of the image: REPOSITORY[:TAG]."),
    ] = None,
    platform: Platforms = None,
    files: Files = None,
    locked: Locked = False,
    frozen: Frozen = False,
    offline: Offline = False,
    vendor: Vendor = None,
    release: Release = False,
    print_dockerfile: Annotated[
        bool, typer.Option("--print-dockerfile", help="Print an equivalent Dockerfile instead.")
    ] = False,
    json: AsJson = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Build a container image for all Linux platforms of the lift manifest. Nothing is unpacked at run time.

    The path goes to standard output, everything else to standard error.
    """
    from czscie.console import write_json, write_result
    from czscie.lift.manifest import read_manifest

    if print_dockerfile:
        from czscie.image.dockerfile import dockerfile
        from czscie.loader import check_platforms

        lift = read_manifest(manifest)
        check_platforms(lift, find_platforms(platform))
        write_result(dockerfile(lift).rstrip("\n"))
        return
    use = lock_use(locked, frozen)
    console = open_console(verbose, quiet)
    with console.command(f"Building the image of {manifest}"):
        from czscie import api
        from czscie.image.build import ImageOptions
        from czscie.image.report import as_json, print_images
        from czscie.session import Session

        if output is None and oci is None:
            output = Path(f"{read_manifest(manifest).name}.tar")
        order = ImageOptions.parse(output, oci, name, base or ())
        session = Session.of(
            console, offline=offline, vendor=vendor, files=find_files(files), release=release
        )
        made = api.image(manifest, order, platforms=find_platforms(platform), use=use, session=session)
    print_images(made, console.errors)
    if json:
        write_json(as_json(made))
    else:
        for path in filter(None, (output, oci)):
            write_result(str(path))
