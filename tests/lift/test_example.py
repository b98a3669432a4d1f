"""lift.toml.example is a manifest, shows every key, and what it shows in comments is right too."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from czscie.lift.interpreter import ALL, PARTS, PythonBuildStandalone
from czscie.lift.manifest import read_manifest
from czscie.lift.pack import PackSettings
from czscie.lift.payload import SOURCES, Payload
from czscie.lift.table import Table
from czscie.platforms import PLATFORMS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXAMPLE = Path(__file__).parents[2] / "lift.toml.example"

#: Keys that pin science's own programs.
NOT_SHOWN = {
    "lift.ptex",
    "lift.scie_jump",
}


def with_its_comments() -> str:
    """The example with every key and table that stands in a comment put into effect."""
    return re.sub(r"(?m)^# +(?=\[|[a-z_]+ = )", "", EXAMPLE.read_text(encoding="utf-8"))


def one_payload() -> str:
    """The same with one of the things that exclude each other."""
    others = (
        "requirements project script lock sources scripts default extras groups find_links index extra_index"
    )
    return re.sub(rf"(?m)^({'|'.join(others.split())}|no_index) = .*$", "", with_its_comments())


def keys(value: object, where: str = "") -> Iterator[str]:
    """The keys with those of the tables they are in, without the indices of arrays."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{where}{key}"
            yield from keys(inner, f"{where}{key}.")
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, where)


def test_the_example_is_a_manifest_that_can_be_built() -> None:
    lift = read_manifest(EXAMPLE)
    assert lift.unsupported() == ()
    assert lift.name == "cowsay"
    assert [platform.name for platform in lift.platforms] == [
        "linux-x86_64",
        "musl-linux-aarch64",
        "macos-aarch64",
        "windows-x86_64",
    ]
    assert {each.id: each for each in lift.interpreters}["cpython"] == PythonBuildStandalone(
        "cpython", "3.13.17", "20261021", "install_only_stripped", None, (), False
    )
    assert lift.payload == Payload(
        EXAMPLE.parent / "cowsay.pex", None, None, None, None, "cowsay", None, "cpython"
    )


def test_the_example_shows_the_keys_that_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    finish = Table.finish

    def finished(table: Table) -> None:
        where = "".join(f"{step}." for step in table.where if isinstance(step, str))
        read.update(where + key for key in table.known)
        finish(table)

    monkeypatch.setattr(Table, "finish", finished)
    (tmp_path / "lift.toml").write_text(one_payload(), encoding="utf-8")
    read_manifest(tmp_path / "lift.toml")
    assert {"lift.name", "lift.payload.lock", "lift.interpreters.keep"} <= read
    assert read - set(keys(tomllib.loads(with_its_comments()))) == NOT_SHOWN


@pytest.mark.parametrize("words", [(*PARTS, ALL), SOURCES, [each.name for each in PLATFORMS]])
def test_the_example_names_every_word_that_a_key_takes(words: Sequence[str]) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert [word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)] == []


def test_what_the_example_shows_in_comments_can_be_built_too(tmp_path: Path) -> None:
    manifest = tmp_path / "lift.toml"
    manifest.write_text(one_payload(), encoding="utf-8")
    lift = read_manifest(manifest)
    assert lift.unsupported() == ()
    assert [interpreter.id for interpreter in lift.interpreters] == [
        "cpython",
        "host",
        "mine",
        "pypy",
        "musl",
    ]
    assert [file.id for file in lift.files] == ["cows"]
    assert [command.name for command in lift.commands] == ["python"]
    assert lift.compression_level == 19
    assert lift.payload is not None
    assert lift.payload.glibc == (2, 28)
    assert lift.pack == PackSettings(files=("moo", "*/data/*.py"))
    assert lift.image.base == (tmp_path / "distroless.tar",)
    assert lift.macos.bundle is not None
    assert (lift.macos.bundle.name, lift.macos.bundle.icon) == ("Cow", tmp_path / "cow.icns")
