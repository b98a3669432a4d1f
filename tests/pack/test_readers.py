from __future__ import annotations

import re

import pytest
from packaging.utils import canonicalize_name

from czscie.lift.interpreter import PARTS
from czscie.lift.pack import PackSettings
from czscie.pack.readers import read_by, table
from e2e.test_judged import JUDGED
from e2e.test_packages import PACKAGES
from e2e.test_readers import READERS


def test_rows_are_of_distributions_by_their_normalised_names_and_each_has_one() -> None:
    for names in (
        [name for row in table().readers for name in row.distributions],
        [row.distribution for row in table().harmless],
    ):
        assert names == [canonicalize_name(name) for name in names]
        assert len(names) == len(set(names))


def test_rows_of_readers_ask_for_something_that_there_is() -> None:
    for row in table().readers:
        assert row.files or row.keep
        assert {*row.files} <= {"*", "stdlib/*"}
        assert {*row.keep} <= {*PARTS}


def test_rows_have_a_test_or_a_reason() -> None:
    tests = {
        "e2e/test_packages.py": {each.distribution for each in PACKAGES},
        "e2e/test_judged.py": {*JUDGED},
    }
    for row in table().readers:
        assert row.test in READERS or row.test.startswith("not run: "), row.test
    for judged in table().harmless:
        assert judged.distribution in tests[judged.test]


def test_harmless_lines_name_their_modules() -> None:
    for row in table().harmless:
        assert row.lines or row.namespaces
        assert all(re.match(r"[^ :]+\.py: \S", line) for line in row.lines)


def test_readers_make_modules_files_and_keep_parts() -> None:
    read = read_by({"pylint", "astroid", "cython", "moo"}, PackSettings(files=("moo",)))
    assert read.settings == PackSettings(files=("moo", "*", "stdlib/*"))
    assert read.keep == {"headers"}
    assert read.notes == (
        "files: the payload's modules, as astroid and pylint may read them",
        "files: the standard library's modules, as astroid and pylint may read them",
        "kept: headers, as cython may need it",
    )


def test_without_readers_nothing_changes() -> None:
    settings = PackSettings(files=("moo",))
    read = read_by({"moo", "numpy"}, settings)
    assert (read.settings, read.keep, read.notes) == (settings, frozenset(), ())


@pytest.mark.parametrize(
    ("settings", "files"),
    [
        (PackSettings(readers=False), ()),
        (PackSettings(stdlib=False), ()),
        (PackSettings(packages="all"), ("stdlib/*",)),
        (PackSettings(packages="none"), ("stdlib/*",)),
        (PackSettings(), ("*", "stdlib/*")),
    ],
)
def test_the_manifest_overrules_readers(settings: PackSettings, files: tuple[str, ...]) -> None:
    assert read_by({"pylint"}, settings).settings.files == files
