"""The situations below `situations/`: small projects that must not notice what they are started as."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent / "situations"

#: The exact versions of everything that a situation requires.
CONSTRAINTS = ROOT / "constraints.txt"

#: What runs a situation. The first of them is right by definition.
WAYS = ("venv", "scie", "czex")
PYTHONS = ("3.11", "3.13")

_OLDEST_TIME = (1980, 1, 1, 0, 0, 0)
_EntryPoints = dict[str, dict[str, str]]


class Distribution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more distribution of a situation; what it installs is in the directory of its name."""

    name: str
    version: str = "1"
    requires: list[str] = []
    entry_points: _EntryPoints = {}


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`situation.toml` (README.md beside the situations). At most one of `entry`, `script` and `module`."""

    about: str
    set: str = "plain"
    entry: str | None = None
    script: str | None = None
    module: str | None = None
    sources: bool = False
    requires: list[str] = []
    runs: list[list[str]] = msgspec.field(default_factory=lambda: [[]])
    stdin: str = ""
    environment: dict[str, str] = {}
    root: bool = False
    pythons: list[str] = msgspec.field(default_factory=lambda: list(PYTHONS))
    ways: list[str] = msgspec.field(default_factory=lambda: list(WAYS))
    entry_points: _EntryPoints = {}
    distributions: list[Distribution] = []
    xfail: dict[str, str] = {}


@dataclass(frozen=True)
class Situation:
    """One directory below `situations`."""

    directory: Path
    description: Description

    @classmethod
    def read(cls, directory: Path) -> Situation:
        """Raises msgspec.ValidationError, which names the key, and tomllib's errors."""
        read = tomllib.loads((directory / "situation.toml").read_text(encoding="utf-8"))
        description = msgspec.convert(read, Description)
        starts = [description.entry, description.script, description.module]
        assert sum(start is not None for start in starts) <= 1, f"{directory}: one of entry, script, module"
        return cls(directory, description)

    @property
    def entry(self) -> str | None:
        """`module:function`; that of its own name unless it starts otherwise."""
        wanted = self.description
        if wanted.script is not None or wanted.module is not None:
            return None
        return wanted.entry or f"{self.name.replace('-', '_')}:main"

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def sources(self) -> Path | None:
        """What goes into the PEX as it is, not as a distribution."""
        return self.directory / "app" if self.description.sources else None

    @property
    def here(self) -> Path:
        """What is in the working directory when it starts; need not exist."""
        return self.directory / "here"

    @property
    def requires(self) -> list[str]:
        """What it requires, and its distributions, of others."""
        others = [each for distribution in self.description.distributions for each in distribution.requires]
        return [*self.description.requires, *others]

    def write_wheels(self, directory: Path) -> None:
        """Writes its distributions as wheels; the one of its own name requires the others."""
        wanted = self.description
        others = [each.name for each in wanted.distributions]
        own = Distribution(self.name, "1", [*wanted.requires, *others], wanted.entry_points)
        write_wheel(own, None if self.sources else self.directory / "app", directory)
        for each in wanted.distributions:
            write_wheel(each, self.directory / each.name, directory)

    def expected_file(self, python: str) -> Path:
        """`expected-3.11.txt` where a CPython has an expectation of its own, else `expected.txt`."""
        of_its_own = self.directory / f"expected-{python}.txt"
        return of_its_own if of_its_own.exists() else self.directory / "expected.txt"


@dataclass(frozen=True)
class Case:
    """A situation on one CPython (`3.13`), started one way."""

    situation: Situation
    python: str
    way: str

    def __str__(self) -> str:
        return f"{self.situation.name}-{self.python}-{self.way}"

    @property
    def expected(self) -> str:
        return self.situation.expected_file(self.python).read_text(encoding="utf-8")

    def record(self, printed: str) -> None:
        """Makes what a virtual environment printed the expectation.

        Of all CPythons, or of this one alone where the newest prints something else.
        """
        directory, pythons = self.situation.directory, self.situation.description.pythons
        common = directory / "expected.txt"
        of_their_own = {python: directory / f"expected-{python}.txt" for python in pythons}
        own = of_their_own.pop(self.python)
        (common if self.python == pythons[-1] else own).write_text(printed, encoding="utf-8")
        for path in [own, *of_their_own.values()]:
            if path.exists() and common.exists() and path.read_bytes() == common.read_bytes():
                path.unlink()

    @property
    def why_it_fails(self) -> str | None:
        """The reason for which it is known to fail: of this way on this CPython, of the way, or of any."""
        reasons = self.situation.description.xfail
        return next((reasons[key] for key in (f"{self.way}-{self.python}", self.way) if key in reasons), None)


def read_situations(of_set: str | None = None) -> list[Situation]:
    """All situations, or those of one set, by name."""
    found = [Situation.read(path.parent) for path in sorted(ROOT.glob("*/situation.toml"))]
    return [each for each in found if of_set is None or each.description.set == of_set]


def cases(of_set: str) -> Iterator[Case]:
    """The cases of a set, those of one CPython and one way together."""
    situations = read_situations(of_set)
    for python in PYTHONS:
        for way in WAYS:
            for situation in situations:
                if python in situation.description.pythons and way in situation.description.ways:
                    yield Case(situation, python, way)


def write_wheel(distribution: Distribution, content: Path | None, directory: Path) -> Path:
    """Writes a pure wheel that installs what is in `content`, and returns its path."""
    stem = f"{distribution.name.replace('-', '_')}-{distribution.version}"
    files = dict(_read(content)) if content is not None else {}
    for name, text in _metadata(distribution).items():
        files[f"{stem}.dist-info/{name}"] = text.encode()
    record = f"{stem}.dist-info/RECORD"
    files[record] = "".join(_record(name, data) for name, data in files.items()).encode() + (
        f"{record},,\n".encode()
    )
    wheel = directory / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _OLDEST_TIME)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return wheel


def _read(content: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(content.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(content).as_posix(), path.read_bytes()


def _metadata(distribution: Distribution) -> dict[str, str]:
    lines = ["Metadata-Version: 2.1", f"Name: {distribution.name}", f"Version: {distribution.version}"]
    lines += [f"Requires-Dist: {each}" for each in distribution.requires]
    files = {
        "METADATA": "\n".join(lines) + "\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: situation\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if distribution.entry_points:
        groups = distribution.entry_points.items()
        files["entry_points.txt"] = "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
            for group, points in groups
        )
    return files


def _record(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"
