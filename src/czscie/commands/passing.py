"""Arguments behind `--`, which are for the program that a command starts."""

from __future__ import annotations

from typing import Any

import typer

from czscie import handover
from czscie.commands.failure import Command

#: Where a context keeps them.
_KEY = f"{__name__}.arguments"


class PassingCommand(Command):
    """A command that passes on what follows the first `--`, whatever it looks like."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own, ctx.meta[_KEY] = handover.split(args)
        return super().parse_args(ctx, own)


def passed_arguments(context: typer.Context) -> list[str]:
    """What followed `--`."""
    return list(context.meta.get(_KEY, ()))
