"""Prints a plan: for each executable a table of its inputs and where they are."""

from __future__ import annotations

from rich.console import Console as RichConsole
from rich.table import Table

from czscie.build_plan import BuildPlan, PlannedBuild, PlannedExecutable, PlannedInterpreter
from czscie.console import megabytes
from czscie.implementation import Implementation
from czscie.lock.inventory.input import PlannedInput

_LOCKS = {
    "current": "{path} is up to date",
    "new": "{path} would be written",
    "changed": "{path} would change",
    "unchecked": "{path} is used without a check",
}
#: States of a lock that stays as it is.
_LOCKED = ("current", "unchecked")
_STATES = {
    "cached": "in the cache",
    "local": "here",
    "download": "to download",
    "build": "to build",
    "lazy": "on first use",
}


def print_plan(plan: BuildPlan, console: RichConsole) -> None:
    """The lock, a table for each executable, and what is to be downloaded in all."""
    console.print(_LOCKS[plan.lock.state].format(path=plan.lock.path), soft_wrap=True)
    for change in plan.lock.changes:
        console.print(f"  {change}", soft_wrap=True)
    for build in plan.builds:
        console.print(f"  {_build(build, locked=plan.lock.state in _LOCKED)}", soft_wrap=True)
    for executable in plan.executables:
        _print_executable(executable, console)
    for helper in plan.helpers:
        where = f"{_size(helper.archive)} {_where(helper.archive)}".strip()
        console.print(f"to pack modules here: {_interpreter(helper)}, {where}", soft_wrap=True)
    console.print(_total(plan), soft_wrap=True)


def _print_executable(executable: PlannedExecutable, console: RichConsole) -> None:
    console.print(executable.path, soft_wrap=True, style="bold")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    launcher = executable.launcher
    table.add_row("launcher", launcher.name, "", "to compile" if launcher.state == "compile" else "ready")
    for each in executable.interpreters:
        table.add_row(f"interpreter {each.id}", _interpreter(each), _size(each.archive), _where(each.archive))
    if executable.libc is not None:
        name = "libc"
        for file in executable.libc.packages:
            table.add_row(name, file.name, _size(file), _where(file))
            name = ""
    if executable.payload is not None:
        name = f"payload {executable.payload.source}"
        for file in executable.payload.files:
            table.add_row(name, _short(file.name), _size(file), _where(file))
            name = ""
    name = "files"
    for file in executable.files:
        table.add_row(name, file.name, _size(file), _where(file))
        name = ""
    if executable.bundle is not None:
        table.add_row("bundle", executable.bundle, "", "")
    console.print(table)


def _build(build: PlannedBuild, *, locked: bool) -> str:
    if build.again:
        return f"the files of {build.project} changed: the build makes its wheel again"
    who = "building" if locked else "locking"
    name = " ".join(filter(None, (build.project, build.version)))
    unknown = "" if build.requires_known else ", and only then are its requirements known"
    return f"{name} has no wheel: {who} would build it from {build.source}{unknown}"


def _interpreter(interpreter: PlannedInterpreter) -> str:
    if interpreter.release is None:
        return interpreter.archive.name
    python = Implementation.parse(interpreter.version)
    flavor = "" if interpreter.flavor is None else f", {interpreter.flavor}"
    return f"{python.title} {python.full_version} of release {interpreter.release}{flavor}"


def _short(name: str) -> str:
    """A short name of a wheel, without its platform tags."""
    return " ".join(name.split("-")[:2]) if name.endswith(".whl") else name


def _size(file: PlannedInput) -> str:
    return "" if file.size is None else megabytes(file.size)


def _where(file: PlannedInput) -> str:
    return _STATES[file.state]


def _total(plan: BuildPlan) -> str:
    downloads = plan.downloads
    if not downloads.files:
        return "nothing to download"
    files = "1 file" if downloads.files == 1 else f"{downloads.files} files"
    more = f" and {downloads.unknown} of unknown size" if downloads.unknown else ""
    return f"to download: {files}, {megabytes(downloads.size)}{more}"
