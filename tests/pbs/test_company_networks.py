"""Mirrors as companies have them: every layout, behind a proxy, under TLS with an authority of their own."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.lift.interpreter import PythonBuildStandalone
from czscie.network.network import Network, Patience
from czscie.pbs.assets import Asset
from czscie.pbs.pin import Pin
from czscie.pbs.provider import Provider
from czscie.platforms import find_platform
from network.proxy import Proxy
from network.server import MirrorServer, Reply
from pbs.factories import cpython, member, members, tar_gz

PATIENCE = Patience(connect=2, read=2, attempts=2, first_wait=0.01)
LINUX = find_platform("linux-x86_64")
TAG = "20260101"
ASSET = Asset("3.13.9", TAG, LINUX.triple, "install_only_stripped")
ARCHIVE = tar_gz(members(cpython("3.13.9")))
BASE = "https://mirror.test/pbs"
SECRET = "Hunter2-and-more"
BASIC = "Basic " + base64.b64encode(f"builder:{SECRET}".encode()).decode()

#: What the mirror wants to see, and the settings that show it; `HOME` is a netrc in the user's home.
CREDENTIALS = {
    "bearer": (f"Bearer {SECRET}", {"CZSCIE_AUTH_MIRROR_TEST_BEARER": SECRET}),
    "sciences-bearer": (f"Bearer {SECRET}", {"SCIENCE_AUTH_MIRROR_TEST_BEARER": SECRET}),
    "basic": (
        BASIC,
        {"CZSCIE_AUTH_MIRROR_TEST_BASIC_USER": "builder", "CZSCIE_AUTH_MIRROR_TEST_BASIC_PASS": SECRET},
    ),
    "netrc": (BASIC, {"HOME": f"machine mirror.test login builder password {SECRET}\n"}),
}


def standalone(base_url: str = BASE) -> PythonBuildStandalone:
    return PythonBuildStandalone(
        "cpython", "3.13", None, "install_only_stripped", None, (base_url,), lazy=False
    )


def fill(server: MirrorServer, directory: str, plus: str = "%2B", archive: bytes = ARCHIVE) -> None:
    server.files["/pbs/latest-release.json"] = json.dumps({"tag": TAG}).encode()
    digest = hashlib.sha256(archive).hexdigest()
    server.files[f"/pbs{directory}/SHA256SUMS"] = f"{digest}  {ASSET.name}\n".encode()
    server.files[f"/pbs{directory}/{ASSET.name.replace('+', plus)}"] = archive


Company = Callable[[dict[str, str]], MirrorServer]


@pytest.fixture
def company(
    tls_server: MirrorServer,
    proxy: Proxy,
    authority_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Company:
    """Sets the surroundings up: the mirror is reached as mirror.test, by the proxy alone."""

    def set_up(settings: dict[str, str]) -> MirrorServer:
        proxy.hosts["mirror.test"] = tls_server.port
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))
        for name, value in settings.items():
            if name == "HOME":
                (tmp_path / "home" / ".netrc").write_text(value)
            else:
                monkeypatch.setenv(name, value)
        return tls_server

    return set_up


@pytest.mark.parametrize("directory", [f"/{TAG}", f"/download/{TAG}", ""])
@pytest.mark.parametrize("plus", ["+", "%2B"])
@pytest.mark.parametrize("credentials", list(CREDENTIALS))
def test_every_mirror_is_read_with_every_password_and_none_is_kept(
    company: Company,
    directory: str,
    plus: str,
    credentials: str,
    cache: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    from czscie.console import Console

    caplog.set_level("DEBUG")
    wanted, settings = CREDENTIALS[credentials]
    server = company(settings)
    fill(server, directory, plus)
    server.wants = wanted
    console = Console()
    source = Provider(Network(PATIENCE), console).resolve(standalone(), LINUX)
    assert source.load(console).layout.version == "3.13.9"
    assert source.url == f"{BASE}{directory}/{ASSET.url_name}"
    assert set(server.authorizations) == {wanted}
    kept = b"".join(path.read_bytes() for path in cache.rglob("*") if path.is_file())
    told = "".join(capfd.readouterr()) + caplog.text + repr(source)
    secrets = [SECRET, wanted, base64.b64encode(SECRET.encode()).decode()]
    assert [secret for secret in secrets if secret in told or secret.encode() in kept] == []


@pytest.mark.parametrize("credentials", list(CREDENTIALS))
def test_a_wrong_password_is_said_and_not_told(
    company: Company, credentials: str, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    wanted, settings = CREDENTIALS[credentials]
    server = company(settings)
    fill(server, f"/{TAG}")
    server.wants = "Bearer another"
    with pytest.raises(CzscieError) as caught:
        Provider(network=Network(PATIENCE)).resolve(standalone(), LINUX)
    assert caught.value.why[0] == "the server returned 401 Unauthorized"
    assert str(caught.value.hint).startswith("set CZSCIE_AUTH_MIRROR_TEST_BEARER, or ")
    assert all(secret not in str(caught.value) + caplog.text for secret in (SECRET, wanted))
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_an_archive_with_a_member_that_escapes_is_refused(company: Company) -> None:
    server = company({})
    fill(server, "", archive=tar_gz([*members(cpython("3.13.9")), member("python/../../escaped", b"x")]))
    source = Provider(network=Network(PATIENCE)).resolve(standalone(), LINUX)
    with pytest.raises(CzscieError, match="escaped"):
        source.load()


def test_a_list_without_the_line_of_an_asset_says_what_it_has(company: Company) -> None:
    server = company({})
    fill(server, "")
    server.files["/pbs/SHA256SUMS"] = (
        f"{'0' * 64}  {Asset('3.12.1', TAG, LINUX.triple, ASSET.flavor).name}\n".encode()
    )
    with pytest.raises(CzscieError) as caught:
        Provider(network=Network(PATIENCE)).resolve(standalone(), LINUX)
    assert caught.value.why == ("it has: 3.12.1",)


def test_an_archive_that_comes_from_another_host_is_verified_like_any(
    company: Company, server: MirrorServer, authority_file: Path, proxy: Proxy, cache: Path
) -> None:
    """Artifact stores lead to where their files really are; no password goes along."""
    mirror = company(CREDENTIALS["bearer"][1])
    fill(mirror, f"/{TAG}")
    path = f"/pbs/{TAG}/{ASSET.url_name}"
    mirror.replies[path] = [Reply(302, {"Location": f"https://localhost:{mirror.port}/elsewhere"}, b"")]
    proxy.hosts["localhost"] = mirror.port
    mirror.files["/elsewhere"] = ARCHIVE
    assert Provider(network=Network(PATIENCE)).resolve(standalone(), LINUX).load().layout.version == "3.13.9"
    assert mirror.authorizations == [*[f"Bearer {SECRET}"] * 3, None]


def test_a_lock_needs_no_index_and_decides_whatever_the_mirror_says(company: Company, cache: Path) -> None:
    from czscie.pbs import standalone as pbs

    server = company({})
    fill(server, f"/download/{TAG}", archive=b"somebody's")
    digest = hashlib.sha256(ARCHIVE).hexdigest()
    pinned = pbs.StandaloneOrigin(network=Network(PATIENCE)).pinned
    with pytest.raises(CzscieError, match="has the wrong SHA-256 or size"):
        pinned(LINUX, Pin(digest, name=ASSET.name), [BASE]).load()
    fill(server, f"/download/{TAG}")
    server.files[f"/pbs/download/{TAG}/SHA256SUMS"] = b"whatever"
    server.requests.clear()
    source = pinned(LINUX, Pin(digest, len(ARCHIVE), name=ASSET.name), [BASE])
    assert source.load().layout.version == "3.13.9"
    assert [path for path, _ in server.requests if path.endswith("SHA256SUMS")] == []


def test_where_a_lock_found_it_is_asked_only_if_nobody_names_a_mirror_now(cache: Path) -> None:
    from czscie.pbs import standalone as pbs

    def urls(environ: dict[str, str]) -> tuple[str, ...]:
        provider = pbs.StandaloneOrigin(network=Network(environ=environ))
        pin = Pin("0" * 64, name=ASSET.name, url=f"{BASE}/{TAG}/{ASSET.url_name}")
        return provider.pinned(LINUX, pin).urls

    assert urls({})[0] == f"{BASE}/{TAG}/{ASSET.url_name}"
    assert urls({})[-1].startswith("https://github.com/astral-sh/python-build-standalone/")
    assert all(url.startswith("https://now.test/") for url in urls({"CZSCIE_PBS_URL": "https://now.test"}))
