"""`czscie build`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from czscie.commands.options import (
    AsJson,
    EntryPoint,
    ExtraIndexes,
    Extras,
    Files,
    FindLinks,
    Frozen,
    Groups,
    Index,
    InvertLazy,
    Locked,
    NoIndex,
    Offline,
    Output,
    Platforms,
    Python,
    Quiet,
    Release,
    Requirements,
    Target,
    Vendor,
    Verbose,
    find_files,
    find_output,
    find_platforms,
    find_subject,
    lock_use,
    named,
    open_console,
    payload_options,
)
from czscie.commands.passing import passed_arguments

if TYPE_CHECKING:
    from czscie.scie.inspect import Contents


def build(
    context: typer.Context,
    target: Target = None,
    requirement: Requirements = None,
    entry_point: EntryPoint = None,
    python: Python = None,
    extra: Extras = None,
    group: Groups = None,
    find_links: FindLinks = None,
    index: Index = None,
    extra_index: ExtraIndexes = None,
    no_index: NoIndex = False,
    output: Output = None,
    platform: Platforms = None,
    run: Annotated[
        bool,
        typer.Option("--run", help="Start the executable for this machine, with the arguments after --."),
    ] = False,
    files: Files = None,
    invert_lazy: InvertLazy = None,
    locked: Locked = False,
    frozen: Frozen = False,
    offline: Offline = False,
    vendor: Vendor = None,
    release: Release = False,
    json: AsJson = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Build one executable per platform of a lift manifest, or of a program without one.

    Each executable's path and SHA-256 go to standard output, everything else to standard error.
    """
    from czscie import last_build
    from czscie.console import Detail, duration, json_text, write_result
    from czscie.handover import become

    if passed_arguments(context) and not run:
        raise typer.BadParameter("arguments after -- need --run")
    use = lock_use(locked, frozen)
    console = open_console(verbose, quiet)
    with console.command(f"Building {named(target, requirement)}") as elapsed:
        from czscie import api
        from czscie.report import as_json, print_contents
        from czscie.session import Session

        platforms = find_platforms(platform)
        subject = find_subject(
            target,
            requirement,
            entry_point,
            python,
            platforms,
            payload_options(extra, group, find_links, index, extra_index, no_index),
            locked=locked,
            frozen=frozen,
            vendor=vendor,
            file=files,
            invert_lazy=invert_lazy,
        )
        path, as_file = find_output(output, subject)
        session = Session.of(
            console,
            offline=offline,
            vendor=vendor,
            files=find_files(files),
            inverted=invert_lazy or (),
            release=release,
        )
        built = api.build(subject, path, platforms=platforms, use=use, as_file=as_file, session=session)
    if console.detail >= Detail.VERBOSE:
        for contents in built:
            print_contents(contents, console.errors)
    console.line(f"Finished in {duration(elapsed())}{'' if run else f'. Next: {_next(built)}'}")
    program = str(_for_this_machine(built)) if run else ""
    results = json_text([as_json(contents) for contents in built]) if json else _lines(built)
    if console.detail <= Detail.NORMAL and not console.has_warned:
        paths = ", ".join(str(contents.path) for contents in built)
        said = f"Nothing has changed since {paths} {'was' if len(built) == 1 else 'were'} built\n"
        last_build.keep(
            results="" if run else f"{results}\n",
            said="" if console.detail is Detail.QUIET else said,
            program=program,
        )
    if run:
        become(program, passed_arguments(context))
    write_result(results)


def _lines(built: Sequence[Contents]) -> str:
    return "\n".join(f"{contents.path}  {contents.sha256}" for contents in built)


def _next(built: Sequence[Contents]) -> str:
    """What to do with what was built: commands."""
    import shlex

    from czscie.platforms import current_launcher

    path = shlex.quote(str(built[0].path))
    runs = built[0].manifest.scie.lift.platform.removeprefix("musl-") == current_launcher()
    return (
        f"{path if '/' in path else f'./{path}'}, or czscie inspect {path}"
        if runs
        else f"czscie inspect {path}"
    )


def _for_this_machine(built: Sequence[Contents]) -> Path:
    """The executable among `built` that this machine runs. Raises CzscieError when there is none."""
    from czscie.errors import Code, CzscieError
    from czscie.platforms import current_platform

    here = current_platform()
    found = [each for each in built if each.manifest.scie.lift.platform == here.name]
    if not found:
        raise CzscieError(
            f"there is no executable for {here.name} to run",
            code=Code.PLATFORM_NOT_BUILT,
            why=f"built for: {', '.join(each.manifest.scie.lift.platform for each in built)}",
            hint=f"czscie build --run --platform {here.name}",
        )
    return found[0].path
