from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from czex.factories import write_zip
from czex.test_convert import GNU, MOO, make, wheel_file
from czscie.czex.convert import Conversion, Converted, convert
from czscie.errors import CzscieError
from czscie.wheel.wheel import read_wheels

SITE_PACKAGES = "lib/python3.13/site-packages"
CERTIFI = "certifi-1.0-py3-none-any.whl"
TZDATA = "tzdata-1.0-py3-none-any.whl"


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Wheels to add, as files."""
    (tmp_path / "cache").mkdir()
    found = {
        CERTIFI: wheel_file("certifi", {"certifi/cacert.pem": b"new"}),
        TZDATA: wheel_file("tzdata", {"tzdata/zoneinfo/Asia/Kathmandu": b"TZif"}),
    }
    for name, data in found.items():
        (tmp_path / "cache" / name).write_bytes(data)
    return [tmp_path / "cache" / name for name in found]


def provided(tmp_path: Path, paths: list[Path], **wheels: bytes) -> Converted:
    pex = make(tmp_path, {MOO: wheel_file("moo", {"moo.py": b""})} | wheels)
    return convert(pex, tmp_path / "moo.czex", Conversion(GNU, 3, provisions=read_wheels(paths)))


def test_the_files_of_added_wheels_are_in_the_environment(tmp_path: Path, paths: list[Path]) -> None:
    made = provided(tmp_path, paths)
    assert made.description == "3 wheels"
    found = {file.path for file in made.plan.files}
    assert {f"{SITE_PACKAGES}/certifi/cacert.pem", f"{SITE_PACKAGES}/tzdata/zoneinfo/Asia/Kathmandu"} <= found
    assert f"{SITE_PACKAGES}/certifi-1.0.dist-info/METADATA" in found


def test_the_bill_of_materials_lists_them_with_the_digests_of_their_files(
    tmp_path: Path, paths: list[Path]
) -> None:
    made = provided(tmp_path, paths)
    listed = {component.name: component.sha256 for component in made.components}
    assert listed.keys() == {"moo", "certifi", "tzdata"}
    assert [listed["certifi"], listed["tzdata"]] == [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    ]
    assert made.required == ("certifi", "moo", "tzdata")


def test_the_payloads_own_is_kept(tmp_path: Path, paths: list[Path]) -> None:
    name = CERTIFI.replace("1.0", "0.9")
    made = provided(tmp_path, paths, **{name: wheel_file("certifi", {"a": b"own"}, version="0.9")})
    assert made.description == "3 wheels"
    assert [component.version for component in made.components if component.name == "certifi"] == ["0.9"]


def test_what_is_no_wheel_is_an_error(tmp_path: Path) -> None:
    (tmp_path / CERTIFI).write_bytes(b"no zip")
    with pytest.raises(CzscieError, match=f"{CERTIFI} is damaged, or not a zip file"):
        read_wheels([tmp_path / CERTIFI])
    write_zip(tmp_path / TZDATA, {"tzdata/zones": b""})
    with pytest.raises(CzscieError, match=f"{TZDATA} .* has no metadata directory"):
        read_wheels([tmp_path / TZDATA])
