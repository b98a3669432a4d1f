"""`czscie run`."""

from __future__ import annotations

import typer

from czscie.commands.options import (
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
    Python,
    Quiet,
    Release,
    Requirements,
    Target,
    Vendor,
    Verbose,
    find_files,
    find_subject,
    lock_use,
    named,
    open_console,
    payload_options,
)
from czscie.commands.passing import passed_arguments


def run(
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
    files: Files = None,
    invert_lazy: InvertLazy = None,
    locked: Locked = False,
    frozen: Frozen = False,
    offline: Offline = False,
    vendor: Vendor = None,
    release: Release = False,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Build for this machine and start the program, with the arguments that follow `--`.

    The executable is kept in the cache. The exit status is the program's.
    """
    from czscie import last_build
    from czscie.console import Detail
    from czscie.handover import become

    use = lock_use(locked, frozen)
    console = open_console(verbose, quiet)
    with console.command(f"Preparing {named(target, requirement)}"):
        from czscie import api
        from czscie.platforms import current_platform
        from czscie.session import Session

        here = [current_platform()]
        subject = find_subject(
            target,
            requirement,
            entry_point,
            python,
            here,
            payload_options(extra, group, find_links, index, extra_index, no_index),
            locked=locked,
            frozen=frozen,
            vendor=vendor,
            file=files,
            invert_lazy=invert_lazy,
        )
        session = Session.of(
            console,
            offline=offline,
            vendor=vendor,
            files=find_files(files),
            release=release,
            inverted=invert_lazy or (),
        )
        executable = str(api.executable(subject, use=use, session=session))
    if console.detail <= Detail.NORMAL and not console.has_warned:
        last_build.keep(program=executable)
    become(executable, passed_arguments(context))
