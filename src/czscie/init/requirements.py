"""Requirements files, as pip reads them: requirements, comments and further files.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.filesystem import did_you_mean, open_regular
from czscie.init.source import ProgramSource

#: A comment begins a line, or follows white space: URLs have fragments.
_COMMENT = re.compile(r"(^|\s+)#.*$")
_CONTINUED = re.compile(r"\\\r?\n")
_INCLUDE = re.compile(r"(?:-r|--requirement)(?:\s*=\s*|\s+|(?<=-r))(?P<path>\S.*)")
_OPTION = re.compile(r"(?:^|\s)(?P<name>--?[A-Za-z][\w-]*)")


def read_requirements(paths: Sequence[Path]) -> ProgramSource:
    """The program of the requirements in these files.

    Raises CzscieError, which names the line, for a file that is unreadable or has other options than `-r`.
    """
    requirements = tuple(dict.fromkeys(line for path in paths for line in _requirements(path, ())))
    if not requirements:
        raise CzscieError(
            f"{paths[0]} has no requirement", code=Code.REQUIREMENTS_INVALID, hint="add one: cowsay==6.1"
        )
    return ProgramSource(
        source="requirements",
        path=paths[0],
        name=paths[0].stem,
        description=None,
        entry_point=None,
        others=(),
        starts=False,
        asks="",
        obstacles=lambda platform, version: (),
        requirements=requirements,
    )


def _requirements(path: Path, above: tuple[Path, ...]) -> Iterator[str]:
    """The requirements of the file at `path`, which the files `above` include, the last one directly."""
    from packaging.requirements import InvalidRequirement, Requirement

    here = path.absolute()
    if here in above:
        raise CzscieError(
            f"{path} includes itself",
            code=Code.REQUIREMENTS_INVALID,
            why=" → ".join(map(str, (*above, here))),
        )
    for number, line in _lines(path):
        if (include := _INCLUDE.fullmatch(line)) is not None:
            yield from _requirements(path.parent / include["path"], (*above, here))
            continue
        if (option := _OPTION.search(line)) is not None:
            raise _option(path, number, option["name"])
        try:
            yield str(Requirement(line))
        except InvalidRequirement as error:
            raise CzscieError(
                f"line {number} of {path} is not a requirement",
                code=Code.REQUIREMENTS_INVALID,
                why=str(error).splitlines()[0],
                hint="write it as cowsay==6.1",
            ) from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that say something, and the number of the physical line that each begins in."""
    try:
        with open_regular(path) as file:
            text = file.read().decode("utf-8-sig")
    except FileNotFoundError:
        raise CzscieError(
            f"there is no file {path}", code=Code.REQUIREMENTS_INVALID, hint=did_you_mean(path)
        ) from None
    except OSError as error:
        raise CzscieError(
            f"cannot read {path}", code=Code.FILE_UNREADABLE, why=error.strerror or str(error)
        ) from error
    except UnicodeDecodeError as error:
        raise CzscieError(
            f"{path} is not a requirements file", code=Code.REQUIREMENTS_INVALID, why="it is not UTF-8"
        ) from error
    # A continued line keeps its line feeds as characters that no line has, for the numbers.
    number = 1
    for line in _CONTINUED.sub("\0", text).split("\n"):
        meant = _COMMENT.sub("", line.replace("\0", " ")).strip()
        if meant:
            yield number, meant
        number += 1 + line.count("\0")


def _option(path: Path, number: int, name: str) -> CzscieError:
    hints = {
        "--hash": "remove the hashes: the lock pins the SHA-256 of every file",
        "-e": "build the project itself: czscie build DIRECTORY",
        "--editable": "build the project itself: czscie build DIRECTORY",
    }
    return CzscieError(
        f"line {number} of {path} has the option {name}",
        code=Code.REQUIREMENTS_INVALID,
        why="czscie reads requirements and -r from these files",
        hint=hints.get(name, "remove it; indexes are set by PIP_INDEX_URL and PIP_FIND_LINKS"),
    )
