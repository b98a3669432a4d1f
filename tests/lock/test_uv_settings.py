from __future__ import annotations

from pathlib import Path

import pytest

from czscie.lift.package_indexes import NO_INDEXES, PackageIndexes
from czscie.lift.payload import Payload
from czscie.lock.uv_settings import indexes_of, local_sources, with_sources


def member(directory: Path, requires: list[str], rest: str = "") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    name = directory.name
    project = f'[project]\nname = "{name}"\nversion = "1.0"\ndependencies = {requires}\n'
    (directory / "pyproject.toml").write_text(project + rest)
    return directory


def payload(project: Path, indexes: PackageIndexes = NO_INDEXES) -> Payload:
    return Payload(None, None, project, None, None, None, None, "cpython", indexes=indexes)


def test_members_of_a_workspace_and_paths_are_directories_of_this_machine(tmp_path: Path) -> None:
    uses = "[tool.uv.sources]\nHerd_Book = { workspace = true }\n"
    root = member(tmp_path / "farm", ["herd-book"], uses + '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    book = member(
        root / "packages" / "herd-book",
        ["calf>=1", "cow"],
        '[tool.uv.sources]\ncalf = { path = "../../../calf", editable = true }\nunused = { path = "x" }\n',
    )
    calf = member(tmp_path / "calf", [])
    assert local_sources(root) == {"herd-book": book, "calf": calf}
    assert local_sources(book) == {"calf": calf}


def test_a_member_is_found_from_a_member(tmp_path: Path) -> None:
    root = member(tmp_path / "farm", [], '[tool.uv.workspace]\nmembers = ["libs/*", "apps/*"]\n')
    cow = member(root / "libs" / "cow", [])
    app = member(
        root / "apps" / "moo",
        ["cow", "farm"],
        "[tool.uv.sources]\ncow.workspace = true\nfarm.workspace = true\n",
    )
    assert local_sources(app) == {"cow": cow, "farm": root}


def test_members_that_name_each_other_end(tmp_path: Path) -> None:
    first = member(tmp_path / "a", ["b"], '[tool.uv.sources]\nb = { path = "../b" }\n')
    second = member(tmp_path / "b", ["a"], '[tool.uv.sources]\na = { path = "../a" }\n')
    assert local_sources(first) == {"b": second, "a": first}


@pytest.mark.parametrize("source", ['{ index = "x" }', '[{ path = "../b", marker = "x" }]', "1"])
def test_what_pip_has_no_word_for_is_passed_over(tmp_path: Path, source: str) -> None:
    assert local_sources(member(tmp_path / "a", ["b"], f"[tool.uv.sources]\nb = {source}\n")) == {}


def test_requirements_get_the_directories(tmp_path: Path) -> None:
    sources = {"herd-book": tmp_path / "my herd", "calf": tmp_path / "calf"}
    requirements = ['Herd.Book[cli]>=1; sys_platform == "linux"', "cow"]
    assert with_sources(requirements, sources) == (
        f'Herd.Book[cli] @ {tmp_path.as_uri()}/my%20herd ; sys_platform == "linux"',
        "cow",
        f"calf @ {tmp_path.as_uri()}/calf",
    )
    assert with_sources(["cow"], sources) == ("cow",)


def test_indexes_of_the_project_are_those_of_a_manifest_that_names_none(tmp_path: Path) -> None:
    project = member(
        tmp_path / "a",
        [],
        '[tool.uv]\nfind-links = ["wheels", "https://a.example/links"]\n'
        '[[tool.uv.index]]\nname = "x"\nurl = "https://x.example/simple"\n'
        '[[tool.uv.index]]\nname = "y"\nurl = "https://y.example/simple"\ndefault = true\n'
        '[[tool.uv.index]]\nname = "z"\nurl = "https://z.example/simple"\nexplicit = true\n',
    )
    assert indexes_of(payload(project)) == PackageIndexes(
        find_links=(f"{project.as_uri()}/wheels", "https://a.example/links"),
        index="https://y.example/simple",
        extra_index=("https://x.example/simple",),
    )
    mine = PackageIndexes(no_index=True)
    assert indexes_of(payload(project, mine)) == mine


def test_the_older_names_of_uv_are_read(tmp_path: Path) -> None:
    settings = '[tool.uv]\nindex-url = "https://a.example"\nextra-index-url = ["https://b.example"]\n'
    found = indexes_of(payload(member(tmp_path / "a", [], settings)))
    assert found == PackageIndexes(index="https://a.example", extra_index=("https://b.example",))
    offline = member(tmp_path / "b", [], "[tool.uv]\nno-index = true\n")
    assert indexes_of(payload(offline)).is_local
