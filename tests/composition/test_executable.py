from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from composition.factories import BIG, COW, LIBRARY, bill, executable, interpreter, payload
from czscie.composition.composition import Composition, Fact, Licensed
from czscie.composition.executable import executable_composition
from czscie.composition.piece import Piece
from czscie.composition.reasons import NOT_PACKED, NOT_RECORDED
from czscie.errors import CzscieError
from czscie.scie.inspect import read_scie
from czscie.signature import payload_end
from scie.factories import Tree, part


@pytest.fixture
def moo(tmp_path: Path) -> Composition:
    return executable_composition(executable(tmp_path / "moo"))


def find(composition: Composition, *keys: str) -> Piece:
    piece = composition.whole
    for key in keys:
        [piece] = [part for part in piece.parts if part.key == key]
    return piece


def check_sums(piece: Piece) -> None:
    """Every piece is the sum of its parts."""
    assert piece.packed >= 0 and piece.installed >= 0
    if piece.parts:
        assert piece.packed == sum(part.packed for part in piece.parts)
        assert piece.installed == sum(part.installed for part in piece.parts)
    for each in piece.parts:
        check_sums(each)


@pytest.mark.parametrize("in_two", [False, True])
@pytest.mark.parametrize("platform", ["linux-x86_64", "macos-aarch64", "windows-x86_64"])
def test_the_pieces_add_up_to_the_file_and_to_what_is_installed(
    tmp_path: Path, platform: str, in_two: bool
) -> None:
    parts = [interpreter(tmp_path), payload(tmp_path, in_two=in_two)]
    path = executable(tmp_path / "moo", parts, platform=platform)
    composition = executable_composition(path)
    check_sums(composition.whole)
    contents = read_scie(path)
    assert composition.whole.packed == path.stat().st_size
    assert composition.whole.installed == sum(part.unpacked for part in contents.parts)
    assert composition.files == sum(len(part.plan.files) for part in contents.parts)


def test_a_signature_is_a_piece(tmp_path: Path) -> None:
    path = executable(tmp_path / "moo", platform="macos-aarch64")
    with path.open("rb") as file:
        signed = path.stat().st_size - payload_end(file, path.stat().st_size)
    assert find(executable_composition(path), "container", "Signature").packed == signed > 0


def test_the_pieces_are_those_of_a_file(moo: Composition) -> None:
    assert {(piece.key, piece.name, piece.detail, piece.kind) for piece in moo.whole.parts} == {
        ("launcher", "Launcher", "0.0", "launcher"),
        ("interpreter:cpython", "Interpreter", "the part cpython", "interpreter"),
        ("library:cpython", "Standard library", "", "library"),
        ("wheel:cow", "Cow", "1.0", "wheel"),
        ("wheel:herd", "herd", "2.0", "wheel"),
        ("sources", "Program", "files of the program itself", "own"),
        ("environment", "Environment", "start module, scripts, import archive", "extra"),
        ("container", "Container", "zip records, plans, manifest", "container"),
    }
    assert find(moo, "launcher").packed == 800
    assert {piece.key for piece in find(moo, "container").parts} == {
        *("Zip records", "Plans", "Manifest", "Bill of materials", "Signature", "Not accounted for"),
        "For Python and pex",
    }
    assert find(moo, "container", "Not accounted for").packed == 0


def test_a_module_has_its_file_its_bytecode_and_its_source(moo: Composition) -> None:
    looks = find(moo, "wheel:cow", "cow", "looks.py")
    code = len(b"code of " + b"cow/looks.py" * 5)
    assert looks.installed == code + len(COW["cow/looks.py"])
    assert (looks.form, looks.why) == ("module", "cow/looks.py uses __file__")
    says = find(moo, "wheel:cow", "cow", "says.py")
    assert (says.form, says.why) == ("archive", "")
    assert len(b"code of " + b"cow/says.py" * 5) < says.installed < len(COW["cow/says.py"])
    empty = find(moo, "wheel:cow", "cow", "__init__.py")
    assert (empty.form, empty.installed) == ("archive", len(b"code of " + b"cow/__init__.py" * 5))


def test_data_is_a_file_and_what_is_not_installed_is_told(moo: Composition) -> None:
    text = find(moo, "wheel:cow", "cow", "cow.txt")
    assert (text.form, text.installed, text.why) == ("file", len(COW["cow/cow.txt"]), "")
    record = find(moo, "wheel:cow", "cow.dist-info", "RECORD")
    assert (record.name, record.form, record.installed) == ("RECORD", "kept", 0)
    big = find(moo, "wheel:herd", "herd", "big.so")
    assert big.installed == len(BIG) <= big.packed


def test_why_modules_of_the_library_are_files(moo: Composition) -> None:
    os = find(moo, "library:cpython", "os.py")
    assert os.installed == len(LIBRARY["os.py"]) + len(b"code of " + b"os.py" * 9)
    assert (os.form, os.why) == ("module", "CPython has it frozen, and tracebacks read the file")
    assert find(moo, "library:cpython", "json", "decoder.py").form == "archive"
    archive = find(moo, "library:cpython", "Import archive")
    assert {piece.key for piece in archive.parts} == {"Index", "Regular expressions"}


def test_a_reason_that_is_not_recorded_is_told(tmp_path: Path) -> None:
    path = executable(tmp_path / "moo", sbom=bill({"bom-ref": "payload/herd", "name": "herd"}))
    looks = find(executable_composition(path), "wheel:cow", "cow", "looks.py")
    assert looks.why == NOT_RECORDED


def test_without_an_import_archive_nothing_is_packed(tmp_path: Path) -> None:
    plain = part(tmp_path, "cpython", Tree(files={"lib/python3.13/os.py": b"# os\n"}))
    path = executable(tmp_path / "moo", [plain, payload(tmp_path, pack=b"no pack")])
    composition = executable_composition(path)
    assert find(composition, "library:cpython", "os.py").why == NOT_PACKED
    assert find(composition, "wheel:cow", "cow", "looks.py").why == NOT_PACKED
    assert find(composition, "sources", "main.py").why == NOT_PACKED
    check_sums(composition.whole)


def test_a_pack_of_someone_else_is_a_file_like_others(tmp_path: Path) -> None:
    pack = b"czpack1\n" + bytes(4) + (1 << 31).to_bytes(4, "little")
    path = executable(tmp_path / "moo", [interpreter(tmp_path), payload(tmp_path, pack=pack)])
    composition = executable_composition(path)
    check_sums(composition.whole)
    assert composition.whole.packed == path.stat().st_size


def test_what_the_bill_and_the_manifest_say(moo: Composition) -> None:
    assert (moo.name, moo.form) == ("moo", "Executable for linux-x86_64")
    assert moo.needs[:2] == (Fact("Platform", "linux-x86_64"), Fact("C library", "glibc >= 2.17"))
    assert moo.licences == (Licensed("Cow", "1.0", ("MIT",)), Licensed("herd", "", ("MIT OR ISC",)))
    assert Fact("cow-1.0-py3-none-any.whl", "ab" * 32) in moo.digests
    assert Fact("moo", read_scie(moo.path).sha256) in moo.digests
    assert Fact("Commands", "the default one") in moo.facts


def test_modules_outside_of_packs_need_no_reason(tmp_path: Path) -> None:
    embedded = part(tmp_path, ".files", Tree(files={"tool.py": b"tool = 1\n"}), "files")
    composition = executable_composition(executable(tmp_path / "moo", [interpreter(tmp_path), embedded]))
    [tool] = find(composition, "part:.files").parts
    assert (tool.form, tool.why) == ("bare", "")


def test_several_interpreters_are_told_apart(tmp_path: Path) -> None:
    parts = [interpreter(tmp_path), interpreter(tmp_path, "other"), payload(tmp_path)]
    composition = executable_composition(executable(tmp_path / "moo", parts))
    names = {piece.name for piece in composition.whole.parts}
    assert {"Interpreter cpython", "Interpreter other", "Standard library other"} <= names


def test_deep_and_colliding_paths_of_a_wheel_are_pieces_too(tmp_path: Path) -> None:
    deep = "/".join("d" * 400)
    names = ["RECORD", "RECORD/RECORD", f"{deep}/RECORD", "../RECORD", "/RECORD", "\x1b\u202eRECORD"]
    wheels = {"evil-1-py3-none-any.whl": {name: name.encode() * 9 for name in names}}
    path = executable(tmp_path / "moo", [interpreter(tmp_path), payload(tmp_path, wheels)])
    composition = executable_composition(path)
    check_sums(composition.whole)
    assert composition.whole.packed == path.stat().st_size
    both = find(composition, "wheel:evil", "RECORD")
    assert {each.name for each in both.parts} == {"RECORD", "RECORD itself"}


def test_a_damaged_entry_is_an_error(tmp_path: Path) -> None:
    path = executable(tmp_path / "moo")
    data = bytearray(path.read_bytes())
    data[data.index(BIG[1000:1100])] ^= 1
    path.write_bytes(data)
    with pytest.raises(CzscieError, match="is damaged"):
        executable_composition(path)


def test_parts_that_overlap_are_an_error(tmp_path: Path) -> None:
    path = executable(tmp_path / "moo")
    contents = read_scie(path)
    manifest = contents.manifest
    first = manifest.scie.lift.files[0]
    data = path.read_bytes()
    end = data.rindex(b"PK\5\6") + 20
    jump = msgspec.structs.replace(manifest.scie.jump, size=first.offset + 1)
    overlapping = msgspec.structs.replace(manifest.scie, jump=jump)
    changed = msgspec.structs.replace(manifest, scie=overlapping).render()
    path.write_bytes(data[:end] + len(changed).to_bytes(2, "little") + changed)
    with pytest.raises(CzscieError, match="overlaps"):
        executable_composition(path)
