from __future__ import annotations

from pathlib import Path

import pytest

from czex.factories import write_zip
from czscie.errors import CzscieError
from czscie.init.program import Program
from czscie.init.target import find_manifest
from czscie.lift.manifest import read_manifest


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_path_means_a_manifest_or_a_program() -> None:
    for directory in ("bare", "lifted"):
        Path(directory).mkdir()
        Path(directory, "pyproject.toml").write_text("")
    for manifest in ("lifted/lift.toml", "other.toml", "lift.json", "manifest"):
        Path(manifest).write_text("[lift]")
    Path("tool.py").write_text("")
    write_zip(Path("app.pex"), {"PEX-INFO": b"{}"})
    Path("truncated.pex").write_bytes(Path("app.pex").read_bytes()[:-1])
    meant = {
        "lifted": "lifted/lift.toml",
        **{
            name: name for name in ("other.toml", "lift.json", "manifest", "missing.toml", "lifted/lift.toml")
        },
        **dict.fromkeys(("bare", "bare/pyproject.toml", "tool.py", "app.pex", "missing", "missing.pex")),
        "truncated.pex": None,
    }
    found = {name: find_manifest(Path(name)) for name in meant}
    assert {name: path and str(path) for name, path in found.items()} == meant


def test_no_path_means_the_manifest_of_the_working_directory() -> None:
    Path("pyproject.toml").write_text("")
    Path("lift.toml").write_text("")
    assert find_manifest(None) == Path("lift.toml")


@pytest.mark.parametrize(
    ("files", "why", "hint"),
    [
        ((), (), "czscie build app.pex, or a directory with a pyproject.toml"),
        (("pyproject.toml",), ("it has pyproject.toml",), "czscie build ."),
        (("b.pex", "a.pex", "plain.py"), ("it has a.pex, b.pex",), "czscie build a.pex"),
        (("tool.py",), ("it has tool.py",), "czscie build tool.py"),
        (("plain.py",), ("it has plain.py",), "czscie build plain.py"),
        (("requirements.txt",), ("it has requirements.txt",), "czscie build -r requirements.txt -c NAME"),
    ],
)
def test_without_one_the_error_says_what_to_type(
    files: tuple[str, ...], why: tuple[str, ...], hint: str
) -> None:
    for name in files:
        Path(name).write_text("# /// script\n# dependencies = []\n# ///\n" if name == "tool.py" else "")
    with pytest.raises(CzscieError) as caught:
        find_manifest(None)
    assert (caught.value.what, tuple(caught.value.why), caught.value.hint) == (
        "there is no lift.toml in this directory",
        why,
        hint,
    )


@pytest.mark.parametrize(
    ("files", "named", "why", "hint"),
    [
        (("plain.py",), ".", "it has plain.py", "czscie init plain.py"),
        (
            ("plain.py", "requirements.txt"),
            ".",
            "it has plain.py, requirements.txt",
            "czscie init plain.py",
        ),
        (("tool.py", "plain.py"), ".", "it has tool.py", "czscie init tool.py"),
        (("apps/a b.py",), "apps", "it has a b.py", "czscie init 'apps/a b.py'"),
        (("requirements.txt",), ".", "it has requirements.txt", "czscie init -r requirements.txt -c NAME"),
        (("notes.md",), ".", None, "name a directory with a pyproject.toml, a PEX or a script"),
        (
            ("requirements.txt",),
            "requirements.txt",
            "a requirements file follows -r",
            "czscie init -r requirements.txt -c NAME",
        ),
        (("dev.in",), "dev.in", "a requirements file follows -r", "czscie init -r dev.in -c NAME"),
        (("hello.py",), "helo.py", "there is no such file or directory", "did you mean hello.py?"),
        (("apps/hello.py",), "apps/helo.py", None, "did you mean apps/hello.py?"),
        ((), "apps/helo.py", None, "name a directory with a pyproject.toml, a PEX or a script"),
    ],
)
def test_what_is_no_program_is_answered_with_what_is(
    files: tuple[str, ...], named: str, why: str | None, hint: str
) -> None:
    for name in files:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("# /// script\n# dependencies = []\n# ///\n" if name == "tool.py" else "")
    assert find_manifest(Path(named)) is None
    with pytest.raises(CzscieError) as caught:
        Program(Path(named), command="init").read()
    assert caught.value.what == f"{named} is not a project, a PEX or a script"
    assert why is None or caught.value.why[-1] == why
    assert caught.value.hint == hint


@pytest.mark.parametrize("content", [b"", b"#!/usr/bin/env python3\nPK\3\4"])
def test_a_damaged_pex_is_answered_as_a_pex(content: bytes) -> None:
    Path("app.pex").write_bytes(content)
    with pytest.raises(CzscieError, match=r"app\.pex is damaged, or not a zip file"):
        Program(Path("app.pex")).read()


def test_a_misspelt_file_is_answered_with_the_nearest() -> None:
    Path("requirements.txt").write_text("cow\n")
    Path("lift.toml").write_text("")
    with pytest.raises(CzscieError) as requirements:
        Program(requirements=(Path("requirments.txt"),)).read()
    with pytest.raises(CzscieError) as manifest:
        read_manifest(Path("lit.toml"))
    assert requirements.value.hint == "did you mean requirements.txt?"
    assert manifest.value.hint == "did you mean lift.toml?"
