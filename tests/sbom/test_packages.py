from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

from czex.factories import CPYTHON_313, files, metadata
from czscie.container.content import Data, File
from czscie.sbom.packages import declared_licences, packages_beside, wheel_components
from czscie.wheel.wheel import Wheel

APPROVED = "License :: OSI Approved"


def licences(*lines: str) -> tuple[str, ...]:
    head = ("Metadata-Version: 2.4", "Name: moo", "Version: 1")
    return declared_licences("\n".join((*head, *lines, "")).encode())


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("License-Expression: MIT OR 0BSD", f"Classifier: {APPROVED} :: ISC License (ISCL)"), "MIT OR 0BSD"),
        (("License: apache-2.0", f"Classifier: {APPROVED} :: Apache Software License"), "Apache-2.0"),
        ((f"Classifier: {APPROVED}", f"Classifier: {APPROVED} :: MIT License", "License: BSD"), "MIT"),
        (("License: Moo Public Licence", "Classifier: Topic :: Moo"), "Moo Public Licence"),
        (("License: Copyright (c) a cow", "        All rights reserved."), "Copyright (c) a cow"),
    ],
)
def test_the_most_exact_licence_that_is_told_counts(lines: tuple[str, ...], expected: str) -> None:
    assert licences(*lines) == (expected,)


def test_a_classifier_that_means_several_licences_stays_a_name() -> None:
    assert licences(
        f"Classifier: {APPROVED} :: BSD License", f"Classifier: {APPROVED} :: MIT License", "License: UNKNOWN"
    ) == ("BSD License", "MIT")


def test_no_licence_is_none() -> None:
    assert licences("License: UNKNOWN", f"Classifier: {APPROVED}") == ()


def wheel(filename: str, name: str, archive: bytes | None) -> Wheel:
    contents = {**metadata(name, "1.0+local"), "moo.py": b""}
    content = None if archive is None else Data(archive)
    return Wheel.read(filename, files(contents), spread=False, label="x.pex", archive=content)


def test_a_wheel_is_listed_by_its_file_and_the_files_digest() -> None:
    listed = wheel_components(
        [
            wheel("moo-1.0+local-py3-none-any.whl", "moo", b"zip"),
            wheel("Cow.Calf-1.0+local-py3-none-any.whl", "Cow.Calf", None),
        ],
        {"": {"moo"}, "moo": {"cow-calf"}},
    )
    calf, moo = listed
    assert (moo.purl, moo.sha256) == ("pkg:pypi/moo@1.0%2Blocal", hashlib.sha256(b"zip").hexdigest())
    assert moo.properties == {"czscie:wheel": "moo-1.0+local-py3-none-any.whl"}
    assert moo.needs == ("cow-calf",)
    assert (calf.reference, calf.name, calf.sha256) == ("cow-calf", "Cow.Calf", None)


def test_a_wheel_says_why_modules_of_it_are_files() -> None:
    cow = wheel("cow-1.0+local-py3-none-any.whl", "cow", None)
    [listed] = wheel_components([cow], {}, {"cow": "cow.py uses __file__", "other": "other"})
    assert listed.properties["czscie:files"] == "cow.py uses __file__"


def test_libraries_in_a_wheel_are_listed_and_its_modules_are_not() -> None:
    tree = {
        **metadata("moo"),
        "moo/_rust.abi3.so": b"\x7fELF\0OpenSSL 3.5.4 30 Sep 2025\0",
        "moo/_speedups.cpython-313-x86_64-linux-gnu.so": b"\x7fELF",
        "moo.libs/libz-0af1e5f3.so.1.3.1": b"\x7fELF\0 inflate 1.3.1 Copyright 1995-2024 Mark Adler \0",
        "moo.libs/libquadmath-96973f99-934c22de.so.0.0.0": b"\x7fELF",
    }
    moo = Wheel.read("moo-1.0-py3-none-any.whl", files(tree), spread=False, label="x.pex")
    listed, *libraries = wheel_components([moo], {"moo": {"cow"}})
    assert [(each.reference, each.version) for each in libraries] == [
        ("moo/libquadmath", None),
        ("moo/openssl", "3.5.4"),
        ("moo/zlib", "1.3.1"),
    ]
    assert listed.needs == ("cow", "moo/libquadmath", "moo/openssl", "moo/zlib")


def test_packages_that_come_with_an_interpreter_are_listed() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as bundled:
        for name, data in metadata("pip", "25.2").items():
            bundled.writestr(name, data)
    packages = "lib/python3.13/site-packages"
    tree = {
        f"{packages}/pip-25.3.dist-info/METADATA": metadata("pip", "25.3")["pip-25.3.dist-info/METADATA"],
        f"{packages}/pip/_vendor/moo-1.dist-info/METADATA": b"",
        "lib/python3.13/ensurepip/_bundled/pip-25.2-py3-none-any.whl": stream.getvalue(),
    }
    found = list(packages_beside([File(path, Data(data)) for path, data in tree.items()], CPYTHON_313))
    assert [each.purl for each in found] == ["pkg:pypi/pip@25.3", "pkg:pypi/pip@25.2"]
    assert len({each.reference for each in found}) == 2
    assert [each.sha256 for each in found] == [None, hashlib.sha256(stream.getvalue()).hexdigest()]
