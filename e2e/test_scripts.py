"""Several programs in one executable: scripts as commands, and sources beside requirements."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from e2e.build import Builder, read_results
from e2e.mirror.release import TAG
from e2e.run import start

MODULE = """\
import os, sys
def pack():
    print("pack", os.path.basename(sys.argv[0]), *sys.argv[1:], "PEX_SCRIPT" in os.environ)
def unpack():
    print("unpack", os.path.basename(sys.argv[0]), *sys.argv[1:])
    if sys.argv[1:] == ["again"]:
        import subprocess
        sys.stdout.flush()
        sys.exit(subprocess.call([sys.argv[0], "child"]))
"""
ENTRY_POINTS = "[console_scripts]\npack = crates:pack\nunpack = crates:unpack\n"
METADATA = "Metadata-Version: 2.1\nName: crates\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

INTERPRETER = f"""\
[[lift.interpreters]]
id = "cpython"
provider = "PythonBuildStandalone"
release = "{TAG}"
version = "3.13"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wheels") / "crates-1.0-py3-none-any.whl"
    info = "crates-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("crates.py", MODULE)
        archive.writestr("crates-1.0.data/scripts/crate.sh", "#!/bin/sh\necho sh $1\n")
        archive.writestr(f"{info}/METADATA", METADATA)
        archive.writestr(f"{info}/WHEEL", WHEEL)
        archive.writestr(f"{info}/entry_points.txt", ENTRY_POINTS)
        archive.writestr(f"{info}/RECORD", "")
    return path


def run_build(builder: Builder, directory: Path, payload: str) -> subprocess.CompletedProcess[str]:
    directory.mkdir(parents=True, exist_ok=True)
    manifest = (
        f'[lift]\nname = "crates"\nplatforms = ["linux-x86_64"]\n{INTERPRETER}\n[lift.payload]\n{payload}'
    )
    (directory / "lift.toml").write_text(manifest)
    return builder.run("lift.toml", directory=directory)


def build(builder: Builder, directory: Path, payload: str) -> Path:
    done = run_build(builder, directory, payload)
    assert done.returncode == 0, done.stderr
    (built,) = read_results(done.stdout)
    return directory / built.path


@pytest.fixture(scope="module")
def chosen(builder: Builder, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An executable of two scripts, of which none is the default."""
    payload = f'requirements = ["crates @ {wheel.as_uri()}"]\nscripts = ["pack", "unpack"]\n'
    return build(builder, tmp_path_factory.mktemp("chosen"), payload)


@pytest.fixture(scope="module")
def with_default(builder: Builder, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    payload = f'requirements = ["crates @ {wheel.as_uri()}"]\nscripts = "*"\ndefault = "pack"\n'
    return build(builder, tmp_path_factory.mktemp("default"), payload)


def said(executable: Path, *arguments: str, base: Path, **environment: str) -> str:
    done = start(executable, *arguments, base=base, environment=environment)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def link(executable: Path, name: str, directory: Path) -> Path:
    path = directory / name
    path.symlink_to(executable)
    return path


def test_the_first_argument_a_link_or_a_variable_chooses_the_script(
    chosen: Path, shared_base: Path, tmp_path: Path
) -> None:
    assert said(chosen, "pack", "a", base=shared_base) == "pack pack a False\n"
    assert said(chosen, "unpack", base=shared_base) == "unpack unpack\n"
    assert said(link(chosen, "unpack", tmp_path), "b", base=shared_base) == "unpack unpack b\n"
    assert said(chosen, "c", base=shared_base, SCIE_BOOT="pack") == "pack pack c False\n"


@pytest.mark.parametrize("arguments", [(), ("nosuch",)])
def test_without_a_choice_the_scripts_are_listed(
    chosen: Path, shared_base: Path, arguments: tuple[str, ...]
) -> None:
    done = start(chosen, *arguments, base=shared_base)
    assert done.returncode == 1
    assert b"\n  pack" in done.stderr
    assert b"\n  unpack" in done.stderr


def test_the_default_gets_every_argument_and_a_link_chooses_another(
    with_default: Path, shared_base: Path, tmp_path: Path
) -> None:
    assert said(with_default, "unpack", base=shared_base) == "pack pack unpack False\n"
    assert said(link(with_default, "unpack", tmp_path), base=shared_base) == "unpack unpack\n"
    assert said(link(with_default, "other", tmp_path), base=shared_base) == "pack pack False\n"
    assert said(with_default, "x", base=shared_base, SCIE_BOOT="crate.sh") == "sh x\n"


def test_a_script_can_start_itself_again_by_its_own_name(chosen: Path, shared_base: Path) -> None:
    assert said(chosen, "unpack", "again", base=shared_base) == "unpack unpack again\nunpack unpack child\n"


def test_a_script_that_does_not_exist_lists_what_there_is(with_default: Path, shared_base: Path) -> None:
    done = start(with_default, base=shared_base, environment={"PEX_SCRIPT": "nosuch"})
    assert done.returncode == 1
    assert done.stderr.decode().endswith("there is no script nosuch; there are crate.sh, pack, unpack\n")


def test_an_installation_has_an_executable_for_each_script(
    chosen: Path, shared_base: Path, tmp_path: Path
) -> None:
    said(chosen, str(tmp_path / "opt"), base=shared_base, SCIE="install")
    assert {path.name for path in (tmp_path / "opt" / "bin").iterdir()} == {"pack", "unpack"}
    assert said(tmp_path / "opt" / "bin" / "unpack", "d", base=shared_base) == "unpack unpack d\n"


@pytest.mark.parametrize(
    ("scripts", "hint"),
    [('["pakc"]', "did you mean pack?"), ('"*"\ndefault = "unpak"', "did you mean unpack?")],
)
def test_a_script_that_the_payload_lacks_is_named_with_the_nearest(
    builder: Builder, wheel: Path, tmp_path: Path, scripts: str, hint: str
) -> None:
    payload = f'requirements = ["crates @ {wheel.as_uri()}"]\nscripts = {scripts}\n'
    done = run_build(builder, tmp_path / "project", payload)
    assert done.returncode == 1
    assert hint in done.stderr
    assert not (tmp_path / "project" / "dist").exists()


def test_sources_are_importable_beside_requirements(
    builder: Builder, wheel: Path, shared_base: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "project"
    (directory / "app" / "__pycache__").mkdir(parents=True)
    (directory / "app" / "__init__.py").write_text("import crates\nNAME = crates.__name__\n")
    (directory / "app" / "data.txt").write_text("data")
    (directory / "app" / "__pycache__" / "x.pyc").write_bytes(b"")
    (directory / "main.py").write_text(
        "import app, pathlib\nhere = pathlib.Path(app.__file__).parent\n"
        "print(app.NAME, (here / 'data.txt').read_text(), sorted(p.name for p in here.iterdir())[-1])\n"
    )
    sources = f'requirements = ["crates @ {wheel.as_uri()}"]\nsources = ["main.py", "app/"]\n'
    assert said(build(builder, directory, sources), base=shared_base) == "crates data data.txt\n"
    (directory / "app" / "data.txt").write_text("more")
    assert "crates more" in said(build(builder, directory, sources), base=shared_base)


def test_sources_alone_are_a_payload(builder: Builder, shared_base: Path, tmp_path: Path) -> None:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "main.py").write_text("print('alone')\n")
    assert said(build(builder, directory, 'sources = ["main.py"]\n'), base=shared_base) == "alone\n"
