from __future__ import annotations

import getpass
import hashlib
import io
import json
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

import czscie
from building import INTERPRETERS, RELEASE, STANDALONE, Project, pex
from czex.factories import metadata, write_zip
from czscie import api, build_cache, turns
from czscie.build import build
from czscie.czex import convert, imports
from czscie.errors import CzscieError
from czscie.network.url import file_path
from czscie.pack import python, standard_library
from czscie.pack.standard_library import PackedLibrary
from czscie.pbs.assets import Asset
from czscie.platforms import current_launcher, find_platform
from czscie.sbom import packages
from czscie.scie.inspect import read_sbom
from czscie.session import Session
from network.server import MirrorServer
from pack.factories import this_python
from pbs.factories import members, tar_gz, windows_cpython


def phases(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What standard error tells of phases, without times and sizes, but for downloads."""
    told = re.sub(r"( \([\d.]+ [kM]B\))? in [\d.]+ m?s$", "", capsys.readouterr().err, flags=re.MULTILINE)
    return [line for line in told.splitlines() if not line.startswith(("Downloaded ", "Left out ", "Needs "))]


# What comes out.


def test_one_platform_gives_a_file_of_the_lifts_name(project: Project) -> None:
    project.manifest()
    [contents] = project.build()
    assert project.built == ["moo"]
    assert contents.path == project.directory / "dist" / "moo"
    assert [part.part.name for part in contents.parts] == ["cpython", "payload"]


def test_one_platform_of_windows_gives_an_exe(project: Project) -> None:
    project.manifest(platforms=("windows-x86_64",))
    project.build()
    assert project.built == ["moo.exe"]


def test_several_platforms_give_files_with_the_platforms_names(project: Project) -> None:
    project.manifest(platforms=tuple(INTERPRETERS))
    built = project.build()
    assert [contents.manifest.scie.lift.platform for contents in built] == list(INTERPRETERS)
    assert project.built == [
        "moo-linux-aarch64",
        "moo-linux-x86_64",
        "moo-macos-aarch64",
        "moo-windows-x86_64.exe",
    ]
    for contents in built:
        lift = contents.manifest.scie.lift
        launcher = f"launcher {lift.platform}\n".encode()
        if lift.platform != current_launcher():
            assert launcher in contents.path.read_bytes()
        python = "Scripts/python.exe" if "windows" in lift.platform else "bin/python"
        assert lift.boot.commands[""].exe == f"{{payload}}/{python}"


def test_a_chosen_platform_keeps_its_name(project: Project) -> None:
    project.manifest(platforms=("linux-x86_64", "macos-aarch64"))
    project.build("macos-aarch64")
    assert project.built == ["moo-macos-aarch64"]


def test_the_bill_of_materials_tells_inputs_and_nothing_of_the_machine(
    project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CZSCIE_PBS_URL", server.url.replace("//", "//a-user:a-password@"))
    project.manifest()
    [built] = project.build()
    text = read_sbom(built.path).decode()
    components = {each["bom-ref"]: each for each in json.loads(text)["components"]}
    asset = Asset("3.13.9", RELEASE, "x86_64-unknown-linux-gnu", "install_only_stripped")
    archive = server.files[f"/{RELEASE}/{asset.url_name}"]
    cpython, wheel = components["cpython/cpython"], components["payload/cow"]
    assert cpython["hashes"][0]["content"] == hashlib.sha256(archive).hexdigest()
    assert cpython["externalReferences"][0]["url"].endswith(f"/{RELEASE}/{asset.url_name}")
    with zipfile.ZipFile(project.directory / "moo.pex") as pex_file:
        data = pex_file.read(".deps/cow-1.0-py3-none-any.whl")
    assert wheel["hashes"][0]["content"] == hashlib.sha256(data).hexdigest()
    assert components["launcher/launcher"]["hashes"][0]["content"] == built.manifest.scie.jump.hash
    for secret in ("a-user", "a-password", str(project.directory.parent), getpass.getuser() + "@", "file:"):
        assert secret not in text


def test_all_platforms_of_a_build_get_the_same_release(project: Project, server: MirrorServer) -> None:
    newest = 'provider = "PythonBuildStandalone"\nversion = "3.13"'
    project.manifest(newest, platforms=tuple(INTERPRETERS))
    project.build()
    assert server.asked("/latest-release.json") == [None]


def test_a_windows_environment_has_the_interpreters_own_launcher_for_its_python(project: Project) -> None:
    project.manifest(platforms=("windows-x86_64",))
    [contents] = project.build()
    plan = contents.parts[1].plan
    assert plan.links == ()
    assert "Scripts/python.exe" in {file.path for file in plan.files}


def test_the_lift_says_what_the_host_needs(project: Project) -> None:
    project.manifest(platforms=("linux-x86_64", "macos-aarch64"))
    linux, macos = project.build()
    assert linux.manifest.scie.lift.needs.glibc == "2.17"
    assert macos.manifest.scie.lift.needs.glibc is None


def test_the_lifts_own_words_reach_the_manifest(project: Project) -> None:
    project.manifest(
        lift='description = "moos"\nbase = "~/moo"', payload='pex = "moo.pex"\nentry_point = "moo:x"'
    )
    [contents] = project.build()
    lift = contents.manifest.scie.lift
    assert (lift.name, lift.description, lift.base) == ("moo", "moos", "~/moo")
    assert contents.manifest.scie.jump.version == czscie.__version__
    with zipfile.ZipFile(contents.path) as archive:
        assert json.loads(archive.read("PEX-INFO"))["entry_point"] == "moo:x"


def test_commands_alone_need_neither_payload_nor_interpreter(project: Project) -> None:
    path = project.directory / "lift.toml"
    path.write_text(
        '[lift]\nname = "moo"\nplatforms = ["linux-x86_64"]\n[[lift.commands]]\nexe = "/bin/echo"\n'
    )
    [contents] = project.build()
    assert contents.parts == ()
    assert contents.manifest.scie.lift.boot.commands[""].exe == "/bin/echo"


def test_embedded_files_are_a_part_of_their_own(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (project.directory / "words.txt").write_text("moo\n")
    rest = '[[lift.files]]\nname = "words.txt"\n[[lift.commands]]\nname = "words"\nexe = "/bin/cat"\n'
    project.manifest(rest=rest + 'args = ["{words.txt}"]\n')
    [contents] = project.build()
    assert [(part.part.name, part.part.kind) for part in contents.parts] == [
        ("cpython", "interpreter"),
        (".files", "files"),
        ("payload", "app"),
    ]
    assert [file.path for file in contents.parts[1].plan.files] == ["words.txt"]
    assert contents.manifest.scie.lift.boot.commands["words"].args == ("{.files}/words.txt",)
    assert "Packed 1 embedded file" in phases(capsys)
    (project.directory / "words.txt").write_text("other\n")
    [changed] = project.build()
    assert changed.parts[1].part.digest != contents.parts[1].part.digest
    assert changed.parts[2].part.digest == contents.parts[2].part.digest


# The cache.


def test_what_is_packed_already_is_not_packed_again(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.manifest()
    [first] = project.build()
    wrote = f"Wrote {project.directory}/dist/moo"
    warning = "warning: not packed: no Python 3.13 on this machine can compile for linux-x86_64"
    assert phases(capsys) == [
        f"Wrote {project.directory}/lift.lock",
        "Packed cpython 3.13.9+20260101 x86_64-unknown-linux-gnu install_only_stripped",
        warning,
        "Packed moo.pex: 1 wheel, 1 source file",
        wrote,
    ]
    [second] = project.build()
    assert phases(capsys) == [warning, wrote]
    assert first.sha256 == second.sha256


def test_an_interpreter_is_described_as_its_own_archive_although_another_had_the_same_bytes(
    project: Project,
) -> None:
    data = tar_gz(members(INTERPRETERS["linux-x86_64"]))
    described = []
    for name in ("one.tar.gz", "other.tar.gz"):
        (project.directory / name).write_bytes(data)
        project.manifest(interpreter=f'provider = "Local"\npath = "{name}"')
        [contents] = project.build()
        described.append(contents.parts[0].part.description)
    assert described == ["cpython from one.tar.gz", "cpython from other.tar.gz"]


def test_an_interpreter_is_packed_once_there_is_a_python_that_compiles_for_it(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.manifest()
    project.build()
    assert "warning: not packed" in capsys.readouterr().err
    monkeypatch.setattr(python, "installed_compiler", lambda *_: this_python())
    monkeypatch.setattr(standard_library, "pack_library", lambda found, *_: PackedLibrary(found, 7))
    project.build()
    told = phases(capsys)
    assert "Packed cpython 3.13.9+20260101 x86_64-unknown-linux-gnu install_only_stripped" in told
    assert not [line for line in told if "not packed" in line]


def test_an_interpreter_that_no_python_compiles_for_is_not_unpacked_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.manifest()
    [first] = project.build()
    monkeypatch.setattr(python, "own_compiler", lambda *_: pytest.fail("it was unpacked again"))
    (project.directory / "dist/moo").unlink()
    [second] = project.build()
    assert second.sha256 == first.sha256


def test_after_a_change_only_what_changed_is_looked_at(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.manifest()
    project.build()
    path = project.directory / "moo.pex"
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["moo.py"] += b"# changed\n"
    write_zip(path, entries)
    looked: list[bytes] = []
    monkeypatch.setattr(imports, "_mentioned", lambda source: looked.append(source) or set())
    for module, name in ((packages, "bundled_libraries"), (convert, "glibc_floor")):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("it was looked at"))
    project.build()
    assert looked == [entries["moo.py"]]


@pytest.mark.parametrize(
    ("change", "packed"),
    [
        (lambda project: pex(project.directory / "moo.pex", "other"), ["Packed moo.pex"]),
        (
            lambda project: project.manifest(payload='pex = "moo.pex"\nentry_point = "moo:x"'),
            ["Packed moo.pex"],
        ),
        (
            lambda project: project.manifest(lift="compression_level = 3"),
            ["Packed cpython", "Packed moo.pex"],
        ),
        (lambda project: project.manifest(lift='description = "another"'), []),
    ],
    ids=["the PEX", "its entry point", "the level", "the description"],
)
def test_what_changes_a_part_packs_it_again(
    project: Project,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Project], object],
    packed: list[str],
) -> None:
    project.manifest()
    [first] = project.build()
    phases(capsys)
    change(project)
    [second] = project.build()
    again = [line[: len("Packed moo.pex")] for line in phases(capsys) if line.startswith("Packed")]
    assert again == packed
    assert first.sha256 != second.sha256


def test_a_release_is_compressed_at_the_highest_level(project: Project) -> None:
    [plain] = build(project.manifest(), project.directory / "dist", [], Session.of())
    [release] = build(project.manifest(), project.directory / "dist", [], Session.of(release=True))
    assert release.sha256 != plain.sha256
    manifest = project.manifest(lift="compression_level = 19")
    [same] = build(manifest, project.directory / "dist", [], Session.of())
    assert same.sha256 == release.sha256
    manifest = project.manifest(lift="compression_level = 22")
    [higher] = build(manifest, project.directory / "dist", [], Session.of())
    [release] = build(manifest, project.directory / "dist", [], Session.of(release=True))
    assert higher.sha256 == release.sha256


def test_warnings_are_told_by_every_build(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    write_zip(project.directory / "moo.pex", {"PEX-INFO": b"{}", "moo.py": b""})
    project.manifest()
    warning = (
        "warning: the payload has no entry point, so moo starts an interactive Python "
        '(set entry_point = "module:function" in [lift.payload])'
    )
    for _ in range(2):
        project.build()
        assert warning in phases(capsys)


def test_a_payload_without_an_entry_point_names_its_scripts(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = metadata("moo", entry_points="[console_scripts]\nmoo = moo:main\ncalf = moo:main\n")
    info = {"requirements": ["moo"], "distributions": {"moo-1.0-py3-none-any.whl": "00"}}
    members = {f".deps/moo-1.0-py3-none-any.whl/{path}": data for path, data in wheel.items()}
    write_zip(project.directory / "moo.pex", {"PEX-INFO": json.dumps(info).encode(), **members})
    project.manifest()
    project.build()
    assert '(set entry_point = "calf" or "moo" in [lift.payload])' in "".join(phases(capsys))


def test_scripts_are_an_entry_point(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = metadata("moo", entry_points="[console_scripts]\nmoo = moo:main\n")
    info = {"requirements": ["moo"], "distributions": {"moo-1.0-py3-none-any.whl": "00"}}
    members = {f".deps/moo-1.0-py3-none-any.whl/{path}": data for path, data in wheel.items()}
    write_zip(project.directory / "moo.pex", {"PEX-INFO": json.dumps(info).encode(), **members})
    project.manifest(payload='pex = "moo.pex"\nscripts = ["moo"]')
    [contents] = project.build()
    assert list(contents.manifest.scie.lift.boot.commands) == ["moo"]
    assert not [line for line in phases(capsys) if "entry point" in line]


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff"])
def test_what_the_cache_does_not_know_for_sure_is_made_again(
    project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path, damage: bytes
) -> None:
    project.manifest()
    [first] = project.build()
    for path in (tmp_path / "cache" / "packed").glob("*.json"):
        path.write_bytes(damage)
    phases(capsys)
    [second] = project.build()
    assert len([line for line in phases(capsys) if line.startswith("Packed")]) == 2
    assert first.sha256 == second.sha256


def flip(path: Path, at: float) -> None:
    """Another bit, at a place between 0 (the first byte) and 1 (the last)."""
    content = bytearray(path.read_bytes())
    content[int(at * (len(content) - 1))] ^= 4
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    **{f"flipped at {at}": partial(flip, at=at) for at in (0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1)},
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-10]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"?"),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
    "of another shape": lambda path: path.write_bytes(b'{"size": "large"}'),
    "nested": lambda path: path.write_bytes(b"[" * 100_000),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("pattern", ["packed/*.zip", "packed/*.czex", "packed/*.json", "known/*"])
def test_a_damaged_file_of_the_cache_is_made_again(
    project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path, pattern: str, damage: str
) -> None:
    project.manifest()
    [first] = project.build()
    damaged = sorted((tmp_path / "cache").glob(pattern))
    assert damaged
    for path in damaged:
        DAMAGES[damage](path)
    capsys.readouterr()
    [second] = project.build()
    assert second.sha256 == first.sha256
    told = capsys.readouterr().err
    if pattern.endswith(("zip", "czex")):
        # What has another size is made again at once.
        assert "Packed" in told
        assert (" is damaged in the cache: making it again" in told) == damage.startswith("flipped")
    project.build()
    assert "Packed" not in capsys.readouterr().err


@pytest.mark.parametrize("at", [0.05, 0.4, 0.95])
def test_what_is_read_of_a_damaged_part_is_kept_nowhere(project: Project, tmp_path: Path, at: float) -> None:
    """A payload for Windows has a file of its interpreter's part in it."""
    project.manifest(platforms=("windows-x86_64",))
    [first] = project.build()
    [interpreter] = (tmp_path / "cache" / "packed").glob("*.zip")
    flip(interpreter, at)
    for path in (tmp_path / "cache" / "packed").glob("*.czex"):
        path.unlink()
    assert project.build()[0].sha256 == first.sha256


def test_a_disk_that_damages_everything_ends_in_an_error(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one built before stays."""
    project.manifest()
    project.build()
    before = (project.directory / "dist" / "moo").read_bytes()
    digest = build_cache.file_digest
    monkeypatch.setattr(build_cache, "file_digest", lambda path: digest(path)[::-1])
    pex(project.directory / "moo.pex", "other")
    with pytest.raises(CzscieError, match="is damaged") as caught:
        project.build()
    assert "CZSCIE_CACHE" in (caught.value.hint or "")
    assert (project.directory / "dist" / "moo").read_bytes() == before


def test_the_bytes_depend_on_neither_directory_nor_umask(project: Project, tmp_path: Path) -> None:
    project.manifest(platforms=tuple(INTERPRETERS))
    first = project.build()
    other = tmp_path / "another" / "place"
    other.mkdir(parents=True)
    for name in ("lift.toml", "moo.pex"):
        (other / name).write_bytes((project.directory / name).read_bytes())
    for packed in (tmp_path / "cache" / "packed").iterdir():
        packed.unlink()
    before = os.umask(0o077)
    try:
        second = Project(other).build()
    finally:
        os.umask(before)
    assert [contents.sha256 for contents in first] == [contents.sha256 for contents in second]
    assert stat.S_IMODE(second[0].path.stat().st_mode) == 0o700


# What does not come out.


def nothing_happened(project: Project, server: MirrorServer) -> bool:
    return not server.requests and not (project.directory / "dist").exists()


def test_what_this_version_cannot_build_is_told_before_anything_is_done(
    project: Project, server: MirrorServer
) -> None:
    digest = f'{{ size = 1, fingerprint = "{"0" * 64}" }}'
    bound = f'[[lift.files]]\nname = "b.zip"\nsource = "x"\ndigest = {digest}\n'
    calls = '[[lift.commands]]\nname = "fetch"\nexe = "{scie.bindings.fetch:X}"\n'
    project.manifest(rest=f"{bound}{calls}")
    with pytest.raises(CzscieError) as caught:
        project.build()
    text = str(caught.value)
    assert text.startswith(f"error: {project.directory}/lift.toml needs a feature that this version lacks\n")
    assert "lift.bindings: science's own binding fetch cannot be named; call {ptex}" in text
    assert "lift.files[0].source: there is no binding x" in text and "lift.files[0].type" in text
    assert nothing_happened(project, server)


def zip_of(members: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def test_what_a_manifest_calls_lazy_is_not_in_the_executable(
    project: Project, server: MirrorServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files["/cows"] = b"moo"
    fingerprint = hashlib.sha256(b"moo").hexdigest()
    lazy = (
        f'[[lift.files]]\nname = "cows"\nsource = {{ url = "{server.url}/cows" }}\n'
        f'digest = {{ size = 3, fingerprint = "{fingerprint}" }}\n'
    )
    project.manifest(f"{STANDALONE}\nlazy = true\n", rest=f"[lift.ptex]\n{lazy}")
    [contents] = project.build()
    manifest = contents.manifest
    assert [part.name for part in manifest.scie.lift.files] == [".fetch", "payload"]
    assert manifest.scie.lift.files[1].requires == ("cpython",)
    interpreter, file = manifest.scie.lift.lazy
    assert (interpreter.name, interpreter.kind, interpreter.type) == ("cpython", "interpreter", "tar.gz")
    assert (file.size, file.hash, file.path) == (3, fingerprint, "cows")
    assert manifest.ptex[file.fetched] == f"{server.url}/cows"
    assert manifest.ptex[interpreter.fetched].endswith(".tar.gz")
    assert not server.asked("/cows")
    assert "warning: lift." not in capsys.readouterr().err
    assert api.verify(contents.path, lock=project.directory / "lift.lock").problems == ()


@pytest.mark.parametrize("layout", [RELEASE, f"download/{RELEASE}"])
def test_a_lazy_interpreter_comes_from_the_directory_that_the_manifest_names(
    project: Project, server: MirrorServer, tmp_path: Path, layout: str
) -> None:
    mirror = tmp_path / "mirror"
    for name, data in server.files.items():
        path = mirror / name.replace(f"/{RELEASE}/", f"{layout}/").lstrip("/").replace("%2B", "+")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    project.manifest(f'{STANDALONE}\nlazy = true\nbase_url = "{mirror.as_uri()}"\n')
    for _ in range(2):  # the second build finds a lock
        [contents] = project.build()
        [url] = contents.manifest.ptex.values()
        assert url.startswith(f"{mirror.as_uri()}/{layout}/cpython-3.13.9") and file_path(url).is_file()


def test_what_cannot_be_fetched_at_a_start_is_embedded_with_a_warning(
    project: Project, server: MirrorServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files["/cows"] = archive = zip_of({"cow": b"moo"})
    digest = f'{{ size = {len(archive)}, fingerprint = "{hashlib.sha256(archive).hexdigest()}" }}'
    lazy = f'[[lift.files]]\nname = "cows.zip"\nsource = {{ url = "{server.url}/cows" }}\ndigest = {digest}\n'
    project.manifest(rest=lazy)
    [contents] = project.build()
    assert {part.kind for part in contents.manifest.scie.lift.files} == {"interpreter", "files", "app"}
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: lift.")]
    assert warnings == [
        "warning: lift.files[0].source.lazy has no effect, because at a start, only these types are "
        "unpacked: "
        "blob, tar, tar.gz, tar.Z, tar.zst"
    ]


def test_a_platform_that_the_lift_is_not_for_is_an_error(project: Project, server: MirrorServer) -> None:
    path = project.manifest()
    with pytest.raises(CzscieError) as caught:
        project.build("macos-aarch64")
    assert str(caught.value) == (
        f"error: {path} is not for macos-aarch64\n"
        "  its platforms are: linux-x86_64\n"
        'hint: add "macos-aarch64" to lift.platforms'
    )
    assert nothing_happened(project, server)


def test_an_output_that_is_no_directory_is_told_before_anything_is_downloaded(
    project: Project, server: MirrorServer
) -> None:
    project.manifest()
    (project.directory / "dist").write_text("a file")
    with pytest.raises(CzscieError) as caught:
        project.build()
    assert str(caught.value) == (
        f"error: cannot write into {project.directory}/dist\n"
        f"  {project.directory}/dist is not a directory\n"
        "hint: name another directory: czscie build -o DIR"
    )
    assert not server.requests


@pytest.mark.parametrize("content", [b"no zip", b"PK\5\6" + bytes(18)])
def test_a_broken_pex_leaves_no_file(project: Project, tmp_path: Path, content: bytes) -> None:
    project.manifest()
    (project.directory / "moo.pex").write_bytes(content)
    with pytest.raises(CzscieError, match=r"moo\.pex"):
        project.build(output="dist/new")
    assert not (project.directory / "dist").exists()
    assert list((tmp_path / "cache" / "packed").glob("*.czex")) == []


def test_a_failed_build_keeps_the_file_that_was_there(project: Project) -> None:
    project.manifest()
    [first] = project.build()
    (project.directory / "moo.pex").write_bytes(b"no zip")
    with pytest.raises(CzscieError):
        project.build()
    assert hashlib.sha256(first.path.read_bytes()).hexdigest() == first.sha256


def test_commands_that_fit_no_manifest_are_an_error_and_no_file(project: Project) -> None:
    project.manifest(rest=f'[[lift.commands]]\nname = "long"\nexe = "{"x" * 66_000}"\n')
    (project.directory / "dist").mkdir()
    with pytest.raises(CzscieError, match="the limit is 65535"):
        project.build(output="dist/new")
    assert project.built == []


def test_a_windows_interpreter_without_a_redirector_is_an_error(
    project: Project, server: MirrorServer
) -> None:
    asset = Asset("3.13.9", RELEASE, find_platform("windows-x86_64").triple, "install_only_stripped")
    data = tar_gz(members(windows_cpython()))
    server.files[f"/{RELEASE}/{asset.url_name}"] = data
    digest = hashlib.sha256(data).hexdigest()
    server.files[f"/{RELEASE}/SHA256SUMS"] = f"{digest}  {asset.name}\n".encode()
    project.manifest(platforms=("windows-x86_64",))
    with pytest.raises(CzscieError) as caught:
        project.build()
    assert caught.value.what == "the interpreter for windows-x86_64 has no venv launcher"
    assert not (project.directory / "dist").exists()


def test_platforms_that_are_packed_at_once_have_the_bytes_and_lines_of_one_after_another(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.manifest(platforms=tuple(INTERPRETERS), lift="compression_level = 1")
    project.build()  # writes the lock

    def built(cores: int) -> tuple[list[str], list[str]]:
        monkeypatch.setattr(turns.os, "cpu_count", lambda: cores)
        monkeypatch.setenv("CZSCIE_CACHE", str(project.directory.parent / "cache"))
        for kind in ("packed", "known", "compressed"):
            shutil.rmtree(project.directory.parent / "cache" / kind, ignore_errors=True)
        capsys.readouterr()
        digests = [each.sha256 for each in project.build()]
        return digests, re.sub(r" in [\d.]+ m?s", "", capsys.readouterr().err).splitlines()

    assert built(4) == built(1)


def test_a_platform_that_fails_stops_the_others_and_leaves_nothing_behind(
    project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns.os, "cpu_count", lambda: 4)
    project.manifest(platforms=tuple(INTERPRETERS))
    path = next(path for path in server.files if "windows" in path)
    project.build("linux-x86_64")
    server.files[path] = b"damaged"
    with pytest.raises(CzscieError, match="windows"):
        project.build()
    assert set(project.built) <= {"moo-linux-x86_64", "moo-linux-aarch64", "moo-macos-aarch64"}
