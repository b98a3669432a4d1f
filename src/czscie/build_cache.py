"""The products of a build's stages: files of the user's cache, named by their inputs.

A disk may lose what was once written. The digest of each product is kept beside it and compared when a build
copies the product; `mending` makes damaged ones again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from czscie import toolchain
from czscie.cache import cache_directory, damaged, make_way, mark_used, only_one
from czscie.documents import learned
from czscie.filesystem import file_digest, open_regular, write_atomically
from czscie.observation import Observation, are_unchanged

Known = TypeVar("Known", bound=msgspec.Struct)
Done = TypeVar("Done")

#: How often one build makes damaged products again: beyond that the disk is at fault.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Product(Generic[Known]):
    """A file of the cache. `sha256` is its digest when it was made, `known` its metadata."""

    path: Path
    sha256: str
    known: Known


class _Record(msgspec.Struct, frozen=True):
    """The stored form. `sha256` is the digest of `content`."""

    sha256: str
    content: msgspec.Raw


class _Made(msgspec.Struct, Generic[Known], frozen=True):
    """The stored metadata of a product. `size` is in bytes."""

    sha256: str
    size: int
    known: Known


class _OfFiles(msgspec.Struct, Generic[Known], frozen=True):
    """A value that was found in files and directories, and their states by path."""

    states: dict[str, str]
    known: Known


class _Table(msgspec.Struct, Generic[Known], frozen=True):
    """Values by their names; first those of the build that wrote it."""

    entries: dict[str, Known]


#: How many values a table has room for, unless more are used together.
_TABLE = 4096
#: Bytes of the SHA-256 before what is kept compressed.
_DIGEST = 32
#: Fewer bytes take as long to be looked up as to be compressed.
_WORTH_KEEPING = 1 << 16

#: The products that this process uses: their digests, and their descriptions.
_used: dict[Path, tuple[str, str]] = {}


def product(key: str, suffix: str, kind: type[Known], make: Callable[[Path], Known]) -> Product[Known]:
    """The product called `key`. On a cache miss, `make` writes it to the path that it is given.

    Its metadata, of `kind`, is stored beside it. A product without metadata was never finished.
    """
    path = cache_directory("packed") / f"{key}{suffix}"
    record = path.with_suffix(".json")
    with only_one(path):
        made = _read(record, _Made[kind])  # type: ignore[valid-type]
        if made is not None and _size(path) == made.size:
            mark_used(path)
        else:
            make_way(record)
            record.unlink(missing_ok=True)
            make_way(path)
            known = make(path)
            made = _Made(file_digest(path), path.stat().st_size, known)
            _write(record, made)
    _used[path] = made.sha256, getattr(made.known, "description", "") or path.name
    return Product(path, made.sha256, made.known)


def knowledge(key: str, kind: type[Known], make: Callable[[], Known]) -> Known:
    """The value of `kind` stored as `key`. On a cache miss, `make` finds it."""
    path = cache_directory("known") / key
    with only_one(path):
        known = _read(path, kind)
        if known is None:
            known = make()
            _write(path, known)
        else:
            mark_used(path)
    return known


def knowledge_of_files(key: str, kind: type[Known], make: Callable[[], Known]) -> Known:
    """The value of `kind` stored as `key`, as long as the files that `make` read to find it are unchanged.

    They are those that this process read, but for what is in the cache.
    """
    path = cache_directory("known") / key
    found = _read(path, _OfFiles[kind])  # type: ignore[valid-type]
    if found is not None and are_unchanged(found.states):
        mark_used(path)
        return found.known
    observation = Observation()
    observation.start()
    try:
        known = make()
    finally:
        observation.stop()
    states = observation.states()
    if states is not None:
        _write(path, _OfFiles(states, known))
    return known


def knowledge_of_each(
    key: str, kind: type[Known], names: Sequence[str], make: Callable[[Sequence[int]], Sequence[Known]]
) -> list[Known]:
    """The value of `kind` for each of `names`, from the table stored as `key`.

    `make` finds those that the table lacks, given their places in `names`. The table keeps others for other
    builds as long as there is room. Of two builds that write it at once, one is remembered.
    """
    path = cache_directory("known") / key
    with only_one(path):
        table = _read(path, _Table[kind])  # type: ignore[valid-type]
        entries = {} if table is None else table.entries
        missing = [number for number, name in enumerate(names) if name not in entries]
        if missing:
            made = dict(zip((names[number] for number in missing), make(missing), strict=True))
            used = {name: made[name] if name in made else entries[name] for name in names}
            rest = [each for each in entries.items() if each[0] not in used]
            entries = {**used, **dict(rest[: max(_TABLE - len(used), 0)])}
            _write(path, _Table(entries))
        else:
            mark_used(path)
    return [entries[name] for name in names]


def compressed(data: bytes, method: str, compress: Callable[[], bytes]) -> bytes:
    """What `compress` makes of `data`, kept in the cache by its content and by `method`, with all parameters.

    It outlives changes of czscie's code: the libraries that compress are all that shapes it. What is small is
    not kept, and what is damaged is made again.
    """
    if len(data) < _WORTH_KEEPING:
        return compress()
    libraries = toolchain.libraries()
    shape = "\0".join((method, libraries["libzstd"], libraries["xz"], hashlib.sha256(data).hexdigest()))
    path = cache_directory("compressed") / hashlib.sha256(shape.encode()).hexdigest()
    with only_one(path):
        try:
            with open_regular(path) as stream:
                digest, found = stream.read(_DIGEST), stream.read()
            if hashlib.sha256(found).digest() == digest:
                mark_used(path)
                return found
        except OSError:
            pass
        made = compress()
        make_way(path)
        write_atomically(path, lambda stream: stream.write(hashlib.sha256(made).digest() + made))
    return made


def check(path: Path, sha256: str) -> None:
    """Raises CzscieError when the file at `path` has another digest."""
    if file_digest(path) != sha256:
        raise damaged(path)


def mending(attempt: Callable[[], Done], tell: Callable[[str], None]) -> Done:
    """The result of `attempt`.

    When it fails because a product that it used is damaged, removes that product and runs it again. `tell`
    gets a line for each such product. Raises what `attempt` raises when no product is damaged.
    """
    for _ in range(_ATTEMPTS):
        try:
            return attempt()
        except Exception:
            found = _discard_damaged()
            if not found:
                raise
            for name in found:
                tell(f"{name} is damaged in the cache: making it again")
    return attempt()


def _discard_damaged() -> list[str]:
    """Removes the damaged products that this process used, and returns their names."""
    found = []
    for path, (sha256, name) in list(_used.items()):
        try:
            whole = file_digest(path) == sha256
        except OSError:
            whole = False
        if not whole:
            del _used[path]
            for each in (path.with_suffix(".json"), path):
                make_way(each)
                each.unlink(missing_ok=True)
            found.append(name)
    return found


def key_of(*inputs: str) -> str:
    """A key over `inputs` and everything else that shapes the bytes of a product (czscie.toolchain)."""
    return hashlib.sha256("\0".join((toolchain.digest(), *inputs)).encode()).hexdigest()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _read(path: Path, kind: type[Known]) -> Known | None:
    """The content that `_write` wrote to `path`; None if it is missing, damaged, or of another kind."""
    try:
        with open_regular(path) as stream:
            record = msgspec.json.decode(stream.read(), type=learned(_Record))
        content = bytes(record.content)
        if hashlib.sha256(content).hexdigest() != record.sha256:
            return None
        return msgspec.json.decode(content, type=learned(kind))
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None


def _write(path: Path, known: msgspec.Struct) -> None:
    content = msgspec.json.encode(known)
    make_way(path)
    record = _Record(hashlib.sha256(content).hexdigest(), msgspec.Raw(content))
    write_atomically(path, lambda stream: stream.write(msgspec.json.encode(record)))
