from __future__ import annotations

import platform as host
import subprocess
import sys
from pathlib import Path

import pytest
from packaging import tags
from packaging.markers import Marker, default_environment
from packaging.utils import parse_wheel_filename

import czscie
from czscie.errors import CzscieError
from czscie.implementation import CPYTHON, Implementation
from czscie.launchers.build import TARGETS
from czscie.platforms import (
    PLATFORMS,
    Platform,
    current_launcher,
    current_platform,
    find_platform,
    platform_names,
    similar_platforms,
)

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="compares with the tags of a Linux host")


def accepts(name: str, wheel: str, glibc: tuple[int, int] = (2, 99)) -> bool:
    """Whether a wheel of this real file name may be installed on the platform called `name`."""
    wanted = {tag.platform for tag in parse_wheel_filename(wheel)[3]}
    return not wanted.isdisjoint(find_platform(name).wheel_platforms(glibc))


def test_every_platform_is_found_by_its_name() -> None:
    assert [find_platform(name) for name in platform_names()] == list(PLATFORMS)
    assert platform_names() == [platform.name for platform in PLATFORMS]
    assert len(set(platform_names())) == len({platform.triple for platform in PLATFORMS}) == 12


@pytest.mark.parametrize(
    ("name", "os", "arch", "libc", "triple"),
    [
        ("linux-x86_64", "linux", "x86_64", "gnu", "x86_64-unknown-linux-gnu"),
        ("musl-linux-aarch64", "linux", "aarch64", "musl", "aarch64-unknown-linux-musl"),
        ("linux-armv7l", "linux", "armv7l", "gnu", "armv7-unknown-linux-gnueabihf"),
        ("linux-powerpc64", "linux", "powerpc64", "gnu", "ppc64le-unknown-linux-gnu"),
        ("macos-aarch64", "macos", "aarch64", "", "aarch64-apple-darwin"),
        ("windows-x86_64", "windows", "x86_64", "", "x86_64-pc-windows-msvc"),
    ],
)
def test_a_name_says_what_the_target_is(name: str, os: str, arch: str, libc: str, triple: str) -> None:
    platform = find_platform(name)
    assert (platform.os, platform.arch, platform.libc, platform.triple) == (os, arch, libc, triple)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("linux-ppc64le", "linux-powerpc64"),
        ("linux-powerpc64le", "linux-powerpc64"),
        ("linux-armv7", "linux-armv7l"),
        ("linux-amd64", "linux-x86_64"),
        ("linux-arm64", "linux-aarch64"),
        ("macos-arm64", "macos-aarch64"),
        ("macos-amd64", "macos-x86_64"),
        ("windows-amd64", "windows-x86_64"),
        ("windows-arm64", "windows-aarch64"),
    ],
)
def test_other_spellings_mean_the_same_platform(alias: str, name: str) -> None:
    assert find_platform(alias) == find_platform(name)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("darwin-arm64", "macos-aarch64"),
        ("arm64-darwin", "macos-aarch64"),
        ("macosx_11_0_arm64", "macos-aarch64"),
        ("aarch64-apple-darwin", "macos-aarch64"),
        ("osx", "macos-x86_64 macos-aarch64"),
        ("linux", "linux-x86_64 linux-aarch64"),
        ("x86_64-linux", "linux-x86_64"),
        ("Linux-x86_64", "linux-x86_64"),
        ("linux/arm64/v8", "linux-aarch64"),
        ("linux-x86", "linux-x86_64"),
        ("linx-amd64", "linux-x86_64"),
        ("manylinux_2_28_x86_64", "linux-x86_64"),
        ("linux_armhf", "linux-armv7l"),
        ("linux-musl-x86_64", "musl-linux-x86_64"),
        ("alpine", "musl-linux-x86_64 musl-linux-aarch64"),
        ("win32", "windows-x86_64 windows-aarch64"),
        ("win_amd64", "windows-x86_64"),
        ("x86_64-pc-windows-msvc", "windows-x86_64"),
        ("arm64", "linux-aarch64 macos-aarch64 windows-aarch64"),
        ("curent", "current"),
        ("moo", ""),
    ],
)
def test_a_name_of_another_tool_is_answered_by_its_system_and_processor(name: str, near: str) -> None:
    assert similar_platforms(name) == near.split()


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(CzscieError) as caught:
        find_platform("linux-x86-64")
    assert str(caught.value) == (
        "error: there is no platform called 'linux-x86-64'\n"
        f"  the platforms are: {', '.join(platform_names())}\n"
        "hint: did you mean 'linux-x86_64'?"
    )


@pytest.mark.parametrize("name", ["amiga", ""])
def test_a_name_like_no_other_gets_no_guess(name: str) -> None:
    with pytest.raises(CzscieError) as caught:
        find_platform(name)
    assert caught.value.hint is None


def test_every_platform_has_a_launcher_and_gnu_shares_it_with_musl() -> None:
    assert {platform.launcher for platform in PLATFORMS} == set(TARGETS)
    assert find_platform("musl-linux-x86_64").launcher == find_platform("linux-x86_64").launcher


def test_executables_end_in_exe_on_windows_only() -> None:
    suffixes = {platform.os: platform.executable_suffix for platform in PLATFORMS}
    assert suffixes == {"linux": "", "macos": "", "windows": ".exe"}


@on_linux
def test_the_hosts_tags_are_those_that_packaging_finds() -> None:
    found = list(tags.platform_tags())
    found.sort(key=lambda tag: tag.startswith("linux_"))  # which packaging has put first or last
    libc, version = host.libc_ver()
    glibc = tuple(map(int, version.split(".")[:2])) if libc == "glibc" else (2, 99)
    ours = list(current_platform().wheel_platforms(glibc))  # type: ignore[arg-type]
    assert [tag for tag in ours if tag in found] == found
    # Only tags that no wheel for this architecture can have ever had are added.
    assert all(int(tag.split("_")[2]) < 17 for tag in set(ours) - set(found) if tag.startswith("manylinux_"))


@pytest.mark.parametrize(
    ("name", "wheel"),
    [
        ("linux-x86_64", "numpy-2.3.4-cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"),
        ("linux-x86_64", "numpy-1.19.5-cp39-cp39-manylinux1_x86_64.whl"),
        ("linux-x86_64", "numpy-1.19.5-cp39-cp39-manylinux2010_x86_64.whl"),
        ("linux-aarch64", "numpy-2.1.3-cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"),
        ("linux-armv7l", "orjson-3.11.4-cp313-cp313-manylinux_2_17_armv7l.manylinux2014_armv7l.whl"),
        ("linux-powerpc64", "orjson-3.10.0-cp312-cp312-manylinux_2_17_ppc64le.manylinux2014_ppc64le.whl"),
        ("linux-s390x", "pydantic_core-2.41.4-cp313-cp313-manylinux_2_17_s390x.manylinux2014_s390x.whl"),
        ("linux-riscv64", "cryptography-46.0.3-cp311-abi3-manylinux_2_31_riscv64.whl"),
        ("linux-x86_64", "made_here-1.0-cp313-cp313-linux_x86_64.whl"),
        ("musl-linux-x86_64", "numpy-2.3.4-cp313-cp313-musllinux_1_2_x86_64.whl"),
        ("musl-linux-aarch64", "msgspec-0.18.0-cp311-cp311-musllinux_1_1_aarch64.whl"),
        ("macos-aarch64", "numpy-2.3.4-cp313-cp313-macosx_11_0_arm64.whl"),
        ("macos-aarch64", "numpy-2.3.4-cp313-cp313-macosx_14_0_arm64.whl"),
        ("macos-aarch64", "cryptography-46.0.3-cp311-abi3-macosx_10_9_universal2.whl"),
        ("macos-x86_64", "cryptography-46.0.3-cp311-abi3-macosx_10_9_universal2.whl"),
        ("macos-x86_64", "numpy-2.3.4-cp313-cp313-macosx_10_13_x86_64.whl"),
        ("windows-x86_64", "numpy-2.3.4-cp313-cp313-win_amd64.whl"),
        ("windows-aarch64", "numpy-2.3.4-cp313-cp313-win_arm64.whl"),
    ],
)
def test_real_wheels_are_for_their_platform_and_for_no_other(name: str, wheel: str) -> None:
    assert accepts(name, wheel)
    machine = find_platform(name).wheel_arch
    others = {each.name for each in PLATFORMS if accepts(each.name, wheel)} - {name}
    if wheel.endswith("-linux_x86_64.whl"):
        assert others == {"musl-linux-x86_64"}
    elif "universal2" in wheel:
        assert others == {"macos-x86_64", "macos-aarch64"} - {name}
    else:
        assert not others, machine


def test_wheels_that_ask_for_a_newer_glibc_are_not_taken() -> None:
    wheel = "a-1-cp313-cp313-manylinux_2_28_x86_64.whl"
    assert accepts("linux-x86_64", wheel, glibc=(2, 28))
    assert not accepts("linux-x86_64", wheel, glibc=(2, 27))


def test_the_newest_glibc_comes_first() -> None:
    found = list(find_platform("linux-x86_64").wheel_platforms((2, 18)))
    assert found[:3] == ["manylinux_2_18_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]
    assert found[-3:] == ["manylinux_2_5_x86_64", "manylinux1_x86_64", "linux_x86_64"]


def test_the_hosts_markers_are_those_that_packaging_finds() -> None:
    found = {**default_environment(), "platform_release": "", "platform_version": ""}
    python = Implementation(CPYTHON, host.python_version())
    assert {**current_platform().markers, **python.markers} == found


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_every_marker_has_a_value(platform: Platform) -> None:
    environment = {**platform.markers, **Implementation(CPYTHON, "3.13.9").markers}
    assert environment.keys() == default_environment().keys()
    assert environment["python_version"] == "3.13"


@pytest.mark.parametrize(
    ("name", "marker"),
    [
        ("linux-x86_64", "sys_platform == 'linux' and platform_machine == 'x86_64' and os_name == 'posix'"),
        ("musl-linux-aarch64", "platform_system == 'Linux' and platform_machine == 'aarch64'"),
        ("linux-powerpc64", "platform_machine == 'ppc64le'"),
        ("linux-armv7l", "platform_machine == 'armv7l'"),
        ("macos-aarch64", "sys_platform == 'darwin' and platform_machine == 'arm64'"),
        ("macos-x86_64", "platform_system == 'Darwin' and platform_machine == 'x86_64'"),
        ("windows-x86_64", "sys_platform == 'win32' and platform_machine == 'AMD64' and os_name == 'nt'"),
        ("windows-aarch64", "platform_system == 'Windows' and platform_machine == 'ARM64'"),
        ("windows-aarch64", "python_version >= '3.10' and implementation_name == 'cpython'"),
    ],
)
def test_markers_that_wheels_use_hold_on_their_platform(name: str, marker: str) -> None:
    python = Implementation(CPYTHON, "3.10.19")
    assert Marker(marker).evaluate({**find_platform(name).markers, **python.markers})


def test_current_is_the_platform_of_this_python() -> None:
    assert find_platform("current") == current_platform()
    assert current_platform().launcher == current_launcher()
    assert current_platform().os == {"linux": "linux", "darwin": "macos", "win32": "windows"}[sys.platform]


@pytest.mark.parametrize(
    ("system", "machine", "launcher"),
    [
        ("linux", "x86_64", "linux-x86_64"),
        ("linux", "ppc64le", "linux-powerpc64"),
        ("darwin", "arm64", "macos-aarch64"),
        ("win32", "AMD64", "windows-x86_64"),
        ("win32", "ARM64", "windows-aarch64"),
    ],
)
def test_machines_are_recognized_by_what_they_call_themselves(
    system: str, machine: str, launcher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(host, "machine", lambda: machine)
    assert current_launcher() == launcher


def test_a_host_that_has_no_launcher_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "machine", lambda: "loongarch64")
    with pytest.raises(CzscieError, match=r"there is no platform called '[a-z0-9]+-loongarch64'"):
        current_platform()


def test_the_hosts_launcher_is_found_with_the_standard_library_alone() -> None:
    """The build hook asks for it before any dependency is installed."""
    source = Path(czscie.__file__).parents[1]
    code = "from czscie.platforms import current_launcher; print(current_launcher())"
    code = f"import sys; sys.path.insert(0, {str(source)!r}); {code}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{current_launcher()}\n", "")


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_installations_have_short_names_on_windows_alone(platform: Platform) -> None:
    digest = "0123456789abcdef" * 4
    name = platform.installed_name(digest)
    assert name == (digest[:20] if platform.os == "windows" else digest)
