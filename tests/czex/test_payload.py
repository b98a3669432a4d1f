from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from czex.making import CPYTHON_313, WINDOWS_313, metadata, record, write_zip
from czscie.czex.payload import default_glibc, make_pex
from czscie.czex.pex import Pex
from czscie.czex.resolve import resolve
from czscie.errors import CzscieError
from czscie.lift.payload import Payload
from czscie.pbs.distribution import Layout
from czscie.platforms import Platform, find_platform

HERE = Path(__file__).parent
LINUX = find_platform("linux-x86_64")
WINDOWS = find_platform("windows-x86_64")


def payload(**source: object) -> Payload:
    fields: dict[str, object] = dict.fromkeys(
        ("pex", "requirements", "project", "script", "lock", "entry_point", "glibc")
    )
    return Payload(**{**fields, "interpreter": "cpython", **source})  # type: ignore[arg-type]


def wheel_file(directory: Path, filename: str, **fields: object) -> Path:
    name, version = filename.split("-")[:2]
    found = metadata(name, version, **fields)  # type: ignore[arg-type]
    path = f"{name}-{version}.dist-info/RECORD"
    return write_zip(directory / filename, {**found, path: record(found, path)})


@pytest.fixture
def index(tmp_path: Path, pex_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that the user's pip takes wheels from, and settings for pex that would spoil every PEX."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".pexrc").write_text("PEX_VENV=true\n")
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PEX_VENV", "true")
    monkeypatch.setenv("PEX_SCRIPT", "nothing")
    monkeypatch.setenv("PEX_ROOT", pex_environment["PEX_ROOT"])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


def wheels_of(made: Payload, platform: Platform, layout: Layout, directory: Path) -> list[str]:
    """The wheels of the PEX that is made of the payload, all of which the target must be able to use."""
    (directory / "made").mkdir()
    with Pex.open(make_pex(made, platform, layout, None, directory / "made")) as pex:
        assert not pex.info.venv
        assert pex.info.entry_point is pex.info.script is None
        resolution = resolve(pex, platform, layout)
        assert resolution.left_out == ()
        return sorted(wheel.filename for wheel in resolution.wheels)


def test_requirements_become_the_wheels_of_the_target(index: Path, tmp_path: Path) -> None:
    for platform in ("win_amd64", "manylinux_2_17_x86_64", "manylinux_2_34_x86_64"):
        wheel_file(index, f"cow-1.0-cp313-cp313-{platform}.whl", requires=["calf; sys_platform == 'win32'"])
    wheel_file(index, "calf-1.0-py3-none-any.whl", requires_python="==3.13.9")
    made = payload(requirements=("cow>=1", "calf; python_version < '3'"))
    assert wheels_of(made, WINDOWS, WINDOWS_313, tmp_path) == [
        "calf-1.0-py3-none-any.whl",
        "cow-1.0-cp313-cp313-win_amd64.whl",
    ]


def test_wheels_that_ask_for_a_newer_glibc_than_most_hosts_have_are_not_taken(
    index: Path, tmp_path: Path
) -> None:
    for minor in (17, 28, 34):
        wheel_file(index, f"cow-1.{minor}-cp313-cp313-manylinux_2_{minor}_x86_64.whl")
    made = payload(requirements=("cow",))
    assert wheels_of(made, LINUX, CPYTHON_313, tmp_path) == ["cow-1.28-cp313-cp313-manylinux_2_28_x86_64.whl"]
    assert default_glibc(LINUX) == (2, 28)
    assert default_glibc(find_platform("linux-riscv64")) == (2, 39)


def test_a_lock_becomes_the_wheels_of_the_target(index: Path, tmp_path: Path) -> None:
    wheels = []
    for platform in ("win_amd64", "manylinux_2_17_x86_64"):
        path = wheel_file(index, f"cow-1.0-cp313-cp313-{platform}.whl")
        wheels.append(
            f'{{name = "{path.name}", url = "{path.as_uri()}", size = {path.stat().st_size}, '
            f'hashes = {{sha256 = "{sha256(path)}"}}}}'
        )
    lock = tmp_path / "pylock.toml"
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "hand"\n\n[[packages]]\nname = "cow"\nversion = "1.0"\n'
        f"wheels = [{', '.join(wheels)}]\n"
    )
    made = payload(lock=lock)
    assert wheels_of(made, WINDOWS, WINDOWS_313, tmp_path) == ["cow-1.0-cp313-cp313-win_amd64.whl"]


def test_a_script_becomes_what_the_pex_runs_with_the_wheels_that_it_names(
    index: Path, tmp_path: Path
) -> None:
    wheel_file(index, "cow-1.0-cp313-cp313-win_amd64.whl")
    script = tmp_path / "tool.py"
    script.write_text(
        '# /// script\n# dependencies = ["cow"]\n# requires-python = ">=3.13"\n# ///\nimport cow\n'
    )
    with Pex.open(make_pex(payload(script=script), WINDOWS, WINDOWS_313, None, tmp_path)) as pex:
        assert [wheel.filename for wheel in pex.wheels] == ["cow-1.0-cp313-cp313-win_amd64.whl"]
        assert [file.content.read() for file in pex.sources] == [script.read_bytes()]
        assert pex.info.entry_point == pex.sources[0].path.removesuffix(".py")


def test_a_script_that_wants_another_python_is_an_error(index: Path, tmp_path: Path) -> None:
    script = tmp_path / "tool.py"
    script.write_text('# /// script\n# requires-python = ">=3.14"\n# ///\n')
    with pytest.raises(CzscieError) as error:
        make_pex(payload(script=script), LINUX, CPYTHON_313, None, tmp_path)
    assert error.value.what == "tool.py does not run with CPython 3.13.9"
    assert error.value.why == ('its requires-python is ">=3.14"',)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_project_is_built_and_becomes_a_wheel(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pex takes what it builds with from the ordinary index.
    monkeypatch.delenv("PIP_NO_INDEX")
    made = payload(project=HERE / "moo")
    assert wheels_of(made, WINDOWS, WINDOWS_313, tmp_path) == ["moo-1.0-py3-none-any.whl"]


def test_a_project_that_is_only_built_on_its_platform_is_an_error_elsewhere(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    project = tmp_path / "native"
    shutil.copytree(HERE / "moo", project)
    backend = project / "backend" / "moo_backend.py"
    text = backend.read_text()
    backend.write_text(text.replace("py3-none-any", "cp39-cp39-linux_s390x"))
    (tmp_path / "made").mkdir()
    with pytest.raises(CzscieError) as error:
        make_pex(payload(project=project), WINDOWS, WINDOWS_313, None, tmp_path / "made")
    text = str(error.value)
    assert "moo-1.0-cp39-cp39-linux_s390x.whl" in text
    assert error.value.mend == "build that wheel on windows-x86_64 and name its directory in PIP_FIND_LINKS"


def test_what_is_not_to_be_had_is_an_error_with_the_reasons_of_pip(index: Path, tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as error:
        make_pex(payload(requirements=("cow==1",)), LINUX, CPYTHON_313, None, tmp_path)
    text = str(error.value)
    assert error.value.what == "pex cannot make the payload for linux-x86_64 (glibc 2.28) with CPython 3.13.9"
    assert "No matching distribution found for cow==1" in text
    assert str(tmp_path) not in text
    assert error.value.mend == "if its wheels ask for a newer glibc than 2.28, set glibc in [lift.payload]"
