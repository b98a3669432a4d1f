from __future__ import annotations

import marshal
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from czex.factories import wheel
from czscie.container.content import Data, File
from czscie.lift.pack import PackSettings
from czscie.pack.pack import NAME, REST
from czscie.pack.payload import Packing
from czscie.platforms import find_platform
from czscie.wheel.venv_layout import Installed, Origin, Placement
from czscie.wheel.wheel import Wheel
from pack.factories import this_python

SITE = "lib/python3.13/site-packages"

PURE = {"pure/__init__.py": b"", "pure/py.typed": b"", "pure/core.py": b"VALUE = 1\n", "pure/core.pyi": b""}
DATA = {"data/__init__.py": b"", "data/words.txt": b"words"}
LOOKS = {"looks.py": b"print(__file__)\n"}


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))


def placements(name: str, members: Mapping[str, bytes]) -> list[Placement]:
    members = {**members, f"{name}-1.dist-info/METADATA": b""}
    return placed(wheel(f"{name}-1-py3-none-any.whl"), members)


def placed(origin: Origin, members: Mapping[str, bytes]) -> list[Placement]:
    return [Placement(f"{SITE}/{path}", origin, File(path, Data(text))) for path, text in members.items()]


ALL = [*placements("pure", PURE), *placements("data", DATA), *placements("looks", LOOKS)]


def pack(
    settings: PackSettings, found: list[Placement] = ALL, application: Collection[str] = ()
) -> Installed:
    packing = Packing(settings, this_python(), find_platform("linux-x86_64"), xz=True)
    return packing.pack(found, SITE, application)


def kept(installed: Installed) -> set[str]:
    paths = {placement.destination.removeprefix(f"{SITE}/") for placement in installed.placements}
    return {path for path in paths if ".dist-info" not in path}


def lines(installed: Installed) -> dict[str, bytes]:
    (file,) = installed.packs
    assert file.path == f"{SITE}/{NAME}"
    data = file.content.read()
    found: dict[str, bytes] = marshal.loads(data[16 : 16 + int.from_bytes(data[12:16], "little")])[1]
    return found


def test_auto_packs_the_modules_that_nobody_looks_at() -> None:
    installed = pack(PackSettings())
    assert kept(installed) == {"pure/py.typed", "pure/core.pyi", "data/words.txt", *LOOKS}
    assert installed.notes == (
        "packed: 4 modules of the payload, 3 of them instead of files",
        "1 of 1 modules of looks-1-py3-none-any.whl stay files: looks.py uses __file__",
    )
    assert installed.reasons == {"looks": "looks.py uses __file__"}


def test_what_the_manifest_names_has_a_reason_too() -> None:
    installed = pack(PackSettings(files=("pure",)))
    assert installed.reasons["pure"].startswith("lift.pack.files names them")


def test_the_applications_own_modules_are_files_and_their_bytecode_is_in_the_pack() -> None:
    sources = {"main.py": b"", "mine/__init__.py": b"", "mine/tests/test_a.py": b""}
    installed = pack(PackSettings(), [*ALL, *placed("sources", sources)], {"pure"})
    assert kept(installed) == {"pure/py.typed", "pure/core.pyi", "data/words.txt", *LOOKS, *PURE, *sources}
    assert installed.notes == (
        "packed: 7 modules of the payload, 1 of them instead of files",
        "1 of 1 modules of looks-1-py3-none-any.whl stay files: looks.py uses __file__",
        "2 of 2 modules of pure-1-py3-none-any.whl stay files: they are the application's own",
        "3 of 3 modules of the PEX's own files stay files: they are the application's own",
    )
    found = lines(installed)
    assert [len(line.split()) for line in found["pure/"].splitlines()[1:]] == [3, 3]
    assert found.keys() == {"", "pure/", "data/", "mine/", "mine/tests/"}


def test_the_applications_own_modules_are_packed_where_all_are() -> None:
    installed = pack(PackSettings(packages="all"), [*ALL, *placed("sources", {"main.py": b""})], {"pure"})
    assert kept(installed) == {"pure/py.typed", "pure/core.pyi", "data/words.txt"}


def test_modules_outside_of_packages_stay_files() -> None:
    migrations = {
        "app/migrations/env.py": b"",
        "app/migrations/versions/a1.py": b"",
        "app/0001_first.py": b"",
    }
    members = {"app/__init__.py": b"", **migrations, "space/app/__init__.py": b"", "single.py": b""}
    installed = pack(PackSettings(), placements("app", members))
    assert kept(installed) == set(migrations)
    (_, reason) = installed.notes
    assert reason == "3 of 6 modules of app-1-py3-none-any.whl stay files: app/0001_first.py is in no package"


def test_templates_of_modules_keep_modules_files() -> None:
    members = {"app/__init__.py": b"", "app/env/__init__.py": b"", "app/env/script.py.mako": b""}
    installed = pack(PackSettings(), placements("app", members))
    assert kept(installed) == set(members)
    (_, reason) = installed.notes
    assert reason.endswith("stay files: app/env/script.py.mako is a template of modules")


def test_the_bytecode_of_all_is_packed_and_the_source_of_those_without_files() -> None:
    found = lines(pack(PackSettings()))
    assert found.keys() == {"", "pure/", "data/"}
    assert [len(line.split()) for line in found["pure/"].splitlines()[1:]] == [7, 7]
    assert [len(line.split()) for line in found["data/"].splitlines()[1:]] == [7]
    assert [len(line.split()) for line in found[""].splitlines()[1:]] == [3]
    assert found[""].startswith(b"\nlooks\t")


def test_the_tests_of_a_package_that_stays_are_not_compiled() -> None:
    module = b"print(__file__)\n"
    looks = {"looks/__init__.py": module, "looks/sub/tests/test_a.py": b"", "looks/tests.py": b""}
    found = lines(pack(PackSettings(), placements("looks", looks)))
    assert b"\ntests\t" in found["looks/"]
    assert "looks/sub/tests/" not in found
    pure = {**PURE, "pure/tests/__init__.py": b""}
    assert "pure/tests/" in lines(pack(PackSettings(), placements("pure", pure))), "they are nowhere else"


def test_modules_that_numba_caches_beside_are_files() -> None:
    members = {"fast/__init__.py": b"", "fast/core.py": b"import numba\nf = numba.njit(g, cache=True)\n"}
    installed = pack(PackSettings(), placements("fast", members))
    assert kept(installed) == {"fast/core.py"}
    assert installed.notes[1] == (
        "1 of 2 modules of fast-1-py3-none-any.whl stay files: numba caches beside fast/core.py"
    )


def test_modules_in_a_directory_that_a_pth_file_names_are_files() -> None:
    vendored = {"vendored/six.py": b"", "vendored/lib/__init__.py": b""}
    members = {"app/__init__.py": b"", **vendored, "app.pth": b"./vendored\n"}
    installed = pack(PackSettings(), placements("app", members))
    assert kept(installed) == {*vendored, "app.pth"}
    assert lines(installed).keys() == {"", "app/", "vendored/", "vendored/lib/"}
    assert installed.notes[1].endswith(
        "2 of 3 modules of app-1-py3-none-any.whl stay files: app.pth names ./vendored"
    )


def test_tests_that_look_at_files_keep_nothing_but_tests() -> None:
    tests = {
        "app/tests/__init__.py": b"",
        "app/tests/test_a.py": b"print(__file__)\n",
        "app/sub/test/b.py": b"",
    }
    members = {"app/__init__.py": b"", "app/sub/__init__.py": b"", **tests}
    installed = pack(PackSettings(), placements("app", members))
    assert kept(installed) == {*tests}
    assert lines(installed).keys() == {"", "app/", "app/sub/"}


def test_what_somebody_has_judged_does_not_count() -> None:
    line = b"    os.path.join(os.path.dirname(__file__), 'data')\n"
    members = {"boto3/session.py": b"import os\nif os:\n" + line, "boto3/__init__.py": b""}
    assert kept(pack(PackSettings(), placements("boto3", members))) == set()
    assert kept(pack(PackSettings(), placements("boto4", members))) == set(members)
    moved = {"boto3/other.py": members["boto3/session.py"], "boto3/__init__.py": b""}
    assert kept(pack(PackSettings(), placements("boto3", moved))) == set(moved)


def test_all_packs_every_module_and_no_data() -> None:
    assert kept(pack(PackSettings(packages="all"))) == {"pure/py.typed", "pure/core.pyi", "data/words.txt"}


def test_what_is_named_stays_a_file() -> None:
    for pattern, stays in {
        "pure": {"pure/__init__.py", "pure/core.py"},
        "pure/c*": {"pure/core.py"},
        "*/__init__.py": {"pure/__init__.py"},
        "looks": set(),
        "*": {"pure/__init__.py", "pure/core.py"},
        "stdlib/*": set(),
    }.items():
        installed = pack(PackSettings(files=(pattern,)))
        assert kept(installed) & {"pure/__init__.py", "pure/core.py"} == stays


def test_sources_are_left_out_if_told() -> None:
    found = lines(pack(PackSettings(source=False)))
    assert [len(line.split()) for line in found["pure/"].splitlines()[1:]] == [3, 3]
    assert "pure/core.py" not in kept(pack(PackSettings(source=False)))


def test_a_module_that_does_not_compile_stays_a_file() -> None:
    installed = pack(
        PackSettings(), placements("bad", {"bad/__init__.py": b"", "bad/two.py": b"print 'two'\n"})
    )
    assert kept(installed) == {"bad/two.py"}


def test_an_extension_module_stays_with_the_source_that_it_hides() -> None:
    members = {"fast/__init__.py": b"", "fast/core.so": b"", "fast/core.py": b"", "fast/more.py": b""}
    installed = pack(PackSettings(), placements("fast", members))
    assert kept(installed) == {"fast/core.so", "fast/core.py"}
    assert b"\ncore\t" not in lines(installed)["fast/"]
    assert b"\nmore\t" in lines(installed)["fast/"]


def test_what_is_not_in_site_packages_stays_where_it_is() -> None:
    origin = wheel("tool-1-py3-none-any.whl")
    script = Placement("bin/tool.py", origin, File("tool.py", Data(b"x = 1")), kind="script")
    header = Placement("include/tool.py", origin, File("tool.py", Data(b"x = 1")))
    installed = pack(PackSettings(), [script, header])
    assert installed.placements == (script, header)
    assert installed.packs == () and installed.notes == ()


def test_the_same_payload_gives_the_same_pack_from_the_cache_and_without() -> None:
    first = pack(PackSettings())
    again = pack(PackSettings())
    assert [file.content.read() for file in again.packs] == [file.content.read() for file in first.packs]


def test_what_dependencies_have_in_a_pack_depends_on_nothing_of_the_application() -> None:
    packing = Packing(PackSettings(), this_python(), find_platform("linux-x86_64"), xz=True)
    dependencies = [*placements("pure", PURE), *placements("looks", LOOKS)]
    packs = []
    for text in (b"VALUE = 1\n", b"VALUE = 22\n"):
        application = placements("mine", {"mine/__init__.py": text})
        own = [placement.origin for placement in application if isinstance(placement.origin, Wheel)]
        installed = packing.pack([*dependencies, *application], SITE, (), own)
        assert kept(installed) == {"pure/py.typed", "pure/core.pyi", *LOOKS}
        packs.append((installed.packs, installed.dependency_packs))
    assert [file.path for file in packs[0][0]] == [f"{SITE}/{NAME}"]
    assert [file.path for file in packs[0][1]] == [f"{SITE}/{REST}"]
    assert packs[0][0] != packs[1][0]
    assert packs[0][1] == packs[1][1]


def test_without_dependencies_there_is_one_pack() -> None:
    packing = Packing(PackSettings(), this_python(), find_platform("linux-x86_64"), xz=True)
    application = placements("pure", PURE)
    own = [placement.origin for placement in application if isinstance(placement.origin, Wheel)]
    installed = packing.pack(application, SITE, (), own)
    assert [file.path for file in installed.packs] == [f"{SITE}/{NAME}"]
    assert installed.dependency_packs == ()


def test_a_module_that_is_too_much_stays_a_file_and_is_told() -> None:
    strings = "import re\na0 = 'ab'\n" + "".join(f"a{n} = (a{n - 1} + a{n - 1})[:2]\n" for n in range(1, 13))
    sources = {
        "nested.py": b"-" * 100_000 + b"1\n",
        "strings.py": f"{strings}{'re.compile(a12);' * 300}\n".encode(),
        "__init__.py": b"",
    }
    installed = pack(
        PackSettings(), placements("evil", {f"evil/{name}": text for name, text in sources.items()})
    )
    assert kept(installed) == {"evil/nested.py"}
    assert installed.notes[-2:] == (
        "evil/nested.py is not compiled: it takes too much memory or is nested too deeply",
        "evil/strings.py compiles some regular expressions at run time: they exceed the limit of steps",
    )
