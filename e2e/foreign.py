"""Programs of another architecture, by qemu's user-mode emulation, without a change to the host.

The kernel hands foreign programs to qemu by binfmt_misc. Since Linux 6.7 every user namespace can have a
registry of its own, so the handler is registered in a namespace that ends with the program. The handler's
flags are `F` (the emulator is opened now, so that it is found inside a chroot) and `P` (argv[0] is kept).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from e2e.cache import cached
from e2e.mirror.apt import Apt

_REGISTRY = "/proc/sys/fs/binfmt_misc"

#: e_ident, e_type and e_machine of a 64-bit little-endian ELF program; e_machine is EM_AARCH64. The mask lets
#: EI_OSABI be anything and e_type be ET_EXEC or ET_DYN.
_MAGIC = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00"
_MASK = b"\xff" * 7 + b"\x00" + b"\xff" * 8 + b"\xfe\xff\xff\xff"

_SUITE = "bookworm"


def emulator() -> Path:
    """qemu for aarch64, statically linked, from Debian's package."""
    kept = cached("qemu", [_SUITE, "amd64"], _unpack_emulator)
    return kept / "usr/bin/qemu-aarch64-static"


def _unpack_emulator(target: Path) -> None:
    _unpack(target, "amd64", "qemu-user-static")


def system() -> Path:
    """A directory with the glibc of Debian for aarch64."""
    return cached("system", [_SUITE, "arm64"], _unpack_system)


def _unpack_system(target: Path) -> None:
    _unpack(target, "arm64", "libc6")
    for link in [path for path in target.rglob("*") if path.is_symlink()]:
        destination = str(link.readlink())
        if destination.startswith("/"):  # it would lead out of the directory, to the host's
            link.unlink()
            link.symlink_to(os.path.relpath(target / destination.lstrip("/"), link.parent))


def _unpack(target: Path, architecture: str, package: str) -> None:
    target.mkdir(parents=True)
    work = target / ".apt"
    Apt(work, _SUITE, architecture).unpack(target, package)
    shutil.rmtree(work)


def enter() -> list[str]:
    """A command that runs the rest of its arguments where the kernel starts aarch64 programs."""
    handler = f":czscie-e2e:M::{_escaped(_MAGIC)}:{_escaped(_MASK)}:{emulator()}:PF"
    script = (
        f"/bin/mount -t binfmt_misc none {_REGISTRY}"
        f" && printf %s {shlex.quote(handler)} > {_REGISTRY}/register"
        ' && unset PWD && exec "$@"'  # the shell put it into the environment
    )
    return ["/usr/bin/unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script, "sh"]


def why_not() -> str | None:
    """The reason why this kernel cannot start aarch64 programs, None when it can."""
    done = subprocess.run([*enter(), "/bin/true"], capture_output=True, text=True)
    if done.returncode == 0:
        return None
    return f"no private binfmt_misc (Linux 6.7 has it): {done.stderr.strip()}"


def _escaped(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)
