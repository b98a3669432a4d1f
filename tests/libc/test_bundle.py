from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from czscie.console import Console
from czscie.container.part import PartFile, read_plan
from czscie.errors import CzscieError
from czscie.filesystem import file_digest
from czscie.libc.bundle import BundledLibc, bundle
from czscie.lift.libc import Libc
from czscie.network.network import Network
from elf_image import elf_image
from libc.factories import X86_64, mirror
from scie.factories import Tree, part


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CZSCIE_DEBIAN_URL", raising=False)
    path = tmp_path / "debian.json"
    path.write_bytes(msgspec.json.encode(mirror(tmp_path / "mirror")))
    return path


def parts(directory: Path, *needed: str, runpath: str | None = None) -> list[PartFile]:
    interpreter = Tree(programs={"bin/python3.13": elf_image(needed=["libc.so.6"])})
    made = part(directory, "cpython", interpreter)
    payload = Tree(
        files={"lib/_c.so": elf_image(interpreter=None, needed=needed, runpath=runpath)},
        links={"bin/python": f"../../../interpreters/{made.digest}/bin/python3.13"},
    )
    return [made, part(directory, "payload", payload, "app")]


def bundled(table: Path, made: list[PartFile], **settings: object) -> BundledLibc:
    libc = Libc(packages=table, **{"bundle": "when-missing", **settings})  # type: ignore[arg-type]
    return bundle(libc, X86_64, made, 3, Network.of(), Console())


def names(made: BundledLibc) -> set[str]:
    return {Path(file.path).name for file in read_plan(made.part.path).files}


def test_every_part_has_a_variant_and_the_manifest_names_them(tmp_path: Path, table: Path) -> None:
    before = parts(tmp_path, "libm.so.6")
    made = bundled(table, before)
    assert made.manifest.loader == "/lib64/ld-linux-x86-64.so.2"
    assert made.manifest.plans.keys() == {"cpython", "payload"}
    assert not made.manifest.always and made.manifest.libraries == ()
    assert made.manifest.env == {"LOCPATH": "{.libc}/lib/locale"}
    assert (made.part.name, made.part.kind, made.part.description) == (
        ".libc",
        "libc",
        "glibc 2.41 of Debian 13 (test)",
    )
    assert [(each.name, each.digest) for each in made.parts] == [(each.name, each.digest) for each in before]
    assert all(each.entries for each in made.parts)
    assert {package.name for package in made.packages} == {"libc6", "libc-bin", "libgcc-s1", "gcc-14-base"}


def test_libraries_come_along_when_something_needs_them_or_they_are_asked_for(
    tmp_path: Path, table: Path
) -> None:
    assert "libstdc++.so.6" not in names(bundled(table, parts(tmp_path, "libm.so.6")))
    assert "libstdc++.so.6" in names(bundled(table, parts(tmp_path), libraries=("libstdc++.so.6",)))
    made = bundled(table, parts(tmp_path, "libstdc++.so.6", "libgcc_s.so.1"))
    assert "libstdc++.so.6" in names(made)
    assert made.manifest.libraries == ("libgcc_s.so.1", "libstdc++.so.6")


def test_what_only_its_own_search_path_finds_the_interpreter_loads(tmp_path: Path, table: Path) -> None:
    def plan(runpath: str | None) -> bytes:
        made = bundled(table, parts(tmp_path, "libstdc++.so.6", runpath=runpath))
        return made.parts[0].entries[0][1]

    wanted = b"libstdc++.so.6".hex().encode()
    assert wanted not in plan(None)
    assert wanted in plan("$ORIGIN")


def test_always_is_told_to_the_launcher(tmp_path: Path, table: Path) -> None:
    assert bundled(table, parts(tmp_path), bundle="always").manifest.always


def test_a_library_that_nobody_has_is_warned_of(
    tmp_path: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundled(table, parts(tmp_path, "libX11.so.6", "libc.so.6"))
    assert "not bundled, and missing on hosts without a C library: libX11.so.6\n" in capsys.readouterr().err


def test_equal_inputs_give_equal_bytes(tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = parts(tmp_path, "libm.so.6")
    one = bundled(table, made)
    first = one.part.path.read_bytes()
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "other"))
    other = bundled(table, made)
    assert (other.part.digest, other.part.path.read_bytes()) == (one.part.digest, first)
    assert [each.entries for each in other.parts] == [each.entries for each in one.parts]


def test_nothing_is_learned_from_a_damaged_part(tmp_path: Path, table: Path) -> None:
    made = parts(tmp_path, "libm.so.6")
    whole = replace(made[1], sha256=file_digest(made[1].path))
    content = bytearray(whole.path.read_bytes())
    content[-1] ^= 1
    whole.path.write_bytes(content)
    with pytest.raises(CzscieError, match="is damaged"):
        bundled(table, [made[0], whole])
