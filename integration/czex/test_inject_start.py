"""The start of a CZEX in the Python that runs the tests: what others were seen to get wrong, done right."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from czex.factories import write_zip
from czscie.commands import inject as command
from czscie.container.zip import read_directory
from czscie.czex.inject import Compression, inject
from czscie.errors import CzscieError
from czscie.platforms import find_platform
from scie.factories import host_launcher
from wheels import make_wheel

PROBE = Path(__file__).parents[1] / "conformance" / "probe.py"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the launcher of this host is for Linux")


class MakeCzex(Protocol):
    def __call__(self, *wheels: Path, sources: Mapping[str, bytes] = ..., **info: Any) -> Czex: ...


@dataclass(frozen=True, slots=True)
class Czex:
    path: Path
    base: Path

    def run(
        self,
        *arguments: str | bytes,
        python: tuple[str, ...] = (sys.executable,),
        environment: Mapping[str, str | bytes | None] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        own: dict[str, str | bytes | None] = {
            "PATH": "/none",
            "HOME": str(self.base.parent),
            "CZSCIE_BASE": str(self.base),
            "LANG": "C.UTF-8",
            **(environment or {}),
        }
        return subprocess.run(
            [*python, str(self.path), *arguments],
            env={name: value for name, value in own.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
        )

    def show(self, *arguments: str | bytes, **options: Any) -> Any:
        """What the application shows as JSON."""
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def installations(self) -> list[Path]:
        return sorted((self.base / "apps").iterdir())


@pytest.fixture
def make(tmp_path: Path) -> MakeCzex:
    """A CZEX of a PEX made by hand, of wheel files, with PEX-INFO as given; the application is the probe."""

    def make_czex(*wheels: Path, sources: Mapping[str, bytes] | None = None, **info: Any) -> Czex:
        probe = make_wheel(tmp_path, "probe", {"probe.py": PROBE.read_bytes()})
        requirements = ["probe", *(wheel.name.split("-")[0] for wheel in wheels)]
        fields = {
            "entry_point": "probe:main",
            "requirements": requirements,
            "deps_are_wheel_files": True,
            "distributions": {wheel.name: "0" * 64 for wheel in (probe, *wheels)},
            "pex_hash": "0" * 40,
            **info,
        }
        fields = {name: value for name, value in fields.items() if value is not None}
        entries = {"PEX-INFO": json.dumps(fields).encode(), **(sources or {})}
        entries |= {f".deps/{wheel.name}": wheel.read_bytes() for wheel in (probe, *wheels)}
        pex = write_zip(tmp_path / "app.pex", entries, b"#!/usr/bin/env python3\n")
        path = tmp_path / "app.czex"
        inject(pex, path, (), lambda name: host_launcher(), Compression(3))
        return Czex(path, tmp_path / "base")

    return make_czex


def test_a_file_beyond_4_gib_is_there_after_the_start(tmp_path: Path) -> None:
    """Takes half a minute of the processor, and as much of the disk."""
    size = (4 << 30) + (1 << 20)
    if shutil.disk_usage(tmp_path).free < size + (1 << 30):
        pytest.skip(f"this takes {size >> 30} GiB of {tmp_path}")
    loose = tmp_path / "loose"
    loose.mkdir()
    (loose / "PEX-INFO").write_text(json.dumps({"entry_point": "main", "distributions": {}}))
    (loose / "__main__.py").touch()
    (loose / "main.py").write_text(
        "with open(__file__.replace('main.py', 'large'), 'rb') as file:\n"
        "    print(file.seek(-4, 2), file.read())\n"
    )
    with (loose / "large").open("wb") as file:  # a hole but for its end
        file.seek(size - 3)
        file.write(b"end")
    inject(loose, tmp_path / "app.czex", (), lambda name: host_launcher(), Compression(3))
    done = Czex(tmp_path / "app.czex", tmp_path / "base").run()
    assert (done.stdout.decode(), done.stderr) == (f"{size - 4} b'\\x00end'\n", b"")
    shutil.rmtree(tmp_path / "base")


def test_what_older_pythons_cannot_start_is_warned_of(
    make: MakeCzex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make()
    for most, warns in ((1 << 40, False), (1000, True)):
        monkeypatch.setattr("czscie.czex.inject.ZIP32_MAX", most)
        command.inject(tmp_path / "app.pex", tmp_path / "again.czex", compression_level=3)
        assert ("CPython before 3.13 cannot start it" in capsys.readouterr().err) == warns


def test_an_injected_environment_is_a_default(make: MakeCzex) -> None:
    czex = make(inject_env={"WHO": "built", "QUOTE": "a\"b'c\\"})
    assert czex.show("env", "WHO", "QUOTE") == {"WHO": "built", "QUOTE": "a\"b'c\\"}
    assert czex.show("env", "WHO", environment={"WHO": "user"}) == {"WHO": "user"}


def test_injected_arguments_may_hold_quotes_and_backslashes(make: MakeCzex) -> None:
    czex = make(inject_args=["argv", 'r"c"d"', "ends with \\", "'''"])
    assert czex.show("user")[1:] == ["argv", 'r"c"d"', "ends with \\", "'''", "user"]


def test_dependencies_that_are_wheel_files_are_importable(make: MakeCzex, tmp_path: Path) -> None:
    czex = make(make_wheel(tmp_path, "dep", {"dep.py": b"NAME = 'dep'\n"}))
    assert czex.show("value", "dep", "NAME") == "dep"


def test_interpreter_constraints_are_met_or_told(make: MakeCzex) -> None:
    czex = make(interpreter_constraints=["CPython==3.99.*"])
    done = czex.run("argv")
    assert done.returncode == 1
    message = done.stderr.decode()
    assert "no interpreter on PATH can run it; tried" in message
    assert f"{sys.executable} (CPython" in message
    assert "the PEX requires one of: CPython==3.99.*" in message


def test_another_interpreter_is_found_when_this_one_does_not_suit(make: MakeCzex, tmp_path: Path) -> None:
    others = [path for path in sorted(Path("/usr/bin").glob("python3.*")) if path.name[-1].isdigit()]
    other = next((path for path in others if path.resolve() != Path(sys.executable).resolve()), None)
    if other is None:
        pytest.skip("there is but one Python here")
    ask = [str(other), "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]
    version = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    if version == sys.version.split()[0]:
        pytest.skip("the other Python here is of the same version")
    czex = make(interpreter_constraints=[f"=={version}"])
    assert czex.run("argv", environment={"PATH": "/usr/bin"}).returncode == 0
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    found = czex.run("-c", code, environment={"PATH": "/usr/bin", "PEX_INTERPRETER": "1"})
    assert found.stdout.decode().strip() == version


def test_an_interpreter_that_was_chosen_is_remembered_while_the_same_are_there(
    make: MakeCzex, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--copies", "--without-pip", tmp_path / "venv"], check=True)
    directory = tmp_path / "path"
    directory.mkdir()
    (directory / "python3").symlink_to(tmp_path / "venv/bin/python")
    czex = make()
    verbose = {"PEX_PYTHON_PATH": str(directory), "PEX_VERBOSE": "1"}
    told = f"chosen at an earlier start: {directory}/python3".encode()
    assert told not in czex.run("argv", environment=verbose).stderr
    assert told in czex.run("argv", environment=verbose).stderr
    # Another one is there, then another file under the name of the first.
    (directory / "python3.99").symlink_to(sys.executable)
    without = {**verbose, "PEX_PYTHON": str(directory / "python3")}
    assert told in czex.run("argv", environment=without).stderr
    assert told not in czex.run("argv", environment=verbose).stderr
    os.utime(tmp_path / "venv/bin/python", (1, 1))
    assert told not in czex.run("argv", environment=without).stderr
    assert told in czex.run("argv", environment=without).stderr


def test_a_script_on_the_path_is_asked_each_time(make: MakeCzex, tmp_path: Path) -> None:
    script = tmp_path / "path/python3"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    czex = make()
    for _ in range(3):
        done = czex.run("argv", environment={"PEX_PYTHON": str(script), "PEX_VERBOSE": "1"})
        assert done.returncode == 0
        assert b"chosen at an earlier start" not in done.stderr


def test_an_interpreter_that_was_remembered_and_no_longer_suits_is_not_used(make: MakeCzex) -> None:
    czex = make(interpreter_constraints=["CPython==3.99.*"])
    done = czex.run("argv", environment={"__CZSCIE_CHOSEN__": "remembered"})
    assert b"no interpreter on PATH can run it" in done.stderr


def test_what_a_marker_excludes_is_not_importable(make: MakeCzex, tmp_path: Path) -> None:
    dep = make_wheel(tmp_path, "winonly", {"winonly.py": b""})
    czex = make(dep, requirements=["probe", 'winonly; sys_platform == "win32"'])
    assert czex.show("modules", "winonly") == {"winonly": False}


def test_every_tag_of_a_compressed_set_counts(make: MakeCzex, tmp_path: Path) -> None:
    machine = os.uname().machine
    tag = f"py2.py3-none-macosx_11_0_arm64.manylinux2014_{machine}.musllinux_1_1_{machine}"
    czex = make(make_wheel(tmp_path, "many", {"many.py": b""}, tag=tag))
    assert czex.show("modules", "many") == {"many": True}


def test_without_a_wheel_for_this_interpreter_the_reason_is_told(make: MakeCzex, tmp_path: Path) -> None:
    czex = make(make_wheel(tmp_path, "dep", {"dep.py": b""}, tag="cp36-cp36m-manylinux1_x86_64"))
    done = czex.run("argv")
    assert done.returncode == 1
    assert b"it lacks dep" in done.stderr
    assert (
        b"dep-1.0-cp36-cp36m-manylinux1_x86_64.whl: it is not for this interpreter or platform" in done.stderr
    )


def test_the_best_of_several_wheels_of_a_project_is_installed_alone(make: MakeCzex, tmp_path: Path) -> None:
    any_python = make_wheel(tmp_path, "dep", {"dep.py": b"NAME = 'any'\n"}, tag="py3-none-any")
    machine = os.uname().machine
    tag = f"cp3{sys.version_info[1]}-none-linux_{machine}"
    czex = make(any_python, make_wheel(tmp_path, "dep", {"dep.py": b"NAME = 'best'\n"}, tag=tag))
    assert czex.show("value", "dep", "NAME") == "best"


def test_nothing_of_the_users_python_leaks_in(make: MakeCzex, tmp_path: Path) -> None:
    (tmp_path / "leak").mkdir()
    (tmp_path / "leak/leaked.py").write_text("")
    scripts = make_wheel(tmp_path, "scripts", {}, entry_points="[console_scripts]\nother = probe:main\n")
    czex = make(scripts)
    leak = {"PYTHONPATH": str(tmp_path / "leak")}
    assert czex.show("modules", "leaked", environment=leak) == {"leaked": False}
    assert czex.show("modules", "leaked", environment={**leak, "PEX_SCRIPT": "other"}) == {"leaked": False}
    assert czex.show("flags")["isolated"] == 1


def test_options_of_python_reach_the_application(make: MakeCzex) -> None:
    czex = make()
    python = (sys.executable, "-W", "error", "-X", "mine", "-O", "-u")
    assert czex.show("flags", python=python)["optimize"] == 1
    assert czex.show("warnoptions", python=python) == ["error"]
    assert czex.show("xoptions", python=python) == ["mine"]


def test_each_interpreter_gets_an_installation_of_its_own(make: MakeCzex, tmp_path: Path) -> None:
    czex = make()
    subprocess.run([sys.executable, "-m", "venv", "--copies", "--without-pip", tmp_path / "venv"], check=True)
    other = str(tmp_path / "venv/bin/python")
    czex.show("argv")
    czex.show("argv", python=(other,))
    assert len(czex.installations()) == 2
    # The environment stands on the interpreter itself, not on the copy that may go with its environment.
    targets = {os.path.realpath(root / "bin/python") for root in czex.installations()}
    assert targets == {os.path.realpath(Path(sys.base_prefix, "bin", f"python{VERSION}"))}


def test_an_interpreter_that_is_gone_is_replaced(make: MakeCzex, tmp_path: Path) -> None:
    czex = make()
    czex.show("argv")
    [root] = czex.installations()
    (root / "bin/python").unlink()
    (root / "bin/python").symlink_to(tmp_path / "gone")
    assert czex.show("argv") == ["app.czex", "argv"]
    assert czex.installations() == [root]


def test_an_interpreter_that_was_upgraded_in_place_is_another_one(make: MakeCzex) -> None:
    source = zipfile.ZipFile(make().path).read("__main__.py").decode().partition("if __name__ ==")[0]
    code = f"{source}\nfirst = key([])\nsys.version += ' upgraded'\nprint(first != key([]), first == key([]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_a_pex_info_of_old_or_of_tomorrow_will_do(make: MakeCzex) -> None:
    czex = make(build_properties={"nested": {"a": [1, {}]}}, from_the_future=[1], pex_hash=None)
    assert czex.show("argv") == ["app.czex", "argv"]
    info = json.loads(zipfile.ZipFile(czex.path).read("PEX-INFO"))
    assert info["from_the_future"] == [1]
    assert info["build_properties"] == {"nested": {"a": [1, {}]}}


def test_the_hash_of_a_pex_is_not_that_of_its_czex(make: MakeCzex) -> None:
    info = json.loads(zipfile.ZipFile(make().path).read("PEX-INFO"))
    assert info["pex_hash"] != "0" * 40


def test_programs_stay_programs(make: MakeCzex, tmp_path: Path) -> None:
    files = {"tools/__init__.py": b"", "tools/tool.sh": b"#!/bin/sh\n", "tools/plain.sh": b""}
    czex = make(make_wheel(tmp_path, "tools", files, programs=["tools/tool.sh"]))
    assert czex.show("mode", "tools", "tool.sh") == "0o755"
    assert czex.show("mode", "tools", "plain.sh") == "0o644"


def test_data_and_headers_go_where_installers_put_them(make: MakeCzex, tmp_path: Path) -> None:
    files = {"d-1.0.data/data/share/d/x.txt": b"x", "d-1.0.data/headers/d.h": b"h", "d.py": b""}
    czex = make(make_wheel(tmp_path, "d", files))
    assert czex.run("prefix-file", "share/d/x.txt").stdout == b"x\n"
    assert czex.run("prefix-file", f"include/site/python{VERSION}/d/d.h").stdout == b"h\n"
    assert czex.show("exist", "d") is True


def test_arguments_and_variables_need_not_be_utf8(make: MakeCzex) -> None:
    czex = make()
    assert czex.run("bytes", b"\xff\xfe").stdout == b"\xff\xfe\n"
    assert czex.run("env-bytes", "RAW", environment={"RAW": b"\xff"}).stdout == b"\xff\n"


def test_a_script_that_finds_python_does_not_start_what_pex_installed(tmp_path: Path, make_moo: Any) -> None:
    pex = make_moo("--sh-boot", "--venv")
    environment = {"PEX_ROOT": str(tmp_path / "root"), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    environment["PEX_INTERPRETER"] = "1"
    command = ["-c", "import sys; print(sys.prefix)"]
    pexs = subprocess.run([pex, *command], env=environment, capture_output=True, text=True, check=True)
    assert pexs.stdout.startswith(str(tmp_path / "root" / "venvs"))
    path = tmp_path / "moo.czex"
    inject(pex, path, (), lambda name: host_launcher(), Compression(3))
    ours = subprocess.run([path, *command], env=environment, capture_output=True, text=True, check=True)
    assert ours.stdout.startswith(str(tmp_path / "root" / "czscie" / "apps"))


def test_extra_entries_of_the_path_reach_children(make: MakeCzex, tmp_path: Path) -> None:
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra/extra.py").write_text("NAME = 'extra'\n")
    environment = {"PEX_EXTRA_SYS_PATH": str(tmp_path / "extra")}
    czex = make()
    assert czex.show("value", "extra", "NAME", environment=environment) == "extra"
    assert czex.show("child-path", str(tmp_path / "extra"), environment=environment) is True


@pytest.mark.parametrize("name", ["PEX_TOOLS", "PEX_COVERAGE", "PEX_PROFILE"])
def test_what_cannot_be_honoured_is_refused_by_name(make: MakeCzex, name: str) -> None:
    done = make().run("argv", environment={name: "1"})
    assert done.returncode == 1
    assert f"app.czex: error: {name} is not supported: ".encode() in done.stderr


def test_a_cache_directory_that_cannot_be_is_passed_over(make: MakeCzex, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    environment = {"CZSCIE_BASE": None, "XDG_CACHE_HOME": "/proc/x", "TMPDIR": str(tmp_path / "temporary")}
    czex = make()
    for _ in range(2):
        assert czex.show("argv", environment=environment) == ["app.czex", "argv"]
    assert [path.name for path in (tmp_path / "temporary").iterdir()] == [f"czscie-{os.geteuid()}"]


def test_wheels_for_musl_are_for_pythons_on_musl(tmp_path: Path) -> None:
    loader = tmp_path / "ld-musl-x86_64.so.1"
    loader.write_text("#!/bin/sh\necho 'musl libc (x86_64)\nVersion 1.2.3' >&2\n")
    loader.chmod(0o755)
    name = str(loader).encode() + b"\0"
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += b"\x02\0\x3e\0\x01\0\0\0" + bytes(8) + (64).to_bytes(8, "little") + bytes(8) + bytes(4)
    head += (64).to_bytes(2, "little") + (56).to_bytes(2, "little") + (1).to_bytes(2, "little") + bytes(6)
    program = (3).to_bytes(4, "little") + bytes(4) + (120).to_bytes(8, "little") + bytes(16)
    program += len(name).to_bytes(8, "little") * 2 + bytes(8)
    executable = tmp_path / "python"
    executable.write_bytes(head + program + name)
    code = (
        "import os, sys; from czscie.czex.bootstrap import tags\n"
        "del os.confstr; tags._loaded_glibc = str\n"
        f"sys.executable = {str(executable)!r}\n"
        "print('\\n'.join(sorted({tag[2] for tag in tags.supported_tags()})))"
    )
    source = str(Path(inject.__code__.co_filename).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": source}, capture_output=True, text=True, check=True
    )
    machine = os.uname().machine
    assert done.stdout.split() == [
        "any",
        f"linux_{machine}",
        *(f"musllinux_1_{minor}_{machine}" for minor in range(3)),
    ]


def test_a_script_is_found_by_its_bare_name(make: MakeCzex, tmp_path: Path) -> None:
    tool = {"tool-1.0.data/scripts/tool": b"#!python\nimport probe, sys\nsys.exit(probe.main())\n"}
    czex = make(make_wheel(tmp_path, "tool", tool), entry_point=None, script="tool")
    assert czex.show("argv", "x")[1:] == ["argv", "x"]


def test_placeholders_and_resources_are_bound(make: MakeCzex, tmp_path: Path) -> None:
    dep = make_wheel(tmp_path, "dep", {"dep/__init__.py": b"", "dep/x.txt": b"x"})
    czex = make(dep, inject_args=["env", "{pex.env.WHICH}"], bind_resource_paths={"WHERE": "dep/x.txt"})
    [path] = czex.show(environment={"WHICH": "WHERE"}).values()
    assert Path(path).read_bytes() == b"x"


def test_other_czexes_take_part(make: MakeCzex, tmp_path: Path) -> None:
    czex = make()
    czex.path.rename(tmp_path / "first.czex")
    first = Czex(tmp_path / "first.czex", czex.base)
    other = make(
        make_wheel(tmp_path, "dep", {"dep.py": b"NAME = 'dep'\n"}), sources={"mine.py": b"NAME = 'mine'\n"}
    )
    environment = {"PEX_PATH": str(other.path)}
    assert first.show("modules", "dep", "mine") == {"dep": False, "mine": False}
    assert first.show("modules", "dep", "mine", environment=environment) == {"dep": True, "mine": True}
    plain = first.run("argv", environment={"PEX_PATH": str(tmp_path / "app.pex")})
    assert plain.returncode == 1
    assert b"is not a CZEX" in plain.stderr
    assert b"hint: convert it: czscie inject " in plain.stderr


def test_what_it_holds_can_be_imported(make: MakeCzex, tmp_path: Path) -> None:
    czex = make(make_wheel(tmp_path, "dep", {"dep.py": b"NAME = 'dep'\n"}))
    code = (
        f"import sys; sys.path.insert(0, {str(czex.path)!r}); import __pex__, dep\n"
        "from __pex__ import probe\nimport __pex__.dep\n"
        "print(dep.NAME, probe.__name__, sys.modules['__pex__.dep'] is dep)"
    )
    environment = {"CZSCIE_BASE": str(czex.base), "PATH": "/none"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "dep probe True\n", done.stderr


def test_a_damaged_file_installs_nothing(make: MakeCzex) -> None:
    czex = make()
    data = bytearray(czex.path.read_bytes())
    with czex.path.open("rb") as file:
        entries = {entry.name: entry for entry in read_directory(file, len(data)).entries}
    entry = entries[".deps/probe-1.0-py2.py3-none-any.whl"]
    data[entry.header_offset + 100] ^= 0xFF
    czex.path.write_bytes(data)
    done = czex.run("argv")
    assert done.returncode == 1
    assert b"is damaged: cannot read " in done.stderr
    assert czex.installations() == []


def test_a_platform_that_it_was_not_made_for_is_told(make: MakeCzex, tmp_path: Path) -> None:
    make()
    path = tmp_path / "foreign.czex"
    foreign = "linux-s390x" if os.uname().machine != "s390x" else "linux-x86_64"
    inject(tmp_path / "app.pex", path, [find_platform(foreign)], lambda name: host_launcher(), Compression(3))
    done = Czex(path, tmp_path / "base").run("argv")
    assert done.returncode == 1
    assert f"only {foreign}".encode() in done.stderr
    assert b"hint: make it again: czscie inject --platform " in done.stderr


def test_equal_pexes_give_equal_czexes(make: MakeCzex, tmp_path: Path) -> None:
    first = make().path.read_bytes()
    assert make().path.read_bytes() == first


def test_twenty_first_starts_at_once_make_one_installation(make: MakeCzex) -> None:
    czex = make()
    environment = {"PATH": "/none", "CZSCIE_BASE": str(czex.base)}
    processes = [
        subprocess.Popen(
            [sys.executable, czex.path, "argv", str(number)], env=environment, stdout=subprocess.PIPE
        )
        for number in range(20)
    ]
    outputs = [json.loads(process.communicate(timeout=120)[0])[1:] for process in processes]
    assert outputs == [["argv", str(number)] for number in range(20)]
    assert len(czex.installations()) == 1


def test_a_moved_czex_finds_its_installation(make: MakeCzex, tmp_path: Path) -> None:
    czex = make()
    czex.show("argv")
    moved = Czex(tmp_path / "elsewhere", czex.base)
    czex.path.rename(moved.path)
    assert moved.show("argv") == ["elsewhere", "argv"]
    assert len(czex.installations()) == 1


def test_a_base_directory_of_everybody_is_not_used(make: MakeCzex, tmp_path: Path) -> None:
    czex = make()
    czex.base.mkdir()
    czex.base.chmod(0o777)
    (tmp_path / "temporary").mkdir()
    environment = {"TMPDIR": str(tmp_path / "temporary"), "HOME": None}
    assert czex.show("argv", environment=environment) == ["app.czex", "argv"]
    assert list(czex.base.iterdir()) == []


def test_an_installation_that_a_power_cut_left_short_is_made_again(make: MakeCzex) -> None:
    czex = make()
    czex.show("argv")
    [root] = czex.installations()
    [probe] = root.rglob("site-packages/probe.py")
    probe.write_bytes(b"")
    os.utime(root, (0, 0))
    assert czex.show("argv") == ["app.czex", "argv"]
    assert root.stat().st_mtime > 0


def test_a_directory_that_is_no_pex_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CzscieError, match="is not a PEX"):
        inject(tmp_path, tmp_path / "x.czex", (), lambda name: host_launcher(), Compression(3))


def test_a_kill_at_any_instant_leaves_nothing_or_everything(make: MakeCzex, tmp_path: Path) -> None:
    files = {f"many/{number}.py": b"x = 1\n" * 100 for number in range(2000)}
    czex = make(make_wheel(tmp_path, "many", files))
    environment = {"PATH": "/none", "CZSCIE_BASE": str(czex.base)}
    hit = 0
    for tenth in range(12):
        shutil.rmtree(czex.base, ignore_errors=True)
        process = subprocess.Popen(
            [sys.executable, czex.path, "argv"],
            env=environment,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        time.sleep(0.02 * (tenth + 1))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        hit += process.returncode == -signal.SIGKILL
        whole = [path for path in czex.base.glob("apps/*") if path.suffix != ".partial"]
        assert all(len(list(root.rglob("many/*.py"))) == 2000 for root in whole)
        assert czex.show("argv") == ["app.czex", "argv"]
        assert [path.suffix for path in czex.base.glob("apps/*")] == [""]
    assert hit


def test_it_starts_from_a_cache_that_is_read_only(make: MakeCzex) -> None:
    czex = make()
    czex.show("argv")
    unshare = ["unshare", "--mount", "--map-root-user", "--user", "sh", "-c"]
    read_only = f'mount --bind {czex.base} {czex.base} && mount -o remount,bind,ro {czex.base} && exec "$@"'
    if subprocess.run([*unshare, read_only, "sh", "true"], capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    environment = {"PATH": "/usr/bin:/bin"}
    assert czex.show("argv", python=(*unshare, read_only, "sh", sys.executable), environment=environment) == [
        "app.czex",
        "argv",
    ]


def test_without_a_home_it_starts_from_a_temporary_directory(make: MakeCzex, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    environment = {"CZSCIE_BASE": None, "HOME": None, "TMPDIR": str(tmp_path / "temporary")}
    czex = make()
    for _ in ("cold", "warm"):
        assert czex.show("argv", environment=environment) == ["app.czex", "argv"]
    assert len(list(tmp_path.glob("temporary/czscie-*/apps/*"))) == 1


def test_windows_is_refused_when_the_czex_is_made(make: MakeCzex, tmp_path: Path) -> None:
    make()
    with pytest.raises(CzscieError, match="a CZEX does not start on windows-x86_64"):
        inject(
            tmp_path / "app.pex",
            tmp_path / "x.czex",
            [find_platform("windows-x86_64")],
            lambda name: host_launcher(),
            Compression(3),
        )
    assert not (tmp_path / "x.czex").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")
class TestOtherUsers:
    """Where a CZEX installs on a host with other users. Of the launcher: integration/native/test_users.py."""

    OWN_CACHE = (
        "mount -t tmpfs -o mode=0755 tmpfs /var/cache; mkdir -m 0755 /var/cache/czscie; "
        'mount --bind "$0" /var/cache/czscie; exec "$@"'
    )

    def host(self, tmp_path: Path, *command: str) -> tuple[str, ...]:
        """A Python that has a directory of the test as /var/cache/czscie, started by `command`."""
        (tmp_path / "shared").mkdir(exist_ok=True)
        for parent in (tmp_path / "shared", *tmp_path.parents, tmp_path):
            if parent.stat().st_uid == 0 and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o755)
        unshare = ("/usr/bin/env", "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "unshare", "-m", "sh", "-ec")
        return (*unshare, self.OWN_CACHE, str(tmp_path / "shared"), *command, "/usr/bin/python3")

    def as_user(self, user: int) -> tuple[str, ...]:
        return ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")

    @pytest.fixture(autouse=True)
    def _system_python(self) -> None:
        if not Path("/usr/bin/python3").exists():
            pytest.skip("there is no Python that all users can start")

    def test_root_installs_for_all_and_nothing_into_a_home_of_another(
        self, make: MakeCzex, tmp_path: Path
    ) -> None:
        czex = make()
        home = tmp_path / "home"
        home.mkdir()
        os.chown(home, 12345, 12345)
        environment = {"CZSCIE_BASE": None, "HOME": str(home)}
        for _ in range(2):
            umask = ("sh", "-c", 'umask 077; exec "$@"', "sh")
            czex.show("argv", python=self.host(tmp_path, *umask), environment=environment)
        assert list(home.iterdir()) == []
        [root] = tmp_path.glob("shared/apps/*")
        made = [path for path in [root, *root.rglob("*")] if "__pycache__" not in str(path)]
        assert all(path.lstat().st_mode & 0o044 == 0o044 for path in made)
        os.utime(root, (0, 10**9))
        times = {path: path.lstat().st_mtime for path in tmp_path.glob("shared/**/*")}
        for _ in range(2):
            czex.show("argv", python=self.host(tmp_path, *self.as_user(12345)), environment=environment)
        assert list(home.iterdir()) == []
        assert {path: path.lstat().st_mtime for path in tmp_path.glob("shared/**/*")} == times

    def test_what_root_removes_counts_as_missing(self, make: MakeCzex, tmp_path: Path) -> None:
        czex = make()
        home = tmp_path / "home"
        home.mkdir()
        os.chown(home, 12345, 12345)
        environment = {"CZSCIE_BASE": None, "HOME": str(home)}
        czex.show("argv", python=self.host(tmp_path), environment=environment)
        [root] = tmp_path.glob("shared/apps/*")
        os.utime(root, (0, 0))
        czex.show("argv", python=self.host(tmp_path, *self.as_user(12345)), environment=environment)
        assert list(home.glob(".cache/czscie/apps/*"))

    def test_a_czex_that_others_may_not_read_is_roots_alone(self, make: MakeCzex, tmp_path: Path) -> None:
        czex = make()
        czex.path.chmod(0o700)
        environment = {"CZSCIE_BASE": None, "HOME": str(tmp_path / "home")}
        (tmp_path / "home").mkdir()
        czex.show("argv", python=self.host(tmp_path), environment=environment)
        assert list((tmp_path / "shared").iterdir()) == []
        assert list(tmp_path.glob("home/.cache/czscie/apps/*"))
