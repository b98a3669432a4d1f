from __future__ import annotations

import pytest

from czex.factories import CPYTHON_313, files, wheel
from czscie.czex.entry_override import scripts_of, with_entry_point
from czscie.czex.info import PexInfo
from czscie.errors import CzscieError
from czscie.platforms import find_platform
from czscie.wheel.venv_layout import venv_items

WHEEL = wheel(
    "moo-1.0-py3-none-any.whl",
    {
        "moo/__init__.py": b"",
        "native.cpython-313-x86_64-linux-gnu.so": b"",
        "moo-1.0.data/scripts/moo.sh": b"#!/bin/sh\n",
        "moo-1.0.data/platlib/plat/x.py": b"",
    },
    entry_points="[console_scripts]\nmoo = moo.cli:main\nmoo-bell = moo\n"
    "[gui_scripts]\nwindow = moo:W.open\n",
)
SOURCES = files({"app.py": b""})
INFO = PexInfo(entry_point="old:main", script="old", inject_args=("--loud",))


@pytest.mark.parametrize(
    ("text", "entry_point", "script"),
    [
        ("moo", "moo.cli:main", None),
        ("moo-bell", "moo", None),
        ("window", "moo:W.open", None),
        ("moo.sh", None, "moo.sh"),
        ("moo.tui", "moo.tui", None),
        ("moo.tui:App.run", "moo.tui:App.run", None),
        ("native", "native", None),
        ("plat.x", "plat.x", None),
        ("app:main", "app:main", None),
        ("http.server", "http.server", None),
    ],
)
def test_scripts_come_before_modules(text: str, entry_point: str | None, script: str | None) -> None:
    found = with_entry_point(INFO, [WHEEL], text, SOURCES)
    assert (found.entry_point, found.script) == (entry_point, script)
    assert found.inject_args == ("--loud",)


@pytest.mark.parametrize("text", ["moo-bel", "mo", "ap:main", "moo-bell:main", "a b"])
def test_what_is_not_there_is_an_error(text: str) -> None:
    with pytest.raises(CzscieError) as error:
        with_entry_point(INFO, [WHEEL], text, SOURCES)
    expected = f"the payload has no entry point {text!r}: neither a script nor a module of that name"
    assert error.value.what == expected
    assert error.value.why == ("its scripts are: moo, moo-bell, moo.sh, window",)


def test_the_nearest_names_are_offered() -> None:
    with pytest.raises(CzscieError) as error:
        with_entry_point(INFO, [WHEEL], "moo-bel", SOURCES)
    assert error.value.hint is not None
    assert error.value.hint.startswith("did you mean 'moo-bell'")


def test_of_scripts_with_one_name_the_installed_one_starts() -> None:
    file = {"a-1.0.data/scripts/both": b"#!/bin/sh\n"}
    first = wheel("a-1.0-py3-none-any.whl", file, entry_points="[console_scripts]\nsame = a:main\n")
    points = "[console_scripts]\nsame = b:main\nboth = b:main\n"
    second = wheel("b-1.0-py3-none-any.whl", entry_points=points)
    chosen = scripts_of([first, second])
    layout = venv_items([first, second], (), CPYTHON_313, find_platform("linux-x86_64"), None)
    for name, point in chosen.items():
        [placed] = [each for each in layout.placements if each.destination == f"bin/{name}"]
        origin = "generated" if point else first
        assert placed.origin == origin and (not point or placed.wheel is first)
    assert chosen == {"both": "", "same": "a:main"}
