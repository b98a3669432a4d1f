"""Carries out the plan of an installation (docs/reference/format.md, section 4) as files of a layer.

It lays out when the image is built what native/src/unpack.zig writes on a user's machine, for any platform:
it runs nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from czscie.container.content import Data, File, Link
from czscie.container.part import open_part
from czscie.container.plan import Plan, PlannedFile
from czscie.image.layer import LayerDirectory


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an installation: `root` is its own directory, `base` the base directory; both absolute."""

    base: str
    root: str

    def inside(self, path: str) -> str:
        """A path of the installation, as layers spell it."""
        return f"{self.root}/{path}".lstrip("/")


def installed(part: Path, plan: Plan, place: Place) -> Iterator[File | LayerDirectory | Link]:
    """The installation of `plan`, whose entries are in the zip `part`, at `place`: files, then the rest.

    What a plan writes over files is for hosts without a C library, and images have one where programs look.

    Raises CzscieError when an entry is damaged.
    """
    with open_part(part) as opened:
        planned = sorted(plan.files, key=lambda each: (each.content.entry, each.path))
        for file, content in opened.files(planned):
            data = _rendered(file, bytes(content), place)
            yield File(place.inside(file.path), Data(data), file.executable)
    for directory in sorted(plan.directories):
        yield LayerDirectory(place.inside(directory))
    for link in sorted(plan.links, key=lambda link: link.path):
        yield Link(place.inside(link.path), link.target)


def _rendered(planned: PlannedFile, content: bytes, place: Place) -> bytes:
    if planned.kind == "fill":
        return content.replace(b"{base}", place.base.encode()).replace(b"{root}", place.root.encode())
    if planned.kind == "script":
        return f"#!{place.root}/{planned.interpreter}\n".encode() + content
    return content
