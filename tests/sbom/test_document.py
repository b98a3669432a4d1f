from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import czscie
from czscie.sbom.component import Component
from czscie.sbom.document import Application, BillPart, render

APPLICATION = Application("moo", "1.0", "A cow", "linux-x86_64")
OPENSSL = Component(
    reference="openssl",
    name="openssl",
    version="3.5.4",
    purl="pkg:generic/openssl@3.5.4",
    cpe="cpe:2.3:a:openssl:openssl:3.5.4:*:*:*:*:*:*:*",
    licences=("Apache-2.0",),
    places=("lib/libssl.so.3", "lib/libcrypto.so.3", "bin/python3.13"),
)
XZ = Component(reference="xz", name="xz", version="5.8.1", certain=False, places=("bin/python3.13",))
LIBFFI = Component(reference="libffi", name="libffi", purl="pkg:generic/libffi", places=("lib/libffi.so.8",))
CPYTHON = Component(
    reference="cpython",
    name="cpython",
    version="3.13.9",
    purl="pkg:generic/cpython@3.13.9",
    licences=("Python-2.0 AND CNRI-Python",),
    sha256="ab" * 32,
    url="https://example.org/cpython-3.13.9%2B20251014.tar.gz",
    needs=("openssl", "xz", "libffi"),
)
MOO = Component(
    reference="moo",
    name="Moo",
    version="1.0",
    purl="pkg:pypi/moo@1.0",
    licences=("MIT", "BSD License"),
    needs=("cow",),
    properties={"czscie:wheel": "moo-1.0-py3-none-any.whl"},
)
COW = Component(
    reference="cow", name="cow", version="2", licences=("Moo \N{COW FACE} Licence",), needs=("moo",)
)
PARTS = [
    BillPart("cpython", (CPYTHON, OPENSSL, XZ, LIBFFI), ("cpython",)),
    BillPart("other", (CPYTHON, OPENSSL, XZ, LIBFFI), ("cpython",)),
    BillPart("payload", (MOO, COW), ("moo",)),
]


@pytest.fixture
def document() -> Any:
    return json.loads(render(APPLICATION, PARTS))


def by_reference(document: Any) -> dict[str, Any]:
    return {each["bom-ref"]: each for each in document["components"]}


def test_the_document_is_valid() -> None:
    text = render(APPLICATION, PARTS).decode()
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert error is None, error


def test_equal_components_give_equal_bytes_in_any_process_at_any_time() -> None:
    source = str(Path(czscie.__file__).parents[1])
    tests = str(Path(__file__).parents[1])
    program = (
        "import sys; from sbom.test_document import *; sys.stdout.buffer.write(render(APPLICATION, PARTS))"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": f"{source}:{tests}", "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert written == {render(APPLICATION, PARTS)}


def test_there_is_no_time_in_it_and_its_number_is_that_of_its_content(document: Any) -> None:
    assert "timestamp" not in document["metadata"]
    other = json.loads(render(APPLICATION, PARTS[:2]))
    assert document["serialNumber"].startswith("urn:uuid:")
    assert document["serialNumber"] != other["serialNumber"]


def test_an_archive_is_told_by_address_and_digest(document: Any) -> None:
    cpython = by_reference(document)["cpython/cpython"]
    assert cpython["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    [reference] = cpython["externalReferences"]
    assert (reference["type"], reference["url"]) == ("distribution", CPYTHON.url)
    assert cpython["licenses"][0]["expression"] == "Python-2.0 AND CNRI-Python"


def test_a_version_that_is_not_known_is_said_to_be_unknown(document: Any) -> None:
    libffi = by_reference(document)["cpython/libffi"]
    assert "version" not in libffi
    assert libffi["properties"] == [{"name": "czscie:version", "value": "unknown"}]


def test_a_version_that_is_not_certain_says_so(document: Any) -> None:
    components = by_reference(document)
    [identity] = components["cpython/xz"]["evidence"]["identity"]
    assert (identity["field"], identity["confidence"]) == ("version", 0.5)
    assert "identity" not in components["cpython/openssl"]["evidence"]


def test_licences_that_spdx_does_not_know_are_names(document: Any) -> None:
    components = by_reference(document)
    told = [
        each["license"].get("id") or each["license"]["name"] for each in components["payload/moo"]["licenses"]
    ]
    assert sorted(told) == ["BSD License", "MIT"]
    assert components["payload/cow"]["licenses"][0]["license"]["name"] == "Moo \N{COW FACE} Licence"


def test_what_needs_what_is_told(document: Any) -> None:
    needs = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    assert needs["application"] == ["cpython/cpython", "other/cpython", "payload/moo"]
    assert needs["cpython/cpython"] == ["cpython/libffi", "cpython/openssl", "cpython/xz"]
    assert (needs["payload/moo"], needs["payload/cow"]) == (["payload/cow"], ["payload/moo"])


def test_threads_render_the_same() -> None:
    """The library of licence expressions prepares itself at its first call, whoever calls meanwhile."""
    program = """
import sys
from concurrent.futures import ThreadPoolExecutor
from sbom.test_document import APPLICATION, PARTS, render
sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(4) as pool:
    assert len(set(pool.map(lambda _: render(APPLICATION, PARTS), range(4)))) == 1
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
