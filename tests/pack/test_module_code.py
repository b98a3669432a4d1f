"""The code of modules, kept by what each module is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from czscie.pack.compiler import Compiled, Compiler, Expression, Source
from czscie.pack.module_code import code_of_each, expressions_of
from pack.factories import this_python

A = ("lib/a.py", b"import re\nre.compile('a+')\n")
B = ("lib/b.py", b"VALUE = 1\n")
TOO_MUCH = ("lib/nested.py", b"-" * 100_000 + b"1\n")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CZSCIE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@dataclass(frozen=True, slots=True)
class Counting(Compiler):
    """This Python, which remembers the modules that it compiled."""

    compiled: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, compiler: Compiler) -> Counting:
        return cls(compiler.python, compiler.identity, compiler.magic, compiler.tag)

    def compile(
        self, sources: Sequence[Source], answered: Callable[[], object] = lambda: None
    ) -> Compiled[bytes]:
        self.compiled.extend(name for name, _ in sources)
        return Compiler.compile(self, sources, answered)


@pytest.fixture
def compiler() -> Counting:
    return Counting.of(this_python())


def test_only_what_changed_is_compiled(compiler: Counting) -> None:
    first = code_of_each(compiler, "library", [A, B, TOO_MUCH])
    assert [bool(each.code) for each in first] == [True, True, False]
    assert [len(each.expressions) for each in first] == [1, 0, 0]
    assert [len(each.skips) for each in first] == [0, 0, 1]
    compiler.compiled.clear()
    assert code_of_each(compiler, "library", [A, B, TOO_MUCH]) == first
    assert compiler.compiled == []
    changed = (B[0], b"VALUE = 2\n")
    again = code_of_each(compiler, "library", [A, changed, TOO_MUCH])
    assert compiler.compiled == [B[0]]
    assert (again[0], again[2]) == (first[0], first[2]) and again[1] != first[1]


def test_builds_with_other_modules_of_one_owner_share_them(compiler: Counting) -> None:
    code_of_each(compiler, "library", [A, B])
    compiler.compiled.clear()
    code_of_each(compiler, "library", [B, TOO_MUCH])
    code_of_each(compiler, "library", [A])
    assert compiler.compiled == [TOO_MUCH[0]]


def test_another_compiler_and_another_name_of_the_file_are_compiled(compiler: Counting) -> None:
    [first] = code_of_each(compiler, "library", [A])
    [moved] = code_of_each(compiler, "library", [("elsewhere/a.py", A[1])])
    code_of_each(replace(compiler, identity="another"), "library", [A])
    assert moved.code != first.code and moved.expressions == first.expressions
    assert compiler.compiled == [A[0], "elsewhere/a.py", A[0]]


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff"])
def test_what_is_damaged_in_the_cache_is_compiled_again(
    compiler: Counting, cache: Path, damage: bytes
) -> None:
    first = code_of_each(compiler, "library", [A, B])
    for path in (cache / "known").iterdir():
        path.write_bytes(damage)
    assert code_of_each(compiler, "library", [A, B]) == first
    assert compiler.compiled == [A[0], B[0]] * 2


def test_expressions_of_several_modules_are_there_once() -> None:
    one, other = (b"1" * 8, b"x"), (b"2" * 8, b"y")
    found: list[list[Expression]] = [[other], [one, other], []]
    assert expressions_of(found) == [one, other]


def test_modules_are_counted_whether_they_are_compiled_or_kept(compiler: Counting) -> None:
    steps: list[int] = []
    code_of_each(compiler, "moo", [A], steps.append)
    code_of_each(compiler, "moo", [A, B], steps.append)
    code_of_each(compiler, "moo", [A, B], steps.append)
    assert [each for each in steps if each] == [1, 1, 1, 2]
