from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from building import RELEASE, STANDALONE, Project
from czscie.errors import CzscieError
from czscie.lift.interpreter import PyPy
from czscie.network.network import Network
from czscie.pbs.asset_list import AssetList
from czscie.pbs.assets import Asset
from czscie.pbs.provider import Provider
from czscie.platforms import find_platform
from czscie.science.cli import app
from network.server import MirrorServer

TRUE = '[[lift.commands]]\nexe = "/bin/true"\n'


def invoke(*arguments: str | Path) -> str:
    done = CliRunner().invoke(app, ["-q", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def archives(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.rglob("*.tar.gz"))


def test_what_is_downloaded_is_a_mirror_to_build_from_without_a_network(
    project: Project, tmp_path: Path, server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ("provider", "PythonBuildStandalone", "--version", "3.13", tmp_path / "mirror")
    url = invoke("download", "--platform", "linux-x86_64", *provider)
    assert url == (tmp_path / "mirror/providers/PythonBuildStandalone").as_uri()
    assert invoke("download", "--platform", "macos-aarch64", *provider) == url
    assert archives(tmp_path / "mirror") == [
        f"cpython-3.13.9+{RELEASE}-aarch64-apple-darwin-install_only_stripped.tar.gz",
        f"cpython-3.13.9+{RELEASE}-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz",
    ]
    server.files.clear()
    monkeypatch.setenv("CZSCIE_PBS_URL", url)
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "another-cache"))
    project.manifest(STANDALONE.replace(f'release = "{RELEASE}"\n', ""), payload="", rest=TRUE)
    (tmp_path / "cache/launchers").rename(tmp_path / "launchers")
    (tmp_path / "another-cache").mkdir()
    (tmp_path / "launchers").rename(tmp_path / "another-cache/launchers")
    [built] = project.build()
    assert built.manifest.scie.lift.files[0].description.startswith(f"cpython 3.13.9+{RELEASE}")


def test_what_is_downloaded_is_listed_as_science_lists_it(project: Project, tmp_path: Path) -> None:
    provider = ("provider", "PythonBuildStandalone", "--version", "3.13", tmp_path / "mirror")
    for platform in ("linux-x86_64", "macos-aarch64", "linux-x86_64"):
        invoke("download", "--platform", platform, *provider)
    invoke("download", "--platform", "linux-aarch64", *provider, "--release", RELEASE)
    mirror = tmp_path / "mirror/providers/PythonBuildStandalone"
    name = "distributions-3.13-install_only_stripped.json"
    for directory, triples in (
        ("latest/download", ["aarch64-apple-darwin", "x86_64-unknown-linux-gnu"]),
        (
            f"download/{RELEASE}",
            ["aarch64-apple-darwin", "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"],
        ),
    ):
        listed = json.loads((mirror / directory / name).read_bytes())
        assert listed["release"] == RELEASE
        assert [each["target_triple"] for each in listed["assets"]] == triples
        for each in listed["assets"]:
            content = (mirror / each["rel_path"]).read_bytes()
            assert each["digest"] == {
                "fingerprint": hashlib.sha256(content).hexdigest(),
                "size": len(content),
            }


def test_a_list_of_an_older_release_is_not_added_to(project: Project, tmp_path: Path) -> None:
    latest = tmp_path / "mirror/providers/PythonBuildStandalone/latest/download"
    latest.mkdir(parents=True)
    older = Asset("3.13.8", "20250101", "x86_64-unknown-linux-gnu", "install_only_stripped")
    path = latest / "distributions-3.13-install_only_stripped.json"
    path.write_bytes(AssetList.of(older.release).with_asset(older, "ab" * 32, 7).rendered())
    provider = ("provider", "PythonBuildStandalone", "--version", "3.13", tmp_path / "mirror")
    invoke("download", "--platform", "linux-x86_64", *provider)
    [asset] = AssetList.parse(path.read_bytes()).digests
    assert (asset.release, asset.version) == (RELEASE, "3.13.9")


def pypy(version: str) -> str:
    return f"pypy3.9-v{version}-linux64.tar.bz2"


@pytest.fixture
def pypys(project: Project, server: MirrorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror of PyPy with two releases, whose archives are their names."""
    monkeypatch.setenv("CZSCIE_PYPY_URL", server.url)
    versions = ("7.3.10", "7.3.11")
    releases = [
        {
            "pypy_version": each,
            "python_version": "3.9.16",
            "stable": True,
            "files": [{"filename": pypy(each)}],
        }
        for each in versions
    ]
    server.files["/versions.json"] = json.dumps(releases).encode()
    names = [pypy(each) for each in versions]
    server.files |= {f"/{name}": name.encode() for name in names}
    lines = (f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names)
    server.files["/checksums.html"] = "".join(lines).encode()


@pytest.mark.usefixtures("pypys")
@pytest.mark.parametrize(
    ("without", "python"),
    [((), "3.9.16"), (("versions.json", "checksums.html"), "3.9")],
    ids=["own", "science's"],
)
def test_a_mirror_of_pypy_is_read_by_either_index(
    tmp_path: Path, without: tuple[str, ...], python: str
) -> None:
    download = ("download", "--platform", "linux-x86_64", "provider", "PyPy", "--version", "3.9", tmp_path)
    url = invoke(*download, "--release", "v7.3.10")
    assert invoke(*download) == invoke(*download) == url == (tmp_path / "providers/PyPy").as_uri()
    for name in without:
        (tmp_path / "providers/PyPy" / name).unlink()
    provider = Provider(Network())
    for release, found in ((None, "7.3.11"), ("v7.3.11", "7.3.11"), ("v7.3.10", "7.3.10")):
        source = provider.resolve(
            PyPy("pypy", "3.9", release, (url,), lazy=False), find_platform("linux-x86_64")
        )
        assert (source.pin.version, source.pin.name) == (f"{python}-pypy{found}", pypy(found))
        assert source.digest == hashlib.sha256(pypy(found).encode()).hexdigest()


@pytest.mark.usefixtures("pypys")
def test_an_index_that_is_another_file_is_left_alone(tmp_path: Path) -> None:
    index = tmp_path / "providers/PyPy/versions.json"
    index.parent.mkdir(parents=True)
    index.write_text("{}")
    with pytest.raises(CzscieError, match=r"versions\.json is not the index of a mirror"):
        invoke("download", "--platform", "linux-x86_64", "provider", "PyPy", "--version", "3.9", tmp_path)
    assert index.read_text() == "{}"


def test_platforms_without_such_an_interpreter_are_skipped_or_an_error(
    project: Project, tmp_path: Path
) -> None:
    provider = ("provider", "PythonBuildStandalone", "--version", "3.13", tmp_path / "mirror")
    invoke("download", "--all-platforms", *provider)
    assert len(archives(tmp_path / "mirror")) == 4
    with pytest.raises(CzscieError, match=r"has no CPython 3\.13 install_only_stripped for linux-s390x"):
        invoke("download", "--platform", "linux-s390x", *provider)


@pytest.mark.parametrize("tool", ["scie-jump", "ptex"])
def test_tools_of_science_are_refused_by_name(tool: str, tmp_path: Path) -> None:
    with pytest.raises(CzscieError, match=f"czscie-science does not download {tool}") as caught:
        invoke("download", "--all-platforms", tool, "--version", "1.0", tmp_path)
    assert caught.value.hint == "leave this step out"
    assert list(tmp_path.iterdir()) == []


def test_documentation_is_refused_by_name() -> None:
    with pytest.raises(CzscieError, match="czscie-science does not serve documentation"):
        invoke("doc", "open", "--remote", "manifest")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_asks_the_program(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_CZSCIE_SCIENCE_COMPLETE", "")  # removed again
    script = invoke("complete", "--shell", shell)
    assert "_CZSCIE_SCIENCE_COMPLETE=complete_" in script and "czscie-science" in script
    monkeypatch.setenv("_CZSCIE_SCIENCE_COMPLETE", "")
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    invoke("complete", "--output", tmp_path / "script")
    assert (tmp_path / "script").read_text().strip() == script
