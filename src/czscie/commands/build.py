"""`czscie build`."""

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


def build(
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
    """Build one executable per platform of the lift manifest.

    Each executable's path and SHA-256 go to standard output, everything else to standard error.
    """
    from czscie import api
    from czscie.console import Console, write_json, write_result
    from czscie.report import as_json, print_contents
    from czscie.session import Session

    session = Session.of(Console(), offline=offline, vendor=vendor, files=find_files(files))
    built = api.build(
        manifest,
        output,
        platforms=find_platforms(platform),
        use=lock_use(locked, frozen),
        session=session,
    )
    for contents in built:
        print_contents(contents, session.console.errors)
    if json:
        write_json([as_json(contents) for contents in built])
    else:
        for contents in built:
            write_result(f"{contents.path}  {contents.sha256}")
