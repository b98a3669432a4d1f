"""Modules that are made to keep the compiler busy, fill the memory or crash what builds."""

from __future__ import annotations

import sys
import sysconfig
import time
from pathlib import Path

import pytest

from czscie.errors import CzscieError
from czscie.pack.compiler import Compiler
from pack.factories import signs_of, this_python

GOOD = ("good.py", b"import re\nre.compile('a+')\n")
LAST = ("last.py", b"import re\nre.compile('b+')\n")


def chain(step: str, first: str = '"ab"', length: int = 60) -> str:
    """Names of which each is made of the one before."""
    lines = [f"a0 = {first}", *(f"a{n} = {step.format(f'a{n - 1}')}" for n in range(1, length))]
    return "import re\n" + "\n".join(lines) + f"\nre.compile(a{length - 1})\n"


def nested_finally(depth: int, statements: int) -> str:
    lines = [f"{' ' * n}try: pass\n{' ' * n}finally:" for n in range(depth)]
    return "\n".join(lines) + "\n" + f"{' ' * depth}x = 1\n" * statements


#: Twice as many steps each time, of no larger values.
LONG = "({0} + {0})[0:2]"
RANGE = "[\\0-\\U0010ffff]"
SET = "[a\\u0100\\U00010400]"

#: Expressions whose values or code would be endless, or depend on the machine.
VALUES = {
    "f-strings": chain('f"{{{0}}}{{{0}}}"'),
    "tuples": chain("({0}, {0})") + 're.compile("%s" % a59)\n',
    "joins": chain('"".join([{0}, {0}, {0}])'),
    "templates": chain('"%s%s" % ({0}, {0})'),
    "formats": chain('"{{}}{{}}".format({0}, {0})'),
    "additions": chain("{0} + {0}"),
    "comprehensions": chain('"".join([x + y for x in {0}])', length=50),
    "itself": "import re\na = a + a + a\nre.compile(a)\n",
    "dictionaries": chain("{{ {0}: {0} }}") + 're.compile("%s" % a59)\n',
    "a width": "import re\nre.compile('%999999999d' % 1)\n",
    "a width from elsewhere": "import re\nre.compile('%*d' % (999999999, 1))\n",
    "a precision": "import re\nre.compile('%.999999999f' % 1.5)\n",
    "a field's width": "import re\nre.compile('{:999999999}'.format(1))\n",
    "an address": "import re\nre.compile('{0.join}'.format('a'))\n",
    "nested groups": f"import re\nre.compile('{'(' * 5000}a{')' * 5000}')\n",
    "nested repeats": f"import re\nre.compile('{'(?:' * 200}a{'){1000}' * 200}')\n",
    "a value of many steps": chain(LONG, length=13),
}
#: What goes beyond the budget of a module: the word that the line about it has.
EXCESSES = {
    "ranges": (
        "import re\n" + "".join(f"re.compile('{n}{RANGE * 200}', re.I)\n" for n in range(50)),
        "limit of steps",
    ),
    "sets": ("import re\n" + "".join(f"re.compile('{n}{SET * 1500}')\n" for n in range(9)), "limit of steps"),
    "values": (chain(LONG, length=13) + "re.compile(a12)\n" * 300, "limit of steps"),
    "a large module": ("import re\n" + "x = 1\n" * 200_000, "too large"),
}
#: What does not compile, and the word that the line about it has; None for what is an error like any other.
MODULES = {
    "finally": (nested_finally(18, 500), "finally"),
    "returns": (
        "def f():\n" + "".join(f"{' ' * n}try: return 1\n{' ' * n}finally:\n" for n in range(1, 12))
        + " " * 12 + "; ".join(["x = 1"] * 3000) + "\n",
        "finally",
    ),
    "unary operators": ("-" * 100_000 + "1\n", "nested too deeply"),
    "attributes": ("a" + ".b" * 100_000 + "\n", "nested too deeply"),
    "operators": ("1" + "+1" * 100_000 + "\n", "nested too deeply"),
    "branches": ("if 1: pass\n" + "elif 1: pass\n" * 50_000, "nested too deeply"),
    "lambdas": ("lambda: " * 20_000 + "1\n", "nested too deeply"),
    "brackets": ("(" * 100_000 + ")" * 100_000, None),
    "much": ("x = 1\n" * 1_500_000, "too large"),
}  # fmt: skip


@pytest.mark.parametrize("kind", VALUES)
def test_no_value_takes_long_and_what_is_around_it_is_compiled(kind: str) -> None:
    started = time.monotonic()
    made = this_python().expressions([GOOD, ("evil.py", VALUES[kind].encode()), LAST])
    assert time.monotonic() - started < 60
    good, evil, last = made.results
    assert [good, last] == this_python().expressions([GOOD, LAST]).results
    assert len(evil) <= 1
    assert made == this_python().expressions([GOOD, ("evil.py", VALUES[kind].encode()), LAST])


@pytest.mark.parametrize("kind", EXCESSES)
def test_a_module_that_spends_its_budget_is_told_and_the_others_are_compiled(kind: str) -> None:
    text, word = EXCESSES[kind]
    started = time.monotonic()
    made = this_python().expressions([GOOD, ("evil.py", text.encode()), LAST])
    assert time.monotonic() - started < 120
    assert [made.results[0], made.results[2]] == this_python().expressions([GOOD, LAST]).results
    [line] = made.skips
    assert line.startswith("evil.py compiles some regular expressions") and word in line


@pytest.mark.parametrize("kind", MODULES)
def test_a_module_that_is_too_much_for_the_compiler_is_told_and_the_others_are_compiled(kind: str) -> None:
    text, word = MODULES[kind]
    started = time.monotonic()
    made = this_python().compile([GOOD, ("evil.py", text.encode()), LAST])
    assert time.monotonic() - started < 60
    assert [bool(code) for code in made.results] == [True, False, True]
    assert [(line.startswith("evil.py is not compiled: "), word in line) for line in made.skips if word] == [
        (True, True)
    ] * (word is not None)
    good, _, last = this_python().expressions([GOOD, ("evil.py", text.encode()), LAST]).results
    assert good and last


@pytest.mark.parametrize("text", [text for text, _ in MODULES.values()], ids=list(MODULES))
def test_the_scan_for_what_looks_at_files_survives_it(text: str) -> None:
    assert signs_of(f"__file__\n{text}".encode()).looks


def test_constants_are_not_folded_without_end() -> None:
    text = b"A = 9 ** 9 ** 9 ** 9\nB = 'x' * 10 ** 12\nC = ((1,) * 1000,) * 10 ** 9\nD = 1 << 10 ** 9\n"
    started = time.monotonic()
    made = this_python().compile([("evil.py", text)])
    assert time.monotonic() - started < 60
    assert len(made.results[0]) < 100_000


def wicked_python(directory: Path, wickedness: str) -> Compiler:
    """A Python whose compiler does what `wickedness` says for a source with the word wicked in it.

    Its time is a second instead of two minutes.
    """
    script = directory / "python"
    prefix = (
        "import builtins, os, sys, ast\nreal = compile\ndef spin():\n    while True: pass\n"
        f"def compile(source, *rest, **more):\n    if b'wicked' in source: {wickedness}\n"
        "    return real(source, *rest, **more)\nbuiltins.compile = compile\n"
    )
    script.write_text(
        f"#!{sys.executable}\nimport os, sys\n*options, program = sys.argv[1:]\n"
        f"program = {prefix!r} + program.replace('_SECONDS = 120', '_SECONDS = 1')\n"
        f"os.execv({sys.executable!r}, [{sys.executable!r}, *options, program])\n"
    )
    script.chmod(0o755)
    found = Compiler.probe(script, wickedness)
    assert found is not None
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize(
    ("wickedness", "why"),
    [
        ("os.abort()", "SIGABRT"),
        ("os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("os._exit(77)", "exit status 77"),
        ("raise MemoryError", "too much memory"),
        ("bytes(1 << 40)", "too much memory"),
        ("spin()", "CPU time"),
    ],
)
def test_what_kills_the_compiler_is_left_out_of_it(tmp_path: Path, wickedness: str, why: str) -> None:
    compiler = wicked_python(tmp_path, wickedness)
    evil = ("evil.py", b"import re\nre.compile('wicked')\n")
    made = compiler.compile([GOOD, evil, LAST, evil])
    assert [bool(code) for code in made.results] == [True, False, True, False]
    assert len(made.skips) == 2 and all(why in line for line in made.skips)
    found = compiler.expressions([GOOD, evil, LAST])
    good, last = this_python().expressions([GOOD, LAST]).results
    assert found.results == [good, [], last]


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_many_modules_that_take_long_are_an_error_that_names_one(tmp_path: Path) -> None:
    compiler = wicked_python(tmp_path, "spin()")
    evil = [(f"evil{n}.py", b"wicked") for n in range(6)]
    with pytest.raises(CzscieError, match="failed to compile modules") as caught:
        compiler.compile(evil)
    assert "evil3.py" in str(caught.value)


def test_nothing_of_the_standard_library_is_too_much() -> None:
    directory = Path(sysconfig.get_path("stdlib"))
    sources = [
        (path.name, path.read_bytes())
        for path in sorted(directory.rglob("*.py"))
        if not {"site-packages", "test", "tests"}.intersection(path.parts)
    ]
    assert this_python().compile(sources).skips == ()
    assert this_python().expressions(sources).skips == ()
