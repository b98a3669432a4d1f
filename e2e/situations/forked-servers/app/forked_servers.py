import http.server
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request
import xmlrpc.client
import xmlrpc.server
from functools import partial


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        import colorsys

        self.wfile.write(self.rfile.readline() + colorsys.__name__.encode())


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serving(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    import socket

    with socketserver.ForkingTCPServer(("127.0.0.1", 0), Echo) as server:
        with socket.create_connection(("127.0.0.1", serving(server))) as connection:
            connection.sendall(b"hello\n")
            print(connection.makefile("rb").read())
        server.shutdown()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=".")) as server:
        print(urllib.request.urlopen(f"http://127.0.0.1:{serving(server)}/page.html").read())
        server.shutdown()
    with xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_introspection_functions()
        server.register_function(pow)
        proxy = xmlrpc.client.ServerProxy(f"http://127.0.0.1:{serving(server)}")
        print(proxy.pow(2, 5), proxy.system.listMethods())
        server.shutdown()
    child = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    port = child.stdout.readline().split("port ")[1].split()[0]
    print(urllib.request.urlopen(f"http://127.0.0.1:{port}/page.html").status)
    child.terminate()
    time.sleep(0)
    print(child.wait())
