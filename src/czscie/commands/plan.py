"""`czscie plan`."""

from __future__ import annotations

from czscie.commands.options import (
    DEFAULT_MANIFEST,
    DEFAULT_OUTPUT,
    AsJson,
    Files,
    Frozen,
    Locked,
    Manifest,
    Offline,
    OutputDirectory,
    Platforms,
    Vendor,
    find_files,
    find_platforms,
    lock_use,
)


def plan(
    manifest: Manifest = DEFAULT_MANIFEST,
    output: OutputDirectory = DEFAULT_OUTPUT,
    platform: Platforms = None,
    files: Files = None,
    locked: Locked = False,
    frozen: Frozen = False,
    offline: Offline = False,
    vendor: Vendor = None,
    json: AsJson = False,
) -> None:
    """Show what `czscie build` would do, download and write, without doing it.

    The plan goes to standard output, everything else to standard error.
    """
    import msgspec

    from czscie import api
    from czscie.console import Console, write_json
    from czscie.plan_report import print_plan
    from czscie.session import Session

    session = Session.of(Console(), offline=offline, vendor=vendor, files=find_files(files))
    planned = api.plan(
        manifest,
        output,
        platforms=find_platforms(platform),
        use=lock_use(locked, frozen),
        session=session,
    )
    if json:
        write_json(msgspec.to_builtins(planned))
    else:
        print_plan(planned, session.console.results)
