"""`czscie image`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def image(
    manifest: Annotated[Path, typer.Argument(help="The lift manifest.")] = Path("lift.toml"),
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
        typer.Option("--base", help="The archive of a base image. Repeatable. Default: FROM scratch."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", "-t", help="The name of the image: REPOSITORY[:TAG].")
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", help="Build the image for this platform only. Repeatable."),
    ] = None,
    locked: Annotated[bool, typer.Option("--locked", help="Fail when the lock is not up to date.")] = False,
    frozen: Annotated[
        bool,
        typer.Option("--frozen", help="Build from the lock; do not check that it is up to date."),
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Open no network connection.")] = False,
    print_dockerfile: Annotated[
        bool, typer.Option("--print-dockerfile", help="Print an equivalent Dockerfile instead.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make a container image, with nothing left to unpack, for all Linux platforms of the lift manifest.

    The path goes to standard output, everything else to standard error.
    """
    from czscie.commands.build import lock_use
    from czscie.console import Console, write_json, write_result
    from czscie.image.build import ImageOptions, make_images
    from czscie.image.dockerfile import dockerfile
    from czscie.image.report import as_json, print_images
    from czscie.lift.manifest import read_manifest
    from czscie.network.network import go_offline
    from czscie.platforms import find_platform

    if print_dockerfile:
        write_result(dockerfile(read_manifest(manifest)).rstrip("\n"))
        return
    console = Console()
    if output is None and oci is None:
        output = Path(f"{read_manifest(manifest).name}.tar")
    platforms = [find_platform(each) for each in platform or ()]
    if offline:
        go_offline()
    order = ImageOptions.parse(output, oci, name, base or ())
    made = make_images(manifest, platforms, order, console, lock_use(locked, frozen))
    print_images(made, console.errors)
    if json:
        write_json(as_json(made))
    else:
        for path in filter(None, (output, oci)):
            write_result(str(path))
