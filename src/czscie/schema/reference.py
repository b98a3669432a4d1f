"""What lift.toml.example, the reference of manifests, says about each key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).parent
#: A line of TOML, commented out or not: the header of a table, or a key with its value and maybe a comment.
_HEADER = re.compile(r"(?:#  +)?\[{1,2}(?P<table>[a-z_.]+)\]{1,2}")
_KEY = re.compile(r"(?:# +)?(?P<key>[a-z_]+) = (?P<value>(?:\"[^\"]*\"|[^\"#])*)(?:# (?P<comment>.*))?")
_COMMENT = re.compile(r"#(?P<indent> *)(?P<hash># *)?(?P<text>.*)")

Place = tuple[str, ...]


def reference() -> str:
    """The text of lift.toml.example: a file of the installed package, or of the checkout."""
    installed = _HERE / "lift.toml.example"
    path = installed if installed.is_file() else _HERE.parents[2] / "lift.toml.example"
    return path.read_text(encoding="utf-8")


def descriptions() -> dict[Place, str]:
    """Sentences by the names that lead to a key, as in `("lift", "payload", "pex")`; the first of each."""
    found: dict[Place, str] = {}
    for place, text in _comments(reference()):
        if told := " ".join(text.split()):
            found.setdefault(place, sentence(told))
    return found


def _comments(text: str) -> Iterator[tuple[Place, str]]:
    """Each key and table, and the comment above it or, at the same line and those below it, behind it."""
    table: Place = ()
    above = ""
    key: Place = ()
    behind = ""
    for line in text.splitlines():
        if match := _HEADER.fullmatch(line):
            yield key, behind
            table = tuple(match["table"].split("."))
            yield table, above
            above, key, behind = "", (), ""
        elif match := _KEY.fullmatch(line):
            yield key, behind
            key, behind = (*table, match["key"]), match["comment"] or above
            above = ""
        elif not line.strip():
            yield key, behind
            above, key, behind = "", (), ""
        elif match := _COMMENT.fullmatch(line):
            if match["hash"]:
                behind += f" {match['text']}"
            elif not match["text"]:
                above += "\n"
            else:
                above = f"{above.rpartition(chr(10))[2]} {match['text']}" if above.strip() else match["text"]
    yield key, behind


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].removesuffix('.')}."
