"""Packs the modules of a payload: their bytecode always, their files only if nothing reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec

from czscie.build_cache import key_of, knowledge
from czscie.container.content import Data, File
from czscie.container.level import DEFAULT_LEVEL
from czscie.lift.pack import PackSettings
from czscie.pack.compiler import Compiler, Expression
from czscie.pack.module_code import code_of_each, expressions_of
from czscie.pack.pack import NAME, REST, Bytecode, Module, render, render_in_two
from czscie.pack.scan import Signs, Suspect
from czscie.pack.unit import Unit, units_of
from czscie.platforms import Platform
from czscie.progress import Count, Step, Steps, no_count
from czscie.wheel.findings import finding
from czscie.wheel.venv_layout import Installed, Placement, describe
from czscie.wheel.wheel import Wheel

#: The reason of modules that no rule of czscie's keeps as files.
_NAMED = "lift.pack.files names them, or a distribution in the payload reads the modules of others"


class Scanned(msgspec.Struct, frozen=True):
    """The cached findings about modules that have a sign in their text."""

    signs: tuple[Signs, ...]


class ScannedWheel(msgspec.Struct, frozen=True):
    """The same for one wheel, by their paths."""

    signs: dict[str, Signs]


@dataclass(frozen=True, slots=True)
class Packing:
    """The settings and the compiler for packing modules."""

    settings: PackSettings
    compiler: Compiler
    platform: Platform
    #: Whether the interpreter reads xz.
    xz: bool
    #: zstd's, of the part that they are in.
    level: int = DEFAULT_LEVEL

    def pack(
        self,
        placements: Sequence[Placement],
        site_packages: str,
        application: Collection[str] = (),
        own: Collection[Wheel] | None = None,
        count: Count = no_count,
    ) -> Installed:
        """Packs those of `placements` that are modules of the directory `site_packages`.

        `application` are the projects that the application is made of. With `own`, the wheels that change
        with it, the others' modules are in a file apart. `count` counts the modules. Raises CzscieError when
        they cannot be compiled.
        """
        inside = {
            placement.destination.removeprefix(f"{site_packages}/"): placement
            for placement in placements
            if placement.destination.startswith(f"{site_packages}/") and placement.kind == "file"
        }
        units = units_of(inside)
        with ThreadPoolExecutor() as pool:
            stays = list(pool.map(lambda unit: self._staying(unit, application), units))
            paths = [unit.run(staying) for unit, (staying, _) in zip(units, stays, strict=True)]
            steps = Steps(count, sum(map(len, paths)), "modules")
            compiled = list(
                pool.map(
                    lambda unit, paths: self._compile(unit, site_packages, paths, steps.add), units, paths
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
            if reason:
                some = f"{len(staying):,} of {len(unit.modules):,} modules of {describe(unit.origin)}"
                reasons.append(f"{some} stay files: {reason}")
            for path, code in codes.items():
                packed = path not in staying
                source = unit.files[path].member.content.read() if packed and self.settings.source else None
                content.modules.append(Module(path, code, source))
                if packed:
                    gone.add(f"{site_packages}/{path}")
        packs = [
            File(f"{site_packages}/{name}", Data(data))
            for name, data in _rendered(*contents, Bytecode(self.compiler.magic, self.xz, self.level))
        ]
        kept = tuple(placement for placement in placements if placement.destination not in gone)
        number = sum(len(content.modules) for content in contents)
        notes = (*_notes(number, len(gone), reasons), *skips)
        return Installed(
            kept,
            tuple(packs[:1]),
            tuple(packs[1:]),
            notes,
            number,
            staying=sum(len(staying) for staying, _ in stays),
            reasons={
                unit.origin.project: reason or _NAMED
                for unit, (staying, reason) in zip(units, stays, strict=True)
                if staying and isinstance(unit.origin, Wheel)
            },
        )

    def cached(self, source: File) -> File:
        """The bytecode of a module that is no package's and stays a file. Raises CzscieError."""
        (code,) = self.compiler.compile([(source.path, source.content.read())]).results
        return self.compiler.cached(source.path, code)

    def _staying(self, unit: Unit, application: Collection[str]) -> tuple[frozenset[str], str]:
        """The modules of `unit` that stay files, and why; "" if the manifest says so."""
        named = frozenset(path for path in unit.modules if self.settings.keeps(path))
        if self.settings.packages == "all" or len(named) == len(unit.modules):
            return named, ""
        staying, reason = unit.staying(application, self._signs)
        return staying | named, reason if staying else ""

    def _signs(self, unit: Unit) -> Mapping[str, Signs]:
        """The signs in the modules of `unit`, from the cache if it is a wheel file."""
        if not isinstance(unit.origin, Wheel):
            return unit.signs(self._scan)

        def find() -> ScannedWheel:
            return ScannedWheel(unit.signs(self._scan))

        return finding(unit.origin, ScannedWheel, find, self.compiler.identity, *unit.modules).signs

    def _scan(self, suspects: Sequence[Suspect]) -> tuple[Signs, ...]:
        """The signs in each of the modules, from the cache."""
        if not suspects:
            return ()
        digest = hashlib.sha256(f"{self.compiler.identity}\0".encode())
        for each in suspects:
            digest.update(
                msgspec.json.encode((each.path, each.harmless, hashlib.sha256(each.source).hexdigest()))
            )
        key = key_of("scanned", digest.hexdigest())
        return knowledge(key, Scanned, lambda: Scanned(tuple(self.compiler.scan(suspects)))).signs

    def _compile(
        self, unit: Unit, site_packages: str, paths: Sequence[str], step: Step
    ) -> tuple[dict[str, bytes], list[Expression], tuple[str, ...]]:
        """The code of each module of `paths` that compiles, their regular expressions, and what was too much,
        from the cache.
        """
        sources = [(f"{site_packages}/{path}", unit.files[path].member.content.read()) for path in paths]
        owner = unit.origin.project if isinstance(unit.origin, Wheel) else unit.origin
        made = code_of_each(self.compiler, owner, sources, step)
        shares = self.platform.shares_expressions
        expressions = expressions_of(each.expressions for each in made) if shares else []
        codes = {path: each.code for path, each in zip(paths, made, strict=True) if each.code}
        skips = [skip.removeprefix(f"{site_packages}/") for each in made for skip in each.skips]
        return codes, expressions, tuple(skips)


@dataclass(frozen=True, slots=True)
class _Contents:
    """The content of one file of a pack."""

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


def _notes(modules: int, packed: int, reasons: Sequence[str]) -> tuple[str, ...]:
    if not modules:
        return ()
    summary = f"packed: {modules:,} modules of the payload, {packed:,} of them instead of files"
    return (summary, *sorted(reasons))
