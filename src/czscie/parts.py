"""The parts of one executable: its interpreters, files and payload packed, each a file of the cache.

`czscie build` assembles them into one file; nothing here depends on how.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from czscie.build_cache import Product, key_of, knowledge, knowledge_of_each, product
from czscie.console import Console, megabytes
from czscie.container.content import Data, File, OnDisk
from czscie.container.level import DEFAULT_LEVEL
from czscie.container.manifest import FETCHER, FILES, PAYLOAD, Boot, LazyPart, LiftManifest, Needs
from czscie.container.packer import write_items
from czscie.container.part import PartFile
from czscie.czex.info import PexInfo
from czscie.czex.layer_split import LayerSplit
from czscie.czex.write import InstalledInterpreter
from czscie.errors import Code, CzscieError
from czscie.inputs import Inputs, PayloadPex
from czscie.interpreters import PackedInterpreter, PinnedInterpreter
from czscie.launchers.build import fetcher_of
from czscie.launchers.provide import provide_launcher
from czscie.lift.embedded_file import EmbeddedFile
from czscie.lift.laziness import Laziness
from czscie.lift.libc import NEVER
from czscie.lift.lift import Lift
from czscie.lift.pack import PackSettings
from czscie.lift.payload import Payload
from czscie.pack.readers import read_by
from czscie.platforms import ANY_GLIBC, GlibcVersion, Platform
from czscie.sbom import bill as bills
from czscie.sbom.component import Component
from czscie.scie.commands import boot
from czscie.scie.lazy import fetcher_name, fetcher_path, interpreter_url, lazy_file, lazy_interpreter

if TYPE_CHECKING:
    from czscie.czex.pex import Pex
    from czscie.czex.windows_options import WindowsOptions
    from czscie.libc.bundle import BundledLibc
    from czscie.pack.compiler import Compiler
    from czscie.pack.payload import Packing

#: The most scripts that a warning names.
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """What one executable is made of.

    `interpreters` are by their ids and in the manifest's order. `files` are those that the lift embeds,
    `payload` is the CZEX, `info` its PEX-INFO; each is None where the lift has none. `own` are the file names
    of those of its wheels that are the application's own, when it was divided. `layouts` tell for each
    interpreter what the payload's environment is built on. `libc` is the bundled C library, None
    where none does; the other parts hold their variants for it.
    """

    lift: Lift
    platform: Platform
    launcher: Path
    interpreters: Mapping[str, PartFile]
    layouts: Mapping[str, InstalledInterpreter]
    files: PartFile | None
    payload: PartFile | None
    info: PexInfo | None
    own: frozenset[str]
    commands: Boot
    needs: Needs
    #: The bill of materials, CycloneDX 1.6 in JSON.
    sbom: bytes
    libc: BundledLibc | None
    #: What the executable does not contain, with the URLs by the names of files, and what fetches it.
    lazy: tuple[LazyPart, ...]
    urls: Mapping[str, str]
    fetcher: PartFile | None
    #: What was left out, packed and kept as files, in one line.
    summary: str = ""

    @property
    def in_order(self) -> list[PartFile]:
        """As an executable has them, the payload last."""
        libc = None if self.libc is None else self.libc.part
        return [*self.interpreters.values(), *filter(None, (libc, self.fetcher, self.files, self.payload))]

    @property
    def manifest(self) -> LiftManifest:
        """The manifest of the executable, without its parts."""
        return LiftManifest(
            name=self.lift.name,
            platform=self.platform.name,
            files=(),
            boot=self.commands,
            needs=self.needs,
            description=self.lift.description,
            base=self.lift.base,
            tools=self.lift.tools,
            libc=None if self.libc is None else self.libc.manifest,
            lazy=self.lazy,
        )


class UnpackedInterpreter(msgspec.Struct, frozen=True):
    """What a build has to know of an interpreter that is fetched at a start."""

    glibc: GlibcVersion | None
    has_terminfo: bool
    components: tuple[Component, ...]


class Imports(msgspec.Struct, frozen=True):
    """The modules that a wheel or the sources import, as far as czscie.czex.imports knows them, and whether
    an extension module is linked with libpython.
    """

    names: tuple[str, ...]
    links_libpython: bool


class Needed(msgspec.Struct, frozen=True):
    """The parts of an interpreter (czscie.pbs.prune) that a payload imports, and the projects in it."""

    parts: tuple[str, ...]
    projects: tuple[str, ...]


class PackedPayload(msgspec.Struct, frozen=True):
    """The cached metadata of a packed payload. `info` is its PEX-INFO."""

    info: str
    glibc: GlibcVersion | None
    digest: str
    unpacked: int
    description: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    components: tuple[Component, ...]
    required: tuple[str, ...]
    own: tuple[str, ...]
    script_launchers: tuple[Component, ...]
    scripts: dict[str, str]
    modules: int = 0
    staying: int = 0


def make_parts(
    inputs: Inputs, directory: Path, console: Console, division: LayerSplit | None = None
) -> Parts:
    """Packs `inputs` into parts that the cache lacks.

    `directory` is for files of this build alone. With `division` no entry of the payload has files both of
    the application and of its dependencies. Raises CzscieError.
    """
    return _Maker(inputs, directory, console, division).make()


@dataclass(frozen=True, slots=True)
class _Maker:
    inputs: Inputs
    directory: Path
    console: Console
    division: LayerSplit | None

    @property
    def _lift(self) -> Lift:
        return self.inputs.lift

    @property
    def _platform(self) -> Platform:
        return self.inputs.platform

    def _root(self, interpreter: PinnedInterpreter) -> str:
        """The directory that an interpreter is in: without a payload, as its archive has it.

        science's commands name `{id}/python/bin/…`.
        """
        return interpreter.source.root if self._lift.payload is None else ""

    @property
    def _level(self) -> int:
        return self._lift.compression_level or DEFAULT_LEVEL

    def make(self) -> Parts:
        interpreters: dict[str, PartFile] = {}
        layouts: dict[str, InstalledInterpreter] = {}
        with_terminfo: set[str] = set()
        floors: list[GlibcVersion | None] = []
        bill: list[bills.BillPart] = []
        left_out = modules = 0
        needed = self._needed()
        read = read_by(needed.projects, self._lift.pack)
        self._tell(read.notes)
        lazy: list[LazyPart] = []
        urls = dict(self._lift.urls)
        for identifier, each in self.inputs.interpreters.items():
            if identifier in self._laziness.interpreters:
                lazy.append(part := lazy_interpreter(identifier, each.source))
                urls[part.fetched] = interpreter_url(each.source)
                layout = each.traits().layout.below(each.source.root)
                layouts[identifier] = InstalledInterpreter(
                    part.digest, layout, self._platform, each.source.digest
                )
                unpacked = _unpacked(each)
                floors.append(unpacked.glibc)
                bill.append(bills.interpreter(identifier, each.source, unpacked.components))
                if unpacked.has_terminfo:
                    with_terminfo.add(identifier)
                continue
            settings = read.settings if self._is_payloads(each) else self._lift.pack
            keep = self._keep(each, {*needed.parts, *read.keep})
            made = each.pack(keep, settings, self._level, self._root(each))
            packed = made.known
            self._tell(packed.notes)
            self._warn(packed.warnings)
            layouts[identifier] = InstalledInterpreter(
                packed.digest, packed.layout, self._platform, each.source.digest
            )
            interpreters[identifier] = replace(
                _part(made, identifier, "interpreter"),
                # The cached one is that of the first archive with these bytes.
                description=each.source.description,
                first_module=f"{packed.layout.stdlib}/encodings/__init__.py",
            )
            floors.append(packed.glibc)
            left_out, modules = left_out + packed.left_out, modules + packed.modules
            bill.append(bills.interpreter(identifier, each.source, packed.components))
            if packed.has_terminfo:
                with_terminfo.add(identifier)
        files = None
        if self.inputs.files:
            files, floor = self._files()
            floors.append(floor)
        payload, info = None, None
        scripts: Mapping[str, str] = {}
        own: tuple[str, ...] = ()
        staying = 0
        if self._lift.payload is not None and self.inputs.pex is not None:
            identifier = self._lift.payload.interpreter
            made_payload = self._payload(
                self.inputs.pex,
                self._lift.payload,
                layouts[identifier],
                interpreters.get(identifier),
                read.settings,
            )
            converted = made_payload.known
            info = PexInfo.parse(converted.info.encode(), self._lift.name)
            scripts = converted.scripts
            modules, staying = modules + converted.modules, converted.staying
            if self._lift.payload.scripts is None and not info.entry_point and not info.script:
                self.console.warn(_no_entry_point(self._lift.name, scripts))
            floors.append(converted.glibc)
            payload = _part(made_payload, PAYLOAD, "app")
            if identifier in self._laziness.interpreters:
                payload = replace(payload, requires=(identifier,))
            bill.append(bills.BillPart(PAYLOAD, converted.components, converted.required))
            if launchers := converted.script_launchers:
                bill.append(
                    bills.BillPart(bills.SCRIPTS, launchers, tuple(each.reference for each in launchers))
                )
            own = converted.own
        libc = self._libc([*interpreters.values(), *filter(None, (files, payload))])
        if libc is not None:
            varied = {part.name: part for part in libc.parts}
            interpreters = {identifier: varied[part.name] for identifier, part in interpreters.items()}
            files = files and varied[files.name]
            payload = payload and varied[payload.name]
            bill.append(bills.libc(libc.table, libc.packages))
        launcher = provide_launcher(
            self._platform.launcher, self.console, self.inputs.network, self.inputs.launcher
        )
        lazy_files = [file for file in self._lift.files if file.name in self._laziness.files]
        for file in lazy_files:
            lazy.append(part := lazy_file(self._lift, file))
            if file.url is not None:
                urls[part.fetched] = file.url
        bill += [bills.files(self.inputs.files, lazy_files), bills.launcher(launcher)]
        fetcher = None
        if self._laziness.needs_fetcher(self._lift):
            program = provide_launcher(
                fetcher_of(self._platform.launcher), self.console, self.inputs.network, self.inputs.fetcher
            )
            fetcher = self._fetcher(program)
            bill.append(bills.fetcher(program))
        return Parts(
            lift=self._lift,
            platform=self._platform,
            launcher=self._shaped(launcher),
            interpreters=interpreters,
            layouts=layouts,
            files=files,
            payload=payload,
            info=info,
            own=frozenset(own),
            commands=boot(
                self._lift,
                info,
                layouts,
                with_terminfo,
                {file.name: path for file, path in self.inputs.files},
                scripts,
                self._lazy_places(lazy_files),
            ),
            needs=_needs(self._platform, floors),
            sbom=bills.document(self._lift, self._platform, bill, self.inputs.properties),
            libc=libc,
            lazy=tuple(lazy),
            urls=urls,
            fetcher=fetcher,
            summary=_summary(left_out, modules, staying),
        )

    @property
    def _laziness(self) -> Laziness:
        return Laziness.of(self._lift, self._platform)

    def _lazy_places(self, files: Sequence[EmbeddedFile]) -> dict[str, str]:
        """Where lazy files and the fetcher are, by ids, in terms of the launcher."""
        places = {file.id: f"{{{file.id}}}/{file.name}" for file in files}
        if self._lift.ptex_id is not None:
            places[self._lift.ptex_id] = fetcher_path(self._platform)
        return places

    def _fetcher(self, program: Path) -> PartFile:
        name = fetcher_name(self._platform)
        path = self.directory / f"fetcher-{self._platform.name}.zip"
        plan = write_items([File(name, OnDisk(program), True)], path, self._level)
        return PartFile(path, FETCHER, "files", plan.digest(), plan.unpacked(), "the fetcher of lazy parts")

    def _shaped(self, launcher: Path) -> Path:
        """The launcher as the file contains it: for Windows with the lift's resources."""
        if self._platform.os != "windows":
            return launcher
        from czscie.windows.shape import shape

        path = self.directory / f"launcher-{self._platform.name}"
        path.write_bytes(shape(launcher, self._lift))
        return path

    def _libc(self, parts: Sequence[PartFile]) -> BundledLibc | None:
        """The bundled C library, if the lift wants one. Only Linux needs one."""
        settings = self._lift.libc
        if settings.bundle == NEVER or self._platform.os != "linux":
            return None
        from czscie.libc.bundle import bundle

        return bundle(settings, self._platform, parts, self._level, self.inputs.network, self.console)

    def _tell(self, notes: Sequence[str]) -> None:
        for note in notes:
            self.console.note(note)

    def _warn(self, warnings: Sequence[str]) -> None:
        for warning in warnings:
            self.console.warn(warning)

    def _needed(self) -> Needed:
        """What of an interpreter the payload imports, and which projects it has."""
        pex, payload = self.inputs.pex, self._lift.payload
        if pex is None or payload is None:
            return Needed((), ())
        interpreter = self.inputs.interpreters[payload.interpreter]
        key = key_of("needed", pex.digest, interpreter.traits().layout.version)
        return knowledge(key, Needed, lambda: _needed(pex.path, interpreter.compiler()))

    def _is_payloads(self, interpreter: PinnedInterpreter) -> bool:
        """Whether this interpreter runs the payload."""
        return self._lift.payload is not None and self._lift.payload.interpreter == interpreter.wanted.id

    def _keep(self, interpreter: PinnedInterpreter, needed: Collection[str]) -> frozenset[str]:
        """The parts of the interpreter to keep: all, unless it runs only the payload.

        `needed` are those that the payload needs.
        """
        from czscie.czex.imports import names_in_arguments, needed_parts
        from czscie.lift.interpreter import ALL

        payload = self._lift.payload
        if payload is None or not self._is_payloads(interpreter) or self._lift.files:
            return frozenset({ALL})
        module = (payload.entry_point or "").partition(":")[0]
        started = set(names_in_arguments(("-m", module)))
        for command in self._lift.commands:
            started |= names_in_arguments(command.args)
        # A command starts the interpreter itself, which sees the packages that it came with.
        of_commands = needed_parts(started, system_site_packages=True)
        return frozenset({*interpreter.wanted.keep, *needed, *of_commands})

    def _files(self) -> tuple[PartFile, GlibcVersion | None]:
        """The files that the lift embeds, and the oldest glibc that they load with.

        They are packed at every build, because they may have changed.
        """
        from czscie.scie.files import write_files

        number = len(self.inputs.files)
        what = f"{number} embedded file{'' if number == 1 else 's'}"
        with self.console.phase(f"Packing {what}", f"Packed {what}"):
            path = self.directory / f"files-{self._platform.name}.zip"
            written = write_files(self.inputs.files, self._platform, path, self._level)
        plan = written.plan
        return PartFile(path, FILES, "files", plan.digest(), plan.unpacked(), what), written.glibc

    def _payload(
        self,
        pex: PayloadPex,
        payload: Payload,
        interpreter: InstalledInterpreter,
        packed_interpreter: PartFile | None,
        settings: PackSettings,
    ) -> Product[PackedPayload]:
        provisions = self.inputs.provisions
        division = self.division and LayerSplit(self.division.named | pex.local)
        key = key_of(
            "payload",
            pex.digest,
            interpreter.digest,
            self._platform.name,
            str(self._level),
            payload.entry_point or "",
            str(payload.glibc),
            repr(settings),
            "" if division is None else division.key(),
            *(f"{wheel.name} {wheel.sha256}" for wheel in provisions),
            self._windows_key(),
        )

        def make(path: Path) -> PackedPayload:
            from czscie.czex.convert import Conversion, convert
            from czscie.network.fetch import fetch
            from czscie.wheel.wheel import read_wheels

            packing = self._packing(self.inputs.interpreters[payload.interpreter], settings)
            added = read_wheels(fetch(provisions, self.inputs.network, self.console))
            windows = self._on_windows(packed_interpreter)
            with self.console.phase(f"Packing {pex.name}", f"Packed {pex.name}") as phase:
                conversion = Conversion(
                    interpreter=interpreter,
                    level=self._level,
                    glibc=payload.glibc or ANY_GLIBC,
                    entry_point=payload.entry_point,
                    packing=packing,
                    division=division,
                    provisions=added,
                    windows=windows,
                    count=phase.count,
                )
                converted = convert(pex.path, path, conversion)
                phase.become(f"Packed {pex.name}: {converted.description}")
            return PackedPayload(
                converted.info.render().decode(),
                converted.glibc,
                converted.plan.digest(),
                converted.plan.unpacked(),
                converted.description,
                converted.notes,
                converted.warnings,
                converted.components,
                converted.required,
                converted.own,
                converted.script_launchers,
                dict(converted.scripts),
                converted.modules,
                converted.staying,
            )

        made = product(key, ".czex", PackedPayload, make)
        self._tell(made.known.notes)
        self._warn(made.known.warnings)
        return made

    def _packing(self, interpreter: PinnedInterpreter, settings: PackSettings) -> Packing | None:
        """The settings for packing the payload's modules. Their finder is part of the packed standard
        library.
        """
        is_lazy = interpreter.wanted.id in self._laziness.interpreters
        if is_lazy or not settings.stdlib or settings.packages == "none":
            return None
        from czscie.pack.payload import Packing

        compiler = interpreter.compiler()
        return (
            None
            if compiler is None
            else Packing(settings, compiler, self._platform, interpreter.traits().reads_xz, self._level)
        )

    def _windows_key(self) -> str:
        """The cache key of `_on_windows`."""
        if self._platform.os != "windows":
            return ""
        launchers = self.inputs.script_launchers
        return repr((launchers and launchers.sha256, self._lift.windows.dpi_awareness))

    def _on_windows(self, interpreter: PartFile | None) -> WindowsOptions | None:
        """Windows has no links for everybody: there CPython's own venv launchers stand for its Pythons."""
        if self._platform.os != "windows" or interpreter is None:
            return None
        from czscie.czex.windows_options import WindowsOptions
        from czscie.network.fetch import fetch

        interpreter.check()
        redirectors = (
            self._redirector(interpreter, "python.exe", "venvlauncher.exe"),
            self._redirector(interpreter, "pythonw.exe", "venvwlauncher.exe"),
        )
        wanted = [] if self.inputs.script_launchers is None else [self.inputs.script_launchers]
        launchers = next(iter(fetch(wanted, self.inputs.network, self.console)), None)
        return WindowsOptions(redirectors, launchers, self._lift.windows.dpi_awareness)

    def _redirector(self, interpreter: PartFile, name: str, launcher: str) -> File:
        """The one called `name`, which `launcher` is since CPython 3.13."""
        from czscie.container.part import open_part

        with open_part(interpreter.path) as part:
            for source in (launcher, name):
                content = part.find(f"Lib/venv/scripts/nt/{source}")
                if content is not None:
                    return File(name, Data(content), executable=True)
        raise CzscieError(
            f"the interpreter for {self._platform.name} has no venv launcher",
            code=Code.INTERPRETER_UNUSABLE,
            why=f"Lib/venv/scripts/nt/{launcher} is missing",
            hint="use an install_only or install_only_stripped flavor",
        )


def _no_entry_point(name: str, scripts: Collection[str]) -> str:
    examples = " or ".join(f'"{each}"' for each in sorted(scripts)[:_EXAMPLES]) or '"module:function"'
    return (
        f"the payload has no entry point, so {name} starts an interactive Python "
        f"(set entry_point = {examples} in [lift.payload])"
    )


def _part(made: Product[PackedInterpreter] | Product[PackedPayload], name: str, kind: str) -> PartFile:
    known = made.known
    return PartFile(
        made.path, name, kind, known.digest, known.unpacked, known.description, sha256=made.sha256
    )


def _summary(left_out: int, modules: int, staying: int) -> str:
    """Of so many bytes and modules; empty when nothing was done to either."""
    said = (
        f"left out {megabytes(left_out)} of CPython" if left_out else "",
        f"packed {modules:,} modules" if modules else "",
        f"kept {staying:,} as files" if staying else "",
    )
    text = ", ".join(filter(None, said))
    return text[:1].upper() + text[1:]


def _needs(platform: Platform, floors: Sequence[GlibcVersion | None]) -> Needs:
    floor = max((floor for floor in floors if floor is not None), default=None)
    return Needs(
        glibc=None if floor is None else f"{floor[0]}.{floor[1]}",
        musl=platform.libc == "musl",
    )


def _needed(pex: Path, compiler: Compiler | None) -> Needed:
    """What of an interpreter the modules of the PEX import, and its projects."""
    from czscie.czex.imports import needed_parts
    from czscie.czex.pex import Pex

    with Pex.open(pex) as opened:
        imports = _imports(opened, compiler)
        names = {name for each in imports for name in each.names}
        parts = needed_parts(names, system_site_packages=opened.info.venv_system_site_packages)
        if any(each.links_libpython for each in imports):
            parts |= {"libpython"}
        projects = {wheel.project for wheel in opened.wheels}
        return Needed(tuple(sorted(parts)), tuple(sorted(projects)))


def _imports(pex: Pex, compiler: Compiler | None) -> list[Imports]:
    """What the sources and each wheel of the PEX import; of wheel files, from the cache."""
    from czscie.czex.imports import imported_names, links_libpython

    def find(groups: Sequence[Sequence[File]]) -> list[Imports]:
        names = imported_names(groups, None if compiler is None else compiler.imports)
        return [
            Imports(tuple(sorted(each)), links_libpython(files))
            for each, files in zip(names, groups, strict=True)
        ]

    wheels = [(wheel.digest, wheel.members) for wheel in pex.wheels]
    loose = [pex.sources, *(members for digest, members in wheels if digest is None)]
    kept = [(digest, members) for digest, members in wheels if digest is not None]
    known = knowledge_of_each(
        key_of("imports", "" if compiler is None else compiler.identity),
        Imports,
        [digest for digest, _ in kept],
        lambda missing: find([kept[number][1] for number in missing]),
    )
    return [*find(loose), *known]


def _unpacked(interpreter: PinnedInterpreter) -> UnpackedInterpreter:
    """What is to be known of `interpreter` as its archive has it, from the cache once it was unpacked."""

    def find_out() -> UnpackedInterpreter:
        from czscie.pbs.prune import has_terminfo
        from czscie.sbom.interpreter import interpreter_components

        distribution = interpreter.load()
        components = interpreter_components(distribution)
        return UnpackedInterpreter(distribution.glibc, has_terminfo(distribution), components)

    key = key_of("unpacked", interpreter.source.digest, interpreter.platform.name)
    return knowledge(key, UnpackedInterpreter, find_out)
