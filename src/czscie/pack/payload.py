"""The modules of a payload packed: their bytecode always, themselves where nobody looks for their files."""

from __future__ import annotations

import fnmatch
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec

from czscie.container.content import Data, File
from czscie.czex.install import Installed, Origin, Placement, describe
from czscie.lift.pack import Pack
from czscie.pack.compiler import Compiler, Expression
from czscie.pack.modules import module_sources
from czscie.pack.pack import NAME, Bytecode, Module, render
from czscie.pack.scan import looks_at_files
from czscie.platforms import Platform
from czscie.products import key_of, knowledge

#: What type checkers read and programs do not.
_OF_TYPES = (".pyi", "/py.typed")


class Compiled(msgspec.Struct, frozen=True):
    """What the cache knows of the modules of one wheel: their code, empty where one does not compile."""

    codes: list[bytes]
    expressions: list[Expression]


@dataclass(frozen=True, slots=True)
class Packing:
    """How modules are packed: as `settings` say, compiled by `compiler`."""

    settings: Pack
    compiler: Compiler
    platform: Platform
    #: Whether the interpreter reads xz.
    xz: bool

    def pack(self, placements: Sequence[Placement], site_packages: str) -> Installed:
        """Packs those of `placements` that are modules of the directory `site_packages`.

        Raises CzscieError when they cannot be compiled.
        """
        inside = {
            placement.destination.removeprefix(f"{site_packages}/"): placement
            for placement in placements
            if placement.destination.startswith(f"{site_packages}/") and placement.kind == "file"
        }
        units = [
            _Unit(origin, {path: inside[path] for path in paths}, modules)
            for origin, paths, modules in _by_origin(inside)
        ]
        with ThreadPoolExecutor() as pool:
            compiled = list(pool.map(lambda unit: self._compile(unit, site_packages), units))
        modules: list[Module] = []
        expressions: dict[bytes, bytes] = {}
        gone: set[str] = set()
        reasons: dict[str, str] = {}
        for unit, (codes, found) in zip(units, compiled, strict=True):
            expressions |= found
            reason = self._stays_files(unit)
            if reason is not None and unit.modules:
                reasons[describe(unit.origin)] = reason
            for path, code in codes.items():
                packed = reason is None and not self._is_named(path)
                source = unit.files[path].member.content.read() if packed and self.settings.source else None
                modules.append(Module(path, code, source))
                if packed:
                    gone.add(f"{site_packages}/{path}")
        bytecode = Bytecode(self.compiler.magic, self.xz)
        files = (
            [File(f"{site_packages}/{NAME}", Data(render(modules, bytecode, sorted(expressions.items()))))]
            if modules
            else []
        )
        kept = tuple(placement for placement in placements if placement.destination not in gone)
        return Installed(kept, tuple(files), _notes(len(modules), len(gone), reasons))

    def _compile(self, unit: _Unit, site_packages: str) -> tuple[dict[str, bytes], list[Expression]]:
        """The code of each module of `unit` that compiles, and their regular expressions, from the cache."""
        sources = {path: unit.files[path].member.content.read() for path in unit.modules}
        digest = hashlib.sha256(f"{self.compiler.identity}\0{site_packages}\0".encode())
        for path, source in sources.items():
            digest.update(f"{path}\0{len(source)}\0".encode("utf-8", "surrogateescape") + source)

        def compiled() -> Compiled:
            named = [(f"{site_packages}/{path}", source) for path, source in sources.items()]
            return Compiled(self.compiler.compile(named), self.compiler.expressions(sources.values()))

        known = knowledge(key_of("compiled", digest.hexdigest()), Compiled, compiled)
        expressions = known.expressions if self.platform.shares_expressions else []
        return {path: code for path, code in zip(sources, known.codes, strict=True) if code}, expressions

    def _stays_files(self, unit: _Unit) -> str | None:
        """Why the modules of `unit` stay files; None where they need not."""
        if self.settings.packages == "all":
            return None
        for path in unit.files:
            if path not in unit.modules and not _is_besides(path):
                return f"has {path}"
        for path in unit.modules:
            if (found := looks_at_files(unit.files[path].member.content.read())) is not None:
                return f"uses {found} ({path})"
        return None

    def _is_named(self, path: str) -> bool:
        """Whether `lift.pack.files` has the module: by its package's name or by a pattern."""
        top = path.partition("/")[0].removesuffix(".py")
        return any(top == name or fnmatch.fnmatchcase(path, name) for name in self.settings.files)


@dataclass(frozen=True, slots=True)
class _Unit:
    """What one wheel, or the user, puts into site-packages, by path; `modules` are paths among `files`."""

    origin: Origin
    files: dict[str, Placement]
    modules: tuple[str, ...]


def _by_origin(inside: dict[str, Placement]) -> Iterator[tuple[Origin, list[str], tuple[str, ...]]]:
    importable = frozenset(module_sources(inside))
    paths: dict[Origin, list[str]] = defaultdict(list)
    for path, placement in inside.items():
        if placement.origin != "generated":
            paths[placement.origin].append(path)
    for origin, own in paths.items():
        yield origin, own, tuple(path for path in sorted(own) if path in importable)


def _notes(modules: int, packed: int, reasons: Mapping[str, str]) -> tuple[str, ...]:
    if not modules:
        return ()
    files = [f"files of {name} stay: it {reason}" for name, reason in sorted(reasons.items())]
    return (f"packed: {modules:,} modules of the payload, {packed:,} of them instead of files", *files)


def _is_besides(path: str) -> bool:
    """Whether a file says something about modules and is no concern of theirs."""
    return path.partition("/")[0].endswith(".dist-info") or path.endswith(_OF_TYPES)
