"""`czscie-science`: the command line of science 0.21, as far as building scies needs it.

Every option can be set in the environment, too: SCIENCE_CACHE_DIR, SCIENCE_LIFT_FILE,
SCIENCE_LIFT_BUILD_DEST_DIR and so on. pex calls `science [options] lift [options] build [options] MANIFEST`.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from czscie import __version__
from czscie.cli import run_app
from czscie.commands.options import find_files, find_platforms

if TYPE_CHECKING:
    from czscie.science.build import LiftOptions
    from czscie.session import Session

#: The version of science whose command line this is; who it is stands in the local part (PEP 440).
VERSION = f"0.21.0+czscie.{__version__}"
ALGORITHMS = sorted(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake_"))

app = typer.Typer(
    name="czscie-science",
    help="Build scies of lift manifests with czscie, called as science is called.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "SCIENCE"},
)
lift_app = typer.Typer(help="Build scies of a lift manifest.", no_args_is_help=True)
provider_app = typer.Typer(help="Show the providers of interpreters.", no_args_is_help=True)
app.add_typer(lift_app, name="lift")
app.add_typer(provider_app, name="provider")

_Manifest = Annotated[Path, typer.Argument(help="The lift manifest; - reads standard input.")]
_DestDir = Annotated[Path, typer.Option("--dest-dir", help="The directory to write to.")]
_Suffix = Annotated[
    bool | None,
    typer.Option(
        "--use-platform-suffix/--no-use-platform-suffix",
        help="Whether file names have the platform. Default: if the manifest is not just for this platform.",
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(VERSION)
        raise typer.Exit


@app.callback()
def _science(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Accepted.")] = 0,
    quiet: Annotated[int, typer.Option("--quiet", "-q", count=True, help="Show errors only.")] = 0,
    cache_dir: Annotated[
        Path | None,
        typer.Option("--cache-dir", help="Accepted: the cache is that of czscie (CZSCIE_CACHE)."),
    ] = None,
) -> None:
    context.obj = quiet > verbose


@lift_app.callback()
def _lift(
    context: typer.Context,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="NAME=LOCATION", help="Where a file of the manifest is. Repeatable."),
    ] = None,
    invert_lazy: Annotated[
        list[str] | None,
        typer.Option("--invert-lazy", metavar="FILE_ID", help="Toggle the laziness of a file. Repeatable."),
    ] = None,
    include_provenance: Annotated[
        bool, typer.Option("--include-provenance", help="Accepted: every file has a bill of materials.")
    ] = False,
    app_name: Annotated[
        str | None, typer.Option("--app-name", help="The name of the scie, in place of the manifest's.")
    ] = None,
    app_info: Annotated[
        list[str] | None, typer.Option("--app-info", metavar="KEY=VALUE", help="Accepted. Repeatable.")
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", help="Build for this platform, whatever the manifest says. Repeatable."),
    ] = None,
    libc: Annotated[
        list[str] | None, typer.Option("--libc", help="The libc of Linux platforms: gnu or musl. Repeatable.")
    ] = None,
) -> None:
    from czscie.console import Console
    from czscie.science.build import LiftOptions
    from czscie.session import Session

    names = [_with_libc(name, each) for name in platform or () for each in libc or ("gnu",)]
    options = LiftOptions(app_name, tuple(dict.fromkeys(find_platforms(names))), tuple(invert_lazy or ()))
    console = Console(silent=bool(context.obj))
    context.obj = options, Session.of(console, files=find_files(file))


def _with_libc(platform: str, libc: str) -> str:
    return f"musl-{platform}" if libc == "musl" and platform.startswith("linux-") else platform


@lift_app.command()
def build(
    context: typer.Context,
    manifest: _Manifest = Path("lift.toml"),
    dest_dir: _DestDir = Path(),
    use_platform_suffix: _Suffix = None,
    hash_algorithms: Annotated[
        list[str] | None,
        typer.Option("--hash", help=f"Write a checksum file: {', '.join(ALGORITHMS)}. Repeatable."),
    ] = None,
    preserve_sandbox: Annotated[
        bool, typer.Option("--preserve-sandbox", help="Accepted: there is no sandbox.")
    ] = False,
    use_jump: Annotated[
        Path | None, typer.Option("--use-jump", help="Accepted: the launcher is that of czscie.")
    ] = None,
) -> None:
    """Build a scie for each platform of the manifest, and print the paths."""
    from czscie.console import write_result
    from czscie.science.build import build_scies, load

    for algorithm in hash_algorithms or ():
        if algorithm not in ALGORITHMS:
            raise typer.BadParameter(f"--hash takes one of {', '.join(ALGORITHMS)}, not {algorithm}")
    options, session = _given(context)
    lift = load(manifest, options, session)
    for path in build_scies(lift, dest_dir, use_platform_suffix, hash_algorithms or (), session):
        write_result(str(path))


@lift_app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    context: typer.Context,
    manifest: _Manifest = Path("lift.toml"),
    arguments: Annotated[list[str] | None, typer.Argument(help="The arguments of the scie.")] = None,
) -> None:
    """Build a scie for this platform in a temporary directory, and run it."""
    from dataclasses import replace

    from czscie.leftovers import scratch
    from czscie.platforms import current_platform
    from czscie.science.build import build_scies, load

    options, session = _given(context)
    lift = load(manifest, replace(options, platforms=(current_platform(),)), session)
    with scratch() as directory:
        [path] = build_scies(lift, directory, False, (), session)
        status = subprocess.run([path, *(arguments or ())]).returncode
    sys.exit(status if status >= 0 else 128 - status)


@provider_app.command("list")
def list_providers(
    as_json: Annotated[bool, typer.Option("--json", help="Print the providers as JSON.")] = False,
) -> None:
    """List the providers of interpreters that a manifest can name."""
    from czscie.console import write_json, write_result
    from czscie.lift.interpreter import PROVIDERS

    if as_json:
        write_json([{"short_name": name, "source": "czscie"} for name in PROVIDERS])
    else:
        for name in PROVIDERS:
            write_result(name)


def _given(context: typer.Context) -> tuple[LiftOptions, Session]:
    options, session = context.obj
    return options, session


def main() -> None:
    """Runs the command line; every error is a message and exit status 1, Ctrl-C exit status 130."""
    run_app(app)
