"""The launcher of a name, compiled now when it never was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from czscie.cache import cache_directory, mark_used
from czscie.launchers.build import compile_launcher, find_launcher

if TYPE_CHECKING:
    from czscie.console import Console


def provide_launcher(name: str, console: Console) -> Path:
    """The launcher called `name` (`linux-x86_64`) as a file. Raises CzscieError when it cannot be made."""
    cache = cache_directory("launchers")
    found = find_launcher(name, cache)
    if found is not None:
        mark_used(found)
        return found
    with console.phase(f"Compiled the launcher for {name}"):
        return compile_launcher(name, cache, cache)
