"""Compiles modules with the Python that will load them, or with one that has the same bytecode."""

from __future__ import annotations

import marshal
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Generic, TypeVar

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
        try:
            done = _run(python, b"")
        except (OSError, subprocess.SubprocessError):
            return None
        answer = b"" if done.returncode else done.stdout
        return cls(python, identity, answer[:4], answer[5:].decode()) if len(answer) > 5 else None

    def compile(self, sources: Sequence[Source]) -> Compiled[bytes]:
        """The marshalled code objects of `sources`; empty where one does not compile.

        Each depends on its own source alone. Raises CzscieError when the Python fails.
        """
        requests = [
            len(encoded := name.encode("utf-8", "surrogateescape")).to_bytes(4, "big")
            + len(source).to_bytes(4, "big")
            + encoded
            + source
            for name, source in sources
        ]
        answers, told = self._answers(sources, requests, "compile_modules.py")
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

    def expressions(self, sources: Sequence[Source]) -> Compiled[list[Expression]]:
        """The regular expressions that each of the modules `sources` is seen to compile, compiled.

        Raises CzscieError when the Python fails.
        """
        requests = [len(source).to_bytes(4, "big") + source for _, source in sources]
        answers, told = self._answers(sources, requests, "compile_expressions.py")
        return Compiled([marshal.loads(answer.data) if answer.data else [] for answer in answers], told)

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
        self, sources: Sequence[Source], requests: Sequence[bytes], program: str
    ) -> tuple[list[_Answer], list[str]]:
        """The answers of `program` to the requests, and for each a line if it exceeded a limit, or "".

        A request that crashes it has an empty answer, and the rest is sent to a new process.
        """
        answers: list[_Answer] = []
        deaths = 0
        while len(answers) < len(requests):
            output, death = self._run(b"".join(requests[len(answers) :]), program)
            answers += _parsed(output, program)
            if len(answers) == len(requests):
                break
            deaths += death == _TIME
            if death is None or deaths > _MOST_DEATHS_OF_TIME:
                raise self._failure(
                    f"it stopped at {sources[len(answers)][0]}: {death or 'without a reason'}"
                )
            answers.append(_Answer(death, b""))
        what = _WHAT[program]
        told = [
            "" if answer.letter in _FINE else f"{name} {what}: {_EXCESSES.get(answer.letter, answer.letter)}"
            for (name, _), answer in zip(sources, answers, strict=True)
        ]
        return answers, told

    def _run(self, request: bytes, program: str) -> tuple[bytes, str | None]:
        """The output of `program`, and what it died of, if it did."""
        try:
            done = _run(self.python, request, program)
        except (OSError, subprocess.SubprocessError) as error:
            raise self._failure(str(error)) from error
        if done.returncode and not done.stdout:
            raise self._failure(f"it exited with status {done.returncode}")
        return done.stdout, _death(done.returncode) if done.returncode else None

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


def _parsed(output: bytes, program: str) -> Iterator[_Answer]:
    """The complete answers in the program's output."""
    at = 5 + output[4] if program == "compile_modules.py" else 1
    while at + 5 <= len(output):
        end = at + 5 + int.from_bytes(output[at + 1 : at + 5], "big")
        if end > len(output):
            break
        yield _Answer(output[at : at + 1].decode("latin-1"), output[at + 5 : end])
        at = end


def _death(status: int) -> str:
    """The cause of a process's death, by its exit status."""
    if -status == getattr(signal, "SIGPROF", None):
        return _TIME
    if status < 0:
        return f"the compiler crashes on it with {signal.Signals(-status).name}"
    return f"the compiler crashes on it with exit status {status}"


def _run(
    python: Path, request: bytes, name: str = "compile_modules.py"
) -> subprocess.CompletedProcess[bytes]:
    program = resources.files("czscie.pack").joinpath(name).read_text()
    command = [str(python), *_OPTIONS, "-c", _WITHOUT_WORKING_DIRECTORY + program]
    return subprocess.run(
        [*_limiting(), *command],
        input=request,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
        env=_ENVIRONMENT,
    )


def _limiting() -> list[str]:
    """What starts the command that follows it within the limits."""
    if os.name != "posix":
        return []
    if _SHELL.exists():
        return [str(_SHELL), "-c", _LIMITS, "sh"]
    return [sys.executable, *_OPTIONS, "-c", _LIMITS_OF_PYTHON]
