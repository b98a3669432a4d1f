from __future__ import annotations

import bz2
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping

import pytest

from czscie.errors import CzscieError
from czscie.implementation import Implementation
from czscie.lift.interpreter import PyPy
from czscie.network.network import Network, Patience
from czscie.network.remote import WrongContent
from czscie.pbs import pypy_releases
from czscie.pbs.provider import Provider, Source
from czscie.platforms import find_platform
from network.server import MirrorServer
from pbs.factories import AARCH64_PYTHON, WINDOWS_PYTHON, member, members, pypy, tar, tar_gz

QUICK = Network(Patience(connect=2, read=1, attempts=2, first_wait=0.01))
LINUX = find_platform("linux-x86_64")


def archive(root: str, files: Mapping[str, bytes] | None = None) -> bytes:
    everything = members(pypy() if files is None else files, f"{root}/")
    link = member(f"{root}/bin/pypy3", kind=b"2", target="pypy3.9")
    return bz2.compress(tar([*everything, link]))


def fill(server: MirrorServer, files: Mapping[str, bytes], checksums: str | None = None) -> None:
    """Releases with these archives, whatever is in them, in the order of the files."""
    releases: dict[tuple[str, str], list[dict[str, str]]] = {}
    for name in files:
        python, release, _ = name.removeprefix("pypy").split("-", 2)
        releases.setdefault((python, release), []).append({"filename": name, "arch": "x", "platform": "y"})
    server.files["/versions.json"] = json.dumps(
        [
            {
                "pypy_version": release.removeprefix("v"),
                "python_version": f"{python}.16",
                "stable": "rc" not in release,
                "latest_pypy": False,
                "date": "2022-12-29",
                "files": named,
            }
            for (python, release), named in releases.items()
        ]
    ).encode()
    lines = [f"    {hashlib.sha256(content).hexdigest()}  {name}   " for name, content in files.items()]
    page = "\n".join(["<pre>pypy sha256::", "", *lines, "</pre>"])
    server.files["/checksums.html"] = (page if checksums is None else checksums).encode()
    server.files |= {f"/{name}": content for name, content in files.items()}


def resolve(
    server: MirrorServer, version: str = "3.9", release: str | None = None, platform: str = "linux-x86_64"
) -> Source:
    wanted = PyPy("pypy", version, release, (server.url,), lazy=False)
    return Provider(QUICK).resolve(wanted, find_platform(platform))


def test_a_release_is_found_verified_and_read(server: MirrorServer) -> None:
    name = "pypy3.9-v7.3.11-linux64.tar.bz2"
    content = archive("pypy3.9-v7.3.11-linux64")
    fill(server, {name: content})
    source = resolve(server, release="v7.3.11")
    digest = hashlib.sha256(content).hexdigest()
    assert (source.digest, source.description) == (digest, "pypy 3.9.16 v7.3.11 linux64")
    assert (source.url, source.root) == (f"{server.url}/{name}", "pypy3.9-v7.3.11-linux64")
    assert [path for path, _ in server.requests] == ["/versions.json", "/checksums.html"]
    distribution = source.load()
    layout = distribution.layout
    assert layout.implementation == Implementation("pypy", "3.9.16", own_version="7.3.11")
    assert (layout.python, layout.stdlib) == ("bin/pypy3.9", "lib/pypy3.9")
    assert layout.library == "bin/libpypy3.9-c.so"
    assert distribution.glibc == (2, 17)


def test_a_lock_pins_all_that_is_needed(server: MirrorServer) -> None:
    name = "pypy3.9-v7.3.11-linux64.tar.bz2"
    fill(server, {name: archive("pypy3.9-v7.3.11-linux64")})
    source = resolve(server)
    assert source.pin.version == "3.9.16-pypy7.3.11"
    assert (source.pin.release, source.pin.name, source.pin.url) == ("v7.3.11", name, f"{server.url}/{name}")
    asked = len(server.requests)
    wanted = PyPy("pypy", "3.9", None, (server.url,), lazy=False)
    pinned = Provider(QUICK).pinned(wanted, LINUX, source.pin)
    assert (pinned.digest, pinned.description, pinned.pin) == (
        source.digest,
        source.description,
        source.pin,
    )
    assert len(server.requests) == asked
    assert pinned.load().layout.implementation == Implementation.parse("3.9.16-pypy7.3.11")


def test_a_lock_does_not_name_the_mirror_of_the_machine(
    server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "pypy3.9-v7.3.11-linux64.tar.bz2"
    fill(server, {name: archive("pypy3.9-v7.3.11-linux64")})
    network = Network(QUICK.patience, environ={"UV_PYPY_INSTALL_MIRROR": f"{server.url}/"})
    wanted = PyPy("pypy", "3.9", None, (), lazy=False)
    source = Provider(network).resolve(wanted, LINUX)
    assert source.pin.url == source.url == f"https://downloads.python.org/pypy/{name}"
    assert source.remote is not None and source.remote.urls == (f"{server.url}/{name}",)
    pinned = Provider(Network(QUICK.patience, environ={})).pinned(wanted, LINUX, source.pin)
    assert pinned.remote is not None and pinned.remote.urls == (source.url,)


def test_the_newest_final_release_with_a_version_is_chosen(server: MirrorServer) -> None:
    names = [
        "pypy3.9-v7.3.9-linux64.tar.bz2",
        "pypy3.9-v7.3.16-linux64.tar.bz2",
        "pypy3.9-v7.3.17rc1-linux64.tar.bz2",
        "pypy3.10-v7.3.19-linux64.tar.bz2",
    ]
    fill(server, dict.fromkeys(names, b""))
    assert resolve(server).description == "pypy 3.9.16 v7.3.16 linux64"
    assert resolve(server, release="v7.3.9").description == "pypy 3.9.16 v7.3.9 linux64"
    assert resolve(server, release="v7.3.17rc1").description == "pypy 3.9.16 v7.3.17rc1 linux64"
    assert resolve(server, "3.10").description == "pypy 3.10.16 v7.3.19 linux64"


@pytest.mark.parametrize(
    ("platform", "stem"),
    [
        ("linux-aarch64", "pypy3.9-v7.3.8-aarch64-portable"),
        ("linux-s390x", "pypy3.9-v7.3.8-s390x"),
        ("macos-x86_64", "pypy3.9-v7.3.8-osx64"),
        ("macos-aarch64", "pypy3.9-v7.3.8-macos_arm64"),
    ],
)
def test_each_platform_gets_the_archive_for_it(server: MirrorServer, platform: str, stem: str) -> None:
    targets = ("aarch64", "aarch64-portable", "linux32", "linux64", "s390x", "osx64", "macos_arm64", "src")
    fill(server, {f"pypy3.9-v7.3.8-{target}.tar.bz2": b"" for target in targets})
    source = resolve(server, platform=platform)
    assert source.pin.name == f"{stem}.tar.bz2"
    assert source.root == stem.removesuffix("-portable")


def test_newer_archives_are_gzip_and_those_for_windows_zips(server: MirrorServer) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for path in ("pypy3.exe", "libpypy3.11-c.dll", "Lib/os.py"):
            made.writestr(f"pypy3.11-v7.3.23-win64/{path}", WINDOWS_PYTHON)
    linux = tar_gz(members(pypy("3.11") | {"bin/pypy3": pypy()["bin/pypy3.9"]}, "pypy3.11-v7.3.23-linux64/"))
    fill(
        server,
        {"pypy3.11-v7.3.23-win64.zip": stream.getvalue(), "pypy3.11-v7.3.23-linux64.tar.gz": linux},
    )
    windows = resolve(server, "3.11", platform="windows-x86_64").load().layout
    assert (windows.python, windows.stdlib, windows.library) == ("pypy3.exe", "Lib", "libpypy3.11-c.dll")
    assert resolve(server, "3.11").load().layout.stdlib == "lib/pypy3.11"


def test_older_pypys_have_their_library_elsewhere(server: MirrorServer) -> None:
    files = {"bin/pypy": pypy()["bin/pypy3.9"], "lib-python/2.7/os.py": b"", "bin/libpypy-c.so": b""}
    content = bz2.compress(tar(members(files, "pypy2.7-v7.3.11-linux64/")))
    fill(server, {"pypy2.7-v7.3.11-linux64.tar.bz2": content})
    layout = resolve(server, "2.7").load().layout
    assert (layout.python, layout.stdlib) == ("bin/pypy", "lib-python/2.7")


@pytest.mark.parametrize("platform", ["musl-linux-x86_64", "windows-aarch64", "linux-riscv64"])
def test_a_platform_that_pypy_has_no_archive_for_is_refused(server: MirrorServer, platform: str) -> None:
    fill(server, {"pypy3.9-v7.3.11-linux64.tar.bz2": b"", "pypy3.9-v7.3.11-win64.zip": b""})
    with pytest.raises(CzscieError) as caught:
        resolve(server, platform=platform)
    assert str(caught.value) == (
        f"error: PyPy v7.3.11 has no Python 3.9 for {platform}\n"
        "  it has builds for: linux-x86_64, windows-x86_64\n"
        'hint: use provider = "PythonBuildStandalone", or leave out that platform'
    )


def test_what_there_is_not_is_refused_with_what_there_is(server: MirrorServer) -> None:
    fill(server, {"pypy3.9-v7.3.9-linux64.tar.bz2": b"", "pypy3.10-v7.3.19-linux64.tar.bz2": b""})
    with pytest.raises(CzscieError) as caught:
        resolve(server, "3.1")
    assert str(caught.value) == (
        "error: there is no release of PyPy with Python 3.1\n  there are releases with: 3.9, 3.10"
    )
    with pytest.raises(CzscieError) as caught:
        resolve(server, "3.10", "v7.3.9")
    assert str(caught.value) == (
        "error: there is no PyPy v7.3.9 with Python 3.10\n"
        "  releases with it are: v7.3.19\n"
        "hint: leave out release for the newest"
    )


def test_where_there_is_nothing_no_list_is_begun(server: MirrorServer) -> None:
    fill(server, {"pypy3.9-v7.3.9-src.zip": b""})
    with pytest.raises(CzscieError) as caught:
        resolve(server, "3.9", "v7.3.9")
    assert caught.value.why == ("it has builds for none of czscie's platforms",)
    server.files["/versions.json"] = b"[]"
    with pytest.raises(CzscieError) as caught:
        resolve(server, "3.9")
    assert caught.value.why == ("no stable release is listed",)


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ("<p>moved</p>", "has no digest of pypy3.9-v7.3.11-linux64.tar.bz2"),
        (
            f"{'a' * 64}  pypy3.9-v7.3.11-linux64.tar.bz2\n{'b' * 64}  pypy3.9-v7.3.11-linux64.tar.bz2",
            "has several digests of pypy3.9-v7.3.11-linux64.tar.bz2",
        ),
        (f"a{'a' * 64}  pypy3.9-v7.3.11-linux64.tar.bz2", "has no digest of pypy3.9-v7.3.11-linux64.tar.bz2"),
    ],
)
def test_an_archive_without_one_digest_is_refused(server: MirrorServer, page: str, what: str) -> None:
    fill(server, {"pypy3.9-v7.3.11-linux64.tar.bz2": b""}, checksums=page)
    with pytest.raises(CzscieError) as caught:
        resolve(server)
    assert caught.value.what == f"{server.url}/checksums.html {what}"


def test_the_projects_digests_serve_a_mirror_that_has_none(
    server: MirrorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(server, {"pypy3.9-v7.3.11-linux64.tar.bz2": b"moo"})
    server.files["/official"] = server.files.pop("/checksums.html")
    monkeypatch.setattr(pypy_releases, "OFFICIAL_CHECKSUMS", f"{server.url}/official")
    assert resolve(server).digest == hashlib.sha256(b"moo").hexdigest()


def test_an_archive_that_was_changed_is_refused(server: MirrorServer) -> None:
    fill(server, {"pypy3.9-v7.3.11-linux64.tar.bz2": archive("pypy3.9-v7.3.11-linux64")})
    source = resolve(server)
    server.files["/pypy3.9-v7.3.11-linux64.tar.bz2"] = archive("pypy3.9-v7.3.11-linux32")
    with pytest.raises(WrongContent):
        source.load()


def science_lists(name: str, content: bytes, count: int = 1) -> bytes:
    """What `science download provider PyPy` writes beside the archives (science 0.18)."""
    asset = {
        "arch": "linux64",
        "extension": "tar.bz2",
        "file_type": "tar.bz2",
        "fingerprint": hashlib.sha256(content).hexdigest(),
        "name": name,
        "rel_path": name,
        "release": "v7.3.11",
        "version": "3.9",
    }
    return json.dumps({"assets": [asset] * count, "base_url": "https://downloads.python.org/pypy"}).encode()


@pytest.mark.parametrize("release", [None, "v7.3.11"])
def test_a_mirror_that_science_wrote_has_a_list_with_digests(
    server: MirrorServer, release: str | None
) -> None:
    name = "pypy3.9-v7.3.11-linux64.tar.bz2"
    content = archive("pypy3.9-v7.3.11-linux64")
    server.files[f"/distributions-3.9-{release or 'any'}.json"] = science_lists(name, content)
    server.files[f"/{name}"] = content
    source = resolve(server, release=release)
    assert (source.description, source.pin.version) == ("pypy 3.9 v7.3.11 linux64", "3.9-pypy7.3.11")
    assert source.load().layout.stdlib == "lib/pypy3.9"
    server.files[f"/{name}"] += b"?"
    server.files["/distributions-3.9-any.json"] = science_lists(name, b"other")
    with pytest.raises(WrongContent):
        resolve(server).load()


@pytest.mark.parametrize(
    "content", [b"<html>", b"{}", science_lists("x", b"", 2), science_lists("x", b"").replace(b'"e3b0', b'"')]
)
def test_a_list_that_is_none_is_refused(server: MirrorServer, content: bytes) -> None:
    server.files["/distributions-3.9-any.json"] = content
    with pytest.raises(CzscieError) as caught:
        resolve(server)
    assert caught.value.what == f"{server.url}/distributions-3.9-any.json is not a list of releases of PyPy"


@pytest.mark.parametrize("index", [b"<html>", b"{}", b'[{"pypy_version": 7}]', b"[" * 100_000])
def test_an_index_that_is_no_index_is_refused(server: MirrorServer, index: bytes) -> None:
    server.files["/versions.json"] = index
    with pytest.raises(CzscieError) as caught:
        resolve(server)
    assert caught.value.what == f"{server.url}/versions.json is not a list of releases of PyPy"


def test_the_next_mirror_serves_where_one_has_no_index(server: MirrorServer) -> None:
    fill(server, {"pypy3.9-v7.3.11-linux64.tar.bz2": b""})
    wanted = PyPy("pypy", "3.9", None, (f"{server.url}/nothing", server.url), lazy=False)
    assert Provider(QUICK).resolve(wanted, LINUX).digest == hashlib.sha256(b"").hexdigest()
    wanted = PyPy("pypy", "3.9", None, (f"{server.url}/nothing", f"{server.url}/none"), lazy=False)
    with pytest.raises(CzscieError) as caught:
        Provider(QUICK).resolve(wanted, LINUX)
    assert str(caught.value) == (
        "error: no mirror of PyPy lists its releases\n"
        f"  there is nothing at {server.url}/nothing/versions.json\n"
        f"  there is nothing at {server.url}/nothing/distributions-3.9-any.json\n"
        f"  there is nothing at {server.url}/none/versions.json\n"
        f"  there is nothing at {server.url}/none/distributions-3.9-any.json\n"
        "hint: a mirror needs the file versions.json of https://downloads.python.org/pypy beside the archives"
    )


def test_a_tree_without_a_pypy_is_refused(server: MirrorServer) -> None:
    content = bz2.compress(tar(members({"bin/python": b""}, "pypy3.9-v7.3.11-linux64/")))
    fill(server, {"pypy3.9-v7.3.11-linux64.tar.bz2": content})
    with pytest.raises(CzscieError) as caught:
        resolve(server).load()
    assert str(caught.value) == (
        "error: there is no PyPy in pypy3.9-v7.3.11-linux64.tar.bz2\n"
        "  neither bin/pypy3 with lib/pypy3.9/os.py nor pypy3.exe with Lib/os.py"
    )


def test_a_pypy_for_another_platform_is_refused(server: MirrorServer) -> None:
    content = archive("pypy3.9-v7.3.11-linux64", pypy(python=AARCH64_PYTHON))
    fill(server, {"pypy3.9-v7.3.11-linux64.tar.bz2": content})
    with pytest.raises(CzscieError) as caught:
        resolve(server).load()
    assert caught.value.what == (
        "the interpreter of pypy3.9-v7.3.11-linux64.tar.bz2 does not run on linux-x86_64"
    )


def test_links_of_pypy_that_lead_round_in_a_circle_are_refused(server: MirrorServer) -> None:
    root = "pypy3.9-v7.3.11-linux64"
    links = [
        member(f"{root}/bin/pypy3", kind=b"2", target="pypy"),
        member(f"{root}/bin/pypy", kind=b"2", target="pypy3"),
    ]
    content = bz2.compress(tar([*members({"lib/pypy3.9/os.py": b""}, f"{root}/"), *links]))
    fill(server, {f"{root}.tar.bz2": content})
    with pytest.raises(CzscieError) as caught:
        resolve(server).load()
    assert caught.value.what == f"there is no PyPy in {root}.tar.bz2"
