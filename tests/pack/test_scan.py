from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from czscie.pack.compiler import Compiler
from czscie.pack.scan import directories_of_pth, suspect
from pack.factories import signs_of

LOOKING = [
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
    ("import inspect\ninspect.stack()[1].filename", "inspect.stack"),
    ("import inspect\nname = inspect.stack()[0][1]", "inspect.stack"),
    ("import inspect\nframes = inspect.stack()", "inspect.stack"),
    ("from inspect import stack\nstack()", "inspect.stack"),
    ("from inspect import currentframe, getframeinfo", "getframeinfo"),
    ("inspect.getframeinfo(frame).filename", "getframeinfo"),
    ("loader.get_filename('x')", "get_filename"),
    ("importlib.util.spec_from_file_location('x', path)", "spec_from_file_location"),
    ("files(__package__) / 'worker.py'", "worker.py"),
    ("files('pkg').joinpath('sub', 'worker.py')", "worker.py"),
    ("for path in files('pkg').glob('*.py'): pass", "*.py"),
    ("os.path.join(directory, 'worker.py')", "worker.py"),
    ("with path('pkg', 'worker.py') as script: pass", "worker.py"),
    ("pkg_resources.resource_listdir('a', 'b')", "resource_listdir"),
    ("from pkg_resources import resource_isdir", "resource_isdir"),
    ("shutil.copytree(files('pkg') / 'template', target)", "copytree"),
    ("for each in resources.files('pkg').iterdir(): shutil.copy(each, target)", "copy"),
    ("for each in metadata.files('pkg'): copyfile(each.locate(), each.name)", "copyfile"),
    ("from importlib.resources import files as of\nos.walk(of('pkg'))", "walk"),
    ("from os import walk\nwalk(files('pkg'))", "walk"),
]


@pytest.mark.parametrize(("source", "found"), LOOKING)
def test_a_module_that_looks_at_files_is_found_out(source: str, found: str) -> None:
    assert signs_of(source.encode()).looks == found


INNOCENT = [
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
    "import inspect\nname = inspect.stack()[1].function",
    "import inspect\nname = inspect.stack()[1][3]",
    "import inspect\nframe = inspect.getouterframes(f)[1].frame",
    "array = np.stack([a, b])",
    "files('pkg').joinpath('words.txt')",
    "name = path.removesuffix('.py')",
    "os.path.join(directory, name + '.py')",
    "print('run setup.py first')",
    "warnings.warn(text, skip_file_prefixes=(os.path.dirname(__file__),))",
    "pkg_resources.resource_string('pkg', 'words.txt')",
    "files = os.listdir('.')\nshutil.copytree('a', 'b')",
    "files('pkg').joinpath('words.txt').read_text()\nwords.copy()\ncopy.copy(words)\nast.walk(tree)",
]


@pytest.mark.parametrize("source", INNOCENT)
def test_a_module_that_does_not_is_left_alone(source: str) -> None:
    assert signs_of(source.encode()).looks == ""


@pytest.mark.parametrize("minor", range(9, 16))
def test_every_python_sees_the_same(minor: int) -> None:
    compiler = python_of_minor(minor)
    suspects = [suspect("a.py", source.encode()) for source in (*dict(LOOKING), *INNOCENT)]
    expected = [*dict(LOOKING).values(), *("" for _ in INNOCENT)]
    found = [(each, looks) for each, looks in zip(suspects, expected, strict=True) if each is not None]
    seen = compiler.scan([each for each, _ in found])
    assert [signs.looks for signs in seen] == [looks for _, looks in found]


@pytest.mark.parametrize("minor", range(12, 16))
def test_syntax_that_the_running_python_may_not_know_is_that_of_the_target(minor: int) -> None:
    compiler = python_of_minor(minor)
    assert signs_of(b"def f[T](x: T): return x.__file__ is None", compiler=compiler).looks == ""
    assert signs_of(b"type T = str\nopen(__file__)", compiler=compiler).looks == "__file__"
    assert compiler.imports([("a.py", b"type T = str\nNAMES = ['test']\nimport venv")]) == [["venv"]]


def python_of_minor(minor: int) -> Compiler:
    """Some CPython 3.`minor` of this machine."""
    name = f"python3.{minor}"
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    for python in filter(None, (shutil.which(name), *root.glob(f"versions/3.{minor}.*/bin/{name}"))):
        if (found := Compiler.probe(Path(python), name)) is not None:
            return found
    pytest.skip(f"there is no CPython 3.{minor} here")


def test_what_cannot_be_read_is_in_doubt() -> None:
    assert signs_of(b"__file__ (").looks == "what does not compile"


def test_names_of_other_encodings_are_understood() -> None:
    assert signs_of("# coding: latin-1\nx = 'ä', __file__\n".encode("latin-1")).looks == "__file__"


def test_lines_that_are_known_to_be_harmless_do_not_count() -> None:
    source = b"a = __file__\nif a:\n    b = pkg.__path__  # of data\n"
    assert signs_of(source, ["a = __file__"]).looks == "__path__"
    assert signs_of(source, ["a = __file__", "b = pkg.__path__  # of data"]).looks == ""
    assert signs_of(source, ["a = __file__", "b = pkg.__path__"]).looks == "__path__"


@pytest.mark.parametrize(
    ("source", "caches"),
    [
        ("import numba\n@numba.njit(cache=True)\ndef f(): pass", "numba"),
        (
            "from numba import jit\n@jit(nopython=True, cache=CACHE)\ndef f(): pass",
            "numba",
        ),
        ("from numba import jit\nOPTIONS = {'cache': True}\nf = jit(**OPTIONS)(g)", "numba"),
        ("from numba import jit\n@jit(cache=False)\ndef f(): pass", ""),
        ("from numba import jit\n@jit\ndef f(): cache = 1", ""),
        ("@functools.wraps(f, cache=True)\ndef g(): pass", ""),
        ("from ply import yacc\nparser = yacc.yacc(debug=False)", "ply"),
        ("from ply.yacc import yacc\nparser = yacc(write_tables=tables)", "ply"),
        ("import ply.yacc\nparser = ply.yacc.yacc(write_tables=False)", ""),
        ("parser = yacc.yacc(module=self, write_tables=0)", ""),
        ("print('bison, yacc')", ""),
    ],
)
def test_numba_and_ply_cache_beside_a_module(source: str, caches: str) -> None:
    assert signs_of(source.encode()).caches == caches


def test_a_pth_file_names_directories() -> None:
    text = b"# comment\nvendored\nimport sys; sys.path\n\n  ./other/lib \r\nimport\tos\n"
    assert directories_of_pth(text) == ["vendored", "./other/lib"]
