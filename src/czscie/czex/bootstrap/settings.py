# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when settings affect a start.
"""The environment variables and files of pex that affect a start."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: What cannot be honoured, and why.
_REFUSED = {
    "PEX_TOOLS": "a CZEX does not contain pex: make a PEX from it (czscie eject) and run its tools",
    "PEX_COVERAGE": "a CZEX does not contain pex: run coverage in it: PEX_MODULE=coverage",
    "PEX_COVERAGE_FILENAME": "a CZEX does not contain pex: run coverage in it: PEX_MODULE=coverage",
    "PEX_PROFILE": "a CZEX does not contain pex: run a profiler in it: PEX_MODULE=cProfile",
    "PEX_PROFILE_FILENAME": "a CZEX does not contain pex: run a profiler in it: PEX_MODULE=cProfile",
    "PEX_PROFILE_SORT": "a CZEX does not contain pex: run a profiler in it: PEX_MODULE=cProfile",
}

_NO = ("0", "false")


def apply(czex, main):
    # type: (str, Any) -> None
    """Sets the variables from files, and rejects those that are not supported."""
    environment = os.environ
    if is_set("PEX_DISABLE_VARIABLES"):
        for name in list(environment):
            if name.startswith("PEX_"):
                del environment[name]
    elif not is_set("PEX_IGNORE_RCFILES"):
        for name, value in _from_files(main.rc_files()).items():
            environment.setdefault(name, value)
    for name, reason in sorted(_REFUSED.items()):
        if environment.get(name, "").lower() not in ("",) + _NO:
            fail(czex, "%s is not supported: %s" % (name, reason))
    if environment.get("PEX_VENV", "").lower() in _NO:
        fail(czex, "PEX_VENV=0 is not supported: a CZEX always runs from a virtual environment")


def _from_files(paths):
    # type: (list[str]) -> dict[str, str]
    found = {}
    for path in paths:
        try:
            with open(path) as file:
                lines = file.read().splitlines()
        except (IOError, OSError):
            continue
        for line in lines:
            parts = [part for part in line.strip().split("=") if part]
            if len(parts) == 2:
                found[parts[0]] = parts[1]
    return found


def is_set(name, default=False):
    # type: (str, bool) -> bool
    """The value of a boolean variable. Raises SystemExit when it is not a boolean."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in ("1", "true"):
        return True
    if value.lower() in _NO + ("",):
        return False
    sys.exit("%s must be 0, 1, false or true, found %r" % (name, value))


def warns(catalogue):
    # type: (dict) -> bool
    return is_set("PEX_EMIT_WARNINGS", catalogue["settings"]["emit_warnings"]) or is_verbose()


def is_verbose():
    # type: () -> bool
    return os.environ.get("PEX_VERBOSE", "0") not in ("", "0")


def install_jobs(czex):
    # type: (str) -> int
    """The number of threads that install; 0 for the number of cores."""
    value = os.environ.get("PEX_MAX_INSTALL_JOBS", "0")
    try:
        number = int(value)
    except ValueError:
        number = -2
    if number < -1:
        fail(czex, "PEX_MAX_INSTALL_JOBS must be a number from -1 on, found %r" % value)
    return max(number, 0)


def note(czex, text):
    # type: (str, str) -> None
    """Prints a line if PEX_VERBOSE is set."""
    if is_verbose():
        sys.stderr.write("%s: %s\n" % (os.path.basename(czex), text))


def pex_path(catalogue):
    # type: (dict) -> list[str]
    """The other CZEXes to add."""
    paths = list(catalogue["settings"]["pex_paths"])
    paths += [path for path in os.environ.get("PEX_PATH", "").split(os.pathsep) if path]
    return [os.path.realpath(path if isinstance(path, str) else path.encode("utf-8")) for path in paths]


def fail(czex, text):
    # type: (str, str) -> None
    """Ends the process."""
    sys.stderr.write("%s: error: %s\n" % (os.path.basename(czex), text))
    sys.exit(1)
