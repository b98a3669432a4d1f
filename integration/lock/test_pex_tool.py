from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from czex.factories import CPYTHON_313, WINDOWS_313
from czscie.czex.target import Target
from czscie.errors import CzscieError
from czscie.lock.build_backend import build_wheel
from czscie.lock.builder import Builder
from czscie.lock.pex_tool import default_glibc, resolve
from czscie.lock.project import build_project
from czscie.platforms import find_platform
from czscie.session import Session
from lock.wheelhouse import wheel_file

PROJECT = Path(__file__).parent.parent / "czex" / "moo"
LINUX = Target(find_platform("linux-x86_64"), CPYTHON_313.implementation, (2, 28))
WINDOWS = Target(find_platform("windows-x86_64"), WINDOWS_313.implementation, (2, 28))


def names(
    requirements: Sequence[str],
    targets: Sequence[Target],
    directory: Path,
    versions: Mapping[str, str] | None = None,
) -> list[list[str]]:
    """The file names of what each target gets."""
    (directory / "made").mkdir()
    found = resolve(requirements, targets, versions or {}, directory / "made")
    return [
        sorted(artifact.url.rpartition("/")[2] for artifact in found[target.platform]) for target in targets
    ]


def test_requirements_become_the_wheels_of_each_target(index: Path, tmp_path: Path) -> None:
    for platform in ("win_amd64", "manylinux_2_17_x86_64", "manylinux_2_34_x86_64"):
        wheel_file(index, f"cow-1.0-cp313-cp313-{platform}.whl", requires=["calf; sys_platform == 'win32'"])
    calf = wheel_file(index, "calf-1.0-py3-none-any.whl", requires_python="==3.13.9")
    found = resolve(["cow>=1", "calf; python_version < '3'"], [LINUX, WINDOWS], {}, tmp_path)
    assert [each.url.rpartition("-")[2] for each in found[LINUX.platform]] == ["manylinux_2_17_x86_64.whl"]
    by_project = {each.project: each for each in found[WINDOWS.platform]}
    assert by_project["cow"].url.endswith("cow-1.0-cp313-cp313-win_amd64.whl")
    assert by_project["calf"].url == calf.as_uri()
    assert by_project["calf"].version == "1.0"
    assert by_project["calf"].sha256 == hashlib.sha256(calf.read_bytes()).hexdigest()


def test_wheels_that_ask_for_a_newer_glibc_than_most_hosts_have_are_not_taken(
    index: Path, tmp_path: Path
) -> None:
    for minor in (17, 28, 34):
        wheel_file(index, f"cow-1.{minor}-cp313-cp313-manylinux_2_{minor}_x86_64.whl")
    assert names(["cow"], [LINUX], tmp_path) == [["cow-1.28-cp313-cp313-manylinux_2_28_x86_64.whl"]]
    assert default_glibc(LINUX.platform) == (2, 28)
    assert default_glibc(find_platform("linux-riscv64")) == (2, 39)


@pytest.mark.parametrize(
    ("requirement", "expected"), [("cow", "1.0"), ("cow>1", "2.0")], ids=["allowed", "not allowed any more"]
)
def test_a_version_that_was_locked_is_kept_where_it_is_allowed(
    index: Path, tmp_path: Path, requirement: str, expected: str
) -> None:
    for version in ("1.0", "2.0"):
        wheel_file(index, f"cow-{version}-py3-none-any.whl")
    assert names([requirement], [LINUX], tmp_path, {"cow": "1.0"}) == [[f"cow-{expected}-py3-none-any.whl"]]


def test_nothing_is_resolved_for_no_requirements(tmp_path: Path) -> None:
    assert resolve([], [LINUX], {}, tmp_path / "missing") == {LINUX.platform: ()}


def test_a_project_becomes_a_wheel(tmp_path: Path) -> None:
    assert build_wheel(PROJECT, tmp_path).name == "moo-1.0-py3-none-any.whl"


def test_no_build_backend_runs_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    builder = Builder(None, tmp_path, tmp_path / "lift.lock", Session.of(offline=True))
    with pytest.raises(CzscieError, match="the cache has no wheel of moo, and czscie is offline"):
        builder.project(PROJECT)


def test_a_project_that_is_only_built_on_its_platform_is_an_error_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    project = tmp_path / "native"
    shutil.copytree(PROJECT, project)
    backend = project / "backend" / "moo_backend.py"
    backend.write_text(backend.read_text().replace("py3-none-any", "cp39-cp39-linux_s390x"))
    builder = Builder(None, tmp_path, tmp_path / "lift.lock", Session.of())
    with pytest.raises(CzscieError) as error:
        build_project(project, [WINDOWS], tmp_path, builder)
    what = "moo 1.0 builds a wheel here that is not for windows-x86_64 with CPython 3.13.9"
    assert error.value.what == what
    assert "moo-1.0-cp39-cp39-linux_s390x.whl" in str(error.value)
    assert error.value.hint == "build that wheel on windows-x86_64 and name its directory in find_links"


def test_what_one_target_cannot_have_is_an_error_with_the_reasons_of_pip(index: Path, tmp_path: Path) -> None:
    wheel_file(index, "cow-1.0-cp313-cp313-win_amd64.whl")
    with pytest.raises(CzscieError) as error:
        builder = Builder(None, tmp_path, tmp_path / "lift.lock", Session.of())
        resolve(["cow==1"], [WINDOWS, LINUX], {}, tmp_path, builder)
    what = "pex cannot resolve the payload for linux-x86_64 (glibc 2.28) with CPython 3.13.9"
    assert error.value.what == what
    assert error.value.why == ("cow 1.0 has no wheel for linux-x86_64, only for win_amd64",)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (404, "127.0.0.1 has no project cow"),
        (401, "127.0.0.1 answered 401 (Unauthorized)"),
        (403, "127.0.0.1 answered 403 (Forbidden)"),
    ],
)
def test_what_an_index_answers_is_the_reason(
    status: int, why: str, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        with pytest.raises(CzscieError) as error:
            resolve(["cow"], [WINDOWS, LINUX], {"calf": "1.0"}, tmp_path)
        server.shutdown()
    assert error.value.why == (why,)
