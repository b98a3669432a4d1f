"""`czscie inspect`."""

from __future__ import annotations

from czscie.commands.options import AsJson, Executable


def inspect(
    file: Executable,
    json: AsJson = False,
) -> None:
    """Show what is inside an executable: parts, sizes packed and unpacked, digests, commands."""
    from czscie import api
    from czscie.console import Console, write_json
    from czscie.report import as_json, print_contents, print_digests

    contents = api.inspect(file)
    if json:
        write_json(as_json(contents))
    else:
        console = Console()
        print_contents(contents, console.results)
        print_digests(contents, console.results)
