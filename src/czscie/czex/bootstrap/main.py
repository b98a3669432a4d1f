# Runs in whatever Python of the host was given a CZEX, 2.7 and newer, at every start: it is compiled each
# time and imports only what the interpreter has imported already.
"""The `__main__` of a CZEX: executes the application, and installs it first if it is missing."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# `czscie inject` puts the values in.
PAYLOAD = ""  # SHA-256 of what is installed
PEX_ROOT = ""  # of PEX-INFO
PYTHON_ARGUMENTS = []  # type: list[str]
HERMETIC = True
CAREFUL = False  # PEX-INFO asks for more than this module knows

#: The variables of pex that do not decide what is installed, nor for which Python.
_LATER = [
    "PEX_EXTRA_SYS_PATH",
    "PEX_IGNORE_RCFILES",
    "PEX_INTERPRETER",
    "PEX_INTERPRETER_HISTORY",
    "PEX_INTERPRETER_HISTORY_FILE",
    "PEX_MODULE",
    "PEX_ROOT",
    "PEX_SCRIPT",
    "PEX_VENV_BIN_PATH",
]

#: Set for the Python that is to start a CZEX: "asked" when it said that it suits, "remembered" when it did so
#: at an earlier start. "probe" asks it.
CHOSEN = "__CZSCIE_CHOSEN__"

#: Where root installs for all users.
HOSTS = "/Library/Caches/czscie" if sys.platform == "darwin" else "/var/cache/czscie"


def main(czex, module):
    # type: (str, object) -> None
    """Executes the application; `module` is this one."""
    if os.name == "nt":
        sys.exit("%s does not start on Windows; build an executable for it: czscie build" % czex)
    if not needs_care():
        root = find(key([]))
        if root is not None:
            execute(root, czex, [])
    _bootstrap(czex, "slow_path").start(czex, module)


def mount(czex, module):
    # type: (str, object) -> str
    """Makes the packages of the CZEX importable. Returns their directory."""
    return _bootstrap(czex, "slow_path").mount(czex, module)  # type: ignore[no-any-return]


def _bootstrap(czex, name):
    # type: (str, str) -> Any
    sys.path.insert(0, os.path.join(czex, ".czscie"))
    try:
        return __import__("czscie_bootstrap." + name, fromlist=[name])
    finally:
        del sys.path[0]


def _czex():
    # type: () -> str
    return os.path.abspath(os.path.dirname(__file__))


def needs_care():
    # type: () -> bool
    """Whether settings affect the start."""
    environment = os.environ
    if CAREFUL or CHOSEN in environment:
        return True
    for name in environment:
        if name[:4] == "PEX_" and name not in _LATER:
            return True
    if environment.get("PEX_IGNORE_RCFILES", "").lower() in ("1", "true"):
        return False
    return any(os.path.exists(path) for path in rc_files())


def rc_files():
    # type: () -> list[str]
    """The files with pex's settings, the weakest first."""
    home = os.environ.get("HOME")
    found = ["/etc/pexrc"] + ([home + "/.pexrc"] if home else [])
    return found + [os.path.join(os.path.dirname(sys.argv[0]), ".pexrc")]


def key(more):
    # type: (list[str]) -> str
    """The name of the installation for this interpreter."""
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        libc = ""
    system = os.uname()
    identity = [
        PAYLOAD,
        os.path.realpath(sys.executable),
        getattr(sys, "base_prefix", sys.prefix),
        sys.version,
    ]
    identity += [sys.platform, system[4], libc or "", str(sys.maxunicode), getattr(sys, "abiflags", "")]
    if sys.platform == "darwin":
        identity.append(system[2])
    return sha256("\0".join(identity + more))


def sha256(text):
    # type: (str) -> str
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    try:
        from _sha2 import sha256  # type: ignore[import-not-found]  # hashlib would load OpenSSL
    except ImportError:
        try:
            from _sha256 import sha256  # type: ignore[import-not-found]
        except ImportError:
            from hashlib import sha256
    return sha256(data).hexdigest()  # type: ignore[no-any-return]


def bases():
    # type: () -> list[str]
    """Base directories to install below, best first, in the launcher's order."""
    environment = os.environ
    home = environment.get("HOME")
    found = []
    for name in ("CZSCIE_BASE", "SCIE_BASE"):
        if environment.get(name):
            found.append(_expanded(environment[name]))
    pex_root = environment.get("PEX_ROOT") or PEX_ROOT
    if pex_root:
        found.append(os.path.join(_expanded(pex_root), "czscie"))
    # What other users may not read is not unpacked for them.
    if os.geteuid() or os.stat(_czex()).st_mode & 4:
        found.append(HOSTS)
    cache = environment.get("XDG_CACHE_HOME", "")
    if sys.platform == "darwin":
        if home and home[0] == "/":
            found.append(home + "/Library/Caches/czscie")
    elif cache[:1] == "/":
        found.append(os.path.join(cache, "czscie"))
    elif home and home[0] == "/":
        found.append(os.path.join(home, ".cache/czscie"))
    for directory in (environment.get("TMPDIR", ""), "/tmp", "/var/tmp", "/dev/shm"):  # noqa: S108
        if directory[:1] == "/":
            found.append("%s/czscie-%d" % (directory.rstrip("/"), os.geteuid()))
    return found


def _expanded(path):
    # type: (str) -> str
    home = os.environ.get("HOME")
    if home and (path == "~" or path[:2] == "~/"):
        return home + path[1:]
    return os.path.abspath(path)


def find(name):
    # type: (str) -> str | None
    """The installation called `name`, if it is in the first usable base directory and needs no check."""
    for base in bases():
        hold(base)
        root = installed(base, name)
        if root is not None:
            return root if is_only_read(base) or is_recent(root) else None
        if is_only_read(base) or exchangeable(base):
            continue
        if not os.path.isdir(base) or os.access(base, os.W_OK):
            return None
    return None


def is_only_read(base):
    # type: (str) -> bool
    """Whether root keeps it for all users, and this is another one."""
    return base == HOSTS and os.geteuid() != 0


def hold(base):
    # type: (str) -> None
    """Keeps it open until the application starts. The removal of installations waits for that."""
    try:
        descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    if sys.version_info < (3, 4):
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.FD_CLOEXEC)


def installed(base, name):
    # type: (str, str) -> str | None
    """The installation below `base`, if no other user can have written it."""
    root = base + "/apps/" + name
    if not is_trusted(base) or not os.path.exists(root):
        return None
    # Its time is 0 while root removes it, and only root can wait for that.
    return None if is_only_read(base) and os.stat(root).st_mtime == 0 else root


def is_trusted(base):
    # type: (str) -> bool
    """Whether it is a directory and not a link, ours or root's, which no other user can change."""
    try:
        status = os.lstat(base)
    except OSError:
        return False
    ours = status.st_mode & 0o170022 == 0o040000 and status.st_uid in (0, os.geteuid())
    return ours and not exchangeable(base)


def exchangeable(path):
    # type: (str) -> str
    """The first directory above `path`, or link to one, that another user could exchange, or nothing."""
    names, seen, links, shared = path.split("/")[-2:0:-1], "", 0, None
    while names:
        name = names.pop()
        if name == "..":  # the directory above is looked at once more
            above = seen.rpartition("/")[0]
            seen, _, name = above.rpartition("/")
        if name in ("", "."):
            continue
        directory, seen = seen, seen + "/" + name
        try:
            status = os.lstat(seen)
        except OSError:
            return ""  # nor can anything be below it
        mode, device = status.st_mode, status.st_dev
        if status.st_uid not in (0, os.geteuid()) and not (status.st_uid == 65534 and _users().is_unknown()):
            return seen
        if mode & 0o170000 == 0o120000:
            links += 1
            target = os.readlink(seen)
            names.extend(target.split("/")[::-1])
            seen = "" if target[:1] == "/" else directory
            shared = None if target[:1] == "/" else shared
            if links > 16:
                return directory
            continue
        if shared not in (None, device) and _users().is_mounted_by_users(device):
            return seen
        shared = device if mode & 0o1000 and mode & 0o022 else None
        if shared is None and (mode & 0o002 or (mode & 0o020 and not _users().is_private(status.st_gid))):
            return seen
    return ""


def _users():
    # type: () -> Any
    return _bootstrap(_czex(), "users")


def is_recent(root):
    # type: (str) -> bool
    """Whether it was used today, since the system started, and not in the future."""
    import time

    now, used = time.time(), os.stat(root).st_mtime
    try:
        if hasattr(time, "CLOCK_BOOTTIME"):
            running = time.clock_gettime(time.CLOCK_BOOTTIME)
        else:
            with open("/proc/uptime") as file:
                running = float(file.read().split()[0])
    except (IOError, OSError):
        running = 86400.0
    return now - min(running, 86400) <= used <= now


def execute(root, czex, more):
    # type: (str, str, list[str]) -> None
    """Executes the application. Returns if its interpreter is gone."""
    os.environ["PEX"] = os.path.realpath(czex)
    os.environ["VIRTUAL_ENV"] = root
    python = root + "/bin/python"
    arguments = [python] + PYTHON_ARGUMENTS + own_arguments() + more
    if HERMETIC:
        arguments.append("-I" if sys.version_info >= (3, 4) else "-sE")
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(python, arguments + [root + "/__main__.py"] + sys.argv[1:])
    except OSError:
        return


def own_arguments():
    # type: () -> list[str]
    """The arguments of Python itself before the CZEX: `-W error`, `-X dev`, `-O`, `-u`."""
    given = getattr(sys, "orig_argv", None)
    if given is None:
        try:
            with open("/proc/self/cmdline", "rb") as file:
                given = file.read().split(b"\0")[:-1]
        except (IOError, OSError):
            return []
        if sys.version_info[0] > 2:
            given = [os.fsdecode(each) for each in given]
    return list(given[1 : len(given) - len(sys.argv)])


if __name__ == "__main__":
    main(os.path.abspath(os.path.dirname(__file__)), sys.modules[__name__])
