"""The launcher of a name, compiled now when it never was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from czscie.cache import cache_directory, mark_used
from czscie.errors import CzscieError
from czscie.launchers.build import compile_launcher, file_name, find_launcher
from czscie.launchers.libzstd import has_source

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.network.network import Network


def provide_launcher(name: str, console: Console, network: Network) -> Path:
    """The launcher called `name` (`linux-x86_64`) as a file. Raises CzscieError when it cannot be made.

    `network` names directories to look into first, and whether what it is compiled of may be downloaded.
    """
    cache = cache_directory("launchers")
    for directory in network.directories:
        if (path := directory / file_name(name)).is_file():
            return path
    found = find_launcher(name, cache)
    if found is not None:
        mark_used(found)
        return found
    if network.offline and not has_source(cache):
        raise CzscieError(
            f"the launcher for {name} is not in the cache, and what it is compiled of may not be downloaded",
            mend="run czscie vendor where there is a network, and bring its directory along",
        )
    with console.phase(f"Compiled the launcher for {name}"):
        return compile_launcher(name, cache, cache)
