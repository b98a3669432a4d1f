"""Calls a build backend (PEP 517). Runs in an environment that was made for it, with Python 3.8 or newer.

Reads from standard input the call as JSON: `backend`, `path` (its directories in the source, the current
directory), `ask` (whether to ask first what else it requires), `known` (what it said the first time),
`wheel` (where to put the wheel) and `answer` (the file to write). Writes `{"requires": […]}` when the backend
requires more than is known, otherwise `{"wheel": "its name"}`.
"""

import importlib
import json
import os
import sys


def main():
    call = json.load(sys.stdin)
    sys.path[:0] = [os.path.abspath(directory) for directory in call["path"]]
    module, _, attributes = call["backend"].partition(":")
    backend = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        backend = getattr(backend, attribute)
    answer = {}
    if call["ask"] and hasattr(backend, "get_requires_for_build_wheel"):
        requires = backend.get_requires_for_build_wheel({})
        if set(requires) - set(call["known"]):
            answer = {"requires": list(requires)}
    if not answer:
        answer = {"wheel": os.path.basename(backend.build_wheel(call["wheel"], {}))}
    with open(call["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)


main()
