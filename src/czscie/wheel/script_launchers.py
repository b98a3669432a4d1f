"""Programs for the scripts of entry points on Windows, which starts nothing by its first line.

Each is a launcher of distlib's, then a first line that says which Python starts, then a zip with the script
as `__main__.py`: what pip writes, too. Source: distlib's `scripts.py` and the `launcher.c` of its simple
launchers, which replace `<launcher_dir>` by the directory that they are in.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from czscie.errors import Code, CzscieError
from czscie.platforms import Platform
from czscie.wheel.wheel import Wheel, read_wheels

#: The project that has the launchers.
PROJECT = "distlib"

#: What distlib adds to the names of launchers for an architecture.
_SUFFIXES = {"x86_64": "64", "aarch64": "64-arm"}
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class ScriptLaunchers:
    """The launchers of scripts with a console and without one, from distlib's `wheel`.

    `options` are what Python is started with.
    """

    console: bytes
    gui: bytes
    wheel: Wheel
    options: str = ""

    @classmethod
    def read(cls, path: Path, platform: Platform, options: str = "") -> ScriptLaunchers:
        """The launchers for `platform` in distlib's wheel at `path`. Raises CzscieError when it has none."""
        [wheel] = read_wheels([path], "what scripts on Windows need")
        members = {member.path: member for member in wheel.members}
        suffix = _SUFFIXES[platform.arch]
        console, gui = (members.get(f"{PROJECT}/{kind}{suffix}.exe") for kind in ("t", "w"))
        if console is None or gui is None:
            raise CzscieError(
                f"{wheel.filename} has no script launcher for {platform.name}",
                code=Code.WHEEL_INVALID,
                hint=f"czscie lock --upgrade-only {PROJECT} locks the newest {PROJECT}",
            )
        return cls(console.content.read(), gui.content.read(), wheel, options)

    def program(self, script: bytes, *, gui: bool) -> bytes:
        """The program that runs `script`, which has no first line of its own."""
        python = "pythonw.exe" if gui else "python.exe"
        first = f"#!<launcher_dir>\\{python}{self.options}\r\n".encode()
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            info = zipfile.ZipInfo("__main__.py", _DATE)
            info.create_system = 0
            archive.writestr(info, script)
        return (self.gui if gui else self.console) + first + stream.getvalue()
