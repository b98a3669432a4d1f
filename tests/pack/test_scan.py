from __future__ import annotations

import pytest

from czscie.pack.scan import looks_at_files


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("open(__file__)", "__file__"),
        ("import pkg\nprint(pkg.__file__)", "__file__"),
        ("getattr(pkg, '__file__')", "__file__"),
        ("for directory in __path__: pass", "__path__"),
        ("__path__.append('x')", "__path__"),
        ("import inspect\ninspect.getsourcefile(f)", "getsourcefile"),
        ("from inspect import getfile", "getfile"),
        ("f.__code__.co_filename", "co_filename"),
        ("find_spec('x').origin", "origin"),
        ("spec.submodule_search_locations[0]", "submodule_search_locations"),
        ("pkg_resources.resource_filename('a', 'b')", "resource_filename"),
        ("getattr(inspect, 'getfile')(f)", "getfile"),
        ("for name in ('__file__', '__name__'): getattr(pkg, name)", "__file__"),
        ("print(open(f.__file__).read() == x)", "__file__"),
        ("os.path.dirname(__file__).startswith('/usr')", "__file__"),
        ("names = {pkg: pkg.__file__}", "__file__"),
    ],
)
def test_a_module_that_looks_at_files_is_found_out(source: str, found: str) -> None:
    assert looks_at_files(source.encode()) == found


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.listdir('.')",
        "# __file__ is not used\nx = 1",
        '"""Says __file__ and co_filename in its text."""',
        "__path__ = __import__('pkgutil').extend_path(__path__, __name__)",
        "from pkgutil import iter_modules\nlist(iter_modules(__path__))",
        "import pkgutil\nlist(pkgutil.walk_packages(__path__, 'x.'))",
        "profile = 1\nget_file()",
        "__path__ = []\npkg.__file__ = 'x'",
        "pkg.__file__ is not None and pkg.__file__ != other.__file__",
        "frame.f_code.co_filename in (dataclasses.__file__, reprlib.__file__)",
        "pkg.__file__.endswith('.py')",
        "hasattr(pkg, '__file__')",
        "if name in ('__file__', '__path__'): raise AttributeError(name)",
        "exec(code, {'__file__': 'x'})",
        "request.url.origin  # of no module",
        "WORDS = ['getfile', 'getline']",
    ],
)
def test_a_module_that_does_not_is_left_alone(source: str) -> None:
    assert looks_at_files(source.encode()) is None


def test_what_cannot_be_read_is_in_doubt() -> None:
    assert looks_at_files(b"__file__ (") == "what does not compile"


def test_names_of_other_encodings_are_understood() -> None:
    assert looks_at_files("# coding: latin-1\nx = 'ä', __file__\n".encode("latin-1")) == "__file__"
