"""The files that a lift embeds beside its interpreters: science's `[[lift.files]]`, unpacked when installed.

What science's launcher unpacks on the user's machine (zip, tar) is unpacked when the scie is built: it is
compressed better then, and the launcher needs to know one archive format only.
"""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from czscie.console import Console
from czscie.container.content import Data, File, OnDisk
from czscie.container.packer import write_items
from czscie.container.plan import Plan
from czscie.container.tar_stream import TarStream, open_zlib, open_zstd
from czscie.container.tree import TAR_DAMAGE, Item, Tree
from czscie.container.untrusted_zip import ZipMember, open_zip
from czscie.elf import Elf, ElfError, is_elf
from czscie.errors import Code, CzscieError
from czscie.filesystem import file_digest
from czscie.lift.embedded_file import EmbeddedFile
from czscie.network.fetch import fetch
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.pbs.machine import machine_of
from czscie.platforms import GlibcVersion, Platform

#: What tarfile reads itself, by its names of them.
_TAR_MODES = {"tar": "r:", "tar.gz": "r:gz", "tar.bz2": "r:bz2", "tar.xz": "r:xz"}
#: What it does not. To science's launcher tar.Z is zlib's format, not the LZW of compress(1).
_DECODERS = {"tar.zst": open_zstd, "tar.Z": open_zlib}


#: What reading archives raises; zipfile's RuntimeErrors are a password or a method that it does not know.
_DAMAGE = (zipfile.BadZipFile, *TAR_DAMAGE, zlib.error, lzma.LZMAError, RuntimeError, OSError)


def locate(file: EmbeddedFile, network: Network, console: Console) -> Path:
    """The path of `file` on this machine, downloaded if it has a URL, its digest checked.

    Raises CzscieError when it is missing or differs.
    """
    digest, remote = file.digest, remote_of(file)
    if remote is not None:
        [path] = fetch([remote], network, console)
        return path
    path = local_path(file)
    if digest is not None:
        found, size = file_digest(path), path.stat().st_size
        if digest.fingerprint not in (None, found) or digest.size not in (None, size):
            raise CzscieError(
                f"the lift's file {file.name} does not match its digest",
                code=Code.FILE_CHANGED,
                why=[
                    f"found {size} bytes, SHA-256 {found}",
                    f"expected {digest.size} bytes, SHA-256 {digest.fingerprint}",
                ],
            )
    return path


def local_path(file: EmbeddedFile) -> Path:
    """Where `file`, which has no source, is on this machine. Raises CzscieError when it is missing."""
    if not file.path.exists():
        raise CzscieError(
            f"the lift's file {file.name} is missing",
            code=Code.FILE_MISSING,
            why=[f"there is nothing at {place}" for place in file.places],
            hint=f"name it: --file {file.id}=PATH",
        )
    return file.path


def remote_of(file: EmbeddedFile) -> Remote | None:
    """The file by its URL and its digest in the manifest; None when it has no URL."""
    if file.url is None:
        return None
    assert file.digest is not None and file.digest.fingerprint is not None  # the manifest's reader checked it
    name = file.name.rpartition("/")[2]
    return Remote(name, file.digest.fingerprint, (file.url,), file.digest.size)


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """`glibc` is the oldest glibc that the programs and libraries among the files load with."""

    plan: Plan
    glibc: GlibcVersion | None


def write_files(
    files: Sequence[tuple[EmbeddedFile, Path]], platform: Platform, output: Path, level: int
) -> WrittenFiles:
    """Writes the zip of `files`, each with where it is, to `output`, compressed by zstd's `level`.

    Every file or unpacked archive stands at its name. Raises CzscieError for an archive that is not safe.
    """
    items: list[Item] = []
    directories: list[str] = []
    for file, path in files:
        if file.kind == "blob":
            items.append(File(file.name, OnDisk(path), file.starts(path)))
        else:
            tree = _unpack(file, path)
            items += tree.items()
            directories += tree.directories()
    _check_places(items)
    return WrittenFiles(write_items(items, output, level, directories), _glibc(items, platform))


def _glibc(items: Sequence[Item], platform: Platform) -> GlibcVersion | None:
    """What is for another machine or damaged is data, and needs nothing."""
    if platform.libc != "gnu":
        return None
    floors = []
    for item in items:
        if isinstance(item, File) and (item.executable or ".so" in item.path):
            data = item.content.read()
            with suppress(ElfError):
                if is_elf(data) and (machine := machine_of(data, item.path)) and machine.runs_on(platform):
                    floors.append(Elf.parse(data, item.path).glibc)
    return max((floor for floor in floors if floor is not None), default=None)


def _check_places(items: Sequence[Item]) -> None:
    places = Counter(item.path for item in items)
    for place, number in places.items():
        if number > 1 or any(str(parent) in places for parent in PurePosixPath(place).parents):
            raise CzscieError(
                f"two of the lift's files would be at {place}",
                code=Code.NAME_TAKEN,
                hint="give one of them another name",
            )


def _unpack(file: EmbeddedFile, path: Path) -> Tree:
    """The directory or archive at `path`, below the name of `file`."""
    import zstandard

    kind = file.kind
    tree = Tree(file.name)
    tree.add_directory(file.name)
    try:
        if kind == "directory":
            _add_directory(tree, file.name, path)
        elif kind == "zip":
            _add_zip(tree, file.name, path)
        elif kind in _DECODERS:
            _add_tar_stream(tree, file.name, path, _DECODERS[kind])
        else:
            with tarfile.open(path, _TAR_MODES[kind]) as archive:  # type: ignore[call-overload]
                _add_tar(tree, file.name, archive)
    except (*_DAMAGE, zstandard.ZstdError) as error:
        raise CzscieError(
            f"the lift's file {file.name} cannot be read", code=Code.FILE_UNREADABLE, why=str(error)
        ) from error
    return tree


def _add_directory(tree: Tree, name: str, path: Path) -> None:
    for each in sorted(path.rglob("*")):
        inside = f"{name}/{each.relative_to(path).as_posix()}"
        if each.is_symlink():
            tree.add_link(inside, each.readlink().as_posix())
        elif each.is_file():
            tree.add_file(inside, OnDisk(each), bool(each.stat().st_mode & stat.S_IXUSR))
        elif each.is_dir():
            tree.add_directory(inside)


def _add_zip(tree: Tree, name: str, path: Path) -> None:
    archive = open_zip(path, f"the lift's file {name}")  # stays open: members are read when they are packed
    if (damaged := archive.testzip()) is not None:
        raise zipfile.BadZipFile(f"its member {damaged} is damaged")
    for info in archive.infolist():
        if info.is_dir():
            _add_member_directory(tree, name, info.orig_filename)
        else:
            executable = bool(info.external_attr >> 16 & stat.S_IXUSR)
            inside = f"{name}/{tree.checked_path(info.orig_filename)}"
            tree.add_file(inside, ZipMember(lambda: archive, info, path.name), executable)


def _add_tar_stream(
    tree: Tree, name: str, path: Path, decoder: Callable[[Path], AbstractContextManager[BinaryIO]]
) -> None:
    with decoder(path) as decoded:
        stream = TarStream(decoded)
        # In blocks, so that nothing is read ahead and the end of the archive can be looked at.
        with tarfile.open(fileobj=stream, mode="r|", bufsize=tarfile.BLOCKSIZE) as archive:
            _add_tar(tree, name, archive)
        if not stream.ends_well():
            raise EOFError("it ends early")


def _add_tar(tree: Tree, name: str, archive: tarfile.TarFile) -> None:
    for member in archive:
        if member.isdir():
            _add_member_directory(tree, name, member.name)
            continue
        inside = f"{name}/{tree.checked_path(member.name)}"
        if member.issym():
            tree.add_link(inside, member.linkname)
        elif member.islnk():
            tree.add_hard_link(inside, f"{name}/{member.linkname}")
        elif member.isfile():
            tree.check_room(inside, member.size)
            content = archive.extractfile(member)
            data = b"" if content is None else content.read()
            tree.add_file(inside, Data(data), bool(member.mode & stat.S_IXUSR))
        else:
            raise tree.refusal(member.name, "it is neither a file, a directory nor a link")


def _add_member_directory(tree: Tree, name: str, path: str) -> None:
    # `tar -C DIRECTORY .` also archives the directory itself.
    if path.rstrip("/") != ".":
        tree.add_directory(f"{name}/{tree.checked_path(path)}")
