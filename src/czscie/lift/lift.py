"""The lift: the whole content of a manifest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from czscie.container.manifest import TOOLS
from czscie.container.paths import path_fault
from czscie.errors import Code, CzscieError
from czscie.lift.bare import Bare
from czscie.lift.command import Command
from czscie.lift.embedded_file import FETCHED_TYPES, EmbeddedFile
from czscie.lift.image import ImageSettings
from czscie.lift.interpreter import Interpreter, InterpreterGroup, read_interpreter
from czscie.lift.libc import Libc
from czscie.lift.macos import MacOS
from czscie.lift.pack import PackSettings
from czscie.lift.payload import Payload
from czscie.lift.peer_tools import Ptex, ScieJump
from czscie.lift.problem import Problem, quoted
from czscie.lift.table import FILE_NAME, Shape, Table
from czscie.lift.targets import read_platforms
from czscie.lift.windows import Windows
from czscie.platforms import Platform

BASE = Shape.of("a path without control characters", r"[^\0-\x1f\x7f]*")
#: In the environment of every system; "" is for no variable.
_TOOLS = Shape.of('the name of an environment variable, or ""', r"([A-Za-z_][A-Za-z0-9_]*)?", TOOLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """One manifest. Attributes are called what the keys are called; `path` is the manifest's own.

    A lift that no manifest holds has the `path` of its program, and `own_lock` is where its lock is.

    Paths are absolute: relative ones in the manifest start at the manifest's directory. `key` is the name of
    the table that the lift is. A lift that cannot name platforms, as in JSON, `is_for_any_platform`, and
    `platforms` is the one that czscie runs on.
    """

    path: Path
    own_lock: Path | None = None
    key: str = "lift"
    name: str
    description: str | None = None
    base: str | None = None
    tools: str = TOOLS
    load_dotenv: bool = False
    quiet: bool = False
    windowed: bool = False
    compression_level: int | None = None
    platforms: tuple[Platform, ...]
    is_for_any_platform: bool = False
    app_info: Mapping[str, object] = field(default_factory=dict)
    scie_jump: ScieJump | None = None
    ptex: Ptex | None = None
    #: URLs by the names of files, which a lift in JSON has for its own ptex.
    urls: Mapping[str, str] = field(default_factory=dict)
    interpreters: tuple[Interpreter, ...] = ()
    interpreter_groups: tuple[InterpreterGroup, ...] = ()
    files: tuple[EmbeddedFile, ...] = ()
    commands: tuple[Command, ...] = ()
    bindings: tuple[Command, ...] = ()
    payload: Payload | None = None
    pack: PackSettings = field(default_factory=PackSettings)
    libc: Libc = field(default_factory=Libc)
    image: ImageSettings = field(default_factory=ImageSettings)
    bare: Bare = field(default_factory=Bare)
    macos: MacOS = field(default_factory=MacOS)
    windows: Windows = field(default_factory=Windows)

    @property
    def lock_path(self) -> Path:
        """The path of its lock: `lift.lock` beside `lift.toml`."""
        return self.own_lock or self.path.with_suffix(".lock")

    def unsupported(self) -> tuple[Problem, ...]:
        """Keys that this version reads for compatibility with science, but cannot build."""
        return tuple(Problem(f"{self.key}.{key}", text) for key, text in self._unsupported())

    def with_files(self, paths: Mapping[str, Path]) -> Lift:
        """The same with files of these absolute `paths`, by ids, whatever the manifest says of their source.

        Raises CzscieError for an id that is not one of a file.
        """
        ids = tuple(file.id for file in self.files)
        for identifier in paths:
            if identifier not in ids:
                raise CzscieError(
                    f"{self.path} has no file {identifier}",
                    code=Code.NAME_UNKNOWN,
                    why=f"its files are: {', '.join(ids)}" if ids else "it has no files",
                )
        files = (file.at(paths[file.id]) if file.id in paths else file for file in self.files)
        return replace(self, files=tuple(files))

    @classmethod
    def read(cls, table: Table, path: Path) -> Lift:
        """The table `lift` of the manifest `path`."""
        directory = path.parent.absolute()
        name = table.text("name", FILE_NAME)
        description = table.optional_text("description") or None
        base = table.optional_text("base", BASE)
        tools = table.optional_text("tools", _TOOLS)
        platforms = read_platforms(table)
        load_dotenv = table.flag("load_dotenv")
        quiet = table.flag("quiet")
        windowed = table.flag("windowed")
        compression_level = table.optional_integer("compression_level", 1, 22)
        app_info = table.free_table("app_info")
        interpreters = tuple(read_interpreter(each, directory) for each in table.tables("interpreters"))
        payload = table.optional_table("payload")
        pack = table.optional_table("pack")
        libc = table.optional_table("libc")
        image = table.optional_table("image")
        bare = table.optional_table("bare")
        macos = table.optional_table("macos")
        windows = table.optional_table("windows")
        ids = tuple(dict.fromkeys(interpreter.id for interpreter in interpreters if interpreter.id))
        scie_jump = table.optional_table("scie_jump")
        ptex = table.optional_table("ptex")
        lift = cls(
            path=path,
            key=table.key,
            name=name,
            description=description,
            base=base,
            tools=TOOLS if tools is None else tools,
            load_dotenv=load_dotenv,
            quiet=quiet,
            windowed=windowed,
            compression_level=compression_level,
            platforms=platforms,
            app_info=app_info,
            scie_jump=None if scie_jump is None else ScieJump.read(scie_jump),
            ptex=None if ptex is None else Ptex.read(ptex),
            interpreters=interpreters,
            interpreter_groups=tuple(map(InterpreterGroup.read, table.tables("interpreter_groups"))),
            files=tuple(EmbeddedFile.read(file, directory) for file in table.tables("files")),
            commands=tuple(map(Command.read, table.tables("commands"))),
            bindings=tuple(map(Command.read, table.tables("bindings"))),
            payload=None if payload is None else Payload.read(payload, directory, ids),
            pack=PackSettings() if pack is None else PackSettings.read(pack),
            libc=Libc() if libc is None else Libc.read(libc, directory),
            image=ImageSettings() if image is None else ImageSettings.read(image, directory),
            bare=Bare() if bare is None else Bare.read(bare),
            macos=MacOS() if macos is None else MacOS.read(macos, directory, name),
            windows=Windows() if windows is None else Windows.read(windows, directory),
        )
        table.finish()
        return lift

    def with_inverted(self, identifiers: Collection[str]) -> Lift:
        """The same with what is lazy embedded, and the other way round, for these ids.

        Raises CzscieError for an id that is not one of an interpreter or a file, or of one without a URL.
        """
        known = [*(each.id for each in self.interpreters), *(file.id for file in self.files)]
        fetchable = {each.id for each in self.interpreters if not each.OF_THIS_MACHINE}
        fetchable |= {file.id for file in self.files if file.url is not None}
        for identifier in identifiers:
            if identifier not in known:
                raise CzscieError(
                    f"{self.path} has no interpreter and no file {identifier}",
                    code=Code.NAME_UNKNOWN,
                    why=f"it has: {', '.join(known)}" if known else (),
                    hint=f"--invert-lazy takes one of these, not {identifier}" if known else None,
                )
            if identifier not in fetchable:
                raise CzscieError(
                    f"--invert-lazy cannot be used for {identifier}",
                    code=Code.NAME_UNKNOWN,
                    why="it is not downloaded from a URL",
                )
        return self._with_laziness(lambda identifier, lazy: lazy != (identifier in identifiers))

    def lazy_keys(self) -> tuple[str, ...]:
        """The keys of what is lazy in the manifest."""
        interpreters = enumerate(self.interpreters)
        files = enumerate(self.files)
        return (
            *(f"{self.key}.interpreters[{index}].lazy" for index, each in interpreters if each.lazy),
            *(f"{self.key}.files[{index}].source.lazy" for index, each in files if each.is_lazy),
        )

    def filled(self) -> Lift:
        """The same with everything embedded that has a URL."""
        return self._with_laziness(lambda _identifier, _lazy: False)

    def _with_laziness(self, decide: Callable[[str, bool], bool]) -> Lift:
        return replace(
            self,
            interpreters=tuple(each.with_laziness(decide(each.id, each.lazy)) for each in self.interpreters),
            files=tuple(
                file if file.url is None else file.with_laziness(decide(file.id, file.is_lazy))
                for file in self.files
            ),
        )

    @property
    def ptex_id(self) -> str | None:
        """What commands call the program that downloads; None if there is none."""
        lazy = any(each.lazy for each in self.interpreters) or any(file.is_lazy for file in self.files)
        if self.ptex is None and not lazy:
            return None
        identifier = "ptex" if self.ptex is None else self.ptex.id
        taken = {name for file in self.files for name in (file.name, file.key)}
        taken |= {each.id for each in self.interpreters}
        return None if identifier in taken else identifier

    def calls_ptex(self) -> bool:
        """Whether a command or a binding needs the program that downloads, and not only what it downloads."""
        names = (f"{{{self.ptex_id}}}", f"{{scie.files.{self.ptex_id}}}")
        return self.ptex_id is not None and any(name in text for text in self._texts() for name in names)

    def _texts(self) -> Iterator[str]:
        return (text for command in (*self.commands, *self.bindings) for text in command.texts())

    def _unsupported(self) -> Iterator[tuple[str, str]]:
        if any(platform.os == "windows" for platform in self.platforms):
            yield from self._no_names_on_windows()
        bindings = {binding.name for binding in self.bindings}
        if "fetch" not in bindings and any("{scie.bindings.fetch" in text for text in self._texts()):
            yield "bindings", "science's own binding fetch cannot be named; call {ptex}"
        for index, file in enumerate(self.files):
            if file.binding is None:
                continue
            if file.binding not in bindings:
                yield f"files[{index}].source", f"there is no binding {file.binding}"
            if file.kind not in FETCHED_TYPES:
                types = ", ".join(FETCHED_TYPES)
                yield f"files[{index}].type", f"what a binding prints can have one of these types: {types}"

    def _no_names_on_windows(self) -> Iterator[tuple[str, str]]:
        names = [("name", self.name)]
        names += [(f"interpreters[{index}].id", each.id) for index, each in enumerate(self.interpreters)]
        names += [(f"files[{index}].name", file.name) for index, file in enumerate(self.files)]
        for key, name in names:
            if fault := path_fault(name, windows=True):
                yield key, f"{quoted(name)} {fault}, and windows is one of the platforms"
