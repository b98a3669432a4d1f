from __future__ import annotations

import pytest

from czscie.container.content import Data
from czscie.wheel.script import as_wheel_script, shebang_length


@pytest.mark.parametrize(
    "shebang",
    [
        b"#!/usr/bin/python\n",
        b"#!/usr/bin/env python3\n",
        b"#!/usr/bin/env -S python3.11 -u\n",
        b"#!/home/me/.venv/bin/python3.13t -sE\n",
        b"#! /opt/pypy/bin/pypy3\n",
        b"#!python -u\n",
        b"#!C:\\Python\\python.exe\r\n",
        b"#!/bin/sh\n'''exec' '/a very/long/path/python3' \"$0\" \"$@\"\n' '''\n",
        b"#!/bin/sh\n'''': pshprs\nexec /very/long/python \"$0\" \"$@\"\n'''\n",
    ],
)
def test_whatever_starts_python_becomes_the_first_line_that_wheels_have(shebang: bytes) -> None:
    assert as_wheel_script(Data(shebang + b"print(1)\n")).read() == b"#!python\nprint(1)\n"


def test_a_script_for_windows_without_a_console_stays_one() -> None:
    assert as_wheel_script(Data(b"#!/usr/bin/pythonw\nrun()\n")).read() == b"#!pythonw\nrun()\n"


def test_a_redirector_keeps_the_coding_of_its_script() -> None:
    script = b"#!/bin/sh\n# -*- coding: latin-1 -*-\n'''exec' /x/python \"$0\" \"$@\"\n' '''\nx = '\xff'\n"
    expected = b"#!python\n# -*- coding: latin-1 -*-\nx = '\xff'\n"
    assert as_wheel_script(Data(script)).read() == expected


@pytest.mark.parametrize(
    "script",
    [
        b"#!python\nprint(1)\n",
        b"#!pythonw\nprint(1)\n",
        b"#!/bin/sh\necho python\n",
        b"#!/bin/bash\n",
        b"#!/usr/bin/pythonista\n",
        b"#!/usr/bin/perl\n# python\n",
        b"\x7fELF\x00python\n",
        b"",
    ],
)
def test_other_programs_are_left_alone(script: bytes) -> None:
    content = Data(script)
    assert as_wheel_script(content) is content


def test_the_first_line_of_a_python_script_is_measured() -> None:
    assert shebang_length(b"#!python\nx") == 9
    assert shebang_length(b"#!pythonw\r\nx") == 11
    assert shebang_length(b"#!/bin/sh\nx") == 0
    assert shebang_length(b"") == 0
