"""One tree of packages, as files and packed: a real CPython gives the same answers about both."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from czscie.pack.compiler import Compiler
from czscie.pack.module_code import expressions_of
from czscie.pack.pack import NAME, Bytecode, Module, render
from e2e import answers
from e2e.conftest import PYTHONS
from e2e.packed_tree import Twins, copy_twice

#: Beside the mirror's, those that are installed here.
_OTHERS = ("3.9", "3.10", "3.12", "3.14")

#: What is known to differ: the question, and where.
_KNOWN = {
    # CPython 3.9's reader is the loader.
    "3.9": {'resources 15: type(outer.__loader__.get_resource_reader("outer")).__name__'},
}


_WITH_SITE = "import sys; sys.path.append(f'{sys.prefix}/lib/python3.{sys.version_info[1]}/site-packages')\n"


_AT_THE_END = """
import alone, linecache, sys, traceback
class Late:
    def __init__(self):
        try:
            alone.fail()
        except LookupError as error:
            self.error = error
    def __del__(self):
        traceback.print_exception(type(self.error), self.error, self.error.__traceback__)
sys.late = late = Late()
"""


@dataclass(frozen=True, slots=True)
class Trees:
    """Two CPythons with the same packages in `site-packages`, of files and packed."""

    twins: Twins

    @classmethod
    def make(cls, python: Path, directory: Path) -> Trees:
        twins = copy_twice(python, directory)
        trees = cls(twins)
        for each in (twins.files, twins.packed):
            shutil.rmtree(trees.site_packages(each))
            _write(trees.site_packages(each), answers.DATA)
        _write(trees.site_packages(twins.files), answers.MODULES)
        cached = trees.site_packages(twins.files) / "outer/no_newline.py"
        subprocess.run([twins.files, "-m", "compileall", "-q", cached], check=True)
        (trees.site_packages(twins.packed) / NAME).write_bytes(_pack(twins.packed))
        return trees

    def site_packages(self, python: Path) -> Path:
        return python.parent.parent / "lib" / f"python{self.twins.minor_version}" / "site-packages"

    def run(self, *arguments: str, **environment: str) -> list[tuple[int, str, str]]:
        """What a program does with files and what it does packed: its exit code, output and errors."""
        told = []
        for python in (self.twins.files, self.twins.packed):
            done = subprocess.run(
                [python, *arguments],
                env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", **environment},
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=240,
            )
            root = str(python.parent.parent)
            output, errors = (
                re.sub(r"in \d\.\d+s", "in a moment", text.replace(root, "ROOT"))
                for text in (done.stdout, done.stderr)
            )
            told.append((done.returncode, output, errors))
        return told


def _write(site_packages: Path, files: dict[str, str]) -> None:
    for path, data in _encoded(files).items():
        (site_packages / path).parent.mkdir(parents=True, exist_ok=True)
        (site_packages / path).write_bytes(data)


def _encoded(files: dict[str, str]) -> dict[str, bytes]:
    return {path: text.encode("latin-1" if "latin" in path else "utf-8") for path, text in files.items()}


def _pack(python: Path) -> bytes:
    compiler = Compiler.probe(python, str(python))
    assert compiler is not None
    sources = _encoded(answers.MODULES)
    codes = compiler.compile(list(sources.items())).results
    modules = [Module(path, code, sources[path]) for path, code in zip(sources, codes, strict=True)]
    expressions = expressions_of(compiler.expressions(list(sources.items())).results)
    return render(modules, Bytecode(compiler.magic, xz=True), expressions)


@pytest.fixture(scope="module", params=[*PYTHONS, *_OTHERS])
def trees(
    request: pytest.FixtureRequest, interpreters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Trees:
    python = interpreters.get(request.param) or _installed(request.param)
    return Trees.make(python, tmp_path_factory.mktemp(f"trees-{request.param}"))


def _installed(minor: str) -> Path:
    base = Path(sys.base_prefix).parent
    found = sorted(base.glob(f"*/bin/python{minor}"))
    if (first := shutil.which(f"python{minor}")) is not None:
        found.insert(0, Path(first))
    for python in found:
        if Compiler.probe(python, minor) is not None:
            return python
    pytest.skip(f"there is no CPython {minor} here")


def test_programs_get_the_same_answers(trees: Trees) -> None:
    files, packed = trees.run("-I", "-B", answers.__file__)
    assert files[0] == 0, files[2]
    assert packed[0] == 0, packed[2]
    of_files, of_packed = json.loads(files[1]), json.loads(packed[1])
    assert len(of_files) > 300
    known = _KNOWN.get(trees.twins.minor_version, set())
    different = {
        question: {"files": answer, "packed": of_packed[question]}
        for question, answer in of_files.items()
        if answer != of_packed[question] and question not in known
    }
    assert different == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "alone", "an argument"),
        ("-m", "outer"),
        ("-m", "outer.deep.er"),
        ("-m", "outer.nothing"),
        ("-m", "space"),
        ("-m", "unittest", "outer.test_it", "-q"),
        ("-m", "doctest", "-v", "{site}/outer/data.txt"),
        ("-m", "pydoc", "outer.inner"),
        ("-m", "inspect", "alone"),
        ("-m", "inspect", "--details", "alone:fail"),
        ("-m", "dis", "/dev/null"),
        ("-m", "py_compile", "/dev/null"),
        ("-m", "runpy", "alone"),
        ("-m", "trace", "--listfuncs", "--module", "alone"),
        ("-m", "modulefinder", "/dev/null"),
        ("-c", "import alone; alone.fail()"),
        ("-O", "-c", "import alone; alone.fail()"),
        ("-OO", "-c", "import alone; print(alone.__doc__, alone.__spec__.cached)"),
        (
            "-c",
            "import threading, alone; t = threading.Thread(target=alone.fail, name='T'); t.start()",
        ),
        ("-c", "import alone; alone.warn(); alone.warn(2)"),
        ("-W", "error::UserWarning", "-c", "import alone; alone.warn()"),
        ("-W", "error:::__main__", "-c", "import re; re.compile('[[a]')"),
        ("-W", "always", "-c", "import re\nre.compile('[[a]')\nre.compile('[[b]')"),
        ("-W", "error", "-c", "import re; re.compile('a(?P<x>')"),
        ("-c", _AT_THE_END),
        ("-c", "import outer.nothing"),
        ("-c", "from outer import nothing"),
        ("-c", "exec(compile('import alone\\nalone.fail()', 'made up', 'exec'))"),
        (
            "-X",
            "pycache_prefix=/nowhere",
            "-c",
            "import outer.inner as m; print(m.__spec__.cached)",
        ),
        ("-I", "-S", "-B", "-c", f"{_WITH_SITE}import alone; alone.fail()"),
        ("-i", "-c", "import alone; alone.fail()"),
        ("-X", "dev", "-c", "import alone, outer.deep.er; print(alone.VALUE)"),
        ("-bb", "-c", "import alone; print(alone.VALUE)"),
        ("-x", "/dev/null"),
    ],
    ids=lambda arguments: " ".join(arguments)[:50],
)
def test_commands_print_the_same(trees: Trees, arguments: tuple[str, ...]) -> None:
    told = []
    for number, python in enumerate((trees.twins.files, trees.twins.packed)):
        site = str(trees.site_packages(python))
        told.append(trees.run(*(each.replace("{site}", site) for each in arguments))[number])
    assert told[1] == told[0]


def test_entries_of_the_path_that_are_not_there_do_no_harm(trees: Trees) -> None:
    program = "import alone, json, outer.deep.er; alone.fail()"
    files, packed = trees.run("-c", program, PYTHONPATH="/nothing:relative:/nothing.zip:/dev/null/x")
    assert packed == files
    assert "LookupError" in files[2]


def test_the_times_of_imports_name_the_same_modules(trees: Trees) -> None:
    program = "import alone, outer.deep.er, space.one, json, importlib.resources"
    files, packed = (
        [line.rpartition("|")[2] for line in errors.splitlines()]
        for _, _, errors in trees.run("-X", "importtime", "-c", program)
    )
    assert [line for line in packed if not line.strip().startswith("_czscie_")] == files


def test_what_is_compiled_with_the_flag_is_kept_in_the_same_places(trees: Trees) -> None:
    def kept(python: Path) -> list[str]:
        return sorted(
            str(path.relative_to(trees.site_packages(python)))
            for path in trees.site_packages(python).rglob("*.opt-1.pyc")
        )

    trees.run("-O", "-c", "import alone, outer.deep.er, space.sub.two", PYTHONDONTWRITEBYTECODE="")
    assert kept(trees.twins.packed) == kept(trees.twins.files) != []


def test_loaders_with_hooks_of_their_own_keep_what_they_compile_in_the_same_places(trees: Trees) -> None:
    """As the import hooks of typeguard, beartype and jaxtyping do."""
    program = """
import importlib, importlib.machinery as machinery, importlib._bootstrap_external as external, sys
def cached(path, debug_override=None, *, optimization=None):
    return machinery.PathFinder and plain(path, optimization="hooked")
plain = external.cache_from_source
class Loader(machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):
        return super().source_to_code(bytes(data).replace(b"deeper", b"hooked"), path)
    def exec_module(self, module):
        external.cache_from_source = cached
        try:
            super().exec_module(module)
        finally:
            external.cache_from_source = plain
class Finder:
    def find_spec(self, name, path=None, target=None):
        spec = machinery.PathFinder.find_spec(name, path, target)
        if name == "outer.deep.er":
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec
sys.meta_path.insert(0, Finder())
import outer.deep.er
print(outer.deep.er.VALUE)
"""
    for _ in range(2):
        files, packed = trees.run("-c", program, PYTHONDONTWRITEBYTECODE="")
        assert packed == files == (0, "hooked\n", "")
    names = [
        [path.name for path in trees.site_packages(python).rglob("*hooked.pyc")]
        for python in (trees.twins.files, trees.twins.packed)
    ]
    assert names[0] == names[1] != []
