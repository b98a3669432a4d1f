"""The tools that every scie brings along, each run as its users run it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from czscie.container.manifest import Boot, Command, Needs
from czscie.container.part import PartFile
from czscie.container.zip import read_directory, read_entry
from czscie.errors import CzscieError
from czscie.scie.assemble import assemble
from czscie.scie.inspect import read_sbom, read_scie
from integration.native.small_scie import program
from scie.factories import Tree, host_launcher, manifest, part, scie

if sys.platform != "win32":
    import fcntl

pytestmark = pytest.mark.skipif(os.name != "posix", reason="these scies are made of POSIX's files")

root_only = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="other users need root")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what processes run from")

ANOTHER_USER = 12345
#: Larger than what the launcher reads and writes at a time.
SBOM = b"".join(b'{"name": "cow %d"}\n' % number for number in range(20_000))
DAY = 86400


@dataclass(frozen=True)
class App:
    """A scie of an interpreter, which several share, and a virtual environment of its own on it."""

    path: Path
    base: Path
    interpreter: str
    application: str

    def run(
        self, *arguments: str | Path, executable: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [executable or self.path, *arguments],
            env={"CZSCIE_BASE": str(self.base), "PATH": os.environ["PATH"]} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def tool(self, tool: str, *arguments: str | Path, **environment: str) -> str:
        """What the tool prints when all is well."""
        done = self.run(*arguments, executable=None, SCIE=tool, **environment)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def on_a_terminal(self, tool: str, *arguments: str | Path) -> str:
        """What the tool prints on a terminal when all is well."""
        master, terminal = os.openpty()
        with os.fdopen(master, "rb") as read, os.fdopen(terminal, "wb") as write:
            done = subprocess.run(
                [self.path, *arguments],
                env={"CZSCIE_BASE": str(self.base), "SCIE": tool},
                stdin=subprocess.DEVNULL,
                stdout=write,
                timeout=60,
            )
            assert done.returncode == 0
            return os.read(read.fileno(), 1 << 16).decode().replace("\r\n", "\n")

    def json(self, tool: str, *arguments: str | Path, **environment: str) -> Any:
        return json.loads(self.tool(tool, *arguments, "--json", **environment))

    @property
    def interpreter_directory(self) -> Path:
        return self.base / "interpreters" / self.interpreter

    @property
    def application_directory(self) -> Path:
        return self.base / "apps" / self.application


def interpreter_part(directory: Path) -> PartFile:
    """One that other test processes do not have: what any process runs from is neither pruned nor removed."""
    tree = Tree(
        {
            "lib/text": b"%016d\n" % os.getpid() + b"one line of text\n" * 199,
            "lib/large": bytes(range(256)) * 40_000,
        },
        programs={"bin/python": program()},
        links={"bin/python3": "python"},
    )
    return part(directory, "cpython", tree)


def make_app(directory: Path, name: str = "moo", tools: str = "SCIE") -> App:
    directory.mkdir(exist_ok=True)
    interpreter = interpreter_part(directory)
    tree = Tree(
        {"lib/app.py": name.encode()},
        templates={"pyvenv.cfg": f"home = {{base}}/interpreters/{interpreter.digest}/bin\n".encode()},
        scripts={"bin/script": ("bin/python -s", b"pass\n")},
        links={"bin/python": f"../../../interpreters/{interpreter.digest}/bin/python"},
    )
    payload = part(directory, "payload", tree, "app")
    commands = {
        "": Command(exe="{payload}/bin/python", args=("by default",), description="Says moo"),
        "other": Command(exe="{payload}/bin/python", args=("the other",), env={"=GONE": None}),
    }
    lift = manifest(name, Boot(commands), needs=Needs(glibc="2.17"), description="A cow", tools=tools)
    assemble(directory / name, host_launcher(), "0.0", [interpreter, payload], lift, SBOM)
    return App(directory / name, directory / "base", interpreter.digest, payload.digest)


def age(path: Path, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(path, (then, then))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> App:
    return make_app(tmp_path_factory.mktemp("tools") / "moo")


@pytest.fixture
def app(made: App, tmp_path: Path) -> App:
    """The scie with a base directory of its own that other users may look into."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o755)
    return App(made.path, tmp_path / "base", made.interpreter, made.application)


class TestChoice:
    def test_help_lists_every_tool_and_how_it_is_called(self, app: App) -> None:
        text = app.tool("help")
        for tool in (
            "inspect",
            "list",
            "sbom",
            "verify",
            "install DIR",
            "doctor",
            "cache",
            "uninstall",
            "split",
        ):
            assert f"\n  {tool}" in text
        assert "SCIE=TOOL moo" in text

    def test_help_shows_the_description_and_the_commands_that_have_one(self, app: App) -> None:
        text = app.tool("help")
        assert text.startswith("moo: A cow\n\nCommands, selected by SCIE_BOOT=COMMAND moo …\n")
        assert "\n  (default)  Says moo\n" in text
        assert "\n  other" not in text

    @pytest.mark.parametrize(
        ("word", "hint"), [("inspekt", "inspect"), ("cahce", "cache"), ("nothing like it", "one of them")]
    )
    def test_an_unknown_word_is_an_error_and_starts_nothing(self, app: App, word: str, hint: str) -> None:
        done = app.run(SCIE=word)
        assert (done.returncode, done.stdout) == (1, "")
        first, *tools, last = done.stderr.splitlines()
        assert first == f"moo: error: SCIE names the unknown tool '{word}'; available tools:"
        assert {"  help", "  inspect", "  split"} < set(tools)
        assert last == f"hint: set SCIE to {hint}, or unset it; SCIE=help describes them"
        assert not app.base.exists()

    def test_the_tool_that_makes_other_scies_is_refused_by_name(self, app: App, tmp_path: Path) -> None:
        (tmp_path / "boot-pack").touch()  # would be taken for what a child inherits
        done = subprocess.run(
            [app.path], env={"SCIE": "boot-pack"}, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "moo: error: there is no tool boot-pack: the launcher of czscie does not build executables\n"
            "hint: run `czscie build lift.json`\n"
        )

    def test_a_path_is_what_a_child_inherits_and_chooses_nothing(self, app: App, tmp_path: Path) -> None:
        for value in (str(app.path), "/gone/for/good", ""):
            assert app.run(SCIE=value).stdout.startswith("started\n"), value

    def test_the_name_of_an_existing_file_chooses_nothing(self, app: App, tmp_path: Path) -> None:
        (tmp_path / "outer").touch()
        environment = {"SCIE": "outer", "CZSCIE_BASE": str(app.base)}
        done = subprocess.run([app.path], env=environment, cwd=tmp_path, capture_output=True, timeout=60)
        assert done.stdout.startswith(b"started\n")

    def test_what_a_tool_does_not_take_is_an_error(self, app: App) -> None:
        for tool, arguments in (
            ("list", ["--yes"]),
            ("inspect", ["x"]),
            ("inspect", ["--text", "--json"]),
            ("install", []),
            ("install", ["one", "two"]),
            ("install", ["--", "one"]),
            ("split", ["--json", "x"]),
            ("split", ["one", "two"]),
            ("cache", ["prun"]),
            ("cache", ["--older-than", "3"]),
            ("cache", ["prune", "--older-than", "-3"]),
        ):
            done = app.run(*arguments, SCIE=tool)
            assert done.returncode == 1, tool
            assert f"usage: SCIE={tool} moo" in done.stderr
        assert not app.base.exists()

    def test_a_manifest_renames_the_variable(self, tmp_path: Path) -> None:
        app = make_app(tmp_path / "renamed", tools="MOO_TOOL")
        assert app.run(SCIE="list").stdout.startswith("started\n")
        assert "MOO_TOOL=TOOL moo" in app.run(MOO_TOOL="help").stdout
        assert "MOO_TOOL=help describes them" in app.run(MOO_TOOL="x").stderr

    def test_a_manifest_switches_the_tools_off(self, tmp_path: Path) -> None:
        app = make_app(tmp_path / "off", tools="")
        assert app.run(SCIE="help").stdout.startswith("started\n")

    def test_the_application_gets_its_own_path_in_place_of_what_was_inherited(self, tmp_path: Path) -> None:
        inner = tmp_path / "inner"
        scie(inner, host_launcher(), [], {"": Command(exe="/usr/bin/env")})
        done = App(inner, tmp_path / "base", "", "").run(SCIE="/an/outer/scie")
        assert f"SCIE={inner}" in done.stdout.splitlines()

    def test_output_that_cannot_be_written_is_an_error(self, app: App) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("there is no /dev/full")
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [app.path], env={"SCIE": "help"}, stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert done.returncode == 1
        assert "no space left on device" in done.stderr

    def test_output_to_a_file_goes_on_where_the_file_ends(self, app: App, tmp_path: Path) -> None:
        with (tmp_path / "out").open("w") as out:
            for _ in range(2):
                subprocess.run([app.path], env={"SCIE": "help"}, stdout=out, check=True)
        assert (tmp_path / "out").read_text() == app.tool("help") * 2


class TestInspect:
    def test_the_json_is_the_last_line_of_the_file(self, app: App) -> None:
        last = app.path.read_bytes().splitlines()[-1] + b"\n"
        for arguments in ([], ["--json"]):
            assert app.tool("inspect", *arguments).encode() == last

    def test_programs_read_it_as_they_read_other_scies(self, app: App) -> None:
        done = subprocess.run(
            [app.path], env={"SCIE": "inspect"}, capture_output=True, check=True, timeout=60
        )
        manifest = json.loads(done.stdout)["scie"]
        lift = manifest["lift"]
        assert (lift["name"], lift["description"]) == ("moo", "A cow")
        assert lift["boot"]["commands"][""]["args"] == ["by default"]
        assert [(each["name"], each["size"] > 0) for each in lift["files"]] == [
            ("cpython", True),
            ("payload", True),
        ]
        launcher = host_launcher().read_bytes()
        assert manifest["jump"] == {
            "version": "0.0",
            "size": len(launcher),
            "hash": hashlib.sha256(launcher).hexdigest(),
        }

    def test_the_text_tells_parts_needs_and_commands(self, app: App) -> None:
        text = app.tool("inspect", "--text")
        assert app.on_a_terminal("inspect") == text
        for word in ("moo: A cow", "glibc 2.17", "cpython (interpreter)", app.application, "other"):
            assert word in text

    def test_list_gives_commands_with_their_descriptions(self, app: App) -> None:
        commands = app.json("list")["commands"]
        assert [(each["name"], each["description"]) for each in commands] == [
            ("", "Says moo"),
            ("other", None),
        ]
        assert "(default): Says moo" in app.tool("list", "--text")

    def test_list_gives_programs_a_name_a_line(self, app: App) -> None:
        assert app.tool("list") == "moo\nother\n"
        assert app.on_a_terminal("list") == app.tool("list", "--text")

    def test_json_is_json_on_a_terminal_too(self, app: App) -> None:
        assert json.loads(app.on_a_terminal("inspect", "--json")) == app.json("inspect")


class TestSbom:
    def test_it_is_printed_as_it_was_built_in_and_nothing_is_installed(self, app: App) -> None:
        assert app.tool("sbom").encode() == app.tool("sbom", "--json").encode() == SBOM
        assert read_sbom(app.path) == SBOM
        assert not app.base.exists()

    def test_a_damaged_one_is_an_error(self, app: App, tmp_path: Path) -> None:
        data = bytearray(app.path.read_bytes())
        # The launcher holds the name too.
        launcher = app.json("inspect")["scie"]["jump"]["size"]
        data[data.index(b".czscie/sbom.cdx.json", launcher) + 100] ^= 0x10
        damaged = tmp_path / "damaged"
        damaged.write_bytes(data)
        damaged.chmod(0o755)
        done = app.run(executable=damaged, SCIE="sbom")
        assert (done.returncode, done.stderr.partition(":")[0]) == (1, "moo")

    def test_a_file_without_one_and_an_installation_say_so(self, app: App, tmp_path: Path) -> None:
        bare = part(tmp_path, "cpython", Tree(programs={"bin/python": program()}))
        scie(tmp_path / "bare", host_launcher(), [bare], {"": Command(exe="{cpython}/bin/python")})
        done = app.run(executable=tmp_path / "bare", SCIE="sbom")
        assert (done.returncode, "without a bill of materials" in done.stderr) == (1, True)
        app.tool("install", tmp_path / "opt")
        done = app.run(executable=tmp_path / "opt/bin/moo", SCIE="sbom")
        assert (done.returncode, "run the tool on the original executable" in done.stderr) == (1, True)


class TestVerify:
    def test_a_whole_file_is_well_before_and_after_it_is_installed(self, app: App) -> None:
        assert app.json("verify") == {
            "ok": True,
            "executable": str(app.path),
            "entries": 6,
            "base": None,
            "files": 0,
            "problems": [],
        }
        app.run()
        found = app.json("verify")
        assert (found["ok"], found["base"]) == (True, str(app.base))
        planned = ["text", "large", "python", "python3", "app.py", "pyvenv.cfg", "script", "python"]
        assert found["files"] == len(planned)
        # What is there besides is nobody's concern.
        (app.application_directory / "lib/__pycache__").mkdir()
        assert "no problems found" in app.tool("verify")

    @pytest.mark.parametrize(
        ("damage", "problem"),
        [
            (lambda root: (root / "lib/text").write_bytes(b"x" * 3400), "the content differs"),
            (lambda root: (root / "lib/text").write_bytes(b"one line"), "too short"),
            (lambda root: (root / "lib/large").open("ab").write(b"x"), "too long"),
            (lambda root: (root / "lib/text").unlink(), "no such file or directory"),
            (lambda root: (root / "bin/python").chmod(0o644), "not executable"),
            (
                lambda root: ((root / "bin/python3").unlink(), (root / "bin/python3").symlink_to("/bin/sh")),
                "the link target differs",
            ),
        ],
    )
    def test_what_is_wrong_with_an_installed_file_is_told(self, app: App, damage: Any, problem: str) -> None:
        app.run()
        damage(app.interpreter_directory)
        done = app.run("--json", SCIE="verify")
        assert done.returncode == 1
        [found] = json.loads(done.stdout)["problems"]
        assert (found["where"], found["problem"]) == (f"interpreters/{app.interpreter}", problem)

    def test_templates_and_scripts_are_compared_as_they_were_filled_in(self, app: App) -> None:
        app.run()
        for name in ("pyvenv.cfg", "bin/script"):
            path = app.application_directory / name
            path.write_bytes(path.read_bytes().replace(b"/", b"_"))
        done = app.run("--json", SCIE="verify")
        assert "tool uninstall" in app.run(SCIE="verify").stdout
        subjects = [each["subject"] for each in json.loads(done.stdout)["problems"]]
        assert sorted(subjects) == ["bin/script", "pyvenv.cfg"]

    def test_damage_anywhere_in_the_data_of_the_file_is_found(self, app: App, tmp_path: Path) -> None:
        manifest = app.json("inspect")["scie"]
        whole = app.path.read_bytes()
        launcher = manifest["jump"]["size"]
        places = [launcher - 1000]
        with zipfile.ZipFile(app.path) as archive:
            places += [entry.header_offset + 60 for entry in archive.infolist()]
        for each in manifest["lift"]["files"]:
            places += [each["offset"] + each["size"] // 2, each["offset"] + each["size"] - 4]
        damaged = tmp_path / "damaged"
        for place in places:
            damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
            damaged.chmod(0o755)
            done = app.run("--json", executable=damaged, SCIE="verify")
            assert done.returncode == 1, place
            assert json.loads(done.stdout)["problems"], place


class TestInstall:
    def test_an_executable_per_command_starts_from_there_and_unpacks_nothing(
        self, app: App, tmp_path: Path
    ) -> None:
        for arguments, command in (((), "by default"), (("more",), "by default")):
            assert (
                app.tool("install", tmp_path / "opt") == f"{tmp_path}/opt/bin/moo\n{tmp_path}/opt/bin/other\n"
            )
            done = app.run(*arguments, executable=tmp_path / "opt/bin/moo")
            lines = done.stdout.splitlines()
            assert lines[0] == "started"
            assert lines[1] == f"{tmp_path}/opt/apps/{app.application}/bin/python"
            assert lines[2:] == [command, *arguments]
        assert "the other" in app.run(executable=tmp_path / "opt/bin/other").stdout
        assert "the other" in app.run(executable=tmp_path / "opt/bin/moo", SCIE_BOOT="other").stdout
        assert not app.base.exists()

    def test_the_executables_are_small_and_the_file_is_needed_no_more(self, app: App, tmp_path: Path) -> None:
        shutil.copy2(app.path, tmp_path / "copy")
        app.run(tmp_path / "opt", executable=tmp_path / "copy", SCIE="install")
        (tmp_path / "copy").unlink()
        stub = tmp_path / "opt/bin/moo"
        assert stub.stat().st_size < host_launcher().stat().st_size + 4096
        assert app.run(executable=stub).returncode == 0

    def test_everything_can_be_read_by_everybody_whatever_the_umask(self, app: App, tmp_path: Path) -> None:
        before = os.umask(0o077)
        try:
            app.tool("install", tmp_path / "opt")
        finally:
            os.umask(before)
        for path in (tmp_path / "opt").rglob("*"):
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode) or path.parent.name == "locks":
                continue
            wanted = 0o555 if path.is_dir() or path.parent.name == "bin" else 0o444
            assert mode & wanted == wanted, path
            assert mode & 0o022 == 0, path
        assert stat.S_IMODE((tmp_path / "opt").stat().st_mode) == 0o755

    @root_only
    def test_other_users_start_what_root_installed(self, app: App, tmp_path: Path) -> None:
        app.tool("install", tmp_path / "opt")
        done = subprocess.run(
            [tmp_path / "opt/bin/moo"],
            env={},
            capture_output=True,
            text=True,
            user=ANOTHER_USER,
            group=ANOTHER_USER,
        )
        assert (done.stdout.splitlines()[0], done.stderr) == ("started", "")

    @root_only
    @linux_only
    def test_it_starts_from_a_read_only_file_system(self, app: App, tmp_path: Path) -> None:
        app.tool("install", tmp_path / "opt")
        opt = tmp_path / "opt"
        age(opt / "interpreters" / app.interpreter, 4000)
        script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$1/bin/moo"'
        command = ["unshare", "-m", "sh", "-ec", script, "sh", str(opt)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.stdout.splitlines()[:1], done.stderr) == (["started"], "")

    def test_it_is_no_cache_and_is_not_pruned(self, app: App, tmp_path: Path) -> None:
        app.tool("install", tmp_path / "opt")
        assert not (tmp_path / "opt/CACHEDIR.TAG").exists()
        done = app.run("prune", SCIE="cache", CZSCIE_BASE=f"{tmp_path}/opt")
        assert done.returncode == 1
        assert "is a permanent installation" in done.stderr

    def test_it_can_be_verified_with_the_file_it_came_from(self, app: App, tmp_path: Path) -> None:
        app.tool("install", tmp_path / "opt")
        assert app.json("verify", CZSCIE_BASE=f"{tmp_path}/opt")["base"] == f"{tmp_path}/opt"
        done = app.run(executable=tmp_path / "opt/bin/moo", SCIE="verify")
        assert done.returncode == 1
        assert f"CZSCIE_BASE={tmp_path}/opt" in done.stderr

    def test_an_upgrade_replaces_the_executables_while_the_old_ones_run(
        self, app: App, tmp_path: Path
    ) -> None:
        new = make_app(tmp_path / "new", "moo2")
        app.tool("install", tmp_path / "opt")
        old = (tmp_path / "opt/bin/other").open("rb")
        before = old.read()
        new.run(tmp_path / "opt", SCIE="install")
        old.seek(0)
        assert old.read() == before
        old.close()
        assert sorted(each.name for each in (tmp_path / "opt/bin").iterdir()) == ["moo", "moo2", "other"]
        assert new.application in new.run(executable=tmp_path / "opt/bin/other").stdout

    def test_czscie_inspect_says_what_an_executable_of_it_is(self, app: App, tmp_path: Path) -> None:
        app.tool("install", tmp_path / "opt")
        with pytest.raises(CzscieError, match="starts a permanent installation"):
            read_scie(tmp_path / "opt/bin/moo")

    def test_an_installation_that_is_gone_is_told_and_not_unpacked_elsewhere(
        self, app: App, tmp_path: Path
    ) -> None:
        app.tool("install", tmp_path / "opt")
        (tmp_path / "opt").rename(tmp_path / "moved")
        done = app.run(executable=tmp_path / "moved/bin/moo", HOME=str(tmp_path / "home"))
        assert done.returncode == 1
        assert f"cannot use its installation in {tmp_path}/opt: no such file or directory" in done.stderr
        assert not app.base.exists() and not (tmp_path / "home").exists()

    def test_a_link_on_the_way_is_resolved_so_that_it_may_change(self, app: App, tmp_path: Path) -> None:
        (tmp_path / "first").mkdir()
        (tmp_path / "link").symlink_to("first")
        app.tool("install", tmp_path / "link")
        (tmp_path / "link").unlink()
        assert app.run(executable=tmp_path / "first/bin/moo").returncode == 0

    def test_where_nothing_can_be_installed_is_told(self, app: App, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        done = app.run(tmp_path / "file" / "opt", SCIE="install")
        assert done.returncode == 1
        assert f"cannot install into {tmp_path}/file/opt: " in done.stderr
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o777)
        assert "other users can write to it" in app.run(tmp_path / "open", SCIE="install").stderr


class TestDoctor:
    def test_it_tells_which_directory_is_chosen_and_why_others_are_not(
        self, app: App, tmp_path: Path
    ) -> None:
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o777)
        found = app.json("doctor", CZSCIE_BASE=f"{tmp_path}/open", SCIE_BASE=f"{tmp_path}/new/base")
        first, second = found["places"][:2]
        assert (first["setting"], first["chosen"]) == ("CZSCIE_BASE", False)
        assert "other users can write to it" in first["state"]
        assert (second["path"], second["chosen"], second["state"]) == (f"{tmp_path}/new/base", True, "usable")
        assert found["base"] == f"{tmp_path}/new/base"
        assert not (tmp_path / "new").exists()
        app.run(SCIE_BASE=f"{tmp_path}/new/base", CZSCIE_BASE=f"{tmp_path}/open")
        assert (tmp_path / "new/base/apps").exists(), "a start chooses what the doctor said"

    def test_it_tells_what_is_installed_and_what_the_host_is_like(self, app: App) -> None:
        app.run()
        found = app.json("doctor")
        assert found["places"][0]["state"] == "installed"
        assert found["executable"] == str(app.path)
        assert found["host"]["cpus"] == len(os.sched_getaffinity(0))
        assert found["host"]["page_size"] == os.sysconf("SC_PAGE_SIZE")
        assert os.uname().release in found["host"]["kernel"]
        assert {each["name"]: each["path"] for each in found["resources"]}["temporary files"]
        assert f"* {app.base} (CZSCIE_BASE): installed" in app.tool("doctor")

    @linux_only
    def test_it_tells_what_memory_a_start_could_have(self, app: App, tmp_path: Path) -> None:
        mount, files = app.json("doctor")["memory"]
        assert files == {"name": "memory (memfd_create)", "reason": None}
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=unshare:error=EPERM", app.path]
        environment = {"SCIE": "doctor", "TMPDIR": str(tmp_path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        refused = "memory (private tmpfs): unshare(2) of a user and mount namespace: EPERM"
        assert mount["name"] == "memory (private tmpfs)"
        assert refused in done.stdout


class TestCache:
    def test_it_tells_what_is_there_whose_how_large_and_when_it_was_used(self, app: App) -> None:
        assert app.tool("cache") == "nothing is installed\n"
        app.run()
        age(app.application_directory, 3.5)
        found = app.json("cache")
        application, interpreter = found["items"]
        assert (application["digest"], interpreter["digest"]) == (app.application, app.interpreter)
        assert application["interpreter"] == app.interpreter
        assert application["application"] == "moo"
        assert application["own"] and not application["running"]
        assert time.time() - application["last_use"] == pytest.approx(3.5 * DAY, abs=60)
        sizes = [path.stat().st_size for path in app.interpreter_directory.rglob("*") if path.is_file()]
        assert sum(sizes) <= interpreter["bytes"] <= sum(sizes) + 4096 * 8
        assert found["bytes"] == application["bytes"] + interpreter["bytes"]
        assert "(moo): " in app.tool("cache") and "used 3 days ago" in app.tool("cache")

    def test_what_was_not_used_for_long_is_pruned_and_comes_back(self, app: App) -> None:
        app.run()
        age(app.application_directory, 20)
        age(app.interpreter_directory, 20)
        assert app.json("cache", "prune")["removed"] == []
        removed = app.json("cache", "prune", "--older-than", "10")["removed"]
        assert [each["digest"] for each in removed] == [app.application, app.interpreter]
        assert not app.application_directory.exists() and not app.interpreter_directory.exists()
        assert app.run().stdout.startswith("started\n")

    def test_an_interpreter_that_an_application_has_stays_however_old(self, app: App) -> None:
        app.run()
        age(app.interpreter_directory, 400)
        assert app.json("cache", "prune", "--older-than", "1")["removed"] == []
        assert app.interpreter_directory.is_dir()

    def test_of_what_is_too_much_the_oldest_application_goes_first(self, app: App, tmp_path: Path) -> None:
        other = make_app(tmp_path / "other", "baa")
        app.run()
        other.run(CZSCIE_BASE=str(app.base))
        age(app.base / "apps" / other.application, 2)
        age(app.interpreter_directory, 3)
        bytes_now = app.json("cache")["bytes"]
        pruned = app.json("cache", "prune", "--max-size", str(bytes_now // 1_000_000 + 1))
        assert pruned["removed"] == []
        pruned = app.json("cache", "prune", "--max-size", "0")
        assert [each["digest"] for each in pruned["removed"]] == [
            other.application,
            app.application,
            app.interpreter,
        ]

    def test_what_a_dead_process_left_goes_and_what_a_living_one_makes_stays(self, app: App) -> None:
        app.run()
        dead, living = ("ab" * 32, "cd" * 32)
        for digest in (dead, living):
            (app.base / "apps" / f"{digest}.partial/lib").mkdir(parents=True)
        with (app.base / "locks" / living).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            removed = app.json("cache", "prune", "--max-size", "0")["removed"]
        assert dead in [each["digest"] for each in removed]
        assert (app.base / "apps" / f"{living}.partial").is_dir()
        assert app.interpreter_directory.is_dir(), "the one that is being made may have it"

    @linux_only
    def test_what_a_process_runs_from_stays(self, app: App) -> None:
        app.run()
        age(app.application_directory, 50)
        age(app.interpreter_directory, 50)
        variable = {"VIRTUAL_ENV": str(app.application_directory)}
        with subprocess.Popen(["sleep", "60"], env=variable | {"PATH": os.environ["PATH"]}) as process:
            while b"VIRTUAL_ENV" not in Path(f"/proc/{process.pid}/environ").read_bytes():
                time.sleep(0.01)
            assert app.json("cache", "prune")["removed"] == []
            done = app.run(SCIE="uninstall")
            assert done.returncode == 1
            assert "a process is using it" in done.stdout
            process.kill()
        assert len(app.json("cache", "prune")["removed"]) == 2


class TestLinks:
    @pytest.fixture
    def several(self, app: App, tmp_path: Path) -> Path:
        """A scie without a default command."""
        directory = tmp_path / "several"
        directory.mkdir()
        commands = {name: Command(exe="{cpython}/bin/python", args=(name,)) for name in ("one", "two")}
        scie(directory / "moo", host_launcher(), [interpreter_part(directory)], commands)
        return directory / "moo"

    def install(
        self, app: App, executable: Path, *arguments: str | Path, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [executable, *arguments],
            env={"SCIE": "install", "CZSCIE_BASE": str(app.base)},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def test_a_link_per_command_in_each_directory_starts_that_command(
        self, app: App, several: Path, tmp_path: Path
    ) -> None:
        directories = [tmp_path / "bin", tmp_path / "new/bin"]
        wanted = [directory / name for directory in directories for name in ("one", "two")]
        for option in ("-s", "--symlink"):
            done = self.install(app, several, option, *directories)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.splitlines() == [str(path) for path in wanted]
        assert not app.base.exists()
        for path in wanted:
            assert path.readlink() == several
            assert app.run("x", executable=path).stdout.splitlines()[2:] == [path.name, "x"]

    def test_a_default_command_has_the_only_link_which_goes_into_the_working_directory(
        self, app: App, tmp_path: Path
    ) -> None:
        done = self.install(app, app.path, "-s", "--json", cwd=tmp_path)
        assert json.loads(done.stdout) == {"links": ["./moo"]}
        assert [path.name for path in tmp_path.iterdir()] == ["moo"]
        assert (tmp_path / "moo").readlink() == app.path

    def test_what_is_there_stays(self, app: App, several: Path, tmp_path: Path) -> None:
        (tmp_path / "two").symlink_to("/elsewhere")
        done = self.install(app, several, "-s", tmp_path)
        assert done.returncode == 1
        assert f"cannot write {tmp_path}/two: already exists" in done.stderr
        assert (tmp_path / "two").readlink() == Path("/elsewhere")

    def test_the_executable_itself_is_no_obstacle(self, app: App) -> None:
        before = app.path.read_bytes()
        done = self.install(app, app.path, "-s", app.path.parent)
        assert (done.returncode, done.stdout) == (0, f"{app.path}\n")
        assert app.path.read_bytes() == before
        assert not app.path.is_symlink()


class TestUninstall:
    def test_everything_of_the_scie_goes(self, app: App) -> None:
        assert app.tool("uninstall") == "nothing is installed\n"
        app.run()
        removed = app.json("uninstall")["removed"]
        assert removed == [str(app.application_directory), str(app.interpreter_directory)]
        assert list((app.base / "apps").iterdir()) == list((app.base / "interpreters").iterdir()) == []
        assert app.run().stdout.startswith("started\n")

    def test_an_interpreter_that_another_application_has_stays(self, app: App, tmp_path: Path) -> None:
        other = make_app(tmp_path / "other", "baa")
        assert other.interpreter == app.interpreter
        app.run()
        other.run(CZSCIE_BASE=str(app.base))
        found = app.json("uninstall")
        assert found["removed"] == [str(app.application_directory)]
        assert found["kept"] == [
            {"path": str(app.interpreter_directory), "reason": "another application needs it"}
        ]
        assert other.json("uninstall", CZSCIE_BASE=str(app.base))["kept"] == []

    def test_a_permanent_installation_goes_with_its_executables(self, app: App, tmp_path: Path) -> None:
        other = make_app(tmp_path / "other", "baa")
        opt = tmp_path / "opt"
        app.tool("install", opt)
        other.run(opt, SCIE="install")
        (opt / "bin/mine").write_text("somebody else's")
        done = app.run(executable=opt / "bin/moo", SCIE="uninstall")
        assert done.returncode == 0
        # `other` belongs to whoever installed last.
        assert sorted(path.name for path in (opt / "bin").iterdir()) == ["baa", "mine", "other"]
        assert other.run(executable=opt / "bin/baa").returncode == 0
        (opt / "bin/mine").unlink()
        assert app.run(executable=opt / "bin/baa", SCIE="uninstall").returncode == 0
        assert not opt.exists()


class TestSplit:
    def test_each_part_is_a_zip_by_itself(self, app: App, tmp_path: Path) -> None:
        names = app.tool("split", tmp_path / "parts").split()
        assert names == ["launcher", "cpython.zip", "payload.zip", "lift.json"]
        parts = tmp_path / "parts"
        assert (parts / "launcher").read_bytes() == host_launcher().read_bytes()
        assert os.access(parts / "launcher", os.X_OK)
        assert json.loads((parts / "lift.json").read_bytes()) == app.json("inspect")
        for name, digest in (("cpython", app.interpreter), ("payload", app.application)):
            data = (parts / f"{name}.zip").read_bytes()
            assert data.startswith(b"PK\3\4")
            with zipfile.ZipFile(parts / f"{name}.zip") as archive:
                assert archive.comment == b""
                offsets = [entry.header_offset for entry in archive.infolist()]
            assert min(offsets) == 0
            assert all(data[offset : offset + 4] == b"PK\3\4" for offset in offsets)
            with (parts / f"{name}.zip").open("rb") as file:
                directory = read_directory(file, len(data))
                plan = read_entry(file, directory.entry(".czscie/plan"))
            assert hashlib.sha256(plan).hexdigest() == digest

    def test_a_dry_run_lists_the_files_and_writes_none(self, app: App, tmp_path: Path) -> None:
        names = ["launcher", "cpython.zip", "payload.zip", "lift.json"]
        for option in ("-n", "--dry-run"):
            assert app.tool("split", option, tmp_path / "parts").split() == names
        assert not (tmp_path / "parts").exists()

    def test_only_named_files_are_written(self, app: App, tmp_path: Path) -> None:
        parts = tmp_path / "parts"
        assert app.tool("split", parts, "--", "lift.json", "cpython").split() == ["cpython.zip", "lift.json"]
        assert app.tool("split", "-n", "--", "payload.zip", "launcher").split() == ["launcher", "payload.zip"]
        assert sorted(path.name for path in parts.iterdir()) == ["cpython.zip", "lift.json"]

    def test_a_name_that_is_unknown_is_an_error_and_nothing_is_written(
        self, app: App, tmp_path: Path
    ) -> None:
        done = app.run(tmp_path / "parts", "--", "cpython", "pypy", SCIE="split")
        assert done.returncode == 1
        assert f"{app.path} has no part 'pypy'\nhint: SCIE=split {app.path} -n lists the parts" in done.stderr
        assert not (tmp_path / "parts").exists()

    def test_without_a_directory_the_working_directory_is_taken(self, app: App, tmp_path: Path) -> None:
        subprocess.run(
            [app.path, "--", "lift.json"],
            env={"SCIE": "split"},
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
        assert json.loads((tmp_path / "lift.json").read_bytes()) == app.json("inspect")

    def test_nothing_that_is_there_is_written_over(self, app: App, tmp_path: Path) -> None:
        (tmp_path / "payload.zip").write_text("mine")
        done = app.run(tmp_path, SCIE="split")
        assert done.returncode == 1
        assert "cannot write payload.zip: already exists" in done.stderr
        assert (tmp_path / "payload.zip").read_text() == "mine"
        assert [path.name for path in tmp_path.iterdir()] == ["payload.zip"]

    @linux_only
    @pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
    @pytest.mark.parametrize("fault", ["error=ENOSPC", "signal=KILL"])
    def test_a_file_has_its_name_once_it_is_complete(self, app: App, tmp_path: Path, fault: str) -> None:
        def split(*command: str) -> int:
            environment = {"SCIE": "split", "PATH": os.environ["PATH"]}
            command = (*command, str(app.path), str(parts))
            return subprocess.run(command, env=environment, capture_output=True, check=False).returncode

        parts = tmp_path / "complete"
        assert split() == 0
        expected = {path.name: path.read_bytes() for path in parts.iterdir()}
        for number in range(1, 1000):
            parts = tmp_path / f"{number}"
            if split("strace", "-qq", "-o", "/dev/null", "-e", f"inject=write:{fault}:when={number}") == 0:
                break
            for path in parts.iterdir():
                if path.suffix == ".partial":
                    assert "KILL" in fault
                else:
                    assert path.read_bytes() == expected[path.name], f"{path.name} at write {number}"
        assert number > 1, "nothing was written"


@linux_only
class TestWarmStart:
    @pytest.fixture(autouse=True)
    def _strace(self) -> None:
        if shutil.which("strace") is None:
            pytest.skip("strace is not installed")

    def calls(self, executable: Path, environment: dict[str, str], tmp_path: Path) -> int:
        """System calls before the application's execve."""
        trace = tmp_path / "trace"
        subprocess.run(
            ["strace", "-o", trace, executable], env=environment | {"PATH": os.environ["PATH"]}, check=True
        )
        lines = trace.read_text().splitlines()
        return [index for index, line in enumerate(lines) if line.startswith("execve(")][1] - 1

    def test_a_start_from_a_home_takes_fifteen(self, app: App, tmp_path: Path) -> None:
        """As from /home/ann/.cache/czscie, its last execve included; one more directory takes one more."""
        with tempfile.TemporaryDirectory(dir="/tmp") as home:
            base = {"CZSCIE_BASE": f"{home}/.cache/czscie"}
            app.run(**base)
            assert self.calls(app.path, base, tmp_path) + 1 <= 15

    def test_a_start_pays_nothing_for_the_tools(self, app: App, tmp_path: Path) -> None:
        base = {"CZSCIE_BASE": str(app.base)}
        app.run()
        plain = self.calls(app.path, base, tmp_path)
        assert plain <= 25
        assert self.calls(app.path, base | {"SCIE": "/some/scie"}, tmp_path) == plain
        app.tool("install", tmp_path / "opt")
        assert self.calls(tmp_path / "opt/bin/moo", {}, tmp_path) <= plain
