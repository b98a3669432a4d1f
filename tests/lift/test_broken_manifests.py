"""One directory in `broken` per way to get a manifest wrong, with the exact text that the user sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.lift.manifest import read_manifest

BROKEN = sorted((Path(__file__).parent / "broken").iterdir())


def test_there_are_at_least_twenty_broken_manifests() -> None:
    assert len(BROKEN) >= 20


@pytest.mark.parametrize("directory", BROKEN, ids=lambda directory: directory.name)
def test_a_broken_manifest_gives_exactly_the_expected_text(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(directory)
    with pytest.raises(CzscieError) as raised:
        read_manifest(Path("lift.toml"))
    assert str(raised.value) == Path("expected.txt").read_text(encoding="utf-8").removesuffix("\n")
