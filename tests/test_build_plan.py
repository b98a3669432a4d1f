from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console as RichConsole

import czscie.build_plan
from building import RELEASE, STANDALONE, Project
from czscie.build_plan import BuildPlan, plan_build
from czscie.errors import CzscieError
from czscie.lock.inventory.input import PlannedInput
from czscie.lock.use import LockUse
from czscie.plan_report import print_plan
from czscie.platforms import find_platform
from czscie.session import Session
from network.server import MirrorServer

DOCUMENT = Path(__file__).parents[1] / "docs" / "reference" / "plan.md"
DIGEST = "30bc24d8a1e81d8ef1c6bd0ccbe01ea2f5b1fd2db1a82b3b2ac4f0ccd5bb7b9f"


def plan(project: Project, *platforms: str, use: LockUse = LockUse.UPDATE) -> BuildPlan:
    targets = [find_platform(name) for name in platforms]
    return plan_build(project.directory / "lift.toml", project.directory / "dist", targets, Session.of(), use)


def states(planned: BuildPlan) -> list[str]:
    return [file.state for executable in planned.executables for file in executable.inputs]


def files_in(directory: Path) -> set[str]:
    return {path.name for path in directory.rglob("*")}


def test_a_plan_is_what_the_build_does_afterwards(project: Project, server: MirrorServer) -> None:
    manifest = project.manifest(platforms=("linux-x86_64", "windows-x86_64"))
    planned = plan(project)
    assert (planned.lock.state, planned.downloads.files) == ("new", 2)
    assert files_in(project.directory) == {"lift.toml", "moo.pex"}
    before = len(server.requests)
    built = project.build()
    assert [executable.path for executable in planned.executables] == [str(each.path) for each in built]
    archives = {path for path, _ in server.requests[before:] if path.endswith(".tar.gz")}
    interpreters = [each for executable in planned.executables for each in executable.interpreters]
    assert {each.archive.url for each in interpreters} == {f"{server.url}{path}" for path in archives}
    sizes = [len(server.files[path]) for path in archives]
    assert planned.downloads.size == sum(sizes)
    asked = len(server.requests)
    again = plan(project)
    assert (again.lock.state, again.lock.changes, again.downloads.files) == ("current", (), 0)
    assert states(again) == ["cached", "local"] * 2
    assert again.lock.path == str(manifest.with_suffix(".lock"))
    assert len(server.requests) == asked


def test_an_interpreter_is_named_with_all_that_pins_it(project: Project) -> None:
    project.manifest()
    [executable] = plan(project).executables
    [interpreter] = executable.interpreters
    assert (interpreter.version, interpreter.release) == ("3.13.9", RELEASE)
    assert (interpreter.provider, interpreter.flavor) == ("PythonBuildStandalone", "install_only_stripped")
    assert (interpreter.id, interpreter.platform, interpreter.attested) == ("cpython", "linux-x86_64", None)
    assert re.fullmatch("[0-9a-f]{64}", interpreter.archive.sha256)


def test_one_platform_of_several_can_be_planned(project: Project) -> None:
    project.manifest(platforms=("linux-aarch64", "windows-x86_64"))
    [executable] = plan(project, "windows-x86_64").executables
    assert executable.path == str(project.directory / "dist" / "moo-windows-x86_64.exe")


def test_a_launcher_that_has_to_be_compiled_is_told(project: Project) -> None:
    project.manifest(platforms=("linux-x86_64", "linux-aarch64"))
    [compiled] = (project.directory.parent / "cache" / "launchers").glob("linux-aarch64-*")
    compiled.unlink()
    found = [(each.launcher.name, each.launcher.state) for each in plan(project).executables]
    assert found == [("linux-x86_64", "ready"), ("linux-aarch64", "compile")]


def test_the_interpreter_that_packs_modules_here_is_a_helper(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("czscie.build_plan", "czscie.lock.locker"):
        monkeypatch.setattr(f"{module}.current_platform", lambda: find_platform("linux-x86_64"))
    project.manifest(platforms=("windows-x86_64",))
    planned = plan(project)
    assert [(helper.id, helper.platform) for helper in planned.helpers] == [("cpython", "linux-x86_64")]
    assert planned.downloads.files == 2
    project.manifest(platforms=("windows-x86_64",), rest="[lift.pack]\nstdlib = false\n")
    assert plan(project).helpers == ()


def test_embedded_files_are_inputs_too(project: Project, server: MirrorServer) -> None:
    digest = f'digest = {{ size = 5, fingerprint = "{DIGEST}" }}'
    source = f'source = {{ url = "{server.url}/cows", lazy = false }}'
    project.manifest(
        rest=f'[[lift.files]]\nname = "cows"\n{digest}\n{source}\n[[lift.files]]\nname = "moo.pex"\n'
    )
    [executable] = plan(project).executables
    assert [(file.name, file.state, file.size) for file in executable.files] == [
        ("cows", "download", 5),
        ("moo.pex", "local", (project.directory / "moo.pex").stat().st_size),
    ]
    assert executable.files[0].sha256 == DIGEST


def test_a_c_library_that_comes_along_is_of_packages(project: Project) -> None:
    libc = '[lift.libc]\nbundle = "when-missing"\n'
    project.manifest(platforms=("linux-x86_64", "windows-x86_64"), rest=libc)
    linux, windows = plan(project).executables
    assert windows.libc is None
    assert linux.libc is not None
    assert linux.libc.release.startswith("Debian ")
    libc6 = next(file for file in linux.libc.packages if file.name.startswith("libc6_"))
    assert (libc6.name.endswith("_amd64.deb"), libc6.state) == (True, "download")
    assert libc6 in linux.inputs


def test_a_changed_manifest_changes_the_plan_and_not_the_lock(project: Project) -> None:
    path = project.manifest().with_suffix(".lock")
    project.build()
    written = path.read_bytes()
    project.manifest(platforms=("linux-x86_64", "linux-aarch64"))
    planned = plan(project)
    assert planned.lock.state == "changed"
    assert planned.lock.changes == (
        "the interpreter cpython is not locked for linux-aarch64",
        "the launcher for linux-aarch64 is not locked",
    )
    assert planned.downloads.files == 1
    assert path.read_bytes() == written
    assert plan(project, "linux-x86_64", use=LockUse.FROZEN).lock.state == "unchecked"
    with pytest.raises(CzscieError) as error:
        plan(project, use=LockUse.LOCKED)
    assert error.value.what == f"{path} is not up to date"


@pytest.mark.parametrize(
    ("manifest", "platforms"),
    [
        ({"payload": 'pex = "nothing.pex"'}, ()),
        ({"interpreter": STANDALONE.replace("3.13", "3.9")}, ()),
        ({}, ("macos-x86_64",)),
        ({"interpreter": STANDALONE.replace("PythonBuildStandalone", "GraalPy")}, ()),
    ],
    ids=["payload", "version", "platform", "unsupported"],
)
def test_what_the_build_refuses_the_plan_refuses_in_the_same_words(
    project: Project, manifest: dict[str, Any], platforms: tuple[str, ...]
) -> None:
    project.manifest(**manifest)
    with pytest.raises(CzscieError) as planned:
        plan(project, *platforms)
    with pytest.raises(CzscieError) as built:
        project.build(*platforms)
    assert str(planned.value) == str(built.value)


def test_the_documentation_names_every_key(project: Project) -> None:
    kinds = [
        kind
        for kind in vars(czscie.build_plan).values()
        if isinstance(kind, type)
        and issubclass(kind, msgspec.Struct)
        and kind.__module__ in (BuildPlan.__module__, PlannedInput.__module__)
    ]
    assert len(kinds) == 10
    document = DOCUMENT.read_text(encoding="utf-8")
    for kind in kinds:
        for name in kind.__struct_fields__:
            assert f"`{name}`" in document


def test_the_json_of_a_plan_is_read_back_as_the_same(project: Project) -> None:
    project.manifest()
    planned = plan(project)
    assert msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(planned))), BuildPlan) == planned


def shown(planned: BuildPlan) -> list[str]:
    stream = io.StringIO()
    print_plan(planned, RichConsole(file=stream, width=110, highlight=False, markup=False, emoji=False))
    return list(_squeezed(stream.getvalue()))


def _squeezed(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield re.sub(r"  +", "  ", line).rstrip()


def test_people_see_what_goes_into_each_executable(project: Project) -> None:
    manifest = project.manifest()
    directory = project.directory
    size = f"{(directory / 'moo.pex').stat().st_size / 1e3:.1f} kB"
    lines = shown(plan(project))
    assert lines[:5] == [
        f"{manifest.with_suffix('.lock')} would be written",
        "  there is no lock yet",
        str(directory / "dist" / "moo"),
        "launcher  linux-x86_64  ready",
        lines[4],
    ]
    assert re.fullmatch(
        rf"interpreter cpython  CPython 3\.13\.9 of release {RELEASE}, install_only_stripped"
        r"  \d\.\d kB  to download",
        lines[4],
    )
    assert lines[5] == f"payload pex  moo.pex  {size}  here"
    assert lines[6].startswith("to download: 1 file, ")
    project.build()
    assert shown(plan(project))[-1] == "nothing to download"
