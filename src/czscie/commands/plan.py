"""`czscie plan`."""

from __future__ import annotations

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


def plan(
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
    """Show what `czscie build` would do, download and write, without doing it.

    The plan goes to standard output, everything else to standard error.
    """
    from czscie.console import write_json

    use = lock_use(locked, frozen)
    console = open_console(verbose, quiet)
    with console.command(f"Planning {named(target, requirement)}"):
        import msgspec

        from czscie import api
        from czscie.plan_report import print_plan
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
            release=release,
            inverted=invert_lazy or (),
        )
        planned = api.plan(subject, path, platforms=platforms, use=use, as_file=as_file, session=session)
    if json:
        write_json(msgspec.to_builtins(planned))
    else:
        print_plan(planned, console.results)
