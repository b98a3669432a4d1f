"""A real HTTP server on loopback that serves files with ranges, and misbehaves as it is told."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MOST_SECONDS = 20


@dataclass(frozen=True)
class Reply:
    """One answer. `cut` sends only that many bytes of the body; then the connection ends, or `stalls`."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: int | None = None
    stalls: bool = False
    ranges: bool = True


class MirrorServer:
    """`files` by raw path, `%2B` being another than `+`. `replies` come first, each once, in order.

    Where `wants` is an `Authorization`, whoever shows no other is answered 401.
    """

    def __init__(self, scheme: str, port: int) -> None:
        self.port = port
        self.url = f"{scheme}://{'localhost' if scheme == 'https' else '127.0.0.1'}:{port}"
        self.wants: str | None = None
        self.files: dict[str, bytes] = {}
        self.replies: dict[str, list[Reply]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.authorizations: list[str | None] = []
        self.encodings: list[str | None] = []
        self.stopped = threading.Event()

    def asked(self, path: str) -> list[str | None]:
        """The Range header of every request for `path`."""
        return [span for requested, span in self.requests if requested == path]


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what these tests are about."""


@contextmanager
def mirror_server(tls: ssl.SSLContext | None = None) -> Iterator[MirrorServer]:
    """A server; with `tls` it speaks HTTPS and is called localhost."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            span = self.headers.get("Range")
            mirror.requests.append((self.path, span))
            mirror.authorizations.append(self.headers.get("Authorization"))
            mirror.encodings.append(self.headers.get("Accept-Encoding"))
            waiting = mirror.replies.get(self.path, [])
            reply = waiting.pop(0) if waiting else Reply()
            body = mirror.files.get(self.path, b"") if reply.body is None else reply.body
            status = reply.status
            if mirror.wants not in (None, self.headers.get("Authorization")):
                status, body = 401, b""
            elif status == 200 and self.path not in mirror.files and reply.body is None:
                status, body = 404, b"not here"
            headers = dict(reply.headers)
            if status == 200 and span and reply.ranges:
                first = int(span.removeprefix("bytes=").removesuffix("-"))
                if first >= len(body):
                    status, body = 416, b""
                else:
                    status = 206
                    headers.setdefault("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
                    body = body[first:]
            self.send_response(status)
            length = {} if "Transfer-Encoding" in headers else {"Content-Length": str(len(body))}
            for name, value in (length | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body if reply.cut is None else body[: reply.cut])
            self.wfile.flush()
            if reply.stalls:
                mirror.stopped.wait(_MOST_SECONDS)
            if reply.stalls or reply.cut is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = QuietServer(("127.0.0.1", 0), Handler)
    mirror = MirrorServer("http" if tls is None else "https", server.server_address[1])
    if tls is not None:
        # The handshake is the thread's that serves the request, so that one who refuses it holds up nobody.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield mirror
    finally:
        mirror.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
