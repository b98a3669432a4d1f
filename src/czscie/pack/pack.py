"""The format of a pack: the bytecode of the modules below one directory, and the source of some.

docs/packing.md describes it; finder.py, which runs in the shipped interpreter, reads what is written here.
"""

from __future__ import annotations

import lzma
import marshal
import zlib
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

from czscie.pack.compiler import Expression

#: The name of a pack in the directory of `sys.path` that it stands for.
NAME = "czscie.pack"
MAGIC = b"czpack1\n"
#: How the lines of a directory begin in which there is nothing more to be found.
COMPLETE = b"="

#: Sources are compressed in blocks of about this many bytes: a traceback decompresses one per line, at most.
_BLOCK = 1 << 20
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
    """What the modules of a pack have in common; `magic` is CPython's magic number (4 bytes)."""

    magic: bytes
    #: Whether the interpreter reads xz; else its sources are deflated.
    xz: bool


def render(
    modules: Iterable[Module],
    bytecode: Bytecode,
    expressions: Sequence[Expression] = (),
    complete: Container[str] = (),
) -> bytes:
    """The bytes of the pack of `modules`, in an order of its own, and of regular `expressions`.

    In the directories `complete` (`""`, `json/`) there are no other modules, and nobody will look for them.
    """
    ordered = sorted(modules, key=lambda module: _place(module.path))
    blocks = list(_blocks([module for module in ordered if module.source is not None], bytecode))
    codec = "xz" if bytecode.xz else "zlib"
    # The index tells offsets, which depend on its size, which depends on the number of digits of offsets.
    start = 0
    while True:
        directories, end = _directories(ordered, blocks, start)
        for name in filter(complete.__contains__, directories):
            directories[name] = COMPLETE + directories[name]
        index = marshal.dumps((codec, directories, _table(expressions, end)), _MARSHAL_VERSION)
        needed = len(MAGIC) + 8 + len(index)
        if needed <= start:
            break
        start = needed
    head = MAGIC + bytecode.magic + len(index).to_bytes(4, "little") + index
    entries = (entry for _, entry in expressions)
    parts = (module.code for module in ordered), (block.packed for block in blocks), entries
    return b"".join((head.ljust(start, b"\0"), *chain(*parts)))


@dataclass(frozen=True, slots=True)
class _Block:
    """Sources that are compressed together."""

    modules: tuple[Module, ...]
    packed: bytes


def _blocks(modules: Sequence[Module], bytecode: Bytecode) -> Iterator[_Block]:
    run: list[Module] = []
    size = 0
    for module in modules:
        run.append(module)
        size += len(module.source or b"")
        if size >= _BLOCK:
            yield _block(run, bytecode)
            run, size = [], 0
    if run:
        yield _block(run, bytecode)


def _block(modules: Sequence[Module], bytecode: Bytecode) -> _Block:
    data = b"".join(module.source or b"" for module in modules)
    return _Block(tuple(modules), _xz(data) if bytecode.xz else zlib.compress(data, 9))


def _xz(data: bytes) -> bytes:
    return lzma.compress(data, check=lzma.CHECK_CRC32, preset=9)


def _place(path: str) -> tuple[str, bool, str]:
    """Where a module comes in a pack: with its directory, `__init__` first."""
    parent, _, name = path.rpartition("/")
    return parent, name != "__init__.py", name


def _directories(
    modules: Sequence[Module], blocks: Sequence[_Block], start: int
) -> tuple[dict[str, bytes], int]:
    """For each directory (`""`, `json/`) the lines of its modules; what they tell of starts at `start`.

    And where that ends.
    """
    sources: dict[str, str] = {}
    at = start + sum(len(module.code) for module in modules)
    for block in blocks:
        offset = 0
        for module in block.modules:
            size = len(module.source or b"")
            sources[module.path] = f" {at} {len(block.packed)} {offset} {size}"
            offset += size
        at += len(block.packed)
    lines: dict[str, list[str]] = {"": []}
    end, at = at, start
    for module in modules:
        for parent in PurePosixPath(module.path).parents:
            lines.setdefault("" if str(parent) == "." else f"{parent}/", [])
        directory, separator, name = module.path.rpartition("/")
        line = f"{name.removesuffix('.py')}\t{at} {len(module.code)}{sources.get(module.path, '')}\n"
        lines[directory + separator].append(line)
        at += len(module.code)
    return {directory: f"\n{''.join(found)}".encode() for directory, found in sorted(lines.items())}, end


def _table(expressions: Sequence[Expression], start: int) -> bytes:
    """For each of the `expressions` its hash (8 bytes), offset and size (little-endian, 4 each)."""
    records = []
    for hashed, entry in expressions:
        records.append(hashed + start.to_bytes(4, "little") + len(entry).to_bytes(4, "little"))
        start += len(entry)
    return b"".join(records)
