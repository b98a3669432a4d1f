"""When the code of sources runs, how often, and what of the environment it sees: setup.py tells each run."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from building import Project
from czscie.build_plan import BuildPlan, plan_build
from czscie.errors import CzscieError
from czscie.lift.manifest import read_manifest
from czscie.lock import pex_tool, resolver
from czscie.lock.build_backend import build_environment
from czscie.lock.builder import Builder
from czscie.lock.command import check_lock, update_lock
from czscie.lock.lock import Lock, read_lock
from czscie.lock.pex_tool import FoundSource
from czscie.lock.upgrade import Upgrade
from czscie.lock.use import LockUse
from czscie.session import Session
from lock.wheelhouse import wheel_file

BOTH = ("linux-x86_64", "windows-x86_64")

SETUP = """\
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
from setuptools import setup
setup(name={name!r}, version={version!r}, py_modules=[{name!r}]{more})
"""

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "secret",
    "GITHUB_TOKEN": "secret",
    "CZSCIE_BEARER_EXAMPLE_COM": "secret",
    "PIP_PASSWORD": "secret",
    "PIP_EXTRA_INDEX_URL": "https://me:secret@example.com/simple",
    "UV_PUBLISH_TOKEN": "secret",
    "CARGO_REGISTRY_TOKEN": "secret",
    "WHATEVER": "secret",
}


@pytest.fixture(scope="session")
def setuptools_wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What setup.py is built with, of the package index."""
    directory = tmp_path_factory.mktemp("setuptools")
    command = [sys.executable, "-m", "pip", "download", "-q", "-d", str(directory), "setuptools>=70.1"]
    subprocess.run(command, check=True, capture_output=True)
    return list(directory.iterdir())


@pytest.fixture
def sources(index: Path, setuptools_wheels: list[Path]) -> Path:
    """The index, with what setup.py is built with."""
    for wheel in setuptools_wheels:
        shutil.copy(wheel, index)
    return index


def setup_text(log: Path, name: str, version: str, more: str = "") -> str:
    return SETUP.format(log=str(log), name=name, version=version, more=more)


def sdist(index: Path, name: str = "cow", version: str = "1.0", more: str = "", pkg_info: str = "") -> Path:
    """A source distribution whose setup.py tells of its runs in `runs.log` beside the index."""
    files = {
        "setup.py": setup_text(index.parent / "runs.log", name, version, more),
        f"{name}.py": "SAYS = 'moo'\n",
        "PKG-INFO": pkg_info or f"Metadata-Version: 1.0\nName: {name}\nVersion: {version}\n",
    }
    return archive(
        index / f"{name}-{version}.tar.gz", {f"{name}-{version}/{each}": t for each, t in files.items()}
    )


def archive(path: Path, files: Mapping[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def runs(index: Path) -> list[tuple[list[str], dict[str, str]]]:
    log = index.parent / "runs.log"
    return [tuple(json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []


def requiring(project: Project, *requirements: str, build: str = "") -> Path:
    payload = f"requirements = {json.dumps(requirements)}\n" + (f"build = {build}\n" if build else "")
    return project.manifest(platforms=BOTH, payload=payload)


def lock(project: Project) -> Lock:
    update_lock(project.directory / "lift.toml", Upgrade(), Session.of())
    found = read_lock(project.directory / "lift.lock")
    assert found is not None
    return found


def plan(project: Project, use: LockUse = LockUse.UPDATE) -> BuildPlan:
    return plan_build(project.directory / "lift.toml", project.directory / "dist", [], Session.of(), use)


def told(project: Project) -> str:
    """What `czscie plan` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "czscie", "plan", "lift.toml"],
        cwd=project.directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_project(project: Project, index: Path, pyproject: str | None, setup: bool = True) -> Path:
    """A project whose backend is setuptools; without a pyproject.toml when that is None."""
    path = project.directory / "calf"
    path.mkdir()
    (path / "calf.py").write_text("SAYS = 'ma'\n")
    if setup:
        (path / "setup.py").write_text(setup_text(index.parent / "runs.log", "calf", "2.0"))
    if pyproject is not None:
        system = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        (path / "pyproject.toml").write_text(f"{system}{pyproject}")
    return path


# Locking.


def test_a_lock_for_two_platforms_runs_setup_py_once(
    project: Project, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CFLAGS", "-O1")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example.com")
    sdist(sources)
    requiring(project, "cow")
    locked = lock(project)
    [(arguments, environment)] = runs(sources)
    assert arguments[0] == "bdist_wheel"
    assert "secret" not in json.dumps(environment)
    assert environment["CFLAGS"] == "-O1"
    assert not [name for name in environment if name.startswith(("PIP_", "CZSCIE_", "PEX_"))]
    [package] = locked.packages
    assert package.sdist is not None and package.sdist.name == "cow-1.0.tar.gz"
    assert [wheel.name for wheel in package.built] == ["cow-1.0-py3-none-any.whl"]
    lock(project)
    assert check_lock(project.directory / "lift.toml", Session.of()) == ()
    project.build(use=LockUse.LOCKED)
    assert len(runs(sources)) == 1


def test_what_a_source_requires_is_resolved(project: Project, sources: Path) -> None:
    wheel_file(sources, "calf-1.0-py3-none-any.whl")
    sdist(sources, more=", install_requires=['calf']")
    requiring(project, "cow")
    assert [package.name for package in lock(project).packages] == ["calf", "cow"]
    assert len(runs(sources)) == 1


def test_a_source_of_a_source_is_built_once_too(project: Project, sources: Path) -> None:
    sdist(sources, "calf", "2.0")
    sdist(sources, more=", install_requires=['calf']")
    requiring(project, "cow")
    assert [package.version for package in lock(project).packages] == ["2.0", "1.0"]
    assert len(runs(sources)) == 2


def test_setup_requires_is_asked_for(project: Project, sources: Path) -> None:
    wheel_file(sources, "calf-1.0-py3-none-any.whl")
    sdist(sources, more=", setup_requires=['calf']")
    requiring(project, "cow")
    lock(project)
    assert len(runs(sources)) > 1


def test_a_source_by_its_url_is_built_once(project: Project, sources: Path) -> None:
    path = sdist(sources).rename(project.directory / "cow-1.0.tar.gz")
    requiring(project, f"cow @ {path.as_uri()}")
    [package] = lock(project).packages
    assert package.sdist is not None and package.sdist.path == "cow-1.0.tar.gz"
    assert len(runs(sources)) == 1


def test_a_directory_is_built_once_and_is_not_written_to(project: Project, sources: Path) -> None:
    path = make_project(project, sources, "")
    requiring(project, f"calf @ {path.as_uri()}")
    [package] = lock(project).packages
    assert package.directory is not None and package.directory.path == "calf"
    assert len(runs(sources)) == 1
    assert not (path / "build").exists()


def test_a_directory_that_changed_is_built_again(project: Project, sources: Path) -> None:
    path = make_project(project, sources, "")
    requiring(project, f"calf @ {path.as_uri()}")
    before = lock(project)
    manifest = project.directory / "lift.toml"
    assert check_lock(manifest, Session.of()) == ()
    assert len(runs(sources)) == 1
    (path / "calf.py").write_text("SAYS = 'mu'\n")
    planned = plan(project)
    payload = planned.executables[0].payload
    assert payload is not None
    assert [(file.name, file.state) for file in payload.files] == [("calf 2.0", "build")]
    assert [(each.project, each.again) for each in planned.builds] == [("calf", True)]
    assert check_lock(manifest, Session.of()) == ("calf builds a different wheel from its directory",)
    with pytest.raises(CzscieError, match="is not up to date"):
        project.build(use=LockUse.LOCKED)
    project.build()
    after = read_lock(project.directory / "lift.lock")
    assert after is not None and after.packages != before.packages
    assert check_lock(manifest, Session.of()) == ()
    assert len(runs(sources)) == 2


@pytest.mark.parametrize(
    "name", ["SETUPTOOLS_SCM_PRETEND_VERSION_FOR_CALF", "PBR_VERSION", "PDM_BUILD_SCM_VERSION"]
)
def test_a_version_of_the_environment_is_that_of_the_wheel(
    project: Project, sources: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = make_project(project, sources, "")
    setup = path / "setup.py"
    setup.write_text(setup.read_text().replace("version='2.0'", f"version=os.environ[{name!r}]"))
    assert name in setup.read_text()
    project.manifest(payload='project = "calf"')
    for version in ("3.0", "4.0", "3.0"):
        monkeypatch.setenv(name, version)
        [package] = lock(project).packages
        assert package.version == version
    assert len(runs(sources)) == 2


def test_a_project_is_built_once_for_all_platforms(project: Project, sources: Path) -> None:
    make_project(project, sources, "")
    project.manifest(platforms=BOTH, payload='project = "calf"')
    lock(project)
    assert check_lock(project.directory / "lift.toml", Session.of()) == ()
    project.build(use=LockUse.LOCKED)
    assert len(runs(sources)) == 1
    (project.directory / "calf" / "calf.py").write_text("SAYS = 'mu'\n")
    [change] = check_lock(project.directory / "lift.toml", Session.of())
    assert change == "the project calf builds a different wheel"
    assert len(runs(sources)) == 2


def test_a_backend_that_fails_is_an_error_with_its_words(project: Project, sources: Path) -> None:
    sdist(sources, more=", ext_modules=[1 / 0]")
    requiring(project, "cow")
    with pytest.raises(CzscieError, match=r"fails for cow-1\.0") as caught:
        lock(project)
    assert "ZeroDivisionError" in str(caught.value)


def test_what_a_backend_leaves_running_is_not_waited_for(project: Project, sources: Path) -> None:
    """Such as a compiler's server, which has the backend's output for its own."""
    log = sources.parent / "left.log"
    program = "[sys.executable, '-c', 'import time; time.sleep(600)']"
    left = f"open({str(log)!r}, 'w').write(str(__import__('subprocess').Popen({program}).pid))"
    sdist(sources, more=f", description=str({left})")
    requiring(project, "cow")
    begun = time.monotonic()
    try:
        assert [package.name for package in lock(project).packages] == ["cow"]
        assert time.monotonic() - begun < 500
    finally:
        os.kill(int(log.read_text()), signal.SIGKILL)


def test_a_source_by_what_is_no_url_is_refused(project: Project, tmp_path: Path) -> None:
    lift = read_manifest(requiring(project, "cow"))
    builder = Builder.of(lift, Session.of())
    for url in ("http://[", "http://[x/cow-1.0.tar.gz", "git+https://example.com/cow", "ftp://a/cow-1.0.zip"):
        with pytest.raises(CzscieError, match="which has no digest"):
            builder.wheel(FoundSource(url, None, None, None), tmp_path)


def test_a_source_that_leaves_its_directory_is_refused(project: Project, sources: Path) -> None:
    archive(sources / "cow-1.0.tar.gz", {"cow-1.0/setup.py": "", "cow-1.0/../../evil.py": ""})
    requiring(project, "cow")
    with pytest.raises(CzscieError, match="unsafe path"):
        lock(project)


def test_a_pip_that_is_not_guarded_takes_no_source(
    project: Project, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run

    def unguarded(command: list[str], **options: object) -> object:
        return run([each for each in command if each != "czscie.lock.guard_pex"], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(pex_tool.subprocess, "run", unguarded)
    sdist(sources)
    requiring(project, "cow")
    with pytest.raises(CzscieError, match="cannot resolve"):
        lock(project)
    assert runs(sources) == []


# Whose may run.


def test_never_takes_wheels_alone(project: Project, sources: Path) -> None:
    sdist(sources, version="2.0")
    wheel_file(sources, "cow-1.0-py3-none-any.whl")
    requiring(project, "cow", build='"never"')
    assert [package.version for package in lock(project).packages] == ["1.0"]
    requiring(project, "cow==2.0", build='"never"')
    with pytest.raises(CzscieError, match="cannot resolve") as caught:
        lock(project)
    assert caught.value.why == tuple(
        f"cow 2.0 has no wheel for {platform}, only its source" for platform in BOTH
    )
    with pytest.raises(CzscieError, match="cannot resolve"):
        plan(project)
    assert runs(sources) == []


def test_those_that_are_named_may_run(project: Project, sources: Path) -> None:
    sdist(sources)
    requiring(project, "cow", build='["calf"]')
    with pytest.raises(CzscieError, match="cannot resolve"):
        lock(project)
    assert runs(sources) == []
    requiring(project, "cow", build='["calf", "Cow"]')
    assert [package.version for package in lock(project).packages] == ["1.0"]
    assert len(runs(sources)) == 1


def test_never_is_for_sources_by_their_url_and_for_locks_too(project: Project, sources: Path) -> None:
    path = sdist(sources).rename(project.directory / "cow-1.0.tar.gz")
    requiring(project, f"cow @ {path.as_uri()}", build='"never"')
    for use in (lock, plan):
        with pytest.raises(CzscieError, match="does not allow building"):
            use(project)
    assert runs(sources) == []


def test_a_wheel_that_is_gone_is_not_built_again_where_nothing_may(project: Project, sources: Path) -> None:
    sdist(sources)
    requiring(project, "cow")
    lock(project)
    cache = Path(os.environ["CZSCIE_CACHE"])
    for name in ("wheels", "known"):
        shutil.rmtree(cache / name)
    requiring(project, "cow", build='"never"')
    with pytest.raises(CzscieError, match="does not allow building"):
        project.build(use=LockUse.FROZEN)
    assert len(runs(sources)) == 1


@pytest.mark.parametrize(("build", "refused"), [('"never"', True), ('["other"]', True), ('["calf"]', False)])
def test_a_project_is_built_where_it_may_be(
    project: Project, sources: Path, build: str, refused: bool
) -> None:
    make_project(project, sources, '[project]\nname = "calf"\nversion = "2.0"\n')
    project.manifest(platforms=BOTH, payload=f'project = "calf"\nbuild = {build}')
    if refused:
        for use in (lock, plan):
            with pytest.raises(CzscieError, match="build"):
                use(project)
    else:
        lock(project)
    assert len(runs(sources)) == (0 if refused else 1)


@pytest.mark.parametrize(
    ("text", "build"), [('"allow"', None), ('"never"', ()), ('["B.b", "a"]', ("a", "b-b")), ("", None)]
)
def test_the_key_is_read(project: Project, text: str, build: tuple[str, ...] | None) -> None:
    manifest = requiring(project, "cow", build=text)
    payload = read_manifest(manifest).payload
    assert payload is not None and payload.build == build


@pytest.mark.parametrize("text", ['"sometimes"', "[]", '["a b"]', "true", "3"])
def test_other_values_are_an_error(project: Project, text: str) -> None:
    with pytest.raises(CzscieError, match=r"lift\.payload\.build"):
        read_manifest(requiring(project, "cow", build=text))


# Plans.


def test_a_plan_without_a_lock_runs_nothing(project: Project, sources: Path) -> None:
    sdist(sources)
    requiring(project, "cow")
    text = told(project)
    assert (
        "cow 1.0 has no wheel: locking would build it from cow-1.0.tar.gz, "
        "and only then are its requirements known" in text
    )
    [build] = plan(project).builds
    assert (build.project, build.version, build.requires_known) == ("cow", "1.0", False)
    assert runs(sources) == []
    assert not (project.directory / "lift.lock").exists()


def test_what_a_source_says_of_itself_is_planned(project: Project, sources: Path) -> None:
    wheel_file(sources, "calf-1.0-py3-none-any.whl")
    sdist(sources, pkg_info="Metadata-Version: 2.2\nName: cow\nVersion: 1.0\nRequires-Dist: calf>=1\n")
    requiring(project, "cow")
    planned = plan(project)
    payload = planned.executables[0].payload
    assert payload is not None
    assert [(file.name, file.state) for file in payload.files] == [
        ("calf-1.0-py3-none-any.whl", "local"),
        ("cow-1.0.tar.gz", "build"),
    ]
    assert [build.requires_known for build in planned.builds] == [True]
    assert "cow 1.0 has no wheel: locking would build it from cow-1.0.tar.gz\n" in told(project)
    assert runs(sources) == []


def test_a_plan_with_a_lock_that_is_left_behind_runs_nothing(project: Project, sources: Path) -> None:
    wheel_file(sources, "calf-1.0-py3-none-any.whl")
    sdist(sources)
    requiring(project, "calf")
    lock(project)
    requiring(project, "calf", "cow")
    assert [build.project for build in plan(project).builds] == ["cow"]
    assert runs(sources) == []


def test_a_plan_says_that_a_build_would_build_what_is_gone(project: Project, sources: Path) -> None:
    sdist(sources)
    requiring(project, "cow")
    lock(project)
    assert plan(project).builds == ()
    shutil.rmtree(Path(os.environ["CZSCIE_CACHE"]) / "wheels")
    assert "cow 1.0 has no wheel: building would build it from cow-1.0.tar.gz\n" in told(project)
    assert len(runs(sources)) == 1


def test_a_plan_of_a_project_runs_nothing(project: Project, sources: Path) -> None:
    wheel_file(sources, "cow-1.0-py3-none-any.whl")
    make_project(
        project, sources, '[project]\nname = "calf"\nversion = "2.0"\ndependencies = ["cow"]\n', setup=True
    )
    project.manifest(platforms=BOTH, payload='project = "calf"')
    planned = plan(project)
    payload = planned.executables[1].payload
    assert payload is not None
    assert [(file.name, file.state) for file in payload.files] == [
        ("calf 2.0", "build"),
        ("cow-1.0-py3-none-any.whl", "local"),
    ]
    assert [(build.project, build.requires_known) for build in planned.builds] == [("calf", True)]
    assert runs(sources) == []


@pytest.mark.parametrize(
    "pyproject", [None, "", '[project]\nname = "calf"\ndynamic = ["version", "dependencies"]\n']
)
def test_what_is_dynamic_about_a_project_is_said(
    project: Project, sources: Path, pyproject: str | None
) -> None:
    make_project(project, sources, pyproject)
    project.manifest(platforms=BOTH, payload='project = "calf"')
    assert (
        "calf has no wheel: locking would build it from calf, and only then are its requirements known"
        in told(project)
    )
    assert runs(sources) == []
    lock(project)
    assert len(runs(sources)) == 1
    planned = plan(project, LockUse.LOCKED)
    assert (planned.lock.state, planned.builds) == ("current", ())
    (project.directory / "calf" / "calf.py").write_text("SAYS = 'mu'\n")
    planned = plan(project, LockUse.LOCKED)
    assert [build.project for build in planned.builds] == ["calf"]
    assert len(runs(sources)) == 1


def test_a_plan_of_a_project_whose_files_changed_resolves_nothing(
    project: Project, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel_file(sources, "cow-1.0-py3-none-any.whl")
    wheel_file(sources, "pig-1.0-py3-none-any.whl")
    path = make_project(
        project,
        sources,
        '[project]\nname = "calf"\nversion = "2.0"\ndependencies = ["pig >= 1", "cow"]\n'
        '[project.optional-dependencies]\nherd = ["cow>=1"]\n',
    )
    project.manifest(platforms=BOTH, payload='project = "calf"')
    lock(project)
    (path / "calf.py").write_text("SAYS = 'mu'\n")
    text = told(project)
    assert text.startswith("lift.lock is up to date\n  the files of calf changed: the build makes its wheel")
    assert "calf 2.0" in text
    assert len(runs(sources)) == 1

    with monkeypatch.context() as patched:
        patched.setattr(resolver, "resolve", None)
        planned = plan(project)
    assert (planned.lock.state, planned.lock.changes) == ("current", ())
    assert [(each.project, each.again) for each in planned.builds] == [("calf", True)]

    pyproject = path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("pig >= 1", "pig == 1"))
    assert plan(project).lock.changes == ("the project's requirements changed",)


def test_a_plan_of_a_script_runs_nothing(project: Project, sources: Path) -> None:
    sdist(sources)
    (project.directory / "tool.py").write_text(
        '# /// script\n# dependencies = ["cow"]\n# ///\nraise SystemExit("run")\n'
    )
    project.manifest(platforms=BOTH, payload='script = "tool.py"')
    assert [build.project for build in plan(project).builds] == ["cow"]
    assert runs(sources) == []
    lock(project)
    assert len(runs(sources)) == 1


def test_a_plan_of_somebody_elses_lock_runs_nothing(project: Project, sources: Path) -> None:
    import hashlib

    path = sdist(sources).rename(project.directory / "cow-1.0.tar.gz")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (project.directory / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "hand"\n[[packages]]\nname = "cow"\nversion = "1.0"\n'
        f'sdist = {{ name = "{path.name}", path = "{path.name}", hashes = {{ sha256 = "{digest}" }} }}\n'
    )
    project.manifest(platforms=BOTH, payload='lock = "pylock.toml"')
    assert [build.project for build in plan(project).builds] == ["cow"]
    assert runs(sources) == []
    lock(project)
    assert len(runs(sources)) == 1


# The environment.


def test_the_environment_of_a_backend_is_an_allow_list() -> None:
    passed = {"PATH": "/bin", "HOME": "/h", "CC": "cc", "LC_ALL": "C", "SETUPTOOLS_SCM_PRETEND_VERSION": "1"}
    secret = {**SECRETS, "HTTPS_PROXY": "http://me:secret@example.com", "LD_PRELOAD": "x", "PYTHONPATH": "x"}
    environment = build_environment({**passed, **secret, "https_proxy": "http://example.com"})
    assert environment == {
        **passed,
        "https_proxy": "http://example.com",
        "SOURCE_DATE_EPOCH": "315532800",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
    }
