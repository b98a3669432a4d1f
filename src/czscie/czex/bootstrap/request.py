# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when it is started for the first time.
"""The request to the launcher: plans, and the facts that depend on the host (docs/reference/format.md)."""

import os
import sys

_MODES = (("file", "644"), ("file", "755"), ("script", "755"))
_BLOCK = 4096


class Request(object):
    """The parts to install. `archives` are pairs of a CZEX's path and its catalogue."""

    def __init__(self, layout, hermetic):
        # type: (object, bool) -> None
        self.layout = layout
        self._interpreter = "bin/python" + (
            (" -I" if sys.version_info >= (3, 4) else " -sE") if hermetic else ""
        )
        self._taken = {}  # type: dict[str, str]
        self._parts = []  # type: list[tuple[str, dict, list]]
        self._directories = set()  # type: set[str]
        self.collisions = []  # type: list[str]
        self.unpacked = 0
        reserved = [path for path, _ in layout.texts() + layout.copies() + layout.links()]  # type: ignore[attr-defined]
        for path in reserved:
            self._claim(path, "czscie")
        for path in layout.directories():  # type: ignore[attr-defined]
            self._directories.add(path)
            self._claim_parents(path)

    def add(self, czex, catalogue, wheels, with_start):
        # type: (str, dict, list[dict], bool) -> None
        """Adds a CZEX: its start when it is the one that is started, the user's files, then its wheels."""
        rows = []  # type: list
        differing = set(catalogue["differing"])
        if with_start:
            self._add_rows(rows, catalogue["start"], "czscie", ())
        self._add_rows(rows, catalogue["sources"], os.path.basename(czex), differing)
        for wheel in wheels:
            self._add_rows(rows, wheel["files"], wheel["filename"], differing)
        self._parts.append((czex, catalogue, rows))

    def _add_rows(self, rows, files, owner, differing):
        # type: (list, list, str, object) -> None
        for scheme, path, entry, offset, size, mode in files:
            destination = self.layout.destination(scheme, path)  # type: ignore[attr-defined]
            if destination in self._taken:
                if self._taken[destination] != owner and scheme + path in differing:  # type: ignore[operator]
                    self.collisions.append(
                        "%s of %s is left out: %s has another file of that name"
                        % (destination, owner, self._taken[destination])
                    )
                continue
            self._claim(destination, owner)
            self.unpacked += _BLOCK * (-(-size // _BLOCK))
            rows.append((entry, offset, size, mode, destination))

    def _claim(self, path, owner):
        # type: (str, str) -> None
        self._taken[path] = owner
        self._claim_parents(path)

    def _claim_parents(self, path):
        # type: (str) -> None
        while "/" in path:
            path = path.rpartition("/")[0]
            if path in self._directories:
                return
            self._directories.add(path)

    def render(self, application, base, name, recheck, jobs):
        # type: (str, str, str, int, int) -> bytes
        """The request as the launcher reads it.

        `recheck`: 0 keeps what exists, 1 checks it, 2 makes it again.
        `jobs`: threads at most, 0 for as many as there are cores.
        """
        layout = self.layout
        plans = [self._plan(number) for number in range(len(self._parts))]
        lines = [
            "czscie-request 1",
            _line("application", application),
            _line("base", base),
            _line("installation", name),
            _line("unpacked", self.unpacked + _BLOCK * len(self._directories)),
            _line("recheck", recheck),
            _line("jobs", jobs),
        ]
        lines += [_line("part", part[0], len(plan)) for part, plan in zip(self._parts, plans)]
        lines += [_line("text", "644", path, content) for path, content in layout.texts()]  # type: ignore[attr-defined]
        lines += [_line("copy", "755", path, source) for path, source in layout.copies()]  # type: ignore[attr-defined]
        lines += [_line("link", path, target) for path, target in layout.links()]  # type: ignore[attr-defined]
        return _bytes("\n".join(lines)) + b"\n\n" + b"".join(plans)

    def _plan(self, number):
        # type: (int) -> bytes
        """The plan of a part; the first one makes the directories of all."""
        _, catalogue, rows = self._parts[number]
        rows = sorted(rows)
        used = sorted({row[0] for row in rows})
        places = {entry: place for place, entry in enumerate(used)}
        lines = ["czscie-plan 1"]
        for entry in used:
            name, size, crc32, sha256 = catalogue["entries"][entry]
            lines.append(_line("entry", size, "%x" % crc32, sha256, name))
        if number == 0:
            lines += [_line("dir", path) for path in sorted(self._directories)]
        for entry, offset, size, mode, destination in rows:
            kind, bits = _MODES[mode]
            fields = [kind, bits, places[entry], offset, size]
            fields += [self._interpreter] if kind == "script" else []
            lines.append(_line(*(fields + [destination])))
        return _bytes("\n".join(lines) + "\n")


def _line(*fields):
    # type: (*object) -> str
    return "\t".join([_escape(field) for field in fields])


def _escape(field):
    # type: (object) -> str
    if not isinstance(field, str):
        if isinstance(field, int):
            return str(field)
        field = field.encode("utf-8")  # type: ignore[attr-defined]  # Python 2's unicode
    return field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")  # type: ignore[no-any-return, attr-defined]


def _bytes(text):
    # type: (str) -> bytes
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
