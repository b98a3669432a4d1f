"""An HTTP proxy on loopback: RFC 9110's CONNECT for TLS, absolute URLs for the rest."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from network.server import QuietServer

_MOST_SECONDS = 20


class Proxy:
    """`hosts` are ports of this machine by the names that the proxy knows them by. `asked` is for whom.

    Where `wants` is a `Proxy-Authorization`, whoever shows no other is answered 407.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.hosts: dict[str, int] = {}
        self.asked: list[str] = []
        self.wants: str | None = None
        self.authorizations: list[str | None] = []


@contextmanager
def proxy_server() -> Iterator[Proxy]:
    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            host = self.path.rpartition(":")[0]
            if not self.admits(host):
                return
            with socket.create_connection(("127.0.0.1", proxy.hosts[host]), _MOST_SECONDS) as far:
                self.send_response(200)
                self.end_headers()
                _join(self.connection, far)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if not self.admits(parts.hostname or ""):
                return
            proxy.authorizations.append(self.headers.get("Authorization"))
            connection = HTTPConnection("127.0.0.1", proxy.hosts[parts.hostname or ""], timeout=_MOST_SECONDS)
            connection.request("GET", parts.path, headers=dict(self.headers))
            answer = connection.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            connection.close()

        def admits(self, host: str) -> bool:
            """Whether it may pass; if not, it has been told so."""
            proxy.asked.append(host)
            refused = proxy.wants not in (None, self.headers.get("Proxy-Authorization"))
            if refused or host not in proxy.hosts:
                self.send_response(407 if refused else 403)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return False
            return True

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = QuietServer(("127.0.0.1", 0), Handler)
    proxy = Proxy(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _join(near: socket.socket, far: socket.socket) -> None:
    """Pass on what either sends until one has no more to say."""
    with selectors.DefaultSelector() as selector:
        selector.register(near, selectors.EVENT_READ, far)
        selector.register(far, selectors.EVENT_READ, near)
        while True:
            for key, _ in selector.select(_MOST_SECONDS):
                assert isinstance(key.fileobj, socket.socket)
                data = key.fileobj.recv(1 << 16)
                if not data:
                    return
                key.data.sendall(data)
