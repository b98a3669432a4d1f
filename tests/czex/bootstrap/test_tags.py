from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging import _manylinux, _musllinux
from packaging import tags as packagings

from czscie.czex.bootstrap import tags

PLATFORMS = ["linux_x86_64", "manylinux_2_17_x86_64"]

#: The patches of a test hold for all examples, and each example sets them anew.
_patched = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="there is no CZEX for this system")
def test_the_tags_of_this_python_are_those_of_packaging_in_its_order() -> None:
    expected = [(tag.interpreter, tag.abi, tag.platform) for tag in packagings.sys_tags()]
    assert tags.supported_tags() == expected


@given(
    version=st.one_of(st.just((2, 7)), st.tuples(st.just(3), st.integers(2, 20))),
    debug=st.booleans(),
    free_threaded=st.booleans(),
    pymalloc=st.booleans(),
    wide=st.booleans(),
)
@_patched
def test_any_cpythons_tags_are_those_of_packaging(
    monkeypatch: pytest.MonkeyPatch,
    version: tuple[int, int],
    debug: bool,
    free_threaded: bool,
    pymalloc: bool,
    wide: bool,
) -> None:
    settings = {
        "Py_DEBUG": debug,
        "Py_GIL_DISABLED": free_threaded,
        "WITH_PYMALLOC": pymalloc,
        "Py_UNICODE_SIZE": 4 if wide else 2,
    }
    monkeypatch.setattr(packagings, "_get_config_var", lambda name, warn=False: settings[name])
    flags = "t" if free_threaded and version >= (3, 13) else ""
    flags += "d" if debug else ""
    flags += "m" if pymalloc and version < (3, 8) else ""
    flags += "u" if wide and version < (3, 3) else ""
    monkeypatch.setattr(tags, "sys", SimpleNamespace(version_info=(*version, 0), abiflags=flags))
    interpreter = f"cp{version[0]}{version[1]}"
    expected = [
        *packagings.cpython_tags(version, platforms=PLATFORMS),
        *packagings.compatible_tags(version, interpreter, PLATFORMS),
    ]
    found = tags._cpython(interpreter, PLATFORMS) + tags._compatible(interpreter, PLATFORMS)
    assert found == [(tag.interpreter, tag.abi, tag.platform) for tag in expected]


@given(
    machine=st.sampled_from([*tags._MANYLINUX_MACHINES, "mips64"]),
    glibc=st.one_of(st.none(), st.integers(2, 45)),
    musl=st.one_of(st.none(), st.integers(0, 5)),
)
@_patched
def test_any_linuxs_platforms_are_those_of_packaging(
    monkeypatch: pytest.MonkeyPatch, machine: str, glibc: int | None, musl: int | None
) -> None:
    known = (-1, -1) if glibc is None else (2, glibc)
    monkeypatch.setattr(_manylinux, "_get_glibc_version", lambda: _manylinux._GLibCVersion(*known))
    monkeypatch.setattr(_manylinux, "_is_linux_armhf", lambda executable: True)
    monkeypatch.setattr(_manylinux, "_is_linux_i686", lambda executable: True)
    version = None if musl is None or glibc is not None else (1, musl)
    monkeypatch.setattr(
        _musllinux, "_get_musl_version", lambda executable: version and _musllinux._MuslVersion(*version)
    )
    monkeypatch.setattr(sysconfig, "get_platform", lambda: f"linux-{machine}")
    monkeypatch.setattr(tags, "glibc_version", lambda: None if glibc is None else (2, glibc))
    monkeypatch.setattr(tags, "_musl_version", lambda: version)
    assert tags._linux(machine) == list(packagings._linux_platforms(is_32bit=False))


@given(
    mac=st.one_of(
        st.tuples(st.just("x86_64"), st.just(10), st.integers(4, 15)),
        st.tuples(st.sampled_from(["x86_64", "arm64"]), st.integers(11, 27), st.integers(0, 6)),
    )
)
@_patched
def test_any_macs_platforms_are_those_of_packaging(
    monkeypatch: pytest.MonkeyPatch, mac: tuple[str, int, int]
) -> None:
    machine, major, minor = mac
    monkeypatch.setattr(platform, "mac_ver", lambda: (f"{major}.{minor}.1", ("", "", ""), machine))
    assert tags._macos() == list(packagings.mac_platforms((major, minor), machine))


def test_a_mac_that_hides_its_version_from_old_programs_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Asked:
        def __init__(self, command: list[str], env: dict[str, str], stdout: int) -> None:
            assert env["SYSTEM_VERSION_COMPAT"] == "0"

        def communicate(self) -> tuple[bytes, None]:
            return b"14.5\n", None

    monkeypatch.setattr(platform, "mac_ver", lambda: ("10.16", ("", "", ""), "x86_64"))
    monkeypatch.setattr(subprocess, "Popen", Asked)
    assert tags._macos() == list(packagings.mac_platforms((14, 5), "x86_64"))


def test_glibc_is_asked_itself_where_python_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    known = tags.glibc_version()
    if known is None:
        pytest.skip("there is no glibc here")

    def confstr(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", confstr)
    assert tags.glibc_version() == known


def test_a_program_names_its_loader() -> None:
    if sys.platform != "linux":
        pytest.skip("programs are of another format")
    loader = tags._program_interpreter(sys.executable)
    done = subprocess.run([loader, "--version"], capture_output=True, text=True)
    assert done.stdout or done.stderr
    assert tags._program_interpreter(__file__) == ""
    assert tags._program_interpreter("/none") == ""
