"""Python scripts, recognised by their first line, and rewritten to the one of wheels.

PEP 427: the first line of a script in a wheel is `#!python` or `#!pythonw`, and installing it writes the
interpreter's path there. Other first lines, for instance an absolute path on the machine that made the PEX,
do not work on the user's, so pex and czscie rewrite them too.
"""

from __future__ import annotations

import re

from czscie.container.content import Content, Data

#: The first line of scripts that are to run in a window or a terminal, or in neither (Windows).
_WHEEL_SHEBANG = re.compile(rb"#!pythonw?\r?\n")

#: A Python at the end of a path, or started by `env`, with or without arguments.
_PYTHON_SHEBANG = re.compile(
    rb"""\#!(?:[^\n]*[\W])?       # a directory, `/usr/bin/env -S ` or nothing
         (?:python|pypy)(w?)      # PEP 427 knows pythonw
         (?:\d+(?:\.\d+)*)?t?(?:\.exe)?
         (?:[ \t][^\n]*)?\r?\n""",
    re.VERBOSE | re.IGNORECASE,
)

#: What pip, uv and pex write when an interpreter's path is too long for a first line: `/bin/sh` runs the
#: second, a string to Python, which starts Python on this same file. A coding line may stand before it.
_REDIRECTOR = re.compile(
    rb"""\#!\ ?/bin/sh\n
         (?P<coding>\#[^\n]*coding[:=][^\n]*\n)?
         '''(?:exec'\ |':\ pshprs\n|'exec\ |exec\ )(?:.*?)'''\n""",
    re.VERBOSE | re.DOTALL,
)


def as_wheel_script(content: Content) -> Content:
    """The script as a wheel has it: with `#!python` as its first line when it is Python's, else unchanged."""
    data = content.read()
    if not data.startswith(b"#!") or _WHEEL_SHEBANG.match(data):
        return content
    if match := _PYTHON_SHEBANG.match(data):
        return Data(b"#!python" + match[1].lower() + b"\n" + data[match.end() :])
    if match := _REDIRECTOR.match(data):
        return Data(b"#!python\n" + (match["coding"] or b"") + data[match.end() :])
    return content


def shebang_length(data: bytes) -> int:
    """The bytes of the first line of a wheel's Python script, with its end; 0 for any other file."""
    match = _WHEEL_SHEBANG.match(data)
    return match.end() if match else 0
