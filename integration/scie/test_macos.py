"""macOS executables with the real launchers, judged by a signer and a parser that know nothing of czscie."""

from __future__ import annotations

import hashlib
import random
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from building import RELEASE, Project, pex
from czscie import mach_o
from czscie.cache import cache_directory
from czscie.container.manifest import Boot, Command, LiftManifest, Part
from czscie.container.zip import read_directory, read_entry
from czscie.czex.inject import Compression, inject
from czscie.errors import CzscieError
from czscie.launchers.build import file_name
from czscie.pbs.assets import Asset
from czscie.platforms import find_platform
from czscie.scie import assemble as assembly
from czscie.scie.inspect import read_sbom, read_scie
from czscie.scie.stub import stub
from czscie.signature import payload_end
from czscie.verify.file import verify_file
from mach_o_image import image, judge, layout_is_right, sign_as_developer
from network.server import MirrorServer
from pbs.factories import cpython, members, tar_gz
from scie.factories import Tree, launcher_of, part, scie

#: What apple-codesign says of an ad-hoc signature.
NO_CERTIFICATE = ["no cryptographic signature present"]
NUMBERS = random.Random(1).randbytes(3 << 20)
#: What a wheel's extension module and an interpreter may be: they carry signatures of their own.
EXTENSION = mach_o.signed(image(), "extension")
BILL = b'{"components": []}\n'


@dataclass(frozen=True)
class Built:
    path: Path
    launcher: Path

    @property
    def payload(self) -> bytes:
        """What follows the launcher, up to the signature."""
        return payload_of(self.path, self.launcher.stat().st_size)


def payload_of(path: Path, start: int) -> bytes:
    data = path.read_bytes()
    with path.open("rb") as file:
        return data[start : payload_end(file, len(data))]


@pytest.fixture(scope="module", params=["macos-x86_64", "macos-aarch64"])
def moo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    directory = tmp_path_factory.mktemp(request.param)
    launcher = launcher_of(request.param)
    interpreter = Tree(
        {"lib/large": NUMBERS, "lib/x.so": EXTENSION, "lib/large.dylib": EXTENSION + NUMBERS},
        programs={"bin/python": EXTENSION},
    )
    parts = [
        part(directory, "cpython", interpreter),
        part(directory, "payload", Tree({"moo.py": b"print('moo')"}), "app"),
    ]
    platform = find_platform(request.param)
    path = directory / "moo"
    scie(path, launcher, parts, {"": Command(exe="{cpython}/bin/python")}, platform=platform, sbom=BILL)
    return Built(path, launcher)


def installed(path: Path) -> dict[str, bytes]:
    """What the launcher would write of all parts, by path."""
    found = {}
    with path.open("rb") as file:
        for each in read_scie(path).parts:
            start, size = each.part.offset, each.part.size
            entries = read_directory(file, start + size, start).entries
            contents = {entry.name: read_entry(file, entry) for entry in entries}
            for planned in each.plan.files:
                where = planned.content
                found[planned.path] = contents[where.entry][where.offset : where.offset + where.size]
    return found


@pytest.fixture
def copy(moo: Built, tmp_path: Path) -> Path:
    path = tmp_path / "copy"
    path.write_bytes(moo.path.read_bytes())
    return path


def version_of(data: bytes) -> int:
    """The oldest macOS that an image is for, from LC_BUILD_VERSION (0x32) or LC_VERSION_MIN_MACOSX (0x24)."""
    at = 32
    for _ in range(struct.unpack_from("<I", data, 16)[0]):
        kind, length = struct.unpack_from("<II", data, at)
        if kind in (0x32, 0x24):
            return int(struct.unpack_from("<I", data, at + (12 if kind == 0x32 else 8))[0])
        at += length
    raise AssertionError("it names no macOS")


def test_the_launcher_is_for_macos_as_old_as_the_pythons_are(moo: Built) -> None:
    cpu = struct.unpack_from("<I", moo.path.read_bytes(), 4)[0]
    assert version_of(moo.path.read_bytes()) == (0xB0000 if cpu == 0x0100000C else 0xA0F00)


def test_a_build_is_signed_ad_hoc_and_nothing_follows_the_signature(moo: Built) -> None:
    assert judge(moo.path) == NO_CERTIFICATE
    assert layout_is_right(moo.path)
    assert verify_file(moo.path).problems == ()
    assert read_scie(moo.path).manifest.scie.jump.size == moo.launcher.stat().st_size
    with moo.path.open("rb") as file:
        assert payload_end(file, moo.path.stat().st_size) % 16 == 0


def test_equal_inputs_give_equal_files(moo: Built, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.write_bytes(mach_o.signed(moo.launcher.read_bytes() + moo.payload, "moo"))
    assert again.read_bytes() == moo.path.read_bytes()


def test_what_a_developer_signs_is_whole(moo: Built, tmp_path: Path) -> None:
    output = tmp_path / "signed"
    sign_as_developer(moo.path, output)
    assert output.read_bytes() != moo.path.read_bytes()
    assert judge(output) == []
    assert layout_is_right(output)
    assert verify_file(output).problems == ()
    assert payload_of(output, moo.launcher.stat().st_size) == moo.payload
    assert read_scie(output).manifest == read_scie(moo.path).manifest
    assert read_sbom(output) == BILL
    sign_as_developer(output, tmp_path / "twice")
    assert judge(tmp_path / "twice") == []
    assert verify_file(tmp_path / "twice").problems == ()


def test_one_flipped_bit_of_the_payload_is_found(moo: Built, tmp_path: Path) -> None:
    output = tmp_path / "signed"
    sign_as_developer(moo.path, output)
    data = bytearray(output.read_bytes())
    data[moo.launcher.stat().st_size + (1 << 20)] ^= 1
    output.write_bytes(data)
    assert len(judge(output)) == 1
    found = [str(problem) for problem in verify_file(output).problems]
    assert "signature: signature: 1 pages differ from the signed ones" in found
    assert any(problem.startswith("cpython: lib/large") for problem in found)


def test_a_changed_launcher_is_found_when_somebody_signs_it(moo: Built, copy: Path) -> None:
    """Only what signing changes is set back: the rest has to be what was built."""
    data = bytearray(copy.read_bytes())
    for place in (0x18, 0x100, 0x1200, len(moo.launcher.read_bytes()) - 1):
        changed = bytearray(data)
        changed[place] ^= 1
        copy.write_bytes(changed)
        found = [str(problem) for problem in verify_file(copy).problems]
        assert any(problem.startswith("launcher: launcher: ") for problem in found), place


def test_what_has_lost_its_signature_is_read_and_told(moo: Built, copy: Path) -> None:
    copy.write_bytes(moo.launcher.read_bytes() + moo.payload)
    [problem] = verify_file(copy).problems
    assert str(problem).endswith("it is not signed, and Apple silicon does not start it")
    assert read_scie(copy).manifest == read_scie(moo.path).manifest


def test_mach_o_files_of_interpreter_and_wheels_are_installed_byte_for_byte(
    moo: Built, project: Project, server: MirrorServer
) -> None:
    """They keep their own signatures, through pruning and packing, in a whole build with a real launcher."""
    name = read_scie(moo.path).manifest.scie.lift.platform
    extension = mach_o.signed(image(struct.unpack_from("<I", moo.path.read_bytes(), 4)[0]), "extension")
    launchers = cache_directory("launchers")
    (launchers / file_name(name)).write_bytes(moo.launcher.read_bytes())
    binaries = {
        "bin/python3.13": extension,
        "lib/python3.13/lib-dynload/_moo.cpython-313-darwin.so": extension + b"extension",
        "lib/python3.13/large.dylib": extension + NUMBERS,
    }
    asset = Asset("3.13.9", RELEASE, find_platform(name).triple, "install_only_stripped")
    archive = tar_gz(members({**cpython(), **binaries}))
    server.files[f"/{RELEASE}/{asset.url_name}"] = archive
    sums = f"{hashlib.sha256(archive).hexdigest()}  {asset.name}\n"
    server.files[f"/{RELEASE}/SHA256SUMS"] = sums.encode()
    wheel = {"cow/_cow.abi3.so": extension + b"wheel", "cow/.dylibs/libcow.dylib": extension}
    pex(project.directory / "moo.pex", files=wheel)
    project.manifest(platforms=(name,))
    [made] = project.build(name)
    there = installed(made.path)
    site = "lib/python3.13/site-packages"
    wanted = {**binaries, **{f"{site}/{name}": data for name, data in wheel.items()}}
    assert {path: there.get(path) == data for path, data in wanted.items()} == dict.fromkeys(wanted, True)
    assert judge(made.path) == NO_CERTIFICATE
    assert verify_file(made.path).problems == ()


def test_the_launcher_of_a_czex_is_signed(tmp_path: Path) -> None:
    launcher = tmp_path / "launcher"
    launcher.write_bytes(image())
    source = pex(tmp_path / "moo.pex")
    inject(
        source, tmp_path / "moo.czex", [find_platform("macos-aarch64")], lambda name: launcher, Compression(3)
    )
    with zipfile.ZipFile(tmp_path / "moo.czex") as archive:
        data = archive.read(".czscie/launchers/macos-aarch64")
    assert data == mach_o.signed(image(), "czscie-launcher")


def test_a_stub_is_signed(moo: Built, tmp_path: Path) -> None:
    lift = LiftManifest(
        name="moo",
        platform="macos-aarch64",
        files=(Part(name="app", kind="app", digest="ab" * 32, offset=9, size=9, unpacked=9),),
        boot=Boot({"": Command(exe="{app}/moo")}),
    )
    path = tmp_path / "stub"
    path.write_bytes(stub(moo.launcher.read_bytes(), "0", lift, "/opt/moo", None))
    assert judge(path) == NO_CERTIFICATE
    assert layout_is_right(path)


def test_a_launcher_that_cannot_be_signed_is_named(moo: Built, tmp_path: Path) -> None:
    launcher = tmp_path / "launcher"
    launcher.write_bytes(moo.path.read_bytes())
    parts = [part(tmp_path, "cpython", Tree({"large": NUMBERS}))]
    with pytest.raises(CzscieError, match=r"launcher cannot be signed\n  it is already signed"):
        scie(tmp_path / "moo", launcher, parts, {}, platform=find_platform("macos-aarch64"))
    assert not (tmp_path / "moo").exists()


def test_what_is_too_large_is_refused_before_anything_is_written(
    moo: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mach_o, "_SIZE_MAX", 1 << 20)
    monkeypatch.setattr(assembly, "write_atomically", None)
    parts = [part(tmp_path, "cpython", Tree({"large": NUMBERS}))]
    with pytest.raises(CzscieError, match="the executable moo is too large for macOS"):
        scie(tmp_path / "moo", moo.launcher, parts, {}, platform=find_platform("macos-aarch64"))
