"""An untrusted tree, collected item by item: nothing in it can end up outside its directory."""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
from collections.abc import Iterable

from czscie.container.content import Content, File, Link
from czscie.container.paths import path_fault
from czscie.errors import Code, CzscieError

#: Bounds far above any CPython: PBS's `-full` has some 12,000 files and unpacks to about 1 GB.
MOST_ITEMS = 200_000
LARGEST_TREE = 2 << 30

#: What tarfile raises for damage, and for sizes and offsets that no file and no memory has.
TAR_DAMAGE = (tarfile.TarError, EOFError, ValueError, OverflowError, MemoryError, RecursionError)

Item = File | Link


class Tree:
    """Collects the items of `source`, the name of the archive or directory in messages."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._items: dict[str, Item] = {}
        self._directories: set[str] = set()
        self._size = 0

    def add_file(self, path: str, content: Content, executable: bool) -> None:
        """Raises CzscieError that names the path if it is not safe, is there already or is one too many."""
        self.check_room(path, content.size)
        self._size += content.size
        self._add(File(self.checked_path(path), content, executable))

    def check_room(self, path: str, size: int) -> None:
        """Raises CzscieError when a file of `size` bytes at `path`, which is not read yet, is too large."""
        if not 0 <= size <= LARGEST_TREE - self._size:
            raise self.refusal(path, f"the tree would unpack to more than {LARGEST_TREE >> 30} GiB")

    def add_link(self, path: str, target: str) -> None:
        """Add a symbolic link. Raises CzscieError, too, if `target` leads out of the tree."""
        path = self.checked_path(path)
        self._add(Link(path, self._checked_target(path, target)))

    def add_hard_link(self, path: str, target: str) -> None:
        """Add a second name of the file at `target`, from the root of the tree, as a file of its own."""
        original = self._items.get(self.checked_path(target, of=path))
        if not isinstance(original, File):
            raise self.refusal(path, f"it is a hard link to {target!r}, which is not a file of this tree")
        self.add_file(path, original.content, original.executable)

    def add_directory(self, path: str) -> None:
        """Add a directory, which may be empty. Raises CzscieError as `add_file` does."""
        path = self.checked_path(path)
        if len(self._directories) >= MOST_ITEMS:
            raise self.refusal(path, f"there are more than {MOST_ITEMS} directories")
        self._directories.add(path)

    def directories(self) -> tuple[str, ...]:
        """The directories that were added, sorted."""
        return tuple(sorted(self._directories))

    def items(self) -> tuple[Item, ...]:
        """Everything, sorted by path. Raises CzscieError if one path leads through another item."""
        for path in self._items:
            parent = posixpath.dirname(path)
            while parent:
                if parent in self._items:
                    kind = "link" if isinstance(self._items[parent], Link) else "file"
                    raise self.refusal(path, f"its path leads through the {kind} {parent!r}")
                parent = posixpath.dirname(parent)
        return tuple(self._items[path] for path in sorted(self._items))

    def checked_path(self, path: str, of: str | None = None) -> str:
        """`path` without `.` components. Raises CzscieError, of the member `of`, unless it stays inside."""
        # Archives spell `./a` and `a//b`; everything else is judged as it stands.
        plain = "/".join(part for part in path.split("/") if part not in ("", "."))
        fault = path_fault(f"/{plain}" if path.startswith("/") else plain)
        if fault is not None:
            raise self.refusal(
                path if of is None else of, f"{'its path' if of is None else repr(path)} {fault}"
            )
        return plain

    def refusal(self, path: str, why: str) -> CzscieError:
        return CzscieError(
            f"{self._source} has an unsafe member: {path!r}", code=Code.ARCHIVE_UNSAFE, why=why
        )

    def _add(self, item: Item) -> None:
        if item.path in self._items:
            raise self.refusal(item.path, "it occurs twice")
        if len(self._items) >= MOST_ITEMS:
            raise self.refusal(item.path, f"there are more than {MOST_ITEMS} members")
        self._items[item.path] = item

    def _checked_target(self, path: str, target: str) -> str:
        parts = [part for part in target.split("/") if part not in ("", ".")]
        climbs = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
        below = "/".join(parts[climbs:])
        # A `..` after a name would climb from wherever that name, being a link itself, leads to.
        bad = not target or target.startswith("/") or climbs > path.count("/")
        if bad or (below and path_fault(below)):
            raise self.refusal(path, f"it is a link to {target!r}, outside the tree")
        return "/".join(parts) or "."


def tree_digest(items: Iterable[Item]) -> str:
    """SHA-256, in hexadecimal, over the paths, kinds, modes and contents of `items`, which are sorted."""
    digest = hashlib.sha256()
    for item in items:
        if isinstance(item, Link):
            kind, body = "link", item.target.encode()
        else:
            kind, body = "program" if item.executable else "file", item.content.read()
        digest.update(f"{kind} {len(item.path.encode())} {len(body)}\n{item.path}\n".encode())
        digest.update(body)
    return digest.hexdigest()


def tree_size(items: Iterable[Item]) -> int:
    """The bytes of all files among `items`."""
    return sum(item.content.size for item in items if isinstance(item, File))
