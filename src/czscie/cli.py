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


@app.command()
def inject(
    pex: Annotated[Path, typer.Argument(help="A PEX: a file, or a directory (packed or loose).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The CZEX to write; default: beside the PEX.")
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform", help="Bring a launcher for this platform. Repeatable. Default: as the wheels."
        ),
    ] = None,
    compression_level: Annotated[
        int, typer.Option("--compression-level", min=1, max=22, help="The level of zstd.")
    ] = 12,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Threads that compress; 0: all cores.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Make a PEX a CZEX: smaller, faster to start, run by any Python of a host.

    Its path goes to standard output, everything else to standard error.
    """
    from czscie.console import Console, megabytes, write_json, write_result
    from czscie.czex.inject import default_output
    from czscie.czex.inject import inject as inject_pex
    from czscie.launchers.provide import provide_launcher
    from czscie.pbs.progress import Progress
    from czscie.platforms import find_platform

    console = Console()
    platforms = [find_platform(name) for name in platform or ()]
    with console.phase(f"Packed {pex}") as phase, Progress(console).work(f"packing {pex.name}") as show:
        target = output or default_output(pex)
        made = inject_pex(
            pex,
            target,
            platforms,
            lambda name: provide_launcher(name, console),
            compression_level,
            jobs or None,
            show,
        )
        launchers = ", ".join(made.launchers)
        phase.become(f"Packed {pex}: {megabytes(made.size)}, for {launchers}")
    if json:
        write_json({"path": str(made.path), "size": made.size, "launchers": list(made.launchers)})
    else:
        write_result(str(made.path))


@app.command()
def eject(
    czex: Annotated[Path, typer.Argument(help="A CZEX that `czscie inject` made.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The PEX to write; default: beside the CZEX.")
    ] = None,
) -> None:
    """Make a CZEX a plain PEX again, for pex's own tools."""
    from czscie.console import Console, megabytes, write_result
    from czscie.czex.eject import default_output
    from czscie.czex.eject import eject as eject_czex

    console = Console()
    target = output or default_output(czex)
    with console.phase(f"Ejected {czex}") as phase:
        eject_czex(czex, target)
        phase.become(f"Ejected {czex}: {megabytes(target.stat().st_size)}")
    write_result(str(target))


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
