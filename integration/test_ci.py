"""What runs czscie in the CI of others: the action, the hook, and the recipes of docs/how-to/ci.md."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from building import Project, project, server
from czex.factories import metadata, write_zip

__all__ = ("project", "server")

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/how-to/ci.md").read_text(encoding="utf-8")

#: Becomes the czscie of this checkout.
MODULE = f"""\
import os, sys
def main(): os.execv({sys.executable!r}, [{sys.executable!r}, "-m", "czscie", *sys.argv[1:]])
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the steps are those of a runner with Linux or macOS")


class Runner:
    """Runs the steps of a composite action as GitHub's runner does: with expressions, outputs and PATH."""

    def __init__(self, action: Path, workspace: Path, temporary: Path, **inputs: str) -> None:
        self._action: dict[str, Any] = yaml.safe_load(action.read_text(encoding="utf-8"))
        unknown = inputs.keys() - self._action["inputs"].keys()
        assert not unknown, unknown
        self._workspace, self._temporary = workspace, temporary
        temporary.mkdir()
        self._known: dict[str, str] = {"runner.os": "Linux", "runner.arch": "X64"}
        for name, each in self._action["inputs"].items():
            self._known[f"inputs.{name}"] = inputs.get(name, each["default"])
        self._path = os.environ["PATH"]
        #: The `with` of each step that uses another action.
        self.used: dict[str, dict[str, str]] = {}
        self.last: subprocess.CompletedProcess[str] | None = None

    def run(self) -> dict[str, str]:
        """The outputs; those of steps up to the first that failed, which is `last`."""
        for step in self._action["runs"]["steps"]:
            if "if" in step and not self._holds(step["if"]):
                continue
            if "uses" in step:
                self.used[step["uses"]] = {name: self._fill(value) for name, value in step["with"].items()}
            elif not self._run(step):
                break
        return {name: self._fill(each["value"]) for name, each in self._action["outputs"].items()}

    def _run(self, step: Mapping[str, Any]) -> bool:
        assert "${{" not in step["run"], "what is filled into a script can be code"
        script, output, path = (self._temporary / name for name in ("script.sh", "output", "path"))
        script.write_text(step["run"])
        for file in (output, path):
            file.write_text("")
        self.last = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self._workspace,
            env={
                **os.environ,
                **{name: self._fill(value) for name, value in step.get("env", {}).items()},
                "PATH": self._path,
                "GITHUB_OUTPUT": str(output),
                "GITHUB_PATH": str(path),
                "RUNNER_TEMP": str(self._temporary),
            },
            capture_output=True,
            text=True,
        )
        for name, value in _outputs(output.read_text()):
            self._known[f"steps.{step['id']}.outputs.{name}"] = value
        self._path = os.pathsep.join([*path.read_text().split("\n")[:-1], self._path])
        return self.last.returncode == 0

    def _fill(self, text: str) -> str:
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: self._known.get(found[1], ""), text)

    def _holds(self, condition: str) -> bool:
        name, value = re.fullmatch(r"([\w.-]+) == '(\w*)'", condition).groups()  # type: ignore[union-attr]
        return self._known.get(name, "") == value


def _outputs(text: str) -> Iterator[tuple[str, str]]:
    lines = iter(text.splitlines())
    for line in lines:
        name, is_long, end = line.partition("<<")
        if is_long:
            yield name, "\n".join(iter(lines.__next__, end))
        else:
            yield tuple(line.split("=", 1))  # type: ignore[misc]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    files = metadata("czscie", entry_points="[console_scripts]\nczscie = program:main\n")
    files |= {"program.py": MODULE.encode(), "czscie-1.0.dist-info/RECORD": b""}
    path = tmp_path / "wheel's place" / "czscie-1.0-py3-none-any.whl"
    path.parent.mkdir()
    return write_zip(path, files)


@pytest.fixture
def locked(project: Project) -> Project:
    project.manifest(platforms=("linux-x86_64", "linux-aarch64"))
    czscie(project, "lock")
    return project


def czscie(project: Project, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "czscie", *arguments], cwd=project.directory, check=True)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_action_builds_what_its_inputs_say(locked: Project, wheel: Path, tmp_path: Path) -> None:
    runner = Runner(
        *(ROOT / "action.yml", locked.directory, tmp_path / "runner"),
        requirement=str(wheel),
        python=sys.executable,
        platforms="linux-x86_64\n linux-aarch64 ",
        output="the files",
    )
    outputs = runner.run()
    assert runner.last is not None
    assert runner.last.returncode == 0, runner.last.stderr
    built = ["the files/moo-linux-x86_64", "the files/moo-linux-aarch64"]
    assert outputs["paths"].splitlines() == built
    assert outputs["digests"].splitlines() == [f"{digest(locked.directory / path)}  {path}" for path in built]
    [cache] = runner.used.values()
    assert cache["path"] == str(tmp_path / "cache")
    assert cache["restore-keys"] == "czscie-Linux-X64-"
    assert cache["key"] == f"czscie-Linux-X64-{digest(locked.directory / 'lift.lock')}"


def test_the_action_takes_inputs_for_names_only(locked: Project, wheel: Path, tmp_path: Path) -> None:
    """No input is a script, and none is a pattern."""
    runner = Runner(
        *(ROOT / "action.yml", locked.directory, tmp_path / "runner"),
        requirement=str(wheel),
        python=sys.executable,
        platforms="* $(touch broken)",
        cache="false",
    )
    runner.run()
    assert runner.last is not None
    assert runner.last.returncode != 0
    assert "*" in runner.last.stderr
    assert not (locked.directory / "broken").exists()
    assert runner.used == {}


def test_the_action_builds_nothing_that_the_lock_does_not_say(
    locked: Project, wheel: Path, tmp_path: Path
) -> None:
    locked.manifest(platforms=("linux-armv7l",))
    given = {"requirement": str(wheel), "python": sys.executable}
    runner = Runner(ROOT / "action.yml", locked.directory, tmp_path / "outdated", **given)
    assert runner.run() == {"paths": "", "digests": ""}
    assert runner.last is not None
    assert "lift.lock is not up to date" in runner.last.stderr
    (locked.directory / "lift.lock").unlink()
    runner = Runner(ROOT / "action.yml", locked.directory, tmp_path / "missing", **given)
    runner.run()
    assert runner.last is not None
    assert runner.last.returncode == 1
    assert "lift.lock does not exist: run czscie lock" in runner.last.stderr
    assert not list(locked.directory.glob("dist/*"))


def test_the_inputs_of_the_action_are_documented() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    for name in action["inputs"]:
        assert re.search(rf"^\| `{name}` \|", PAGE, re.MULTILINE), name
    for name in action["outputs"]:
        assert f"`{name}`" in PAGE


def block(title: str) -> str:
    found = re.search(rf'^```\w+ title="{re.escape(title)}"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def gitlab() -> list[str]:
    commands: list[str] = yaml.safe_load(block(".gitlab-ci.yml"))["build"]["script"]
    return commands


def jenkins() -> list[str]:
    return re.findall(r"^ *sh '(.*)'$", block("Jenkinsfile"), re.MULTILINE)


@pytest.mark.parametrize("commands", [gitlab(), jenkins()], ids=["gitlab", "jenkins"])
def test_the_commands_of_other_systems_build(
    commands: list[str], locked: Project, wheel: Path, tmp_path: Path
) -> None:
    """In an environment of their own, as in the image that both name."""
    assert len(commands) > 1
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    subprocess.run(
        ["bash", "-ec", "\n".join(commands)],
        cwd=locked.directory,
        env={
            **os.environ,
            "PATH": f"{environment}/bin:{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": wheel.parent.as_uri(),
        },
        check=True,
    )
    assert locked.built == ["moo-linux-aarch64", "moo-linux-x86_64"]


def test_the_hook_looks_at_the_lock(locked: Project, tmp_path: Path) -> None:
    """pre-commit itself runs it, with the czscie that is installed."""
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    hook |= {"language": "system"}
    settings = {"repos": [{"repo": "local", "hooks": [hook]}]}
    (locked.directory / ".pre-commit-config.yaml").write_text(yaml.safe_dump(settings))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
    }

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run"],
            cwd=locked.directory,
            env=environment,
            capture_output=True,
            text=True,
        )

    def add(*names: str) -> None:
        subprocess.run(["git", "add", *names], cwd=locked.directory, check=True)

    subprocess.run(["git", "init", "--quiet"], cwd=locked.directory, check=True)
    add(".pre-commit-config.yaml")
    assert "no files to check" in check().stdout
    add("lift.toml", "lift.lock")
    passed = check()
    assert passed.returncode == 0, passed.stdout
    assert "Passed" in passed.stdout
    locked.manifest(platforms=("linux-armv7l",))
    add("lift.toml")
    failed = check()
    assert failed.returncode == 1
    assert "linux-aarch64 is no longer a platform of the manifest" in failed.stdout
