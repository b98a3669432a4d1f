"""Directories with packs, and the running Python to import from them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

import czscie.pack
from czscie.pack.compiler import Compiler
from czscie.pack.pack import NAME, Bytecode, Module, render
from czscie.pack.scan import Signs, suspect

_OWN = {
    "_czscie_finder.py": "finder.py",
    "_czscie_library.py": "packed_library.py",
    "_czscie_paths.py": "packed_paths.py",
    "_czscie_resources.py": "packed_resources.py",
    "_czscie_sources.py": "packed_sources.py",
}

HERE = Bytecode(MAGIC_NUMBER, xz=True)


def this_python() -> Compiler:
    compiler = Compiler.probe(Path(sys.executable), "this")
    assert compiler is not None
    return compiler


def signs_of(source: bytes, harmless: Collection[str] = (), compiler: Compiler | None = None) -> Signs:
    """What is seen in a module."""
    found = suspect("module.py", source, harmless)
    return (compiler or this_python()).scan([found])[0] if found else Signs()


def compiled(files: Mapping[str, str], *, source: bool = True) -> list[Module]:
    """The modules of `files`, by path."""
    codes = this_python().compile([(path, text.encode()) for path, text in files.items()]).results
    return [
        Module(path, code, text.encode() if source else None)
        for (path, text), code in zip(files.items(), codes, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Library:
    """A directory of `sys.path` with the finder and a pack."""

    root: Path

    @classmethod
    def make(cls, root: Path, packed: Mapping[str, str], *, source: bool = True, xz: bool = True) -> Library:
        pack = render(compiled(packed, source=source), Bytecode(MAGIC_NUMBER, xz))
        return cls.with_pack(root, pack)

    @classmethod
    def with_pack(cls, root: Path, pack: bytes) -> Library:
        root.mkdir(parents=True)
        for name, file in _OWN.items():
            shutil.copy(Path(czscie.pack.__path__[0], file), root / name)
        (root / NAME).write_bytes(pack)
        return cls(root)

    def write(self, files: Mapping[str, str]) -> None:
        """Writes modules that are files."""
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")

    def run(self, program: str, *flags: str) -> subprocess.CompletedProcess[str]:
        """Runs the `program` in a Python that imports the finder first."""
        first = f"import sys; sys.path.insert(0, {str(self.root)!r}); import _czscie_finder\n"
        return subprocess.run(
            [sys.executable, "-I", "-S", "-B", *flags, "-c", first + program],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.root.parent,
        )

    def tell(self, expression: str, program: str = "", *flags: str) -> Any:
        """What `expression` is after `program`, made JSON and back."""
        done = self.run(f"{program}\nimport json as j; print(j.dumps({expression}))", *flags)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
