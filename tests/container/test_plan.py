from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from czscie.container.plan import (
    Plan,
    PlannedBytes,
    PlannedCopy,
    PlannedEntry,
    PlannedFile,
    PlannedLink,
    PlannedText,
    Slice,
    parse,
)
from czscie.errors import CzscieError
from czscie.platforms import find_platform

GROUP = PlannedEntry("group.zip", 30, 0xC0FFEE, "ab" * 32)
LARGE = PlannedEntry("large", 5000, 1, "cd" * 32)

PATCHES = (
    PlannedBytes("lib/large", 64, b"\0\xff"),
    PlannedText("lib/large", 5008, 4096, "{base}/a\tb"),
    PlannedCopy("lib/large", 9104, 100, 30),
)

PLAN = Plan(
    entries=(GROUP, LARGE),
    files=(
        PlannedFile("bin/tool", Slice("group.zip", 0, 10), "script", True, "bin/python -sE"),
        PlannedFile("pyvenv.cfg", Slice("group.zip", 10, 20), "fill"),
        PlannedFile("lib/large", Slice("large", 0, 5000)),
    ),
    links=(PlannedLink("bin/python", "../../../interpreters/x/bin/python"),),
    directories=("empty/one",),
)


def one_file(path: str) -> Plan:
    return Plan((GROUP,), (PlannedFile(path, Slice("group.zip", 0, 0)),))


def test_a_plan_is_the_text_that_the_format_describes() -> None:
    assert PLAN.render().decode() == (
        "czscie-plan 1\n"
        f"entry\t30\tc0ffee\t{'ab' * 32}\tgroup.zip\n"
        f"entry\t5000\t1\t{'cd' * 32}\tlarge\n"
        "dir\tbin\n"
        "dir\tempty\n"
        "dir\tempty/one\n"
        "dir\tlib\n"
        "script\t755\t0\t0\t10\tbin/python -sE\tbin/tool\n"
        "fill\t644\t0\t10\t20\tpyvenv.cfg\n"
        "file\t644\t1\t0\t5000\tlib/large\n"
        "link\tbin/python\t../../../interpreters/x/bin/python\n"
    )


def test_patches_come_last_and_count_for_the_size() -> None:
    patched = replace(PLAN, patches=PATCHES)
    assert patched.render() == PLAN.render() + (
        b"bytes\t64\t00ff\tlib/large\n"
        b"text\t5008\t4096\t{base}/a\\tb\tlib/large\n"
        b"copy\t9104\t100\t30\tlib/large\n"
    )
    assert parse(patched.render()).patches == PATCHES
    assert patched.unpacked() == PLAN.unpacked() + 4096


def test_a_rendered_plan_parses_to_the_same_plan() -> None:
    parsed = parse(PLAN.render())
    assert replace(parsed, directories=PLAN.directories) == PLAN
    assert parsed.directories == ("bin", "empty", "empty/one", "lib")
    assert parsed.render() == PLAN.render()


@pytest.mark.parametrize(
    "name",
    [
        "a\tb",
        "a\nb",
        "a\\b",
        "\\t\\n\\\\",
        "\\\\t",
        "tail\\",
        " ",
        "\r\x0b\x0c\x1c\x85\u2028",  # line ends to str.splitlines, not to us
        "ä",
    ],
)
def test_any_text_survives(name: str) -> None:
    entry = replace(GROUP, name=name)
    file = PlannedFile("a", Slice(name, 0, 30), "script", False, f"bin/{name}")
    patch = PlannedText("b", 0, 4096, name)
    plan = Plan((entry,), (file, PlannedFile("b", Slice(name, 0, 30))), patches=(patch,))
    text = plan.render()
    assert text.count(b"\n") == 5
    assert parse(text) == plan


@pytest.mark.parametrize("name", ["a b", "ä", "日本", "...", "\u2028"])
def test_a_path_of_any_letters_survives(name: str) -> None:
    file = PlannedFile(name, Slice("group.zip", 0, 30))
    plan = Plan((GROUP,), (file,), (PlannedLink(f"link {name}", name),), (f"{name} directory",))
    assert parse(plan.render()) == plan


@pytest.mark.parametrize(
    "path",
    ["", "/a", "../a", "a/../b", "a/..", "a/./b", ".", "a//b", "a/", "a\0b", "a\\b", "a\nb", "C:a", "\udcff"],
)
def test_a_path_that_leaves_its_directory_is_refused(path: str) -> None:
    plans = [
        one_file(path),
        Plan((), (), (PlannedLink(path, "x"),)),
        Plan((), (), (), (path,)),
    ]
    for plan in plans:
        with pytest.raises(CzscieError) as caught:
            plan.render()
        assert caught.value.what == f"cannot install a file at {path!r}"


def test_a_script_that_is_too_large_to_be_changed_is_refused() -> None:
    """The launcher writes an entry of more than 8 MiB piece by piece, as it is."""
    size = (8 << 20) + 1
    entry = PlannedEntry("large", size, 0, "")
    whole = PlannedFile("bin/tool", Slice("large", 0, size))
    assert b"bin/tool" in Plan((entry,), (whole,)).render()
    script = replace(whole, kind="script", content=Slice("large", 9, size - 9))
    with pytest.raises(CzscieError) as caught:
        Plan((entry,), (script,)).render()
    assert str(caught.value) == (
        "error: bin/tool cannot be a script of 8388609 bytes\n"
        "  more than 8388608 bytes can only be installed unchanged"
    )
    Plan((replace(entry, size=size - 1),), (replace(script, content=Slice("large", 0, 1)),)).render()


def test_directories_come_before_what_is_in_them() -> None:
    lines = one_file("a/b/c/d").render().decode().splitlines()
    assert lines[2:5] == ["dir\ta", "dir\ta/b", "dir\ta/b/c"]
    spread = Plan((), (), (PlannedLink("x/y/link", "t"),), ("z/empty", "x.y"))
    directories = [line[4:] for line in spread.render().decode().splitlines() if line.startswith("dir")]
    for directory in directories:
        parent = directory.rpartition("/")[0]
        assert not parent or directories.index(parent) < directories.index(directory)


def test_files_come_in_the_order_of_their_bytes() -> None:
    files = (
        PlannedFile("late", Slice("large", 0, 5000)),
        PlannedFile("second", Slice("group.zip", 4, 4)),
        PlannedFile("b", Slice("group.zip", 0, 4)),
        PlannedFile("a", Slice("group.zip", 0, 4)),
    )
    ordered = parse(Plan((GROUP, LARGE), files).render()).files
    assert [file.path for file in ordered] == ["a", "b", "second", "late"]


def test_the_digest_is_that_of_the_text_whatever_the_order_of_its_parts() -> None:
    assert PLAN.digest() == hashlib.sha256(PLAN.render()).hexdigest()
    shuffled = replace(PLAN, files=PLAN.files[::-1], directories=("empty/one", "lib"))
    assert shuffled.digest() == PLAN.digest()


@pytest.mark.parametrize(
    "changed",
    [
        replace(PLAN, entries=(replace(GROUP, sha256="00" * 32), LARGE)),
        replace(PLAN, files=PLAN.files[:2]),
        replace(PLAN, files=(replace(PLAN.files[0], executable=False), *PLAN.files[1:])),
        replace(PLAN, files=(replace(PLAN.files[0], interpreter="x"), *PLAN.files[1:])),
        replace(PLAN, links=(PlannedLink("bin/python", "../../../interpreters/y/bin/python"),)),
        replace(PLAN, directories=()),
    ],
)
def test_whatever_changes_the_installation_changes_its_digest(changed: Plan) -> None:
    assert changed.digest() != PLAN.digest()


def test_unpacked_counts_blocks_of_4_kib() -> None:
    assert one_file("a").unpacked() == 0
    sizes = (1, 4096, 4097)
    files = tuple(PlannedFile(f"d/{size}", Slice("large", 0, size)) for size in sizes)
    assert Plan((LARGE,), files, (PlannedLink("l", "t"),)).unpacked() == 4096 * (1 + 1 + 2 + 1 + 1)


def test_a_slice_loses_its_head() -> None:
    assert Slice("e", 10, 30).without(7) == Slice("e", 17, 23)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"czscie-plan 2\n",
        b"czscie-plan 1",
        b"czscie-plan 1\n\ndir\ta\n",
        b"czscie-plan 1\ndir\ta",
        b"czscie-plan 1\ndir\ta\tb\n",
        b"czscie-plan 1\nlink\ta\n",
        b"czscie-plan 1\nlink\ta\tb\tc\n",
        b"czscie-plan 1\nentry\t1\t2\t3\n",
        b"czscie-plan 1\nentry\tone\t2\t3\te\n",
        b"czscie-plan 1\nfile\t644\t0\t0\t0\ta\n",
        b"czscie-plan 1\nentry\t1\t2\t3\te\nfile\t644\t-1\t0\t0\ta\n",
        b"czscie-plan 1\nentry\t1\t2\t3\te\nwhat\t644\t0\t0\t0\ta\n",
        b"czscie-plan 1\nentry\t1\t2\t3\te\nfile\t644\t0\t0\n",
        b"PK\3\4",
    ],
)
def test_what_is_not_a_plan_is_refused(text: bytes) -> None:
    with pytest.raises(CzscieError, match="the installation plan is damaged"):
        parse(text)


def test_every_prefix_of_a_plan_is_a_plan_or_refused() -> None:
    text = PLAN.render()
    for length in range(len(text)):
        if text[length - 1 : length] == b"\n":
            assert text.startswith(parse(text[:length]).render()[:length])
        else:
            with pytest.raises(CzscieError):
                parse(text[:length])


def of(*lines: str) -> bytes:
    """A plan of one entry of ten bytes and these lines."""
    entry = f"entry\t10\tc0ffee\t{'ab' * 32}\te"
    return "".join(f"{line}\n" for line in ("czscie-plan 1", entry, *lines)).encode(
        "utf-8", "surrogateescape"
    )


SOUND = [
    ("dir\ta", "file\t644\t0\t0\t4\ta/b", "link\ta/c\tb"),
    ("link\tbin/x\t../y",),
    ("link\tbin/x\t../../../interpreters/abc/bin/python",),
    ("link\tlibc\t../../libcs/abc",),
    ("link\ta/b/c\t..",),
    ("link\ta\t.",),
    ("file\t644\t0\t0\t4\tA", "file\t644\t0\t0\t4\ta"),
]

UNSOUND = [
    ("file\t644\t0\t0\t4\ta", "file\t644\t0\t4\t4\ta"),
    ("file\t644\t0\t0\t4\ta", "link\ta\tb"),
    ("link\ta\tb", "link\ta\tc"),
    ("link\tlib\tb", "file\t644\t0\t0\t4\tlib/a"),
    ("file\t644\t0\t0\t4\tlib/a", "link\tlib\tb"),
    ("dir\ta", "file\t644\t0\t0\t4\ta"),
    ("dir\ta/b", "link\ta\tb"),
    ("dir\ta", "dir\ta"),
    ("link\ta\t/etc/passwd",),
    ("link\ta\t../x",),
    ("link\ta\t..",),
    ("link\ta\t../../x",),
    ("link\ta\t../../apps",),
    ("link\ta\t../../apps/x/../../..",),
    ("link\ta\t../../apps/..",),
    ("link\ta\tb/../../../..",),
    ("link\ta\tb/../c",),
    ("link\ta\tb\\\\c",),
    ("link\ta\tC:c",),
    ("link\ta/b\t../../x",),
    ("file\t644\t0\t7\t4\ta",),
    ("file\t644\t0\t0\t11\ta",),
    ("file\t644\t0\t0\t99999999999999999999999\ta",),
    ("file\t644\t0\t0\t" + "9" * 5000 + "\ta",),
    ("file\t644\t0\t0\t\u0664\ta",),
    ("file\t644\t0\t-1\t4\ta",),
    ("bytes\t0\t00\tb",),
    ("fill\t644\t0\t0\t4\ta", "bytes\t0\t00\ta"),
    ("file\t644\t0\t0\t4\ta", "copy\t0\t0\t99999999999\ta"),
    ("file\t644\t0\t0\t4\ta", "text\t999999999999999999\t4\tx\ta"),
    ("file\t644\t0\t0\t4\t\udcff",),
]


@pytest.mark.parametrize("lines", SOUND, ids=lambda lines: "+".join(lines)[:50])
def test_a_sound_plan_is_parsed(lines: tuple[str, ...]) -> None:
    rendered = parse(of(*lines)).render()
    assert set(of(*lines).splitlines()) <= set(rendered.splitlines())


@pytest.mark.parametrize("lines", UNSOUND, ids=lambda lines: "+".join(lines)[:50])
def test_a_plan_that_leads_elsewhere_is_refused(lines: tuple[str, ...]) -> None:
    """native/src/plan.zig refuses the same."""
    with pytest.raises(CzscieError, match="the installation plan is damaged"):
        parse(of(*lines))


def test_a_plan_whose_files_are_one_on_its_platform_is_refused_there() -> None:
    plan = parse(of("file\t644\t0\t0\t4\tA", "file\t644\t0\t0\t4\ta"))
    plan.check(find_platform("linux-x86_64"))
    for name in ("macos-aarch64", "windows-x86_64"):
        with pytest.raises(CzscieError, match="which are one file on case-insensitive file systems"):
            plan.check(find_platform(name))
