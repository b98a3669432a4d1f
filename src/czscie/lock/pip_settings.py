"""What of this machine shapes which wheels pip chooses, as far as it is known without a network."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import platformdirs

from czscie.network.url import is_file

_FILE = "pip.ini" if os.name == "nt" else "pip.conf"
#: What separates the values of a variable or of a configuration file.
_SEPARATORS = re.compile(r"[\s,=]+")


def digest(environ: Mapping[str, str]) -> str:
    """SHA-256 over pip's variables and configuration files, and over what lies in the directories and files
    that these name, such as wheels and constraints.
    """
    found = hashlib.sha256()
    for part in _parts(environ):
        found.update(f"{part}\0".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def _parts(environ: Mapping[str, str]) -> Iterator[str]:
    texts = [f"{name}={value}" for name, value in sorted(environ.items()) if name.upper().startswith("PIP_")]
    for path in _configuration_files(environ):
        try:
            texts.append(path.read_text(encoding="utf-8", errors="surrogateescape"))
        except OSError:
            continue
    for text in texts:
        yield text
        for word in filter(None, _SEPARATORS.split(text)):
            yield from _state(Path(url2pathname(urlsplit(word).path) if is_file(word) else word))


def _configuration_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where pip looks for them (pip 20.3 to 26, `pip/_internal/configuration.py`)."""
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    for directory in platformdirs.site_config_dir("pip", appauthor=False, multipath=True).split(os.pathsep):
        yield Path(directory, _FILE)
    yield Path("/etc", _FILE)
    yield Path.home() / ("pip" if os.name == "nt" else ".pip") / _FILE
    yield Path(platformdirs.user_config_dir("pip", appauthor=False, roaming=True), _FILE)
    if sys.platform == "darwin":
        yield Path.home() / ".config" / "pip" / _FILE
    if chosen:
        yield Path(chosen)


def _state(path: Path) -> Iterator[str]:
    """What shows that a file, or a file of a directory, changed; nothing for what is no absolute path."""
    try:
        if not path.is_absolute():
            return
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in files:
            status = file.stat()
            yield f"{file} {status.st_size} {status.st_mtime_ns}" if file.is_file() else str(file)
    except (OSError, ValueError):
        return
