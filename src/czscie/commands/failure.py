"""How an error ends a command: as a message with a code and, with `--json`, as JSON."""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperCommand

from czscie.errors import Code, CzscieError
from czscie.standard_output import drop_standard_output, output_error

#: If set, tracebacks are printed: for debugging czscie.
TRACEBACK = "CZSCIE_TRACEBACK"


class Command(TyperCommand):
    """A command whose errors are on standard output, too, if `--json` is given: `{"error": {"code": …}}`."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.BadParameter, typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if ctx.params.get("json"):
                from czscie.console import write_json

                write_json({"error": failure(error).members})
            raise


def failure(error: Exception) -> CzscieError:
    """What is said of `error`, whatever it is."""
    return _with_lost_directory(_explain(error))


def _explain(error: Exception) -> CzscieError:
    if isinstance(error, CzscieError):
        return error
    if isinstance(error, OSError):
        if (own := output_error(error)) is not None:
            drop_standard_output()
            return own
        from czscie.disk import explain

        return explain(error)
    return CzscieError(
        f"czscie crashed: {type(error).__name__}: {error}",
        code=Code.CRASH,
        hint=f"run it again with {TRACEBACK}=1 and report the output",
    )


def _with_lost_directory(told: CzscieError) -> CzscieError:
    """Adds that the working directory was removed, which may be why a file is not found."""
    try:
        os.getcwd()  # noqa: PTH109 of names that may not be text
    except FileNotFoundError:
        why = (*told.why, "the working directory was removed")
        return CzscieError(
            told.what, code=told.code, why=why, hint=told.hint or "change to a directory that exists"
        )
    return told
