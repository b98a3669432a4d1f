"""A mirror served over HTTP on loopback, which remembers what it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet: the requests are in the server's list."""

    def send_head(self):  # type: ignore[no-untyped-def]  # the base class has no public type for it
        self.server.requests.append(self.path)  # type: ignore[attr-defined]
        return super().send_head()


class MirrorServer(ThreadingHTTPServer):
    """`url` is its root; `requests` are the paths asked for so far, as they were spelt."""

    daemon_threads = True

    def __init__(self, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(directory)))
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serve(directory: Path) -> Iterator[MirrorServer]:
    """Serve a directory until the context ends."""
    with MirrorServer(directory) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
