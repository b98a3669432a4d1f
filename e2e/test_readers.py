"""Distributions that read modules find all that they find among files: czscie/pack/readers.toml's rows."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from czscie.pack.readers import table
from e2e.build import Scie
from e2e.conftest import BuildScie
from e2e.pexes import Recipe
from e2e.run import start

_FILES = 'stdlib = false\npackages = "none"'


@dataclass(frozen=True, slots=True)
class Reader:
    """A `program` that runs an extra of the project `readers`; `told` is part of what it prints.

    The dependencies of the project are click and certifi. `compiler` is the program that it needs.
    """

    program: str
    told: str
    compiler: str | None = None


def _run(module: str, *arguments: str) -> str:
    """A program that runs `module` in a process of its own."""
    command = f"[sys.executable, '-m', {module!r}, {', '.join(map(repr, arguments))}]"
    return f"import subprocess, sys\nprint(subprocess.run({command}, capture_output=True, text=True))"


_EXTENSION = '''
import subprocess, sysconfig, pybind11
open("fast.cpp", "w").write("""#include <pybind11/pybind11.h>
PYBIND11_MODULE(fast, m) { m.def("twice", [](int n) { return 2 * n; }); }
""")
include = [f"-I{sysconfig.get_path('include')}", f"-I{pybind11.get_include()}"]
subprocess.run(["g++", "-O0", "-shared", "-fPIC", *include, "fast.cpp", "-o", "fast.so"], check=True)
import fast
print("twice", fast.twice(21))
'''

READERS = {
    "pylint": Reader(
        "text = 'import json\\nimport click\\njson.nothing()\\nclick.nothing()\\n'\n"
        "open('app.py', 'w').write(text)\n" + _run("pylint", "--errors-only", "--jobs=1", "app.py"),
        "Module 'json' has no 'nothing' member",
    ),
    "mypy": Reader(
        "import pathlib\npathlib.Path('app.py').write_text('import click\\nreveal_type(click.echo)\\n')\n"
        + _run("mypy", "--no-incremental", "app.py"),
        "nl: bool =",
    ),
    "jedi": Reader(
        "import jedi\n"
        "script = jedi.Script('import json, click\\njson.dumps\\nclick.echo')\n"
        "for line, column in (2, 6), (3, 7):\n"
        "    for name in script.goto(line, column, follow_imports=True, prefer_stubs=False):\n"
        "        print(name.module_path, name.line, name.docstring()[:200])",
        "click/utils.py",
    ),
    "rope": Reader(
        "import rope.base.project\n"
        "project = rope.base.project.Project('.', ropefolder=None)\n"
        "for name in ('json', 'json.decoder', 'click', 'click.core'):\n"
        "    print(project.find_module(name).real_path)",
        "click/core.py",
    ),
    "griffe": Reader(
        "import griffe\n"
        "for module, name in ('click', 'utils.echo'), ('json', 'decoder.JSONDecoder'):\n"
        "    found = griffe.load(module, allow_inspection=False)[name]\n"
        "    print(found.filepath, found.lineno, found.docstring.value[:200])",
        "click/utils.py",
    ),
    "grimp": Reader("import grimp\nprint(sorted(grimp.build_graph('click').modules))", "'click.core'"),
    "pdoc": Reader(
        _run("pdoc", "click.utils", "json.scanner", "-o", "out") + "\nimport os, pathlib\n"
        "for file in sorted(pathlib.Path('out').rglob('*.html')):\n"
        "    print(file, 'View Source' in file.read_text())",
        "out/click/utils.html True",
    ),
    "pytest": Reader(
        _run("pytest", "-q", "-p", "no:cacheprovider", "--collect-only", "--pyargs", "certifi")
        + "\n"
        + _run("pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "click"),
        "tests/test_certify.py",
    ),
    "nose2": Reader(_run("nose2", "-v", "-s", "PREFIX", "-t", "PREFIX", "certifi"), "nose2"),
    "coverage": Reader(
        "import pathlib\npathlib.Path('app.py').write_text('import click\\nclick.echo(1)\\n')\n"
        + _run("coverage", "run", "--source=click", "app.py")
        + "\n"
        + _run("coverage", "report", "--precision=2"),
        "click/core.py",
    ),
    "line-profiler": Reader(
        "import io, json, click, line_profiler\n"
        "profiler = line_profiler.LineProfiler(click.echo, json.dumps)\n"
        "profiler.runcall(click.echo, profiler.runcall(json.dumps, 1))\n"
        "text = io.StringIO()\n"
        "profiler.print_stats(text)\n"
        "print([line for line in text.getvalue().splitlines() if 'def ' in line or 'Could not' in line])",
        "def dumps",
    ),
    "ipython": Reader(
        _run("IPython", "--simple-prompt", "--no-banner", "-c", "import json, click.utils\n%pfile json\n")
        + "\n"
        + _run("IPython", "--simple-prompt", "--no-banner", "-c", "import click\n%pfile click.echo\n"),
        "JSONDecoder",
    ),
    "beartype": Reader(
        "import typeguard, jaxtyping, sys\n"
        "from beartype.claw import beartype_package\n"
        "def check(who):\n"
        "    for name in [name for name in sys.modules if name.partition('.')[0] == 'click']:\n"
        "        del sys.modules[name]\n"
        "    from click.termui import style\n"
        "    try:\n"
        "        print(who, style('a', fg=(1, 'b', None)))\n"
        "    except Exception as error:\n"
        "        print(who, type(error).__name__)\n"
        "with typeguard.install_import_hook('click.termui'):\n"
        "    check('typeguard')\n"
        "with jaxtyping.install_import_hook('click.termui', 'typeguard.typechecked'):\n"
        "    check('jaxtyping')\n"
        "beartype_package('click.termui')\n"
        "check('beartype')",
        "typeguard TypeCheckError",
    ),
    "cython": Reader(
        "import pathlib, pyximport\n"
        "pathlib.Path('fast.pyx').write_text('def twice(int n):\\n    return 2 * n\\n')\n"
        "pyximport.install(build_dir='built', language_level=3)\n"
        "import fast\n"
        "print('twice', fast.twice(21))",
        "twice 42",
        compiler="gcc",
    ),
    "pybind11": Reader(_EXTENSION, "twice 42", compiler="g++"),
    "find-libpython": Reader(
        "import find_libpython, os\nprint(os.path.basename(find_libpython.find_libpython()))", "libpython3.13"
    ),
}


def _alike(name: str) -> list[str]:
    """The readers that ask for the same as this one, which share an executable."""
    asks = {row.test: (row.files, row.keep) for row in table().readers}
    return [reader for reader in READERS if asks[reader] == asks[name]]


def _recipe(readers: Iterable[str]) -> Recipe:
    return Recipe("readers", (), project=f"readers[{','.join(readers)}]", pythons=("3.13",))


Told = Callable[[str, str], str]


@pytest.fixture(scope="session")
def told(build_scie: BuildScie, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A function from a reader and `lift.pack` to what its program prints, wherever it is installed."""
    base = tmp_path_factory.mktemp("readers-base")

    def run(name: str, pack: str) -> str:
        recipe = _recipe(READERS if pack == _FILES else _alike(name))
        executable = build_scie(Scie(recipe, "3.13", pack=pack))
        directory = tmp_path_factory.mktemp("work")
        environment = {
            "PEX_INTERPRETER": "1",
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "200",
            "PYTHONPATH": str(directory),
        }
        program = "import sys\n" + READERS[name].program.replace("'PREFIX'", "sys.prefix")
        done = start(executable, "-c", program, base=base, environment=environment, directory=directory)
        assert done.returncode == 0, done.stderr.decode()
        text = done.stdout.decode().replace(str(directory), "{work}")
        text = re.sub(
            r"(passed|failed|error|errors|ran|run|tests?|collected)( \w+)? in \d+\.\d+s", r"\1", text
        )
        return re.sub(rf"{base}/\w+/[0-9a-f]{{64}}", "{installed}", text)

    return run


@pytest.mark.parametrize("name", READERS)
def test_a_reader_reads_packed_modules_as_files(told: Told, name: str) -> None:
    reader = READERS[name]
    if reader.compiler is not None and shutil.which(reader.compiler) is None:
        pytest.skip(f"there is no {reader.compiler}")
    from_files = told(name, _FILES)
    assert reader.told in from_files
    assert told(name, "") == from_files
