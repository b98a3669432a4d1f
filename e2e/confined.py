"""Runs a program as a container's first process would run, with as little as a test gives it.

`run` starts this file as a program in namespaces of its own (unshare(1)). There it mounts what the test asks
for, makes a directory its root, gives up what the program is not to have, and becomes the program. Only for
Linux x86_64: filters are made of system calls' numbers.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TIMEOUT = 120

#: linux/mount.h, linux/prctl.h, linux/seccomp.h, linux/filter.h, linux/audit.h, linux/capability.h
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC = 1, 2, 4, 8, 32, 4096, 16384
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 24, 38, 2
SECCOMP_ALLOW, SECCOMP_ERRNO, SECCOMP_KILL = 0x7FFF0000, 0x50000, 0x80000000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
AUDIT_ARCH_X86_64 = 0xC000003E
CAPABILITY_VERSION_3 = 0x20080522
MNT_DETACH = 2

#: Of x86_64 (arch/x86/entry/syscalls/syscall_64.tbl).
SYSTEM_CALLS = {
    "pivot_root": 155,
    "clone": 56,
    "mount": 165,
    "unshare": 272,
    "memfd_create": 319,
    "execveat": 322,
    "statx": 332,
    "clone3": 435,
    "fsync": 74,
    "flock": 73,
    "fchmodat2": 452,
    "getrandom": 318,
}

#: The filter returns this error for these calls; those in KILLED end the process.
EPERM, ENOSYS, KILLED = 1, 38, -1

#: What engines of containers forbid by default to who has no CAP_SYS_ADMIN, as far as it can matter here.
ENGINE_FILTER = {"unshare": EPERM, "mount": EPERM, "clone3": ENOSYS}

#: Capabilities that engines leave to root by default (capabilities(7)): none that allows a mount.
ENGINE_CAPABILITIES = (0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31)
ALL_CAPABILITIES = tuple(range(41))


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system of a type below the root, or with the type `bind` what is at `source`, with options."""

    target: str
    type: str = "tmpfs"
    options: str = ""
    flags: int = 0
    source: str = "none"


@dataclass(frozen=True, slots=True)
class Confinement:
    """What the program is given; every directory that something is mounted on must be there.

    With `pivot` the directory becomes the root as engines of containers do it, without as chroot(1) does.
    `filter` maps names of system calls to the errors that they end with.
    """

    root: str
    pivot: bool = True
    read_only: bool = True
    mounts: tuple[Mount, ...] = ()
    user: int = 0
    capabilities: tuple[int, ...] = ALL_CAPABILITIES
    no_new_privileges: bool = False
    filter: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    closed: tuple[int, ...] = ()
    memfd_noexec: int = 0
    directory: str = "/"


def run(
    confinement: Confinement,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    network: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Runs a program of the confinement's root as process 1; its environment is empty unless given."""
    namespaces = ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
    namespaces += [] if network else ["--net"]
    given = json.dumps(asdict(confinement))
    return subprocess.run(
        ["unshare", *namespaces, sys.executable, "-I", "-S", __file__, given, *arguments],
        env={"PATH": os.environ["PATH"], "CONFINED": json.dumps(dict(environment or {}))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=TIMEOUT,
    )


def enter(confinement: Mapping[str, Any], program: Sequence[str], environment: Mapping[str, str]) -> None:
    """Becomes the program."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result: int, what: str) -> None:
        if result != 0:
            raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")

    def mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
        given = [None if text is None else text.encode() for text in (source, target, kind)]
        check(libc.mount(*given, ctypes.c_ulong(flags), options.encode()), f"mount {target}")

    root = confinement["root"]
    if confinement["memfd_noexec"]:
        mount("proc", "/proc", "proc", 0)
        Path("/proc/sys/vm/memfd_noexec").write_text(str(confinement["memfd_noexec"]))
    if confinement["pivot"] or confinement["read_only"]:
        mount(root, root, None, MS_BIND | MS_REC)
    for each in confinement["mounts"]:
        target = root + each["target"]
        if each["type"] == "bind":
            mount(each["source"], target, None, MS_BIND | MS_REC)
            mount(None, target, None, MS_BIND | MS_REMOUNT | each["flags"])
        else:
            mount(each["source"], target, each["type"], each["flags"], each["options"])
    if confinement["read_only"]:
        mount(None, root, None, MS_BIND | MS_REMOUNT | MS_RDONLY)
    if confinement["pivot"]:
        os.chdir(root)
        check(libc.syscall(SYSTEM_CALLS["pivot_root"], b".", b"."), "pivot_root")
        check(libc.umount2(b".", MNT_DETACH), "umount")
    else:
        os.chroot(root)
    os.chdir(confinement["directory"])
    for name, limit in confinement["limits"].items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (limit, limit))
    _give_up(libc, check, confinement)
    for descriptor in confinement["closed"]:
        os.close(descriptor)
    os.execve(program[0], list(program), dict(environment))


def _give_up(libc: ctypes.CDLL, check: Any, confinement: Mapping[str, Any]) -> None:
    """The capabilities, the identity, the system calls."""
    kept = 0
    for capability in confinement["capabilities"]:
        kept |= 1 << capability
    for capability in ALL_CAPABILITIES:
        if not kept >> capability & 1:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those that a kernel does not know
    user = confinement["user"]
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    elif confinement["capabilities"] != list(ALL_CAPABILITIES):
        header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
        low, high = kept & 0xFFFFFFFF, kept >> 32
        data = struct.pack("6I", low, low, 0, high, high, 0)
        check(libc.capset(header, data), "capset")
    if confinement["no_new_privileges"] or confinement["filter"]:
        check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    if confinement["filter"]:
        program = _filter(confinement["filter"])
        buffer = ctypes.create_string_buffer(program, len(program))
        description = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
        check(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, description, 0, 0), "seccomp")


def _filter(forbidden: Mapping[str, int]) -> bytes:
    """A program of seccomp(2), in classic BPF."""

    def instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
        return struct.pack("HBBI", code, if_true, if_false, value)

    allow = instruction(RETURN, 0, 0, SECCOMP_ALLOW)
    program = instruction(LOAD, 0, 0, 4) + instruction(JUMP_IF_EQUAL, 1, 0, AUDIT_ARCH_X86_64) + allow
    program += instruction(LOAD, 0, 0, 0)
    for name, error in forbidden.items():
        action = SECCOMP_KILL if error == KILLED else SECCOMP_ERRNO | error
        program += instruction(JUMP_IF_EQUAL, 0, 1, SYSTEM_CALLS[name]) + instruction(RETURN, 0, 0, action)
    return program + allow


def can_confine() -> str | None:
    """What this machine lacks for it, or None."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"confinement is made for Linux x86_64; this is {sys.platform} {platform.machine()}"
    if os.geteuid() != 0:
        return "namespaces with mounts in them need root"
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--net", "--fork", "true"], capture_output=True, text=True
    )
    return None if done.returncode == 0 else f"namespaces cannot be made here: {done.stderr.strip()}"


if __name__ == "__main__":
    given = json.loads(os.environ["CONFINED"])
    enter(json.loads(sys.argv[1]), sys.argv[2:], given)
