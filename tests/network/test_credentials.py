from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.network.credentials import find_credential

URL = "https://mirror-1.example.com:8443/x"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def found(url: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    credential = find_credential(url, environ)
    return None if credential is None else (credential.authorization, credential.origin)


def netrc(path: Path, host: str = "mirror-1.example.com") -> Path:
    path.write_text(f"machine {host} login me password of-netrc\n")
    return path


def test_where_nobody_says_anything_nothing_is_shown() -> None:
    assert found(URL, {}) is None


@pytest.mark.parametrize("prefix", ["CZSCIE_AUTH", "SCIENCE_AUTH"])
def test_a_token_of_the_environment_is_shown_to_its_host(prefix: str) -> None:
    variable = f"{prefix}_MIRROR_1_EXAMPLE_COM_BEARER"
    assert found(URL, {variable: "abc.def\n"}) == ("Bearer abc.def", variable)
    assert found("https://other.example.com/x", {variable: "abc.def"}) is None


@pytest.mark.parametrize("prefix", ["CZSCIE_AUTH", "SCIENCE_AUTH"])
def test_user_and_password_of_the_environment_are_shown_to_their_host(prefix: str) -> None:
    variable = f"{prefix}_MIRROR_1_EXAMPLE_COM_BASIC"
    environ = {f"{variable}_USER": "mé", f"{variable}_PASS": "pass:word"}
    assert found(URL, environ) == (basic("mé", "pass:word"), f"{variable}_USER")


def test_netrc_is_where_the_environment_says_or_at_home(cache: Path, tmp_path: Path) -> None:
    chosen, home = netrc(tmp_path / "chosen"), netrc(tmp_path / "home" / ".netrc", "other.example.com")
    assert found(URL, {"NETRC": str(chosen)}) == (basic("me", "of-netrc"), str(chosen))
    assert found(URL, {}) is None
    assert found("https://other.example.com/x", {}) == (basic("me", "of-netrc"), str(home))
    assert found("https://other.example.com/x", {"NETRC": str(tmp_path / "nowhere")}) is None


def test_a_user_without_a_home_directory_has_no_netrc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert found(URL, {}) is None
    assert found(URL, {"NETRC": "~/netrc"}) is None


def test_what_is_nearer_to_the_url_comes_first(tmp_path: Path) -> None:
    host = "MIRROR_1_EXAMPLE_COM"
    environ = {
        f"CZSCIE_AUTH_{host}_BEARER": "ours",
        f"SCIENCE_AUTH_{host}_BEARER": "sciences",
        "NETRC": str(netrc(tmp_path / "netrc")),
    }
    assert found(URL.replace("//", "//a%40b:c%2Fd@"), environ) == (basic("a@b", "c/d"), "the URL")
    for variable in list(environ)[:2]:
        assert found(URL, environ) == (f"Bearer {environ[variable]}", variable)
        del environ[variable]
    assert found(URL, environ) == (basic("me", "of-netrc"), environ["NETRC"])


def test_a_user_without_a_password_is_an_error() -> None:
    with pytest.raises(CzscieError) as caught:
        find_credential(URL, {"CZSCIE_AUTH_MIRROR_1_EXAMPLE_COM_BASIC_USER": "me"})
    assert caught.value.hint == "set CZSCIE_AUTH_MIRROR_1_EXAMPLE_COM_BASIC_PASS too"


@pytest.mark.parametrize("token", ["sec\nret", "sec\0ret", "sécret"])
def test_what_cannot_be_a_token_is_not_shown(token: str) -> None:
    with pytest.raises(CzscieError) as caught:
        find_credential(URL, {"CZSCIE_AUTH_MIRROR_1_EXAMPLE_COM_BEARER": token})
    assert caught.value.what == "CZSCIE_AUTH_MIRROR_1_EXAMPLE_COM_BEARER is not a valid token"
    assert "ret" not in str(caught.value)


def test_a_netrc_that_is_not_one_does_not_show_its_passwords(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_text("machine mirror.example.com login me pasword secret\n")
    with pytest.raises(CzscieError) as caught:
        find_credential(URL, {"NETRC": str(path)})
    assert str(caught.value) == f"error: cannot read {path}\n  line 1 is invalid"


def test_a_credential_does_not_show_itself() -> None:
    credential = find_credential(URL, {"CZSCIE_AUTH_MIRROR_1_EXAMPLE_COM_BEARER": "secret"})
    assert "secret" not in repr(credential)
