from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.lift.manifest import read_manifest
from czscie.lift.package_indexes import NO_INDEXES, PackageIndexes, is_link_url

HEAD = """\
[lift]
name = "moo"
[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
version = "3.13"
[lift.payload]
"""


def read(directory: Path, payload: str) -> PackageIndexes:
    (directory / "lift.toml").write_text(HEAD + payload)
    lift = read_manifest(directory / "lift.toml")
    assert lift.payload is not None
    return lift.payload.indexes


def test_nothing_is_named_by_default(tmp_path: Path) -> None:
    indexes = read(tmp_path, 'requirements = ["cow"]')
    assert indexes == NO_INDEXES
    assert indexes.settings({"PIP_FIND_LINKS": "here"}) == {}
    assert not indexes.is_local


def test_directories_are_relative_to_the_manifest_and_may_have_spaces(tmp_path: Path) -> None:
    indexes = read(tmp_path, 'requirements = ["cow"]\nfind_links = ["my wheels", "https://a.example/links"]')
    assert indexes.find_links == (f"{tmp_path.as_uri()}/my%20wheels", "https://a.example/links")
    assert indexes.settings({"PIP_FIND_LINKS": "/mine"}) == {
        "PIP_FIND_LINKS": f"/mine {tmp_path.as_uri()}/my%20wheels https://a.example/links"
    }


def test_an_index_replaces_that_of_the_settings(tmp_path: Path) -> None:
    urls = 'index = "https://a.example/simple"\nextra_index = ["https://b.example/simple"]'
    indexes = read(tmp_path, f'requirements = ["cow"]\n{urls}')
    assert indexes.settings({"PIP_INDEX_URL": "https://c.example", "PIP_NO_INDEX": "1"}) == {
        "PIP_INDEX_URL": "https://a.example/simple",
        "PIP_NO_INDEX": "0",
        "PIP_EXTRA_INDEX_URL": "https://b.example/simple",
    }


@pytest.mark.parametrize(("links", "local"), [("wheels", True), ("https://a.example/links", False)])
def test_directories_alone_need_no_network(tmp_path: Path, links: str, local: bool) -> None:
    indexes = read(tmp_path, f'requirements = ["cow"]\nno_index = true\nfind_links = ["{links}"]')
    assert indexes.is_local == local
    assert indexes.settings({})["PIP_NO_INDEX"] == "1"


def test_without_an_index_directories_replace_those_of_the_settings(tmp_path: Path) -> None:
    indexes = read(tmp_path, 'requirements = ["cow"]\nno_index = true\nfind_links = ["wheels"]')
    assert indexes.settings({"PIP_FIND_LINKS": "/mine"}) == {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": f"{tmp_path.as_uri()}/wheels",
    }


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ('requirements = ["cow"]\nindex = "https://me:secret@a.example/simple"', "these belong in ~/.netrc"),
        ('requirements = ["cow"]\nextra_index = ["a.example"]', "lift.payload.extra_index[0]: "),
        ('requirements = ["cow"]\nno_index = true\nindex = "https://a.example"', "no_index is true"),
        ('pex = "moo.pex"\nfind_links = ["wheels"]', "no pex beside it"),
        ('requirements = ["cow"]\nextras = ["cli"]', "lift.payload.extras: found an array, allowed: project"),
        ('requirements = ["cow"]\ngroups = ["dev"]', "lift.payload.groups: found an array, allowed: project"),
        ('project = "."\nextras = ["c li"]', "the name of an extra"),
    ],
)
def test_what_has_no_meaning_is_refused(tmp_path: Path, payload: str, problem: str) -> None:
    with pytest.raises(CzscieError) as error:
        read(tmp_path, payload)
    assert problem in str(error.value)
    assert "secret" not in str(error.value)


def test_a_drive_of_windows_is_no_scheme() -> None:
    assert not is_link_url("C:\\wheels")
    assert is_link_url("file:///wheels")


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "my wheels").mkdir()
    read(
        tmp_path, 'requirements = ["cow"]\nfind_links = ["my wheels", "https://a.example"]'
    ).check_directories()
    with pytest.raises(CzscieError) as caught:
        read(tmp_path, 'requirements = ["cow"]\nfind_links = ["my wheelz"]').check_directories()
    assert caught.value.what == f"there is no directory {tmp_path / 'my wheelz'}"
    assert caught.value.hint == f"did you mean {tmp_path / 'my wheels'}?"
