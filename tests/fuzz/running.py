"""One run: inputs of one or several targets, in a process whose memory, time and files are limited.

It is a process of its own (`python -m tests.fuzz` starts it): what a reader does to it does not matter.
"""

from __future__ import annotations

import hashlib
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from czscie.errors import CzscieError
from fuzz.mutation import Mutator
from fuzz.targets import BY_NAME, CORPUS, Reader, Target

#: Bytes of address space: what Python and the libraries take, and a gigabyte. Inputs are a few kB.
MEMORY = 2 << 30
#: Seconds of the processor that a reader may take for one input, and of the clock on a busy machine.
PATIENCE = 10
_CLOCK = 200
#: Larger inputs are not kept.
_LONGEST = 1 << 20
_POOL = 2000
_MEMORY = Path("/dev/shm")  # directories come and go by the thousand
#: What pex starts to know the Python that it runs on: a virtual environment names its Python three times.
_OF_PEX = re.compile(r"uname|ldd|python[\d.]*")


class Failure(Exception):
    """A reader did what no reader may do. `input` failed; `why` says how, in lines."""

    def __init__(self, target: Target, data: bytes, why: str) -> None:
        super().__init__(f"{target.name}: {why}")
        self.target, self.data, self.why = target, data, why


class TooSlow(BaseException):
    """No `except Exception` keeps it from us."""


class Watch:
    """Sees what a reader does to files and processes (PEP 578)."""

    def __init__(self, scratch: Path) -> None:
        self._inside = (str(scratch.resolve()), "/dev/null")
        self.active = False
        self.seen: list[str] = []
        sys.addaudithook(self._event)

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event in (
            "subprocess.Popen",
            "os.system",
            "os.exec",
            "os.posix_spawn",
            "os.fork",
            "socket.connect",
        ):
            if not _OF_PEX.fullmatch(Path(str(arguments[0])).name):
                self.seen.append(f"{event} {arguments[:2]!r}")
        elif event == "open":
            path, mode, flags = arguments
            writes = (
                flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) if isinstance(flags, int) else 0
            )
            if isinstance(path, str | bytes) and (writes or any(c in str(mode or "") for c in "wax+")):
                self._writes(event, path)
        elif event in (
            "os.mkdir",
            "os.remove",
            "os.rmdir",
            "os.truncate",
            "os.chmod",
            "os.chown",
            "os.utime",
        ):
            self._writes(event, arguments[0])
        elif event in ("os.rename", "os.link", "os.symlink"):
            self._writes(event, arguments[1])

    def _writes(self, event: str, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        # Which directory a relative path counts from is the event's business; those of readers are absolute.
        named = Path(os.fsdecode(path))
        if named.is_absolute() and not str(named.resolve()).startswith(self._inside):
            self.seen.append(f"{event} {named}")


def _quiet_caches(scratch: Path) -> None:
    """Whatever a reader keeps belongs to this run."""
    home = scratch / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CACHE_HOME", "CZSCIE_CACHE", "PEX_ROOT"):
        os.environ[name] = str(home)
    os.environ["TMPDIR"] = str(scratch / "tmp")
    (scratch / "tmp").mkdir()
    tempfile.tempdir = None
    sys.dont_write_bytecode = True


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, _CLOCK))
    for number, timer, limit in timers:
        signal.signal(number, ring)
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for _, timer, _ in timers:
            signal.setitimer(timer, 0)


class Run:
    """Attempts on `target`; what gives an answer not heard before is changed further."""

    def __init__(self, target: Target, scratch: Path, watch: Watch, mutator: Mutator) -> None:
        self.target, self._scratch, self._watch, self._mutator = target, scratch, watch, mutator
        self.pool = [(path.name, path.read_bytes()) for path in sorted((CORPUS / target.name).iterdir())]
        self.answers: set[str] = set()
        self.inputs = 0

    def corpus(self) -> None:
        """The corpus as it is. Raises Failure."""
        for _, data in self.pool:
            self._attempt(data)

    def once(self) -> None:
        """One changed input. Raises Failure."""
        name, seed = self._mutator.choose(self.pool)
        try:
            data = self.target.change(self._mutator, name, seed)
        except (ArithmeticError, MemoryError, RecursionError, ValueError):  # of the fuzzer's own libraries
            return
        if self._attempt(data) and len(data) <= _LONGEST and len(self.pool) < _POOL:
            self.pool.append((name, data))

    def _attempt(self, data: bytes) -> bool:
        self.inputs += 1
        work = self._scratch / "work"
        work.mkdir()
        path = work / f"input{self.target.suffix}"
        path.write_bytes(data)
        (self._scratch / "last").write_bytes(data)
        new = False
        for number, reader in enumerate(self.target.read):
            output = work / f"out{number}"
            output.mkdir()
            answer = f"{reader.__name__}: {self._ask(reader, path, output, data)}"
            new |= answer not in self.answers
            self.answers.add(answer)
        shutil.rmtree(work)
        return new

    def _ask(self, reader: Reader, path: Path, output: Path, data: bytes) -> str:
        """What the reader says, less what is different each time."""
        self._watch.active = True
        try:
            with _alarm(PATIENCE):
                reader(path, output)
            said = "read"
        except CzscieError as error:
            said = re.sub(r"\d+|'[^']*'|\"[^\"]*\"|[^ ]*/[^ ]*|\\x..", "#", f"{error.what}|{error.why}")[:300]
            str(error).encode("utf-8", "backslashreplace")
        except TooSlow:
            raise Failure(self.target, data, f"{reader.__name__} takes longer than {PATIENCE} s") from None
        except Exception as error:
            raise Failure(self.target, data, f"{reader.__name__}: {type(error).__name__}: {error}") from error
        finally:
            self._watch.active = False
        left = [path.name for path in output.iterdir() if path.name.startswith(".")]
        if left:
            self._watch.seen.append(f"left {left}")
        if self._watch.seen:
            raise Failure(self.target, data, f"{reader.__name__}: {'; '.join(self._watch.seen)}")
        return said


def keep(failure: Failure) -> Path:
    """Puts the input into the corpus."""
    digest = hashlib.sha256(failure.data).hexdigest()[:12]
    path = CORPUS / failure.target.name / f"crash-{digest}{failure.target.suffix}"
    path.write_bytes(failure.data)
    return path


def fuzz(names: list[str], seconds: float, seed: int) -> int:
    """Attacks the targets `names` for `seconds`; returns the exit status. A seed gives the same inputs."""
    scratch = Path(tempfile.mkdtemp(prefix="czscie-fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None))
    _quiet_caches(scratch)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    watch = Watch(scratch)
    runs = [Run(BY_NAME[name], scratch, watch, Mutator(Random(f"{seed} {name}"))) for name in names]
    try:
        for run in runs:
            run.corpus()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for run in runs:
                run.once()
    except Failure as failure:
        import traceback

        traceback.print_exception(failure)
        print(f"{failure}\nkept as {keep(failure)}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for run in runs:
        print(f"{run.target.name}: {run.inputs} inputs, {len(run.answers)} answers")
    return 0
