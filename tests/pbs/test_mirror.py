from __future__ import annotations

import pytest

from czscie.errors import CzscieError
from czscie.network.url import without_secrets
from czscie.pbs.mirror import OFFICIAL, Mirror, find_mirrors


def test_the_manifest_comes_before_our_variable_and_that_before_those_of_others() -> None:
    everything = {
        "CZSCIE_PBS_URL": "https://ours/",
        "UV_PYTHON_INSTALL_MIRROR": "file:///uvs",
        "PBS_INSTALLER_BASE_URL": "https://pdms/",
    }
    assert find_mirrors(["http://manifests/x/"], everything) == (Mirror("http://manifests/x", "base_url"),)
    for variable in ("CZSCIE_PBS_URL", "UV_PYTHON_INSTALL_MIRROR", "PBS_INSTALLER_BASE_URL"):
        mirrors = [Mirror(everything[variable].rstrip("/"), variable)]
        assert list(find_mirrors([], everything)) == mirrors
        del everything[variable]
    assert find_mirrors([], {"CZSCIE_PBS_URL": ""}) == (Mirror(OFFICIAL, "the default"),)


def test_several_mirrors_are_asked_in_the_order_they_are_named_in() -> None:
    environ = {"CZSCIE_PBS_URL": f"https://one/ file:///two\t{OFFICIAL}/"}
    assert [mirror.base for mirror in find_mirrors([], environ)] == ["https://one", "file:///two", OFFICIAL]
    assert [mirror.base for mirror in find_mirrors(["http://a", "http://b"], environ)] == [
        "http://a",
        "http://b",
    ]


def test_github_has_one_place_for_a_release_and_another_for_the_newest() -> None:
    [mirror] = find_mirrors([], {})
    assert mirror.directories("20261021") == (
        "https://github.com/astral-sh/python-build-standalone/releases/download/20261021",
    )
    assert mirror.latest == (
        "https://raw.githubusercontent.com/astral-sh/python-build-standalone/latest-release/latest-release.json"
    )


def test_a_mirror_may_be_laid_out_in_three_ways() -> None:
    mirror = Mirror("file:///mirror", "base_url")
    assert mirror.directories("20261021") == (
        "file:///mirror/20261021",
        "file:///mirror/download/20261021",
        "file:///mirror",
    )
    assert mirror.latest == "file:///mirror/latest-release.json"


def test_a_mirror_that_is_no_url_is_refused() -> None:
    with pytest.raises(CzscieError) as caught:
        find_mirrors([], {"CZSCIE_PBS_URL": "ftp://me:secret@host/x"})
    assert str(caught.value) == (
        "error: CZSCIE_PBS_URL is 'ftp://host/x', which is not the URL of a mirror\n"
        "  it must begin with https://, http:// or file://"
    )


def test_secrets_are_not_shown() -> None:
    assert without_secrets("https://me:secret@host:8080/x?token=secret") == "https://host:8080/x"
    assert str(Mirror("https://me:secret@host/x", "base_url")) == "https://host/x (base_url)"
