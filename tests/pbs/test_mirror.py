from __future__ import annotations

import pytest

from czscie.errors import CzscieError
from czscie.pbs.mirror import OFFICIAL, Mirror, without_secrets


def test_the_manifest_comes_before_our_variable_and_that_before_uvs() -> None:
    everything = {"CZSCIE_PBS_URL": "https://ours/", "UV_PYTHON_INSTALL_MIRROR": "file:///uvs"}
    only_uvs = {"UV_PYTHON_INSTALL_MIRROR": "file:///uvs"}
    assert Mirror.find("http://manifests/x/", everything) == Mirror("http://manifests/x", "base_url")
    assert Mirror.find(None, everything) == Mirror("https://ours", "CZSCIE_PBS_URL")
    assert Mirror.find(None, only_uvs) == Mirror("file:///uvs", "UV_PYTHON_INSTALL_MIRROR")
    assert Mirror.find(None, {"CZSCIE_PBS_URL": ""}) == Mirror(OFFICIAL, "the default")


def test_github_has_one_place_for_a_release_and_another_for_the_newest() -> None:
    mirror = Mirror.find(None, {})
    assert mirror.directories("20261021") == (
        "https://github.com/astral-sh/python-build-standalone/releases/download/20261021",
    )
    assert mirror.latest == (
        "https://raw.githubusercontent.com/astral-sh/python-build-standalone/latest-release/latest-release.json"
    )


def test_a_mirror_may_be_laid_out_in_three_ways() -> None:
    mirror = Mirror.find("file:///mirror", {})
    assert mirror.directories("20261021") == (
        "file:///mirror/20261021",
        "file:///mirror/download/20261021",
        "file:///mirror",
    )
    assert mirror.latest == "file:///mirror/latest-release.json"


def test_a_mirror_that_is_no_url_is_refused() -> None:
    with pytest.raises(CzscieError) as caught:
        Mirror.find(None, {"CZSCIE_PBS_URL": "ftp://me:secret@host/x"})
    assert str(caught.value) == (
        "error: CZSCIE_PBS_URL is 'ftp://host/x', which is not a URL of a mirror\n"
        "  it has to begin with https://, http:// or file://"
    )


def test_secrets_are_not_shown() -> None:
    assert without_secrets("https://me:secret@host:8080/x?token=secret") == "https://host:8080/x"
    assert str(Mirror("https://me:secret@host/x", "base_url")) == "https://host/x (base_url)"
