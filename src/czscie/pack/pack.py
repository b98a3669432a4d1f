"""The format of a pack: the bytecode of the modules below one directory, and the source of some.

docs/explained/packing.md describes it; finder.py, which runs in the shipped interpreter, reads what
is written here.
"""

from __future__ import annotations

import lzma
import marshal
import zlib
from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

from czscie.build_cache import compressed
from czscie.container.level import DEFAULT_LEVEL, xz_preset
from czscie.pack.compiler import Expression

#: The name of a pack in the directory of `sys.path` that it stands for.
NAME = "czscie.pack"
#: The second file of a pack in two.
REST = "czscie-dependencies.pack"
MAGIC = b"czpack1\n"
#: How the lines of a directory begin in which there is nothing more to be found.
COMPLETE = b"="

#: Sources are compressed in blocks of about this many bytes: a traceback decompresses one per line, at most.
_BLOCK = 1 << 20
#: One of so many modules may end a block.
_ENDS = 16
#: Of xz.
_SMALLEST_DICTIONARY = 1 << 12
#: Understood by every version of marshal that a reader may have.
_MARSHAL_VERSION = 2


@dataclass(frozen=True, slots=True)
class Module:
    """A module: `path` of its source relative to the pack's directory, its marshalled `code` object.

    `source` is None where the source is a file of that path, or nowhere.
    """

    path: str
    code: bytes
    source: bytes | None = None


@dataclass(frozen=True, slots=True)
class Bytecode:
    """The common properties of the modules of a pack; `magic` is CPython's magic number (4 bytes)."""

    magic: bytes
    #: Whether the interpreter reads xz; else its sources are deflated.
    xz: bool
    #: zstd's, of the part that the pack is in.
    level: int = DEFAULT_LEVEL


def render(
    modules: Iterable[Module],
    bytecode: Bytecode,
    expressions: Iterable[Expression] = (),
    complete: Container[str] = (),
) -> bytes:
    """The bytes of the pack of `modules`, in an order of its own, and of regular `expressions`.

    In the directories `complete` (`""`, `json/`) there are no other modules, and nobody will look for them.
    """
    (pack,) = _render([_Volume.of(modules, expressions, bytecode)], bytecode, complete)
    return pack


def render_in_two(
    own: tuple[Iterable[Module], Iterable[Expression]],
    others: tuple[Iterable[Module], Iterable[Expression]],
    bytecode: Bytecode,
) -> tuple[bytes, bytes]:
    """One pack in two files, NAME and REST. The second depends on nothing but `others` and `bytecode`."""
    volumes = [_Volume.of(modules, expressions, bytecode) for modules, expressions in (own, others)]
    first, second = _render(volumes, bytecode, ())
    return first, second


def _render(volumes: Sequence[_Volume], bytecode: Bytecode, complete: Container[str]) -> list[bytes]:
    """The files of the pack that consists of `volumes`; the index of all is in the first."""
    codec = "xz" if bytecode.xz else "zlib"
    # The index tells offsets, which depend on its size, which depends on the number of digits of offsets.
    start = 0
    while True:
        starts = [start]
        for volume in volumes:
            starts.append(starts[-1] + volume.size)
        placed = list(zip(volumes, starts, strict=False))
        directories = _directories(placed)
        for name in filter(complete.__contains__, directories):
            directories[name] = COMPLETE + directories[name]
        rest = ((REST, starts[1]),) if len(volumes) > 1 else ()
        index = marshal.dumps((codec, directories, _table(placed), *rest), _MARSHAL_VERSION)
        needed = len(MAGIC) + 8 + len(index)
        if needed <= start:
            break
        start = needed
    head = MAGIC + bytecode.magic + len(index).to_bytes(4, "little") + index
    first, *others = [volume.data() for volume in volumes]
    return [head.ljust(start, b"\0") + first, *others]


@dataclass(frozen=True, slots=True)
class _Block:
    """Sources that are compressed together."""

    modules: tuple[Module, ...]
    packed: bytes


@dataclass(frozen=True, slots=True)
class _Volume:
    """The content of one file of a pack: code objects, blocks of sources, regular expressions."""

    modules: tuple[Module, ...]
    blocks: tuple[_Block, ...]
    expressions: tuple[Expression, ...]

    @classmethod
    def of(cls, modules: Iterable[Module], expressions: Iterable[Expression], bytecode: Bytecode) -> _Volume:
        ordered = tuple(sorted(modules, key=lambda module: _place(module.path)))
        runs = _runs([module for module in ordered if module.source is not None])
        with ThreadPoolExecutor() as pool:
            blocks = tuple(pool.map(lambda run: _block(run, bytecode), runs))
        return cls(ordered, blocks, tuple(expressions))

    @property
    def size(self) -> int:
        return sum(map(len, self._pieces()))

    def data(self) -> bytes:
        return b"".join(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        return chain(
            (module.code for module in self.modules),
            (block.packed for block in self.blocks),
            (entry for _, entry in self.expressions),
        )


def _runs(modules: Sequence[Module]) -> Iterator[list[Module]]:
    """The modules of each block. It ends where the name of one says so: a module less changes few blocks."""
    run: list[Module] = []
    size = 0
    for module in modules:
        run.append(module)
        size += len(module.source or b"")
        if size >= 2 * _BLOCK or (size >= _BLOCK // 2 and _may_end(module)):
            yield run
            run, size = [], 0
    if run:
        yield run


def _may_end(module: Module) -> bool:
    return zlib.crc32(module.path.encode("utf-8", "surrogatepass")) % _ENDS == 0


def _block(modules: Sequence[Module], bytecode: Bytecode) -> _Block:
    data = b"".join(module.source or b"" for module in modules)
    return _Block(tuple(modules), _xz(data, bytecode.level) if bytecode.xz else zlib.compress(data, 9))


def _xz(data: bytes, level: int) -> bytes:
    # A reader allocates the dictionary: none larger than the block.
    size = max(len(data), _SMALLEST_DICTIONARY)
    preset = xz_preset(level)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": size}]
    return compressed(
        data, f"xz {preset}", lambda: lzma.compress(data, check=lzma.CHECK_CRC32, filters=filters)
    )


def _place(path: str) -> tuple[str, bool, str]:
    """Where a module comes in a pack: with its directory, `__init__` first."""
    parent, _, name = path.rpartition("/")
    return parent, name != "__init__.py", name


def _directories(volumes: Iterable[tuple[_Volume, int]]) -> dict[str, bytes]:
    """For each directory (`""`, `json/`) the lines of its modules. Each volume comes with its start."""
    lines: dict[str, list[str]] = {"": []}
    for volume, start in volumes:
        sources = _places_of_sources(volume, start)
        at = start
        for module in volume.modules:
            for parent in PurePosixPath(module.path).parents:
                lines.setdefault("" if str(parent) == "." else f"{parent}/", [])
            directory, separator, name = module.path.rpartition("/")
            line = f"{name.removesuffix('.py')}\t{at} {len(module.code)}{sources.get(module.path, '')}\n"
            lines[directory + separator].append(line)
            at += len(module.code)
    return {directory: f"\n{''.join(found)}".encode() for directory, found in sorted(lines.items())}


def _places_of_sources(volume: _Volume, start: int) -> dict[str, str]:
    """The fields of the modules' lines about their sources."""
    places: dict[str, str] = {}
    at = start + sum(len(module.code) for module in volume.modules)
    for block in volume.blocks:
        offset = 0
        for module in block.modules:
            size = len(module.source or b"")
            places[module.path] = f" {at} {len(block.packed)} {offset} {size}"
            offset += size
        at += len(block.packed)
    return places


def _table(volumes: Iterable[tuple[_Volume, int]]) -> bytes:
    """For each regular expression its hash (8 bytes), offset and size (little-endian, 4 each)."""
    records = []
    for volume, start in volumes:
        at = start + volume.size - sum(len(entry) for _, entry in volume.expressions)
        for hashed, entry in volume.expressions:
            records.append(hashed + at.to_bytes(4, "little") + len(entry).to_bytes(4, "little"))
            at += len(entry)
    return b"".join(records)
