"""Prints the names of the standard modules that can be imported here, and a few of their submodules."""

import importlib
import sys

# These open a browser or a window, print a poem, or are there for others than applications.
_LEFT_OUT = {"antigravity", "ensurepip", "idlelib", "lib2to3", "this", "tkinter", "turtle", "turtledemo"}
_BELOW = """
    concurrent.futures.process concurrent.futures.thread ctypes.util email.mime.multipart email.mime.text
    http.cookiejar http.cookies http.server importlib.metadata importlib.resources json.tool logging.config
    logging.handlers multiprocessing.managers multiprocessing.pool unittest.mock urllib.request
    urllib.robotparser wsgiref.simple_server xml.dom.minidom xml.etree.ElementTree xml.sax xmlrpc.client
    xmlrpc.server
"""

for name in [*sorted(sys.stdlib_module_names - _LEFT_OUT), *_BELOW.split()]:
    if name.startswith("_"):
        continue
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    print(name)
