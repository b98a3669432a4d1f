"""`czscie completion`."""

from __future__ import annotations

import os
import sys
from enum import Enum
from typing import Annotated

import typer

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


class _Shell(str, Enum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(
    shell: Annotated[_Shell, typer.Argument(help="The shell to print the script for.", show_default=False)],
) -> None:
    """Print a script that makes a shell complete commands, options, platforms and names.

    It reads lift.toml, lift.lock and pyproject.toml in the current directory. No file is written.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from czscie.console import write_result

    write_result(get_completion_script(prog_name="czscie", complete_var=_VARIABLE, shell=shell.value))
