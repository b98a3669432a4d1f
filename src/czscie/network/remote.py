"""A remote file, pinned by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from czscie.cache import cache_directory
from czscie.container.paths import name_fault
from czscie.errors import Code, CzscieError
from czscie.filesystem import file_digest
from czscie.network.url import scheme, without_secrets


class WrongContent(CzscieError):
    """A server's file does not have the pinned digest."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch: its name, its SHA-256 in hexadecimal, and URLs, tried in order.

    `size` is in bytes, None if unknown. `kind` is its directory of the cache. `hint` is for the error when no
    URL has it: the setting that names another place. Raises CzscieError when `name` is not a plain name,
    `sha256` not a digest or one of `urls` not a URL: they may be untrusted.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]
    size: int | None = None
    kind: str = "archives"
    hint: str | None = None

    def __post_init__(self) -> None:
        if fault := name_fault(self.name):
            raise CzscieError(
                f"{self.name[:200]!r} is not the name of a file", code=Code.CONTENT_WRONG, why=f"it {fault}"
            )
        for url in self.urls:
            if not scheme(url):
                raise CzscieError(
                    f"{without_secrets(url)[:200]!r} is not a URL",
                    code=Code.CONTENT_WRONG,
                    why=f"it belongs to {self.name}",
                )
        if len(self.sha256) != 64 or not set(self.sha256) <= set("0123456789abcdef"):
            raise CzscieError(
                f"{self.sha256!r} is not a SHA-256 in hexadecimal",
                code=Code.CONTENT_WRONG,
                why=f"it belongs to {self.name}",
            )

    @property
    def path(self) -> Path:
        """The file's path in the cache, whether it exists or not: `<kind>/<sha256>/<name>`."""
        return cache_directory(self.kind) / self.sha256 / self.name

    def is_at(self, path: Path) -> bool:
        """Whether `path` is this file, and undamaged: a disk may have lost what was once verified."""
        if not path.is_file():
            return False
        try:
            return file_digest(path) == self.sha256
        except FileNotFoundError:
            return False
