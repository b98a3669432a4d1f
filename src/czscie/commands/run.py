"""`czscie run`."""

from __future__ import annotations

import typer

from czscie.commands.options import (
    EntryPoint,
    Files,
    Frozen,
    Locked,
    Offline,
    Python,
    Requirements,
    Target,
    find_files,
    find_subject,
    lock_use,
)
from czscie.commands.passing import become, passed_arguments


def run(
    context: typer.Context,
    target: Target = None,
    requirement: Requirements = None,
    entry_point: EntryPoint = None,
    python: Python = None,
    files: Files = None,
    locked: Locked = False,
    frozen: Frozen = False,
    offline: Offline = False,
) -> None:
    """Build for this machine and start the program, with the arguments that follow `--`.

    The executable is kept in the cache. The exit status is the program's.
    """
    from czscie import api
    from czscie.console import Console
    from czscie.platforms import current_platform
    from czscie.session import Session

    here = [current_platform()]
    subject = find_subject(
        target, requirement, entry_point, python, here, locked=locked, frozen=frozen, file=files
    )
    session = Session.of(Console(), offline=offline, files=find_files(files))
    executable = api.executable(subject, use=lock_use(locked, frozen), session=session)
    become(executable, passed_arguments(context))
