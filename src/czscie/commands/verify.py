"""`czscie verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def verify(
    file: Annotated[Path, typer.Argument(help="An executable that czscie built, for any platform.")],
    json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Check every digest of an executable, and that nothing else is in it."""
    from czscie.console import write_json, write_result
    from czscie.errors import CzscieError
    from czscie.verify.file import verify_file

    found = verify_file(file)
    if json:
        problems = [
            {"where": each.where, "subject": each.subject, "problem": each.problem} for each in found.problems
        ]
        write_json({"ok": not problems, "path": str(file), "entries": found.entries, "problems": problems})
        if problems:
            raise typer.Exit(1)
    elif found.problems:
        raise CzscieError(
            f"{file} is not as it was built",
            why=map(str, found.problems),
            mend="copy or download the file again",
        )
    else:
        write_result(f"{file}: {found.entries} entries, all is well")
