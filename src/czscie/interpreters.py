"""The interpreter of a build: resolved, pruned, its modules packed, written as a zip."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from czscie.build_cache import Product, key_of, knowledge, product
from czscie.console import Console, Detail
from czscie.errors import CzscieError
from czscie.lift.interpreter import Interpreter
from czscie.lift.pack import STDLIB, PackSettings
from czscie.pbs.distribution import Distribution, Layout
from czscie.pbs.provider import Source
from czscie.platforms import GlibcVersion, Platform, current_platform
from czscie.sbom.component import Component

if TYPE_CHECKING:
    from czscie.pack.compiler import Compiler


class Traits(msgspec.Struct, frozen=True):
    """What a build needs to know of an interpreter before packing it.

    `magic` is its bytecode's magic number in hexadecimal, empty when its files do not contain it.
    """

    layout: Layout
    magic: str
    reads_xz: bool


class PackedInterpreter(msgspec.Struct, frozen=True):
    """The cached metadata of a packed interpreter.

    `notes` are lines for the user. `left_out` are the bytes of the parts that were, `modules` the number of
    those that are packed. `components` are the interpreter and its libraries, as a bill of materials
    lists them.
    """

    layout: Layout
    glibc: GlibcVersion | None
    digest: str
    unpacked: int
    description: str
    has_terminfo: bool
    notes: tuple[str, ...]
    components: tuple[Component, ...]
    left_out: int = 0
    modules: int = 0
    warnings: tuple[str, ...] = ()


class Sources(Protocol):
    """Finds the CPython that an interpreter of the manifest means."""

    def resolve(self, interpreter: Interpreter, platform: Platform) -> Source:
        """Raises CzscieError when there is none."""
        ...


def traits_of(source: Source, platform: Platform, load: Callable[[], Distribution] | None = None) -> Traits:
    """The traits of `source`; on a cache miss, `load` unpacks it. Raises CzscieError."""

    def find_out() -> Traits:
        from czscie.pack.python import magic_number
        from czscie.pack.standard_library import reads_xz

        distribution = (load or source.load)()
        magic = magic_number(distribution) or b""
        return Traits(distribution.layout, magic.hex(), reads_xz(distribution))

    return knowledge(key_of("traits", source.digest, platform.name), Traits, find_out)


@dataclass(slots=True)
class PinnedInterpreter:
    """One interpreter of the manifest for one platform."""

    wanted: Interpreter
    platform: Platform
    source: Source
    provider: Sources
    console: Console
    _loaded: Distribution | None = None
    #: The one that was found, once one was looked for.
    _compilers: list[Compiler | None] = field(default_factory=list)

    @classmethod
    def resolve(
        cls, wanted: Interpreter, platform: Platform, provider: Sources, console: Console
    ) -> PinnedInterpreter:
        """Raises CzscieError when there is no such interpreter."""
        with console.phase(f"Resolving {wanted.id}", f"Resolved {wanted.id}", detail=Detail.VERBOSE) as phase:
            source = provider.resolve(wanted, platform)
            phase.become(f"Resolved {wanted.id}: {source.description}")
        return cls(wanted, platform, source, provider, console)

    def traits(self) -> Traits:
        """Its traits, from the cache once it was unpacked."""
        return traits_of(self.source, self.platform, self.load)

    def load(self) -> Distribution:
        """Its files, fetched and verified. Raises CzscieError."""
        if self._loaded is None:
            with self.console.phase(
                f"Reading {self.source.description}",
                f"Read {self.source.description}",
                detail=Detail.VERBOSE,
            ):
                self._loaded = self.source.load(self.console)
        return self._loaded

    def compiler(self) -> Compiler | None:
        """A Python on this machine that compiles for it, or None.

        If the interpreter does not run here, this is the same release for this machine, or else any Python
        with the same bytecode. An interpreter whose modules are not packed needs none.
        """
        if not self.wanted.IS_PACKED:
            return None
        if not self._compilers:
            self._compilers.append(self._find_compiler())
        return self._compilers[0]

    def _find_compiler(self) -> Compiler | None:
        from czscie.pack.python import own_compiler

        magic = bytes.fromhex(self.traits().magic)
        here = self if self.platform == _here() else self._sibling()
        if here is not None:
            found = own_compiler(here.source.digest, here.traits().layout, here.load)
            if found is not None and found.magic == (magic or found.magic):
                return found
        return self._installed_compiler()

    def _installed_compiler(self) -> Compiler | None:
        from czscie.pack.python import installed_compiler

        traits = self.traits()
        return installed_compiler(traits.layout.implementation.minor_version, bytes.fromhex(traits.magic))

    def _sibling(self) -> PinnedInterpreter | None:
        """The same interpreter for this machine, if there is one."""
        here = _here()
        if here is None:
            return None
        try:
            source = self.provider.resolve(self.wanted, here)
        except CzscieError:
            return None
        return PinnedInterpreter(self.wanted, here, source, self.provider, self.console)

    def pack(
        self, keep: Collection[str], settings: PackSettings, level: int, root: str = ""
    ) -> Product[PackedInterpreter]:
        """The zip of the interpreter with its parts `keep` (czscie.pbs.prune), in its directory `root`.

        `level` is zstd's.
        """
        asked = (
            "interpreter",
            self.source.digest,
            self.platform.name,
            str(level),
            root,
            str(settings.stdlib),
            str(settings.source),
            *sorted(name for name in settings.files if name.startswith(STDLIB)),
            *sorted(keep),
        )

        def packed(*key: str) -> Product[PackedInterpreter]:
            return product(
                key_of(*key),
                ".zip",
                PackedInterpreter,
                lambda path: self._write(path, keep, settings, level, root),
            )

        made = packed(*asked)
        if made.known.warnings and self._has_gained_compiler():
            return packed(*asked, "compiled")
        return made

    def _has_gained_compiler(self) -> bool:
        """Whether a Python compiles for it now, if none did when it was packed.

        That is another one: whether it runs here itself does not change.
        """
        if not self.wanted.IS_PACKED:
            return False
        if self.platform == _here():
            return self._installed_compiler() is not None
        try:
            return self.compiler() is not None
        except CzscieError:  # its archive is not here
            return False

    def _why_not_packed(self, layout: Layout) -> str:
        if not self.wanted.IS_PACKED:
            return f"modules for {layout.implementation.title} stay files"
        version = layout.implementation.minor_version
        return f"no Python {version} on this machine can compile for {self.platform.name}"

    def _write(
        self, path: Path, keep: Collection[str], settings: PackSettings, level: int, root: str
    ) -> PackedInterpreter:
        from czscie.pack.standard_library import pack_library
        from czscie.pbs.prune import has_terminfo, prune
        from czscie.sbom.interpreter import interpreter_components
        from czscie.scie.interpreter import write_interpreter

        pruned = prune(self.load(), keep)
        distribution = pruned.distribution
        notes = [f"left out: {left_out}" for left_out in pruned.left_out]
        warnings: list[str] = []
        compiler = self.compiler() if settings.stdlib else None
        modules = 0
        doing, done = f"Packing {self.source.description}", f"Packed {self.source.description}"
        with self.console.phase(doing, done) as phase:
            if compiler is not None:
                packed = pack_library(distribution, compiler, settings, level, phase.count)
                distribution = packed.distribution
                modules = packed.modules
                notes.append(f"packed: {packed.modules:,} modules of the standard library")
            elif settings.stdlib:
                warnings.append(f"not packed: {self._why_not_packed(distribution.layout)}")
            placed = distribution.below(root) if root else distribution
            plan = write_interpreter(placed, path, level, phase.count)
        return PackedInterpreter(
            placed.layout,
            distribution.glibc,
            plan.digest(),
            plan.unpacked(),
            self.source.description,
            has_terminfo(distribution),
            tuple(notes),
            interpreter_components(pruned.distribution),
            sum(part.size for part in pruned.left_out),
            modules,
            tuple(warnings),
        )


def _here() -> Platform | None:
    """The platform czscie runs on, if interpreters exist for it."""
    try:
        return current_platform()
    except CzscieError:
        return None
