import importlib
import importlib.util
import json
import linecache
import os
import sys

import spelled_paths


def main():
    site = os.path.dirname(spelled_paths.__file__)
    library = os.path.dirname(os.path.dirname(json.__file__))
    os.symlink(site, "site-packages")
    os.symlink(os.path.join(library, "json"), "linked")
    spellings = [
        os.path.join(library, "json", "..", "colorsys.py"),
        os.path.join(library, ".", "colorsys.py"),
        library + "//colorsys.py",
        os.path.join(site, "..", os.path.basename(site), "spelled_paths.py"),
        "site-packages/spelled_paths.py",
    ]
    for path in spellings:
        spec = importlib.util.spec_from_file_location("spelled", path)
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        print(made.__name__, bool(linecache.getlines(path)))
    for place, name in (
        (os.path.join(library, "email", ".."), "wave"),
        (os.path.join(library, "."), "sndhdr" if sys.version_info < (3, 13) else "chunked"),
        (library + "/", "cmd"),
        (os.path.abspath("."), "linked.scanner"),
    ):
        sys.path.insert(0, place)
        try:
            print(name, importlib.import_module(name).__name__)
        except ImportError as error:
            print(error)
        sys.path.remove(place)
