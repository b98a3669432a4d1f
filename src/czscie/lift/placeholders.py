"""science's build-time placeholders: `#{id}`, an interpreter's archive, and `#{id:name}`, a file inside it.

Every other placeholder (`{scie}`, `{app.pex}`, `{scie.env.NAME}` …) is for the launcher.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_REFERENCE = re.compile(r"#\{(?P<id>[^{}:]+)(?::(?P<name>[^{}:]+))?\}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One build-time placeholder; `name` is None where the whole archive is meant."""

    text: str
    id: str
    name: str | None


def references(text: str) -> Iterator[Placeholder]:
    """The build-time placeholders in `text`, and whatever else looks like one, in order."""
    for match in _REFERENCE.finditer(text):
        yield Placeholder(match[0], match["id"], match["name"])
