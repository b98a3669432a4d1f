"""What a build read and wrote, so that the same command knows at once that nothing has changed.

A build observes itself (czscie.observation), and the cache keeps the states of what it read and wrote. If all
are the same, and so is the environment, the command would do the same again: print its results, or start the
program that it built.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence

from czscie.cache import cache_root
from czscie.handover import become, split
from czscie.observation import Observation, state_of

_KIND, _EXECUTABLES = "builds", "executables"
#: What shells count and remember.
_NOT_SETTINGS = ("_", "OLDPWD", "PWD", "SHLVL")
_END = "\0"


def answer(arguments: Sequence[str]) -> bool:
    """Does what the last build of these arguments did at its end, if nothing has changed since: prints its
    results, or becomes its program.

    Returns whether it did.
    """
    if sys.stdout is None or sys.stderr is None:
        return False
    arguments, passed = split(arguments)
    try:
        place = _place(arguments)
        with open(place, "rb") as file:  # noqa: PTH123
            is_own = os.name == "nt" or os.fstat(file.fileno()).st_uid == os.geteuid()
            digest, _, text = file.read().decode("utf-8", "surrogateescape").partition(_END)
        settings, results, said, program, *states = text.split(_END)
        if not is_own or digest != _sha256(text) or settings != _settings():
            return False
        if passed and not program:  # they are for none
            return False
        if any(state_of(path) != state for path, state in zip(states[::2], states[1::2], strict=True)):
            return False
        os.utime(place)  # it was used
        if program.startswith(os.path.join(cache_root(), _EXECUTABLES, "")):  # noqa: PTH118
            os.utime(os.path.dirname(program))  # noqa: PTH120
        sys.stdout.buffer.write(results.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
        sys.stderr.write(said)
        if program:
            become(program, passed)
    except (OSError, ValueError):
        return False
    return True


def observe(arguments: Sequence[str]) -> None:
    """Observes what this process reads for the build of these arguments, until `keep`."""
    global _observed
    try:
        here = os.getcwd()  # noqa: PTH109 of names that may not be text
    except OSError:  # it was removed
        return
    place, observation = _place(split(arguments)[0]), Observation()
    observation.start()
    for path in (here, *(getattr(module, "__file__", None) for module in tuple(sys.modules.values()))):
        if path:
            observation.look(path)
    _observed = place, _settings(), observation


def keep(results: str = "", said: str = "", program: str = "") -> None:
    """Keeps what was observed. `results` is for standard output, `said` for standard error, `program` the
    path of what to start then, if anything is.
    """
    global _observed
    if _observed is None:
        return
    place, settings, observation = _observed
    _observed = None
    observation.stop()
    from contextlib import suppress
    from pathlib import Path

    from czscie.cache import cache_directory
    from czscie.errors import CzscieError
    from czscie.filesystem import write_atomically

    with suppress(OSError, CzscieError):
        states = observation.states()
        if states is None:
            return
        if program:
            program = os.path.abspath(program)  # noqa: PTH100
            states[program] = state_of(program)
        fields = (settings, results, said, program, *(text for item in states.items() for text in item))
        if any(_END in each for each in fields):
            return
        cache_directory(_KIND)
        text = _END.join(fields)
        content = _END.join((_sha256(text), text)).encode("utf-8", "surrogateescape")
        write_atomically(Path(place), lambda stream: stream.write(content))


#: Where to keep what is observed, the settings of this process, and what it reads.
_observed: tuple[str, str, Observation] | None = None


def _place(arguments: Sequence[str]) -> str:
    """The file for what a build of these arguments in this directory read."""
    name = _sha256(_END.join((os.getcwd(), *arguments)))  # noqa: PTH109
    return os.path.join(cache_root(), _KIND, name)  # noqa: PTH118


def _settings() -> str:
    """A digest of what a build depends on besides files."""
    variables = (f"{name}={value}" for name, value in sorted(os.environ.items()) if name not in _NOT_SETTINGS)
    return _sha256(_END.join((sys.executable, sys.version, repr(sys.flags), sys.platform, *variables)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
