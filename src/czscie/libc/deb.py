"""Reads Debian binary packages: deb(5), an ar archive of `debian-binary`, `control.tar.*`, `data.tar.*`.

The caller has compared the package's SHA-256; the content is treated as untrusted all the same.
"""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from czscie.container.content import Data, File, Link
from czscie.container.tree import TAR_DAMAGE, Item, Tree
from czscie.errors import Code, CzscieError

_MAGIC = b"!<arch>\n"
_HEADER = 60
#: ar(5): the two bytes that end a member's header.
_END_OF_HEADER = b"`\n"
_FORMAT = b"2.0\n"
#: Unpacked. libc6's are 13 MB.
_LARGEST = 256 << 20


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """A package's files: `items` are by their paths, relative to the root of the system it is made for.

    Links that lead out of a tree are not among them: Debian's are relative or of no use elsewhere.
    """

    name: str
    items: dict[str, Item]

    @classmethod
    def read(cls, data: bytes, name: str) -> DebianPackage:
        """The package `data`; `name` is its name in messages.

        Raises CzscieError when it is damaged, or has a member that leaves its directory.
        """
        import zlib

        import zstandard

        damage = (*TAR_DAMAGE, OSError, zlib.error, zstandard.ZstdError)
        try:
            members = dict(_members(data))
            if not members.get("debian-binary", b"").startswith(_FORMAT):
                raise ValueError("its format is not supported")
            packed = [member for member in members if member.startswith("data.tar")]
            if len(packed) != 1:
                raise ValueError("it has no data")
            tar = _decompressed(packed[0], members[packed[0]])
            return cls(name, {item.path: item for item in _read_tar(tar, name)})
        except damage as error:
            raise CzscieError(
                f"{name} is not a valid Debian package", code=Code.LIBC_UNAVAILABLE, why=str(error)
            ) from error

    def file(self, path: str) -> File:
        """The file at `path`, symbolic links followed. Raises CzscieError when there is none."""
        import posixpath

        wanted = path
        for _ in range(8):
            item = self.items.get(wanted)
            if isinstance(item, File):
                return item
            if not isinstance(item, Link):
                break
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(wanted), item.target))
        raise CzscieError(f"{self.name} has no file {path}", code=Code.LIBC_UNAVAILABLE)


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The members of an ar archive, of which deb(5) allows no long names."""
    if not data.startswith(_MAGIC):
        raise ValueError("it is not an ar archive")
    at = len(_MAGIC)
    while at < len(data):
        header = data[at : at + _HEADER]
        size_field = header[48:58].strip()
        if len(header) != _HEADER or header[58:] != _END_OF_HEADER or not size_field.isdigit():
            raise ValueError("a member's header is damaged")
        size = int(size_field)
        at += _HEADER
        if at + size > len(data):
            raise ValueError("it ends early")
        yield header[:16].decode("ascii").rstrip().rstrip("/"), data[at : at + size]
        at += size + size % 2


def _decompressed(name: str, data: bytes) -> bytes:
    """The tar in `data`, compressed as the suffix of `name` says, with a limit on its size."""
    match name.rpartition(".")[2]:
        case "xz":
            return _inflated_xz(data)
        case "zst":
            import zstandard

            with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as zst:
                return _bounded(zst.read(_LARGEST + 1))
        case "gz":
            import gzip

            with gzip.open(io.BytesIO(data)) as gz:
                return _bounded(gz.read(_LARGEST + 1))
        case "tar":
            return _bounded(data)
        case other:
            raise ValueError(f"its compression is not supported: {other}")


def _inflated_xz(data: bytes) -> bytes:
    import lzma

    try:
        with lzma.open(io.BytesIO(data), format=lzma.FORMAT_XZ) as xz:
            return _bounded(xz.read(_LARGEST + 1))
    except lzma.LZMAError as error:
        raise ValueError(str(error)) from error


def _bounded(data: bytes) -> bytes:
    if len(data) > _LARGEST:
        raise ValueError(f"it unpacks to more than {_LARGEST >> 20} MiB")
    return data


def _read_tar(data: bytes, source: str) -> tuple[Item, ...]:
    tree = Tree(source)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            if member.isdir():
                continue
            path = tree.checked_path(member.name)
            if member.isreg():
                content = archive.extractfile(member)
                assert content is not None
                tree.add_file(path, Data(content.read()), bool(member.mode & stat.S_IXUSR))
            elif member.issym():
                if not member.linkname.startswith("/"):
                    tree.add_link(path, member.linkname)
            elif member.islnk():
                tree.add_hard_link(path, member.linkname)
            else:
                raise tree.refusal(path, "it is neither a plain file nor a link")
    return tree.items()
