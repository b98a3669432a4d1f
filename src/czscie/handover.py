"""A program in place of this process. Its arguments follow `--` on the command line.

It imports little: a build of nothing new needs it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments for czscie, and those for the program: what follows the first `--`, whatever it is."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return [*arguments[:at]], [*arguments[at + 1 :]]


def become(executable: str, arguments: Sequence[str]) -> NoReturn:
    """Replaces this process with `executable`, whose exit status is that of the command.

    On Windows, which has no such call, it is a child. Raises OSError.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    path = os.path.abspath(executable)  # noqa: PTH100 pathlib takes as long to import as the rest
    if sys.platform == "win32":
        import subprocess

        sys.exit(subprocess.call([path, *arguments]))
    os.execv(path, [path, *arguments])  # noqa: S606 without a shell
