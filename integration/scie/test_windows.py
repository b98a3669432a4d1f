"""Windows executables with the real launchers, signed and judged by a tool that knows nothing of czscie."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from pathlib import Path

import lief
import pytest

from building import Project
from czscie import authenticode, pe
from czscie.cache import cache_directory
from czscie.container.manifest import Boot, Command, LiftManifest, Part
from czscie.errors import CzscieError
from czscie.launchers.build import file_name
from czscie.platforms import find_platform
from czscie.scie import assemble as assembly
from czscie.scie.inspect import read_sbom, read_scie
from czscie.scie.stub import stub
from czscie.session import Session
from czscie.signature import payload_end
from czscie.verify.file import verify_file
from czscie.verify.findings import verify
from pe_image import certificate, image, judged, sign
from scie.factories import Tree, launcher_of, part, scie

NUMBERS = random.Random(1).randbytes(3 << 20)
BILL = b'{"components": []}\n'


@dataclass(frozen=True)
class Built:
    path: Path
    signed: Path
    pem: Path
    launcher: Path


@pytest.fixture(scope="module", params=["windows-x86_64", "windows-aarch64"])
def moo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    directory = tmp_path_factory.mktemp(request.param)
    compiled = launcher_of(request.param).read_bytes()
    launcher = directory / "launcher"
    launcher.write_bytes(pe.shaped(compiled, b"resources", windowed=True))
    assert pe.compiled(launcher.read_bytes()) == compiled
    parts = [
        part(directory, "cpython", Tree({"Lib/large": NUMBERS}, programs={"python.exe": b"MZ"})),
        part(directory, "payload", Tree({"moo.py": b"print('moo')"}), "app"),
    ]
    path = directory / "moo.exe"
    commands = {"": Command(exe="{cpython}/python.exe")}
    scie(path, launcher, parts, commands, platform=find_platform(request.param), sbom=BILL)
    pem = certificate(directory)
    sign(path, directory / "signed.exe", pem)
    return Built(path, directory / "signed.exe", pem, launcher)


def checksum_is_right(path: Path) -> bool:
    binary = lief.PE.parse(str(path))
    assert binary is not None
    return binary.optional_header.checksum == binary.compute_checksum()


def test_signing_appends_to_the_payload_and_nothing_else(moo: Built) -> None:
    built, signed = moo.path.read_bytes(), moo.signed.read_bytes()
    assert len(built) % pe.ALIGNMENT == 0
    head = len(pe.bare_head_of(io.BytesIO(built)))
    assert signed[head : len(built)] == built[head:]
    assert payload_end(io.BytesIO(signed), len(signed)) == len(built)
    assert pe.bare_head_of(io.BytesIO(signed)) == pe.bare_head_of(io.BytesIO(built))
    assert checksum_is_right(moo.path) and checksum_is_right(moo.signed)


def test_a_signed_file_is_right_and_is_read_as_before(moo: Built, tmp_path: Path) -> None:
    assert judged(moo.signed, moo.pem)
    again = tmp_path / "again.exe"
    sign(moo.path, again, certificate(tmp_path))
    for path in (moo.path, moo.signed, again):
        assert verify_file(path).problems == ()
        assert read_scie(path).manifest == read_scie(moo.path).manifest
        assert read_sbom(path) == BILL


def test_a_flipped_byte_is_found_by_the_signer_and_by_verify(moo: Built, tmp_path: Path) -> None:
    data = moo.signed.read_bytes()
    end = moo.path.stat().st_size
    damaged = tmp_path / "damaged.exe"
    launcher = moo.launcher.stat().st_size
    for place in (0x200, launcher - 1, launcher + 100, launcher + (1 << 20), end - 60_000):
        changed = bytearray(data)
        changed[place] ^= 1
        damaged.write_bytes(changed)
        assert not judged(damaged, moo.pem)
        problems = [str(each) for each in verify_file(damaged).problems]
        assert "signature: signature: the file differs from what was signed" in problems
        assert len(problems) > 1


def test_signatures_that_are_not_whole_are_told(moo: Built) -> None:
    data = moo.signed.read_bytes()
    end = moo.path.stat().st_size

    def problems(changed: bytes) -> list[str]:
        return list(authenticode.signature_problems(io.BytesIO(changed), len(changed)))

    assert problems(data) == []
    assert problems(data + b"x") == ["1 bytes follow it"]
    assert problems(data[:-8]) == ["it is damaged"]
    for place in (end, end + 6, end + 8, end + 10, end + 20):
        changed = bytearray(data)
        changed[place] ^= 0xFF
        assert problems(bytes(changed)) == ["it is damaged"], place - end
    for length in range(end, len(data), 7):
        assert problems(data[:length]) in (["it is damaged"], [])


def test_a_stub_can_be_signed(moo: Built, tmp_path: Path) -> None:
    lift = LiftManifest(
        name="moo",
        platform="windows-x86_64",
        files=(Part(name="app", kind="app", digest="ab" * 32, offset=9, size=9, unpacked=9),),
        boot=Boot({"": Command(exe="{app}/moo")}),
    )
    path = tmp_path / "stub.exe"
    path.write_bytes(stub(moo.launcher.read_bytes(), "0", lift, "C:\\moo", None))
    assert path.stat().st_size % pe.ALIGNMENT == 0
    assert checksum_is_right(path)
    sign(path, tmp_path / "signed.exe", moo.pem)
    assert judged(tmp_path / "signed.exe", moo.pem)


def test_what_was_signed_since_is_as_locked_and_is_built_again(project: Project) -> None:
    project.manifest(
        platforms=("windows-x86_64",), lift="windowed = true", rest='[lift.windows]\ncompany = "Moo"\n'
    )
    [built] = project.build()
    signed = project.directory / "signed.exe"
    sign(built.path, signed, certificate(project.directory))
    for path in (built.path, signed):
        found = verify(path, project.directory / "lift.lock", project.directory / "lift.toml", Session.of())
        assert (found.problems, found.rebuilt) == ((), ())
        assert found.lock is not None and found.lock.unknown == []


def test_another_launcher_than_the_locked_one_is_found(project: Project) -> None:
    project.manifest(platforms=("windows-x86_64",))
    [built] = project.build()

    cached = cache_directory("launchers") / file_name("windows-x86_64")
    cached.write_bytes(image(b"another"))
    lock = project.directory / "lift.lock"
    before = lock.read_text()
    lock.unlink()
    project.build(output="elsewhere")
    found = verify(project.directory / "elsewhere" / "moo.exe", None, None, Session.of())
    assert found.problems == ()
    lock.write_text(before)
    found = verify(project.directory / "elsewhere" / "moo.exe", lock, None, Session.of())
    [difference] = found.problems
    assert difference.startswith("the launcher differs from the lock: SHA-256 ")
    assert verify(built.path, lock, None, Session.of()).problems == ()


def test_a_launcher_that_cannot_be_given_resources_is_named(project: Project) -> None:
    (cache_directory("launchers") / file_name("windows-x86_64")).write_bytes(b"MZ of another kind")
    project.manifest(platforms=("windows-x86_64",))
    with pytest.raises(CzscieError, match="cannot write resources into the launcher") as caught:
        project.build()
    assert caught.value.why == ("it is not a Windows executable",)


def test_what_is_too_large_is_refused_before_anything_is_written(
    moo: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pe, "_SIZE_MAX", 1 << 20)
    monkeypatch.setattr(assembly, "write_atomically", None)
    parts = [part(tmp_path, "cpython", Tree({"large": NUMBERS}))]
    with pytest.raises(CzscieError, match="the executable moo is too large for Windows"):
        scie(tmp_path / "moo", moo.launcher, parts, {}, platform=find_platform("windows-x86_64"))


def test_a_windowed_application_starts_without_a_console(project: Project) -> None:
    for windowed, python in ((False, "python.exe"), (True, "pythonw.exe")):
        project.manifest(
            platforms=("linux-x86_64", "windows-x86_64"), lift=f"windowed = {str(windowed).lower()}"
        )
        linux, windows = project.build(output=python)
        assert windows.manifest.scie.lift.boot.commands[""].exe == f"{{payload}}/Scripts/{python}"
        assert linux.manifest.scie.lift.boot.commands[""].exe == "{payload}/bin/python"
        [payload] = [each.plan for each in windows.parts if each.part.name == "payload"]
        assert {"Scripts/python.exe", "Scripts/pythonw.exe"} <= {file.path for file in payload.files}
