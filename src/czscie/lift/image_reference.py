"""What an image is called: `[REGISTRY/]REPOSITORY[:TAG]`.

https://pkg.go.dev/github.com/distribution/reference has the grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?)"
_REFERENCE = re.compile(
    rf"(?P<repository>(?:{_REGISTRY}/)?{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ImageReference:
    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> ImageReference | None:
        """None for a text that no engine takes; the tag is `latest` if there is none."""
        match = _REFERENCE.fullmatch(text)
        return None if match is None else cls(match["repository"], match["tag"] or "latest")

    @classmethod
    def of(cls, name: str) -> ImageReference:
        """What an application called `name` is called as an image."""
        spelt = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        return cls(spelt or "application", "latest")

    @property
    def text(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def familiar(self) -> str:
        """With the registry that Docker means when none is named."""
        first, separator, _ = self.repository.partition("/")
        if separator and (first == "localhost" or "." in first or ":" in first):
            return self.text
        return f"docker.io/{self.text}" if separator else f"docker.io/library/{self.text}"

    def on(self, architecture: str) -> ImageReference:
        """The reference of one platform's image where one name can be but one image's."""
        return ImageReference(self.repository, f"{self.tag}-{architecture}"[:128])
