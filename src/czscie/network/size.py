"""The sizes of remote files before they are downloaded."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from czscie.network.client import Client, NotFound, RangeRefused
from czscie.network.fetch import find
from czscie.network.network import Network
from czscie.network.remote import Remote
from czscie.network.retry import Failure, Watch, persevere
from czscie.progress import Progress

if TYPE_CHECKING:
    from czscie.console import Console


def sizes(files: Iterable[Remote], network: Network, console: Console | None = None) -> list[int | None]:
    """The size of each file in bytes, as its server reports it; None if it does not.

    Reads only headers of responses. Raises CzscieError when a server does not respond.
    """
    progress = Progress(console)

    def size(file: Remote) -> int | None:
        if file.size is not None:
            return file.size
        if (path := find(file, network)) is not None:
            return path.stat().st_size
        watch = Watch.of(network.patience)
        failure = Failure(f"cannot get the size of {file.name}")
        return persevere(
            lambda: _ask(client, file, watch), failure, file.urls, network.patience, watch, progress
        )

    with Client(network) as client, ThreadPoolExecutor(network.parallel) as pool:
        return list(pool.map(size, files))


def _ask(client: Client, file: Remote, watch: Watch) -> int | None:
    for url in file.urls:
        try:
            with client.open(url, watch) as body:
                return body.total
        except (NotFound, RangeRefused):
            continue
    return None
