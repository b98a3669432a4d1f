from __future__ import annotations

import _imp
import _sre
import marshal
import re
import subprocess
import sys
from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.pack.compiler import Compiler
from czscie.pack.module_code import expressions_of

Found = dict[tuple[str | bytes, int], re.Pattern[str]]


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    found = Compiler.probe(Path(sys.executable), "this")
    assert found is not None
    return found


def found_in(compiler: Compiler, *sources: str) -> Found:
    """The expressions of `sources` as the finder makes them of their entries."""
    made: Found = {}
    results = compiler.expressions([("a.py", source.encode()) for source in sources]).results
    for hashed, entry in expressions_of(results):
        pattern, flags, final, code, *rest = marshal.loads(entry)
        assert len(hashed) == 8
        made[pattern, flags] = _sre.compile(pattern, final, memoryview(code).cast("I").tolist(), *rest)
    return made


@pytest.mark.parametrize(
    ("source", "pattern", "flags"),
    [
        ('re.compile("a+")', "a+", 0),
        ('re.compile(b"a+")', b"a+", 0),
        ('re.compile(r"(?P<x>a)|(b)", re.I | re.MULTILINE)', "(?P<x>a)|(b)", re.I | re.M),
        ('re.compile("a", flags=re.X)', "a", re.X),
        ('re.sub("a{2,3}", "b", text, 0, re.S)', "a{2,3}", re.S),
        ('re.split("[,;]", text, flags=re.A)', "[,;]", re.A),
        ('A = "a"\nB = A + "b"\nre.match(B, text)', "ab", 0),
        ('A = "a"\nre.search(f"^{A}$", text)', "^a$", 0),
        ('re.compile("[%s]" % re.escape("-]"))', r"[\-\]]", 0),
        ('A = {"x": "1"}\nre.compile("%(x)s" % A)', "1", 0),
        ('re.compile("{a}|{}".format("c", a="b"))', "b|c", 0),
        ('re.compile("|".join(["a", "b"]))', "a|b", 0),
        ('A = ["%sx", "%sy"]\nre.compile("|".join([a % "z" for a in A]))', "zx|zy", 0),
        ('A = "(abc)"\nre.compile(A[1:-1])', "abc", 0),
        ('class C:\n    a = None\n    b = "b+"\n    def f(self): re.compile(self.a or self.b)', "b+", 0),
        ('_lazy_re_compile(r"\\d", re.ASCII)', r"\d", re.A),
    ],
)
def test_an_expression_that_the_text_shows_is_compiled_as_re_does_it(
    compiler: Compiler, source: str, pattern: str, flags: int
) -> None:
    found = found_in(compiler, f"import re\n{source}\n")
    assert found == {(pattern, int(flags)): re.compile(pattern, flags)}
    assert found[pattern, int(flags)].groupindex == re.compile(pattern, flags).groupindex


@pytest.mark.parametrize(
    "source",
    [
        "re.compile(argument)",
        're.compile("a" + argument)',
        're.compile("a", flags)',
        're.compile("(")',
        're.compile("a", re.DEBUG)',
        're.compile(b"a", re.LOCALE)',
        're.compile("[[a]")',  # what warns has to warn each time
        'text.split("a")',
        'A = A + "a"\nre.compile(A)',
        "re.compile(3)",
    ],
)
def test_what_is_not_certain_is_left_to_re(compiler: Compiler, source: str) -> None:
    assert found_in(compiler, f"import re\n{source}\n") == {}


def test_a_module_that_does_not_parse_is_passed_over(compiler: Compiler) -> None:
    found = found_in(compiler, "import re\nre.compile('a'", "import re\nre.compile('b')", "\0")
    assert list(found) == [("b", 0)]


def test_equal_modules_give_equal_bytes_in_whatever_order(compiler: Compiler) -> None:
    sources = [("a.py", f"import re\nre.compile('{letter}+', re.I)\n".encode()) for letter in "abc"]
    found = compiler.expressions(sources).results
    assert all(found) and found == compiler.expressions(sources[::-1]).results[::-1]


def test_every_expression_of_the_standard_library_is_what_re_makes_of_it(compiler: Compiler) -> None:
    directory = Path(re.__file__).parents[sys.version_info >= (3, 11)]
    sources = [path.read_text("utf-8", "replace") for path in sorted(directory.glob("*.py"))]
    found = found_in(compiler, *sources)
    assert len(found) > 100
    for (pattern, flags), made in found.items():
        assert made == re.compile(pattern, flags), pattern


def test_a_python_that_fails_is_an_error_that_says_what_helps(tmp_path: Path) -> None:
    fails = tmp_path / "python"
    fails.write_text("#!/bin/sh\nexit 3\n")
    fails.chmod(0o755)
    assert Compiler.probe(fails, "fails") is None
    with pytest.raises(CzscieError, match=r"failed to compile modules"):
        Compiler(fails, "fails", b"\0" * 4, "cpython-313").expressions([("a.py", b"import re")])


def test_the_hash_of_an_expression_is_that_of_the_finder(compiler: Compiler) -> None:
    [[(hashed, _)]] = compiler.expressions([("a.py", b"import re\nre.compile(b'a', re.I)\n")]).results
    assert hashed == _imp.source_hash(int(re.I) << 1 | 1, b"a")


def test_modules_without_regular_expressions_start_nothing(
    compiler: Compiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = ("plain.py", b"def answer(): return 42\n")
    found = compiler.expressions([plain, ("a.py", b"import re\nre.compile('a')\n"), plain])
    assert [len(each) for each in found.results] == [0, 1, 0] and found.skips == ()
    monkeypatch.setattr(subprocess, "Popen", None)
    monkeypatch.setattr(subprocess, "run", None)
    assert compiler.expressions([plain, plain]).results == [[], []]
