from __future__ import annotations

from textwrap import dedent

import pytest

from czscie.container.content import Data, File
from czscie.czex.definitions import check_defined
from czscie.errors import CzscieError
from czscie.wheel.entry_points import EntryPoint


def check(entry_point: str, source: str, path: str = "moo.py") -> None:
    check_defined(EntryPoint.parse(entry_point), (), [File(path, Data(dedent(source).encode()))])


@pytest.mark.parametrize(
    "source",
    [
        "def main(): ...",
        "async def main(): ...",
        "class main: ...",
        "main = print",
        "main: object = print",
        "a, (b, *main) = 1, (2, 3)",
        "from cow import main",
        "from cow import say as main",
        "import main.inner",
        "from cow import *",
        "if True:\n    main = 1\nelse:\n    pass",
        "try:\n    import x\nexcept ImportError:\n    def main(): ...",
        "with open('x') as main:\n    pass",
        "for main in ():\n    pass",
        "while False:\n    main = 1",
        "match 1:\n    case main:\n        pass",
        "match 1:\n    case 2:\n        def main(): ...",
        "print(main := 1)",
        "def make():\n    global main\n    main = 1\nmake()",
        "globals()['main'] = print",
        "import sys\nsys.modules[__name__] = object()",
        "exec('main = 1')",
        "def __getattr__(name): ...",
        "this is no Python",
    ],
)
def test_what_a_module_defines_or_may_define_is_accepted(source: str) -> None:
    check("moo:main", source)


@pytest.mark.parametrize(
    ("source", "why", "hint"),
    [
        (
            "def mian(): ...\ndef say(): ...\ndef _hidden(): ...\nx = 1",
            "moo.py defines mian, say",
            "did you mean moo:mian?",
        ),
        ("def say():\n    def main(): ...\n    main = 1", "moo.py defines say", None),
        ("x = 1", "moo.py defines no function", None),
        ("class Say:\n    main = 1", "moo.py defines Say", None),
    ],
)
def test_what_it_cannot_define_is_an_error_with_the_nearest_name(
    source: str, why: str, hint: str | None
) -> None:
    with pytest.raises(CzscieError) as caught:
        check("moo:main", source)
    assert caught.value.what == "moo does not define main, which the entry point moo:main names"
    assert (tuple(caught.value.why), caught.value.hint) == ((why,), hint)


def test_a_package_is_read_and_only_the_first_name_counts() -> None:
    check("moo.inner:Cow.say", "class Cow: ...", "moo/inner/__init__.py")
    with pytest.raises(CzscieError, match=r"moo\.inner does not define Cow"):
        check("moo.inner:Cow.say", "class Calf: ...", "moo/inner.py")


@pytest.mark.parametrize("entry_point", ["moo", "other:main", "json:main"])
def test_what_is_not_among_the_files_is_trusted(entry_point: str) -> None:
    check(entry_point, "x = 1")


@pytest.mark.parametrize("main", ["moo/__main__.py", "moo/__main__.pyc"])
def test_a_package_with_main_can_be_started(main: str) -> None:
    files = [File("moo/__init__.py", Data(b"")), File(main, Data(b""))]
    check_defined(EntryPoint.parse("moo"), (), files)


@pytest.mark.parametrize("path", ["moo.py", "cow/__init__.py", "moo/data.txt"])
def test_modules_and_what_is_not_there_can_be_started(path: str) -> None:
    check_defined(EntryPoint.parse("moo"), (), [File(path, Data(b""))])


@pytest.mark.parametrize(("other", "hint"), [("util", "moo:main"), ("cli", "moo.cli:main")])
def test_a_package_without_main_is_an_error(other: str, hint: str) -> None:
    files = [File(f"moo/{name}.py", Data(b"")) for name in ("__init__", other)]
    with pytest.raises(CzscieError) as caught:
        check_defined(EntryPoint.parse("moo"), (), files)
    assert caught.value.what == "moo is a package without __main__, so it cannot be started"
    assert caught.value.hint == f"name a function, as in {hint}"
