import importlib
import os
import subprocess
import sys


def main():
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")
    for entry in ("", "relative"):
        sys.path.insert(0, entry)
    for name in ("colorsys", "xml.sax", "email.mime.text", "deleted_directory_part"):
        print(importlib.import_module(name).__name__)
    try:
        importlib.import_module("not_there")
    except ImportError as error:
        print(error)
    done = subprocess.run(
        [sys.executable, "-c", "import wave; print(wave.__name__)"], capture_output=True, text=True
    )
    print(done.stdout, done.stderr)
