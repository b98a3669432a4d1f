from __future__ import annotations

import struct
import time
from collections.abc import Sequence

import pytest

from czscie.container.content import Data, File
from czscie.czex import imports
from czscie.czex.imports import Parse, imported_names, links_libpython, names_in_arguments, needed_parts
from czscie.lift.interpreter import PARTS
from elf_image import elf_image
from pack.factories import this_python


def names(source: str | bytes, path: str = "moo/cli.py") -> set[str]:
    data = source.encode() if isinstance(source, str) else source
    return every_name([File(path, Data(data))], this_python().imports)


def every_name(files: Sequence[File], parse: Parse | None) -> set[str]:
    [found] = imported_names([files], parse)
    return set(found)


@pytest.mark.parametrize(
    "source",
    [
        "import tkinter",
        "import os, tkinter as tk",
        "import os, \\\n    tkinter",
        "import tkinter.filedialog",
        "from tkinter import *",
        "from tkinter.ttk import Button",
        "try:\n    import tkinter\nexcept ImportError:\n    tkinter = None",
        "try: import tkinter\nexcept ImportError: pass",
        "def window():\n    from tkinter import Tk",
        "if TYPE_CHECKING:\r\n    import tkinter\r\n",
        "import importlib\nimportlib.import_module('tkinter.ttk')",
        "from importlib import import_module as imp\nimport_module(name='tkinter')",
        "__import__('tkinter')",
        "toolkit = optional_import('tkinter')",
        "import runpy\nrunpy.run_module('tkinter')",
        "subprocess.run([sys.executable, '-m', 'tkinter'])",
        "command = (python, '-m', 'tkinter')",
        "await create_subprocess_exec(sys.executable, '-m', 'tkinter.ttk')",
        "from six.moves import tkinter",
        "from six.moves.tkinter import Tk",
        "import six.moves.tkinter_font as font",
        "from six.moves import tkinter_filedialog",
        "from requests.packages.six.moves import tkinter",
        "import Tkinter\nprint 'a Python 2'\nimport tkinter",
        "{% if windowed %}\nimport tkinter\n{% endif %}",
        "# -*- coding: latin-1 -*-\nimport tkinter # caf\xe9",
    ],
)
def test_an_import_counts_wherever_it_stands(source: str) -> None:
    assert names(source.encode("latin-1")) == {"tkinter"}


@pytest.mark.parametrize(
    "source",
    [
        "",
        "# import tkinter",
        '"""Like tkinter, but: import tkinter first, or python -m tkinter."""',
        "print('import tkinter')",
        "from moo import tkinter",
        "from . import tkinter",
        "from .tkinter import Tk",
        "import moo.tkinter",
        "import tkinterx",
        "import os\npipeline = 'tkinter windows'",
        "_add_module(MovedModule('tkinter', 'Tkinter'))",
        "shown('tkinter', '-m')",
        "option = ['-m', 'message']",
        "importlib.import_module(name)",
        "import_module(f'tkinter.{name}')",
    ],
)
def test_a_mention_is_not_an_import(source: str) -> None:
    assert names(source) == set()


def test_without_a_parser_what_is_mentioned_counts() -> None:
    files = [File("a.py", Data(b"KINDS = ['tkinter']")), File("b.py", Data(b"import venv\n'pip installs'"))]
    assert every_name(files, None) == {"tkinter", "venv"}
    assert every_name(files, this_python().imports) == {"venv"}


def test_every_module_that_a_part_is_for_is_found() -> None:
    known = {*imports._PARTS, *imports._INSTALLED}
    assert names("".join(f"import {name}.inside\n" for name in known)) == known


@pytest.mark.parametrize(
    "path",
    [
        "moo/tests/test_window.py",
        "moo/test/window.py",
        "moo/deep/tests/__init__.py",
        "moo/conftest.py",
        "moo/distutils/command/build.py",
        "moo/_distutils/log.py",
        "moo/window.txt",
        "moo/window.pyi",
    ],
)
def test_what_an_application_does_not_run_does_not_count(path: str) -> None:
    assert names("import tkinter", path) == set()


@pytest.mark.parametrize(
    "path",
    [
        *("window.py", "window.pyw", "moo/testing.py", "moo/testing/__init__.py", "moo/setup.py"),
        *("tests/window.py", "test/window.py", "conftest.py", "moo.pth", "moo-1.data/scripts/moo"),
        "moo-1.data/purelib/moo/window.py",
    ],
)
def test_everything_else_that_is_python_does(path: str) -> None:
    assert names("import tkinter", path) == {"tkinter"}


def test_the_names_of_all_files_come_together() -> None:
    files = [
        File("a.py", Data(b"import pip")),
        File("b.py", Data(b"import json")),
        File("c.py", Data(b"import curses, venv")),
    ]
    assert every_name(files, this_python().imports) == {"pip", "curses", "venv"}


def test_the_names_of_each_group_are_its_own() -> None:
    groups = [[File("a.py", Data(b"import pip"))], [], [File("a.py", Data(b"import venv"))]]
    found = [{"pip"}, set(), {"venv"}]
    assert imported_names(groups, this_python().imports) == imported_names(groups, None) == found


def test_nesting_that_is_too_deep_to_parse_is_read_as_text() -> None:
    assert names(f"import venv\nx = {'(' * 5000}{')' * 5000}") == {"venv"}


def test_nobody_is_warned_of_other_peoples_sources(recwarn: pytest.WarningsRecorder) -> None:
    assert names("import venv\npattern = '\\d'\n1 is 1") == {"venv"}
    assert recwarn.list == []


def test_a_line_of_megabytes_is_not_read_again_for_every_word() -> None:
    begun = time.process_time()
    assert names("x = '" + "a tkinter " * 200_000 + "'") == set()
    assert time.process_time() - begun < 5, "a search of the whole line for every word takes minutes"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), set()),
        (("-m", "venv", "here"), {"venv"}),
        (("-I", "-m", "idlelib.idle"), {"idlelib"}),
        (("-c", "import os, tkinter; tkinter.Tk()"), {"tkinter"}),
        (("-m", "http.server", "pip"), set()),
        (("-m",), set()),
    ],
)
def test_what_a_command_starts_counts_too(arguments: tuple[str, ...], found: set[str]) -> None:
    assert names_in_arguments(arguments) == found


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("tkinter", {"tcltk"}),
        ("turtle", {"tcltk"}),
        ("idlelib", {"idlelib"}),
        ("venv", {"ensurepip"}),
        ("curses", {"terminals"}),
        ("readline", {"terminals"}),
        ("pip", set()),
        ("setuptools", set()),
        ("json", set()),
    ],
)
def test_a_module_needs_parts(name: str, parts: set[str]) -> None:
    assert needed_parts({name}) == parts


def test_installed_packages_count_only_for_who_sees_them() -> None:
    names = {"pip", "pkg_resources", "tkinter"}
    assert needed_parts(names) == {"tcltk"}
    assert needed_parts(names, system_site_packages=True) == {"pip", "setuptools", "tcltk"}


def test_all_parts_that_are_needed_exist() -> None:
    known = {*imports._PARTS, *imports._INSTALLED}
    assert needed_parts(known, system_site_packages=True) <= {*PARTS}


@pytest.mark.parametrize(
    ("path", "content", "linked"),
    [
        ("moo/_moo.so", elf_image(needed=["libc.so.6", "libpython3.13.so.1.0"]), True),
        ("moo.libs/libboost_python-1a2b.so.1.83", elf_image(needed=["libpython3.11.so.1.0"]), True),
        ("moo/_moo.abi3.so", elf_image(needed=["libpython3.so"]), True),
        ("moo/_moo.so", elf_image(needed=["libc.so.6"]), False),
        ("moo/_moo.txt", elf_image(needed=["libpython3.13.so.1.0"]), False),
        ("moo/_moo.so", b"\x7fELF but no library", False),
        ("moo/_moo.so", struct.pack("<I", 0xFEEDFACF) + b"@rpath/libpython3.13.dylib\0", True),
        ("moo/_moo.so", struct.pack("<I", 0xFEEDFACF) + b"/usr/lib/libSystem.B.dylib\0", False),
    ],
)
def test_extension_modules_may_be_linked_with_libpython(path: str, content: bytes, linked: bool) -> None:
    assert links_libpython([File("moo/__init__.py", Data(b"")), File(path, Data(content))]) is linked
