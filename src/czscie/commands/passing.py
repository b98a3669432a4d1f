"""Arguments behind `--`, which are for the program that a command starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import typer

from czscie.commands.failure import Command

#: Where a context keeps them.
_KEY = f"{__name__}.arguments"


class PassingCommand(Command):
    """A command that passes on what follows the first `--`, whatever it looks like."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            args, ctx.meta[_KEY] = args[:at], args[at + 1 :]
        return super().parse_args(ctx, args)


def passed_arguments(context: typer.Context) -> list[str]:
    """What followed `--`."""
    return list(context.meta.get(_KEY, ()))


def become(executable: Path, arguments: Sequence[str]) -> NoReturn:
    """Replaces this process with `executable`, whose exit status is that of the command.

    On Windows, which has no such call, it is a child. Raises OSError.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    path = str(executable.absolute())
    if sys.platform == "win32":
        sys.exit(subprocess.call([path, *arguments]))
    os.execv(path, [path, *arguments])  # noqa: S606 without a shell
