# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when another one is to run it.
"""The host interpreter that an earlier start chose. It saves probing all of them at every start."""

import os

from . import installation, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: A file's text: what decided, a line feed, the interpreter that was chosen.
_DIRECTORY = "choices"


class RememberedChoice(object):
    """The choice from `candidates`. It is valid while these are the same files with the same names."""

    def __init__(self, czex, main, candidates):
        # type: (str, Any, list[str]) -> None
        self._czex = czex
        self._main = main
        self._candidates = candidates
        # A script may start another interpreter each time.
        self._is_lasting = not any(_is_script(candidate) for candidate in candidates)
        self._name = main.sha256(main.PAYLOAD + "\0choice")  # the payload has the constraints

    def recall(self):
        # type: () -> str | None
        if not self._is_lasting:
            return None
        for base in self._main.bases():
            if self._main.is_trusted(base):
                try:
                    with open("%s/%s/%s" % (base, _DIRECTORY, self._name)) as file:
                        decided, _, python = file.read().partition("\n")
                except (IOError, OSError, ValueError):
                    continue
                if decided == self._decided() and python in self._candidates:
                    settings.note(self._czex, "chosen at an earlier start: %s" % python)
                    return python
        return None

    def remember(self, python):
        # type: (str) -> None
        """Writes it into the first usable base directory, if there is one."""
        if not self._is_lasting:
            return
        for base in self._main.bases():
            if not self._main.is_only_read(base) and not installation.objection(self._main, base, 4096):
                directory = base + "/" + _DIRECTORY
                temporary = "%s/%s.%d" % (directory, self._name, os.getpid())
                try:
                    if not os.path.isdir(directory):
                        os.mkdir(directory, 0o700)
                    with open(temporary, "w") as file:
                        file.write(self._decided() + "\n" + python)
                    os.rename(temporary, "%s/%s" % (directory, self._name))
                except (IOError, OSError, ValueError):
                    pass
                return

    def _decided(self):
        # type: () -> str
        found = [os.environ.get("PEX_IGNORE_ERRORS", "")]
        for candidate in self._candidates:
            status = os.stat(candidate)
            found += [candidate, os.path.realpath(candidate), str(status.st_dev), str(status.st_ino)]
            found += [str(status.st_size), repr(status.st_mtime)]
        return self._main.sha256("\0".join(found))  # type: ignore[no-any-return]


def _is_script(path):
    # type: (str) -> bool
    try:
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except (IOError, OSError):
        return True
