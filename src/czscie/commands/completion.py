"""`czscie completion`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from czscie.commands import candidates
from czscie.commands.options import check_among

#: Set by the scripts: which shell asks for completions.
_VARIABLE = "_CZSCIE_COMPLETE"


def prepare_completion() -> None:
    """Has typer answer shells, and keeps it from rendering help texts with rich, which takes longer than all
    the rest of an answer.
    """
    if _VARIABLE in os.environ:
        sys.modules["rich"] = None  # type: ignore[assignment]
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()


def completion(
    shell: Annotated[
        str,
        typer.Argument(
            help="The shell to print the script for: bash, zsh, fish or powershell.",
            autocompletion=candidates.shells,
            show_default=False,
        ),
    ],
) -> None:
    """Print a script that makes a shell complete commands, options, platforms and names.

    It reads lift.toml, lift.lock and pyproject.toml in the current directory. No file is written.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from czscie.console import write_result

    check_among(shell, candidates.SHELLS)
    write_result(get_completion_script(prog_name="czscie", complete_var=_VARIABLE, shell=shell))
