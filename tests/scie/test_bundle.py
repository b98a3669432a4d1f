"""Application bundles: what is in them, judged by a signer and a verifier that know nothing of czscie."""

from __future__ import annotations

import hashlib
import io
import os
import plistlib
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import czscie
from building import Project
from czscie import mach_o
from czscie.cache import cache_directory
from czscie.container.manifest import Command
from czscie.errors import CzscieError
from czscie.launchers.build import file_name
from czscie.lift.macos import Bundle
from czscie.platforms import find_platform
from czscie.scie.bundle import check_bundle, write_bundle
from czscie.scie.inspect import Contents, read_scie
from czscie.session import Session
from czscie.verify.file import verify_file
from czscie.verify.rebuild import rebuild
from mach_o_image import ARM64, image, judge, sign_as_developer
from scie.factories import Tree, part, scie

ICON = b"icns" + (8 + 16).to_bytes(4, "big") + b"ic07" + (16).to_bytes(4, "big") + b"8 bytes!"
NO_CERTIFICATE = ["no cryptographic signature present"]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    icon = tmp_path / "cow.icns"
    icon.write_bytes(ICON)
    return Bundle(
        name="Moo & Co",
        identifier="com.example.moo",
        icon=icon,
        version="6.1",
        category="public.app-category.utilities",
        high_resolution=True,
        usage={"NSCameraUsageDescription": "To see <cows>"},
    )


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    launcher = tmp_path / "launcher"
    launcher.write_bytes(image(ARM64))
    tree = Tree({"lib/large": bytes(range(256)) * 100}, programs={"bin/python": b"python"})
    parts = [part(tmp_path, "cpython", tree)]
    commands = {"": Command(exe="{cpython}/bin/python")}
    scie(tmp_path / "moo", launcher, parts, commands, platform=find_platform("macos-aarch64"))
    return read_scie(tmp_path / "moo")


def tree(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }


def special_slots(executable: Path) -> dict[int, bytes]:
    """The hashes that the first CodeDirectory has of what is not in the file, by slot."""
    data = executable.read_bytes()
    at = data.index(b"\xfa\xde\x0c\x02")
    hashes, count = (int.from_bytes(data[at + place : at + place + 4], "big") for place in (16, 24))
    return {slot: data[at + hashes - 32 * slot :][:32] for slot in range(1, count + 1)}


def test_a_bundle_has_what_the_finder_looks_for(tmp_path: Path, contents: Contents, bundle: Bundle) -> None:
    app = tmp_path / "Moo.app"
    executable = write_bundle(app, contents, bundle, "11.0")
    assert executable == app / "Contents/MacOS/moo"
    assert executable.stat().st_mode == contents.path.stat().st_mode
    files = tree(app)
    assert sorted(files) == [
        "Contents/Info.plist",
        "Contents/MacOS/moo",
        "Contents/PkgInfo",
        "Contents/Resources/icon.icns",
        "Contents/_CodeSignature/CodeResources",
    ]
    assert files["Contents/PkgInfo"] == b"APPL????"
    assert files["Contents/Resources/icon.icns"] == ICON
    assert plistlib.loads(files["Contents/Info.plist"]) == {
        "CFBundleDevelopmentRegion": "en",
        "CFBundleDisplayName": "Moo & Co",
        "CFBundleExecutable": "moo",
        "CFBundleIconFile": "icon.icns",
        "CFBundleIdentifier": "com.example.moo",
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": "Moo & Co",
        "CFBundlePackageType": "APPL",
        "CFBundleShortVersionString": "6.1",
        "CFBundleVersion": "6.1",
        "LSApplicationCategoryType": "public.app-category.utilities",
        "LSMinimumSystemVersion": "11.0",
        "NSCameraUsageDescription": "To see <cows>",
        "NSHighResolutionCapable": True,
    }


def test_its_signature_covers_the_whole_bundle(tmp_path: Path, contents: Contents, bundle: Bundle) -> None:
    executable = write_bundle(tmp_path / "Moo.app", contents, bundle, "11.0")
    files = tree(tmp_path / "Moo.app/Contents")
    assert special_slots(executable) == {
        1: hashlib.sha256(files["Info.plist"]).digest(),
        2: bytes(32),
        3: hashlib.sha256(files["_CodeSignature/CodeResources"]).digest(),
    }
    resources = plistlib.loads(files["_CodeSignature/CodeResources"])
    assert resources["files2"] == {"Resources/icon.icns": {"hash2": hashlib.sha256(ICON).digest()}}
    assert judge(executable) == NO_CERTIFICATE
    assert verify_file(executable).problems == ()
    assert read_scie(executable).manifest == contents.manifest


def test_another_signer_seals_the_same(tmp_path: Path, contents: Contents, bundle: Bundle) -> None:
    """apple-codesign makes its own seal of what is there: it has to come to the same hashes and rules, though
    it adds one for systems before 10.11.
    """
    pytest.importorskip("apple_platform")
    from apple_platform import reading, signing

    executable = write_bundle(tmp_path / "Moo.app", contents, bundle, "11.0")
    signing.sign(tmp_path / "Moo.app", tmp_path / "signed/Moo.app", digests=["sha256"], timestamp_url="none")
    ours, theirs = (
        plistlib.loads((path / "Contents/_CodeSignature/CodeResources").read_bytes())
        for path in (tmp_path / "Moo.app", tmp_path / "signed/Moo.app")
    )
    del theirs["files2"]["Resources/icon.icns"]["hash"]
    assert ours == theirs
    signed = tmp_path / "signed/Moo.app/Contents/MacOS/moo"
    info = f"Info (1): {special_slots(executable)[1].hex()}"
    for each in (executable, signed):
        assert info in str(reading.read_signature(each))
    assert verify_file(signed).problems == ()


def test_a_developer_can_sign_the_bundle(tmp_path: Path, contents: Contents, bundle: Bundle) -> None:
    write_bundle(tmp_path / "Moo.app", contents, bundle, "11.0")
    sign_as_developer(tmp_path / "Moo.app", tmp_path / "signed.app")
    executable = tmp_path / "signed.app/Contents/MacOS/moo"
    assert judge(executable) == []
    assert verify_file(executable).problems == ()
    assert read_scie(executable).manifest == contents.manifest


def test_equal_inputs_give_equal_bundles_and_replace_what_is_there(
    tmp_path: Path, contents: Contents, bundle: Bundle
) -> None:
    app = tmp_path / "Moo.app"
    write_bundle(app, contents, replace(bundle, version="1"), "11.0")
    (app / "Contents/Resources/old").write_text("of another build")
    write_bundle(app, contents, bundle, "11.0")
    (tmp_path / "other").mkdir()
    write_bundle(tmp_path / "other/Moo.app", contents, bundle, "11.0")
    assert tree(app) == tree(tmp_path / "other/Moo.app")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_bundle_without_an_icon_seals_nothing(tmp_path: Path, contents: Contents) -> None:
    executable = write_bundle(tmp_path / "moo.app", contents, Bundle.of("moo"), "10.15")
    files = tree(tmp_path / "moo.app/Contents")
    info = plistlib.loads(files["Info.plist"])
    assert (info["CFBundleIdentifier"], info["LSMinimumSystemVersion"]) == ("moo", "10.15")
    assert not {"CFBundleIconFile", "CFBundleVersion", "LSApplicationCategoryType"} & info.keys()
    assert plistlib.loads(files["_CodeSignature/CodeResources"])["files2"] == {}
    assert judge(executable) == NO_CERTIFICATE


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_no_bundle_is_not_replaced(
    tmp_path: Path, contents: Contents, bundle: Bundle, kind: str
) -> None:
    app = tmp_path / "Moo.app"
    if kind == "file":
        app.write_text("mine")
    elif kind == "directory":
        (app / "mine").mkdir(parents=True)
    else:
        app.symlink_to(tmp_path / "nowhere")
    with pytest.raises(CzscieError, match="it exists and is not an application bundle"):
        write_bundle(app, contents, bundle, "11.0")
    assert app.is_symlink() or app.exists()


def test_a_bundle_that_fails_leaves_the_one_before(
    tmp_path: Path, contents: Contents, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = tmp_path / "Moo.app"
    write_bundle(app, contents, bundle, "11.0")
    before = tree(app)

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(mach_o, "sign", fail)
    with pytest.raises(CzscieError, match=r"cannot write .*Moo\.app\n  Input/output error"):
        write_bundle(app, contents, replace(bundle, version="7"), "11.0")
    assert tree(app) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


KILLED = """\
import os, sys
from pathlib import Path
from czscie import mach_o
from czscie.lift.macos import Bundle
from czscie.scie.bundle import write_bundle
from czscie.scie.inspect import read_scie
mach_o.sign = lambda *_: os.kill(os.getpid(), 9)
write_bundle(Path(sys.argv[1]), read_scie(Path(sys.argv[2])), Bundle.of("moo"), "11.0")
"""


def test_a_killed_build_leaves_nothing_under_the_final_name(tmp_path: Path, contents: Contents) -> None:
    app = tmp_path / "moo.app"
    path = str(Path(czscie.__file__).parents[1])
    killed = [sys.executable, "-c", KILLED, str(app), str(contents.path)]
    assert subprocess.run(killed, env={**os.environ, "PYTHONPATH": path}).returncode == -9
    assert not app.exists()
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".moo.app.")]
    write_bundle(app, contents, Bundle.of("moo"), "11.0")
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize("data", [b"", b"icns", ICON[:-1], ICON + b"x", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_an_icon_that_is_none_is_told(tmp_path: Path, bundle: Bundle, data: bytes) -> None:
    icon = tmp_path / "other.icns"
    icon.write_bytes(data)
    with pytest.raises(CzscieError, match=r"other\.icns is not a macOS icon"):
        check_bundle(replace(bundle, icon=icon))
    with pytest.raises(CzscieError, match=r"cannot read the icon .*nowhere\n  No such file"):
        check_bundle(replace(bundle, icon=tmp_path / "nowhere"))
    check_bundle(bundle)
    check_bundle(None)


def test_the_seal_is_counted_where_a_file_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    seal = mach_o.Seal(b"", b"")
    bare = image() + bytes(1 << 12)
    largest = len(mach_o.signed(bare, "moo"))
    monkeypatch.setattr(mach_o, "_SIZE_MAX", largest)
    assert len(mach_o.signed(bare, "moo")) == largest
    with pytest.raises(CzscieError, match="the executable moo is too large for macOS"):
        mach_o.sign(io.BytesIO(bare), "moo", seal)


@pytest.mark.parametrize(
    ("platforms", "name"),
    [(("macos-aarch64",), "moo.app"), (("macos-aarch64", "linux-x86_64"), "moo-macos-aarch64.app")],
)
def test_a_build_writes_the_bundle_and_tells_its_executable(
    project: Project, platforms: tuple[str, ...], name: str
) -> None:
    launcher = cache_directory("launchers") / file_name("macos-aarch64")
    launcher.write_bytes(image(ARM64))
    project.manifest(platforms=platforms, rest="[lift.macos]\nbundle = true\n")
    made = [each.path.relative_to(project.directory / "dist").as_posix() for each in project.build()]
    stem = name.removesuffix(".app")
    linux = ["moo-linux-x86_64"] if len(platforms) == 2 else []
    assert made == [stem, f"{name}/Contents/MacOS/moo", *linux]
    info = plistlib.loads((project.directory / "dist" / name / "Contents/Info.plist").read_bytes())
    assert info["LSMinimumSystemVersion"] == "11.0"
    executable = project.directory / "dist" / name / "Contents/MacOS/moo"
    assert rebuild(executable, project.directory / "lift.toml", Session.of()) == ()
    again = shutil.copytree(project.directory / "dist", project.directory / "before")
    project.build()
    assert tree(again) == tree(project.directory / "dist")


def test_a_broken_icon_stops_the_build_before_anything_is_made(project: Project) -> None:
    (project.directory / "moo.icns").write_bytes(b"no icon")
    rest = '[lift.macos.bundle]\nicon = "moo.icns"\n'
    project.manifest(platforms=("macos-aarch64",), rest=rest)
    with pytest.raises(CzscieError, match=r"moo\.icns is not a macOS icon"):
        project.build()
    assert not (project.directory / "dist").exists()
    project.manifest(platforms=("linux-x86_64",), rest=rest)
    assert [each.path.name for each in project.build()] == ["moo"]
