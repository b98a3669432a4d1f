from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from czex.test_convert import GNU, MOO, make, wheel_file
from czscie.czex.convert import Converted, convert
from czscie.czex.provisions import provisions, wheel_digest
from czscie.errors import CzscieError
from czscie.lift.bare import Bare
from czscie.platforms import ANY_GLIBC, find_platform

SITE_PACKAGES = "lib/python3.13/site-packages"
ALL = Bare(certificates=True, tzdata=True)
CERTIFI = "certifi-1.0-py3-none-any.whl"


def provided(tmp_path: Path, bare: Bare, **wheels: bytes) -> Converted:
    pex = make(tmp_path, {MOO: wheel_file("moo", {"moo.py": b""})} | wheels)
    wanted = provisions(bare, GNU.platform)
    return convert(pex, None, GNU, ANY_GLIBC, tmp_path / "moo.czex", 3, provisions=wanted)


def test_nothing_is_added_that_nobody_asked_for(tmp_path: Path) -> None:
    assert provisions(Bare(), GNU.platform) == ()
    assert provided(tmp_path, Bare()).description == "1 wheel"


def test_what_is_asked_for_is_that_of_czscies_own_environment(tmp_path: Path) -> None:
    made = provided(tmp_path, ALL)
    assert made.description == "3 wheels"
    paths = {file.path for file in made.plan.files}
    assert {f"{SITE_PACKAGES}/certifi/cacert.pem", f"{SITE_PACKAGES}/tzdata/zoneinfo/Asia/Kathmandu"} <= paths
    version = metadata.version("certifi")
    assert f"{SITE_PACKAGES}/certifi-{version}.dist-info/METADATA" in paths
    assert not [path for path in paths if path.endswith(("INSTALLER", ".pyc"))]


def test_the_bill_of_materials_lists_it_as_the_payloads(tmp_path: Path) -> None:
    made = provided(tmp_path, ALL)
    assert {component.name for component in made.components} == {"moo", "certifi", "tzdata"}
    assert made.required == ("certifi", "moo", "tzdata")


def test_the_payloads_own_is_kept(tmp_path: Path) -> None:
    own = wheel_file("certifi", {"certifi/cacert.pem": b"own"})
    made = provided(tmp_path, Bare(certificates=True), **{CERTIFI: own})
    assert made.description == "2 wheels"
    assert [component.version for component in made.components if component.name == "certifi"] == ["1.0"]


def test_windows_has_certificates_and_no_time_zones() -> None:
    wanted = provisions(ALL, find_platform("windows-x86_64"))
    assert [wheel.project for wheel in wanted] == ["tzdata"]


def test_another_version_is_another_digest() -> None:
    certifi, tzdata = provisions(ALL, GNU.platform)
    assert wheel_digest(certifi) == wheel_digest(provisions(ALL, GNU.platform)[0])
    assert wheel_digest(certifi) != wheel_digest(tzdata)


def test_an_environment_without_the_files_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(CzscieError, match="certifi is not installed as files"):
        provisions(ALL, GNU.platform)
