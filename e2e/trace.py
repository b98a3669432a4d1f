"""System calls of a program and its children, as strace saw them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\s+= (?P<result>-?\w+|\?)(?P<rest>.*)")

#: A string, and the directory it is relative to when a descriptor comes before it.
_PATH = re.compile(r'(?:(?:\d+|AT_FDCWD)<(?P<directory>[^>]*)>, )?"(?P<name>(?:[^"\\]|\\.)*)"')

_WRITING_FLAGS = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND")
_OPENING = {"open", "openat", "openat2", "creat"}
_CHANGING = re.compile(
    r"(creat|mkdir|rmdir|unlink|rename|link|symlink|mknod|truncate|ftruncate|fallocate|chmod|fchmod|chown|lchown"
    r"|fchown|utime|utimes|futimesat|utimensat|setxattr|lsetxattr|fsetxattr|removexattr|mount)(at2?|2|64)?"
)
READING = {"read", "pread64", "readv", "preadv", "preadv2"}


@dataclass(frozen=True, slots=True)
class Call:
    """One system call. `result` is None when it never returned; paths of descriptors are in `arguments`."""

    name: str
    arguments: str
    result: int | None
    failed: bool

    @property
    def paths(self) -> list[str]:
        """The strings it was given, as paths: those relative to a descriptor made absolute."""
        found = _PATH.finditer(self.arguments)
        return [str(Path(match["directory"] or "", match["name"])) for match in found]

    @property
    def path(self) -> str:
        """The first of `paths`, empty where there is none."""
        return next(iter(self.paths), "")

    @property
    def maps_a_file(self) -> bool:
        """Whether it is an mmap of a descriptor rather than of memory alone."""
        return self.name == "mmap" and "<" in self.arguments

    @property
    def opens(self) -> bool:
        return self.name in _OPENING

    @property
    def changes_files(self) -> bool:
        """Whether it creates, opens for writing, renames, removes or alters a file, or tries to."""
        if self.opens:
            return self.name == "creat" or any(flag in self.arguments for flag in _WRITING_FLAGS)
        return _CHANGING.fullmatch(self.name) is not None


@dataclass(frozen=True, slots=True)
class Trace:
    """`first` is the program's own thread, `others` those of every thread and child, each in order."""

    process: subprocess.CompletedProcess[str]
    first: tuple[Call, ...]
    others: tuple[tuple[Call, ...], ...]

    @property
    def calls(self) -> list[Call]:
        return [*self.first, *(call for calls in self.others for call in calls)]


def trace(
    command: Sequence[str | Path], logs: Path, environment: Mapping[str, str], only: str | None = None
) -> Trace:
    """Run a command under strace; `only` are the system calls to record (strace's `-e trace=`), default all.

    `logs` is a directory to be made.
    """
    logs.mkdir(parents=True)
    with start_trace(command, logs, environment, only) as process:
        stdout, stderr = process.communicate(timeout=300)
    return read_trace(logs, subprocess.CompletedProcess(command, process.returncode, stdout, stderr))


def start_trace(
    command: Sequence[str | Path], logs: Path, environment: Mapping[str, str], only: str | None = None
) -> subprocess.Popen[str]:
    """Start a command under strace and return at once; `logs` must exist."""
    strace = shutil.which("strace")
    if strace is None:
        raise FileNotFoundError("the e2e tests need strace: apt-get install strace")
    options: list[str | Path] = ["-ff", "-y", "-o", logs / "thread"]
    if only is not None:
        options += ["--seccomp-bpf", "-e", f"trace={only}"]
    for name in environment:
        options += ["-E", f"{name}={environment[name]}"]
    return subprocess.Popen(
        [strace, *options, *command],
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_trace(logs: Path, process: subprocess.CompletedProcess[str]) -> Trace:
    """What strace wrote about a program that has ended; its first thread has the lowest number."""
    threads = sorted(logs.glob("thread.*"), key=lambda path: int(path.suffix[1:]))
    first, *others = [tuple(_calls(path)) for path in threads]
    return Trace(process, first, tuple(others))


def _calls(log: Path) -> list[Call]:
    found: list[Call] = []
    for line in log.read_text(errors="surrogateescape").splitlines():
        if match := _CALL.match(line):
            result = match["result"]
            number = None if result == "?" else int(result, 0)
            found.append(Call(match["name"], match["arguments"], number, match["result"] == "-1"))
    return found
