# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when it is started for the first time.
"""The layout of an environment on this interpreter, and its files that depend on the host."""

import os
import sys

from .tags import is_pypy


class CacheLayout(object):
    """`python` is what the environment stands on, `site_packages` is relative to the environment."""

    def __init__(self, copies, system_site_packages):
        # type: (bool, bool) -> None
        self.python = base_python()
        self.version = "%d.%d" % sys.version_info[:2]
        self._copies = copies
        self._system_site_packages = system_site_packages
        if not is_pypy():
            flag = "t" if "t" in getattr(sys, "abiflags", "") else ""
            self._stdlib = "lib/python%s%s" % (self.version, flag)
        else:
            self._stdlib = "lib/pypy%s" % self.version if sys.version_info >= (3, 8) else ""
        self.site_packages = self._stdlib + "/site-packages" if self._stdlib else "site-packages"

    def destination(self, scheme, path):
        # type: (str, str) -> str
        """Where the file of a catalogue goes."""
        if scheme == "p":
            return self.site_packages + "/" + path
        if scheme == "h":
            return "include/site/python%s/%s" % (self.version, path)
        return path

    def directories(self):
        # type: () -> list[str]
        found = [self.site_packages, "bin"]
        if sys.version_info[0] == 2 and not is_pypy():
            found.append(self._stdlib)
        return found

    def texts(self):
        # type: () -> list[tuple[str, str]]
        """Paths and contents of files."""
        if sys.version_info[0] == 2:
            return []
        lines = [
            "home = " + os.path.dirname(self.python),
            "include-system-site-packages = " + str(self._system_site_packages).lower(),
            "version = %d.%d.%d" % sys.version_info[:3],
            "executable = " + self.python,
        ]
        return [("pyvenv.cfg", "".join(line + "\n" for line in lines))]

    def copies(self):
        # type: () -> list[tuple[str, str]]
        """Paths, and the programs of the host to copy there."""
        # Python 2 takes for its home what lies around its executable, links followed.
        return [("bin/python", self.python)] if self._copies or sys.version_info[0] == 2 else []

    def links(self):
        # type: () -> list[tuple[str, str]]
        """Paths and targets."""
        names = ["python%d" % sys.version_info[0], "python" + self.version]
        if is_pypy():
            names += ["pypy", "pypy%d" % sys.version_info[0]]
        found = [("bin/" + name, "python") for name in names]
        if not self.copies():
            found.append(("bin/python", self.python))
        if sys.version_info[0] == 2:
            found += self._python2_links()
        return found

    def _python2_links(self):
        # type: () -> list[tuple[str, str]]
        """All of the standard library, in place of the pyvenv.cfg that Python 2 does not know."""
        if is_pypy():
            prefix = getattr(sys, "real_prefix", sys.prefix)
            names = [
                name for name in ("lib-python", "lib_pypy", "include") if os.path.exists(prefix + "/" + name)
            ]
            library = os.path.dirname(self.python)
            found = [(name, prefix + "/" + name) for name in names]
            return found + [
                ("bin/" + name, library + "/" + name)
                for name in os.listdir(library)
                if name.startswith("libpypy")
            ]
        library = os.path.dirname(os.path.realpath(os.__file__))
        own = ("site-packages", "dist-packages")
        found = [
            (self._stdlib + "/" + name, library + "/" + name)
            for name in sorted(os.listdir(library))
            if name not in own
        ]
        found.append((self._stdlib + "/dist-packages", "site-packages"))  # Debian's name for it
        headers = getattr(sys, "real_prefix", sys.prefix) + "/include/python" + self.version
        return found + ([("include/python" + self.version, headers)] if os.path.isdir(headers) else [])


def base_python():
    # type: () -> str
    """The interpreter itself, outside any virtual environment, with links resolved."""
    executable = os.path.realpath(sys.executable)
    base = getattr(sys, "real_prefix", getattr(sys, "base_prefix", sys.prefix))
    if base == sys.prefix or not executable.startswith(os.path.realpath(sys.prefix) + os.sep):
        return executable
    # An environment with a copy of the interpreter.
    name = ("pypy%s" if is_pypy() else "python%s") % ("%d.%d" % sys.version_info[:2])
    for candidate in (getattr(sys, "_base_executable", None), os.path.join(base, "bin", name)):
        if candidate and candidate != sys.executable and os.access(candidate, os.X_OK):
            return os.path.realpath(candidate)
    return executable
