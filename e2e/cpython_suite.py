"""CPython's own tests, run by a CPython whose modules are files and by its twin whose modules are packed.

    python -m e2e.cpython_suite --python PATH/bin/python3.13 [--keep DIRECTORY] [MODULE...]

prints each test whose outcome differs. The given CPython needs its package `test`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree

from e2e.packed_tree import Twins, copy_twice

#: What exercises imports, and what reads the files of modules. Not every CPython has them all.
MODULES = (
    *("test_import", "test_importlib", "test_pkg", "test_pkgutil", "test_runpy", "test_modulefinder"),
    *("test_frozen", "test_module", "test_namespace_pkgs", "test_threaded_import", "test_zipimport"),
    *("test_zipimport_support", "test_zipapp", "test_inspect", "test_traceback", "test_linecache"),
    *("test_warnings", "test_codecs", "test_code", "test_marshal", "test_reprlib", "test_pyclbr"),
    *("test_compileall", "test_py_compile", "test_tokenize", "test_source_encoding", "test_support"),
    *("test_cmd_line", "test_cmd_line_script", "test_site", "test_sysconfig", "test_venv", "test_getpath"),
    *("test_sys", "test_sys_settrace", "test_atexit", "test_audit", "test_faulthandler", "test_threading"),
    *("test_thread", "test_interpreters", "test__interpreters", "test__xxsubinterpreters"),
    *("test_subprocess", "test_fork1", "test_concurrent_futures", "test_multiprocessing_main_handling"),
    *("test_multiprocessing_fork", "test_multiprocessing_forkserver", "test_multiprocessing_spawn"),
    *("test_pydoc", "test_doctest", "test_doctest2", "test_unittest", "test_pdb", "test_bdb", "test_trace"),
    *("test_profile", "test_cprofile", "test_tracemalloc", "test_gc", "test_weakref", "test_pickle"),
    *("test_copyreg", "test_logging", "test_warnings", "test_encodings", "test_locale", "test_zoneinfo"),
    *("test_enum", "test_dataclasses", "test_typing", "test___all__", "test_asyncio", "test_ensurepip"),
    *("test_argparse", "test_tabnanny", "test_urllib2", "test_zipfile", "test_re"),
    *("test_utf8_mode", "test_regrtest", "test_symtable", "test_dis", "test_ast", "test_types"),
)

#: Tests that look at files of the library themselves, or at the names of importlib's classes, and why they
#: differ (docs/explained/packing.md). `*` stands for anything.
EXPLAINED = {
    "test.test_argparse.TestEncoding.*": "it opens argparse.py",
    "test.test_bdb.StateTestCase.test_skip": "the finder's calls are traced, importlib's are not",
    "test.test_imp.ImportTests.test_multiple_calls_to_get_data": "it opens imp.py",
    "test.test_linecache.LineCacheTests.test_getline": "it opens linecache.py",
    "*._TestImportStar.test_import": "it lists the files of multiprocessing",
    "*.PydocDocTest.test_input_strip": "it runs pydoc.py by its path",
    "*.PydocDocTest.test_not_ascii": "it runs pydoc.py by its path",
    "*.PydocDocTest.test_not_here": "it runs pydoc.py by its path",
    "*.PydocDocTest.test_synopsis_sourceless": "it opens the bytecode of os",
    "*.PydocImportTest.test_badimport": "it runs pydoc.py by its path",
    "test.test_tabnanny.TestCommandLine.test_command_usage": "it looks for tabnanny.py on the path",
    "test.test_urllib2.TrivialTests.test_trivial": "it opens the file of urllib.request",
}

#: For one module's tests; whoever takes longer is compared as far as it came.
_SECONDS = 300
_PRINTED = re.compile(r"^(\w+) \(([\w.]+)\)(?:\n.*)? \.\.\. (ok|FAIL|ERROR|skipped)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """What the tests of one module did: each test's name with its outcome, and all that was printed.

    `ended` is whether they came to their end in time.
    """

    outcomes: dict[str, str]
    output: str
    ended: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A test that did one thing where modules are files and another where they are packed."""

    test: str
    files: str
    packed: str

    @property
    def why(self) -> str | None:
        """The explanation, None where there is none yet."""
        return next((why for pattern, why in EXPLAINED.items() if fnmatchcase(self.test, pattern)), None)

    def __str__(self) -> str:
        why = "" if self.why is None else f" ({self.why})"
        return f"{self.test}: {self.files} with files, {self.packed} packed{why}"


def run_module(python: Path, module: str, arguments: Sequence[str] = (), seconds: int = _SECONDS) -> Run:
    """Runs the tests `module` (`test_import`) of the interpreter `python`; none if it has not that module."""
    with tempfile.TemporaryDirectory(prefix="czscie-suite-") as directory:
        report = Path(directory, "report.xml")
        command = [str(python), "-m", "test", "-v", "--junit-xml", str(report), *arguments, module]
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=_environment(Path(directory)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, _ = process.communicate()
            return Run(_printed_outcomes(output), output, ended=False)
        return Run(_outcomes(report), output, ended=True)


def compare(
    twins: Twins, module: str, arguments: Sequence[str] = (), seconds: int = _SECONDS
) -> tuple[Run, Run, list[Difference]]:
    """What the tests of `module` did with files, what they did packed, and where that differs."""
    with ThreadPoolExecutor(2) as pool:
        files, packed = pool.map(
            lambda python: run_module(python, module, arguments, seconds), (twins.files, twins.packed)
        )
    names = {*files.outcomes, *packed.outcomes}
    if not (files.ended and packed.ended):
        names = {*files.outcomes} & {*packed.outcomes}
    differences = [
        Difference(name, files.outcomes.get(name, "absent"), packed.outcomes.get(name, "absent"))
        for name in sorted(names)
        if files.outcomes.get(name) != packed.outcomes.get(name)
    ]
    return files, packed, differences


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}


def _printed_outcomes(output: str) -> dict[str, str]:
    """The outcomes of those tests that came to their end before all were ended."""
    words = {"ok": "passed", "FAIL": "failed", "ERROR": "failed", "skipped": "skipped"}
    return {
        where if where.endswith(f".{name}") else f"{where}.{name}": words[word]
        for name, where, word in _PRINTED.findall(output)
    }


def _outcomes(report: Path) -> dict[str, str]:
    """`passed`, `failed` or `skipped` for each test in a report; empty when there is none."""
    if not report.exists():
        return {}
    found: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name")
        if not name:  # a subtest; its test follows
            continue
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            found[name] = "failed"
        elif "skipped" in kinds or case.get("result") == "skipped":
            found.setdefault(name, "skipped")
        else:
            found.setdefault(name, "passed")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--python", type=Path, required=True, help="a CPython with its package `test`")
    parser.add_argument("--keep", type=Path, help="where the copies and the logs are to stay")
    parser.add_argument("modules", nargs="*", default=MODULES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="czscie-twins-") as scratch:
        directory = options.keep or Path(scratch)
        shutil.rmtree(directory, ignore_errors=True)
        twins = copy_twice(options.python, directory)
        (directory / "logs").mkdir()
        count = 0
        found: list[Difference] = []
        for module in dict.fromkeys(options.modules):
            files, packed, differences = compare(twins, module)
            (directory / "logs" / f"{module}.txt").write_text(packed.output)
            ended = "" if files.ended and packed.ended else ", not to their end"
            print(f"{module}: {len(files.outcomes)} tests{ended}, {len(differences)} differ", flush=True)
            for difference in differences:
                print(f"  {difference}", flush=True)
            count += len(files.outcomes)
            found += differences
    unexplained = [each for each in found if each.why is None]
    print(
        f"CPython {twins.minor_version}: {count} tests, {len(found)} differ, {len(unexplained)} unexplained"
    )
    return min(len(unexplained), 1)


if __name__ == "__main__":
    sys.exit(main())
