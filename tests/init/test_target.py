from __future__ import annotations

from pathlib import Path

import pytest

from czex.factories import write_zip
from czscie.errors import CzscieError
from czscie.init.target import find_manifest


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
    meant = {
        "lifted": "lifted/lift.toml",
        **{
            name: name for name in ("other.toml", "lift.json", "manifest", "missing.toml", "lifted/lift.toml")
        },
        **dict.fromkeys(("bare", "bare/pyproject.toml", "tool.py", "app.pex", "missing", "missing.pex")),
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
