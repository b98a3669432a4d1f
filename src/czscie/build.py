"""The flow of a build, in one direction: manifest, interpreters, payload, launcher, one file per platform.

Each stage's product is a file of the user's cache, named by what it is made of: a second build only puts the
parts together.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from czscie import __version__
from czscie.console import Console
from czscie.container.content import Data, File
from czscie.czex.info import PexInfo
from czscie.czex.write import Interpreter
from czscie.errors import CzscieError
from czscie.interpreters import PackedInterpreter, PinnedInterpreter
from czscie.launchers.provide import provide_launcher
from czscie.lift.lift import Lift
from czscie.lift.manifest import read_manifest
from czscie.lift.payload import Payload
from czscie.pbs.distribution import Layout
from czscie.pbs.provider import Provider
from czscie.platforms import ANY_GLIBC, GlibcVersion, Platform
from czscie.products import digest_of, key_of, knowledge, product
from czscie.scie.assemble import Head, PartFile, assemble
from czscie.scie.commands import boot
from czscie.scie.inspect import Contents, read_scie
from czscie.scie.manifest import FILES, PAYLOAD, Boot, Needs

if TYPE_CHECKING:
    from czscie.pack.payload import Packing

#: The levels of zstd unless the manifest says one. An interpreter is packed once and then kept: 19 makes of
#: CPython's tree 8% less than 12, in ten times the time.
INTERPRETER_LEVEL = 19
PAYLOAD_LEVEL = 12


class NeededParts(msgspec.Struct, frozen=True):
    """The parts of an interpreter (czscie.pbs.prune) that a payload needs."""

    words: tuple[str, ...]


class PackedPayload(msgspec.Struct, frozen=True):
    """What the cache knows of a payload that is packed already. `info` is its PEX-INFO."""

    info: str
    glibc: GlibcVersion | None
    digest: str
    unpacked: int
    description: str
    notes: tuple[str, ...]
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

    def _level(self, default: int) -> int:
        return self.lift.compression_level or default

    def run(self, output: Path, *, single: bool) -> Contents:
        pinned = {
            each.id: PinnedInterpreter.resolve(each, self.platform, self.provider, self.console)
            for each in self.lift.interpreters
        }
        payload = self.lift.payload
        pex = None if payload is None else self._pex(payload, pinned[payload.interpreter].traits().layout)
        parts: list[PartFile] = []
        interpreters: dict[str, Interpreter] = {}
        with_terminfo: set[str] = set()
        floors: list[GlibcVersion | None] = []
        for identifier, each in pinned.items():
            path, packed = each.pack(self._keep(each, pex), self.lift.pack, self._level(INTERPRETER_LEVEL))
            self._tell(packed.notes)
            interpreters[identifier] = Interpreter(packed.digest, packed.layout, self.platform)
            floors.append(packed.glibc)
            parts.append(_part(path, identifier, "interpreter", packed))
            if packed.has_terminfo:
                with_terminfo.add(identifier)
        if self.lift.files:
            parts.append(self._files())
        info: PexInfo | None = None
        if payload is not None and pex is not None:
            interpreter_path = next(part.path for part in parts if part.name == payload.interpreter)
            path, converted = self._payload(
                pex, payload, pinned[payload.interpreter], interpreters[payload.interpreter], interpreter_path
            )
            info = PexInfo.parse(converted.info.encode(), self.lift.name)
            floors.append(converted.glibc)
            parts.append(_part(path, PAYLOAD, "app", converted))
        commands = boot(self.lift, info, interpreters, with_terminfo)
        return self._assemble(output, single, parts, commands, floors)

    def _tell(self, notes: Sequence[str]) -> None:
        for note in notes:
            self.console.line(f"  {note}")

    def _keep(self, interpreter: PinnedInterpreter, pex: Path | None) -> frozenset[str]:
        """The parts of the interpreter that stay: all, unless the payload is all that it will run."""
        from czscie.czex.imports import names_in_arguments, needed_parts
        from czscie.pbs.prune import ALL

        payload = self.lift.payload
        if pex is None or payload is None or payload.interpreter != interpreter.wanted.id or self.lift.files:
            return frozenset({ALL})
        module = (payload.entry_point or "").partition(":")[0]
        started = set(names_in_arguments(("-m", module)))
        for command in self.lift.commands:
            started |= names_in_arguments(command.args)
        needed = knowledge(key_of("parts", digest_of(pex)), NeededParts, lambda: _needed_parts(pex))
        # A command starts the interpreter itself, which sees the packages that it came with.
        of_commands = needed_parts(started, system_site_packages=True)
        return frozenset({*interpreter.wanted.keep, *needed.words, *of_commands})

    def _files(self) -> PartFile:
        """The files that the lift embeds. They are packed anew each time: they may have changed."""
        from czscie.scie.files import locate, write_files

        number = len(self.lift.files)
        what = f"{number} embedded file{'' if number == 1 else 's'}"
        with self.console.phase(f"Packed {what}"):
            located = [(file, locate(file, self.console)) for file in self.lift.files]
            path = self.directory / f"files-{self.platform.name}.zip"
            plan = write_files(located, path, self._level(PAYLOAD_LEVEL))
        return PartFile(path, FILES, "files", plan.digest(), plan.unpacked(), what)

    def _payload(
        self,
        pex: Path,
        payload: Payload,
        pinned: PinnedInterpreter,
        interpreter: Interpreter,
        interpreter_path: Path,
    ) -> tuple[Path, PackedPayload]:
        key = key_of(
            "payload",
            digest_of(pex),
            interpreter.digest,
            self.platform.name,
            str(self._level(PAYLOAD_LEVEL)),
            payload.entry_point or "",
            str(payload.glibc),
            repr(self.lift.pack),
        )

        def make(path: Path) -> PackedPayload:
            from czscie.czex.convert import convert

            packing = self._packing(pinned)
            with self.console.phase(f"Packed {pex.name}") as phase:
                converted = convert(
                    pex,
                    payload.entry_point,
                    interpreter,
                    payload.glibc or ANY_GLIBC,
                    path,
                    self._level(PAYLOAD_LEVEL),
                    self._redirector(interpreter_path),
                    packing,
                )
                phase.become(f"Packed {pex.name}: {converted.description}")
            return PackedPayload(
                converted.info.render().decode(),
                converted.glibc,
                converted.plan.digest(),
                converted.plan.unpacked(),
                converted.description,
                converted.notes,
                converted.warnings,
            )

        path, known = product(key, ".czex", PackedPayload, make)
        self._tell(known.notes)
        for warning in known.warnings:
            self.console.warn(warning)
        return path, known

    def _packing(self, interpreter: PinnedInterpreter) -> Packing | None:
        """How the payload's modules are packed. Their finder comes with the standard library's."""
        settings = self.lift.pack
        if not settings.stdlib or settings.packages == "none":
            return None
        from czscie.pack.payload import Packing

        compiler = interpreter.compiler()
        return (
            None
            if compiler is None
            else Packing(settings, compiler, self.platform, interpreter.traits().reads_xz)
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
        commands: Boot,
        floors: list[GlibcVersion | None],
    ) -> Contents:
        launcher = provide_launcher(self.platform.launcher, self.console)
        head = Head(
            name=self.lift.name,
            platform=self.platform,
            commands=commands,
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


def _part(path: Path, name: str, kind: str, packed: PackedInterpreter | PackedPayload) -> PartFile:
    return PartFile(path, name, kind, packed.digest, packed.unpacked, packed.description)


def _needs(platform: Platform, floors: Sequence[GlibcVersion | None]) -> Needs:
    floor = max((floor for floor in floors if floor is not None), default=None)
    return Needs(
        glibc=None if floor is None else f"{floor[0]}.{floor[1]}",
        musl=platform.libc == "musl",
    )


def _needed_parts(pex: Path) -> NeededParts:
    """What of an interpreter the modules of the PEX import."""
    from czscie.czex.imports import imported_names, links_libpython, needed_parts
    from czscie.czex.pex import Pex

    with Pex.open(pex) as opened:
        files = [*opened.sources, *(member for wheel in opened.wheels for member in wheel.members)]
        names = imported_names(files)
        words = needed_parts(names, system_site_packages=opened.info.venv_system_site_packages)
        return NeededParts(tuple(sorted({*words, *(("libpython",) if links_libpython(files) else ())})))
