"""A program to build: what a command line names in place of a manifest."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.init.choice import PythonRequest
from czscie.init.detect import read_subject
from czscie.init.requirements import read_requirements
from czscie.init.source import ProgramSource


@dataclass(frozen=True, slots=True)
class PayloadOptions:
    """Keys of `lift.payload` for a program without a manifest (docs/reference/lock.md).

    `czscie.lift.package_indexes` reads them. Paths in `find_links` are relative to the working directory.
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    index: str | None = None
    extra_index: tuple[str, ...] = ()
    no_index: bool = False

    @property
    def keys(self) -> dict[str, bool | str | tuple[str, ...]]:
        """Those that are set."""
        found = {
            "extras": self.extras,
            "groups": self.groups,
            "find_links": self.find_links,
            "index": self.index,
            "extra_index": self.extra_index,
            "no_index": self.no_index,
        }
        return {key: value for key, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Program:
    """A project, a PEX or a script at `source`, or the requirements in the files `requirements`.

    `entry_point` (a console script, a module or `module:function`) starts in place of what `source` declares.
    `python` is which CPython and which platforms to build for, by default the newest and this machine's.
    `options` say what of its packages is installed, and where they come from. `command` is the one that hints
    name.
    """

    source: Path | None = None
    requirements: tuple[Path, ...] = ()
    entry_point: str | None = None
    python: PythonRequest = field(default_factory=PythonRequest)
    options: PayloadOptions = field(default_factory=PayloadOptions)
    command: str = "build"

    @property
    def arguments(self) -> str:
        """What names it on a command line."""
        import shlex

        return shlex.join([str(self.source)] if self.source else _options("-r", self.requirements))

    @property
    def path(self) -> Path:
        """What messages name it by: relative paths of its manifest start at the directory that this is in."""
        if self.source is None:
            return self.requirements[0].absolute()
        return Path(os.path.abspath(self.source))  # noqa: PTH100 of `.`, whose last component is no name

    def read(self) -> ProgramSource:
        """What it declares. Raises CzscieError when it cannot be read or is not a program."""
        if self.source is None:
            subject = read_requirements(self.requirements)
        else:
            subject = read_subject(self.source, self.command)
        self._check_options(subject)
        subject = dataclasses.replace(subject, keys=self.options.keys)
        if self.entry_point is None:
            return subject
        name = subject.name if self.source is not None else self.entry_point.partition(":")[0]
        return dataclasses.replace(subject, name=name, entry_point=self.entry_point, starts=True)

    def _check_options(self, subject: ProgramSource) -> None:
        options = self.options
        if subject.source == "pex" and options.keys:
            raise CzscieError(
                f"{self.arguments} is a PEX, which contains its packages",
                code=Code.OPTION_INVALID,
                why="extras, groups and indexes are for what is resolved",
            )
        if subject.source != "project" and (options.extras or options.groups):
            raise CzscieError(
                f"{self.arguments} is not a project",
                code=Code.OPTION_INVALID,
                why="only projects have extras and groups",
            )

    def check_starts(self, subject: ProgramSource) -> None:
        """Raises CzscieError when `subject`, which is this program as it was read, has no entry point."""
        if not subject.starts:
            others = ", ".join(subject.others)
            raise CzscieError(
                f"{self.arguments} declares no entry point",
                code=Code.START_UNKNOWN,
                why=f"its console scripts are: {others}" if others else (),
                hint=f"czscie build {self.arguments} -c {subject.others[0] if others else 'NAME'}",
            )


def _options(option: str, values: tuple[Path, ...]) -> list[str]:
    return [text for value in values for text in (option, str(value))]
