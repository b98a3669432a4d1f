from __future__ import annotations

from pathlib import Path

from czscie.container.part import read_plan
from czscie.container.plan import Plan, PlannedLink, PlannedText
from czscie.libc.scan import Demand, scan
from czscie.libc.variant import PLAN, InstalledLibc, Variant, variant
from elf_image import GNU_LOADER, elf_image
from scie.factories import Tree, part

LIBC = "c" * 64
LOADER = "lib/ld-linux-x86-64.so.2"
INSTALLED = InstalledLibc(LIBC, LOADER)


def make(directory: Path, tree: Tree, kind: str = "interpreter") -> Path:
    return part(directory, kind, tree, kind).path


def varied(
    path: Path, kind: str, programs: tuple[str, ...] = (), renamed: dict[str, str] | None = None
) -> Variant:
    made = variant(path, kind, programs, INSTALLED, renamed or {})
    assert made is not None
    return made


INTERPRETER = Tree(
    files={"lib/libz.so.1": elf_image(interpreter=None, needed=["libc.so.6"])},
    programs={"bin/python3.13": elf_image(needed=["libc.so.6", "libz.so.1"], rpath="$ORIGIN/../lib")},
    links={"bin/python": "python3.13"},
)


def test_a_part_tells_what_it_asks_for(tmp_path: Path) -> None:
    tree = Tree(
        files={
            "lib/_c.so": elf_image(interpreter=None, needed=["libstdc++.so.6"], runpath="$ORIGIN"),
            "lib/damaged.so": b"\x7fELF and no more",
            "lib/large.so": elf_image(interpreter=None, needed=["libm.so.6"], extra=bytes(2 << 20)),
        },
        programs={
            "bin/tool": elf_image(needed=["libc.so.6"]),
            "bin/musl-tool": elf_image(interpreter="/lib/ld-musl-x86_64.so.1", needed=["libc.so"]),
        },
    )
    assert scan(make(tmp_path, tree), GNU_LOADER) == Demand(
        libraries=frozenset({"libstdc++.so.6", "libm.so.6", "libc.so.6", "libc.so"}),
        provided=frozenset({"_c.so", "large.so", "tool", "musl-tool"}),
        early=frozenset({"libstdc++.so.6"}),
        programs=("bin/tool",),
    )


def test_an_interpreters_variant_starts_through_the_bundled_loader(tmp_path: Path) -> None:
    path = make(tmp_path, INTERPRETER)
    made = varied(path, "interpreter", ("bin/python3.13",))
    plan = read_plan(path)
    assert (made.plan.files, made.plan.entries) == (plan.files, plan.entries)
    assert made.plan.links == (*plan.links, PlannedLink("libc", f"../../libcs/{LIBC}"))
    assert [patch.template for patch in made.plan.patches if isinstance(patch, PlannedText)] == [
        f"{{base}}/libcs/{LIBC}/{LOADER}",
        f"{{root}}/lib:{{base}}/libcs/{LIBC}/lib",
    ]
    assert made.entries == ((PLAN, made.plan.render()),)
    assert made.plan.digest() != plan.digest()


def test_an_applications_variant_is_on_the_interpreters(tmp_path: Path) -> None:
    tree = Tree(
        files={"lib/x.py": b"interpreters/before"},
        templates={"pyvenv.cfg": b"home = {base}/interpreters/before/bin\n", "other.cfg": b"{root}"},
        links={"bin/python": "../../../interpreters/before/bin/python3.13", "bin/python3": "python"},
    )
    path = make(tmp_path, tree, "app")
    made = varied(path, "app", renamed={"before": "after"})
    links = {link.path: link.target for link in made.plan.links}
    assert links == {"bin/python": "../../../interpreters/after/bin/python3.13", "bin/python3": "python"}
    (name, content), (plan_name, text) = made.entries
    assert content == b"home = {base}/interpreters/after/bin\n"
    assert plan_name == PLAN and text == made.plan.render()
    (configuration,) = [file for file in made.plan.files if file.path == "pyvenv.cfg"]
    assert (configuration.kind, configuration.content.entry) == ("fill", name)
    before: Plan = read_plan(path)
    unchanged = [file for file in made.plan.files if file.path != "pyvenv.cfg"]
    assert unchanged == [file for file in before.files if file.path != "pyvenv.cfg"]
    assert made.plan.patches == ()


def test_programs_of_an_application_start_through_the_bundled_loader_too(tmp_path: Path) -> None:
    tree = Tree(programs={"bin/ninja": elf_image(needed=["libc.so.6"]), "bin/other": elf_image()})
    made = varied(make(tmp_path, tree, "app"), "app", ("bin/ninja",))
    assert {patch.path for patch in made.plan.patches} == {"bin/ninja"}


def test_what_would_be_the_same_has_no_variant(tmp_path: Path) -> None:
    path = make(tmp_path, Tree({"data": b"interpreters/before"}), "files")
    assert variant(path, "files", (), INSTALLED, {"before": "after"}) is None
