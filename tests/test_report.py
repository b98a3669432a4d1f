from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console as RichConsole

from composition.factories import executable
from czscie import report
from czscie.console import Console
from czscie.container.manifest import Boot, Command, LiftManifest, Needs, OwnLibc
from czscie.report import as_json, needs, print_contents, print_digests
from czscie.scie.assemble import assemble
from czscie.scie.inspect import Contents, read_scie
from scie.factories import Tree, part


def contents(
    directory: Path,
    platform: str = "linux-x86_64",
    wanted: Needs | None = None,
    name: str = "moo",
    libc: OwnLibc | None = None,
) -> Contents:
    launcher = directory / "launcher"
    launcher.write_bytes(b"launcher" * 20_000)
    parts = [
        part(directory, "cpython", Tree({"a": b"a" * 1_500_000, "b": b"b" * 4_000}, links={"c": "a"})),
        part(directory, "payload", Tree({"moo.py": b"print('moo')"}), "app"),
    ]
    lift = LiftManifest(
        name="moo",
        platform=platform,
        files=(),
        boot=Boot({"": Command(exe="x")}),
        needs=wanted or Needs(),
        libc=libc,
    )
    assemble(directory / name, launcher, "0.1.0", parts, lift)
    return read_scie(directory / name)


def test_the_table_tells_sizes_packed_and_unpacked(tmp_path: Path) -> None:
    found = contents(tmp_path)
    stream = io.StringIO()
    print_contents(found, RichConsole(file=stream, width=200))
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert lines[0] == [str(tmp_path / "moo")]
    assert lines[1] == ["packed", "unpacked", "files"]
    assert lines[2] == ["launcher", "0.1.0", "0.2", "MB"]
    assert lines[3][:5] == ["interpreter", "cpython", "the", "part", "cpython"]
    assert lines[3][-3:] == ["1.5", "MB", "2"]
    assert lines[4][:2] == ["app", "payload"]
    assert lines[4][-3:] == ["0.0", "kB", "1"]
    assert lines[5][0] == "total"
    assert lines[5][-3:] == ["1.5", "MB", "3"]
    assert lines[6] == f"needs {needs(found)}".split()


@pytest.mark.parametrize(
    ("listed", "line"),
    [(5, "wheels herd 2.0 (5.2 MB), cow 1.0 (4.2 kB)"), (1, "wheels herd 2.0 (5.2 MB) and 1 more")],
)
def test_the_largest_wheels_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: int, line: str
) -> None:
    monkeypatch.setattr(report, "_LISTED", listed)
    stream = io.StringIO()
    print_contents(read_scie(executable(tmp_path / "moo")), RichConsole(file=stream, width=200))
    assert stream.getvalue().splitlines()[-1] == line


def test_every_digest_is_told(tmp_path: Path) -> None:
    stream = io.StringIO()
    found = contents(tmp_path)
    print_digests(found, RichConsole(file=stream, width=20))
    first, launcher, *parts = stream.getvalue().splitlines()
    assert first == f"sha256 {found.sha256}"
    assert launcher == f"launcher {found.manifest.scie.jump.hash}"
    assert [line.split()[-1] for line in parts] == [part.part.digest for part in found.parts]


def test_no_number_is_cut_on_a_narrow_terminal(tmp_path: Path) -> None:
    stream = io.StringIO()
    print_contents(contents(tmp_path), RichConsole(file=stream, width=50))
    assert "1.5 MB" in stream.getvalue()
    assert "…" not in stream.getvalue()


def test_names_with_brackets_and_colons_are_printed_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    print_contents(contents(tmp_path, name="[red]a:key:[x]"), Console().results)
    assert capsys.readouterr().out.splitlines()[0].strip() == str(tmp_path / "[red]a:key:[x]")


@pytest.mark.parametrize(
    ("platform", "wanted", "words"),
    [
        ("linux-x86_64", Needs(glibc="2.17"), "linux-x86_64, glibc >= 2.17, "),
        ("linux-aarch64", Needs(), "linux-aarch64, "),
        ("musl-linux-x86_64", Needs(musl=True), "linux-x86_64, musl, "),
        ("windows-x86_64", Needs(), "windows-x86_64, "),
    ],
)
def test_needs_are_words(tmp_path: Path, platform: str, wanted: Needs, words: str) -> None:
    found = needs(contents(tmp_path, platform, wanted))
    assert found == f"{words}1.5 MB in a directory that allows execution"


@pytest.mark.parametrize(
    ("always", "words"), [(False, "glibc >= 2.17 or no C library"), (True, "no C library")]
)
def test_a_c_library_that_comes_along_need_not_be_there(tmp_path: Path, always: bool, words: str) -> None:
    libc = OwnLibc(loader="/lib64/ld.so", plans={}, always=always)
    assert f", {words}, " in needs(contents(tmp_path, wanted=Needs(glibc="2.17"), libc=libc))


def test_json_holds_the_same_for_programs(tmp_path: Path) -> None:
    found = contents(tmp_path)
    document = json.loads(json.dumps(as_json(found)))
    assert document["path"] == str(tmp_path / "moo")
    assert document["size"] == (tmp_path / "moo").stat().st_size
    assert document["sha256"] == found.sha256
    assert document["manifest"]["scie"]["lift"]["name"] == "moo"
    first, second = document["parts"]
    assert first["name"] == "cpython"
    assert first["kind"] == "interpreter"
    assert first["digest"] == found.parts[0].plan.digest()
    assert first["packed"] == found.parts[0].part.size
    assert first["unpacked"] == 1_504_000
    assert first["files"] == 2
    assert [entry["name"] for entry in first["entries"]] == ["a", ".group-000.zip"]
    assert first["entries"][0]["size"] == 1_500_000
    assert second["name"] == "payload"
