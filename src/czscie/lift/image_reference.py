"""The name of an image: `[REGISTRY/]REPOSITORY[:TAG]`.

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
        """The reference in a text, None if engines reject it. The tag defaults to `latest`."""
        match = _REFERENCE.fullmatch(text)
        return None if match is None else cls(match["repository"], match["tag"] or "latest")

    @classmethod
    def of(cls, name: str) -> ImageReference:
        """The image name of an application called `name`."""
        spelt = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        return cls(spelt or "application", "latest")

    @property
    def text(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def familiar(self) -> str:
        """The reference with Docker's default registry, if it names none."""
        first, separator, _ = self.repository.partition("/")
        if separator and (first == "localhost" or "." in first or ":" in first):
            return self.text
        return f"docker.io/{self.text}" if separator else f"docker.io/library/{self.text}"

    def on(self, architecture: str) -> ImageReference:
        """The reference of one platform's image, for stores where a name means one image."""
        return ImageReference(self.repository, f"{self.tag}-{architecture}"[:128])
