"""The command line: the commands, and how an error ends one."""

from __future__ import annotations

import functools
import os
import sys
from typing import Annotated

import typer

from czscie import __version__
from czscie.commands.build import build
from czscie.commands.cache import cache
from czscie.commands.completion import completion, prepare_completion
from czscie.commands.eject import eject
from czscie.commands.explain import explain
from czscie.commands.failure import TRACEBACK, Command, failure
from czscie.commands.image import image
from czscie.commands.init import init
from czscie.commands.inject import inject
from czscie.commands.inspect import inspect
from czscie.commands.lock import lock
from czscie.commands.passing import PassingCommand
from czscie.commands.plan import plan
from czscie.commands.run import run
from czscie.commands.sbom import sbom
from czscie.commands.schema import schema
from czscie.commands.vendor import vendor
from czscie.commands.verify import verify
from czscie.interrupt import run_interruptibly
from czscie.standard_output import open_standard_output

app = typer.Typer(
    name="czscie",
    help="Package a Python program as one native executable per platform.",
    add_completion=False,  # `czscie completion` prints the script, and writes no file
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing what renders boxes takes twice as long as all the rest of `--help`
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"czscie {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


COMMANDS = (
    *(init, lock, plan, build, run, vendor, image, inspect, sbom, verify, inject, eject),
    *(schema, explain, completion),
)
for command in COMMANDS:
    app.command(cls=PassingCommand if command in (build, run) else Command)(command)
app.add_typer(cache, name="cache")


def main() -> None:
    """Runs the command line; every error is a message and exit status 1, Ctrl-C exit status 130."""
    run_app(app)


def run_app(command_line: typer.Typer) -> None:
    """Runs `command_line` as `main` says."""
    run_interruptibly(functools.partial(_run, command_line))


def _run(command_line: typer.Typer) -> None:
    _open_closed_streams()
    open_standard_output()
    prepare_completion()
    try:
        command_line(standalone_mode=True)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        from czscie.console import Console

        Console().fail(failure(error))
        sys.exit(1)


def _open_closed_streams() -> None:
    """Opens the null device for each of 0, 1 and 2 that the caller has closed (`>&-`).

    Otherwise the next opened files would get these numbers, and the output of child processes would end up in
    them.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            os.set_inheritable(descriptor, True)
            mode = "r" if descriptor == 0 else "w"
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8", closefd=False))
