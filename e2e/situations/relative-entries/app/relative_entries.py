import importlib
import os
import sys


def main():
    sys.path.insert(0, "lib")
    print(importlib.import_module("first").NAME)
    os.chdir("other")
    importlib.invalidate_caches()
    try:
        print(importlib.import_module("second").NAME)
    except ImportError as error:
        print(error)
    os.chdir("..")
    sys.path.append(os.curdir)
    print(importlib.import_module("lib.second").NAME, importlib.import_module("third").NAME)
    with open("written.py", "w") as stream:
        stream.write("NAME = 'written at run time'")
    importlib.invalidate_caches()
    print(importlib.import_module("written").NAME)
