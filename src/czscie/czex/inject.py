"""Converts a PEX to a CZEX for any Python of a host: zipimport reads its start, the launcher the rest."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from czscie import mach_o
from czscie.container import zip as zip_records
from czscie.container.content import File
from czscie.container.packer import Packer
from czscie.container.plan import PlannedEntry, Slice
from czscie.czex.catalogue import ENTRY_NAME, Catalogue, catalogue_order
from czscie.czex.info import PATH as PEX_INFO
from czscie.czex.info import PexInfo
from czscie.czex.pex import Pex
from czscie.czex.placed import ANYWHERE, EXECUTABLE, PLAIN, PlacedFile, place_wheel, placed, split
from czscie.czex.prefix import czex_prefix
from czscie.czex.start import Start, environment_files
from czscie.errors import Code, CzscieError
from czscie.filesystem import write_atomically
from czscie.platforms import PLATFORMS, Platform, current_launcher
from czscie.wheel.wheel import Wheel

#: What the host's Python imports from the CZEX when it is started for the first time.
_BOOTSTRAP = (
    "__init__",
    "choice",
    "slow_path",
    "installation",
    "layout",
    "markers",
    "remembered",
    "request",
    "resolve",
    "settings",
    "tags",
    "users",
    "versions",
)


#: CPython's zipimport reads what is larger since 3.13.
ZIP32_MAX = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Injected:
    """A written CZEX. Sizes in bytes; `launchers` are those in it."""

    path: Path
    size: int
    wheels: int
    launchers: tuple[str, ...]

    @property
    def is_zip64(self) -> bool:
        return self.size > ZIP32_MAX


@dataclass(frozen=True, slots=True)
class Compression:
    """How entries are compressed: zstd's `level`, and the threads that do it, as many as cores when None."""

    level: int
    jobs: int | None = None


def inject(
    source: Path,
    output: Path,
    platforms: Sequence[Platform],
    launcher: Callable[[str], Path],
    compression: Compression,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Injected:
    """Writes the PEX at `source` to `output` as a CZEX.

    `platforms` are those to include launchers for, by default those of the wheels. `launcher` finds the
    launcher of a name. `level` is zstd's, `jobs` the number of threads. `progress` gets the packed bytes and
    all bytes. Raises CzscieError.
    """
    _check_platforms(platforms)
    with Pex.open(source) as pex:
        names = tuple(sorted({each.launcher for each in platforms} or _launchers(pex.wheels)))
        launchers = {name: _startable(launcher(name).read_bytes()) for name in names}
        writer = _Writer(pex, Packer(compression.level, compression.jobs), progress)
        writer.collect()
        prefix = czex_prefix(source)
        write_atomically(output, lambda stream: writer.write(stream, prefix, launchers), mode=0o777)
        return Injected(output, output.stat().st_size, len(pex.wheels), names)


def _check_platforms(platforms: Sequence[Platform]) -> None:
    for platform in platforms:
        if platform.os == "windows":
            raise CzscieError(
                f"a CZEX does not start on {platform.name}",
                code=Code.CZEX_UNUSABLE,
                why="it supports Linux and macOS only",
                hint="build an executable for it: czscie build",
            )


def _startable(launcher: bytes) -> bytes:
    """The launcher as a host starts it by itself: on macOS it has to be signed."""
    return mach_o.signed(launcher, "czscie-launcher") if mach_o.is_mach_o(launcher) else launcher


def _launchers(wheels: Iterable[Wheel]) -> set[str]:
    """The launchers of the platforms that wheels were compiled for; the host's when all are pure Python."""
    tags = {tag.platform for wheel in wheels for tag in wheel.tags} - {"any"}
    found = {
        platform.launcher
        for platform in PLATFORMS
        if platform.os != "windows" and any(_serves(tag, platform) for tag in tags)
    }
    return found or {current_launcher()}


def _serves(tag: str, platform: Platform) -> bool:
    """Whether a wheel's platform tag is for `platform`."""
    prefix = {"linux": ("linux_", "manylinux", "musllinux"), "macos": ("macosx",)}[platform.os]
    arch = (platform.wheel_arch, "universal2") if platform.os == "macos" else (platform.wheel_arch,)
    return tag.startswith(prefix) and tag.endswith(tuple(f"_{each}" for each in arch))


class _Writer:
    def __init__(self, pex: Pex, packer: Packer, progress: Callable[[int, int], None]) -> None:
        self._pex = pex
        self._packer = packer
        self._progress = progress
        self._files: dict[Wheel | str | None, list[PlacedFile]] = {}
        self._claims: dict[tuple[str, str], tuple[str, File]] = {}
        self._differing: set[str] = set()

    def collect(self) -> None:
        """Adds the files to the packer, and records their places."""
        generated = self._collect_wheels()
        self._collect_sources()
        start = environment_files(_start(self._pex), ANYWHERE.site_packages)
        files = [replace(member, path=path) for path, member in generated.items()]
        files += [replace(each, path=f"-/{each.path}") for each in start]
        slices = self._packer.add(".czscie/venv/", files, whole=".czscie/venv.zip")
        for found in self._files.values():
            found[:] = [
                replace(each, content=slices[each.content.entry]) if each.content.entry in generated else each
                for each in found
            ]
        self._files[""] = [PlacedFile(*split(each.path), slices[f"-/{each.path}"]) for each in start]

    def _collect_wheels(self) -> dict[str, File]:
        """What was made for wheels, by a path of its own, which stands for the entry until there is one."""
        generated: dict[str, File] = {}
        for wheel in sorted(self._pex.wheels, key=lambda wheel: wheel.filename):
            name = f".deps/{wheel.filename}"
            slices = self._packer.add(f"{name}/", wheel.members, whole=name)
            found = self._files.setdefault(wheel, [])
            for placement in place_wheel(wheel):
                member = placement.member
                self._claim(*split(placement.destination), wheel.project, member)
                where = slices.get(member.path)
                if placement.origin == "generated":
                    path = f"{wheel.filename}/{placement.destination}"
                    generated[path] = member
                    where = Slice(path, 0, member.content.size)
                assert where is not None
                found.append(placed(placement, where))
        return generated

    def _collect_sources(self) -> None:
        found = self._files.setdefault(None, [])
        if not self._pex.sources:
            return
        slices = self._packer.add(".czscie/sources/", self._pex.sources, whole=".czscie/sources.zip")
        for file in self._pex.sources:
            self._claim("p", file.path, "", file)
            mode = EXECUTABLE if file.executable else PLAIN
            found.append(PlacedFile("p", file.path, slices[file.path], mode))

    def _claim(self, scheme: str, path: str, project: str, file: File) -> None:
        """Records a path that two provide with different contents."""
        claimant, other = self._claims.setdefault((scheme, path), (project, file))
        # Of the wheels of one project, only one is ever installed.
        if claimant != project and other.content.read() != file.content.read():
            self._differing.add(scheme + path)

    def write(self, stream: BinaryIO, prefix: bytes, launchers: Mapping[str, bytes]) -> None:
        """Writes the CZEX; offsets count from the start of the file."""
        entries: list[zip_records.Entry] = []
        planned: list[PlannedEntry] = []
        total, done = self._packer.size, 0

        def put(name: str, method: int, size: int, crc32: int, data: bytes) -> None:
            entries.append(zip_records.Entry(name, method, crc32, len(data), size, stream.tell()))
            stream.write(entries[-1].local_header())
            stream.write(data)

        def put_readable(name: str, data: bytes, method: int = zip_records.DEFLATED) -> None:
            """An entry for stock zipimport, which knows methods 0 and 8."""
            packed = _deflate(data) if method == zip_records.DEFLATED else data
            put(name, method, len(data), zlib.crc32(data), packed)

        stream.write(prefix)
        for packed, entry in self._packer.packed():
            entries.append(packed.put(stream))
            planned.append(entry)
            done += packed.size
            self._progress(done, total)
        catalogue = Catalogue(self._pex, catalogue_order(self._pex), self._files, sorted(self._differing))
        text = catalogue.render(planned, sorted(launchers))
        put_readable(ENTRY_NAME, text)
        for name, data in sorted(launchers.items()):
            put_readable(f".czscie/launchers/{name}", data)
        for module in _BOOTSTRAP:
            put_readable(f".czscie/czscie_bootstrap/{module}.py", _module(module))
        digest = hashlib.sha256(text).hexdigest()
        info = _info(self._pex.info, digest)
        put_readable("__pex__/__init__.py", _module("import_hook"))
        put_readable(PEX_INFO, info.render())
        # Not even deflated: it is read at every start, and zlib would have to be loaded.
        put_readable("__main__.py", _main(self._pex.info, digest), zip_records.STORED)
        stream.write(zip_records.directory(entries, stream.tell()))


def _start(pex: Pex) -> Start:
    has_setproctitle = any(wheel.project == "setproctitle" for wheel in pex.wheels)
    return Start(pex.info, has_setproctitle, more={"python_flags": ["-sE"], "refused": {}})


def _info(info: PexInfo, digest: str) -> PexInfo:
    """The PEX-INFO without what pex's caches identify the PEX by: a CZEX is a different file."""
    return replace(info, pex_hash=digest[:40])


def _main(info: PexInfo, payload: str) -> bytes:
    values = {
        "PAYLOAD": payload,
        "PEX_ROOT": info.pex_root or "",
        "PYTHON_ARGUMENTS": list(info.inject_python_args),
        "HERMETIC": info.venv_hermetic_scripts,
        "CAREFUL": bool(info.pex_paths) or info.inherit_path != "false",
    }
    lines = []
    for line in _module("main").decode().splitlines():
        name = line.partition(" = ")[0]
        lines.append(f"{name} = {values.pop(name)!r}" if name in values else line)
    if values:
        raise AssertionError(f"main.py has no line for {', '.join(values)}")
    return ("# -*- coding: utf-8 -*-\n" + "\n".join(lines) + "\n").encode()


def _module(name: str) -> bytes:
    return resources.files("czscie.czex.bootstrap").joinpath(f"{name}.py").read_bytes()


def _deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def default_output(source: Path) -> Path:
    """`app.czex` beside `app.pex`."""
    return source.with_name(f"{source.name.removesuffix('.pex')}.czex")
