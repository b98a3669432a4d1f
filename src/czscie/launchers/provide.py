"""Provides launchers by name, and compiles missing ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from czscie.cache import cache_directory, mark_used
from czscie.errors import Code, CzscieError
from czscie.launchers.build import check_compiler, compile_launcher, file_name, find_launcher, launcher_digest
from czscie.launchers.libzstd import has_source

if TYPE_CHECKING:
    from czscie.console import Console
    from czscie.network.network import Network


def provide_launcher(name: str, console: Console, network: Network, sha256: str | None = None) -> Path:
    """The launcher called `name` (`linux-x86_64`) as a file, with the digest `sha256` if given.

    `network` names directories to search first, which need `sha256`, and says whether the source of libzstd
    may be downloaded. Raises CzscieError when it cannot be compiled.
    """
    found = find_provided(name, network, sha256)
    if found is not None:
        return found
    cache = cache_directory("launchers")
    launcher = _compile(name, cache, console, network, sha256)
    if sha256 is not None and launcher_digest(launcher) != sha256:
        raise _other(name, launcher_digest(launcher), sha256)
    return launcher


def check_provided(name: str, network: Network, sha256: str | None = None, *, now: bool = True) -> None:
    """Raises CzscieError when `provide_launcher` could neither find the launcher nor compile it.

    Unless it is to be compiled `now`, a network that is offline is no obstacle.
    """
    if find_provided(name, network, sha256) is None:
        check_compiler(name)
        if now:
            _check_source(name, cache_directory("launchers"), network)


def find_provided(name: str, network: Network, sha256: str | None = None) -> Path | None:
    """The launcher that `provide_launcher` would return without compiling it; None when it would compile.

    Raises CzscieError when a directory of the network has another one.
    """
    carried = _carried(name, network, sha256)
    if carried is not None:
        return carried
    cache = cache_directory("launchers")
    found = find_launcher(name, cache, sha256)
    if found is not None and found.parent == cache:
        mark_used(found)
    return found


def _carried(name: str, network: Network, sha256: str | None) -> Path | None:
    """The launcher in one of the network's directories, which are untrusted."""
    for directory in network.directories:
        path = directory / file_name(name)
        if not path.is_file():
            continue
        if sha256 is None:
            raise CzscieError(
                f"{path} cannot be used",
                code=Code.LOCK_OUT_OF_DATE,
                why=f"the lock does not pin the launcher for {name}",
                hint="run czscie lock where the directory was written, and copy the lock with it",
            )
        if launcher_digest(path) != sha256:
            raise CzscieError(
                f"{path} differs from the lock",
                code=Code.LOCK_DIFFERS,
                why=(f"locked SHA-256 {sha256}", f"found  SHA-256 {launcher_digest(path)}"),
                hint="write the directory again with czscie vendor, or copy its lock with it",
            )
        return path
    return None


def _compile(name: str, cache: Path, console: Console, network: Network, sha256: str | None) -> Path:
    try:
        _check_source(name, cache, network)
        with console.phase(f"Compiling the launcher for {name}", f"Compiled the launcher for {name}"):
            return compile_launcher(name, cache, cache, offline=network.offline)
    except CzscieError as error:
        unpinned = find_launcher(name, cache)
        if sha256 is None or unpinned is None:
            raise
        raise _other(name, launcher_digest(unpinned), sha256) from error


def _check_source(name: str, cache: Path, network: Network) -> None:
    if network.offline and not has_source(cache):
        raise CzscieError(
            f"the launcher for {name} is not in the cache, and czscie is offline",
            code=Code.OFFLINE,
            why="compiling it takes the source of libzstd, which is not in the cache, either",
            hint="run czscie vendor on a machine with network access, and copy its directory here",
        )


def _other(name: str, found: str, locked: str) -> CzscieError:
    return CzscieError(
        f"the launcher for {name} differs from the lock",
        code=Code.LOCK_DIFFERS,
        why=(f"locked SHA-256 {locked}", f"here   SHA-256 {found}"),
        hint="czscie cache clean launchers compiles it again; czscie vendor copies the locked one; "
        "czscie lock --upgrade-only czscie locks this one",
    )
