"""A warm start is two execve calls, reads a few kilobytes and changes nothing: seen by strace."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.build import Scie
from e2e.conftest import BuildScie
from e2e.pexes import COWSAY, FIGURES, GUESTBOOK
from e2e.run import start
from e2e.snapshot import stamps
from e2e.trace import READING, Call, Trace, trace

FEW_KILOBYTES = 8 * 1024

SCIES = (Scie(COWSAY, "3.11"), Scie(COWSAY, "3.13"), Scie(GUESTBOOK, "3.13"), Scie(FIGURES, "3.11"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warm") / "base"


@pytest.fixture(scope="module", params=SCIES, ids=lambda scie: f"{scie.name}-{scie.python}")
def warm(
    request: pytest.FixtureRequest,
    build_scie: BuildScie,
    base: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Trace, Path, Path]:
    """The trace of a warm start; the executable; the base directory, which it left as it was."""
    executable = build_scie(request.param)
    arguments = ("-t", "hello") if request.param.recipe is COWSAY else ()
    cold = start(executable, *arguments, base=base)
    assert cold.returncode == 0, cold.stderr.decode()
    before = stamps(base)
    traced = trace(
        [executable, *arguments], tmp_path_factory.mktemp("trace") / "logs", {"CZSCIE_BASE": str(base)}
    )
    assert traced.process.stdout == cold.stdout.decode()
    assert stamps(base) == before
    return traced, executable, base


def _before_python(traced: Trace) -> tuple[Call, ...]:
    """The calls of the launcher: between the two execve calls of the process."""
    executions = [number for number, call in enumerate(traced.first) if call.name == "execve"]
    return traced.first[executions[0] + 1 : executions[1]]


def test_there_are_two_execve_calls_in_all(warm: tuple[Trace, Path, Path]) -> None:
    traced, executable, base = warm
    executed = [call.path for call in traced.calls if call.name in ("execve", "execveat")]
    assert executed[0] == str(executable)
    assert executed[1].startswith(f"{base}/")
    assert len(executed) == 2


def test_there_is_no_process_beside_the_application(warm: tuple[Trace, Path, Path]) -> None:
    traced, _, _ = warm
    assert [call for call in traced.calls if call.name in ("fork", "vfork")] == []
    cloned = [call for call in traced.calls if call.name in ("clone", "clone3")]
    assert [call for call in cloned if "CLONE_THREAD" not in call.arguments] == []


def test_no_file_is_created_written_renamed_or_removed(warm: tuple[Trace, Path, Path]) -> None:
    traced, _, _ = warm
    assert [(call.name, call.path) for call in traced.calls if call.changes_files] == []


def test_the_launcher_opens_only_the_executable_and_the_base(warm: tuple[Trace, Path, Path]) -> None:
    traced, executable, base = warm
    opened = {call.path for call in _before_python(traced) if call.opens}
    own = {str(executable), "/proc/self/exe"}
    assert opened & own, "the launcher reads itself"
    assert {path for path in opened - own if Path(path) != base and base not in Path(path).parents} == set()


def test_the_launcher_reads_a_few_kilobytes(warm: tuple[Trace, Path, Path]) -> None:
    traced, _, _ = warm
    calls = _before_python(traced)
    assert sum(call.result or 0 for call in calls if call.name in READING) <= FEW_KILOBYTES
    assert [call.arguments for call in calls if call.maps_a_file] == []
