"""rich's console as czscie prints tables with it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from czscie.live import printable


class PlainConsole(Console):
    """A console that prints text as it is, but for control characters: names contain brackets and colons."""

    def __init__(self, *, stderr: bool, silent: bool) -> None:
        super().__init__(
            stderr=stderr,
            quiet=silent,
            force_terminal=False if silent else None,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text), **options)
