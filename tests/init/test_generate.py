from __future__ import annotations

import json
from pathlib import Path

import pytest

from czex.factories import metadata, record, write_zip
from czscie.console import Console
from czscie.errors import CzscieError
from czscie.init.choice import PythonRequest
from czscie.init.generate import write_first_manifest
from czscie.init.program import Program
from czscie.lift.interpreter import PythonBuildStandalone
from czscie.lift.lift import Lift
from czscie.lift.manifest import read_manifest
from czscie.pbs.assets import Asset
from czscie.platforms import find_platform
from czscie.session import Session
from init.conftest import TAG

PROJECT = """
[project]
name = "Cow.Say"
description = 'A "talking" cow'
requires-python = ">=3.11,<3.14"

[project.scripts]
calf = "cow:calf"
cow-say = "cow:say"
"""


def first(
    source: Path, *platforms: str, version: str | None = None, release: str | None = None, force: bool = False
) -> Lift:
    """The manifest that is written for `source`, beside it."""
    output = source.parent / "lift.toml"
    write_first_manifest(
        Program(source, python=PythonRequest(version, release, tuple(map(find_platform, platforms)))),
        output,
        Session.of(Console()),
        force=force,
    )
    return read_manifest(output)


def interpreter(lift: Lift) -> tuple[str, str | None]:
    [found] = lift.interpreters
    assert isinstance(found, PythonBuildStandalone)
    assert (found.flavor, found.base_url) == ("install_only_stripped", ())
    return found.version, found.release


def names(lift: Lift) -> list[str]:
    return [platform.name for platform in lift.platforms]


def comments(directory: Path) -> str:
    """The manifest with what is wrapped put into one line."""
    return (directory / "lift.toml").read_text(encoding="utf-8").replace("\n# ", " ")


def project(directory: Path, text: str = PROJECT) -> Path:
    path = directory / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return path


def script(directory: Path, requires_python: str = ">=3.12") -> Path:
    path = directory / "tool.py"
    path.write_text(
        f'# /// script\n# requires-python = "{requires_python}"\n# ///\n"""Does it.\n\nMore."""\nimport sys\n'
    )
    return path


def pex(directory: Path, *wheels: str, entry_points: str = "", **info: object) -> Path:
    """A PEX with these wheels, each of which it requires."""
    entries: dict[str, bytes] = {}
    for wheel in wheels:
        name, version = wheel.split("-")[:2]
        found = metadata(name, version, entry_points=entry_points)
        row = f"{name}-{version}.dist-info/RECORD"
        path = write_zip(directory / wheel, {**found, row: record(found, row)})
        entries[f".deps/{wheel}"] = path.read_bytes()
        path.unlink()
    requirements = sorted({wheel.split("-")[0] for wheel in wheels})
    distributions = dict.fromkeys(wheels, "0" * 64)
    raw = {"requirements": requirements, "distributions": distributions, "deps_are_wheel_files": True, **info}
    return write_zip(directory / "moo.pex", {"PEX-INFO": json.dumps(raw).encode(), **entries})


def test_a_project_becomes_a_manifest_with_its_own_script_and_the_newest_cpython_it_takes(
    tmp_path: Path,
) -> None:
    lift = first(project(tmp_path))
    assert (lift.name, lift.description) == ("Cow.Say", 'A "talking" cow')
    assert interpreter(lift) == ("3.13.9", TAG)
    assert names(lift) == ["linux-x86_64"]
    assert lift.payload is not None
    assert lift.payload.project is not None
    assert lift.payload.project.resolve() == tmp_path
    assert lift.payload.entry_point == "cow-say"
    text = comments(tmp_path)
    assert 'The project also has: "calf".' in text
    assert 'declares: requires-python = "<3.14,>=3.11".' in text
    assert '"linux-aarch64", "musl-linux-x86_64", "macos-aarch64", "windows-x86_64".' in text
    assert max(map(len, (tmp_path / "lift.toml").read_text().splitlines())) <= 110


def test_a_directory_with_a_pyproject_is_the_same_project(tmp_path: Path) -> None:
    project(tmp_path)
    write_first_manifest(Program(tmp_path), tmp_path / "lift.toml", Session.of(Console()))
    written = (tmp_path / "lift.toml").read_bytes()
    (tmp_path / "lift.toml").unlink()
    first(tmp_path / "pyproject.toml")
    assert (tmp_path / "lift.toml").read_bytes() == written


def test_the_first_line_names_a_schema_that_is_there(tmp_path: Path) -> None:
    first(project(tmp_path))
    assert not (tmp_path / "lift.toml").read_text().startswith("#:schema")
    (tmp_path / "lift.schema.json").write_text("{}")
    (tmp_path / "lift.toml").unlink()
    first(project(tmp_path))
    assert (tmp_path / "lift.toml").read_text().startswith("#:schema ./lift.schema.json\n\n# ")


def test_paths_start_where_the_manifest_is(tmp_path: Path) -> None:
    (tmp_path / "packaging").mkdir()
    output = tmp_path / "packaging" / "lift.toml"
    write_first_manifest(Program(script(tmp_path)), output, Session.of(Console()))
    payload = read_manifest(output).payload
    assert payload is not None
    assert 'script = "../tool.py"\n' in output.read_text()
    assert payload.script is not None
    assert payload.script.resolve() == tmp_path / "tool.py"


def test_a_package_that_can_be_run_starts_where_there_is_no_script(tmp_path: Path) -> None:
    package = tmp_path / "src" / "cow_say"
    package.mkdir(parents=True)
    (package / "__main__.py").touch()
    lift = first(project(tmp_path, '[project]\nname = "cow-say"\n'))
    assert lift.payload is not None
    assert lift.payload.entry_point == "cow_say"


def test_it_is_said_when_nothing_says_what_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lift = first(project(tmp_path, '[project]\nname = "cow-say"\n'))
    assert lift.payload is not None
    assert lift.payload.entry_point is None
    assert "declares no entry point, so cow-say will start an interactive Python" in capsys.readouterr().err
    assert "Without an entry point, it starts an interactive Python." in comments(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[project]\nversion = '1'\n", "does not name the project"),
        ("[tool.other]\n", "does not name the project"),
        ("[project", "is not valid TOML"),
        ('[project]\nname = "cow"\nrequires-python = "3.x!"\n', "requires-python of"),
        ('[project]\nname = "a/b"\n', "1 problem"),
    ],
)
def test_a_project_that_makes_no_sense_is_an_error_and_writes_nothing(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(CzscieError) as error:
        first(project(tmp_path, text))
    assert message in str(error.value)
    assert not (tmp_path / "lift.toml").exists()


def test_a_script_becomes_a_manifest_with_the_first_line_of_its_docstring(tmp_path: Path) -> None:
    lift = first(script(tmp_path))
    assert (lift.name, lift.description) == ("tool", "Does it")
    assert interpreter(lift) == ("3.14.2", TAG)
    assert lift.payload is not None
    assert (lift.payload.script, lift.payload.entry_point) == (tmp_path / "tool.py", None)


def test_a_pex_becomes_a_manifest_that_heeds_its_constraints(tmp_path: Path) -> None:
    made = pex(
        tmp_path,
        "cow-1.0-py3-none-any.whl",
        interpreter_constraints=["CPython<3.12,>=3.9"],
        entry_point="cow:say",
    )
    lift = first(made)
    assert lift.name == "moo"
    assert interpreter(lift) == ("3.11.14", TAG)
    assert lift.payload is not None
    assert (lift.payload.pex, lift.payload.entry_point) == (made, None)
    assert "The PEX sets the entry point." in comments(tmp_path)


def test_a_pex_gets_the_cpython_that_its_wheels_are_for(tmp_path: Path) -> None:
    lift = first(pex(tmp_path, *(f"cow-1.0-cp312-cp312-manylinux_2_17_{arch}.whl" for arch in ARCHES)))
    assert interpreter(lift) == ("3.12.12", TAG)
    assert names(lift) == ["linux-x86_64"]
    assert 'Others are: "linux-aarch64".' in comments(tmp_path)


ARCHES = ("x86_64", "aarch64")


def test_a_pex_that_does_not_run_here_is_for_the_platforms_of_its_wheels(tmp_path: Path) -> None:
    wheels = ("cow-1.0-cp311-cp311-macosx_11_0_arm64.whl", "cow-1.0-cp311-cp311-win_amd64.whl")
    lift = first(pex(tmp_path, *wheels))
    assert names(lift) == ["macos-aarch64", "windows-x86_64"]
    assert interpreter(lift) == ("3.11.14", TAG)


def test_the_scripts_of_a_pex_without_an_entry_point_are_named(tmp_path: Path) -> None:
    first(pex(tmp_path, "cow-1.0-py3-none-any.whl", entry_points="[console_scripts]\nmoo = cow:say\n"))
    assert 'The PEX has: "moo".' in comments(tmp_path)


def test_all_platforms_that_are_wanted_get_the_same_cpython(tmp_path: Path) -> None:
    lift = first(script(tmp_path), "windows-x86_64", "linux-x86_64")
    assert names(lift) == ["windows-x86_64", "linux-x86_64"]
    assert interpreter(lift) == ("3.13.9", TAG)  # of 3.14 there is none for Windows


def test_a_platform_without_the_wheels_is_an_error_that_says_what_is_missing(tmp_path: Path) -> None:
    made = pex(tmp_path, "cow-1.0-cp312-cp312-manylinux_2_17_x86_64.whl")
    with pytest.raises(CzscieError) as error:
        first(made, "macos-aarch64", version="3.12")
    assert error.value.what == f"{made} does not run with any CPython for macos-aarch64"
    assert f"release {TAG} of python-build-standalone has: 3.12.12" in error.value.why
    assert "manylinux_2_17_x86_64 does not run on macos-aarch64" in str(error.value)


def of_one_flavor(mirror: Path, flavor: str) -> None:
    """Makes that of CPython 3.13.9 the only asset of the release."""
    name = Asset("3.13.9", TAG, find_platform("linux-x86_64").triple, flavor).name
    (mirror / TAG / "SHA256SUMS").write_text(f"{'0' * 64}  {name}\n")


def test_a_release_without_stripped_builds_has_others(tmp_path: Path, mirror: Path) -> None:
    of_one_flavor(mirror, "install_only")
    assert interpreter(first(script(tmp_path))) == ("3.13.9", TAG)


def test_a_release_without_builds_that_are_wanted_is_said_to_have_none(tmp_path: Path, mirror: Path) -> None:
    of_one_flavor(mirror, "pgo+lto-full")
    with pytest.raises(CzscieError) as error:
        first(script(tmp_path))
    assert error.value.why[0] == f"release {TAG} of python-build-standalone has: none"
    with pytest.raises(CzscieError) as error:
        first(script(tmp_path), version="3.13")
    assert error.value.why == ("it has: none",)
    assert error.value.hint == "choose another release: --python X.Y.Z+YYYYMMDD"


def test_a_version_that_nothing_has_is_an_error_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as error:
        first(script(tmp_path, ">=4"))
    assert error.value.why == (
        f"release {TAG} of python-build-standalone has: 3.14.2, 3.13.9, 3.12.12, 3.11.14, 3.10.19",
        'it declares: requires-python = ">=4"',
    )
    with pytest.raises(CzscieError) as error:
        first(script(tmp_path), version="3.1")
    assert error.value.what == f"release {TAG} of python-build-standalone has no CPython 3.1"


def test_a_version_can_be_asked_for(tmp_path: Path) -> None:
    assert interpreter(first(script(tmp_path), version="3.12", release=TAG)) == ("3.12.12", TAG)


def test_without_a_mirror_both_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CZSCIE_PBS_URL", (tmp_path / "nowhere").as_uri())
    with pytest.raises(CzscieError) as error:
        first(script(tmp_path))
    assert error.value.what == "cannot list the CPythons of python-build-standalone"
    assert error.value.hint == "name one: --python X.Y.Z+YYYYMMDD"
    assert interpreter(first(script(tmp_path), version="3.13.1", release="20250101")) == (
        "3.13.1",
        "20250101",
    )


def test_a_manifest_that_is_there_stays_unless_forced(tmp_path: Path) -> None:
    source = script(tmp_path)
    first(source)
    first(source)  # the same again is no contradiction
    (tmp_path / "lift.toml").write_text("mine\n")
    with pytest.raises(CzscieError) as error:
        first(source)
    assert error.value.hint == "run czscie init --force to overwrite it, or name another with -o"
    assert (tmp_path / "lift.toml").read_text() == "mine\n"
    assert first(source, force=True).name == "tool"


@pytest.mark.parametrize("name", ["nothing", "notes.txt", "empty"])
def test_what_is_neither_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(CzscieError) as error:
        first(tmp_path / name)
    assert error.value.what == f"{tmp_path / name} is not a project, a PEX or a script"
