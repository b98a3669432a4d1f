# Runs in whatever Python of the host starts a CZEX, 2.7 and newer, when the CZEX is not installed for it yet.
"""The choice of the host interpreter that runs a CZEX: this one if it fits, else as pex chooses."""

import json
import os
import re
import sys

from . import remembered, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_NAME = re.compile(r"(?:python|pypy)(?:\d+(?:\.\d+)?t?)?$")


def choose(czex, main, catalogue, own, may_recall):
    # type: (str, Any, dict, dict, bool) -> tuple[str, str] | None
    """The interpreter to execute, and "asked" or "remembered"; None to stay in this one.

    Ends the process when none fits.
    """
    python = os.environ.get("PEX_PYTHON")
    path = os.environ.get("PEX_PYTHON_PATH")
    if not python and not path:
        if not own["reason"]:
            return None
        candidates, what = _on_path(os.environ.get("PATH", os.defpath)), "on PATH"
        last = remembered.RememberedChoice(czex, main, candidates)
        return _recall_or_ask(last, may_recall, lambda: _best(czex, main, catalogue, candidates, own, what))
    if path:
        candidates = _on_path(path)
        if python and os.path.isabs(python):
            candidates = [each for each in candidates if _same(each, python)] or [python]
        what = "on PEX_PYTHON_PATH=%s" % path
    elif os.path.isabs(python or ""):
        candidates, what = [str(python)], "at PEX_PYTHON=%s" % python
    else:
        name = os.path.basename(str(python))
        candidates = _on_path(os.environ.get("PATH", os.defpath), name)
        what = "called PEX_PYTHON=%s" % python
    if not own["reason"]:
        for candidate in candidates:
            # What is running already is as good as any.
            if _same(candidate, sys.executable):
                return None
    last = remembered.RememberedChoice(czex, main, candidates)
    return _recall_or_ask(last, may_recall, lambda: _best(czex, main, catalogue, candidates, own, what))


def _recall_or_ask(last, may_recall, ask):
    # type: (remembered.RememberedChoice, bool, Callable[[], str]) -> tuple[str, str]
    python = last.recall() if may_recall else None
    if python is not None:
        return python, "remembered"
    python = ask()
    last.remember(python)
    return python, "asked"


def _same(one, other):
    # type: (str, str) -> bool
    return os.path.realpath(one) == os.path.realpath(other)


def _on_path(path, name=None):
    # type: (str, str | None) -> list[str]
    """Interpreters among the files and in the directories of `path`, each once."""
    found = []  # type: list[str]
    seen = set()
    for entry in path.split(os.pathsep):
        entry = os.path.abspath(entry)
        if os.path.isfile(entry):
            paths = [entry]
        else:
            try:
                names = sorted(os.listdir(entry))
            except OSError:
                continue
            paths = [
                os.path.join(entry, each) for each in names if (each == name if name else _NAME.match(each))
            ]
        for candidate in paths:
            real = os.path.realpath(candidate)
            if real not in seen and os.path.isfile(real) and os.access(candidate, os.X_OK):
                seen.add(real)
                found.append(candidate)
    return found


def _best(czex, main, catalogue, candidates, own, what):
    # type: (str, Any, dict, list[str], dict, str) -> str
    suitable = []
    tried = []
    for candidate in candidates:
        verdict = own if _same(candidate, sys.executable) else _ask(czex, main, candidate)
        if verdict["reason"]:
            tried.append("%s (%s): %s" % (candidate, verdict["python"], verdict["reason"]))
        else:
            major, minor, micro = verdict["version"]
            suitable.append(((major, minor, -micro), candidate))
    if not suitable:
        if not any(_same(each, sys.executable) for each in candidates):
            tried.insert(
                0, "%s (%s): %s" % (sys.executable, own["python"], own["reason"] or "it is not " + what)
            )
        settings.fail(
            czex,
            "no interpreter %s can run it; tried\n  %s" % (what, "\n  ".join(tried)),
        )
    newest = catalogue["settings"]["interpreter_selection_strategy"] == "newest"
    if newest:
        return max(suitable, key=lambda each: (each[0][0], each[0][1], -each[0][2]))[1]
    return min(suitable)[1]


def _ask(czex, main, candidate):
    # type: (str, Any, str) -> dict
    """The candidate's own verdict."""
    import subprocess

    environment = dict(os.environ)
    environment[main.CHOSEN] = "probe"
    failed = {"python": "unknown", "reason": "it did not report its version"}
    try:
        process = subprocess.Popen(
            [candidate, "-sE", czex], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        answer = process.communicate()[0]
    except OSError as error:
        return {"python": "unknown", "reason": "it cannot be started: %s" % error.strerror}
    try:
        return json.loads(answer.decode("utf-8"))  # type: ignore[no-any-return]
    except ValueError:
        return failed
