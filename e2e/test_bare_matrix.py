"""What a hardened host takes away, one row for each: the application runs, or says exactly what is missing.

docs/explained/bare.md has the table. Every row is a process 1 in namespaces of its own, without a network and
with an empty environment, in a root that has the executable, glibc, and what the row gives it besides.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from e2e.bare import BareRoot
from e2e.build import Scie
from e2e.confined import (
    ENGINE_CAPABILITIES,
    ENGINE_FILTER,
    ENOSYS,
    EPERM,
    KILLED,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    Confinement,
    Mount,
    can_confine,
    run,
)
from e2e.conftest import BuildScie
from e2e.pexes import COWSAY

USER = 12345

PROC = Mount("/proc", "proc")
TMP = Mount("/tmp", options="mode=1777")
NOEXEC_TMP = replace(TMP, flags=MS_NOEXEC)
TINY_TMP = replace(TMP, options="mode=1777,size=64k")
FULL_TMP = replace(TMP, options="mode=1777,nr_inodes=1")
SHM = Mount("/dev/shm", options="mode=1777,size=64m", flags=MS_NOEXEC | MS_NOSUID | MS_NODEV)

#: What an engine leaves to root and to others when nobody says anything.
ENGINE = {"filter": ENGINE_FILTER, "capabilities": ENGINE_CAPABILITIES}
HARDENED = {"filter": ENGINE_FILTER, "capabilities": (), "no_new_privileges": True}

WITHOUT_LOCKS = {**HARDENED, "filter": {**ENGINE_FILTER, "flock": EPERM, "statx": EPERM}}

NOTE = (
    "cowsay: note: each start unpacks NN MB into memory, because no directory is both writable and "
    "executable (CZSCIE_MEMORY=fallback silences this note)\n"
)
HINT = (
    "hint: set CZSCIE_BASE to a writable directory that is not mounted noexec, "
    "or install the application into the image with the tool install\n"
)
READ_ONLY = "cannot create it: read-only file system"
MISSING = "cannot create it: no such file or directory"
NOEXEC = "it is on a file system mounted noexec"
NO_NAMESPACE = "unshare(2) of a user and mount namespace: EPERM"
NO_PROC = "/proc is not mounted"


def nowhere(tmp: str, shm: str, mount: str, files: str, user: int = USER, var: str = READ_ONLY) -> str:
    """The error that tells what was tried: the candidates for a base directory, and the ways of memory."""
    return (
        "cowsay: error: found no directory to unpack into; tried:\n"
        + ("" if user else f"  /var/cache/czscie: {READ_ONLY}\n")
        + f"  /tmp/czscie-{user}: {tmp}\n  /var/tmp/czscie-{user}: {var}\n  /dev/shm/czscie-{user}: {shm}\n"
        f"  memory (private tmpfs): {mount}\n  memory (memfd_create): {files}\n{HINT}"
    )


@dataclass(frozen=True)
class Row:
    """A root that is read-only unless said otherwise, with `mounts`, and what comes of a start in it.

    `error` is standard error when there is no cow, but for `note`, which is all of it when there is one.
    `given` are more of the confinement's fields, `files` more files of the root. With `scratch` the root has
    no glibc, and the executable brings one along.
    """

    name: str
    mounts: tuple[Mount, ...] = ()
    user: int = USER
    note: str = ""
    error: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    mode: int = 0o755
    program: str = "/cowsay"
    scratch: bool = False


ROWS = (
    Row("writable root of root", user=0, given={"read_only": False}),
    Row("writable root by chroot", user=0, given={"read_only": False, "pivot": False}),
    Row("writable root by a relative path", user=0, given={"read_only": False}, program="./cowsay"),
    Row("temporary directory", (TMP,)),
    Row("temporary directory by chroot", (TMP,), given={"pivot": False}),
    Row("temporary directory and /proc", (PROC, TMP)),
    Row("temporary directory, hardened", (PROC, TMP, SHM), given=HARDENED),
    Row("home that is not there", (TMP,), environment={"HOME": "/home/nobody"}),
    Row("home is the root", (PROC, TMP), environment={"HOME": "/"}, given=HARDENED),
    Row("nothing writable, root", user=0, note=NOTE),
    Row("nothing writable, root by chroot", user=0, note=NOTE, given={"pivot": False}),
    Row("nothing writable, root with /proc", (PROC,), user=0, note=NOTE),
    Row("nothing writable, a user with /proc", (PROC,), note=NOTE),
    Row(
        "nothing writable, a user without /proc",
        error=nowhere(READ_ONLY, READ_ONLY, "writing /proc/self/uid_map: ENOENT", NO_PROC),
    ),
    Row(
        "nothing writable, a user in a chroot",
        (PROC,),
        given={"pivot": False},
        error=nowhere(READ_ONLY, READ_ONLY, NO_NAMESPACE, "found no writable directory"),
    ),
    Row(
        "nothing writable, hardened",
        (PROC,),
        given=HARDENED,
        error=nowhere(READ_ONLY, READ_ONLY, NO_NAMESPACE, "found no writable directory"),
    ),
    Row("nothing but /proc in the root", (PROC,), user=0, note=NOTE, without=("tmp", "dev")),
    Row(
        "nothing at all in the root",
        user=0,
        without=("tmp", "dev", "proc"),
        error=nowhere(READ_ONLY, READ_ONLY, "found no empty directory to mount it on", NO_PROC, user=0),
    ),
    Row("noexec, root", (NOEXEC_TMP,), user=0, note=NOTE),
    Row("noexec, a user with /proc", (PROC, NOEXEC_TMP), note=NOTE),
    Row("noexec, root of an engine", (PROC, NOEXEC_TMP, SHM), user=0, note=NOTE, given=ENGINE),
    Row("noexec, a user of an engine", (PROC, NOEXEC_TMP, SHM), note=NOTE, given=ENGINE),
    Row("noexec, hardened", (PROC, NOEXEC_TMP), note=NOTE, given=HARDENED),
    Row("/dev/shm alone, hardened", (PROC, SHM), note=NOTE, given=HARDENED),
    Row(
        "noexec, hardened, without /proc",
        (NOEXEC_TMP, SHM),
        given=HARDENED,
        error=nowhere(NOEXEC, NOEXEC, NO_NAMESPACE, NO_PROC),
    ),
    Row(
        "noexec, memory refused",
        (PROC, NOEXEC_TMP),
        environment={"CZSCIE_MEMORY": "never"},
        error=re.sub("  memory .*\n", "", nowhere(NOEXEC, READ_ONLY, "", "")),
    ),
    Row("noexec, memory agreed to", (PROC, NOEXEC_TMP), environment={"CZSCIE_MEMORY": "fallback"}),
    Row("memory asked for", (PROC, TMP), environment={"CZSCIE_MEMORY": "always"}),
    Row("memory asked for, hardened", (PROC, TMP), environment={"CZSCIE_MEMORY": "always"}, given=HARDENED),
    Row("64 kB, root", (TINY_TMP,), user=0, note=NOTE),
    Row("64 kB, a user with /proc", (PROC, TINY_TMP), note=NOTE),
    Row(
        "64 kB, hardened",
        (PROC, TINY_TMP),
        given=HARDENED,
        note=NOTE,
        error="cowsay: error: cannot unpack PATH into /tmp/czscie-12345/memory/NAME: no space left on "
        "device\nhint: free some space there, or set CZSCIE_BASE to another directory\n",
    ),
    Row("no inode, root with /proc", (PROC, FULL_TMP), user=0, note=NOTE),
    Row(
        "no inode, hardened",
        (PROC, FULL_TMP),
        given=HARDENED,
        error=nowhere(
            "cannot create it: no space left on device",
            READ_ONLY,
            NO_NAMESPACE,
            "found no writable directory",
        ),
    ),
    Row(
        "memory is limited to 40 MB",
        (PROC,),
        files={"sys/fs/cgroup/memory.max": "40000000\n"},
        error=nowhere(
            READ_ONLY,
            READ_ONLY,
            "it needs NN MB, and the memory limit is 40 MB",
            "it needs NN MB, and the memory limit is 40 MB",
        ),
    ),
    Row("memory is limited to 1 GB", (PROC,), files={"sys/fs/cgroup/memory.max": "1000000000\n"}, note=NOTE),
    Row("memory is not limited", (PROC,), files={"sys/fs/cgroup/memory.max": "max\n"}, note=NOTE),
    Row(
        "no memfd_create, hardened",
        (PROC, SHM),
        given={**HARDENED, "filter": {**ENGINE_FILTER, "memfd_create": ENOSYS}},
        error=nowhere(READ_ONLY, NOEXEC, NO_NAMESPACE, "memfd_create(2) is missing or forbidden"),
    ),
    *(
        Row(f"no {call}: {name}", (PROC, TMP), given={"filter": {call: error}})
        for call in ("flock", "memfd_create", "clone3", "fchmodat2", "statx")
        for name, error in (("ENOSYS", ENOSYS), ("EPERM", EPERM))
    ),
    Row("no flock and no statx, nothing executable", (PROC, SHM), note=NOTE, given=WITHOUT_LOCKS),
    Row("unshare kills", (PROC, SHM), note=NOTE, given={**HARDENED, "filter": {"unshare": KILLED}}),
    Row("memfd_noexec = 1, hardened", (PROC, SHM), note=NOTE, given={**HARDENED, "memfd_noexec": 1}),
    Row(
        "memfd_noexec = 2, hardened",
        (PROC, SHM),
        given={**HARDENED, "memfd_noexec": 2},
        error=nowhere(READ_ONLY, NOEXEC, NO_NAMESPACE, "memfd_create(2): EACCES (vm.memfd_noexec is 2)"),
    ),
    Row(
        "executable that may not be read",
        (PROC, TMP),
        mode=0o111,
        error="cowsay: error: this executable has no permission to read its own file\n"
        "hint: add the permission with chmod +r\n",
    ),
    Row("16 open files", (PROC, TMP), given={"limits": {"nofile": 16}}),
    Row("1 process", (PROC, TMP), given={"limits": {"nproc": 1}}),
    Row("1 process, nothing executable", (PROC, NOEXEC_TMP), note=NOTE, given={"limits": {"nproc": 1}}),
    *(
        Row(f"{kilobytes} kB of stack", (PROC, TMP), given={"limits": {"stack": kilobytes << 10}})
        for kilobytes in (128, 256, 512, 8192)
    ),
    Row(
        "64 kB of stack",
        (PROC, TMP),
        given={"limits": {"stack": 64 << 10}},
        error="scie: error: the stack limit of 64 kB (ulimit -s) is too small for Python\n"
        "hint: raise the hard limit to 128 kB or more\n",
    ),
    Row(
        "files of 1 MB",
        (PROC, TMP),
        given={"limits": {"fsize": 1 << 20}},
        error="cowsay: error: cannot unpack PATH into /tmp/czscie-12345: file size limit "
        "exceeded (ulimit -f)\nhint: raise the limit\n",
    ),
    Row(
        "1 MB of data",
        (PROC, TMP),
        given={"limits": {"data": 1 << 20}},
        error="cowsay: error: cannot unpack PATH into /tmp/czscie-12345: out of memory\n"
        "hint: raise the memory limits (ulimit -v, ulimit -d, or the container's)\n",
    ),
    Row(
        "8 open files",
        (PROC, TMP),
        given={"limits": {"nofile": 8}},
        error="cowsay: error: cannot unpack PATH into /tmp/czscie-12345: too many open files (ulimit -n)\n"
        "hint: raise the limit\n",
    ),
    Row("standard input and error are closed", (PROC, TMP), given={"closed": (0, 2)}),
    Row("standard input is closed, hardened", (PROC, SHM), note=NOTE, given={**HARDENED, "closed": (0,)}),
    Row("scratch, temporary directory", (TMP,), scratch=True),
    Row("scratch, nothing writable, root", user=0, note=NOTE, scratch=True),
    Row("scratch, noexec, a user with /proc", (PROC, NOEXEC_TMP), note=NOTE, scratch=True),
    Row("scratch, /dev/shm alone, hardened", (PROC, SHM), note=NOTE, given=HARDENED, scratch=True),
)


@pytest.fixture(scope="module", autouse=True)
def _confinable() -> None:
    lack = can_confine()
    if lack is not None:
        pytest.skip(lack)


@pytest.fixture(scope="module")
def image(build_scie: BuildScie, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """A function to the root that rows' are made of, with glibc or from scratch."""
    made: dict[bool, Path] = {}

    def make(scratch: bool) -> Path:
        if scratch not in made:
            directory = tmp_path_factory.mktemp("image")
            for parent in (directory, *directory.parents):
                if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
                    parent.chmod(parent.stat().st_mode | 0o755)
            path = directory / "root"
            root = BareRoot.empty(path) if scratch else BareRoot.create(path, "x86_64")
            root.add_shared_memory()
            root.install(build_scie(Scie(COWSAY, "3.13", libc="when-missing" if scratch else None)))
            made[scratch] = root.path
        return made[scratch]

    return make


@pytest.fixture
def make_root(image: Callable[[bool], Path], tmp_path: Path) -> Callable[[Row], Path]:
    """A function to a row's root, of links to the image's files."""

    def make(row: Row) -> Path:
        tmp_path.chmod(0o755)
        root = tmp_path / "root"
        shutil.copytree(image(row.scratch), root, copy_function=os.link)
        for name in row.without:
            shutil.rmtree(root / name)
        for name, text in row.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        if row.mode != 0o755:
            executable = (root / "cowsay").read_bytes()
            (root / "cowsay").unlink()
            (root / "cowsay").write_bytes(executable)
            (root / "cowsay").chmod(row.mode)
        return root

    return make


def told(text: str) -> str:
    """Standard error without what differs from build to build and from start to start."""
    text = re.sub(r"[0-9]+ MB( into|, and)", r"NN MB\1", text)
    text = re.sub(r"cannot unpack \S+ into", "cannot unpack PATH into", text)
    return re.sub(r"memory/[0-9a-f]{16}", "memory/NAME", text)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_the_application_runs_or_says_exactly_what_is_missing(
    make_root: Callable[[Row], Path], row: Row
) -> None:
    root = make_root(row)
    confinement = Confinement(str(root), user=row.user, mounts=row.mounts, **row.given)  # type: ignore[arg-type]
    done = run(confinement, row.program, "-t", "moo", environment=row.environment)
    if row.error is not None:
        assert (done.returncode, done.stdout, told(done.stderr)) == (1, "", row.note + row.error)
    else:
        assert (done.returncode, told(done.stderr)) == (0, row.note)
        assert "| moo |" in done.stdout and "(oo)" in done.stdout


def test_there_are_rows_enough() -> None:
    assert len(ROWS) >= 25
    assert len({row.name for row in ROWS}) == len(ROWS)
