"""A scie so small that thousands of its cold starts take seconds: it starts a tiny static program."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from czscie.cache import cache_directory
from czscie.container.content import Data, File, Link
from czscie.container.manifest import Boot, Command
from czscie.container.packer import write_items
from czscie.container.part import PartFile
from czscie.launchers.build import TARGETS
from czscie.platforms import current_launcher
from czscie.scie.assemble import assemble
from scie.factories import host_launcher, manifest


@dataclass(frozen=True, slots=True)
class SmallScie:
    """The executable, the length of its launcher, and what its installation holds by path."""

    path: Path
    launcher_size: int
    contents: Mapping[str, bytes]

    def start(self, base: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.path, *arguments],
            env={"CZSCIE_BASE": str(base), "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
        )


@functools.cache
def program(name: str = "program") -> bytes:
    """A program that needs nothing of its host: of small scies (program.zig), or another one beside it."""
    source = Path(__file__).with_name(f"{name}.zig")
    cache = cache_directory("launchers")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    built = cache / f"{name}-{digest}"
    if not built.exists():
        command = [sys.executable, "-m", "ziglang", "build-exe", str(source), "-OReleaseSmall"]
        command += ["-target", TARGETS[current_launcher()], f"-femit-bin={built}.{os.getpid()}"]
        command += ["--cache-dir", str(cache / "zig"), "--global-cache-dir", str(cache / "zig")]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        Path(f"{built}.{os.getpid()}").replace(built)
    return built.read_bytes()


def make_small_scie(directory: Path, *extra: File, part_besides: bool = False) -> SmallScie:
    """A scie with a group of small files, a file of its own entry, a link and whatever is in `extra`.

    With `part_besides` there is a second part, of one file.
    """
    files = [
        File("bin/python", Data(program()), executable=True),
        File("lib/empty", Data(b"")),
        File("lib/text", Data(b"one line of text\n" * 200)),
        File("lib/numbers", Data(bytes(range(256)) * 5000)),
        *extra,
    ]
    link = Link("bin/python3", "python")
    part = directory / "interpreter.zip"
    plan = write_items([*files, link], part, 3)
    made = PartFile(
        part, "program", "interpreter", plan.digest(), plan.unpacked(), "a program", first_module="lib/text"
    )
    launcher = host_launcher()
    command = Command(exe="{program}/bin/python", args=("own",))
    lift = manifest("small", Boot({"": command}))
    parts = [made]
    if part_besides:
        besides = write_items([File("data", Data(b"data"))], directory / "besides.zip", 3)
        parts.append(
            PartFile(
                directory / "besides.zip", "besides", "files", besides.digest(), besides.unpacked(), "a file"
            )
        )
    assemble(directory / "small", launcher, "0", parts, lift)
    contents = {file.path: file.content.read() for file in files}
    return SmallScie(directory / "small", launcher.stat().st_size, contents)


def installed(base: Path) -> dict[str, bytes] | None:
    """The files of the one installation below `base`; None when there is none under a final name."""
    found = [path for path in base.glob("interpreters/*") if path.suffix != ".partial"]
    if not found:
        return None
    [root] = found
    return files_below(root)


def files_below(root: Path) -> dict[str, bytes]:
    """The content of every file below `root`, by its path, without links."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
