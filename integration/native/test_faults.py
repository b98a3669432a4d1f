"""Whatever the file system, the limits and the neighbours do: a start, or an error in plain words.

Faults are real where the kernel can be asked for them (mounts, limits, other users) and injected into system
calls by strace where it cannot.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from czscie.container.manifest import Command
from integration.native.application import Make
from integration.native.small_scie import SmallScie, files_below, installed, make_small_scie

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="faults are made with Linux's means")

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and other users need root")

ANOTHER_USER = 12345


@pytest.fixture(scope="module")
def scie(tmp_path_factory: pytest.TempPathFactory) -> SmallScie:
    directory = tmp_path_factory.mktemp("small")
    for parent in (directory, *directory.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o755)
    return make_small_scie(directory)


def run(
    command: Sequence[str | Path], environment: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env=environment or {},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )


def in_namespace(
    script: str, *arguments: str | Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a shell script with mounts of its own; `$1` and so on are its arguments."""
    path = {"PATH": os.environ["PATH"]}
    return run(["unshare", "-m", "sh", "-ec", script, "sh", *arguments], path | (environment or {}))


def assert_started(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("started\n"), done


def assert_refused(done: subprocess.CompletedProcess[str], *texts: str) -> None:
    assert done.returncode == 1, done
    assert done.stdout == "", done
    for text in ("error:", "hint:", *texts):
        assert text in done.stderr, done.stderr


# Candidates for the base directory


@root_only
def test_a_noexec_candidate_is_passed_over_with_a_reason(scie: SmallScie, tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o noexec tmpfs "$1"; exec env CZSCIE_BASE="$1/base" HOME="$2" "$3"'
    (tmp_path / "noexec").mkdir()
    (tmp_path / "home").mkdir()
    done = in_namespace(script, tmp_path / "noexec", tmp_path / "home", scie.path)
    assert_started(done)
    assert "CZSCIE_BASE): it is on a file system mounted noexec" in done.stderr
    assert f"{tmp_path}/home/.cache/czscie/interpreters/" in done.stdout


@root_only
def test_when_no_candidate_will_do_every_reason_is_told(scie: SmallScie, tmp_path: Path) -> None:
    copy = Path("/run/czscie-fault-test")
    shutil.copy(scie.path, copy)
    try:
        mounts = 'for each in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o ro tmpfs "$each"; done'
        done = in_namespace(f'{mounts}; exec env -i CZSCIE_MEMORY=never "$1"', copy)
        assert_refused(done, "found no directory to unpack into", "CZSCIE_BASE")
        for place in ("/tmp/czscie-0", "/var/tmp/czscie-0", "/dev/shm/czscie-0"):
            assert f"{place}: cannot create it: read-only file system" in done.stderr
        assert "memory" not in done.stderr
        in_memory = in_namespace(f'{mounts}; exec env -i "$1"', copy)
        assert_started(in_memory)
        assert "note: each start unpacks 2 MB into memory" in in_memory.stderr
    finally:
        copy.unlink()


@root_only
def test_a_read_only_base_that_holds_the_installation_is_used(scie: SmallScie, tmp_path: Path) -> None:
    base = tmp_path / "base"
    assert_started(scie.start(base))
    script = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; exec env CZSCIE_BASE="$1" "$2"'
    done = in_namespace(script, base, scie.path)
    assert_started(done)
    assert str(base) in done.stdout
    assert done.stderr == ""


def test_a_file_where_the_base_should_be_is_passed_over(scie: SmallScie, tmp_path: Path) -> None:
    (tmp_path / "base").touch()
    done = run([scie.path], {"CZSCIE_BASE": str(tmp_path / "base"), "HOME": str(tmp_path)})
    assert_started(done)
    assert "(CZSCIE_BASE): it is a symbolic link or not a directory" in done.stderr


def test_a_base_that_others_may_write_to_is_passed_over(scie: SmallScie, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base").chmod(0o777)
    done = run([scie.path], {"CZSCIE_BASE": str(tmp_path / "base"), "HOME": str(tmp_path)})
    assert_started(done)
    assert "other users can write to it" in done.stderr
    assert installed(tmp_path / "base") is None


@root_only
def test_a_base_of_another_user_is_passed_over(scie: SmallScie, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir(mode=0o755)
    os.chown(tmp_path / "base", ANOTHER_USER, ANOTHER_USER)
    done = run([scie.path], {"CZSCIE_BASE": str(tmp_path / "base"), "HOME": str(tmp_path)})
    assert_started(done)
    assert "it belongs to another user" in done.stderr


@root_only
def test_a_foreign_installation_is_not_started(scie: SmallScie, tmp_path: Path) -> None:
    base = tmp_path / "base"
    assert_started(scie.start(base))
    os.chown(base, ANOTHER_USER, ANOTHER_USER)
    done = run([scie.path], {"CZSCIE_BASE": str(base), "HOME": str(tmp_path)})
    assert_started(done)
    assert str(tmp_path / ".cache") in done.stdout


@root_only
def test_a_random_user_without_home_starts_from_a_temporary_directory(
    scie: SmallScie, tmp_path: Path
) -> None:
    tmp_path.chmod(0o1777)
    user = random.randrange(100_000, 60_000_000)
    command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", scie.path]
    done = run(command, {"TMPDIR": str(tmp_path), "PATH": os.environ["PATH"]})
    assert_started(done)
    assert f"{tmp_path}/czscie-{user}/interpreters/" in done.stdout


def test_a_home_that_is_the_root_is_no_obstacle(scie: SmallScie, tmp_path: Path) -> None:
    done = run([scie.path], {"HOME": "/proc", "TMPDIR": str(tmp_path)})
    assert_started(done)
    assert f"{tmp_path}/czscie-{os.geteuid()}/" in done.stdout


def test_a_base_of_three_thousand_characters_works(scie: SmallScie, tmp_path: Path) -> None:
    long = tmp_path
    while len(str(long)) < 2900:
        long /= "d" * 100
    assert_started(scie.start(long))
    assert_started(scie.start(long))


def test_a_base_that_is_too_long_for_the_system_is_passed_over(scie: SmallScie, tmp_path: Path) -> None:
    base = "/tmp/" + "d/" * 3000
    done = run([scie.path], {"CZSCIE_BASE": base, "HOME": str(tmp_path)})
    assert_started(done)
    assert "its path is too long" in done.stderr


@root_only
def test_a_base_on_another_file_system_works(scie: SmallScie, tmp_path: Path) -> None:
    script = 'mount -t tmpfs tmpfs "$1"; exec env CZSCIE_BASE="$1/base" "$2"'
    (tmp_path / "other").mkdir()
    assert_started(in_namespace(script, tmp_path / "other", scie.path))


# Room, limits, errors of system calls


@root_only
def test_too_little_room_is_told_with_how_much_is_needed(scie: SmallScie, tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=64k tmpfs "$1"; exec env CZSCIE_BASE="$1/base" HOME="$2" "$3"'
    (tmp_path / "tiny").mkdir()
    (tmp_path / "home").mkdir()
    done = in_namespace(script, tmp_path / "tiny", tmp_path / "home", scie.path)
    assert_started(done)
    assert "MB, and 0 MB are free" in done.stderr


@root_only
@pytest.mark.parametrize("inodes", range(4, 16))
def test_a_file_system_without_inodes_leaves_nothing(scie: SmallScie, tmp_path: Path, inodes: int) -> None:
    (tmp_path / "few").mkdir()
    script = (
        f'mount -t tmpfs -o nr_inodes={inodes} tmpfs "$1"; '
        'env CZSCIE_BASE="$1/base" "$2" || s=$?; ls -A "$1"/base/interpreters >&2 || true; exit ${s:-0}'
    )
    done = in_namespace(script, tmp_path / "few", scie.path)
    if done.returncode == 0:
        assert_started(done)
    else:
        assert "no space left on device" in done.stderr, done
        assert not [line for line in done.stderr.splitlines() if len(line) == 64], "nothing has a final name"


WRITES = 40


def start_with_fault(scie: SmallScie, base: Path, inject: str) -> subprocess.CompletedProcess[str]:
    """A start one of whose system calls fails, or ends it, as strace's `inject` says."""
    environment = {"CZSCIE_BASE": str(base), "PATH": os.environ["PATH"]}
    return run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", inject, scie.path], environment, base.parent)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        ("write", "ENOSPC", "no space left on device"),
        ("write", "EIO", "input/output error"),
        ("write", "EDQUOT", "disk quota exceeded"),
        ("openat", "EMFILE", "too many open files"),
        ("openat", "EROFS", "read-only file system"),
        ("openat", "EACCES", "permission denied"),
        ("mkdirat", "ENOSPC", "no space left on device"),
        ("symlinkat", "EIO", "input/output"),
        ("renameat", "EIO", "input/output"),
        ("flock", "ENOLCK", ""),
        ("mmap", "ENOMEM", "out of memory"),
        ("pread64", "EIO", "input/output"),
    ],
)
def test_a_failing_system_call_leaves_nothing_or_everything(
    scie: SmallScie, tmp_path: Path, call: str, error: str, text: str
) -> None:
    failed = 0
    for number in range(1, WRITES):
        base = tmp_path / f"base-{number}"
        inject = f"inject={call}:error={error}:when={number}"
        done = start_with_fault(scie, base, inject)
        found = installed(base)
        assert found in (None, scie.contents), f"{inject}: {done}"
        if done.returncode != 0:
            failed += 1
            assert done.returncode == 1, f"{inject}: {done}"
            assert "error:" in done.stderr, f"{inject}: {done}"
        elif number > 30:
            break
        assert_started(scie.start(base))
        assert installed(base) == scie.contents
    assert failed or not text, f"no {call} failed"


@pytest.mark.parametrize("call", ["openat", "write", "mkdirat", "symlinkat", "renameat", "flock"])
def test_after_a_kill_at_any_system_call_the_next_start_completes_the_base(
    scie: SmallScie, tmp_path: Path, call: str
) -> None:
    assert_started(scie.start(tmp_path / "base"))
    expected = files_below(tmp_path / "base")
    killed = 0
    for number in range(1, WRITES):
        base = tmp_path / f"base-{number}"
        inject = f"inject={call}:signal=KILL:when={number}"
        done = start_with_fault(scie, base, inject)
        if done.returncode == 0:
            break
        killed += 1
        assert_started(scie.start(base))
        assert files_below(base) == expected, inject
    assert killed, f"no {call} was called"


def limited(limit: str, scie: SmallScie, base: Path) -> subprocess.CompletedProcess[str]:
    return run(["prlimit", limit, scie.path], {"CZSCIE_BASE": str(base), "PATH": os.environ["PATH"]})


@pytest.mark.parametrize("limit", ["--nofile=16", "--as=268435456", "--nproc=1"])
def test_hard_limits_do_not_matter(scie: SmallScie, tmp_path: Path, limit: str) -> None:
    assert_started(limited(limit, scie, tmp_path / "base"))


STACKS = ("98304", "131072", "262144", "524288", "8388608")


@pytest.mark.parametrize("stack", STACKS)
def test_little_stack_is_enough_for_every_start_and_tool(scie: SmallScie, tmp_path: Path, stack: str) -> None:
    for start in ("cold", "warm", "looking", "mending"):
        if start == "looking":
            os.utime(next((tmp_path / "base").glob("interpreters/*")), (0, 0))
        if start == "mending":
            next((tmp_path / "base").glob("interpreters/*/lib/text")).unlink()
        assert_started(limited(f"--stack={stack}", scie, tmp_path / "base"))
    for tool in ("verify", "doctor", "cache", "inspect", "list", "help", "uninstall"):
        environment = {"CZSCIE_BASE": str(tmp_path / "base"), "SCIE": tool}
        done = run(["prlimit", f"--stack={stack}", scie.path], environment)
        assert done.returncode == 0, f"{tool}: {done}"


@pytest.mark.parametrize("stack", [32768, 65536])
def test_a_stack_that_is_too_small_for_python_is_an_error_that_names_the_limit(
    scie: SmallScie, tmp_path: Path, stack: int
) -> None:
    done = limited(f"--stack={stack}", scie, tmp_path / "base")
    assert_refused(done, f"the stack limit of {stack >> 10} kB (ulimit -s)", "128 kB")


def test_a_stack_that_is_too_small_is_raised_where_that_is_allowed(make: Make) -> None:
    moo = make(commands={"": Command(exe="/bin/sh", args=("-c", "ulimit -s"))})
    shell = ["sh", "-c", f'ulimit -S -s "$1"; exec {moo.path}', "sh"]
    environment = {"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"]}
    for limit, found in (("64", "128"), ("100", "100"), ("128", "128"), ("1024", "1024")):
        assert run([*shell, limit], environment).stdout.strip() == found


def test_a_limit_on_file_sizes_is_an_error_in_plain_words(scie: SmallScie, tmp_path: Path) -> None:
    done = limited("--fsize=100000", scie, tmp_path / "base")
    assert_refused(done, "file size limit exceeded (ulimit -f)")
    assert installed(tmp_path / "base") is None


# The executable itself


def test_a_symbolic_link_to_the_executable_starts_it(scie: SmallScie, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(scie.path)
    assert_started(run([tmp_path / "link"], {"CZSCIE_BASE": str(tmp_path / "base")}))


def test_an_executable_that_is_deleted_while_it_starts_goes_on(scie: SmallScie, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copy(scie.path, copy)
    base = tmp_path / "base"
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=mkdirat:delay_enter=300000:when=1"]
    process = subprocess.Popen(
        [*command, copy],
        env={"CZSCIE_BASE": str(base), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not base.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    copy.unlink()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.startswith("started\n")


@root_only
@pytest.mark.parametrize("name", ["/app", "./app", "../app"])
def test_without_proc_it_finds_itself_by_the_name_it_was_executed_by(
    scie: SmallScie, tmp_path: Path, name: str
) -> None:
    shutil.copy(scie.path, tmp_path / "app")
    (tmp_path / "tmp").mkdir()
    chroot = shutil.which("chroot", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert chroot is not None
    done = run([chroot, tmp_path, name])
    assert_started(done)
    assert "/var/cache/czscie/interpreters/" in done.stdout


@root_only
def test_an_executable_that_may_not_be_read_says_so(scie: SmallScie, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    copy = tmp_path / "copy"
    shutil.copy(scie.path, copy)
    copy.chmod(0o111)
    done = run(
        ["setpriv", f"--reuid={ANOTHER_USER}", f"--regid={ANOTHER_USER}", "--clear-groups", copy],
        {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
    )
    assert_refused(done, "has no permission to read its own file")


# Neighbours

KILLS = 200
STARTERS = 8


def test_kills_among_concurrent_starters_leave_nothing_or_everything(scie: SmallScie, tmp_path: Path) -> None:
    choices = random.Random(3)
    base = tmp_path / "base"
    environment = {"CZSCIE_BASE": str(base)}
    for number in range(KILLS // STARTERS):
        shutil.rmtree(base, ignore_errors=True)
        starters = [
            subprocess.Popen([scie.path], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for _ in range(STARTERS)
        ]
        for starter in choices.sample(starters, STARTERS):
            time.sleep(choices.random() * 0.004)
            starter.send_signal(signal.SIGKILL)
        for starter in starters:
            _, errors = starter.communicate(timeout=60)
            assert starter.returncode in (0, -signal.SIGKILL), errors
        assert installed(base) in (None, scie.contents), f"round {number}"
        assert_started(scie.start(base))
        assert installed(base) == scie.contents
        assert not list(base.glob("*/*.partial"))
        assert sorted(path.name for path in base.iterdir()) == ["CACHEDIR.TAG", "interpreters", "locks"]
        assert [path.name for path in (base / "locks").iterdir()] == [
            root.name for root in base.glob("interpreters/*")
        ]
        verified = run([scie.path], {"CZSCIE_BASE": str(base), "SCIE": "verify"})
        assert verified.returncode == 0, verified.stdout


def test_what_dead_processes_left_is_swept(scie: SmallScie, tmp_path: Path) -> None:
    base = tmp_path / "base"
    left = base / "interpreters" / ("0" * 64 + ".partial") / "bin"
    left.mkdir(parents=True)
    base.chmod(0o700)
    (left / "python").touch()
    assert_started(scie.start(base))
    assert not left.parent.exists()
