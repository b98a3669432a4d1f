# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when the CZEX is not installed for it yet.
"""The installation of a CZEX by its own launcher, in the first usable base directory."""

import os
import platform
import sys
import zipimport
import zlib

from . import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .request import Request

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "ppc64le": "powerpc64", "armv8l": "armv7l"}


def ensure(czex, main, catalogue, name, request):
    # type: (str, Any, dict, str, Callable[[], Request]) -> str
    """The directory of the installation called `name`. If it is missing, `request` makes it."""
    made = None
    jobs = settings.install_jobs(czex)
    refusals = []
    for base in main.bases():
        recheck = 0
        root = main.installed(base, name)
        if root is not None:
            if not os.path.exists(root + "/bin/python"):
                recheck = 2  # its interpreter is gone
            elif main.is_only_read(base) or main.is_recent(root) or not os.access(base, os.W_OK):
                return root  # type: ignore[no-any-return]
            else:
                recheck = 1
        if main.is_only_read(base):
            continue
        made = made or request()
        mask = os.umask(0o022) if base == main.HOSTS else None  # all users are to read it
        try:
            reason = objection(main, base, made.unpacked)
            if reason:
                refusals.append("%s: %s" % (base, reason))
                continue
            for line in refusals:
                settings.note(czex, "not used: " + line)
            settings.note(czex, "installing into %s/apps/%s" % (base, name))
            rendered = made.render(os.path.basename(czex), base, name, recheck, jobs)
            _carry_out(czex, catalogue, base, rendered)
        finally:
            if mask is not None:
                os.umask(mask)
        return base + "/apps/" + name  # type: ignore[no-any-return]
    settings.fail(
        czex,
        "there is no directory to unpack into; tried\n  %s\nhint: set CZSCIE_BASE to a directory of your own "
        "that can be written to and executed from" % "\n  ".join(refusals),
    )
    raise AssertionError


def objection(main, base, needed):
    # type: (Any, str, int) -> str
    """Why nothing can be installed below `base`, or the empty string. Creates `base` if it can."""
    try:
        if not isinstance(base, bytes):
            base.encode("utf-8")
    except UnicodeError:
        return "its path is not UTF-8, and Python cannot start from it"
    if "\n" in base or "\r" in base:
        return "its path has a line break, and pyvenv.cfg cannot represent it"
    try:
        _make(main, base)
    except OSError as error:
        if not os.path.isdir(base):
            return "it cannot be created: %s" % (error.strerror or error)
    other = main.exchangeable(base)
    if other:
        return "%s above it belongs to another user, or other users may write to it" % other
    status = os.lstat(base)
    if status.st_mode & 0o170000 != 0o040000:
        return "it is a symbolic link or not a directory"
    if status.st_uid != os.geteuid():
        return "it belongs to another user"
    if status.st_mode & 0o022:
        return "other users may write to it (make its mode 0700)"
    system = os.statvfs(base)
    if system.f_flag & 1:
        return "it is on a read-only file system"
    if system.f_flag & 8:
        return "it is on a file system mounted noexec"
    if system.f_bavail * system.f_frsize < needed:
        free = system.f_bavail * system.f_frsize // 1000000
        return "%d MB are needed and %d MB are free" % (needed // 1000000 + 1, free)
    if not os.access(base, os.W_OK):
        return "it cannot be written to"
    return ""


def _make(main, base):
    # type: (Any, str) -> None
    """Creates it and its missing parents, but nothing in a directory that another user could exchange."""
    missing = []
    path = base
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for each in reversed(missing):
        if main.exchangeable(each):
            return
        os.mkdir(each, 0o700 if each == base and base != main.HOSTS else 0o755)


def _carry_out(czex, catalogue, base, request):
    # type: (str, dict, str, bytes) -> None
    launcher = _launcher(czex, catalogue, base)
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(sending)
            os.dup2(receiving, 0)
            os.execv(launcher, [os.path.basename(launcher), "--czscie-request"])
        finally:
            os._exit(126)
    os.close(receiving)
    try:
        with os.fdopen(sending, "wb") as stream:
            stream.write(request)
    except (IOError, OSError):
        pass
    status = os.waitpid(child, 0)[1]
    if status == 126 << 8:
        settings.fail(czex, "its launcher %s cannot be started" % launcher)
    if status:
        sys.exit(status >> 8 or 1)


def _launcher(czex, catalogue, base):
    # type: (str, dict, str) -> str
    """The launcher for this platform, as a file below `base`."""
    system = {"linux": "linux", "linux2": "linux", "darwin": "macos"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    name = "%s-%s" % (system, _MACHINES.get(machine, machine))
    if name not in catalogue["launchers"]:
        settings.fail(
            czex,
            "it does not support %s, only %s\nhint: make it again: czscie inject --platform %s …"
            % (name, ", ".join(catalogue["launchers"]) or "no platform", name),
        )
    data = zipimport.zipimporter(czex).get_data(os.path.join(czex, ".czscie/launchers", name))
    directory = base + "/launchers"
    path = "%s/%s-%08x" % (directory, name, zlib.crc32(data) & 0xFFFFFFFF)
    try:
        with open(path, "rb") as file:
            if file.read() == data:
                return path
    except (IOError, OSError):
        pass
    temporary = "%s.%d" % (path, os.getpid())
    try:
        if not os.path.isdir(directory):
            try:
                os.mkdir(directory, 0o700)
            except OSError:
                if not os.path.isdir(directory):
                    raise
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.rename(temporary, path)
    except (IOError, OSError) as error:
        settings.fail(czex, "cannot unpack its launcher into %s: %s" % (directory, error.strerror or error))
    return path
