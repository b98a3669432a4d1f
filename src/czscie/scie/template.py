"""Templates: texts with placeholders of the launcher, taken apart as native/src/placeholders.zig does it."""

from __future__ import annotations

from collections.abc import Callable

#: What begins a placeholder that can have a default after `=`.
OPTIONAL = ("scie.env.", "scie.bindings.", "scie.user.cache_dir")


class UnendedPlaceholder(ValueError):
    """A template has a brace that is not closed."""


def rewrite(template: str, replace: Callable[[str], str]) -> str:
    """`template` with each placeholder, given without its braces, replaced by what `replace` returns for it.

    Raises UnendedPlaceholder.
    """
    out = []
    rest = template
    while True:
        text, brace, rest = rest.partition("{")
        out.append(text)
        if not brace:
            return "".join(out)
        if rest.startswith("{"):
            out.append("{{")
            rest = rest[1:]
        else:
            end = _closing(rest)
            out.append(replace(rest[:end]))
            rest = rest[end + 1 :]


def split_default(text: str) -> tuple[str, str | None]:
    """What is before the first `=` outside of inner placeholders, and what is behind it."""
    depth = 0
    for index, character in enumerate(text):
        if character == "=" and depth == 0:
            return text[:index], text[index + 1 :]
        depth = max(0, depth + {"{": 1, "}": -1}.get(character, 0))
    return text, None


def escaped(text: str) -> str:
    """`text` as a template that stands for it."""
    return text.replace("{", "{{")


def _closing(text: str) -> int:
    depth = 1
    for index, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return index
    raise UnendedPlaceholder
