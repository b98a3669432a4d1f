"""A piece of a file: its bytes there, its bytes when it is installed, and the pieces that it consists of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

#: What a piece of the file is, which decides about its colour.
Kind = Literal["launcher", "interpreter", "library", "wheel", "own", "extra", "container", ""]

#: A module of the import archive; one that stays a file; such a one without bytecode in the archive; another
#: file; what no installation has.
Form = Literal["archive", "module", "bare", "file", "kept", ""]

#: Names from the root to a piece, the first being the key of one of the file's own pieces.
Place = tuple[str, ...]

#: Deeper directories are one name: whoever walks the tree may use the stack.
_DEEPEST = 24


@dataclass(frozen=True, slots=True)
class Piece:
    """`packed` bytes of the file, `installed` bytes of files: those of its `parts`, if it has any.

    `content` are its bytes before anything is compressed, 0 where that is not known. `key` tells it from its
    siblings, and is the same in other versions of the file. `why` says why a module stays a file.
    """

    key: str
    name: str
    packed: int
    installed: int
    parts: tuple[Piece, ...] = ()
    kind: Kind = ""
    detail: str = ""
    form: Form = ""
    why: str = ""
    content: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """How one of the file's own pieces is shown."""

    name: str
    kind: Kind
    detail: str = ""


@dataclass(slots=True)
class _Account:
    packed: int = 0
    installed: int = 0
    content: int = 0
    is_file: bool = False
    is_packed: bool = False


@dataclass(slots=True)
class Ledger:
    """Collects who has which bytes."""

    labels: dict[str, Label] = field(default_factory=dict)
    _accounts: dict[Place, _Account] = field(default_factory=lambda: defaultdict(_Account))

    def add(
        self,
        place: Place,
        *,
        packed: int = 0,
        installed: int = 0,
        content: int = 0,
        is_file: bool = False,
        is_packed: bool = False,
    ) -> None:
        """Adds bytes to the piece at `place`: of an installed file, or of a module of an import archive."""
        if len(place) > _DEEPEST:
            place = (*place[:_DEEPEST], "/".join(place[_DEEPEST:]))
        account = self._accounts[place]
        account.packed += packed
        account.installed += installed
        account.content += content
        account.is_file |= is_file
        account.is_packed |= is_packed

    @property
    def places(self) -> Iterable[Place]:
        return self._accounts.keys()

    @property
    def packed(self) -> int:
        """All bytes of the file that someone has."""
        return sum(account.packed for account in self._accounts.values())

    def tree(self, name: str, why: Callable[[Place], str]) -> Piece:
        """The file called `name` with all its pieces. `why` is asked for the place of each module that is a
        file.
        """
        below: dict[Place, set[Place]] = defaultdict(set)
        for place in self._accounts:
            while place:
                below[place[:-1]].add(place)
                place = place[:-1]
        return self._piece((), name, below, why)

    def _piece(
        self, place: Place, name: str, below: Mapping[Place, set[Place]], why: Callable[[Place], str]
    ) -> Piece:
        account = self._accounts.get(place)
        parts = [self._piece(each, each[-1], below, why) for each in below.get(place, ())]
        if account is not None and parts:  # both a file and a directory, in a file of someone else
            itself = Piece("", f"{name} itself", account.packed, account.installed, content=account.content)
            parts.append(itself)
        if parts:
            parts.sort(key=lambda part: (-part.packed, -part.installed, part.key))
            account = _Account(sum(part.packed for part in parts), sum(part.installed for part in parts))
        account = account or _Account()
        label = self.labels.get(place[0], Label(name, "")) if len(place) == 1 else Label(name, "")
        form: Form = "" if parts else _form(place, account)
        return Piece(
            _key(name, place),
            label.name,
            account.packed,
            account.installed,
            tuple(parts),
            label.kind,
            label.detail,
            form,
            why(place) if form in ("module", "bare") else "",
            account.content,
        )


def _key(name: str, place: Place) -> str:
    """The name without the version, which directories of metadata have in theirs."""
    if len(place) > 1 and name.endswith((".dist-info", ".data")):
        return name.partition("-")[0] + name[name.rindex(".") :]
    return name


def _form(place: Place, account: _Account) -> Form:
    if account.is_file and len(place) > 1 and place[-1].endswith(".py"):
        return "module" if account.is_packed else "bare"
    if account.is_file:
        return "file"
    if account.is_packed:
        return "archive"
    return "kept" if len(place) > 1 else ""
