from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from czscie.container.manifest import LIBC, Command
from czscie.libc.library import packages_of
from czscie.libc.packages import PackageTable, builtin_table
from czscie.lock.inventory.comparison import Comparison, OwnLauncher
from czscie.lock.lock import (
    Hashes,
    Lock,
    LockedFile,
    LockedInterpreter,
    LockedLaunchers,
    LockedLibc,
    LockedPackage,
    LockedPayload,
    LockedWheel,
    PackageTools,
    RequestedLift,
    RequestedPayload,
)
from czscie.platforms import current_platform, find_platform
from czscie.sbom import bill
from czscie.sbom.component import PAYLOAD, SOURCE, TREE, WHEEL, Component
from czscie.sbom.document import Application, BillPart, render
from czscie.sbom.read import read_bill
from czscie.scie.inspect import read_sbom, read_scie
from czscie.verify.lock import compare_with_lock
from scie.factories import Tree, part, scie

HERE = current_platform().name
LAUNCHER = b"launcher"
COW, CALF = "cow-1.0-py3-none-any.whl", "calf-2.0-py3-none-any.whl"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


OWN = OwnLauncher(digest("source"), hashlib.sha256(LAUNCHER).hexdigest())


def wheel(name: str, platforms: tuple[str, ...] = (), content: str = "") -> LockedPackage:
    return LockedPackage(
        name=name.partition("-")[0],
        version=name.split("-")[1],
        wheels=(LockedWheel(name=name, hashes=Hashes(sha256=digest(content or name))),),
        tool=PackageTools.of(platforms=platforms),
    )


LOCK = Lock(
    created_by="czscie",
    launcher=LockedLaunchers(source=OWN.source),
    manifest=RequestedLift(payload=RequestedPayload(requirements=("cow",))),
    interpreters=(
        LockedInterpreter(
            id="cpython", platform=HERE, provider="Moo", version="3.13.9", sha256=digest("cpython")
        ),
        LockedInterpreter(
            id="cpython", platform="other", provider="Moo", version="3.13.9", sha256=digest("x")
        ),
    ),
    files=(LockedFile(id="bell", sha256=digest("bell")),),
    payload=LockedPayload(platforms=(HERE, "other")),
    packages=(wheel(COW), wheel(CALF), wheel("bull-1.0-py3-none-any.whl", platforms=("other",))),
)


def listed(name: str, content: str = "") -> Component:
    sha256 = digest(content or name)
    return Component(reference=name.partition("-")[0], name=name, sha256=sha256, properties={WHEEL: name})


def components(*wheels: Component) -> list[BillPart]:
    cpython = Component(reference="cpython", name="cpython", sha256=digest("cpython"))
    launcher = Component(
        reference="launcher", name="launcher", sha256=OWN.sha256, properties={SOURCE: OWN.source}
    )
    bell = Component(reference="bell", name="bell", kind="file", properties={TREE: digest("bell")})
    return [
        BillPart("cpython", (cpython,), ("cpython",)),
        BillPart(".files", (bell,), ()),
        BillPart("payload", wheels or (listed(COW), listed(CALF)), ()),
        BillPart("launcher", (launcher,), ()),
    ]


def compare(
    directory: Path,
    lock: Lock = LOCK,
    parts: list[BillPart] | None = None,
    wheels: tuple[str, ...] = (COW, CALF),
    own: OwnLauncher = OWN,
    properties: Mapping[str, str] | None = None,
    libc: bool = False,
) -> Comparison:
    """Compares with `lock` an executable of these `wheels` that says it is made of `parts`."""
    application = Application("moo", None, None, HERE, dict(properties or {}))
    (directory / "launcher").write_bytes(LAUNCHER)
    made = [
        part(directory, "cpython", Tree({"a": b"a"})),
        # Large enough to be entries of their own.
        part(directory, "payload", Tree({f".deps/{name}/large": bytes(1 << 20) for name in wheels}), "app"),
    ]
    if libc:
        made.insert(1, part(directory, LIBC, Tree({"libc.so": b""}), "libc"))
    bill = render(application, parts or components())
    path = directory / "moo"
    scie(path, directory / "launcher", made, {"": Command(exe="{cpython}/a")}, sbom=bill)
    return compare_with_lock(read_scie(path), read_bill(read_sbom(path), "moo"), lock, own)


def test_an_executable_that_is_as_locked_agrees_in_everything(tmp_path: Path) -> None:
    found = compare(tmp_path)
    assert (found.differences, found.unknown) == ([], [])
    assert found.agreed == len(["cpython", "bell", COW, CALF, "the launcher's source", "the launcher"])


def test_every_difference_is_told_at_once(tmp_path: Path) -> None:
    lock = msgspec.structs.replace(
        LOCK,
        launcher=LockedLaunchers(source=digest("other source")),
        interpreters=(
            msgspec.structs.replace(LOCK.interpreters[0], sha256=digest("other cpython")),
            msgspec.structs.replace(LOCK.interpreters[0], id="second"),
        ),
        files=(LockedFile(id="whistle", sha256=digest("whistle")),),
        packages=(wheel(COW, content="other cow"), wheel("hay-3.0-py3-none-any.whl")),
    )
    found = compare(tmp_path, lock)
    assert sorted(line.partition(": ")[0] for line in found.differences) == [
        "hay 3.0 is locked, but not in the file",
        "the file bell is not locked",
        "the file whistle is locked, but not in the file",
        "the interpreter cpython differs from the lock",
        "the interpreter second is locked, but not in the file",
        "the launcher's source differs from the lock",
        f"the wheel {CALF} is not locked",
        f"the wheel {COW} differs from the lock",
    ]


def test_the_bill_of_materials_has_to_list_what_is_there(tmp_path: Path) -> None:
    found = compare(tmp_path, parts=components(listed(COW), listed("bull-1.0-py3-none-any.whl")))
    assert sorted(found.differences) == [
        "the bill of materials does not list the wheel calf-2.0-py3-none-any.whl",
        "the bill of materials lists, but the file lacks, the wheel bull-1.0-py3-none-any.whl",
    ]


def test_a_launcher_that_the_locked_source_does_not_give_is_told(tmp_path: Path) -> None:
    found = compare(tmp_path, own=OwnLauncher(OWN.source, digest("other launcher")))
    assert [line.partition(":")[0] for line in found.differences] == ["the launcher differs from the lock"]


@pytest.mark.parametrize("own", [OwnLauncher(OWN.source, None), OwnLauncher(digest("newer"), OWN.sha256)])
def test_what_cannot_be_told_is_said_to_be_unknown(tmp_path: Path, own: OwnLauncher) -> None:
    found = compare(tmp_path, own=own)
    assert (found.differences, len(found.unknown)) == ([], 1)
    assert found.unknown[0].startswith("the launcher: ")


def test_a_wheel_whose_digest_the_file_does_not_tell_is_unknown(tmp_path: Path) -> None:
    without = msgspec.structs.replace(listed(COW), sha256=None)
    found = compare(tmp_path, parts=components(without, listed(CALF)))
    assert found.unknown == [f"the wheel {COW}: the file does not record it"]


CERTIFI = "certifi-1.0-py3-none-any.whl"
ADDING = msgspec.structs.replace(LOCK, provisions=(wheel(CERTIFI),))
PEX = msgspec.structs.replace(
    ADDING,
    manifest=RequestedLift(payload=RequestedPayload(pex="moo.pex")),
    payload=LockedPayload(sha256=digest("pex")),
    packages=(),
)


def test_what_is_added_for_bare_hosts_is_compared_as_packages_are(tmp_path: Path) -> None:
    bills = (listed(COW), listed(CALF), listed(CERTIFI))
    assert compare(tmp_path, ADDING, components(*bills), (COW, CALF, CERTIFI)).differences == []
    other = (listed(COW), listed(CALF), listed(CERTIFI, "other certifi"))
    found = compare(tmp_path, ADDING, components(*other), (COW, CALF, CERTIFI))
    assert [line.partition(":")[0] for line in found.differences] == [
        f"the wheel {CERTIFI} differs from the lock"
    ]
    assert compare(tmp_path, ADDING).differences == ["certifi 1.0 is locked, but not in the file"]


def test_a_pex_that_has_certificates_of_its_own_is_given_no_others(tmp_path: Path) -> None:
    own = "certifi-0.9-py3-none-any.whl"
    said = {PAYLOAD: digest("pex")}
    found = compare(tmp_path, PEX, components(listed(own)), (own,), properties=said)
    assert found.differences == []
    found = compare(tmp_path, PEX, components(listed(COW)), (COW,), properties=said)
    assert found.differences == ["certifi 1.0 is locked, but not in the file"]
    found = compare(tmp_path, PEX, components(listed(CERTIFI, "other")), (CERTIFI,), properties=said)
    assert [line.partition(":")[0] for line in found.differences] == [
        f"the wheel {CERTIFI} differs from the lock"
    ]


def test_a_pex_is_pinned_as_a_whole(tmp_path: Path) -> None:
    lock = msgspec.structs.replace(
        LOCK,
        manifest=RequestedLift(payload=RequestedPayload(pex="moo.pex")),
        payload=LockedPayload(sha256=digest("pex")),
        packages=(),
    )
    assert compare(tmp_path, lock, properties={PAYLOAD: digest("pex")}).differences == []
    found = compare(tmp_path, lock, properties={PAYLOAD: digest("other")})
    assert [line.partition(":")[0] for line in found.differences] == [
        "the payload moo.pex differs from the lock"
    ]


TABLE = PackageTable.builtin()
LIBRARY = bill.libc(TABLE, packages_of(TABLE, find_platform(HERE), ()))
WITH_LIBC = msgspec.structs.replace(LOCK, libc=LockedLibc(table=hashlib.sha256(builtin_table()).hexdigest()))


def with_libc(**changed: str) -> list[BillPart]:
    """Parts with a C library, of whose packages the last is `changed`."""
    *others, last = LIBRARY.components
    return [*components(), BillPart(LIBC, (*others, msgspec.structs.replace(last, **changed)), ())]


def test_the_packages_of_a_c_library_are_those_of_the_locked_table(tmp_path: Path) -> None:
    found = compare(tmp_path, WITH_LIBC, with_libc(), libc=True)
    assert (found.differences, found.unknown) == ([], [])
    assert found.agreed == compare(tmp_path).agreed + len(LIBRARY.components)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sha256": digest("other")}, "{} differs from the lock: SHA-256 "),
        ({"version": "0.1"}, "{} is 0.1, locked "),
        ({"name": "dietlibc"}, "the C library's package dietlibc is not locked"),
    ],
)
def test_another_package_of_a_c_library_is_told(tmp_path: Path, changed: dict[str, str], told: str) -> None:
    found = compare(tmp_path, WITH_LIBC, with_libc(**changed), libc=True)
    [difference] = found.differences
    assert difference.startswith(told.format(f"the C library's package {LIBRARY.components[-1].name}"))


def test_a_c_library_that_the_bill_of_materials_does_not_list_is_told(tmp_path: Path) -> None:
    found = compare(tmp_path, WITH_LIBC, libc=True)
    assert found.differences == ["the bill of materials does not list the C library"]


def test_a_table_that_czscie_does_not_have_is_unknown(tmp_path: Path) -> None:
    lock = msgspec.structs.replace(LOCK, libc=LockedLibc(table=digest("another table")))
    found = compare(tmp_path, lock, with_libc(), libc=True)
    assert found.differences == []
    assert [line.partition(":")[0] for line in found.unknown] == ["the C library"]


def test_a_c_library_on_one_side_alone_is_a_difference(tmp_path: Path) -> None:
    assert compare(tmp_path, LOCK, with_libc(), libc=True).differences == ["the C library is not locked"]
    assert compare(tmp_path, WITH_LIBC).differences == ["the C library is locked, but not in the file"]
