from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.lift.interpreter import Host, Local, PythonBuildStandalone
from czscie.lift.manifest import read_manifest
from czscie.lift.pack import PackSettings
from czscie.lift.payload import Payload
from czscie.platforms import current_platform, find_platform

SMALLEST = """
[lift]
name = "app"

[[lift.interpreters]]
id = "host"
provider = "Host"

[lift.payload]
pex = "app.pex"
"""

LOCAL = """
[[lift.interpreters]]
id = "mine"
provider = "Local"
path = "python.tar.gz"

[lift.payload]
interpreter = "mine"
"""


def write(directory: Path, text: str) -> Path:
    manifest = directory / "lift.toml"
    manifest.write_text(text, encoding="utf-8")
    return manifest


def test_the_smallest_manifest_has_a_default_for_everything_else(tmp_path: Path) -> None:
    lift = read_manifest(write(tmp_path, SMALLEST))
    assert lift.platforms == (current_platform(),)
    assert lift.interpreters == (Host("host"),)
    assert lift.payload == Payload(tmp_path / "app.pex", None, None, None, None, None, None, "host")
    assert (lift.description, lift.base, lift.compression_level) == (None, None, None)
    assert lift.tools == "SCIE"
    assert (lift.load_dotenv, lift.windowed, lift.app_info) == (False, False, {})
    assert (lift.commands, lift.bindings, lift.files, lift.interpreter_groups) == ((), (), (), ())
    assert lift.pack == PackSettings(stdlib=True, packages="auto", files=(), source=True)
    assert lift.unsupported() == ()


def test_paths_start_at_the_manifests_directory_wherever_the_build_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    write(tmp_path / "below", SMALLEST.replace("[lift.payload]", LOCAL).replace("app.pex", "../dist/app.pex"))
    monkeypatch.chdir(tmp_path)
    lift = read_manifest(Path("below/lift.toml"))
    assert lift.path == Path("below/lift.toml")
    assert {each.id: each for each in lift.interpreters}["mine"] == Local(
        "mine", tmp_path / "below" / "python.tar.gz"
    )
    assert lift.payload is not None
    assert lift.payload.pex == tmp_path / "below" / ".." / "dist" / "app.pex"


@pytest.mark.parametrize("source", ["project", "script", "lock"])
def test_a_payload_can_be_made_of_a_path(tmp_path: Path, source: str) -> None:
    payload = read_manifest(write(tmp_path, SMALLEST.replace("pex", source, 1))).payload
    assert payload is not None
    assert getattr(payload, source) == tmp_path / "app.pex"
    assert (payload.pex, payload.requirements) == (None, None)


def test_a_payload_can_be_made_of_requirements(tmp_path: Path) -> None:
    requirements = """requirements = ["cowsay==6.1", "a[b]>=1; python_version > '3'"]"""
    payload = read_manifest(write(tmp_path, SMALLEST.replace('pex = "app.pex"', requirements))).payload
    assert payload is not None
    assert payload.requirements == ("cowsay==6.1", "a[b]>=1; python_version > '3'")


def test_what_is_packed_can_be_said(tmp_path: Path) -> None:
    pack = """
[lift.pack]
stdlib = false
packages = "all"
files = ["numpy", "moo/*.py", "a..b/..c", "stdlib/json/*"]
readers = false
source = false
"""
    assert read_manifest(write(tmp_path, SMALLEST + pack)).pack == PackSettings(
        stdlib=False,
        packages="all",
        files=("numpy", "moo/*.py", "a..b/..c", "stdlib/json/*"),
        readers=False,
        source=False,
    )


def test_parts_of_an_interpreter_can_be_kept(tmp_path: Path) -> None:
    manifest = write(tmp_path, SMALLEST.replace('"Host"', '"Host"\nkeep = ["tcltk", "all"]'))
    assert read_manifest(manifest).interpreters == (Host("host", ("tcltk", "all")),)


@pytest.mark.parametrize("entry_point", ["cowsay", "http.server", "py-spy", "app.cli:main", "app:Main.run"])
def test_an_entry_point_is_a_script_a_module_or_a_function(tmp_path: Path, entry_point: str) -> None:
    manifest = write(tmp_path, f'{SMALLEST}entry_point = "{entry_point}"\nglibc = "2.28"\n')
    payload = read_manifest(manifest).payload
    assert payload is not None
    assert (payload.entry_point, payload.glibc) == (entry_point, (2, 28))


@pytest.mark.parametrize(
    ("lines", "version", "flavor"),
    [
        ('version = "3.13"', "3.13", "install_only_stripped"),
        ('version = "3.15.0rc1"\nflavor = "pgo+lto-full"', "3.15.0rc1", "pgo+lto-full"),
        ('version = "3.13.9"\nflavor = "full"', "3.13.9", "full"),
        ('version = "3.13t"\nflavor = "install_only"', "3.13t", "install_only"),
        ('version = "3.13td"', "3.13td", "install_only_stripped"),
        ('version = "3.14"\nflavor = "freethreaded+noopt-full"', "3.14", "freethreaded+noopt-full"),
        ('version = "3.12"\nflavor = "lto+static-full"', "3.12", "lto+static-full"),
    ],
)
def test_versions_and_flavors_of_python_build_standalone(
    tmp_path: Path, lines: str, version: str, flavor: str
) -> None:
    manifest = write(tmp_path, SMALLEST.replace('"Host"', f'"PythonBuildStandalone"\n{lines}'))
    assert read_manifest(manifest).interpreters == (
        PythonBuildStandalone("host", version, None, flavor, None, (), False),
    )


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [('"https://a"', ("https://a",)), ('["https://a", "file:///b"]', ("https://a", "file:///b"))],
)
def test_there_may_be_one_mirror_or_several(tmp_path: Path, base_url: str, expected: tuple[str, ...]) -> None:
    lines = f'"PythonBuildStandalone"\nversion = "3.13"\nbase_url = {base_url}'
    [interpreter] = read_manifest(write(tmp_path, SMALLEST.replace('"Host"', lines))).interpreters
    assert isinstance(interpreter, PythonBuildStandalone)
    assert interpreter.base_url == expected


def test_a_platform_that_is_named_twice_is_built_once(tmp_path: Path) -> None:
    platforms = """
platforms = [
    "windows-x86_64", "current", "linux-arm64", { platform = "linux-aarch64", libc = "glibc" },
    "musl-linux-x86_64", { platform = "linux-x86_64", libc = "musl" }, "windows-amd64",
]
"""
    lift = read_manifest(write(tmp_path, SMALLEST.replace('name = "app"', f'name = "app"{platforms}')))
    names = ("windows-x86_64", "current", "linux-aarch64", "musl-linux-x86_64")
    assert lift.platforms == tuple(dict.fromkeys(map(find_platform, names)))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\\\b", "c:", "a.", "a ", "a\\n", "\\u0000"])
def test_a_name_that_is_not_a_file_name_everywhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CzscieError, match="1 problem"):
        read_manifest(write(tmp_path, SMALLEST.replace('"app"', f'"{name}"')))


def test_an_editor_of_windows_may_have_written_the_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / "lift.toml"
    manifest.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())
    assert read_manifest(manifest).name == "app"


def test_a_directory_is_not_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(CzscieError) as raised:
        read_manifest(tmp_path)
    assert raised.value.what == f"{tmp_path} is a directory, not a manifest"
    assert raised.value.hint == f"name one in it, such as {tmp_path / 'lift.toml'}"


def test_the_message_names_the_file_as_the_user_did(tmp_path: Path) -> None:
    manifest = write(tmp_path, "[lift]")
    with pytest.raises(CzscieError) as raised:
        read_manifest(manifest)
    assert raised.value.what == f"{manifest}: 2 problems"


@pytest.mark.parametrize("tools", ["", "MY_TOOL"])
def test_the_variable_of_the_tools_can_be_renamed_and_switched_off(tmp_path: Path, tools: str) -> None:
    renamed = SMALLEST.replace('name = "app"', f'name = "app"\ntools = "{tools}"')
    assert read_manifest(write(tmp_path, renamed)).tools == tools


def test_names_that_are_none_on_windows_are_told_where_windows_is_a_platform(tmp_path: Path) -> None:
    text = """
[lift]
name = "con"
platforms = ["PLATFORM"]

[[lift.interpreters]]
id = "nul.x"
provider = "Host"

[[lift.files]]
name = "data/aux.txt"

[[lift.files]]
name = "data/file."

[[lift.files]]
name = "what?"

[[lift.commands]]
exe = "/bin/true"
"""
    expected = ["lift.name", "lift.interpreters[0].id", *(f"lift.files[{index}].name" for index in range(3))]
    for platform, keys in (("linux-x86_64", []), ("windows-x86_64", expected)):
        lift = read_manifest(write(tmp_path, text.replace("PLATFORM", platform)))
        assert [problem.key for problem in lift.unsupported()] == keys


def test_scripts_and_sources_of_a_payload(tmp_path: Path) -> None:
    text = (
        'requirements = ["moo"]\nscripts = ["moo", "cow"]\ndefault = "cow"\nsources = ["main.py", "app/"]\n'
    )
    payload = read_manifest(write(tmp_path, SMALLEST.replace('pex = "app.pex"', text))).payload
    assert payload is not None
    assert (payload.scripts, payload.default) == (("moo", "cow"), "cow")
    assert payload.sources == (tmp_path / "main.py", tmp_path / "app")
    assert payload.is_default_command


def test_without_a_default_script_a_command_may_be_the_default(tmp_path: Path) -> None:
    text = 'pex = "app.pex"\nscripts = "*"\n[[lift.commands]]\nexe = "/bin/true"\n'
    lift = read_manifest(write(tmp_path, SMALLEST.replace('pex = "app.pex"', text)))
    assert lift.payload is not None and not lift.payload.is_default_command
    one_program = text.replace('scripts = "*"', "")
    with pytest.raises(CzscieError, match=r"commands\[0\]\.name"):
        read_manifest(write(tmp_path, SMALLEST.replace('pex = "app.pex"', one_program)))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('pex = "app.pex"\nsources = ["main.py"]', "sources"),
        ('requirements = ["a"]\nsources = ["x/main.py", "main.py"]', "sources[1]"),
        ('sources = ["main.py", "main.py"]', "sources[1]"),
        ('pex = "app.pex"\nscripts = []', "scripts"),
        ('pex = "app.pex"\nscripts = "moo"', "scripts"),
        ('pex = "app.pex"\nscripts = ["a", "a"]', "scripts[1]"),
        ('pex = "app.pex"\nscripts = ["../a"]', "scripts[0]"),
        ('pex = "app.pex"\nscripts = ["a"]\ndefault = "b"', "default"),
        ('pex = "app.pex"\ndefault = "b"', "default"),
        ('pex = "app.pex"\nscripts = "*"\nentry_point = "a"', "entry_point"),
    ],
)
def test_what_scripts_and_sources_cannot_be(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(CzscieError) as caught:
        read_manifest(write(tmp_path, SMALLEST.replace('pex = "app.pex"', text)))
    assert f"lift.payload.{problem}:" in str(caught.value)
