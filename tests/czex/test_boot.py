"""czex/bootstrap/boot.py, run as the `__main__` of a real virtual environment in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from czscie.czex.bootstrap import boot as bootstrap
from czscie.czex.info import PexInfo
from czscie.czex.start import Start, environment_files
from czscie.implementation import CPYTHON, Implementation
from czscie.pbs.distribution import Layout

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environment has links")

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
THREADS = "t" if "t" in getattr(sys, "abiflags", "") else ""
LAYOUT = Layout(
    Implementation(CPYTHON, f"{MINOR}.0", bool(THREADS)), f"bin/python{MINOR}", f"lib/python{MINOR}{THREADS}"
)

#: Tells everything an application can see of its start.
TELL = """\
import json, os, sys
def tell(name, result=None):
    told = {"name": name, "argv": sys.argv, "path": sys.path, "executable": sys.executable,
            "environment": dict(os.environ), "prefix": sys.prefix, "flags": sys.flags.no_user_site}
    print(json.dumps(told), flush=True)
    return result
"""
MOO = """\
from tell import tell
def main(): tell("main")
def seven(): return tell("seven", 7)
def words(): return tell("words", "went wrong")
class Cow:
    class Calf:
        @staticmethod
        def say(): tell("say")
if __name__ == "__main__":
    tell("module")
"""
SPAWN = """\
import multiprocessing, sys
def square(x): return x * x
def main():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(square, [1, 2, 3]))
if __name__ == "__main__":
    main()
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment on the Python that runs the tests, with `moo` and `hello`."""

    root: Path

    @property
    def site_packages(self) -> Path:
        return self.root / LAYOUT.stdlib / "site-packages"

    def start(
        self,
        info: PexInfo,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        options: tuple[str, ...] = (),
        has_setproctitle: bool = False,
        certificates: str | None = None,
        **settings: Any,
    ) -> subprocess.CompletedProcess[str]:
        for file in environment_files(
            Start(info, has_setproctitle, certificates), f"{LAYOUT.stdlib}/site-packages"
        ):
            path = self.root / file.path
            path.write_bytes(file.content.read())
        given = {"PATH": "/bin:/usr/bin", "PEX": "/somewhere/moo.scie", "VIRTUAL_ENV": str(self.root)}
        return subprocess.run(
            [self.root / "bin/python", "-s", *options, self.root / "__main__.py", *arguments],
            env={**given, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            **settings,
        )


@pytest.fixture
def moo(tmp_path: Path) -> Environment:
    environment = Environment(tmp_path / "venv")
    environment.site_packages.mkdir(parents=True)
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    (environment.root / "pyvenv.cfg").write_text(
        f"home = {python.parent}\ninclude-system-site-packages = false\n"
    )
    (environment.root / "bin").mkdir()
    (environment.root / "bin/python").symlink_to(python)
    packages = environment.site_packages
    (packages / "tell.py").write_text(TELL)
    (packages / "moo.py").write_text(MOO)
    (packages / "spawn.py").write_text(SPAWN)
    (packages / "package").mkdir()
    (packages / "package" / "__init__.py").write_text("")
    (packages / "package" / "__main__.py").write_text("from tell import tell\ntell('package')\n")
    (packages / "package" / "words.txt").write_text("moo\n")
    hello = environment.root / "bin/hello"
    hello.write_text(f"#!{environment.root}/bin/python -sE\nfrom tell import tell\ntell('hello')\n")
    hello.chmod(0o755)
    return environment


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# Entry points.


@pytest.mark.parametrize(
    ("entry_point", "name"),
    [("moo", "module"), ("package", "package"), ("moo:main", "main"), ("moo:Cow.Calf.say", "say")],
)
def test_an_entry_point_is_run(moo: Environment, entry_point: str, name: str) -> None:
    found = told(moo.start(PexInfo(entry_point=entry_point), "a b", "--", ""))
    assert found["name"] == name
    assert found["argv"][1:] == ["a b", "--", ""]
    assert found["executable"] == str(moo.root / "bin/python")
    assert found["prefix"] == str(moo.root)
    assert str(moo.root) not in found["path"]


def test_the_function_of_an_entry_point_sees_the_scie_as_its_name(moo: Environment) -> None:
    found = told(moo.start(PexInfo(entry_point="moo:main")))
    assert found["argv"][0] == found["environment"]["PEX"] == "/somewhere/moo.scie"


def test_a_module_sees_its_own_file_as_its_name(moo: Environment) -> None:
    """As with `python -m`, and as in pex."""
    assert told(moo.start(PexInfo(entry_point="moo")))["argv"][0] == str(moo.site_packages / "moo.py")


def test_what_a_function_returns_is_the_exit_status(moo: Environment) -> None:
    assert moo.start(PexInfo(entry_point="moo:seven")).returncode == 7
    words = moo.start(PexInfo(entry_point="moo:words"))
    assert (words.returncode, words.stderr) == (1, "went wrong\n")
    assert moo.start(PexInfo(entry_point="moo:main")).returncode == 0


def test_a_missing_entry_point_is_pythons_own_error(moo: Environment) -> None:
    for entry_point in ("nobody", "nobody:main", "moo:nobody"):
        done = moo.start(PexInfo(entry_point=entry_point))
        assert done.returncode == 1
        assert "nobody" in done.stderr.splitlines()[-1]


def test_a_script_is_started_in_place_of_python(moo: Environment) -> None:
    found = told(moo.start(PexInfo(script="hello", inject_args=("injected",)), "a b"))
    assert found["name"] == "hello"
    assert found["argv"] == [str(moo.root / "bin/hello"), "a b"]


def test_a_script_whose_path_is_too_long_for_a_first_line_needs_no_shell(moo: Environment) -> None:
    script = moo.root / "bin/hello"
    body = script.read_text().partition("\n")[2]
    # What the shell is told to do is wrong here, but for the options that it is to give.
    script.write_text(f"#!/bin/sh\n'''exec' '/nowhere/python' -s \"$0\" \"$@\"\n' '''\n{body}")
    found = told(moo.start(PexInfo(script="hello"), "a b"))
    assert found["argv"] == [str(script), "a b"]
    assert found["flags"] == 1


def test_a_script_that_is_missing_is_an_error(moo: Environment) -> None:
    done = moo.start(PexInfo(script="nobody"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "moo.scie: error: there is no script nobody; there are hello\n"


def test_without_an_entry_point_it_is_a_python(moo: Environment) -> None:
    done = moo.start(
        PexInfo(), "-c", "import sys; print(sys.executable, sys.argv, sys.flags.no_user_site)", "a"
    )
    assert done.stdout == f"{moo.root}/bin/python ['-c', 'a'] 1\n"


# Overrides.


@pytest.mark.parametrize(
    ("module", "name"), [("package", "package"), ("moo:seven", "seven"), ("moo:Cow.Calf.say", "say")]
)
def test_pex_module_replaces_the_entry_point_and_injects_no_arguments(
    moo: Environment, module: str, name: str
) -> None:
    info = PexInfo(entry_point="moo:main", inject_args=("injected",))
    done = moo.start(info, "a", environment={"PEX_MODULE": module})
    found = json.loads(done.stdout)
    assert (found["name"], found["argv"][1:]) == (name, ["a"])


def test_pex_script_replaces_the_entry_point(moo: Environment) -> None:
    info = PexInfo(entry_point="moo:main", inject_args=("injected",))
    found = told(moo.start(info, "a", environment={"PEX_SCRIPT": "hello"}))
    assert (found["name"], found["argv"][1:]) == ("hello", ["a"])


def test_pex_module_replaces_a_script(moo: Environment) -> None:
    found = told(moo.start(PexInfo(script="hello"), environment={"PEX_MODULE": "moo:main"}))
    assert found["name"] == "main"


@pytest.mark.parametrize("value", ["1", "true", "True"])
@pytest.mark.parametrize("info", [PexInfo(entry_point="moo:main"), PexInfo(script="hello")])
def test_pex_interpreter_makes_it_a_python(moo: Environment, value: str, info: PexInfo) -> None:
    code = "import moo, sys; print(sys.argv, sys.prefix)"
    done = moo.start(info, "-c", code, "a", environment={"PEX_INTERPRETER": value})
    assert done.stdout == f"['-c', 'a'] {moo.root}\n"


@pytest.mark.parametrize("override", [{}, {"PEX_INTERPRETER": "1"}])
def test_a_python_gets_the_injected_options_of_python(moo: Environment, override: Mapping[str, str]) -> None:
    info = PexInfo(inject_python_args=("-X", "moo=1"))
    done = moo.start(
        info, "-c", "import sys; print(sys._xoptions['moo'], sys.argv)", "a", environment=override
    )
    assert done.stdout == "1 ['-c', 'a']\n"


def test_a_python_gets_no_injected_arguments(moo: Environment) -> None:
    done = moo.start(PexInfo(inject_args=("--loud",)), "-c", "import sys; print(sys.argv)", "a")
    assert done.stdout == "['-c', 'a']\n"


def test_pex_interpreter_that_is_off_runs_the_entry_point(moo: Environment) -> None:
    found = told(moo.start(PexInfo(entry_point="moo:main"), environment={"PEX_INTERPRETER": "0"}))
    assert found["name"] == "main"


@pytest.mark.parametrize(
    "names",
    [("PEX_MODULE", "PEX_SCRIPT"), ("PEX_SCRIPT", "PEX_INTERPRETER"), ("PEX_MODULE", "PEX_INTERPRETER")],
)
def test_two_overrides_at_once_are_an_error(moo: Environment, names: tuple[str, str]) -> None:
    done = moo.start(PexInfo(entry_point="moo:main"), environment=dict.fromkeys(names, "1"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "moo.scie: error: only one of PEX_INTERPRETER, PEX_SCRIPT, PEX_MODULE can be set, found "
    )
    assert all(f"{name}=1" in done.stderr for name in names)


@pytest.mark.parametrize("name", ["PEX_PATH", "PEX_TOOLS"])
def test_what_cannot_be_honoured_is_refused_with_the_reason(moo: Environment, name: str) -> None:
    done = moo.start(PexInfo(entry_point="moo:main"), environment={name: "x"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"moo.scie: error: {name} is not supported: the executable ")
    assert told(moo.start(PexInfo(entry_point="moo:main"), environment={name: ""}))["name"] == "main"


# Injections.


def test_arguments_are_injected_before_the_users(moo: Environment) -> None:
    info = PexInfo(entry_point="moo:main", inject_args=("--first", "a b"))
    assert told(moo.start(info, "user"))["argv"][1:] == ["--first", "a b", "user"]


def test_injected_arguments_name_variables(moo: Environment) -> None:
    arguments = (
        "{pex.env.COLOUR}",
        "x{pex.env.UNSET}x",
        "{pex.env[COLOUR]}",
        "{{pex.env.COLOUR}}",
        "ä{pex.env.INJECTED}",
    )
    info = PexInfo(entry_point="moo:main", inject_args=arguments, inject_env={"INJECTED": "yes"})
    found = told(moo.start(info, environment={"COLOUR": "{red}"}))
    assert found["argv"][1:] == ["{red}", "xx", "{red}", "{pex.env.COLOUR}", "äyes"]


def test_injected_variables_are_defaults(moo: Environment) -> None:
    info = PexInfo(entry_point="moo:main", inject_env={"SET": "pex", "UNSET": "pex", "EMPTY": "pex"})
    found = told(moo.start(info, environment={"SET": "user", "EMPTY": ""}))["environment"]
    assert (found["SET"], found["UNSET"], found["EMPTY"]) == ("user", "pex", "")


def test_injected_variables_survive_the_stripping(moo: Environment) -> None:
    info = PexInfo(entry_point="moo:main", inject_env={"PEX_OWN": "injected"})
    assert told(moo.start(info))["environment"]["PEX_OWN"] == "injected"


def test_resources_are_bound_to_their_paths(moo: Environment) -> None:
    info = PexInfo(entry_point="moo:main", bind_resource_paths={"WORDS": "package/words.txt"})
    found = told(moo.start(info, environment={"WORDS": "user"}))["environment"]["WORDS"]
    assert found == str(moo.site_packages / "package/words.txt")


@pytest.mark.parametrize("resource", ["package/none.txt", "package"])
def test_a_resource_that_is_missing_is_an_error(moo: Environment, resource: str) -> None:
    done = moo.start(PexInfo(entry_point="moo:main", bind_resource_paths={"WORDS": resource}))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"moo.scie: error: there is no file {resource} on sys.path to bind WORDS to\n")


@pytest.mark.parametrize("resource", ["/etc/passwd", "../../x", "package/../../x"])
def test_a_resource_outside_of_the_path_is_refused(moo: Environment, resource: str) -> None:
    done = moo.start(PexInfo(entry_point="moo:main", bind_resource_paths={"WORDS": resource}))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"moo.scie: error: the resource WORDS={resource} must be a path relative to sys.path\n"
    )


# The environment.


def test_the_variables_of_pex_are_stripped(moo: Environment) -> None:
    given = {"PEX_MODULE": "moo:main", "PEX_ROOT": "/x", "PEX_VERBOSE": "9", "__PEX_OTHER__": "kept"}
    found = told(moo.start(PexInfo(entry_point="moo:main"), environment=given))["environment"]
    assert not [name for name in found if name.startswith("PEX_")]
    assert (found["PEX"], found["__PEX_OTHER__"]) == ("/somewhere/moo.scie", "kept")


def test_the_variables_of_pex_are_kept_where_pex_info_says_so(moo: Environment) -> None:
    info = PexInfo(entry_point="moo:main", strip_pex_env=False)
    found = told(moo.start(info, environment={"PEX_ROOT": "/x"}))["environment"]
    assert found["PEX_ROOT"] == "/x"


@pytest.mark.parametrize("strip", [True, False])
def test_extra_paths_are_seen_by_the_application_and_by_its_children(
    moo: Environment, tmp_path: Path, strip: bool
) -> None:
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "extra.py").write_text(
        "import subprocess, sys\n"
        "code = 'import extra; print(extra.__file__)'\n"
        "def main(): subprocess.run([sys.executable, '-c', code], check=True)\n"
    )
    info = PexInfo(entry_point="extra:main", strip_pex_env=strip)
    extra = os.pathsep.join(["/nowhere", str(tmp_path / "extra")])
    done = moo.start(info, environment={"PEX_EXTRA_SYS_PATH": extra})
    assert (done.stdout, done.stderr) == (f"{tmp_path}/extra/extra.py\n", "")


@pytest.mark.parametrize(
    ("info", "override", "expected"),
    [
        ("false", None, "/bin:/usr/bin"),
        ("prepend", None, "{bin}:/bin:/usr/bin"),
        ("append", None, "/bin:/usr/bin:{bin}"),
        ("false", "append", "/bin:/usr/bin:{bin}"),
        ("append", "false", "/bin:/usr/bin"),
    ],
)
def test_the_environments_programs_come_into_path_as_wanted(
    moo: Environment, info: str, override: str | None, expected: str
) -> None:
    given = {} if override is None else {"PEX_VENV_BIN_PATH": override}
    found = told(moo.start(PexInfo(entry_point="moo:main", venv_bin_path=info), environment=given))
    assert found["environment"]["PATH"] == expected.format(bin=moo.root / "bin")


def test_an_unknown_place_for_programs_is_an_error(moo: Environment) -> None:
    done = moo.start(PexInfo(entry_point="moo:main"), environment={"PEX_VENV_BIN_PATH": "perhaps"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "moo.scie: error: PEX_VENV_BIN_PATH must be one of 'false', 'prepend' or 'append', given: 'perhaps'\n"
    )


# Python.


@pytest.mark.parametrize("entry_point", ["moo", "moo:main"])
def test_a_safe_path_is_no_obstacle(moo: Environment, entry_point: str) -> None:
    found = told(moo.start(PexInfo(entry_point=entry_point), environment={"PYTHONSAFEPATH": "1"}))
    assert str(moo.root) not in found["path"]


@pytest.mark.parametrize("entry_point", ["spawn:main", "spawn"])
def test_spawned_children_do_not_start_the_application_again(moo: Environment, entry_point: str) -> None:
    done = moo.start(PexInfo(entry_point=entry_point, inject_args=("x",)))
    assert (done.stdout, done.stderr) == ("[1, 4, 9]\n", "")


def test_a_start_imports_nothing_that_python_has_not_imported(moo: Environment) -> None:
    (moo.site_packages / "quiet.py").write_text("def main(): pass\n")

    def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
        assert done.returncode == 0
        return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}

    info = PexInfo(
        entry_point="quiet:main",
        inject_args=("{pex.env.PATH}",),
        inject_env={"A": "b"},
        bind_resource_paths={"WORDS": "package/words.txt"},
    )
    ours = imported(moo.start(info, options=("-X", "importtime")))
    (moo.root / "nothing.py").write_text("")
    plain = subprocess.run(
        [moo.root / "bin/python", "-s", "-X", "importtime", moo.root / "nothing.py"],
        env={},
        capture_output=True,
        text=True,
    )
    assert ours - imported(plain) <= {"czscie_boot", "quiet", "importlib", "warnings", "_warnings"}


def test_the_title_of_the_process_is_set_where_the_application_brings_the_means(moo: Environment) -> None:
    (moo.site_packages / "setproctitle.py").write_text("def setproctitle(title): print(title, flush=True)\n")
    info = PexInfo(entry_point="moo:main", inject_args=("injected",))
    title, _ = moo.start(info, "a", "b", has_setproctitle=True).stdout.splitlines()
    assert title == f"{moo.root}/bin/python /somewhere/moo.scie a b"
    assert len(moo.start(info, has_setproctitle=False).stdout.splitlines()) == 1


def test_without_pex_the_name_stays_what_it_was(moo: Environment) -> None:
    found = told(moo.start(PexInfo(entry_point="moo:main"), environment={"PEX": ""}))
    assert found["argv"][0] == str(moo.root / "__main__.py")


@pytest.mark.parametrize(
    ("present", "environment", "expected"),
    [
        ((), {}, {"SSL_CERT_FILE": "/moo/cacert.pem"}),
        (("certs/",), {}, {"SSL_CERT_FILE": "/moo/cacert.pem"}),
        (("certs/5ed36f99.0",), {}, {}),
        (("certs/ca-certificates.crt",), {}, {}),
        (("cert.pem",), {}, {}),
        ((), {"SSL_CERT_FILE": "/mine.pem"}, {"SSL_CERT_FILE": "/mine.pem"}),
        ((), {"SSL_CERT_DIR": "/mine"}, {"SSL_CERT_DIR": "/mine"}),
    ],
)
def test_the_applications_certificates_serve_where_there_are_no_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    present: tuple[str, ...],
    environment: dict[str, str],
    expected: dict[str, str],
) -> None:
    for name in present:
        path = tmp_path / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()
    places = (str(tmp_path / "certs/ca-certificates.crt"), str(tmp_path / "cert.pem"))
    monkeypatch.setattr(bootstrap, "_CERTIFICATES", places)
    monkeypatch.setattr(bootstrap, "_CERTIFICATE_DIRECTORY", str(tmp_path / "certs"))
    monkeypatch.setattr(os, "environ", dict(environment))
    bootstrap._provide_certificates("/moo/cacert.pem")
    assert dict(os.environ) == expected


def test_certificates_of_the_pex_come_first(moo: Environment) -> None:
    """Whatever the host has: what PEX-INFO injects is there before anybody looks."""
    info = PexInfo(entry_point="moo:main", inject_env={"SSL_CERT_FILE": "/injected.pem"})
    view = told(moo.start(info, certificates="lib/cacert.pem"))
    assert view["environment"]["SSL_CERT_FILE"] == "/injected.pem"


def test_a_script_that_the_launcher_chose_starts_by_its_name(moo: Environment) -> None:
    info = PexInfo(entry_point="nowhere", inject_args=("injected",))
    found = told(moo.start(info, "a", environment={"__CZSCIE_SCRIPT__": "cow=moo:main"}))
    assert found["argv"] == [str(moo.root / "bin/cow"), "a"]
    assert "__CZSCIE_SCRIPT__" not in found["environment"]
    script = told(moo.start(info, "a", environment={"__CZSCIE_SCRIPT__": "hello="}))
    assert script["argv"] == [str(moo.root / "bin/hello"), "a"]
