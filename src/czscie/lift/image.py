"""The settings of a lift's image: `lift.image`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from czscie.lift.image_reference import ImageReference
from czscie.lift.table import Shape, Table

NAME = Shape("the name of an image, such as registry.example.com/team/app:1.0", ImageReference.parse)

#: A first line that starts a script's Python from there is one that every kernel takes (127 bytes).
DIRECTORY = Shape.of(
    "an absolute path of at most 40 letters, digits and - _ . /, such as /app",
    r"(?=.{2,40}$)(/(?!\.{1,2}(/|$))[A-Za-z0-9._-]+)+",
)
_USER = Shape.of(
    "a user and perhaps a group, such as 65532:65532",
    r"[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?",
)
_DISTRIBUTION = Shape.of("the name of a distribution", r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VARIABLE = Shape.of("the name of an environment variable", r"[^\0=]+")


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """`lift.image`.

    `name` is None for one derived from the lift's. `base` are archives of the base image, for one or more
    platforms each; without any, the image is built FROM scratch. `application` names distributions that
    belong to the layer of the application.
    """

    name: ImageReference | None = None
    base: tuple[Path, ...] = ()
    directory: str = "/app"
    user: str = "65532:65532"
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    application: tuple[str, ...] = ()

    @classmethod
    def read(cls, table: Table, directory: Path) -> ImageSettings:
        """Paths are relative to `directory`, which is absolute."""
        name = table.optional_text("name", NAME)
        image = cls(
            name=None if name is None else ImageReference.parse(name),
            base=tuple(directory / path for path in table.texts("base")),
            directory=table.optional_text("directory", DIRECTORY) or "/app",
            user=table.optional_text("user", _USER) or "65532:65532",
            labels=table.text_table("labels"),
            env=table.text_table("env", _VARIABLE),
            application=table.texts("application", _DISTRIBUTION),
        )
        table.finish()
        return image
