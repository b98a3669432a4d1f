"""What `-vv` prints: each command that czscie runs and each URL that it reads, and how long that took."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

#: User, password and query of the URLs in a command.
_SECRETS = re.compile(r"(?<=://)[^/@\s]*@|(?<=\S)\?[^#\s]*")

_listeners: list[Callable[[str], object]] = []


@contextmanager
def listening(listener: Callable[[str], object]) -> Iterator[None]:
    """Calls `listener`, from any thread, with a line about each command and URL until the context ends."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def traced_url(url: str) -> Iterator[None]:
    """Tells that `url` is read in the context. Secrets are left out."""
    with _traced(url):
        yield


@contextmanager
def traced_command(arguments: Sequence[str]) -> Iterator[None]:
    """Tells that the command of these arguments runs in the context. Secrets of URLs are left out."""
    with _traced(shlex.join(arguments)):
        yield


@contextmanager
def _traced(text: str) -> Iterator[None]:
    if not _listeners:
        yield
        return
    started = time.monotonic()
    try:
        yield
    finally:
        line = f"{_SECRETS.sub('', text)} ({time.monotonic() - started:.2f} s)"
        for listener in tuple(_listeners):
            listener(line)
