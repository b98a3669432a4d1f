# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when it is started for the first time.
"""The tags of the wheels that this interpreter can use, best first (PEP 425, 599, 600, 656)."""

import os
import sys

_LEGACY_MANYLINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_MANYLINUX_MACHINES = (
    "x86_64",
    "aarch64",
    "ppc64",
    "ppc64le",
    "s390x",
    "loongarch64",
    "riscv64",
    "i686",
    "armv7l",
)


def supported_tags():
    # type: () -> list[tuple[str, str, str]]
    """Triples of interpreter, ABI and platform."""
    platforms = _platforms()
    version = "%d%d" % sys.version_info[:2]
    if is_pypy():
        tags = [("pp" + version, abi, platform) for abi in (_pypy_abi(), "none") for platform in platforms]
        return tags + _compatible("pp3" if sys.version_info[0] == 3 else "pp2", platforms)
    return _cpython("cp" + version, platforms) + _compatible("cp" + version, platforms)


def is_pypy():
    # type: () -> bool
    return hasattr(sys, "pypy_version_info")


def _cpython(interpreter, platforms):
    # type: (str, list[str]) -> list[tuple[str, str, str]]
    flags = getattr(sys, "abiflags", None)
    if flags is None:  # Python 2, Windows
        flags = "d" if hasattr(sys, "gettotalrefcount") else ""
        if sys.version_info[0] == 2:
            flags += "m" + ("u" if sys.maxunicode > 0xFFFF else "")
    abis = [interpreter + flags]
    if "d" in flags and sys.version_info >= (3, 8):  # a debug build loads what others do
        abis.append(interpreter + flags.replace("d", ""))
    tags = [(interpreter, abi, platform) for abi in abis for platform in platforms]
    if sys.version_info < (3, 2):
        return tags + [(interpreter, "none", platform) for platform in platforms]
    stable = "abi3t" if "t" in flags else "abi3"  # PEP 384, PEP 803
    tags += [(interpreter, abi, platform) for abi in (stable, "none") for platform in platforms]
    for minor in range(sys.version_info[1] - 1, 1, -1):
        tags += [("cp3%d" % minor, stable, platform) for platform in platforms]
    return tags


def _pypy_abi():
    # type: () -> str
    import sysconfig

    # `pypy310-pp73` of `.pypy310-pp73-x86_64-linux-gnu.so`; PyPy 2 says `pypy-73`.
    suffix = sysconfig.get_config_var("SOABI") or ""
    return "_".join(suffix.split("-")[:2])


def _compatible(interpreter, platforms):
    # type: (str, list[str]) -> list[tuple[str, str, str]]
    major, minor = sys.version_info[:2]
    versions = ["py%d%d" % (major, minor), "py%d" % major]
    versions += ["py%d%d" % (major, older) for older in range(minor - 1, -1, -1)]
    tags = [(version, "none", platform) for version in versions for platform in platforms]
    return tags + [(version, "none", "any") for version in [interpreter] + versions]


def _platforms():
    # type: () -> list[str]
    if sys.platform == "darwin":
        return _macos()
    if sys.platform.startswith("linux"):
        return _linux(linux_machine())
    import sysconfig

    return [sysconfig.get_platform().replace("-", "_").replace(".", "_")]


def linux_machine():
    # type: () -> str
    """The machine that the interpreter was compiled for; the kernel's may have twice its bits."""
    machine = os.uname()[4]
    if sys.maxsize < 1 << 32:
        return {"x86_64": "i686", "aarch64": "armv7l", "armv8l": "armv7l"}.get(machine, machine)
    return machine


def _linux(machine):
    # type: (str) -> list[str]
    tags = ["linux_" + machine]
    version = glibc_version()
    if version is not None and machine in _MANYLINUX_MACHINES:
        oldest = 5 if machine in ("x86_64", "i686") else 17
        for minor in range(version[1], oldest - 1, -1):
            if not _host_allows(version[0], minor, machine):
                continue
            tags.append("manylinux_%d_%d_%s" % (version[0], minor, machine))
            if minor in _LEGACY_MANYLINUX:
                tags.append("%s_%s" % (_LEGACY_MANYLINUX[minor], machine))
    elif version is None:
        musl = _musl_version()
        if musl is not None:
            tags += ["musllinux_%d_%d_%s" % (musl[0], minor, machine) for minor in range(musl[1], -1, -1)]
    return tags


def _host_allows(major, minor, machine):
    # type: (int, int, str) -> bool
    """The verdict of the distributor's module `_manylinux` (PEP 600)."""
    try:
        import _manylinux  # type: ignore[import-not-found]
    except ImportError:
        return True
    if hasattr(_manylinux, "manylinux_compatible"):
        answer = _manylinux.manylinux_compatible(major, minor, machine)
        return True if answer is None else bool(answer)
    legacy = _LEGACY_MANYLINUX.get(minor)
    return bool(getattr(_manylinux, legacy + "_compatible", True)) if legacy else True


def glibc_version():
    # type: () -> tuple[int, int] | None
    import re

    try:
        text = os.confstr("CS_GNU_LIBC_VERSION")  # "glibc 2.36"
    except (AttributeError, OSError, ValueError):  # Python 2 does not know the name
        text = _loaded_glibc()
    match = re.search(r"(\d+)\.(\d+)", text or "")
    return (int(match.group(1)), int(match.group(2))) if match else None


def _loaded_glibc():
    # type: () -> str
    """The version of the glibc that this process has loaded, or the empty string."""
    try:
        import ctypes

        version = ctypes.CDLL(None).gnu_get_libc_version
    except (AttributeError, ImportError, OSError):
        return ""
    version.restype = ctypes.c_char_p
    return version().decode("ascii")  # type: ignore[no-any-return]


def _musl_version():
    # type: () -> tuple[int, int] | None
    import re
    import subprocess

    loader = _program_interpreter(sys.executable)
    if "musl" not in loader:
        return None
    process = subprocess.Popen([loader], stderr=subprocess.PIPE)
    text = process.communicate()[1].decode("ascii", "replace")
    match = re.search(r"Version (\d+)\.(\d+)", text)
    return (int(match.group(1)), int(match.group(2))) if match else None


def _program_interpreter(path):
    # type: (str) -> str
    """The loader that an ELF executable names (PT_INTERP), or the empty string."""
    import struct

    try:
        with open(path, "rb") as file:
            head = file.read(64)
            wide = head[4:5] == b"\x02"
            order = "<" if head[5:6] == b"\x01" else ">"
            if head[:4] != b"\x7fELF":
                return ""
            offset = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)[0]
            size, count = struct.unpack_from(order + "HH", head, 54 if wide else 42)
            for index in range(count):
                file.seek(offset + index * size)
                header = file.read(size)
                if struct.unpack_from(order + "I", header)[0] != 3:  # PT_INTERP
                    continue
                start = struct.unpack_from(order + ("Q" if wide else "I"), header, 8 if wide else 4)[0]
                length = struct.unpack_from(order + ("Q" if wide else "I"), header, 32 if wide else 16)[0]
                file.seek(start)
                return file.read(length).rstrip(b"\0").decode("utf-8")
    except (IOError, OSError, struct.error, UnicodeDecodeError):
        pass
    return ""


def _macos():
    # type: () -> list[str]
    import platform

    text, _, machine = platform.mac_ver()
    version = _mac_version(text)
    if version == (10, 16):  # what newer systems tell a Python that was built for older ones
        import subprocess

        command = [sys.executable, "-sS", "-c", "import platform; print(platform.mac_ver()[0])"]
        process = subprocess.Popen(command, env={"SYSTEM_VERSION_COMPAT": "0"}, stdout=subprocess.PIPE)
        version = _mac_version(process.communicate()[0].decode("ascii"))
    tags = []
    if version >= (11, 0):
        formats = _mac_formats(machine)
        tags += ["macosx_%d_0_%s" % (major, kind) for major in range(version[0], 10, -1) for kind in formats]
        if machine == "x86_64":
            tags += ["macosx_10_%d_%s" % (minor, kind) for minor in range(16, 3, -1) for kind in formats]
        else:
            tags += ["macosx_10_%d_universal2" % minor for minor in range(16, 3, -1)]
        return tags
    formats = _mac_formats(machine)
    return ["macosx_10_%d_%s" % (minor, kind) for minor in range(version[1], 3, -1) for kind in formats]


def _mac_version(text):
    # type: (str) -> tuple[int, ...]
    return tuple(int(part) for part in text.split(".")[:2])


def _mac_formats(machine):
    # type: (str) -> list[str]
    if machine == "x86_64":
        return [machine, "intel", "fat64", "fat3", "universal2", "universal"]
    return [machine, "universal2"]
