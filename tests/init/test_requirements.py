from __future__ import annotations

from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.init.requirements import read_requirements


def write(directory: Path, text: str, name: str = "requirements.txt") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def test_requirements_are_read_as_pip_reads_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    write(tmp_path, "colorama\n-r ../requirements.txt2\n", "more/base.txt")
    write(tmp_path, "attrs", "requirements.txt2")
    path = write(
        tmp_path,
        "\ufeff# a comment\n"
        "cowsay == 6.1  # the cow\n"
        "farm[barn] \\\n   >=1,<2 ; python_version >= '3.11'\n\n"
        "hay @ https://example.com/hay-1.0-py3-none-any.whl#sha256=00\n"
        "-r more/base.txt\n"
        "cowsay == 6.1\n",
    )
    found = read_requirements([path])
    assert found.requirements == (
        "cowsay==6.1",
        'farm[barn]<2,>=1; python_version >= "3.11"',
        "hay @ https://example.com/hay-1.0-py3-none-any.whl#sha256=00",
        "colorama",
        "attrs",
    )
    assert (found.source, found.path, found.starts) == ("requirements", path, False)


@pytest.mark.parametrize(
    ("line", "what", "hint"),
    [
        ("--index-url https://example.com", "has the option --index-url", "PIP_INDEX_URL"),
        ("-e .", "has the option -e", "czscie build DIRECTORY"),
        ("cow==1 --hash=sha256:00", "has the option --hash", "the lock pins"),
        ("./cow-1.0-py3-none-any.whl", "is not a requirement", "cowsay==6.1"),
    ],
)
def test_what_is_no_requirement_is_told_with_its_line(
    tmp_path: Path, line: str, what: str, hint: str
) -> None:
    path = write(tmp_path, f"cow \\\n==1\n\n{line}\n")
    with pytest.raises(CzscieError) as caught:
        read_requirements([path])
    assert caught.value.what == f"line 4 of {path} {what}"
    assert hint in (caught.value.hint or "")


def test_files_that_include_each_other_end_in_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "-r other.txt\n")
    write(tmp_path, "-r requirements.txt\n", "other.txt")
    with pytest.raises(CzscieError, match="includes itself"):
        read_requirements([path])


@pytest.mark.parametrize(
    ("text", "what"), [(None, "there is no file"), ("# nothing\n", "has no requirement")]
)
def test_a_file_without_requirements_is_an_error(tmp_path: Path, text: str | None, what: str) -> None:
    path = tmp_path / "requirements.txt" if text is None else write(tmp_path, text)
    with pytest.raises(CzscieError, match=what):
        read_requirements([path])
