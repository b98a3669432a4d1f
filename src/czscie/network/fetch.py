"""Downloads files into the cache. A file gets its name there only after its SHA-256 was verified."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from czscie.cache import mark_used, only_one
from czscie.errors import Code, CzscieError
from czscie.network.client import Client
from czscie.network.network import OFFLINE, Network
from czscie.network.remote import Remote
from czscie.network.retry import Watch
from czscie.network.transfer import Transfer
from czscie.network.url import is_file
from czscie.progress import Begin, Progress

if TYPE_CHECKING:
    from czscie.console import Console

#: The time for stopped threads to release their files, in seconds.
_FAREWELL = 1.0


def fetch(files: Iterable[Remote], network: Network, console: Console | None = None) -> list[Path]:
    """The paths of the verified `files`, in their order. Missing ones are downloaded, several at once.

    A file is not missing if the cache or one of `network.directories` has it with the right digest. `network`
    defaults to the settings of the environment; `console` gets progress and retries. Partial downloads of
    earlier attempts are resumed. Raises CzscieError when one is unavailable, WrongContent when a server has a
    different file of that name, which is discarded. When offline, the error names all missing files.
    """
    wanted = list(files)
    there = {file: path for file in dict.fromkeys(wanted) if (path := find(file, network)) is not None}
    missing = [file for file in dict.fromkeys(wanted) if file not in there]
    if network.offline:
        _check_offline(missing, network)
    if missing:
        with ExitStack() as stack:
            for path in sorted({file.path for file in missing}):
                stack.enter_context(only_one(path))
            there |= {file: file.path for file in missing if file.is_at(file.path)}
            missing = [file for file in missing if file not in there]
            there |= _Crew(missing, network, Progress(console)).work() if missing else {}
    return [there[file] for file in wanted]


def is_here(file: Remote, network: Network) -> bool:
    """Whether the cache or a vendor directory has `file`.

    Without its digest: a file that is damaged is rare, and to read them all takes long.
    """
    carried = (directory / file.name for directory in network.directories)
    return file.path.exists() or any(path.exists() for path in carried)


def find(file: Remote, network: Network) -> Path | None:
    """The path of `file` if it need not be downloaded, with the right digest; None otherwise.

    Raises CzscieError when one of `network.directories` has a different file of its name.
    """
    places = [directory / file.name for directory in network.directories]
    there = [path for path in places if path.exists()]
    for path in there:
        if file.is_at(path):
            return path
    if there:
        raise CzscieError(
            f"{there[0]} differs from the lock",
            code=Code.LOCK_DIFFERS,
            why=f"it does not have the SHA-256 {file.sha256}",
            hint="write the directory again with czscie vendor, or copy its lock with it",
        )
    if not file.is_at(file.path):
        return None
    mark_used(file.path)
    return file.path


def _check_offline(missing: Sequence[Remote], network: Network) -> None:
    far = [file for file in missing if not any(map(is_file, file.urls))]
    if far:
        number = "a file is" if len(far) == 1 else f"{len(far)} files are"
        carried = bool(network.directories)
        places = "the vendor directory or the cache" if carried else "the cache"
        raise CzscieError(
            f"{number} not in {places}, and czscie is offline",
            code=Code.OFFLINE,
            why=(
                *(f"{file.name}, SHA-256 {file.sha256}" for file in far),
                f"--offline or {OFFLINE} is set",
            ),
            hint="run czscie vendor on a machine with network access, and copy its directory here"
            if carried
            else "run it once online, or build with --vendor",
        )


class _Crew:
    """Threads that fetch files, several at once. Those that do not end in time are abandoned."""

    def __init__(self, files: Sequence[Remote], network: Network, progress: Progress) -> None:
        self._files = files
        self._network = network
        self._progress = progress
        self._waiting: queue.SimpleQueue[Remote] = queue.SimpleQueue()
        #: None for each file that arrived, or why one did not.
        self._done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._stop = threading.Event()

    def work(self) -> dict[Remote, Path]:
        for file in self._files:
            self._waiting.put(file)
        files = [(file.name, file.size) for file in self._files]
        are_local = all(is_file(url) for file in self._files for url in file.urls)
        with (
            Client(self._network) as client,
            self._progress.transfers(files, are_local=are_local) as begin,
        ):
            threads = [
                threading.Thread(target=self._fetch_all, args=(client, begin), daemon=True)
                for _ in range(min(self._network.parallel, len(files)))
            ]
            for thread in threads:
                thread.start()
            try:
                for _ in files:
                    if (error := self._next()) is not None:
                        raise error
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    self._progress.line("stopped: run it again to resume")
                self._end(threads)
                raise
        return {file: file.path for file in self._files}

    def _next(self) -> BaseException | None:
        while True:
            try:
                # With a time-out, as Ctrl-C does not end a wait without one on Windows.
                return self._done.get(timeout=1)
            except queue.Empty:
                self._progress.check()

    def _end(self, threads: Iterable[threading.Thread]) -> None:
        self._stop.set()
        end = time.monotonic() + _FAREWELL
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _fetch_all(self, client: Client, begin: Begin) -> None:
        while not self._stop.is_set():
            try:
                file = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                watch = Watch.of(self._network.patience, self._stop)
                with begin(file.name, file.size) as show:
                    Transfer(file, client, watch, self._progress, show).run()
            except BaseException as error:  # the main thread raises it
                self._done.put(error)
            else:
                self._done.put(None)
