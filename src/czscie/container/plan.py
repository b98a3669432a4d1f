"""A plan: the files of an installation, and which bytes of which zip entry each file is.

The launcher carries it out (native/src/plan.zig); docs/reference/format.md has the grammar. Its SHA-256 names
the installation, and it contains the SHA-256 of every entry: equal digests mean equal installations.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from czscie.container.paths import check_together, path_fault
from czscie.errors import Code, CzscieError
from czscie.platforms import Platform

FIRST_LINE = "czscie-plan 1"
ENTRY_NAME = ".czscie/plan"

#: A larger entry is written piece by piece, so it is one file and nothing else (native/src/plan.zig).
_WHOLE_ENTRY = 8 << 20
_BLOCK = 4096
#: More bytes than any file has, and few enough to be summed and shown.
_NUMBER_MAX = (1 << 63) - 1
#: As in native/src/plan.zig, for what is written over files.
_PATCH_MAX = 16 << 20
_OFFSET_MAX = 1 << 48

#: Where a link out of an installation may lead: below another of the same base directory.
_INSTALLATION = re.compile(r"(interpreters|apps|files|libcs)/[^/]+(/.*)?", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}")

Kind = Literal["file", "fill", "script"]
_KINDS: dict[str, Kind] = {"file": "file", "fill": "fill", "script": "script"}


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """An entry of the zip that the plan's files are parts of. Sizes in bytes, `sha256` of the content."""

    name: str
    size: int
    crc32: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Slice:
    """`size` bytes from `offset` on in the content of the entry called `entry`."""

    entry: str
    offset: int
    size: int

    def without(self, head: int) -> Slice:
        """The slice less its first `head` bytes."""
        return Slice(self.entry, self.offset + head, self.size - head)


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to be installed at `path`.

    A `fill` is a template for the launcher's `{base}` and `{root}`. A `script` gets a first line that starts
    `interpreter`: a path below the installation, followed by arguments.
    """

    path: str
    content: Slice
    kind: Kind = "file"
    executable: bool = False
    interpreter: str = ""


@dataclass(frozen=True, slots=True)
class PlannedLink:
    path: str
    target: str


@dataclass(frozen=True, slots=True)
class PlannedBytes:
    """Bytes that are written over those from `offset` on in the file installed at `path`."""

    path: str
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


@dataclass(frozen=True, slots=True)
class PlannedText:
    """A template that is filled in as a `fill` is and written like `PlannedBytes`, followed by NULs: `size`
    bytes in all, of which at least one is NUL.
    """

    path: str
    offset: int
    size: int
    template: str

    @property
    def end(self) -> int:
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """The `size` bytes from `source` on in the file at `path`, written once more from `offset` on."""

    path: str
    offset: int
    source: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


Patch = PlannedBytes | PlannedText | PlannedCopy


@dataclass(frozen=True, slots=True)
class Plan:
    entries: tuple[PlannedEntry, ...]
    files: tuple[PlannedFile, ...]
    links: tuple[PlannedLink, ...] = ()
    #: Directories that no file lies in; those of files are made anyway.
    directories: tuple[str, ...] = ()
    #: What is written over files once they are there, in this order.
    patches: tuple[Patch, ...] = ()

    def render(self) -> bytes:
        """The plan as the launcher reads it. Raises CzscieError on a path that would leave its directory."""
        return "".join(f"{line}\n" for line in self._lines()).encode("utf-8", "surrogateescape")

    def digest(self) -> str:
        """SHA-256 of the rendered plan, in hexadecimal: the name of the installation."""
        return hashlib.sha256(self.render()).hexdigest()

    def unpacked(self) -> int:
        """The bytes of the installation on a file system with blocks of 4 KiB."""
        sizes = {file.path: file.content.size for file in self.files}
        for patch in self.patches:
            sizes[patch.path] = max(sizes[patch.path], patch.end)
        blocks = sum(-(-size // _BLOCK) for size in sizes.values())
        return _BLOCK * (blocks + len(self.links) + len(self._all_directories()))

    def check(self, platform: Platform | None = None) -> None:
        """Checks that the plan stays in its directory, on `platform` if that is known.

        Raises CzscieError for a path or a link that leads elsewhere, and for paths that cannot stand in one
        directory.
        """
        for directory in self.directories:
            _check_path(directory)
        for file in self.files:
            _check_path(file.path)
        for link in self.links:
            _check_path(link.path)
            if fault := _target_fault(link):
                raise CzscieError(
                    f"cannot install a link at {link.path!r}",
                    code=Code.ARCHIVE_UNSAFE,
                    why=f"its target {link.target!r} {fault}",
                )
        paths = [file.path for file in self.files] + [link.path for link in self.links]
        check_together(paths, "the plan", platform, self.directories)

    def _lines(self) -> Iterator[str]:
        self.check()
        yield FIRST_LINE
        index = {entry.name: number for number, entry in enumerate(self.entries)}
        for entry in self.entries:
            yield _line("entry", entry.size, f"{entry.crc32:x}", entry.sha256, entry.name)
        for directory in self._all_directories():
            yield _line("dir", directory)
        for file in sorted(self.files, key=lambda f: (index[f.content.entry], f.content.offset, f.path)):
            mode = "755" if file.executable else "644"
            _check_size(file, self.entries[index[file.content.entry]])
            where = index[file.content.entry], file.content.offset, file.content.size
            interpreter = (file.interpreter,) if file.kind == "script" else ()
            yield _line(file.kind, mode, *where, *interpreter, file.path)
        for link in sorted(self.links, key=lambda link: link.path):
            yield _line("link", link.path, link.target)
        for patch in self.patches:
            if isinstance(patch, PlannedBytes):
                yield _line("bytes", patch.offset, patch.data.hex(), patch.path)
            elif isinstance(patch, PlannedText):
                yield _line("text", patch.offset, patch.size, patch.template, patch.path)
            else:
                yield _line("copy", patch.offset, patch.source, patch.size, patch.path)

    def _all_directories(self) -> list[str]:
        """Every directory, parents first."""
        found = set(self.directories)
        for path in (*self.directories, *(f.path for f in self.files), *(link.path for link in self.links)):
            parent = path.rpartition("/")[0]
            while parent and parent not in found:
                found.add(parent)
                parent = parent.rpartition("/")[0]
        return sorted(found)


def _line(*fields: object) -> str:
    return "\t".join(_escape(str(field)) for field in fields)


def _escape(field: str) -> str:
    return field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _check_path(path: str) -> None:
    if fault := path_fault(path):
        raise CzscieError(
            f"cannot install a file at {path!r}", code=Code.ARCHIVE_UNSAFE, why=f"the path {fault}"
        )


def _target_fault(link: PlannedLink) -> str | None:
    """The fault of a link's target; None when it is in its installation or in another one.

    A `..` after a name would climb from wherever that name, being a link itself, leads to.
    """
    parts = link.target.split("/")
    climbs = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    below = "/".join(parts[climbs:])
    depth = link.path.count("/")
    if not below:
        return None if 0 < climbs <= depth else "points outside the installation"
    if below != "." and (fault := path_fault(below)):
        return fault
    if climbs <= depth:
        return None
    if climbs == depth + 2 and _INSTALLATION.fullmatch(below):
        return None
    return "points outside the installation"


def _check_size(file: PlannedFile, entry: PlannedEntry) -> None:
    if entry.size > _WHOLE_ENTRY and (file.kind != "file" or file.content.size != entry.size):
        raise CzscieError(
            f"{file.path} cannot be a {file.kind} of {entry.size} bytes",
            code=Code.TOO_LARGE,
            why=f"more than {_WHOLE_ENTRY} bytes can only be installed unchanged",
        )


def parse(text: bytes) -> Plan:
    """The plan of the rendered `text`. Raises CzscieError when it is invalid."""
    try:
        plan = _parse(text.decode().split("\n"))
        plan.check()
    except (ValueError, IndexError, KeyError) as error:
        raise CzscieError(
            "the installation plan is damaged", code=Code.EXECUTABLE_DAMAGED, why=str(error)
        ) from error
    except CzscieError as error:
        raise CzscieError(
            "the installation plan is damaged", code=Code.EXECUTABLE_DAMAGED, why=(error.what, *error.why)
        ) from error
    return plan


def _parse(lines: Iterable[str]) -> Plan:
    first, *rest = lines
    if first != FIRST_LINE or not rest or rest[-1] != "":
        raise ValueError(f"it begins with {first[:40]!r}")
    entries: list[PlannedEntry] = []
    files: list[PlannedFile] = []
    links: list[PlannedLink] = []
    directories: list[str] = []
    patches: list[Patch] = []
    for line in rest[:-1]:
        word, *fields = (_unescape(field) for field in line.split("\t"))
        if word == "entry":
            size, crc32, sha256, name = fields
            if not _SHA256.fullmatch(sha256):
                raise ValueError(f"{sha256[:80]!r} is not a SHA-256")
            entries.append(PlannedEntry(name, _number(size), _number(crc32, 16), sha256))
        elif word == "dir":
            (path,) = fields
            directories.append(path)
        elif word == "link":
            path, target = fields
            links.append(PlannedLink(path, target))
        elif word == "bytes":
            offset, data, path = fields
            patches.append(PlannedBytes(path, _number(offset), bytes.fromhex(data)))
        elif word == "text":
            offset, size, template, path = fields
            patches.append(PlannedText(path, _number(offset), _number(size), template))
        elif word == "copy":
            offset, source, size, path = fields
            patches.append(PlannedCopy(path, _number(offset), _number(source), _number(size)))
        else:
            mode, entry, offset, size, *interpreter, path = fields
            where = entries[_number(entry)]
            content = Slice(where.name, _number(offset), _number(size))
            if content.offset + content.size > where.size:
                raise ValueError(f"{path!r} reaches beyond {where.name!r}")
            files.append(PlannedFile(path, content, _KINDS[word], mode == "755", "".join(interpreter)))
    if len(set(directories)) < len(directories):
        raise ValueError("it lists a directory twice")
    _check_patches(patches, files)
    return Plan(tuple(entries), tuple(files), tuple(links), tuple(directories), tuple(patches))


def _check_patches(patches: Iterable[Patch], files: Iterable[PlannedFile]) -> None:
    patched = {file.path for file in files if file.kind == "file"}
    for patch in patches:
        if patch.path not in patched:
            raise ValueError(f"{patch.path!r} is not a file that can be patched")
        if patch.end - patch.offset > _PATCH_MAX or patch.offset > _OFFSET_MAX:
            raise ValueError(f"the patch of {patch.path!r} is too large")


def _number(field: str, base: int = 10) -> int:
    # int would take signs, spaces, underscores and the digits of other scripts.
    if not (field.isascii() and field.isalnum() and len(field) < 40) or int(field, base) > _NUMBER_MAX:
        raise ValueError(f"{field[:40]!r} is not a number")
    return int(field, base)


def _unescape(field: str) -> str:
    return "\\".join(part.replace("\\t", "\t").replace("\\n", "\n") for part in field.split("\\\\"))
