"""The flow of a build, in one direction: manifest, interpreters, payload, launcher, one file per platform.

Each stage's product is a file of the user's cache, named by what it is made of: a second build only puts the
parts together.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from czscie import __version__
from czscie.cache import cache_directory
from czscie.console import Console
from czscie.container.content import Data, File
from czscie.czex.info import PexInfo
from czscie.czex.write import Interpreter
from czscie.errors import CzscieError
from czscie.launchers import build as launchers
from czscie.lift.lift import Lift
from czscie.lift.manifest import read_manifest
from czscie.lift.payload import Payload
from czscie.pbs.distribution import Layout
from czscie.pbs.provider import Provider
from czscie.platforms import ANY_GLIBC, GlibcVersion, Platform
from czscie.scie.assemble import Head, PartFile, assemble
from czscie.scie.commands import boot
from czscie.scie.inspect import Contents, read_scie
from czscie.scie.manifest import FILES, PAYLOAD, Needs

_Packed = TypeVar("_Packed", bound=msgspec.Struct)

#: The level of zstd: on CPython's tree 12 is 9% larger than 19 and ten times as fast.
DEFAULT_LEVEL = 12


class PackedInterpreter(msgspec.Struct, frozen=True):
    """What the cache knows of an interpreter that is packed already."""

    layout: Layout
    glibc: GlibcVersion | None
    digest: str
    unpacked: int
    description: str


class PackedPayload(msgspec.Struct, frozen=True):
    """What the cache knows of a payload that is packed already. `info` is its PEX-INFO."""

    info: str
    glibc: GlibcVersion | None
    digest: str
    unpacked: int
    description: str
    warnings: tuple[str, ...]


def build(manifest: Path, output: Path, platforms: Sequence[Platform], console: Console) -> list[Contents]:
    """Builds the executables of the lift manifest into the directory `output`.

    `platforms` are those to build for, all of the manifest's when empty. Raises CzscieError.
    """
    lift = read_manifest(manifest)
    if problems := lift.unsupported():
        raise CzscieError(f"{manifest} asks for what this version cannot build", why=map(str, problems))
    _check_platforms(lift, platforms)
    targets = [platform for platform in lift.platforms if not platforms or platform in platforms]
    _make_directory(output)
    single = len(lift.platforms) == 1
    provider = Provider(console)
    with tempfile.TemporaryDirectory(prefix="czscie-") as directory:
        return [
            _Build(lift, target, console, provider, Path(directory)).run(output, single=single)
            for target in targets
        ]


def _make_directory(output: Path) -> None:
    """Before anything is downloaded or packed for it."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CzscieError(
            f"cannot write into {output}",
            why=f"{error.filename}: {error.strerror}",
            mend="name another directory: czscie build -o DIR",
        ) from error


def _check_platforms(lift: Lift, platforms: Sequence[Platform]) -> None:
    for platform in platforms:
        if platform not in lift.platforms:
            raise CzscieError(
                f"{lift.path} is not for {platform.name}",
                why=f"its platforms are: {', '.join(each.name for each in lift.platforms)}",
                mend=f'add "{platform.name}" to lift.platforms',
            )


@dataclass(frozen=True, slots=True)
class _Build:
    """The build of one executable."""

    lift: Lift
    platform: Platform
    console: Console
    #: One for all platforms, so that they get the same release.
    provider: Provider
    #: For what is made for this build alone.
    directory: Path

    @property
    def level(self) -> int:
        return self.lift.compression_level or DEFAULT_LEVEL

    def run(self, output: Path, *, single: bool) -> Contents:
        parts: list[PartFile] = []
        interpreters: dict[str, Interpreter] = {}
        floors: list[GlibcVersion | None] = []
        for each in self.lift.interpreters:
            path, interpreter = self._interpreter(each.id)
            interpreters[each.id] = Interpreter(interpreter.digest, interpreter.layout, self.platform)
            floors.append(interpreter.glibc)
            parts.append(_part(path, each.id, "interpreter", interpreter))
        if self.lift.files:
            parts.append(self._files())
        info: PexInfo | None = None
        if self.lift.payload is not None:
            interpreter_path = next(p.path for p in parts if p.name == self.lift.payload.interpreter)
            chosen = interpreters[self.lift.payload.interpreter]
            path, payload = self._payload(self.lift.payload, chosen, interpreter_path)
            info = PexInfo.parse(payload.info.encode(), self.lift.name)
            floors.append(payload.glibc)
            parts.append(_part(path, PAYLOAD, "app", payload))
        return self._assemble(output, single, parts, interpreters, info, floors)

    def _interpreter(self, identifier: str) -> tuple[Path, PackedInterpreter]:
        with self.console.phase(f"Resolved {identifier}") as phase:
            source = self.provider.resolve(self.lift.interpreter(identifier), self.platform)
            phase.become(f"Resolved {identifier}: {source.description}")
        key = _key("interpreter", source.digest, self.platform.name, str(self.level))
        path = cache_directory("packed") / f"{key}.zip"
        if (known := _known(path, PackedInterpreter)) is not None:
            return path, known
        from czscie.scie.interpreter import write_interpreter

        with self.console.phase(f"Packed {source.description}"):
            distribution = source.load(self.console)
            plan = write_interpreter(distribution, path, self.level)
        made = PackedInterpreter(
            distribution.layout, distribution.glibc, plan.digest(), plan.unpacked(), source.description
        )
        _remember(path, made)
        return path, made

    def _files(self) -> PartFile:
        """The files that the lift embeds. They are packed anew each time: they may have changed."""
        from czscie.scie.files import locate, write_files

        number = len(self.lift.files)
        what = f"{number} embedded file{'' if number == 1 else 's'}"
        with self.console.phase(f"Packed {what}"):
            located = [(file, locate(file, self.console)) for file in self.lift.files]
            path = self.directory / f"files-{self.platform.name}.zip"
            plan = write_files(located, path, self.level)
        return PartFile(path, FILES, "files", plan.digest(), plan.unpacked(), what)

    def _payload(
        self, payload: Payload, interpreter: Interpreter, interpreter_path: Path
    ) -> tuple[Path, PackedPayload]:
        pex = self._pex(payload, interpreter.layout)
        key = _key(
            "payload",
            _digest_of(pex),
            interpreter.digest,
            self.platform.name,
            str(self.level),
            payload.entry_point or "",
            str(payload.glibc),
        )
        path = cache_directory("packed") / f"{key}.czex"
        known = _known(path, PackedPayload)
        if known is None:
            known = self._pack_payload(pex, payload, interpreter, interpreter_path, path)
            _remember(path, known)
        for warning in known.warnings:
            self.console.warn(warning)
        return path, known

    def _pack_payload(
        self, pex: Path, payload: Payload, interpreter: Interpreter, interpreter_path: Path, path: Path
    ) -> PackedPayload:
        from czscie.czex.convert import convert

        with self.console.phase(f"Packed {pex.name}") as phase:
            converted = convert(
                pex,
                payload.entry_point,
                interpreter,
                payload.glibc or ANY_GLIBC,
                path,
                self.level,
                self._redirector(interpreter_path),
            )
            phase.become(f"Packed {pex.name}: {converted.description}")
        return PackedPayload(
            converted.info.render().decode(),
            converted.glibc,
            converted.plan.digest(),
            converted.plan.unpacked(),
            converted.description,
            converted.warnings,
        )

    def _pex(self, payload: Payload, layout: Layout) -> Path:
        """The payload's PEX, made by pex if it has to be."""
        if payload.pex is not None:
            return payload.pex
        from czscie.czex.payload import make_pex

        directory = self.directory / f"pex-{self.platform.name}"
        directory.mkdir()
        with self.console.phase("Resolved the payload with pex"):
            return make_pex(payload, self.platform, layout, payload.glibc, directory)

    def _redirector(self, interpreter: Path) -> File | None:
        """Windows has no links for everybody: there CPython's own venv launcher stands for its Python."""
        if self.platform.os != "windows":
            return None
        from czscie.scie.interpreter import read_file

        for name in ("venvlauncher.exe", "python.exe"):
            content = read_file(interpreter, f"Lib/venv/scripts/nt/{name}")
            if content is not None:
                return File(name, Data(content), executable=True)
        raise CzscieError(
            f"the interpreter for {self.platform.name} has no venv launcher",
            why="Lib/venv/scripts/nt is missing",
            mend="take an install_only or install_only_stripped flavor",
        )

    def _assemble(
        self,
        output: Path,
        single: bool,
        parts: list[PartFile],
        interpreters: dict[str, Interpreter],
        info: PexInfo | None,
        floors: list[GlibcVersion | None],
    ) -> Contents:
        launcher = self._launcher()
        head = Head(
            name=self.lift.name,
            platform=self.platform,
            commands=boot(self.lift, info, interpreters),
            needs=_needs(self.platform, floors),
            description=self.lift.description,
            base=self.lift.base,
            tools=self.lift.tools,
        )
        stem = self.lift.name if single else f"{self.lift.name}-{self.platform.name}"
        path = output / f"{stem}{self.platform.executable_suffix}"
        with self.console.phase(f"Wrote {path}"):
            assemble(path, launcher, __version__, parts, head)
            return read_scie(path)

    def _launcher(self) -> Path:
        name = self.platform.launcher
        cache = cache_directory("launchers")
        found = launchers.find_launcher(name, cache)
        if found is not None:
            return found
        with self.console.phase(f"Compiled the launcher for {name}"):
            return launchers.compile_launcher(name, cache, cache)


def _part(path: Path, name: str, kind: str, packed: PackedInterpreter | PackedPayload) -> PartFile:
    return PartFile(path, name, kind, packed.digest, packed.unpacked, packed.description)


def _needs(platform: Platform, floors: Sequence[GlibcVersion | None]) -> Needs:
    floor = max((floor for floor in floors if floor is not None), default=None)
    return Needs(
        glibc=None if floor is None else f"{floor[0]}.{floor[1]}",
        musl=platform.libc == "musl",
    )


def _known(path: Path, kind: type[_Packed]) -> _Packed | None:
    """What the cache knows of the product at `path`; None when it has to be made."""
    try:
        return (
            msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=kind) if path.is_file() else None
        )
    except (OSError, msgspec.MsgspecError):
        return None


def _remember(path: Path, made: msgspec.Struct) -> None:
    """Writes beside a product what it is; a product without that was never finished."""
    from czscie.container.packer import write_atomically

    write_atomically(path.with_suffix(".json"), lambda stream: stream.write(msgspec.json.encode(made)))


def _key(*inputs: str) -> str:
    """A cache key over `inputs` and everything of czscie and zstd that shapes the bytes of a product."""
    import zstandard

    package = Path(__file__).parent
    code = _code_digest([package / name for name in ("container", "czex", "scie", "pbs")])
    versions = (code, zstandard.__version__, ".".join(map(str, zstandard.ZSTD_VERSION)))
    return hashlib.sha256("\0".join((*versions, *inputs)).encode()).hexdigest()


def _code_digest(directories: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for directory in directories:
        for path in sorted(directory.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest_of(path: Path) -> str:
    """SHA-256 of a file, or of all files below a directory with their names and modes."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    for file in files:
        mode = file.stat().st_mode & 0o100
        digest.update(
            f"{file.relative_to(path)}\0{mode}\0{file.stat().st_size}\0".encode("utf-8", "surrogateescape")
        )
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
