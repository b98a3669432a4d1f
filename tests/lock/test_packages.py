from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from czex.factories import CPYTHON_313, WINDOWS_313
from czscie.czex.target import Target
from czscie.errors import CzscieError
from czscie.lock.lock import (
    Hashes,
    Lock,
    LockedLaunchers,
    LockedPackage,
    LockedWheel,
    PackageTools,
    RequestedLift,
    Sdist,
)
from czscie.lock.packages import grouped, narrowed, selected
from czscie.platforms import find_platform

TARGETS = {
    "linux-x86_64": Target(find_platform("linux-x86_64"), CPYTHON_313.implementation, (2, 28)),
    "musl-linux-x86_64": Target(find_platform("musl-linux-x86_64"), CPYTHON_313.implementation, (2, 28)),
    "macos-aarch64": Target(find_platform("macos-aarch64"), CPYTHON_313.implementation, (2, 28)),
    "windows-x86_64": Target(find_platform("windows-x86_64"), WINDOWS_313.implementation, (2, 28)),
}
TAGS = {
    "linux-x86_64": "cp313-cp313-manylinux_2_17_x86_64",
    "musl-linux-x86_64": "cp313-cp313-musllinux_1_2_x86_64",
    "macos-aarch64": "cp313-cp313-macosx_11_0_arm64",
    "windows-x86_64": "cp313-cp313-win_amd64",
}
PURE = "py3-none-any"


def package(name: str, version: str, tag: str, *, built: bool = False) -> LockedPackage:
    file = f"{name}-{version}-{tag}.whl"
    hashes = Hashes(sha256="0" * 64)
    if not built:
        wheel = LockedWheel(name=file, url=f"https://example.org/{file}", hashes=hashes)
        return LockedPackage(name=name, version=version, wheels=(wheel,))
    sdist = Sdist(name=f"{name}-{version}.tar.gz", url="https://example.org/x.tar.gz", hashes=hashes)
    tool = PackageTools.of(built=(LockedWheel(name=file, hashes=hashes),))
    return LockedPackage(name=name, version=version, sdist=sdist, tool=tool)


def lock(packages: tuple[LockedPackage, ...]) -> Lock:
    return Lock(
        created_by="test",
        launcher=LockedLaunchers(source="0" * 64),
        manifest=RequestedLift(),
        packages=packages,
    )


@st.composite
def resolves(draw: st.DrawFn) -> dict[str, tuple[LockedPackage, ...]]:
    """What each platform resolved to: some projects, of versions that may differ, pure, native or built."""
    projects = {name: draw(st.sampled_from(["pure", "native", "built"])) for name in ("calf", "cow", "herd")}
    found: dict[str, list[LockedPackage]] = {
        name: [] for name in draw(st.sets(st.sampled_from(sorted(TARGETS)), min_size=1))
    }
    for platform, packages in found.items():
        for project, kind in projects.items():
            if draw(st.booleans()):
                tag = TAGS[platform] if kind == "native" else PURE
                version = draw(st.sampled_from(["1.0", "2.0"]))
                packages.append(package(project, version, tag, built=kind == "built"))
    return {platform: tuple(packages) for platform, packages in found.items()}


@settings(max_examples=60, deadline=None)
@given(resolves())
def test_each_platform_gets_from_the_lock_what_it_resolved_to(
    resolved: dict[str, tuple[LockedPackage, ...]],
) -> None:
    whole = Lock.parse(lock(grouped(resolved)).render(), "lift.lock")
    for platform, packages in resolved.items():
        assert narrowed(selected(whole, TARGETS[platform])) == packages


def test_a_platform_more_changes_no_line_of_the_others() -> None:
    before = {
        "linux-x86_64": (package("cow", "1.0", TAGS["linux-x86_64"]),),
        "windows-x86_64": (package("cow", "1.0", TAGS["windows-x86_64"]), package("calf", "1.0", PURE)),
    }
    after = {**before, "macos-aarch64": (package("cow", "1.0", TAGS["macos-aarch64"]),)}
    lines = [lock(grouped(resolved)).render().splitlines() for resolved in (before, after)]
    assert [line for line in lines[0] if line not in lines[1]] == []
    [added] = [line for line in lines[1] if line not in lines[0]]
    assert "macosx_11_0_arm64.whl" in added


def test_the_best_wheel_of_a_platform_is_the_one_it_gets() -> None:
    one = package("cow", "1.0", TAGS["linux-x86_64"])
    both = lock(grouped({"linux-x86_64": (one,), "windows-x86_64": (package("cow", "1.0", PURE),)}))
    assert [each.wheel.name for each in selected(both, TARGETS["linux-x86_64"])] == [one.wheels[0].name]


def test_all_packages_without_a_wheel_for_a_platform_are_an_error() -> None:
    tag = TAGS["linux-x86_64"]
    packages = (package("cow", "1.0", tag), package("dog", "1.0", PURE), package("pig", "1.0", tag))
    with pytest.raises(CzscieError, match="the lock has no wheels for windows-x86_64") as caught:
        selected(lock(grouped({"linux-x86_64": packages})), TARGETS["windows-x86_64"])
    assert [[name for name in ("cow", "dog", "pig") if name in line] for line in caught.value.why] == [
        ["cow"],
        ["pig"],
    ]
