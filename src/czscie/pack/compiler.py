"""Compiles modules with the Python that will load them, or with one that has the same bytecode."""

from __future__ import annotations

import io
import marshal
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from czscie.container.content import Data, File
from czscie.errors import Code, CzscieError
from czscie.pack.scan import Signs, Suspect

T = TypeVar("T")

#: A regular expression: the finder's hash of it (8 bytes) and the marshalled arguments of `_sre.compile`.
Expression = tuple[bytes, bytes]

#: What code objects call the file of a module, and its text.
Source = tuple[str, bytes]

#: The letters of exceeded limits, and their meanings.
_EXCESSES = {
    "F": "its finally clauses are nested too deeply",
    "L": "it is too large",
    "M": "it takes too much memory or is nested too deeply",
    "N": "it is nested too deeply",
    "S": "they exceed the limit of steps",
}
_FINE = (".", "E")
_WHAT = {
    "compile_modules.py": "is not compiled",
    "compile_expressions.py": "compiles some regular expressions at run time",
    "scan_modules.py": "is not parsed",
}
_TIME = "it exceeds the limit of CPU time"
#: The limit of modules per call that may exceed the CPU time; beyond that the modules are not the cause.
_MOST_DEATHS_OF_TIME = 3

#: Where this is not, compile_expressions.py finds nothing: its start, which imports `re` and `ast` from their
#: sources, is most of the time that a changed module takes.
_MENTIONS_RE = re.compile(rb"\bre\b|re_compile")

#: The same limits for every build: 8 MiB of stack, 4 GiB of memory, no core file.
_LIMITS = 'ulimit -c 0; ulimit -s 8192; ulimit -v 4194304; exec "$@"'
_SHELL = Path("/bin/sh")
#: The same for hosts without a shell, where czscie is an executable in an empty container.
_LIMITS_OF_PYTHON = """\
import os, sys
from resource import RLIM_INFINITY, RLIMIT_AS, RLIMIT_CORE, RLIMIT_STACK, getrlimit, setrlimit
for resource, limit in (RLIMIT_CORE, 0), (RLIMIT_STACK, 8 << 20), (RLIMIT_AS, 4 << 30):
    most = getrlimit(resource)[1]
    setrlimit(resource, (limit, limit) if most == RLIM_INFINITY else (min(limit, most),) * 2)
os.execv(sys.argv[1], sys.argv[1:])
"""

#: The whole environment: the user's settings must not change the compiled code, nor the hashes of strings, by
#: which CPython before 3.11 orders the sets of code objects.
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}
#: `-I` would ignore the environment. What else it does: no user's site-packages, and no working directory.
_OPTIONS = ("-s", "-S", "-B", "-W", "ignore")
_WITHOUT_WORKING_DIRECTORY = "import sys; del sys.path[0]\n"


#: Bytes of output that are read at once.
_PIECE = 1 << 16


def _nothing() -> None:
    """Counts nothing."""


@dataclass(frozen=True, slots=True)
class Compiled(Generic[T]):
    """The result for each module, and the line about it: "" unless it exceeded a limit and has no or an
    incomplete result.
    """

    results: list[T]
    told: list[str]

    @property
    def skips(self) -> tuple[str, ...]:
        """What is to be told."""
        return tuple(filter(None, self.told))


@dataclass(frozen=True, slots=True)
class Compiler:
    """A Python that runs here. `magic` is its bytecode's magic number (4 bytes), `tag` that of its caches.

    Compilers of one `identity` make the same of the same.
    """

    python: Path
    identity: str
    magic: bytes
    tag: str

    @classmethod
    def probe(cls, python: Path, identity: str) -> Compiler | None:
        """The compiler `python`; None if it does not run here."""
        answer = bytearray()
        try:
            status = _run(python, b"", "compile_modules.py", answer.extend)
        except (OSError, subprocess.SubprocessError):
            return None
        known = status == 0 and len(answer) > 5
        return cls(python, identity, bytes(answer[:4]), answer[5:].decode()) if known else None

    def compile(
        self, sources: Sequence[Source], answered: Callable[[], object] = _nothing
    ) -> Compiled[bytes]:
        """The marshalled code objects of `sources`; empty where one does not compile.

        Each depends on its own source alone. Calls `answered` after each. Raises CzscieError when the Python
        fails.
        """
        requests = [
            len(encoded := name.encode("utf-8", "surrogateescape")).to_bytes(4, "big")
            + len(source).to_bytes(4, "big")
            + encoded
            + source
            for name, source in sources
        ]
        answers, told = self._answers(sources, requests, "compile_modules.py", answered)
        return Compiled([answer.data for answer in answers], told)

    def cached(self, path: str, code: bytes) -> File:
        """The bytecode of the source at `path`, where its Python looks for it (PEP 3147).

        It is never compared with the source (PEP 552).
        """
        directory, separator, name = path.rpartition("/")
        data = self.magic + (1).to_bytes(4, "little") + bytes(8) + code
        return File(
            f"{directory}{separator}__pycache__/{name.removesuffix('.py')}.{self.tag}.pyc", Data(data)
        )

    def expressions(
        self, sources: Sequence[Source], answered: Callable[[], object] = _nothing
    ) -> Compiled[list[Expression]]:
        """The regular expressions that each of the modules `sources` is seen to compile, compiled.

        Calls `answered` after each. Raises CzscieError when the Python fails.
        """
        asked = {number: each for number, each in enumerate(sources) if _MENTIONS_RE.search(each[1])}
        requests = [len(source).to_bytes(4, "big") + source for _, source in asked.values()]
        answers, told = self._answers(tuple(asked.values()), requests, "compile_expressions.py", answered)
        found: Compiled[list[Expression]] = Compiled([[] for _ in sources], ["" for _ in sources])
        for number, answer, line in zip(asked, answers, told, strict=True):
            found.results[number] = marshal.loads(answer.data) if answer.data else []
            found.told[number] = line
        return found

    def scan(self, suspects: Sequence[Suspect]) -> list[Signs]:
        """The signs in each of the modules. One that its Python cannot parse counts as the worst case.

        Raises CzscieError when the Python fails.
        """
        questions = [("files", each.source, each.harmless, each.ignored) for each in suspects]
        found = self._scan([(each.path, each.source) for each in suspects], questions)
        return [
            each.signs(*(answer or ("what cannot be parsed", True)))
            for each, answer in zip(suspects, found, strict=True)
        ]

    def imports(self, sources: Sequence[Source]) -> list[list[str] | None]:
        """The full names of the modules that each of `sources` imports; None where it cannot be parsed.

        Raises CzscieError when the Python fails.
        """
        return self._scan(sources, [("imports", source) for _, source in sources])

    def _scan(self, sources: Sequence[Source], questions: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The answer to each question about a module; None where the question crashes the Python."""
        if not sources:
            return []
        asked = [marshal.dumps(question, 2) for question in questions]
        requests = [len(question).to_bytes(4, "big") + question for question in asked]
        answers, _ = self._answers(sources, requests, "scan_modules.py")
        return [marshal.loads(answer.data) if answer.data else None for answer in answers]

    def _answers(
        self,
        sources: Sequence[Source],
        requests: Sequence[bytes],
        program: str,
        answered: Callable[[], object] = _nothing,
    ) -> tuple[list[_Answer], list[str]]:
        """The answers of `program` to the requests, and for each a line if it exceeded a limit, or "".

        A request that crashes it has an empty answer, and the rest is sent to a new process.
        """
        answers: list[_Answer] = []
        deaths = 0
        while len(answers) < len(requests):
            some, death = self._run(b"".join(requests[len(answers) :]), program, answered)
            answers += some
            if len(answers) == len(requests):
                break
            deaths += death == _TIME
            if death is None or deaths > _MOST_DEATHS_OF_TIME:
                raise self._failure(
                    f"it stopped at {sources[len(answers)][0]}: {death or 'without a reason'}"
                )
            answers.append(_Answer(death, b""))
            answered()
        what = _WHAT[program]
        told = [
            "" if answer.letter in _FINE else f"{name} {what}: {_EXCESSES.get(answer.letter, answer.letter)}"
            for (name, _), answer in zip(sources, answers, strict=True)
        ]
        return answers, told

    def _run(
        self, request: bytes, program: str, answered: Callable[[], object]
    ) -> tuple[list[_Answer], str | None]:
        """The answers of `program`, and what it died of, if it did."""
        reading = _Reading(program, answered)
        try:
            status = _run(self.python, request, program, reading.take)
        except (OSError, subprocess.SubprocessError) as error:
            raise self._failure(str(error)) from error
        if -status == signal.SIGINT:  # Ctrl-C reaches the whole group of processes
            raise KeyboardInterrupt
        if status and not reading.began:
            raise self._failure(f"it exited with status {status}")
        return reading.answers, _death(status) if status else None

    def _failure(self, why: str) -> CzscieError:
        return CzscieError(
            f"{self.python} failed to compile modules",
            code=Code.NOT_PACKABLE,
            why=why,
            hint='do not pack them: [lift.pack] stdlib = false, packages = "none"',
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    letter: str
    data: bytes


class _Reading:
    """Takes the output of a program as it arrives, and calls `answered` after each complete answer."""

    def __init__(self, program: str, answered: Callable[[], object]) -> None:
        self.answers: list[_Answer] = []
        self.began = False
        self._has_tag = program == "compile_modules.py"
        self._is_past_head = False
        self._answered = answered
        self._rest = bytearray()

    def take(self, piece: bytes) -> None:
        self.began = True
        rest = self._rest
        rest += piece
        if not self._is_past_head:
            head = (5 + rest[4] if len(rest) > 4 else len(rest) + 1) if self._has_tag else 1
            if len(rest) < head:
                return
            del rest[:head]
            self._is_past_head = True
        while len(rest) >= 5 and len(rest) >= (end := 5 + int.from_bytes(rest[1:5], "big")):
            self.answers.append(_Answer(rest[:1].decode("latin-1"), bytes(rest[5:end])))
            del rest[:end]
            self._answered()


def _death(status: int) -> str:
    """The cause of a process's death, by its exit status."""
    if -status == getattr(signal, "SIGPROF", None):
        return _TIME
    if status < 0:
        return f"the compiler crashes on it with {signal.Signals(-status).name}"
    return f"the compiler crashes on it with exit status {status}"


def _run(python: Path, request: bytes, name: str, take: Callable[[bytes], object]) -> int:
    """Runs the program, gives its output to `take` as it arrives, and returns its exit status.

    The program ends at once when `take` raises something.
    """
    program = resources.files("czscie.pack").joinpath(name).read_text()
    command = [str(python), *_OPTIONS, "-c", _WITHOUT_WORKING_DIRECTORY + program]
    with subprocess.Popen(
        [*_limiting(), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT,
    ) as process:
        assert process.stdin is not None and isinstance(process.stdout, io.BufferedReader)
        asking = threading.Thread(target=_ask, args=(process.stdin, request), daemon=True)
        asking.start()
        try:
            while piece := process.stdout.read1(_PIECE):
                take(piece)
        except BaseException:
            process.kill()
            raise
        finally:
            asking.join()
    return process.returncode


def _ask(stream: IO[bytes], request: bytes) -> None:
    with suppress(OSError):  # the program has ended
        stream.write(request)
    with suppress(OSError):
        stream.close()


def _limiting() -> list[str]:
    """What starts the command that follows it within the limits."""
    if os.name != "posix":
        return []
    if _SHELL.exists():
        return [str(_SHELL), "-c", _LIMITS, "sh"]
    return [sys.executable, *_OPTIONS, "-c", _LIMITS_OF_PYTHON]
