"""`czscie-science`: the command line of science 0.21, as far as building scies needs it.

Every option can be set in the environment, too: SCIENCE_CACHE_DIR, SCIENCE_LIFT_FILE,
SCIENCE_LIFT_BUILD_DEST_DIR and so on. pex calls `science [options] lift [options] build [options] MANIFEST`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from czscie import __version__
from czscie.cli import run_app
from czscie.commands.options import find_files, find_platforms
from czscie.errors import Code, CzscieError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from czscie.platforms import Platform
    from czscie.science.build import LiftOptions
    from czscie.session import Session

#: The version of science whose command line this is; who it is stands in the local part (PEP 440).
VERSION = f"0.21.0+czscie.{__version__}"
SHELLS = ("bash", "zsh", "fish")
ALGORITHMS = sorted(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake_"))

app = typer.Typer(
    name="czscie-science",
    help="Build scies of lift manifests with czscie, called as science is called.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "SCIENCE"},
)
lift_app = typer.Typer(help="Build scies of a lift manifest.", no_args_is_help=True)
provider_app = typer.Typer(help="Show the providers of interpreters.", no_args_is_help=True)
download_app = typer.Typer(help="Download what builds without a network need.", no_args_is_help=True)
download_provider_app = typer.Typer(help="Download interpreters.", no_args_is_help=True)
app.add_typer(lift_app, name="lift")
app.add_typer(provider_app, name="provider")
app.add_typer(download_app, name="download")
download_app.add_typer(download_provider_app, name="provider")

_Manifest = Annotated[Path, typer.Argument(help="The lift manifest; - reads standard input.")]
_Sandbox = Annotated[bool, typer.Option("--preserve-sandbox", help="Accepted: there is no sandbox.")]
_Jump = Annotated[Path | None, typer.Option("--use-jump", help="Accepted: the launcher is that of czscie.")]
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

    options = LiftOptions(app_name, tuple(_platforms(platform or (), libc)), tuple(invert_lazy or ()))
    console = Console(silent=bool(context.obj))
    context.obj = options, Session.of(console, files=find_files(file))


def _platforms(names: Sequence[str], libcs: Sequence[str] | None) -> list[Platform]:
    """Every platform of `names` with every libc of `libcs`, glibc by default."""
    for libc in libcs or ():
        if libc not in ("gnu", "musl"):
            raise typer.BadParameter(f"--libc takes gnu or musl, not {libc}")
    whole = [_with_libc(name, libc) for name in names for libc in libcs or ("gnu",)]
    return list(dict.fromkeys(find_platforms(whole)))


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
    preserve_sandbox: _Sandbox = False,
    use_jump: _Jump = None,
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


@lift_app.command()
def export(
    context: typer.Context,
    manifest: _Manifest = Path("lift.toml"),
    dest_dir: _DestDir = Path(),
    use_platform_suffix: _Suffix = None,
) -> None:
    """Write the lift of each platform as JSON, as science's launcher takes it, and print the paths."""
    from czscie.console import write_result
    from czscie.science.build import has_suffix, read
    from czscie.science.export import export_lifts

    options, session = _given(context)
    lift = read(manifest, options, session)
    for path in export_lifts(lift, dest_dir, has_suffix(lift, use_platform_suffix), session):
        write_result(str(path))


@lift_app.command()
def run(
    context: typer.Context,
    manifest: _Manifest = Path("lift.toml"),
    arguments: Annotated[
        list[str] | None, typer.Argument(help="The arguments of the scie; its options follow --.")
    ] = None,
    preserve_sandbox: _Sandbox = False,
    use_jump: _Jump = None,
) -> None:
    """Build a scie for this platform, and run it. It is kept in the cache."""
    from dataclasses import replace

    from czscie.platforms import current_platform
    from czscie.science.build import load, provide_scie

    options, session = _given(context)
    lift = load(manifest, replace(options, platforms=(current_platform(),)), session)
    status = subprocess.run([provide_scie(lift, session), *(arguments or ())]).returncode
    sys.exit(status if status >= 0 else 128 - status)


@provider_app.command("list")
def list_providers(
    as_json: Annotated[bool, typer.Option("--json", help="Print the providers as JSON.")] = False,
) -> None:
    """List the providers of interpreters that a manifest can name."""
    from czscie.console import write_json, write_result
    from czscie.lift.interpreter import KINDS

    if not as_json:
        for kind in KINDS:
            write_result(kind.PROVIDER)
        return
    members = [
        {
            "description": None,
            "short_name": kind.PROVIDER,
            "source": "builtin",
            "summary": (kind.__doc__ or "").partition("\n")[0],
            "type": f"{kind.__module__}.{kind.__qualname__}",
        }
        for kind in KINDS
    ]
    write_json(members)


@download_app.callback()
def _download(
    context: typer.Context,
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", help="Download for this platform. Repeatable. Default: this platform."),
    ] = None,
    all_platforms: Annotated[
        bool, typer.Option("--all-platforms", help="Download for all platforms that there are.")
    ] = False,
    libc: Annotated[
        list[str] | None, typer.Option("--libc", help="The libc of Linux platforms: gnu or musl. Repeatable.")
    ] = None,
) -> None:
    from czscie.console import Console
    from czscie.platforms import PLATFORMS, current_platform
    from czscie.session import Session

    if platform and all_platforms:
        raise typer.BadParameter("--platform cannot be used with --all-platforms")
    if all_platforms:
        platforms = [each for each in PLATFORMS if not each.libc or each.libc in (libc or ("gnu",))]
    else:
        platforms = _platforms(platform or [current_platform().name.removeprefix("musl-")], libc)
    context.obj = platforms, not all_platforms, Session.of(Console(silent=bool(context.obj)))


_Directory = Annotated[Path, typer.Argument(metavar="DEST_DIR", help="The directory to write to.")]
_BaseUrl = Annotated[
    list[str] | None, typer.Option("--base-url", help="A mirror to download from. Repeatable.")
]
_Versions = Annotated[list[str] | None, typer.Option("--version", help="Ignored. Repeatable.")]


@download_provider_app.command("PythonBuildStandalone")
def download_cpython(
    context: typer.Context,
    dest_dir: _Directory,
    version: Annotated[
        list[str], typer.Option("--version", help='The version, such as "3.13" or "3.13.9". Repeatable.')
    ],
    release: Annotated[
        list[str] | None, typer.Option("--release", help="The release. Repeatable. Default: the newest.")
    ] = None,
    flavor: Annotated[
        list[str] | None,
        typer.Option("--flavor", help="The flavor. Repeatable. Default: install_only_stripped."),
    ] = None,
    base_url: _BaseUrl = None,
) -> None:
    """Download CPythons of python-build-standalone, as a mirror, and print its URL."""
    from itertools import product

    from czscie.console import write_result
    from czscie.lift.interpreter import DEFAULT_FLAVOR, PythonBuildStandalone
    from czscie.science.download import download_interpreters
    from czscie.science.mirror import StandaloneMirror

    platforms, all_needed, session = context.obj
    wanted = [
        PythonBuildStandalone(
            id="cpython",
            version=each,
            release=tag,
            flavor=kind,
            libc=None,
            base_url=tuple(base_url or ()),
            lazy=False,
        )
        for each, tag, kind in product(version, release or (None,), flavor or (DEFAULT_FLAVOR,))
    ]
    mirror = StandaloneMirror(dest_dir)
    download_interpreters(wanted, platforms, mirror, session, all_needed=all_needed)
    write_result(mirror.url)


@download_provider_app.command("PyPy")
def download_pypy(
    context: typer.Context,
    dest_dir: _Directory,
    version: Annotated[
        list[str], typer.Option("--version", help='The version of Python, such as "3.11". Repeatable.')
    ],
    release: Annotated[
        list[str] | None,
        typer.Option("--release", help='The release, such as "v7.3.20". Repeatable. Default: the newest.'),
    ] = None,
    base_url: _BaseUrl = None,
) -> None:
    """Download PyPys, as a mirror, and print its URL."""
    from itertools import product

    from czscie.console import write_result
    from czscie.lift.interpreter import PyPy
    from czscie.science.download import download_interpreters
    from czscie.science.mirror import PyPyMirror

    platforms, all_needed, session = context.obj
    wanted = [
        PyPy(id="pypy", version=each, release=tag, base_url=tuple(base_url or ()), lazy=False)
        for each, tag in product(version, release or (None,))
    ]
    mirror = PyPyMirror(dest_dir)
    download_interpreters(wanted, platforms, mirror, session, all_needed=all_needed)
    write_result(mirror.url)


@download_app.command("scie-jump", hidden=True)
def download_scie_jump(dest_dir: _Directory, version: _Versions = None) -> None:
    """Refused: czscie has its own."""
    raise CzscieError(
        "czscie-science does not download scie-jump",
        code=Code.UNSUPPORTED,
        why="czscie uses its own launcher",
        hint="leave this step out",
    )


@download_app.command("ptex", hidden=True)
def download_ptex(dest_dir: _Directory, version: _Versions = None) -> None:
    """Refused: czscie has its own."""
    raise CzscieError(
        "czscie-science does not download ptex",
        code=Code.UNSUPPORTED,
        why="czscie has its own program for lazy downloads",
        hint="leave this step out",
    )


@app.command("doc", hidden=True, context_settings={"ignore_unknown_options": True})
def open_doc(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Refused: there is no server of documentation."""
    raise CzscieError(
        "czscie-science does not serve documentation",
        code=Code.UNSUPPORTED,
        why="science's documentation describes the manifest, and `czscie-science lift --help` the options",
        hint="read https://science.scie.app/manifest.html",
    )


@app.command()
def complete(
    context: typer.Context,
    shell: Annotated[
        str | None, typer.Option("--shell", help="bash, zsh or fish. Default: the one of SHELL.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Write to this file.")] = None,
) -> None:
    """Print a completion script for a shell."""
    from contextlib import nullcontext, redirect_stdout

    chosen = shell or Path(os.environ.get("SHELL", "")).name
    if chosen not in SHELLS:
        raise typer.BadParameter(f"--shell takes one of {', '.join(SHELLS)}, not {chosen!r}")
    root = context.find_root()
    program = root.info_name or "czscie-science"
    os.environ[f"_{program}_COMPLETE".replace("-", "_").upper()] = f"source_{chosen}"
    with nullcontext(sys.stdout) if output is None else output.open("w") as stream, redirect_stdout(stream):
        root.command.main([], prog_name=program)


def _given(context: typer.Context) -> tuple[LiftOptions, Session]:
    options, session = context.obj
    return options, session


def main() -> None:
    """Runs the command line; every error is a message and exit status 1, Ctrl-C exit status 130."""
    run_app(app)
