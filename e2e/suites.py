"""The test suites of libraries, run in an executable and in a plain virtual environment of the same CPython.

    python -m e2e.suites NAME... [--python 3.13] [--seconds 300] [--tests ARGUMENTS] [--keep DIRECTORY]

prints each test whose outcome differs. The suites are in suites.toml.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from e2e.build import Builder, Scie
from e2e.cache import cached
from e2e.interpreters import mirror_directory, unpack_interpreters
from e2e.pexes import Recipe
from e2e.server import serve
from e2e.situation import Distribution, write_wheel
from e2e.ways import make_environment, make_pex

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = Path(__file__).with_name("suites.toml")

#: Installed with the library: a plugin of pytest that keeps the outcome of each test as soon as it has one.
RECORDER = "suite_recorder"
RECORDER_SOURCE = """\
import os

_OUTCOMES = os.environ["SUITE_OUTCOMES"]  # tests may change the environment


def _keep(name, outcome):
    with open(_OUTCOMES, "a", encoding="utf-8") as stream:
        stream.write(f"{outcome}\\t{name!a}\\n")


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        _keep(report.nodeid, "xfailed" if hasattr(report, "wasxfail") else report.outcome)


def pytest_collectreport(report):
    if report.outcome == "failed":
        _keep(report.nodeid, "not collected")
"""

#: pytest reads modules (readers.toml), so all of the payload would be files. What is tested is packed as any
#: dependency is, but for tests that are installed with it, and what makes packages of their directories.
PACK = "readers = false"
PACK_WITH_TESTS = f'{PACK}\nfiles = ["*/tests/*", "*/conftest.py", "*/__init__.py"]'

_UNITTEST = re.compile(r"^(\w+) \(([\w.]+)\)(?:\n.*)? \.\.\. (ok|FAIL|ERROR|skipped|expected failure)", re.M)
_TRIAL = re.compile(r"^( *)([\w.]+)(?: \.\.\. +\[(\w+)\])?$")


class Suite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the table, whose head says what the keys are."""

    requires: list[str]
    tests: list[str]
    sdist: str | None = None
    remove: list[str] = []
    runner: str = "pytest"
    flaky: list[str] = []
    variables: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Run:
    """The outcome of each test by its name, what it printed, and its exit status: None where time ran out."""

    outcomes: dict[str, str]
    output: str
    status: int | None

    @property
    def ended(self) -> bool:
        return self.status is not None

    @property
    def broke_off(self) -> bool:
        """Whether it was more than tests that failed: what pytest, trial and unittest exit with 1 for."""
        return self.status not in (0, 1, None)


@dataclass(frozen=True, slots=True)
class Difference:
    """A test with two outcomes."""

    test: str
    plain: str
    packed: str

    def __str__(self) -> str:
        return f"{self.test}: {self.plain} in the environment, {self.packed} in the executable"


def read_table(path: Path = TABLE) -> dict[str, Suite]:
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, Suite])


def compare(suite: Suite, plain: Run, packed: Run) -> list[Difference]:
    """The tests that differ. If one run did not end, only those that both came to."""
    names = {*plain.outcomes, *packed.outcomes}
    if not (plain.ended and packed.ended):
        names = {*plain.outcomes} & {*packed.outcomes}
    found = []
    for name in sorted(names):
        one, other = plain.outcomes.get(name, "absent"), packed.outcomes.get(name, "absent")
        if one != other and not any(fnmatchcase(name, pattern) for pattern in suite.flaky):
            found.append(Difference(name, one, other))
    return found


def run_suite(
    suite: Suite, python: Sequence[str | Path], directory: Path, seconds: int, variables: Mapping[str, str]
) -> Run:
    """Runs the tests with `python`, a command that is one, in `directory`, which is made."""
    directory.mkdir(parents=True)
    where = unpack_sdist(suite, directory / "tests")
    outcomes = directory / "outcomes"
    environment = {
        "PATH": os.defpath,
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "LC_ALL": "C.UTF-8",
        "SUITE_OUTCOMES": str(outcomes),
        **suite.variables,
        **variables,
    }
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(
            [*python, *command(suite)],
            cwd=where,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            kill_all_of(process)
    text = (directory / "output").read_text(encoding="utf-8", errors="backslashreplace")
    if suite.runner == "pytest":
        kept = outcomes.read_text(encoding="utf-8") if outcomes.exists() else ""
        return Run(read_outcomes(kept.replace(str(directory), "{directory}")), text, status)
    read = read_trial if suite.runner == "trial" else read_unittest
    return Run(read(text), text, status)


def kill_all_of(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and what it has left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def command(suite: Suite) -> list[str]:
    """The arguments of Python that run the tests."""
    if suite.runner == "trial":
        return ["-m", "twisted.trial", "--reporter=bwverbose", *suite.tests]
    if suite.runner != "pytest":
        return [suite.runner, *suite.tests]
    options = [
        "-p",
        RECORDER,
        "-p",
        "no:cacheprovider",
        "-q",
        "--tb=short",
        "--continue-on-collection-errors",
    ]
    return ["-m", "pytest", *options, *suite.tests]


def read_outcomes(text: str) -> dict[str, str]:
    """What the recorder kept. A test that fails while it is torn down has failed."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        outcome, _, name = line.partition("\t")
        if found.get(name) != "failed":
            found[name] = outcome
    return found


def read_unittest(text: str) -> dict[str, str]:
    words = {"ok": "passed", "FAIL": "failed", "ERROR": "failed", "skipped": "skipped"}
    return {where: words.get(word, "xfailed") for _, where, word in _UNITTEST.findall(text)}


def read_trial(text: str) -> dict[str, str]:
    """The outcomes in a tree of modules, classes and tests, by their path in it."""
    found: dict[str, str] = {}
    path: list[str] = []
    for line in text.splitlines():
        if line.startswith("=" * 20):  # the failures follow
            break
        if match := _TRIAL.match(line):
            del path[len(match[1]) // 2 :]
            path.append(match[2])
            if match[3] is not None:
                found["/".join(path)] = match[3]
    return found


def unpack_sdist(suite: Suite, directory: Path) -> Path:
    """The source distribution without the library, where the wheel does not bring the tests; else nothing."""
    directory.mkdir()
    if suite.sdist is None:
        return directory
    (archive,) = download_sdist(suite.sdist).iterdir()
    with tarfile.open(archive) as tar:
        tar.extractall(directory, filter="data")
    (root,) = directory.iterdir()
    for name in suite.remove:
        shutil.rmtree(root / name)
    return root


def download_sdist(requirement: str) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", requirement.partition("==")[0], requirement]

    def download(out: Path) -> None:
        subprocess.run([*command, "--dest", out], check=True)

    return cached("sdist", [requirement], download)


def install(name: str, suite: Suite, python: Path, directory: Path) -> tuple[Path, Path]:
    """The Python of a plain environment, and a PEX, with the library as a dependency of theirs."""
    content = directory / "content"
    content.mkdir(parents=True)
    (content / f"{RECORDER}.py").write_text(RECORDER_SOURCE)
    wheels = directory / "wheels"
    wheels.mkdir()
    write_wheel(Distribution(f"suite-{name}", "1", suite.requires), content, wheels)
    return (
        make_environment([f"suite-{name}"], wheels, suite.requires, python, directory / "environment"),
        make_pex([f"suite-{name}"], wheels, suite.requires, [python], directory / "suite.pex"),
    )


def count_packed(environment: Path, base: Path) -> tuple[int, int]:
    """How many modules in the site-packages of `environment` are no files below `base`, and of how many."""
    (plain,) = environment.glob("lib/python*/site-packages")
    (packed,) = base.glob("apps/*/lib/python*/site-packages")
    modules = [path.relative_to(plain) for path in plain.glob("**/*.py")]
    return sum(not (packed / path).exists() for path in modules), len(modules)


def run_both(name: str, suite: Suite, minor: str, directory: Path, seconds: int) -> tuple[Run, Run]:
    mirror = mirror_directory()
    python = unpack_interpreters(mirror)[minor]
    plain, pex = install(name, suite, python, directory)
    pack = PACK if suite.sdist or suite.runner != "pytest" else PACK_WITH_TESTS
    with serve(mirror) as server:
        scie = Scie(Recipe(f"suite-{name}", ()), minor, pack=pack)
        executable = Builder(server.url, directory / "cache").build(scie, pex, directory / "build")
    variables = {"CZSCIE_BASE": str(directory / "base"), "PEX_INTERPRETER": "1"}
    return (
        run_suite(suite, [plain], directory / "plain", seconds, {}),
        run_suite(suite, [executable], directory / "packed", seconds, variables),
    )


def main() -> int:
    table = read_table()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "names", nargs="+", choices=sorted(table), metavar="NAME", help=", ".join(sorted(table))
    )
    parser.add_argument("--python", default="3.13", help="which CPython of the mirror")
    parser.add_argument("--seconds", type=int, default=300, help="how long each of the two runs may take")
    parser.add_argument(
        "--tests", type=shlex.split, help="arguments in place of the table's: a part of a suite"
    )
    parser.add_argument("--keep", type=Path, help="where everything is to stay")
    options = parser.parse_args()
    count = 0
    with tempfile.TemporaryDirectory(prefix="czscie-suites-") as scratch:
        for name in options.names:
            directory = (options.keep or Path(scratch)) / name
            shutil.rmtree(directory, ignore_errors=True)
            suite = table[name]
            if options.tests:
                suite = msgspec.structs.replace(suite, tests=options.tests)
            plain, packed = run_both(name, suite, options.python, directory, options.seconds)
            differences = compare(suite, plain, packed)
            report(name, plain, packed, differences)
            number, modules = count_packed(directory / "environment", directory / "base")
            print(f"  {number:,} of {modules:,} modules of the payload were packed", flush=True)
            count += len(differences) + plain.broke_off + packed.broke_off
    return min(count, 1)


def report(name: str, plain: Run, packed: Run, differences: Sequence[Difference]) -> None:
    both = {*plain.outcomes} & {*packed.outcomes}
    ended = "" if plain.ended and packed.ended else ", not to their end"
    counts = json.dumps(
        {kind: list(plain.outcomes.values()).count(kind) for kind in sorted({*plain.outcomes.values()})}
    )
    print(f"{name}: {len(both)} tests{ended} {counts}, {len(differences)} differ", flush=True)
    for difference in differences:
        print(f"  {difference}", flush=True)
    for where, run in (("environment", plain), ("executable", packed)):
        if run.broke_off:
            print(
                f"  broke off in the {where} with exit status {run.status}:\n{run.output[-2000:]}", flush=True
            )


if __name__ == "__main__":
    sys.exit(main())
