from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from czscie.container.content import Data, File
from czscie.container.packer import write_items
from czscie.container.part import open_part, read_plan
from czscie.errors import CzscieError

FILES = {"lib/large": bytes(range(256)) * 8192, "a": b"a", "b": b"", "lib/c": b"c"}


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    items = [File(path, Data(data)) for path, data in sorted(FILES.items())]
    write_items(items, tmp_path / "part", 3, ["empty"])
    return tmp_path / "part"


def test_what_was_packed_is_read_again(packed: Path) -> None:
    with open_part(packed) as part:
        found = {file.path: bytes(content) for file, content in part.files(part.plan().files)}
        assert {path: part.find(path) for path in FILES} == found == FILES
        assert part.find("empty") is None


def _all(path: Path) -> object:
    with open_part(path) as part:
        return [bytes(content) for _, content in part.files(part.plan().files)]


@pytest.mark.parametrize("read", [read_plan, _all], ids=["plan", "files"])
@pytest.mark.parametrize("left", [0.0, 0.5, 0.99])
def test_whatever_is_missing_of_it_the_error_is_the_same(
    packed: Path, read: Callable[[Path], object], left: float
) -> None:
    data = packed.read_bytes()
    packed.write_bytes(data[: int(len(data) * left)])
    with pytest.raises(CzscieError) as error:
        read(packed)
    assert error.value.what == f"{packed} is damaged"
    assert error.value.hint is not None and "czscie cache clean packed" in error.value.hint
