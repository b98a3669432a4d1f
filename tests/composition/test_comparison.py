from __future__ import annotations

from pathlib import Path

from composition.factories import COW, HERD, executable, interpreter, payload
from czscie.composition.comparison import Change, compare
from czscie.composition.executable import executable_composition
from czscie.composition.piece import Piece


def leaf(key: str, packed: int, installed: int, content: int | None = None) -> Piece:
    return Piece(key, key, packed, installed, content=installed if content is None else content)


def tree(key: str, *parts: Piece, detail: str = "") -> Piece:
    packed, installed = sum(part.packed for part in parts), sum(part.installed for part in parts)
    return Piece(key, key, packed, installed, parts, detail=detail)


def by_key(change: Change) -> dict[str, Change]:
    pieces = [(each.now or each.was, each) for each in change.parts]
    return {piece.key or piece.name: each for piece, each in pieces if piece is not None}


def differences(change: Change) -> dict[str, tuple[int, int]]:
    return {key: (each.packed, each.installed) for key, each in by_key(change).items()}


def check_sums(change: Change) -> None:
    """The parts of a change add up to it."""
    if change.parts:
        assert change.packed == sum(part.packed for part in change.parts)
        assert change.installed == sum(part.installed for part in change.parts)
    for part in change.parts:
        check_sums(part)


def test_what_was_added_removed_grown_and_shrunk() -> None:
    same = leaf("2", 5, 5)
    was = tree("moo", tree("a", leaf("1", 10, 20), same), leaf("gone", 7, 8), leaf("less", 9, 9))
    now = tree("moo", tree("a", leaf("1", 12, 25), same), leaf("new", 3, 4), leaf("less", 1, 2))
    change = compare(was, now)
    check_sums(change)
    assert differences(change) == {"a": (2, 5), "gone": (-7, -8), "new": (3, 4), "less": (-8, -7)}
    assert differences(change.parts[0]) == {"1": (2, 5)}


def test_files_of_the_same_size_are_one_row_where_they_are_packed_differently() -> None:
    was = tree("moo", tree("a", leaf("1", 1, 2), leaf("2", 5, 5), leaf("3", 6, 6)), leaf("b", 8, 8))
    now = tree("moo", tree("a", leaf("1", 1, 3), leaf("2", 6, 5), leaf("3", 9, 6)), leaf("b", 7, 8))
    change = compare(was, now)
    check_sums(change)
    assert differences(change) == {"a": (4, 1), "1 file of the same size, packed differently": (-1, 0)}
    assert differences(change.parts[0]) == {
        "1": (0, 1),
        "2 files of the same size, packed differently": (4, 0),
    }


def test_a_module_is_the_same_if_its_share_of_a_compressed_block_changed() -> None:
    was, now = tree("moo", leaf("a.py", 10, 20, 50)), tree("moo", leaf("a.py", 11, 21, 50))
    change = compare(was, now)
    check_sums(change)
    assert differences(change) == {"1 file of the same size, packed differently": (1, 1)}


def test_what_is_never_installed_is_compared_by_its_packed_size() -> None:
    was, now = tree("moo", leaf("launcher", 10, 0)), tree("moo", leaf("launcher", 11, 0))
    assert differences(compare(was, now)) == {"launcher": (1, 0)}
    assert compare(was, was).parts == ()


def test_a_new_version_is_a_change_even_if_no_size_differs() -> None:
    was = tree("moo", tree("a", leaf("1", 10, 20), detail="1.0"))
    now = tree("moo", tree("a", leaf("1", 10, 20), detail="1.1"))
    assert differences(compare(was, now)) == {"a": (0, 0)}


def test_pieces_of_the_same_key_are_all_counted() -> None:
    was = tree("moo", leaf("a", 1, 1), leaf("a", 2, 2))
    now = tree("moo", leaf("a", 5, 5), leaf("a", 2, 2), leaf("a", 7, 7))
    change = compare(was, now)
    check_sums(change)
    assert (change.packed, len(change.parts)) == (11, 2)


def test_a_file_that_became_a_directory_is_one_change() -> None:
    change = compare(tree("moo", leaf("a", 1, 1)), tree("moo", tree("a", leaf("b", 3, 3))))
    check_sums(change)
    assert differences(change) == {"a": (2, 2)}


def test_two_executables_are_compared_by_wheel_and_file(tmp_path: Path) -> None:
    wheels = {"cow-1.0-py3-none-any.whl": COW, "herd-2.0-py3-none-any.whl": HERD}
    was = executable(tmp_path / "was", [interpreter(tmp_path), payload(tmp_path, wheels)])
    newer = {path.replace("cow-1.0", "cow-1.1"): text for path, text in COW.items()}
    newer |= {"cow/says.py": COW["cow/says.py"] * 2, "cow/new.py": b"new = 1\n", "cow/cow.txt": b"^__^"}
    parts = [interpreter(tmp_path), payload(tmp_path, {"cow-1.1-py3-none-any.whl": newer})]
    now = executable(tmp_path / "now", parts)
    change = compare(executable_composition(was).whole, executable_composition(now).whole)
    check_sums(change)
    assert change.packed == now.stat().st_size - was.stat().st_size
    changes = by_key(change)
    assert changes["wheel:herd"].now is None
    assert "library:cpython" not in changes
    assert "cow.dist-info" not in by_key(changes["wheel:cow"])
    assert {"new.py", "says.py", "cow.txt"} <= by_key(by_key(changes["wheel:cow"])["cow"]).keys()
