"""What cannot succeed is told before anything is packed, by a build and by its plan in the same words."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from building import INTERPRETERS, MOO, STANDALONE, Project, pex
from czex.factories import write_zip
from czscie import api
from czscie.console import Console
from czscie.errors import Code, CzscieError, raise_all
from czscie.image.build import ImageOptions
from czscie.launchers import build as launchers
from czscie.platforms import find_platform
from czscie.preflight import own_scripts_first
from czscie.session import Session
from czscie.wheel.wheel import read_wheels
from lock.wheelhouse import wheel_file


def refused(project: Project, output: Path | None = None) -> CzscieError:
    """The error of a build, which is that of its plan; nothing was packed."""
    manifest, output = project.directory / "lift.toml", output or project.directory / "dist"
    errors = []
    for function in (api.plan, api.build):
        with pytest.raises(CzscieError) as caught:
            function(manifest, output)
        errors.append(caught.value)
    assert str(errors[0]) == str(errors[1])
    cache = Path(os.environ["CZSCIE_CACHE"])
    assert not (cache / "packed").exists() and not (cache / "compilers").exists()
    return errors[0]


def without_launchers(*platforms: str) -> None:
    directory = Path(os.environ["CZSCIE_CACHE"], "launchers")
    for name in platforms:
        (directory / launchers.file_name(find_platform(name).launcher)).unlink()


def test_a_launcher_that_is_not_there_and_no_compiler(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    without_launchers("linux-aarch64")
    project.manifest(platforms=("linux-aarch64",))
    error = refused(project)
    assert error.what == "this installation has no launcher for linux-aarch64 and no compiler to build it"
    assert error.hint == "pip install 'czscie[native]'"


def test_all_launchers_that_are_not_there_are_told_at_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    without_launchers("linux-aarch64", "macos-aarch64")
    project.manifest(platforms=tuple(INTERPRETERS))
    error = refused(project)
    assert error.what == "2 problems keep the build from succeeding"
    assert [line for line in error.why if "no launcher for" in line] == [
        f"this installation has no launcher for {name} and no compiler to build it [CZ506]"
        for name in ("linux-aarch64", "macos-aarch64")
    ]


@pytest.mark.parametrize(
    ("payload", "what", "hint"),
    [
        ('entry_point = "mo"', "the payload has no entry point 'mo'", "did you mean 'moo'?"),
        ('entry_point = "moo:mian"', "moo does not define mian", "did you mean moo:main?"),
        ('scripts = ["milk"]', "the payload has no script milk", None),
    ],
)
def test_an_entry_point_or_a_script_that_does_not_exist(
    project: Project, payload: str, what: str, hint: str | None
) -> None:
    project.manifest(payload=f'pex = "moo.pex"\n{payload}')
    error = refused(project)
    assert error.what.startswith(what)
    assert error.hint == hint


def test_the_entry_point_of_the_pex_itself(project: Project) -> None:
    pex(project.directory / "moo.pex", source="def other(): ...\n")
    project.manifest()
    assert refused(project).what == "moo does not define main, which the entry point moo:main names"


def test_scripts_of_what_nothing_else_requires_come_first(tmp_path: Path) -> None:
    wheels = {
        "zebra": (["antelope", "cow; extra == 'all'"], ("serve", "zebra")),
        "antelope": (["cow"], ("antelope",)),
        "cow": (["cow[all]"], ("a-cow",)),
    }
    files = []
    for name, (requires, scripts) in wheels.items():
        points = "".join(f"{each} = {name}:main\n" for each in scripts)
        filename, points = f"{name}-1.0-py3-none-any.whl", f"[console_scripts]\n{points}"
        files.append(wheel_file(tmp_path, filename, requires=requires, entry_points=points))
    assert own_scripts_first(read_wheels(files)) == ("serve", "zebra", "a-cow", "antelope")
    assert own_scripts_first(read_wheels(files[1:])) == ("antelope", "a-cow")


def test_what_a_script_imports_and_nothing_provides_is_a_warning(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.directory / "tool.py").write_text("import json, waitress\n")
    manifest = project.manifest(payload='script = "tool.py"')
    warning = (
        "warning: tool.py imports waitress, which is neither in its dependencies nor in the standard library "
        "(list it in a # /// script block)"
    )
    for function in (api.plan, api.build):
        function(manifest, project.directory / "dist", session=Session.of(Console()))
        assert warning in capsys.readouterr().err.splitlines()
    (project.directory / "tool.py").write_text("import json\n")
    api.build(manifest, project.directory / "dist", session=Session.of(Console()))
    assert "waitress" not in capsys.readouterr().err


def test_wheels_that_are_missing_for_some_platforms_are_told_at_once(project: Project) -> None:
    info = {"requirements": ["calf"], "entry_point": "moo:main"}
    write_zip(project.directory / "moo.pex", {"PEX-INFO": json.dumps(info).encode(), "moo.py": MOO.encode()})
    project.manifest(platforms=tuple(INTERPRETERS))
    error = refused(project)
    assert len([line for line in error.why if line.startswith("moo.pex lacks what")]) == len(INTERPRETERS)


def test_all_inputs_that_a_vendor_directory_lacks_are_told_at_once(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, parcel = project.manifest(platforms=("linux-x86_64", "linux-aarch64")), tmp_path / "parcel"
    api.vendor(manifest, parcel)
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "empty"))
    lost = sorted([*parcel.glob("archives/*x86_64*"), *parcel.glob("launchers/linux-aarch64*")])
    for path in lost:
        path.unlink()
    with pytest.raises(CzscieError) as caught:
        api.build(manifest, tmp_path / "dist", session=Session.of(vendor=parcel, offline=True))
    assert caught.value.what == "2 inputs are neither in parcel nor in the cache, and czscie is offline"
    told = [line.partition(", SHA-256 ")[0] for line in caught.value.why]
    assert told == [path.relative_to(parcel).as_posix() for path in lost]
    assert caught.value.hint == (
        f"run czscie vendor parcel {manifest} on a machine with network access, and copy parcel here"
    )


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_an_output_that_cannot_be_written(project: Project, kind: str) -> None:
    project.manifest()
    output = project.directory / "dist"
    if kind == "file":
        output.write_text("a file")
        assert refused(project).what == f"cannot write into {output}"
    else:
        (output / "moo").mkdir(parents=True)
        assert refused(project).what == f"cannot write {output / 'moo'}"


def test_what_does_not_fit_the_disk(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=10, used=9, free=1))
    project.manifest(STANDALONE)
    error = refused(project)
    assert error.what == f"no space left for {os.environ['CZSCIE_CACHE']} and {project.directory}/dist/moo"
    [why] = error.why
    assert why.startswith("the build takes at least ") and "1 bytes left" in why


def test_an_executable_that_does_not_fit_although_everything_is_here(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.manifest(STANDALONE)
    project.build()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=10, used=9, free=1))
    with pytest.raises(CzscieError) as caught:
        project.build(output="other")
    assert caught.value.what == f"no space left for {project.directory}/other/moo"


def test_an_image_without_a_c_library(project: Project) -> None:
    project.manifest()
    with pytest.raises(CzscieError) as caught:
        api.image(project.directory / "lift.toml", ImageOptions(project.directory / "moo.tar", None))
    assert caught.value.what == "the interpreter for linux-x86_64 does not start in an image FROM scratch"
    assert not (project.directory / "lift.lock").exists()


@pytest.mark.parametrize("output", ["archive", "layout", "vendor"])
def test_where_an_image_or_a_vendor_directory_cannot_be_written(project: Project, output: str) -> None:
    manifest, place = project.manifest(), project.directory / "moo.pex" / "out"
    with pytest.raises(CzscieError) as caught:
        if output == "vendor":
            api.vendor(manifest, place)
        else:
            path = {"archive": None, "layout": None, output: place}
            api.image(manifest, ImageOptions(**path))
    assert caught.value.what.startswith("cannot write into ")
    assert not (project.directory / "lift.lock").exists()


def test_an_image_whose_base_does_not_exist(project: Project) -> None:
    project.manifest(lift='image = { base = ["base.tar"] }')
    with pytest.raises(CzscieError) as caught:
        api.image(project.directory / "lift.toml", ImageOptions(project.directory / "moo.tar", None))
    assert caught.value.what == f"cannot read the base image {project.directory / 'base.tar'}"
    assert not (project.directory / "lift.lock").exists()


def test_files_that_the_manifest_names(project: Project) -> None:
    (project.directory / "moo.pex").unlink()
    project.manifest(rest='[[lift.files]]\nname = "herd.txt"\n')
    error = refused(project)
    assert error.what == f"{project.directory / 'lift.toml'} names 2 files that do not exist"
    assert [line.partition(":")[0] for line in error.why[:2]] == ["lift.files[0].name"] * 2


def test_equal_problems_are_one_and_several_keep_their_hints() -> None:
    one = CzscieError("one", code=Code.WHEELS_LACKING, why="because", hint="do it")
    other = CzscieError("other", code=Code.ENTRY_POINT_MISSING)
    raise_all([])
    with pytest.raises(CzscieError) as caught:
        raise_all([one, CzscieError("one", code=Code.WHEELS_LACKING, why="because", hint="do it")])
    assert caught.value is one
    with pytest.raises(CzscieError) as caught:
        raise_all([one, other])
    assert tuple(caught.value.why) == ("one [CZ108]", "  because", "  hint: do it", "other [CZ105]")
