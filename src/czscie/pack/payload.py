"""The modules of a payload packed: their bytecode always, themselves where nobody looks for their files."""

from __future__ import annotations

import fnmatch
import hashlib
import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec

from czscie.container.content import Data, File
from czscie.czex.install import Installed, Origin, Placement, describe
from czscie.czex.wheel import Wheel
from czscie.lift.pack import Pack
from czscie.pack.compiler import Compiler, Expression
from czscie.pack.modules import is_in_package, module_sources
from czscie.pack.pack import NAME, REST, Bytecode, Module, render, render_in_two
from czscie.pack.scan import looks_at_files
from czscie.platforms import Platform
from czscie.products import key_of, knowledge

#: What follows `.py` in the name of a file that becomes a module, `script.py.mako`, `apps.py-tpl`.
_TEMPLATE = re.compile(r"\.py[^A-Za-z].")

#: A package's own tests. Those of large packages are more than all the rest of it.
_OF_TESTS = re.compile(r"[^/]+/(.*/)?tests?/")


class Compiled(msgspec.Struct, frozen=True):
    """What the cache knows of the modules of one wheel: their code, empty where one does not compile."""

    codes: list[bytes]
    expressions: list[Expression]
    skips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packing:
    """How modules are packed: as `settings` say, compiled by `compiler`."""

    settings: Pack
    compiler: Compiler
    platform: Platform
    #: Whether the interpreter reads xz.
    xz: bool

    def pack(
        self,
        placements: Sequence[Placement],
        site_packages: str,
        application: Collection[str] = (),
        own: Collection[Wheel] | None = None,
    ) -> Installed:
        """Packs those of `placements` that are modules of the directory `site_packages`.

        `application` are the projects that the application is made of. With `own`, the wheels that change
        with it, the others' modules are in a file apart. Raises CzscieError when they cannot be compiled.
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
        everything = self.settings.packages == "all"
        stays = [(frozenset[str](), "") if everything else unit.staying(application) for unit in units]
        with ThreadPoolExecutor() as pool:
            compiled = list(
                pool.map(
                    lambda unit, staying: self._compile(unit, site_packages, unit.run(staying[0])),
                    units,
                    stays,
                )
            )
        contents = _Contents(), _Contents()
        gone: set[str] = set()
        reasons: list[str] = []
        skips: list[str] = []
        for unit, (codes, found, beyond), (staying, reason) in zip(units, compiled, stays, strict=True):
            skips += beyond
            content = contents[own is not None and unit.origin != "sources" and unit.origin not in own]
            content.expressions.update(found)
            if staying:
                count = f"{len(staying):,} of {len(unit.modules):,} modules of {describe(unit.origin)}"
                reasons.append(f"{count} stay files: {reason}")
            for path, code in codes.items():
                packed = path not in staying and not self._is_named(path)
                source = unit.files[path].member.content.read() if packed and self.settings.source else None
                content.modules.append(Module(path, code, source))
                if packed:
                    gone.add(f"{site_packages}/{path}")
        packs = [
            File(f"{site_packages}/{name}", Data(data))
            for name, data in _rendered(*contents, Bytecode(self.compiler.magic, self.xz))
        ]
        kept = tuple(placement for placement in placements if placement.destination not in gone)
        number = sum(len(content.modules) for content in contents)
        notes = (*_notes(number, len(gone), reasons), *skips)
        return Installed(kept, tuple(packs[:1]), tuple(packs[1:]), notes)

    def cached(self, source: File) -> File:
        """The bytecode of a module that is no package's and stays a file. Raises CzscieError."""
        (code,) = self.compiler.compile([(source.path, source.content.read())]).results
        return self.compiler.cached(source.path, code)

    def _compile(
        self, unit: _Unit, site_packages: str, paths: Sequence[str]
    ) -> tuple[dict[str, bytes], list[Expression], tuple[str, ...]]:
        """The code of each module of `paths` that compiles, their regular expressions, and what was too much,
        from the cache.
        """
        sources = {path: unit.files[path].member.content.read() for path in paths}
        digest = hashlib.sha256(f"{self.compiler.identity}\0{site_packages}\0".encode())
        for path, source in sources.items():
            digest.update(f"{path}\0{len(source)}\0".encode("utf-8", "surrogateescape") + source)

        def compiled() -> Compiled:
            named = [(f"{site_packages}/{path}", source) for path, source in sources.items()]
            codes, expressions = self.compiler.compile(named), self.compiler.expressions(named)
            return Compiled(codes.results, expressions.results, (*codes.skips, *expressions.skips))

        known = knowledge(key_of("compiled", digest.hexdigest()), Compiled, compiled)
        expressions = known.expressions if self.platform.shares_expressions else []
        codes = {path: code for path, code in zip(sources, known.codes, strict=True) if code}
        return codes, expressions, tuple(each.removeprefix(f"{site_packages}/") for each in known.skips)

    def _is_named(self, path: str) -> bool:
        """Whether `lift.pack.files` has the module: by its package's name or by a pattern."""
        top = path.partition("/")[0].removesuffix(".py")
        return any(top == name or fnmatch.fnmatchcase(path, name) for name in self.settings.files)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What goes into one file of a pack."""

    modules: list[Module] = field(default_factory=list)
    expressions: dict[bytes, bytes] = field(default_factory=dict)


def _rendered(own: _Contents, others: _Contents, bytecode: Bytecode) -> Iterator[tuple[str, bytes]]:
    """The files of the pack of both, by their names."""
    if others.modules:
        kept = [each for each in own.expressions.items() if each[0] not in others.expressions]
        first, second = render_in_two(
            (own.modules, sorted(kept)), (others.modules, sorted(others.expressions.items())), bytecode
        )
        yield NAME, first
        yield REST, second
    elif own.modules:
        yield NAME, render(own.modules, bytecode, sorted(own.expressions.items()))


@dataclass(frozen=True, slots=True)
class _Unit:
    """What one wheel, or the user, puts into site-packages, by path; `modules` are paths among `files`."""

    origin: Origin
    files: dict[str, Placement]
    modules: tuple[str, ...]

    def staying(self, application: Collection[str]) -> tuple[frozenset[str], str]:
        """The modules that stay files, and why; `application` are the projects that it is made of.

        The application's own are what other libraries look at: they check its types, cache beside it, run it
        by its path. Of other code, data and extension modules stay where they are and find what they look
        for: whether modules are there as files matters to those alone who look at these.
        """
        if not isinstance(self.origin, Wheel) or self.origin.project in application:
            return frozenset(self.modules), "they are the application's own"
        for path, placement in self.files.items():
            if path not in self.modules and _is_template(path):
                return frozenset(self.modules), f"{path} is a template of modules"
            if path in self.modules and (found := looks_at_files(placement.member.content.read())):
                return frozenset(self.modules), f"{path} uses {found}"
        packages = {posixpath.dirname(path) for path in self.modules if path.endswith("/__init__.py")}
        outside = [path for path in self.modules if not is_in_package(path, packages)]
        return frozenset(outside), f"{outside[0]} is in no package" if outside else ""

    def run(self, staying: Collection[str]) -> list[str]:
        """The modules but for those, `staying` files, that applications do not run: a package's tests."""
        if not isinstance(self.origin, Wheel):
            return list(self.modules)
        return [path for path in self.modules if path not in staying or not _OF_TESTS.match(path)]


def _by_origin(inside: dict[str, Placement]) -> Iterator[tuple[Origin, list[str], tuple[str, ...]]]:
    importable = frozenset(module_sources(inside))
    paths: dict[Origin, list[str]] = defaultdict(list)
    for path, placement in inside.items():
        if placement.origin != "generated":
            paths[placement.origin].append(path)
    for origin, own in paths.items():
        yield origin, own, tuple(path for path in sorted(own) if path in importable)


def _notes(modules: int, packed: int, reasons: Sequence[str]) -> tuple[str, ...]:
    if not modules:
        return ()
    summary = f"packed: {modules:,} modules of the payload, {packed:,} of them instead of files"
    return (summary, *sorted(reasons))


def _is_template(path: str) -> bool:
    """Whether a file that is no module becomes one: those beside it may be read, too, to be written anew."""
    return _TEMPLATE.search(posixpath.basename(path)) is not None
