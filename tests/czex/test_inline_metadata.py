from __future__ import annotations

from pathlib import Path

import pytest

from czscie.czex.inline_metadata import InlineMetadata
from czscie.errors import CzscieError

PATH = Path("tool.py")


def parse(*block: str) -> InlineMetadata:
    return InlineMetadata.parse("\n".join(["#!/usr/bin/env python3", *block, "import sys", ""]), PATH)


def test_requirements_and_versions_are_read_from_the_block() -> None:
    found = parse(
        "# /// script",
        '# requires-python = ">=3.11"',
        "# dependencies = [",
        '#   "cowsay==6.1",',
        "#",
        "#   \"rich ; python_version < '4'\",",
        "# ]",
        "# [tool.other]",
        "# setting = 1",
        "# ///",
    )
    assert found.requirements == ("cowsay==6.1", 'rich; python_version < "4"')
    assert str(found.requires_python) == ">=3.11"


def test_a_script_without_a_block_needs_nothing() -> None:
    found = parse("# /// notes", "# nothing = [", "# ///", "# // script")
    assert found.requirements == ()
    assert found.requires_python.contains("3.0")


def test_a_block_ends_with_the_last_line_that_can_end_it() -> None:
    with pytest.raises(CzscieError, match="is invalid"):
        parse("# /// script", "# dependencies = []", "# ///", "#", "# ///")


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (
            ("# /// script", "# dependencies = []", "# ///", "", "# /// script", "# a = 1", "# ///"),
            "more than",
        ),
        (("# /// script", "# dependencies = [", "# ///"), "(opened at line 1): dependencies = ["),
        (("# /// script", '# dependencies = "cowsay"', "# ///"), "dependencies is not an array of strings"),
        (("# /// script", '# dependencies = ["cow say"]', "# ///"), "cow say"),
        (("# /// script", "# requires-python = 3.11", "# ///"), "requires-python is not a string"),
        (("# /// script", '# requires-python = "3.x!"', "# ///"), "3.x!"),
    ],
)
def test_an_invalid_block_is_an_error_with_its_reason(block: tuple[str, ...], why: str) -> None:
    with pytest.raises(CzscieError) as error:
        parse(*block)
    assert error.value.what == 'the "# /// script" block of tool.py is invalid'
    assert why in str(error.value)


def test_a_script_is_read_in_the_encoding_that_it_declares(tmp_path: Path) -> None:
    script = tmp_path / "tool.py"
    block = '# /// script\n# dependencies = ["cowsay"]  # für Kühe\n# ///\n'
    script.write_bytes(f"# -*- coding: latin-1 -*-\n{block}".encode("latin-1"))
    assert InlineMetadata.read(script).requirements == ("cowsay",)
    script.write_bytes(block.encode("latin-1"))
    with pytest.raises(CzscieError, match="is not a Python file"):
        InlineMetadata.read(script)


def test_a_script_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CzscieError, match="there is no script"):
        InlineMetadata.read(tmp_path / "tool.py")
