"""The commands, thin: parse, call, print."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from czscie import __version__
from czscie.errors import CzscieError

#: Set to anything, it lets tracebacks through: for whoever looks for a defect of czscie.
_TRACEBACK = "CZSCIE_TRACEBACK"

app = typer.Typer(
    name="czscie",
    help="A Python program as one native executable per platform.",
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"czscie {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def build(
    manifest: Annotated[Path, typer.Argument(help="The lift manifest.")] = Path("lift.toml"),
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory to write to.")] = Path("dist"),
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Build for this platform only. Repeatable.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was built as JSON.")] = False,
) -> None:
    """Build one executable per platform of the lift manifest.

    Each executable's path and SHA-256 go to standard output, everything else to standard error.
    """
    from czscie.build import build as build_lift
    from czscie.console import Console, write_json, write_result
    from czscie.platforms import find_platform
    from czscie.report import as_json, print_contents

    console = Console()
    platforms = [find_platform(name) for name in platform or ()]
    built = build_lift(manifest, output, platforms, console)
    for contents in built:
        print_contents(contents, console.errors)
    if json:
        write_json([as_json(contents) for contents in built])
    else:
        for contents in built:
            write_result(f"{contents.path}  {contents.sha256}")


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="An executable that czscie built.")],
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what is inside an executable: parts, sizes packed and unpacked, digests, commands."""
    from czscie.console import Console, write_json
    from czscie.report import as_json, print_contents, print_digests
    from czscie.scie.inspect import read_scie

    contents = read_scie(file)
    if json:
        write_json(as_json(contents))
    else:
        console = Console()
        print_contents(contents, console.results)
        print_digests(contents, console.results)


def main() -> None:
    """Runs the command line; every error is a message and exit status 1."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # file names are bytes
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get(_TRACEBACK):
            raise
        from czscie.console import Console

        Console().fail(_explain(error))
        sys.exit(1)


def _explain(error: Exception) -> CzscieError:
    if isinstance(error, CzscieError):
        return error
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        return CzscieError(f"{error.filename}: {what}" if error.filename else what)
    return CzscieError(
        f"czscie has a defect: {type(error).__name__}: {error}",
        mend=f"run it again with {_TRACEBACK}=1 and report what it prints",
    )
