"""The bytes before a PEX's zip: a line that names a Python, or a script that finds one (`--sh-boot`)."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from czscie.container.untrusted_zip import open_zip

#: What a PEX that is a directory has in its `pex` or `__main__.py`.
_DEFAULT = b"#!/usr/bin/env python3\n"

_SCRIPT = b"#!/bin/sh\n"


def czex_prefix(source: Path) -> bytes:
    """The prefix for a CZEX of the PEX at `source`, changed to fit the CZEX."""
    prefix = _read_prefix(source)
    return _without_shortcut(prefix) if prefix.startswith(_SCRIPT) else prefix


def _read_prefix(source: Path) -> bytes:
    if source.is_dir():
        for name in ("pex", "__main__.py"):
            path = source / name
            if path.is_file():
                head = path.read_bytes()
                if head.startswith(_SCRIPT):
                    return head
                if head.startswith(b"#!"):
                    return head.partition(b"\n")[0] + b"\n"
        return _DEFAULT
    with open_zip(source, source.name) as archive, source.open("rb") as file:
        infos: list[zipfile.ZipInfo] = archive.infolist()
        return file.read(min(info.header_offset for info in infos))


def _without_shortcut(script: bytes) -> bytes:
    """pex's script without the part that starts pex's own installation, which is a different file."""
    text = script.decode("utf-8", "surrogateescape")
    default = re.search(r'(?m)^DEFAULT_PYTHON="(.*)"$', text)
    arguments = re.search(r'(?m)^PYTHON_ARGS="(.*)"$', text)
    names = re.search(r"(?ms)^ *for python in \\\n(.*?)\n *; do$", text)
    if default is None or names is None:
        return _DEFAULT
    return _BOOT.format(
        default=default[1], arguments=arguments[1] if arguments else "", names=names[1]
    ).encode("utf-8", "surrogateescape")


_BOOT = """\
#!/bin/sh
# N.B.: only what POSIX sh has, and as few programs as possible: all of it runs at every start.
set -eu

DEFAULT_PYTHON="{default}"
PYTHON_ARGS="{arguments}"

find_python() {{
    if [ -f "${{PEX_PYTHON:-}}" -a -x "${{PEX_PYTHON:-}}" ]; then
        echo "${{PEX_PYTHON}}"
        return
    fi
    _path="${{PATH:-}}"
    _ifs=$IFS
    IFS=:
    for entry in ${{PEX_PYTHON_PATH:-}}; do
        if [ -f "${{entry:-.}}" -a -x "${{entry:-.}}" ]; then
            echo "${{entry}}"
            return
        elif [ -d "${{entry:-.}}" ]; then
            _path="${{entry:-.}}:${{_path}}"
        fi
    done
    IFS=$_ifs
    for python in \\
{names}
    ; do
        if PATH="${{_path}}" command -v "${{python}}" 2>/dev/null; then
            return
        fi
    done
}}

if [ -f "${{DEFAULT_PYTHON}}" -a -x "${{DEFAULT_PYTHON}}" ]; then
    python_exe="${{DEFAULT_PYTHON}}"
else
    python_exe="$(find_python)"
fi
if [ -n "${{python_exe}}" ]; then
    exec "${{python_exe}}" ${{PYTHON_ARGS}} "$0" "$@"
fi

echo >&2 "Failed to find any of these python binaries on the PATH:"
for python in \\
{names}
; do
    echo >&2 "${{python}}"
done
echo >&2 'Either adjust your $PATH which is currently:'
echo >&2 "${{PATH:-}}"
echo >&2 "Or else install an appropriate Python that provides one of the binaries in this list."
exit 1
"""
