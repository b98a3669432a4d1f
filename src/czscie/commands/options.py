"""The options that several commands have, each spelt once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from czscie.commands import candidates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from czscie.console import Console
    from czscie.init.program import PayloadOptions, Program
    from czscie.lock.use import LockUse
    from czscie.platforms import Platform

Manifest = Annotated[Path, typer.Argument(help="The lift manifest.")]
Executable = Annotated[Path, typer.Argument(help="An executable that czscie built.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="The directory to write to; for a program, the file. Default: dist.",
        show_default=False,
    ),
]
Platforms = Annotated[
    list[str] | None,
    typer.Option(
        "--platform",
        metavar="NAME",
        autocompletion=candidates.lift_platforms,
        help="Use this platform only. Repeatable. Default: all of the manifest, or this machine's.",
    ),
]
Locked = Annotated[bool, typer.Option("--locked", help="Fail if the lock is out of date.")]
Frozen = Annotated[bool, typer.Option("--frozen", help="Use the lock; do not check that it is up to date.")]
Offline = Annotated[bool, typer.Option("--offline", help="Run without network access.")]
Release = Annotated[
    bool, typer.Option("--release", help="Compress harder: a smaller file, but a slower first build.")
]
Vendor = Annotated[
    Path | None,
    typer.Option("--vendor", help="Use the files that `czscie vendor` wrote to this directory."),
]
Files = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="ID=PATH",
        autocompletion=candidates.file_ids,
        help="Use this file for the manifest's file of this key or name. Repeatable.",
    ),
]
InvertLazy = Annotated[
    list[str] | None,
    typer.Option(
        "--invert-lazy",
        metavar="ID",
        autocompletion=candidates.lazy_ids,
        help="Embed this interpreter or file if it is lazy, otherwise make it lazy. Repeatable.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose", "-v", count=True, show_default=False, help="List every item; -vv also commands and URLs."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors and results.")]

Target = Annotated[
    Path | None,
    typer.Argument(
        help="A lift manifest, a directory with a lift.toml or a pyproject.toml, a PEX, or a script "
        "(PEP 723). Default: lift.toml.",
        show_default=False,
    ),
]
Requirements = Annotated[
    list[Path] | None,
    typer.Option(
        "--requirement", "-r", metavar="FILE", help="A requirements file, in place of a program. Repeatable."
    ),
]
EntryPoint = Annotated[
    str | None,
    typer.Option(
        "--entry-point",
        "-c",
        metavar="NAME",
        help="The console script, module or module:function to start. Default: the program's own.",
    ),
]
Extras = Annotated[
    list[str] | None,
    typer.Option(
        "--extra",
        metavar="NAME",
        autocompletion=candidates.extras,
        help="Also install this extra of the project. Repeatable.",
    ),
]
Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group",
        metavar="NAME",
        autocompletion=candidates.groups,
        help="Also install this dependency group. Repeatable.",
    ),
]
FindLinks = Annotated[
    list[str] | None,
    typer.Option(
        "--find-links",
        "-f",
        metavar="DIR|URL",
        help="Also take wheels from this directory or page. Repeatable.",
    ),
]
Index = Annotated[
    str | None, typer.Option("--index", metavar="URL", help="The package index, in place of pip's.")
]
ExtraIndexes = Annotated[
    list[str] | None, typer.Option("--extra-index", metavar="URL", help="An additional index. Repeatable.")
]
NoIndex = Annotated[bool, typer.Option("--no-index", help="Take wheels from --find-links only.")]
Python = Annotated[
    str | None,
    typer.Option(
        "--python",
        metavar="VERSION",
        help="The CPython for a program: 3.13, 3.13.9, or 3.13.9+RELEASE. Default: newest.",
    ),
]

#: The options for keys of `lift.payload`.
_OPTIONS = {
    "extras": "--extra",
    "groups": "--group",
    "find_links": "--find-links",
    "index": "--index",
    "extra_index": "--extra-index",
    "no_index": "--no-index",
}

#: What a manifest has in place of the options for programs.
_KEYS = {
    "--python": "version of [[lift.interpreters]]",
    "--entry-point": "entry_point of [lift.payload]",
    **{option: f"{key} of [lift.payload]" for key, option in _OPTIONS.items()},
}

DEFAULT_MANIFEST = Path("lift.toml")
DEFAULT_OUTPUT = Path("dist")


def check_among(value: str, names: Sequence[str]) -> None:
    """Raises typer.BadParameter when `value` is none of `names`."""
    if value not in names:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(names)}")


def named(target: Path | None, requirements: Sequence[Path] | None = None) -> str:
    """What a command works on, for people."""
    return (
        ", ".join(map(str, requirements or ()))
        if target is None and requirements
        else str(target or DEFAULT_MANIFEST)
    )


def open_console(verbose: int, quiet: bool) -> Console:
    """The console of a command. Raises typer.BadParameter when both options are given."""
    from czscie.console import Console, Detail

    if verbose and quiet:
        raise typer.BadParameter("--verbose cannot be used with --quiet")
    return Console(detail=Detail.QUIET if quiet else Detail(min(verbose, Detail.TRACE)))


def lock_use(locked: bool, frozen: bool) -> LockUse:
    """What two options say. Raises typer.BadParameter when both are given."""
    from czscie.lock.use import LockUse

    if locked and frozen:
        raise typer.BadParameter("--locked cannot be used with --frozen")
    return LockUse.LOCKED if locked else LockUse.FROZEN if frozen else LockUse.UPDATE


def find_platforms(names: Sequence[str] | None) -> list[Platform]:
    """The platforms of these names. Raises CzscieError for one that is unknown."""
    from czscie.platforms import find_platform

    return [find_platform(name) for name in names or ()]


def find_subject(
    target: Path | None,
    requirements: Sequence[Path] | None,
    entry_point: str | None,
    python: str | None,
    platforms: Sequence[Platform],
    options: PayloadOptions,
    **of_manifests: object,
) -> Path | Program:
    """The manifest or the program that the options mean; `of_manifests` are options that need a manifest.

    Raises CzscieError when there is none, typer.BadParameter for options that do not go together.
    """
    from czscie.init.choice import PythonRequest
    from czscie.init.program import Program
    from czscie.init.target import find_manifest

    of_programs = {
        "--requirement": requirements,
        "--entry-point": entry_point,
        "--python": python,
        **{_OPTIONS[key]: value for key, value in options.keys.items()},
    }
    if target is not None and requirements:
        raise typer.BadParameter(f"--requirement cannot be used with {target}")
    if not requirements and (manifest := find_manifest(target)) is not None:
        if used := [name for name, value in of_programs.items() if value]:
            raise typer.BadParameter(
                f"{used[0]} is for programs without a manifest: set {_KEYS[used[0]]} in {manifest}"
                + _without(manifest)
            )
        return manifest
    if used := [f"--{name.replace('_', '-')}" for name, value in of_manifests.items() if value]:
        raise typer.BadParameter(f"{used[0]} needs a manifest, which czscie init writes")
    request = PythonRequest.parse(python, platforms)
    return Program(target, tuple(requirements or ()), entry_point, request, options)


def _without(manifest: Path) -> str:
    """How to name the project beside `manifest` in place of it, as the end of a sentence."""
    from czscie.init.alternatives import PROJECT_FILE

    project = manifest.with_name(PROJECT_FILE)
    return f", or name {project} to build without it" if project.is_file() else ""


def payload_options(
    extras: Sequence[str] | None,
    groups: Sequence[str] | None,
    find_links: Sequence[str] | None,
    index: str | None,
    extra_index: Sequence[str] | None,
    no_index: bool,
) -> PayloadOptions:
    from czscie.init.program import PayloadOptions

    return PayloadOptions(
        tuple(extras or ()),
        tuple(groups or ()),
        tuple(find_links or ()),
        index,
        tuple(extra_index or ()),
        no_index,
    )


def find_output(output: Path | None, subject: Path | Program) -> tuple[Path, bool]:
    """The directory or the file to write, and whether it is a file: only a program's executable can be."""
    if output is None:
        return DEFAULT_OUTPUT, False
    is_file = not isinstance(subject, Path) and not output.is_dir()
    return output, is_file


def find_files(texts: Sequence[str] | None) -> dict[str, Path]:
    """The absolute paths that `ID=PATH` say, by ids. Raises typer.BadParameter for what says none."""
    files: dict[str, Path] = {}
    for text in texts or ():
        identifier, _, path = text.partition("=")
        if not identifier or not path:
            raise typer.BadParameter(f"--file takes ID=PATH, not {text!r}")
        files[identifier] = Path(path).absolute()
    return files
