import importlib
import inspect
import os
import threading

NAMES = (
    "csv",
    "html.parser",
    "plistlib",
    "ftplib",
    "http.cookies",
    "wsgiref.headers",
    "threads_importing_part",
)


def main():
    failed = []

    def load(name):
        try:
            inspect.getsource(importlib.import_module(name))
        except Exception as error:
            failed.append((name, error))

    threads = [threading.Thread(target=load, args=(name,)) for name in NAMES * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child = os.fork()
    if child == 0:
        importlib.import_module("xml.dom.minidom")
        os._exit(0)
    print(failed, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
