from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from czscie.build import build
from czscie.czex.inject import Compression, inject
from czscie.session import Session
from integration.conformance.behaviours import RECIPES, Behaviour
from scie.factories import host_launcher
from wheels import make_wheel

HERE = Path(__file__).parent
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"

_ENTRY_POINTS = "[console_scripts]\nprobe = probe:main\nprobe-other = probe:main\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; outputs with what differs by place only taken out."""

    status: int
    stdout: bytes
    stderr: str


@dataclass(slots=True)
class Workshop:
    """Makes PEXes, and CZEXes and scies of them, each once."""

    root: Path
    environment: Mapping[str, str]
    made: dict[tuple[str, str], Path] = field(default_factory=dict)

    @property
    def places(self) -> dict[str, str]:
        """What `{x}` stands for in recipes and behaviours."""
        names = ("sources", "leak", "hiding", "extra", "package", "root", "cwd")
        found = {name: str(self.root / name) for name in names}
        return found | {"version": VERSION, "python": sys.executable}

    def pex(self, recipe: str) -> Path:
        def make(path: Path) -> None:
            options = [_fill(option, self.places) for option in RECIPES[recipe]]
            self.run_pex(*options, "-o", str(path))

        return self._make("pex", recipe, make)

    def czex(self, recipe: str) -> Path:
        def make(path: Path) -> None:
            inject(self.pex(recipe), path, (), lambda name: host_launcher(), Compression(1))

        return self._make("czex", recipe, make)

    def scie(self, recipe: str) -> Path:
        def make(path: Path) -> None:
            lift = path.parent / "lift.toml"
            lift.write_text(
                f'[lift]\nname = "app"\nplatforms = ["current"]\ncompression_level = 1\n'
                f'[[lift.interpreters]]\nid = "cpython"\nprovider = "Host"\n'
                f'[lift.payload]\npex = "{self.pex(recipe)}"\n'
            )
            build(lift, path.parent, (), Session.of())

        return self._make("scie", recipe, make)

    def _make(self, form: str, recipe: str, make: object) -> Path:
        if (form, recipe) not in self.made:
            path = self.root / "made" / form / recipe / "app"
            path.parent.mkdir(parents=True)
            make(path)  # type: ignore[operator]
            self.made[form, recipe] = path
        return self.made[form, recipe]

    def run_pex(self, *options: str) -> None:
        command = [
            sys.executable,
            "-m",
            "pex",
            "--no-index",
            "--find-links",
            str(self.root / "wheels"),
            *options,
        ]
        done = subprocess.run(command, env=dict(self.environment), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def run(self, form: str, behaviour: Behaviour) -> Outcome:
        """Runs a behaviour in one of its forms: `pex`, `czex`, `scie`."""
        path: Path = getattr(self, form)(behaviour.recipe)
        places = self.places | {"other": str(getattr(self, "czex" if form == "czex" else "pex")("other"))}
        command = self._command(form, path, behaviour)
        command += [_fill(each, places) if isinstance(each, str) else each for each in behaviour.arguments]
        environment: dict[bytes, bytes] = {
            os.fsencode(k): os.fsencode(v) for k, v in self.base_environment(form).items()
        }
        for name, value in behaviour.environment.items():
            environment[name.encode()] = (
                value if isinstance(value, bytes) else os.fsencode(_fill(value, places))
            )
        done = subprocess.run(
            command,
            env=environment,
            cwd=self.root / "cwd",
            input=behaviour.stdin,
            capture_output=True,
            timeout=120,
        )
        return Outcome(
            done.returncode, _placeless(done.stdout), _last_words(done.stderr.decode("utf-8", "replace"))
        )

    def base_environment(self, form: str) -> dict[str, str]:
        home = self.root / "home" / form
        home.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "PEX_ROOT": str(home / "pex"),
            "CZSCIE_BASE": str(home / "czscie"),
            "LANG": "C.UTF-8",
        }

    def _command(self, form: str, path: Path, behaviour: Behaviour) -> list[str | bytes]:
        if behaviour.call == "link":
            link = self.root / "links" / form
            link.parent.mkdir(exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(path)
            path = link
        called = os.path.relpath(path, self.root / "cwd") if behaviour.call == "relative" else str(path)
        return [called] if form == "scie" else [sys.executable, *behaviour.python, called]


def _fill(text: str, places: Mapping[str, str]) -> str:
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _placeless(data: bytes) -> bytes:
    # From where a word starts: tried from each byte of a long one, it takes minutes.
    return re.sub(rb"(?<![^\s'\"])[^\s'\"]*/made/(pex|czex|scie)/", b".../", data)


def _last_words(text: str) -> str:
    """Standard error; of a traceback what it ends with: the frames above are those of the start."""
    if "Traceback (most recent call last)" in text:
        return text.strip().splitlines()[-1]
    return text


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    root = tmp_path_factory.mktemp("conformance")
    _write_wheels(root / "wheels")
    for path, text in {
        "sources/mine.py": "NAME = 'mine'\nclass Holder:\n    @staticmethod\n    def run():\n"
        "        import sys\n        print('held', sys.argv[1:])\n        return int(sys.argv[1])\n"
        "if __name__ == '__main__':\n    import sys\n    print('mine', sys.argv[1:])\n",
        "sources/data.txt": "data of the sources",
        "sources/ns/three.py": "",
        "leak/leaked.py": "print('leaked')\n",
        "hiding/json.py": "raise RuntimeError('hidden')\n",
        "hiding/mine.py": "NAME = 'hidden'\n",
        "extra/extra.py": "NAME = 'extra'\n",
        "package/__main__.py": "import sys\nprint('package', sys.argv[1:])\n",
        "cwd/local.py": "",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PEX_", "PYTHON"))
    }
    environment["PEX_ROOT"] = str(root / "pex-root")
    return Workshop(root, environment)


def _write_wheels(directory: Path) -> None:
    directory.mkdir(parents=True)
    make_wheel(
        directory,
        "probe",
        {
            "probe.py": (HERE / "probe.py").read_bytes(),
            "probe_data/__init__.py": "",
            "probe_data/__main__.py": "import sys\nprint('package', sys.argv[1:])\n",
            "probe_data/text.txt": "text of a package",
            "probe_data/tool.sh": "#!/bin/sh\necho tool\n",
            "probe-1.0.data/data/share/probe/data.txt": "data of a wheel",
            "probe-1.0.data/headers/probe.h": "#define PROBE 1",
            "probe-1.0.data/scripts/pytool": "#!python\nimport sys, probe\n"
            "print('pytool', sys.argv[1:], probe.__name__)\n",
            "probe-1.0.data/scripts/tool.sh": '#!/bin/sh\necho tool "$@"\n',
        },
        requires=["bell; extra == 'bell'", 'winonly; sys_platform == "win32"'],
        extras=["bell"],
        entry_points=_ENTRY_POINTS,
        programs=["probe_data/tool.sh", "probe-1.0.data/scripts/tool.sh", "probe-1.0.data/scripts/pytool"],
    )
    make_wheel(directory, "bell", {"bell.py": "SOUND = 'ding'\n"})
    make_wheel(directory, "winonly", {"winonly.py": ""})
    for version in ("1.0", "2.0"):
        make_wheel(directory, "lib", {"lib.py": f"VERSION = {version!r}\n"}, version=version)
    make_wheel(directory, "needy", {"needy.py": ""}, requires=["lib==1.0"])
    for name in ("one", "two"):
        make_wheel(directory, f"twin_{name}", {"twin.py": f"NAME = {name!r}\n", "same.py": "NAME = 'same'\n"})
        init = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
        make_wheel(
            directory, f"ns_{name}", {f"ns/{name}.py": "", "old/__init__.py": init, f"old/{name}.py": ""}
        )
    make_wheel(directory, "with_path_file", {"with_path_file.pth": "import sys; sys.path_file = 'ran'\n"})
    make_wheel(
        directory,
        "many_tags",
        {"many_tags.py": "NAME = 'many'\n"},
        tag="py2.py3-none-macosx_11_0_arm64.manylinux2014_x86_64.manylinux2014_aarch64",
    )
    make_wheel(directory, "other", {"other.py": "NAME = 'other'\n", "bell.py": "SOUND = 'dong'\n"})


__all__ = ["Outcome", "Workshop", "shutil"]
