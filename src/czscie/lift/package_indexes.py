"""Where the packages of a payload come from: indexes and directories of wheels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from czscie.errors import Code, CzscieError
from czscie.filesystem import did_you_mean
from czscie.lift.table import SOMETHING, Shape, Table
from czscie.network.url import is_file, scheme

_SCHEMES = ("https", "http", "file")


def _has_no_login(url: str) -> bool:
    return scheme(url) in _SCHEMES and "@" not in urlsplit(url).netloc


_INDEX = Shape("the URL of an index, without a user or password (these belong in ~/.netrc)", _has_no_login)


@dataclass(frozen=True, slots=True)
class PackageIndexes:
    """The indexes of `lift.payload`, which come in addition to those that pip's own settings name.

    `find_links` are URLs: directories of wheels, as `file://`, or pages with links to wheels. `index`
    replaces the package index, `extra_index` are asked as well. With `no_index`, no index is asked, and
    `find_links` replace those of pip's own settings.
    """

    find_links: tuple[str, ...] = ()
    index: str | None = None
    extra_index: tuple[str, ...] = ()
    no_index: bool = False

    @classmethod
    def read(cls, table: Table, directory: Path) -> PackageIndexes:
        """Paths in `table` are relative to `directory`."""
        found = cls(
            find_links=tuple(link_url(each, directory) for each in table.texts("find_links", SOMETHING)),
            index=table.optional_text("index", _INDEX),
            extra_index=table.texts("extra_index", _INDEX),
            no_index=table.flag("no_index"),
        )
        if found.no_index:
            for key in ("index", "extra_index"):
                if key in table:
                    table.reject(key, allowed="no index, because no_index is true")
        return found

    @property
    def is_local(self) -> bool:
        """Whether a resolve needs no network."""
        return self.no_index and all(map(is_file, self.find_links))

    def check_directories(self) -> None:
        """Raises CzscieError when one of `find_links` is a path and there is nothing at it."""
        for path in (Path(url2pathname(urlsplit(url).path)) for url in self.find_links if is_file(url)):
            if not path.exists():
                raise CzscieError(
                    f"there is no directory {path}",
                    code=Code.FILE_MISSING,
                    why="find_links (--find-links) names it",
                    hint=did_you_mean(path),
                )

    def settings(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The variables of pip that name these and, of `environ`, what they do not replace."""
        found = {"PIP_NO_INDEX": "1"} if self.no_index else {}
        if self.index is not None:
            found["PIP_INDEX_URL"] = self.index
            found["PIP_NO_INDEX"] = "0"
        for name, urls in (("PIP_EXTRA_INDEX_URL", self.extra_index), ("PIP_FIND_LINKS", self.find_links)):
            if urls:
                before = None if self.no_index else environ.get(name)
                found[name] = " ".join(filter(None, (before, *urls)))
        return found


#: Those of pip's own settings.
NO_INDEXES = PackageIndexes()


def is_link_url(text: str) -> bool:
    """Whether one of `find_links` is a URL and not a path, such as `C:\\wheels`."""
    return scheme(text) in _SCHEMES


def link_url(text: str, directory: Path) -> str:
    """One of `find_links` as a URL; a path is relative to `directory`. pip separates them with spaces."""
    return text if is_link_url(text) else (directory / text).absolute().as_uri()
